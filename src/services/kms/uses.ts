/** The checks before every use of a key's material, and what the audit log records of it. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Hash } from '../../vault/material/specs.ts'
import { openGrantToken } from './grant-tokens.ts'
import { isSymmetric, worksBy } from './key-specs.ts'
import { arnOf } from './resources.ts'
import type { KeyRow, KeyUsage } from './rows.ts'
import { requireState, type StatefulOperation } from './states.ts'
import { invalid, kms } from './words.ts'

export interface UseInput {
  readonly GrantTokens?: readonly string[] | undefined
  readonly Recipient?: object | undefined
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
}

/** State, usage, grant tokens, in this order. */
export function requireUse(call: Call, row: KeyRow, operation: StatefulOperation, usage: KeyUsage, input: UseInput) {
  requireState(row, operation)
  requireUsage(row, operation, usage)
  requireTokens(call, input.GrantTokens)
  refuseRecipient(input.Recipient)
  requireContext(input.EncryptionContext)
}

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html */
const CONTEXT_BYTES_MAX = 8_192

/** Texts that are no Unicode would be one text as bytes, and so bind to nothing. */
export function requireContext(context: Readonly<Record<string, string>> | undefined): void {
  if (!context) return
  let bytes = 0
  for (const [name, value] of Object.entries(context)) {
    if (!name.isWellFormed() || !value.isWellFormed()) throw invalid('EncryptionContext must be valid Unicode.')
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  if (bytes > CONTEXT_BYTES_MAX) throw invalid(`EncryptionContext can have at most ${CONTEXT_BYTES_MAX} bytes.`)
}

export function requireUsage(row: KeyRow, operation: string, usage: KeyUsage): void {
  if (row.usage === usage) return
  throw kms.fail(
    'InvalidKeyUsageException',
    `${arnOf(row)} key usage is ${row.usage} which is not valid for ${operation}.`,
  )
}

export function requireAlgorithm(row: KeyRow, algorithm: string): void {
  if (worksBy(row, algorithm)) return
  throw kms.fail('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${row.spec}.`)
}

export function requireSymmetric(row: KeyRow, operation: string): void {
  if (isSymmetric(row)) return
  throw kms.fail(
    'InvalidKeyUsageException',
    `${arnOf(row)} key spec is ${row.spec} which is not valid for ${operation}.`,
  )
}

/** Grants are effective at once here, so a token adds nothing; but an unknown one indicates a mistake. */
export function requireTokens(call: Call, tokens: readonly string[] | undefined): void {
  for (const token of tokens ?? []) {
    if (!openGrantToken(call, token)) throw kms.fail('InvalidGrantTokenException', 'Invalid grant token.')
  }
}

/** This server has no configuration of the attestations to trust. */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw invalid('No attestation root is configured: Recipient cannot be served.')
}

/** Said last, when everything else would succeed. */
export function endDryRun(dryRun: boolean | undefined): void {
  if (dryRun) {
    throw kms.fail('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.')
  }
}

/** The audit log names the material, as AWS's does, and the algorithm even where a request left it to its default. */
export function note(call: Call, row: KeyRow, materialId: string | undefined, algorithm?: string): void {
  call.event.additionalEventData = {
    ...call.event.additionalEventData,
    ...(isSymmetric(row) && materialId !== undefined && { keyMaterialId: materialId }),
    ...(algorithm !== undefined && { encryptionAlgorithm: algorithm }),
  }
}

export const oaepHash = (algorithm: string): Hash => (algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256')
