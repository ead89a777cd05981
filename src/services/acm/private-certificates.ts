/**
 * Certificates of a private authority: issued by ACM Private CA, for the caller when they are requested, and later as ACM's own
 * principal, which the authority must permit.
 */
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import type { FailureReason } from '@aws-sdk/client-acm'
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import { pem } from '../../engines/x509/certificate-builder.ts'
import type { StepResult } from '../../kernel/jobs/lifecycle.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import { makeKeyPair, sealKey } from './private-keys.ts'
import { ACM_EVENT_SOURCE, arnOf, type CertificateRow, type CertificateState, type Material } from './resources.ts'
import { signingRequest } from './signing-requests.ts'

export const privateCa: Api<typeof PrivateCa> = { id: 'acm-pca' }

/** Thirteen months, as ACM requests. */
const VALIDITY_DAYS = 395

type PrivateCalls = <N extends OpName<typeof PrivateCa>>(
  name: N,
  input: Input<typeof PrivateCa, N>,
) => Promise<Output<typeof PrivateCa, N>>

type Subject = Pick<CertificateRow, 'id' | 'account' | 'names' | 'keyAlgorithm' | 'authorityArn'>

/** Throws the faults of the authority. */
export async function issuePrivately(vault: Pick<Vault, 'seal'>, calls: PrivateCalls, row: Subject): Promise<Material> {
  const CertificateAuthorityArn = row.authorityArn!
  const { CertificateAuthority } = await calls('DescribeCertificateAuthority', { CertificateAuthorityArn })
  const pair = await makeKeyPair(row.keyAlgorithm)
  const { CertificateArn } = await calls('IssueCertificate', {
    CertificateAuthorityArn,
    Csr: Buffer.from(pem('CERTIFICATE REQUEST', await signingRequest(row.names, row.keyAlgorithm, pair))),
    SigningAlgorithm: CertificateAuthority!.CertificateAuthorityConfiguration!.SigningAlgorithm!,
    Validity: { Type: 'DAYS', Value: VALIDITY_DAYS },
    IdempotencyToken: createHash('sha256').update(randomUUID()).digest('hex').slice(0, 32),
  })
  const { Certificate = '', CertificateChain } = await calls('GetCertificate', {
    CertificateAuthorityArn,
    CertificateArn: CertificateArn!,
  })
  const leaf = new X509Certificate(Certificate)
  return {
    pem: endingInLine(Certificate),
    ...(CertificateChain && { chain: endingInLine(CertificateChain) }),
    privateKey: sealKey(vault, row, leaf.serialNumber, pair.privateKey),
    serial: leaf.serialNumber,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  }
}

const endingInLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)

const REASONS: Readonly<Record<string, FailureReason>> = {
  AccessDeniedException: 'PCA_ACCESS_DENIED',
  ResourceNotFoundException: 'PCA_RESOURCE_NOT_FOUND',
  InvalidArnException: 'PCA_INVALID_ARN',
  InvalidStateException: 'PCA_INVALID_STATE',
  InvalidArgsException: 'PCA_INVALID_ARGS',
  MalformedCSRException: 'PCA_INVALID_ARGS',
  LimitExceededException: 'PCA_LIMIT_EXCEEDED',
  ValidationException: 'PCA_INVALID_DURATION',
}

/** Why an authority did not issue; undefined for errors that are none of its faults. */
export function refusalOf(error: unknown): FailureReason | undefined {
  if (!(error instanceof Fault)) return undefined
  return REASONS[error.code] ?? REASONS[`${error.code}Exception`] ?? 'PCA_REQUEST_FAILED'
}

/** As ACM's own principal: the authority permits it by CreatePermission. */
export async function renewPrivately(
  work: JobContext,
  row: CertificateRow,
): Promise<StepResult<CertificateState, CertificateRow>> {
  const acting = { service: ACM_EVENT_SOURCE, account: row.account, region: row.region, source: arnOf(row) }
  try {
    const calls: PrivateCalls = (name, input) => work.actAs(acting, privateCa, name, input)
    const material = await issuePrivately(work.vault, calls, row)
    return { to: 'ISSUED', row: { material, renewedAt: work.now } }
  } catch (error) {
    const failure = refusalOf(error)
    if (!failure) throw error
    return { row: { failure } }
  }
}
