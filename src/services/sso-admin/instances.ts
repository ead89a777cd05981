/** Instances: one of an organization, and one of each account that wants its own. */
import { generateKeyPairSync } from 'node:crypto'
import { issueAuthority } from '../../engines/x509/issue.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { administration, newIdentityCenterIds } from '../../kernel/identity-center.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { key } from '../../store/store.ts'
import { badToken } from './pages.ts'
import { application, conflict, type InstanceRow, instance, permissionSet, SCOPE, sso, tagRules } from './resources.ts'
import { anyRow } from './rows.ts'
import { theInstance } from './target.ts'

const instanceOfKey = (account: string) => key('sso', 'instance-of', account)
const YEARS_100_MS = 100 * 365.25 * 24 * 3600 * 1000

export async function instanceOf(call: Pick<Call, 'unit'>, account: string): Promise<InstanceRow | undefined> {
  const index = await call.unit.get<{ readonly id: string }>(instanceOfKey(account))
  return index && instance.get(call.unit, SCOPE, { InstanceId: index.id })
}

export const instanceArn = (row: Pick<InstanceRow, 'id'>): string => `arn:aws:sso:::instance/${row.id}`

/** Metadata of an identity provider whose private key exists nowhere: no assertion can be made, not even by us. */
function providerMetadata(entityId: string, now: number): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issueAuthority({
    commonName: 'IAM Identity Center',
    names: ['localhost'],
    key: privateKey,
    publicKey,
    serial: newIdentityCenterIds.serial(),
    notBefore: new Date(now),
    notAfter: new Date(Math.min(now + YEARS_100_MS, Date.UTC(2049, 11, 31))),
  })
  const text = certificate.raw.toString('base64')
  return `<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${entityId}"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

/**
 * AWS enables the instance of an organization in its console only. Here the management account creates it by the same
 * operation: it becomes the organization's.
 */
export const createInstance = sso
  .operation('CreateInstance')
  .on({
    find: (call, input: object) => {
      const pattern = { arn: 'arn:aws:sso:::instance/*', type: instance.spec.type, account: call.account }
      const pairs = requestedTags(tagRules, input)
      return {
        acted: pattern,
        row: true,
        ...(pairs.length > 0 && { tagging: { action: tagRules.action, conditions: requestTagConditions(pairs) } }),
      }
    },
  })
  .run(async (call, input) => {
    if (await instanceOf(call, call.account)) throw conflict('The account has an instance of IAM Identity Center.')
    const membership = await call.ports.organizations.membership(call.unit, call.account)
    const isOrganizations = membership?.management === call.account
    const id = newIdentityCenterIds.instance()
    const storeId = newIdentityCenterIds.store()
    const hex = newIdentityCenterIds.roleSuffix()
    const metadata = await call.once(async () =>
      providerMetadata(`https://portal.sso.${call.region}.amazonaws.com/saml/assertion/${hex}`, call.now),
    )
    const row: InstanceRow = {
      id,
      account: call.account,
      kind: isOrganizations ? 'organization' : 'account',
      region: call.region,
      storeId,
      ...(input.Name !== undefined && { name: input.Name }),
      metadata,
      providerName: `AWSSSO_${hex}_DO_NOT_DELETE`,
      createdAt: call.now,
      tags: mergedTags(tagRules, undefined, requestedTags(tagRules, input)),
    }
    instance.put(call.unit, SCOPE, row)
    call.unit.put(instanceOfKey(call.account), { id })
    const InstanceArn = instanceArn(row)
    call.use(identityStore).create(call.unit, {
      id: storeId,
      account: call.account,
      region: call.region,
      instanceArn: InstanceArn,
      now: call.now,
    })
    call.event.resources = [{ arn: InstanceArn, type: instance.spec.type, account: call.account }]
    return { InstanceArn }
  })

const shown = (row: InstanceRow) => ({
  InstanceArn: instanceArn(row),
  IdentityStoreId: row.storeId,
  OwnerAccountId: row.account,
  ...(row.name !== undefined && { Name: row.name }),
  CreatedDate: new Date(row.createdAt),
  Status: 'ACTIVE' as const,
})

export const describeInstance = sso
  .operation('DescribeInstance')
  .on(theInstance())
  .run((_call, _input, { instance: row }) => ({
    ...shown(row),
    EncryptionConfigurationDetails: { KeyType: 'AWS_OWNED_KMS_KEY', EncryptionStatus: 'ENABLED' },
  }))

/** The account's own, and the organization's that it is a member of, in this Region. */
export const listInstances = sso
  .operation('ListInstances')
  .on(anything)
  .run(async (call, input) => {
    const membership = await call.ports.organizations.membership(call.unit, call.account)
    const accounts = new Set([call.account, ...(membership ? [membership.management] : [])])
    const rows = await Promise.all([...accounts].map((account) => instanceOf(call, account)))
    const visible: InstanceRow[] = []
    for (const row of rows) {
      if (row?.region !== call.region) continue
      if (row.account === call.account || (row.kind === 'organization' && (await administration(call, row.account))))
        visible.push(row)
    }
    const { items, next } = await pageOf(call, visible, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? 10,
      query: null,
      bad: badToken,
    })
    return { Instances: items.map(shown), ...(next !== undefined && { NextToken: next }) }
  })

export const updateInstance = sso
  .operation('UpdateInstance')
  .on(theInstance())
  .run((call, { Name, EncryptionConfiguration }, { instance: row }) => {
    if (EncryptionConfiguration && EncryptionConfiguration.KeyType !== 'AWS_OWNED_KMS_KEY')
      throw sso.fail('ValidationException', 'Customer managed keys for an instance are not supported.')
    instance.put(call.unit, SCOPE, { ...row, ...(Name !== undefined && { name: Name }) })
    return {}
  })

export const deleteInstance = sso
  .operation('DeleteInstance')
  .on(theInstance())
  .run(async (call, _input, { instance: row }) => {
    if (await anyRow(call.unit, permissionSet.prefix(SCOPE), row.id))
      throw conflict('Delete the permission sets of the instance first.')
    if (await anyRow(call.unit, application.prefix(SCOPE), row.id))
      throw conflict('Delete the applications of the instance first.')
    await call.use(identityStore).remove(call.unit, row.storeId)
    call.unit.delete(instance.key(SCOPE, { InstanceId: row.id }))
    call.unit.delete(instanceOfKey(row.account))
    return {}
  })

const region = (row: InstanceRow) => ({
  RegionName: row.region,
  Status: 'ACTIVE' as const,
  AddedDate: new Date(row.createdAt),
  IsPrimaryRegion: true,
})

export const listRegions = sso
  .operation('ListRegions')
  .on(theInstance())
  .run((_call, _input, { instance: row }) => ({ Regions: [region(row)] }))

export const describeRegion = sso
  .operation('DescribeRegion')
  .on(theInstance())
  .run((_call, { RegionName }, { instance: row }) => {
    if (RegionName !== row.region)
      throw sso.fail('ResourceNotFoundException', `The instance is not in the Region ${RegionName}.`)
    return region(row)
  })
