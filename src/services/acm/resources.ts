/** ACM's resource type: certificates, imported, requested or of a private authority. */
import type * as ACM from '@aws-sdk/client-acm'
import type { RevocationReason } from '../../engines/x509/revocation.ts'
import type { Progress } from '../../kernel/jobs/lifecycle.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'
import { Fault } from '../../wire/fault.ts'
import type { UpstreamIssuer, UpstreamState } from './upstream/state.ts'

export const acm = defineService<typeof ACM>('acm')

export const ACM_EVENT_SOURCE = 'acm.amazonaws.com'

/** RENEWING is shown as ISSUED with a renewal summary: the certificate in use stays valid meanwhile. */
export type CertificateState =
  | 'PENDING_VALIDATION'
  | 'ISSUED'
  | 'RENEWING'
  | 'EXPIRED'
  | 'REVOKED'
  | 'VALIDATION_TIMED_OUT'
  | 'FAILED'

export type Method = 'DNS' | 'EMAIL'

/** How the control of one name of a certificate is proved. */
export interface DomainProof {
  /** As requested: `*.example.com`. */
  readonly domain: string
  /** Where mails go: the domain or one above it. */
  readonly validationDomain: string
  /** What has to be proved, in the order of the request; both where the account demands both. */
  readonly methods: readonly Method[]
  readonly proved: readonly Method[]
  readonly record?: { readonly name: string; readonly value: string }
  readonly mailboxes?: readonly string[]
  /** An administrator refused. */
  readonly isDenied?: true
  /** The result of the last check, as a sentence. */
  readonly finding?: string
  readonly checkedAt?: number
}

/** What is issued or imported; replaced as a whole at renewal. */
export interface Material {
  readonly pem: string
  /** PEM, nearest issuer first; absent for self-signed imports. */
  readonly chain?: string
  /** Absent where the key is the client's: ACME. */
  readonly privateKey?: Sealed
  /** Upper-case hexadecimal. */
  readonly serial: string
  /** Epoch milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** The issuing authority of this installation, by its ID. */
  readonly issuer?: string
  /** Where another authority issued it. */
  readonly upstream?: UpstreamIssuer
}

export interface CertificateRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly type: 'IMPORTED' | 'AMAZON_ISSUED' | 'PRIVATE'
  readonly domain: string
  /** With the domain first. */
  readonly names: readonly string[]
  readonly keyAlgorithm: ACM.KeyAlgorithm
  readonly method?: Method
  readonly proofs: readonly DomainProof[]
  readonly logsTransparency: boolean
  readonly isExportable: boolean
  readonly createdAt: number
  readonly importedAt?: number
  readonly issuedAt?: number
  readonly renewedAt?: number
  readonly exportedAt?: number
  readonly revokedAt?: number
  readonly revocationReason?: RevocationReason
  readonly failure?: ACM.FailureReason
  readonly authorityArn?: string
  readonly material?: Material
  readonly inUseBy: readonly string[]
  readonly renewal?: {
    readonly status: ACM.RenewalStatus
    readonly updatedAt: number
    readonly reason?: ACM.FailureReason
  }
  /** The day before the end for which an expiry event was written last. */
  readonly warnedDay?: number
  /** Days before the end for which mails were sent at renewal. */
  readonly mailedDay?: number
  /** `isReplaced`: an order named it as the one that it replaces (RFC 9773 §5). */
  readonly acme?: { readonly endpointArn: string; readonly accountId: string; readonly isReplaced?: true }
  /** The order at another authority, while there is one. */
  readonly upstream?: UpstreamState | undefined
  readonly progress: Progress<CertificateState>
}

export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })

export const certificate = acm.resource({
  kind: 'certificate', // begins the keys of the rows: never change it
  type: 'AWS::CertificateManager::Certificate',
  arn: 'arn:${Partition}:acm:${Region}:${Account}:certificate/${CertificateId}',
  storedPer: 'region',
  idOf: (row: CertificateRow) => ({ CertificateId: row.id }),
  tags: {
    action: 'acm:AddTagsToCertificate',
    member: 'Tags',
    problems: {
      duplicate: () => acm.fail('InvalidTagException', 'Duplicate tag keys found.'),
      reserved: () => acm.fail('InvalidTagException', 'Tag keys that begin with aws: are reserved.'),
      'too-many': () => acm.fail('TooManyTagsException', `A certificate can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (arn) => acm.fail('ResourceNotFoundException', `Could not find certificate ${arn}.`),
    invalidReference: (text) => acm.fail('InvalidArnException', `Invalid arn ${text}`),
  },
})

export const keyOf = (row: Pick<CertificateRow, 'id' | 'account' | 'region'>): Key =>
  certificate.key(row, { CertificateId: row.id })
export const arnOf = (row: CertificateRow): string => certificate.arnOf(row, row)

/** Sealed to the certificate and the serial: a key moved to another certificate does not open. */
export const privateKeyPlace = (
  { id, account }: Pick<CertificateRow, 'id' | 'account'>,
  serial: string,
): SealContext => ({
  table: 'acm/certificate',
  key: id,
  column: 'private-key',
  account,
  version: serial,
})

export const badToken = () => acm.fail('ValidationException', 'The NextToken is not one of this list.')

/** A request's token, for an hour. */
export const requestTokenKey = (account: string, region: string, token: string): Key =>
  key('acm', 'request-token', account, region, token)
