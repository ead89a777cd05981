/** ACME endpoints: created, shown, listed, changed and deleted with all that belongs to them. */
import type { AcmeEndpoint, PublicKeyAlgorithm } from '@aws-sdk/client-acm'
import { acmeUrl, bindingsOf, domainsOf, type EndpointRow, endpoint, endpointPlaceKey } from './acme-resources.ts'
import { issuingAuthority } from './authorities.ts'
import { acm, badToken } from './resources.ts'

const PAGE_DEFAULT = 50
const ALL_KEYS: readonly PublicKeyAlgorithm[] = ['RSA_2048', 'EC_prime256v1', 'EC_secp384r1']

type Authority = {
  readonly PublicCertificateAuthority?:
    | { readonly AllowedKeyAlgorithms?: readonly PublicKeyAlgorithm[] | undefined }
    | undefined
}

function keysOf(authority: unknown): readonly PublicKeyAlgorithm[] {
  const allowed = (authority as Authority | undefined)?.PublicCertificateAuthority?.AllowedKeyAlgorithms ?? ALL_KEYS
  if (allowed.length === 0 || allowed.some((each) => !ALL_KEYS.includes(each)))
    throw acm.fail('ValidationException', `AllowedKeyAlgorithms can be ${ALL_KEYS.join(', ')}.`)
  return allowed
}

function assertPreApproved(behavior: string | undefined): void {
  if (behavior !== undefined && behavior !== 'PRE_APPROVED')
    throw acm.fail('ValidationException', 'AuthorizationBehavior can be PRE_APPROVED.')
}

export const createAcmeEndpoint = acm
  .operation('CreateAcmeEndpoint')
  .on(endpoint.created((_input, call) => ({ AcmeEndpointId: call.newId() }), { generated: true, authorizedOn: '*' }))
  .run(async (call, input, { id, arn, tags, create }) => {
    assertPreApproved(input.AuthorizationBehavior)
    const row: EndpointRow = {
      id: id.AcmeEndpointId,
      account: call.account,
      region: call.region,
      partition: call.partition,
      contact: input.Contact === 'REQUIRED' ? 'REQUIRED' : 'NOT_REQUIRED',
      keyAlgorithms: keysOf(input.CertificateAuthority),
      certificateTags: Object.fromEntries((input.CertificateTags ?? []).map(({ Key, Value = '' }) => [Key, Value])),
      origin: call.origin,
      createdAt: call.now,
      updatedAt: call.now,
      tags,
    }
    await issuingAuthority(call, row.account, row.region)
    create(row)
    call.unit.put(endpointPlaceKey(row.id), { at: endpoint.key(call, id) })
    return { AcmeEndpointArn: arn }
  })

export const describeAcmeEndpoint = acm
  .operation('DescribeAcmeEndpoint')
  .on(endpoint.named('AcmeEndpointArn'))
  .run((_call, _input, { row }) => ({ AcmeEndpoint: described(row) }))

export const listAcmeEndpoints = acm
  .operation('ListAcmeEndpoints')
  .on(endpoint.collection())
  .run(async (_call, input, endpoints) => {
    const { items, next } = await endpoints.page({
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      bad: badToken,
    })
    return { AcmeEndpoints: items.map(described), ...(next !== undefined && { NextToken: next }) }
  })

export const updateAcmeEndpoint = acm
  .operation('UpdateAcmeEndpoint')
  .on(endpoint.named('AcmeEndpointArn'))
  .run((call, input, { row, save }) => {
    assertPreApproved(input.AuthorizationBehavior)
    save({
      ...row,
      ...(input.Contact && { contact: input.Contact }),
      ...(input.CertificateAuthority && { keyAlgorithms: keysOf(input.CertificateAuthority) }),
      updatedAt: call.now,
    })
    return {}
  })

export const deleteAcmeEndpoint = acm
  .operation('DeleteAcmeEndpoint')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, _input, { row, arn, remove }) => {
    const belongings = await Promise.all(
      [domainsOf(row, row.id), bindingsOf(row, row.id)].map((prefix) => call.unit.range(prefix, { limit: 1 })),
    )
    if (belongings.flat().length > 0)
      throw acm.fail(
        'ConflictException',
        `${arn} has domain validations or external account bindings. Delete them first.`,
      )
    call.unit.delete(endpointPlaceKey(row.id))
    remove()
    return {}
  })

function described(row: EndpointRow): AcmeEndpoint {
  return {
    AcmeEndpointArn: endpoint.arnOf(row, row),
    EndpointUrl: `${acmeUrl(row)}/directory`,
    Status: 'ACTIVE',
    AuthorizationBehavior: 'PRE_APPROVED',
    Contact: row.contact,
    CertificateAuthority: { PublicCertificateAuthority: { AllowedKeyAlgorithms: [...row.keyAlgorithms] } },
    CertificateTags: Object.entries(row.certificateTags).map(([Key, Value]) => ({ Key, Value })),
    CreatedAt: new Date(row.createdAt),
    UpdatedAt: new Date(row.updatedAt),
  }
}
