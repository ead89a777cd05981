/** What the portal learns of instances: the roles of each person in each account. */
import { instanceIdOf } from '../../kernel/identity-center.ts'
import { endPortalSessions } from '../../kernel/portal-sessions.ts'
import type { Use } from '../../kernel/ports/port.ts'
import type {
  ExternalSource,
  PortalLookup,
  PortalRole,
  SsoInstance,
  SsoInstancesPort,
} from '../../kernel/ports/sso-instances.ts'
import type { Store } from '../../store/store.ts'
import { accessByAccount, assigned } from './access.ts'
import { applicationsOf, isAssigned } from './application-assignments.ts'
import { sessionSeconds } from './provisioning.ts'
import {
  type ApplicationRow,
  application,
  type InstanceRow,
  instance,
  notFound,
  permissionSet,
  SCOPE,
  tokenIssuer,
} from './resources.ts'
import { type AssignmentRow, type ProvisionedRow, provisionedKey } from './rows.ts'

const shown = ({ id, account, region, storeId }: InstanceRow): SsoInstance => ({ id, account, region, storeId })

async function roleOf(
  { reader }: PortalLookup,
  { id }: SsoInstance,
  { accountId, permissionSetId: PermissionSetId }: AssignmentRow,
): Promise<PortalRole | undefined> {
  const set = await permissionSet.get(reader, SCOPE, { InstanceId: id, PermissionSetId })
  const provisioned = await reader.get<ProvisionedRow>(provisionedKey(id, accountId, PermissionSetId))
  if (!set || !provisioned) return undefined
  return {
    accountId,
    name: set.name,
    roleName: provisioned.roleName,
    sessionSeconds: sessionSeconds(set),
    relayState: set.relayState,
  }
}

async function rolesIn(lookup: PortalLookup, at: SsoInstance, userId: string, accountId: string) {
  const rows = await assigned(lookup, at, userId, accountId)
  const found = await Promise.all(rows.map((row) => roleOf(lookup, at, row)))
  return found.filter((role) => role !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `${path:enterprise.department}` → the attribute. */
const pathIn = (source: string): string => source.slice('${path:'.length, -1)

const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

async function applicationOf(reader: PortalLookup['reader'], arn: string): Promise<ApplicationRow | undefined> {
  const parsed = application.form.parse(arn)
  const row = parsed && (await application.get(reader, SCOPE, parsed.variables))
  return row?.account === parsed?.account ? row : undefined
}

/** Another certificate of the same provider, or other groups of the same directory, are no other source. */
const nameOf = (source: ExternalSource | undefined): string =>
  source === undefined
    ? ''
    : 'metadata' in source
      ? `saml ${source.metadata.entityId}`
      : `directory ${source.directoryId}`

export const ssoInstancesPort = (store: Store, use: Use): SsoInstancesPort => ({
  application: async (reader, arn) => {
    const row = await applicationOf(reader, arn)
    const at = row && (await instance.get(reader, SCOPE, { InstanceId: row.instanceId }))
    return (
      row &&
      at && {
        arn,
        account: row.account,
        instance: shown(at),
        isEnabled: row.isEnabled,
        scopes: Object.keys(row.scopes),
        grants: row.grants,
        actorPolicy: row.actorPolicy,
      }
    )
  },
  tokenIssuer: async (reader, arn) => {
    const parsed = tokenIssuer.form.parse(arn)
    const row = parsed && (await tokenIssuer.get(reader, SCOPE, parsed.variables))
    return row && { issuerUrl: row.issuerUrl, claimPath: row.claimPath, attributePath: row.attributePath }
  },
  mayUse: async ({ reader, people }, arn, userId) => {
    const row = await applicationOf(reader, arn)
    const at = row && (await instance.get(reader, SCOPE, { InstanceId: row.instanceId }))
    return row !== undefined && at !== undefined && isAssigned({ reader, people }, at, row, userId)
  },
  externalSource: async (reader, instanceArn) => {
    const InstanceId = instanceIdOf(instanceArn)
    const row = InstanceId === undefined ? undefined : await instance.get(reader, SCOPE, { InstanceId })
    return row?.externalSource
  },
  setExternalSource: async (unit, InstanceId, externalSource) => {
    const row = await instance.get(unit, SCOPE, { InstanceId })
    if (!row) throw notFound(`There is no instance ${InstanceId}.`)
    instance.put(unit, SCOPE, { ...row, externalSource })
    if (nameOf(row.externalSource) !== nameOf(externalSource)) await endPortalSessions(unit, row.storeId)
  },
  find: async (reader, InstanceId) => {
    const row = await instance.get(reader, SCOPE, { InstanceId })
    return row && shown(row)
  },
  only: async (reader) => {
    const rows = await instance.list(reader, SCOPE, { limit: 2 })
    return rows.length === 1 ? shown(rows[0]!.document) : undefined
  },
  applicationsOf: async (lookup, at, userId) =>
    (await applicationsOf(lookup, at, userId))
      .filter(({ isEnabled, portal, saml }) => isEnabled && portal.isVisible && (portal.url ?? saml?.settings))
      .map((row) => ({
        id: row.id,
        name: row.name,
        description: row.description,
        url: row.portal.origin === 'APPLICATION' ? row.portal.url : undefined,
        isSaml: row.saml !== undefined,
      })),
  accountsOf: accessByAccount(store, use),
  rolesIn,
  sessionTags: async (reader, { id }, attributes) => {
    const row = await instance.get(reader, SCOPE, { InstanceId: id })
    const pairs = (row?.accessControl ?? []).flatMap(({ key, source }) => {
      const value = attributes[pathIn(source)]
      // What is no value of a tag is left out, as in AWS: it must not become another value.
      return value !== undefined && TAG_VALUE.test(value) ? [[key, value] as const] : []
    })
    return Object.fromEntries(pairs)
  },
})
