/** ACME endpoints, the domains that are proved for them, and the bindings by which clients get accounts. */
import type { Progress } from '../../kernel/jobs/lifecycle.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'
import { acm } from './resources.ts'

interface Placed extends Row {
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface EndpointRow extends Placed {
  readonly id: string
  readonly contact: 'REQUIRED' | 'NOT_REQUIRED'
  readonly keyAlgorithms: readonly ('RSA_2048' | 'EC_prime256v1' | 'EC_secp384r1')[]
  readonly certificateTags: Readonly<Record<string, string>>
  /** How clients reach the API, without a path. */
  readonly origin: string
}

export type DomainState = 'VALIDATING' | 'VALID' | 'INVALID'

export interface DomainRow extends Placed {
  readonly id: string
  readonly endpointId: string
  readonly domain: string
  readonly scope: { readonly exact: boolean; readonly subdomains: boolean; readonly wildcards: boolean }
  readonly hostedZoneId?: string
  readonly record: { readonly name: string; readonly value: string }
  readonly finding?: string
  readonly progress: Progress<DomainState>
}

export interface BindingRow extends Placed {
  readonly id: string
  readonly endpointId: string
  readonly roleArn: string
  readonly macKey: Sealed
  readonly expiresAt?: number
  readonly revokedAt?: number
  readonly lastUsedAt?: number
  /** How many accounts have used it. */
  readonly accounts?: number
}

const tags: TagRules = {
  action: 'acm:TagResource',
  member: 'Tags',
  problems: {
    duplicate: () => acm.fail('ValidationException', 'Duplicate tag keys found.'),
    reserved: () => acm.fail('ValidationException', 'Tag keys that begin with aws: are reserved.'),
    'too-many': () => acm.fail('ServiceQuotaExceededException', `A resource can have at most ${TAGS_MAX} tags.`),
  },
}
const faults = {
  notFound: (arn: string) => acm.fail('ResourceNotFoundException', `Could not find ${arn}.`),
  invalidReference: (text: string) =>
    acm.fail('ValidationException', `${text} is not an ARN of the kind that is expected.`),
}

export const endpoint = acm.resource({
  kind: 'acme-endpoint', // begins the keys of the rows: never change it
  type: 'AWS::CertificateManager::AcmeEndpoint',
  arn: 'arn:${Partition}:acm:${Region}:${Account}:acme-endpoint/${AcmeEndpointId}',
  storedPer: 'region',
  idOf: (row: EndpointRow) => ({ AcmeEndpointId: row.id }),
  tags,
  faults,
})

export const domainValidation = acm.resource({
  kind: 'acme-domain', // begins the keys of the rows: never change it
  type: 'AWS::CertificateManager::AcmeDomainValidation',
  arn: 'arn:${Partition}:acm:${Region}:${Account}:acme-endpoint/${AcmeEndpointId}/acme-domain-validation/${AcmeDomainValidationId}',
  storedPer: 'region',
  idOf: (row: DomainRow) => ({ AcmeEndpointId: row.endpointId, AcmeDomainValidationId: row.id }),
  tags,
  faults,
})

export const binding = acm.resource({
  kind: 'acme-binding', // begins the keys of the rows: never change it
  type: 'AWS::CertificateManager::AcmeExternalAccountBinding',
  arn: 'arn:${Partition}:acm:${Region}:${Account}:acme-endpoint/${AcmeEndpointId}/acme-external-account-binding/${ExternalAccountBindingId}',
  storedPer: 'region',
  idOf: (row: BindingRow) => ({ AcmeEndpointId: row.endpointId, ExternalAccountBindingId: row.id }),
  tags,
  faults,
})

type Located = Pick<Placed, 'account' | 'region'>
const home = ({ account, region }: Located) => [account, region] as const
export const domainsOf = (at: Located, endpointId: string): Key => under('acm', 'acme-domain', ...home(at), endpointId)
export const bindingsOf = (at: Located, endpointId: string): Key =>
  under('acm', 'acme-binding', ...home(at), endpointId)
export const bindingKey = (at: Located, endpointId: string, id: string): Key =>
  key('acm', 'acme-binding', ...home(at), endpointId, id)

/** Where an endpoint is: clients know its ID alone. */
export const endpointPlaceKey = (id: string): Key => key('acm', 'acme-place', id)

export const macKeyPlace = ({ id, account }: Pick<BindingRow, 'id' | 'account'>): SealContext => ({
  table: 'acm/acme-binding',
  key: id,
  column: 'mac-key',
  account,
})

/** An account of an ACME client. */
export interface AccountRow {
  readonly id: string
  readonly endpointId: string
  readonly bindingId: string
  /** RFC 7638. */
  readonly thumbprint: string
  readonly jwk: Readonly<Record<string, string>>
  readonly contacts: readonly string[]
  readonly status: 'VALID' | 'DEACTIVATED' | 'REVOKED'
  readonly createdAt: number
}
export const accountKey = (endpointId: string, id: string): Key => key('acm', 'acme-account', endpointId, id)
export const accountsOf = (endpointId: string): Key => under('acm', 'acme-account', endpointId)
export const thumbprintKey = (endpointId: string, thumbprint: string): Key =>
  key('acm', 'acme-thumbprint', endpointId, thumbprint)

export interface OrderRow {
  readonly id: string
  readonly endpointId: string
  readonly accountId: string
  readonly names: readonly string[]
  readonly status: 'ready' | 'valid' | 'invalid'
  readonly expiresAt: number
  /** Of the certificate, once it is issued. */
  readonly certificate?: Key
  /** The certificate that this one replaces (RFC 9773 §5): its ID as the client wrote it, and its row. */
  readonly replaces?: { readonly id: string; readonly at: Key }
}
export const orderKey = (endpointId: string, id: string): Key => key('acm', 'acme-order', endpointId, id)

export const acmeUrl = ({ origin, id }: Pick<EndpointRow, 'origin' | 'id'>): string => `${origin}/acme/${id}`
export const accountUrl = (row: Pick<EndpointRow, 'origin' | 'id'>, accountId: string): string =>
  `${acmeUrl(row)}/account/${accountId}`
