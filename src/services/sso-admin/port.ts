/** What the portal learns of instances: who has which role where. */
import type { PortalLookup, PortalRole, SsoInstance, SsoInstancesPort } from '../../kernel/ports/sso-instances.ts'
import { sessionSeconds } from './provisioning.ts'
import { type InstanceRow, instance, permissionSet, SCOPE } from './resources.ts'
import { type AssignmentRow, assignmentsOf, type ProvisionedRow, provisionedKey } from './rows.ts'

const shown = ({ id, account, region, storeId }: InstanceRow): SsoInstance => ({ id, account, region, storeId })

/** Each pair of account and permission set once, however many assignments lead there. */
async function assigned(
  { reader, people }: PortalLookup,
  { id, storeId }: SsoInstance,
  userId: string,
  accountId?: string,
): Promise<readonly AssignmentRow[]> {
  const groups = await people.groupsOf(reader, storeId, userId)
  const prefixes = [assignmentsOf(id, 'USER', userId), ...groups.map((group) => assignmentsOf(id, 'GROUP', group))].map(
    (prefix) => (accountId === undefined ? prefix : `${prefix}${accountId}/`),
  )
  const found = await Promise.all(prefixes.map((prefix) => reader.range<AssignmentRow>(prefix)))
  const once = new Map(
    found.flat().map(({ document }) => [`${document.accountId}/${document.permissionSetId}`, document]),
  )
  return [...once.values()]
}

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

async function roles(lookup: PortalLookup, at: SsoInstance, userId: string, accountId?: string) {
  const rows = await assigned(lookup, at, userId, accountId)
  const found = await Promise.all(rows.map((row) => roleOf(lookup, at, row)))
  const order = (role: PortalRole) => `${role.accountId} ${role.name}`
  return found.filter((role) => role !== undefined).sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** `${path:enterprise.department}` → the attribute. */
const pathIn = (source: string): string => source.slice('${path:'.length, -1)

const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

export const ssoInstancesPort: SsoInstancesPort = {
  find: async (reader, InstanceId) => {
    const row = await instance.get(reader, SCOPE, { InstanceId })
    return row && shown(row)
  },
  only: async (reader) => {
    const rows = await instance.list(reader, SCOPE, { limit: 2 })
    return rows.length === 1 ? shown(rows[0]!.document) : undefined
  },
  rolesOf: roles,
  rolesIn: roles,
  sessionTags: async (reader, { id }, attributes) => {
    const row = await instance.get(reader, SCOPE, { InstanceId: id })
    const pairs = (row?.accessControl ?? []).flatMap(({ key, source }) => {
      const value = attributes[pathIn(source)]
      // What is no value of a tag is left out, as in AWS: it must not become another value.
      return value !== undefined && TAG_VALUE.test(value) ? [[key, value] as const] : []
    })
    return Object.fromEntries(pairs)
  },
}
