/** Which key a ciphertext was made with: named by the caller, or by the ciphertext itself. */
import type { Call } from '../../kernel/call.ts'
import type { Found } from '../../kernel/resource.ts'
import { materialIdOf } from '../../vault/material/blob.ts'
import type { Held, Opening } from '../../vault/material/materials.ts'
import { Fault } from '../../wire/fault.ts'
import { currentOf, materialOf, ownerOf } from './key-materials.ts'
import { isSymmetric } from './key-specs.ts'
import { incorrectKey, silent } from './messages.ts'
import { at, invalid, type KeyRow, keyArn } from './resources.ts'
import { actedOn, findKey } from './targets.ts'
import { oaepHash, requireAlgorithm, requireContext } from './uses.ts'

export interface Ciphertext {
  readonly keyId: string | undefined
  readonly blob: Uint8Array | undefined
  readonly algorithm: string | undefined
  readonly context: Readonly<Record<string, string>> | undefined
  readonly modifiers: readonly string[] | undefined
}

/** Of a key that the caller did not name: whether it exists is not the caller's to learn. */
const CONCEALED =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.'

export async function findCiphertextKey(call: Call, asked: Ciphertext): Promise<Found<KeyRow>> {
  const { keyId, blob, algorithm, context } = asked
  if (keyId !== undefined) return findKey(call, keyId, true, { context })
  if (algorithm !== undefined && algorithm !== 'SYMMETRIC_DEFAULT') {
    throw invalid('KeyId is required for ciphertext that was encrypted by an asymmetric KMS key.')
  }
  const materialId = blob && materialIdOf(blob)
  if (materialId === undefined) throw blob ? silent.ciphertext() : invalid('CiphertextBlob or KeyId must be given.')
  const owner = await ownerOf(call, materialId)
  const place = owner && { account: owner.account, region: call.region }
  const row = place && (await call.unit.get<KeyRow>(at.key(place, owner.keyId)))
  if (!place || !row) throw new Fault('AccessDenied', CONCEALED)
  const acted = await actedOn(call, row, { context })
  return { acted: { concealed: CONCEALED, ...acted, arn: keyArn(place, owner.keyId) }, row }
}

/** Only a dry run may leave the ciphertext out. */
export function isIgnored({ modifiers, keyId, blob }: Ciphertext, dryRun: boolean | undefined): boolean {
  const ignored = modifiers?.includes('IGNORE_CIPHERTEXT') ?? false
  if (ignored && !dryRun) throw invalid('DryRunModifiers can be given only with DryRun.')
  if (ignored && keyId === undefined) throw invalid('IGNORE_CIPHERTEXT needs a KeyId.')
  if (!ignored && !blob)
    throw invalid("Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
  return ignored
}

/** The material that made it, and how to open it. */
export function openingOf(row: KeyRow, asked: Ciphertext): { readonly held: Held; readonly open: Opening } {
  const algorithm = asked.algorithm ?? 'SYMMETRIC_DEFAULT'
  requireAlgorithm(row, algorithm)
  const blob = asked.blob!
  if (!isSymmetric(row)) {
    return { held: currentOf(row), open: { by: 'oaep', ciphertext: blob, hash: oaepHash(algorithm) } }
  }
  const materialId = materialIdOf(blob)
  if (materialId === undefined) throw silent.ciphertext()
  const held = materialOf(row, materialId)
  if (!held) throw incorrectKey()
  return { held, open: { by: 'context', blob, context: asked.context ?? {} } }
}

/** Contexts belong to symmetric keys alone. */
export function refuseContext(row: KeyRow, context: Readonly<Record<string, string>> | undefined): void {
  requireContext(context)
  if (!isSymmetric(row) && context !== undefined && Object.keys(context).length > 0) {
    throw invalid('EncryptionContext is supported only for symmetric encryption KMS keys.')
  }
}
