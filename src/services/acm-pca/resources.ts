/** ACM Private CA's resource type: certificate authorities. What they issue are rows of theirs. */
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import type { RevocationReason } from '../../engines/x509/revocation.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Pins } from '../../kernel/resource/pinned.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { StoredMaterial } from '../../vault/material/materials.ts'
import { Fault } from '../../wire/fault.ts'
import type { Strict } from '../../wire/typed.ts'

export const pca = defineService<typeof PrivateCa>('acm-pca')

export type AuthorityStatus = 'PENDING_CERTIFICATE' | 'ACTIVE' | 'DISABLED' | 'DELETED'
export type Configuration = Strict<PrivateCa.CertificateAuthorityConfiguration>
export type RevocationConfiguration = Strict<PrivateCa.RevocationConfiguration>

export interface PermissionRow {
  readonly principal: string
  readonly sourceAccount: string
  readonly actions: readonly ('IssueCertificate' | 'GetCertificate' | 'ListPermissions')[]
  readonly createdAt: number
}

export interface AuthorityRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly type: 'ROOT' | 'SUBORDINATE'
  readonly usageMode: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE'
  readonly keyStandard: string
  readonly configuration: Configuration
  readonly revocation: RevocationConfiguration
  readonly status: AuthorityStatus
  /** Before it was deleted. */
  readonly statusBefore?: AuthorityStatus
  readonly held: StoredMaterial
  /** DER SPKI, base64. */
  readonly publicKey: string
  /** PEM. */
  readonly csr: string
  readonly certificate?: string
  readonly chain?: string
  readonly serial?: string
  readonly notBefore?: number
  readonly notAfter?: number
  readonly createdAt: number
  readonly changedAt: number
  readonly restorableUntil?: number
  /** The job that deletes it for good. */
  readonly deletion?: Key
  readonly permissions: readonly PermissionRow[]
  readonly policy?: { readonly text: string; readonly pins: Pins }
}

export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })

export const authority = pca.resource({
  kind: 'authority', // begins the keys of the rows: never change it
  type: 'AWS::ACMPCA::CertificateAuthority',
  arn: 'arn:${Partition}:acm-pca:${Region}:${Account}:certificate-authority/${CertificateAuthorityId}',
  storedPer: 'region',
  crossAccount: true,
  idOf: (row: AuthorityRow) => ({ CertificateAuthorityId: row.id }),
  policy: (row) => storedPolicy(row),
  tags: {
    action: 'acm-pca:TagCertificateAuthority',
    member: 'Tags',
    problems: {
      duplicate: () => pca.fail('InvalidTagException', 'Duplicate tag keys found.'),
      reserved: () => pca.fail('InvalidTagException', 'Tag keys that begin with aws: are reserved.'),
      'too-many': () => pca.fail('TooManyTagsException', `An authority can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (arn) => pca.fail('ResourceNotFoundException', `Could not find Certificate Authority: ${arn}.`),
    invalidReference: (text) => pca.fail('InvalidArnException', `Invalid arn ${text}`),
  },
})

/** The policy on an authority and its permissions for services, as one document. */
function storedPolicy(row: AuthorityRow): { readonly text: string; readonly pins: Pins } | undefined {
  const { policy, permissions } = row
  if (permissions.length === 0) return policy
  const document = policy ? JSON.parse(policy.text) : { Version: '2012-10-17', Statement: [] }
  const granted = permissions.map(({ principal, actions, sourceAccount }) => ({
    Effect: 'Allow',
    Principal: { Service: principal },
    // What issues for a service also has to know by which algorithm.
    Action: [...actions, 'DescribeCertificateAuthority'].map((action) => `acm-pca:${action}`),
    Resource: '*',
    Condition: { StringEquals: { 'aws:SourceAccount': sourceAccount } },
  }))
  const text = JSON.stringify({ ...document, Statement: [document.Statement].flat().concat(granted) })
  return { text, pins: policy?.pins ?? {} }
}

/** What an authority issued, by its serial. */
export interface IssuedRow {
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string
  readonly pem: string
  readonly subject: string
  readonly notBefore: number
  readonly notAfter: number
  readonly issuedAt: number
  readonly template: string
  readonly requestedBy: string
  readonly revokedAt?: number
  readonly reason?: RevocationReason
}
export const issuedKey = (authorityId: string, serial: string): Key => key('acm-pca', 'issued', authorityId, serial)
export const issuedBy = (authorityId: string): Key => under('acm-pca', 'issued', authorityId)

/** What revocation lists are made of: few among all that was issued. */
export const revokedBy = (authorityId: string): Key => under('acm-pca', 'revoked', authorityId)
export const revokedKey = (authorityId: string, serial: string): Key => key('acm-pca', 'revoked', authorityId, serial)

/** Where an authority's row is: revocation lists are fetched without an account or a Region. */
export const authorityPlaceKey = (id: string): Key => key('acm-pca', 'authority-place', id)

export const arnOf = (row: AuthorityRow): string => authority.arnOf(row, row)

/** The status today: an authority expires by the clock. */
export const statusOf = ({ status, notAfter }: AuthorityRow, now: number): AuthorityStatus | 'EXPIRED' =>
  (status === 'ACTIVE' || status === 'DISABLED') && notAfter !== undefined && now >= notAfter ? 'EXPIRED' : status

export const wrongState = (row: AuthorityRow, now: number): Fault =>
  pca.fail('InvalidStateException', `The certificate authority ${arnOf(row)} is in state ${statusOf(row, now)}.`)
