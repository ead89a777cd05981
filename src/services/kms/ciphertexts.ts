/** Which key a ciphertext was made with: named by the caller, or by the ciphertext itself. */
import type { Call } from '../../kernel/gate/call.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { materialIdOf } from '../../vault/material/blob.ts'
import type { Opening, StoredMaterial } from '../../vault/material/materials.ts'
import { Fault } from '../../wire/fault.ts'
import { GrantUse } from './grant-authority.ts'
import { currentOf, materialOf, ownerOf } from './key-materials.ts'
import { isSymmetric } from './key-specs.ts'
import { incorrectKey, silent } from './messages.ts'
import { type KeyId, key, keyArn } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { byAnyName, byIdOrArn } from './targets.ts'
import { oaepHash, requireAlgorithm, requireContext } from './uses.ts'
import { invalid } from './words.ts'

export interface Ciphertext {
  readonly keyId: string | undefined
  readonly blob: Uint8Array | undefined
  readonly algorithm: string | undefined
  readonly context: Readonly<Record<string, string>> | undefined
  readonly modifiers: readonly string[] | undefined
}

type FoundKey = ResolvedTarget<ExistingResource<KeyId, KeyRow>>

/** Of a key that the caller did not name: the answer must not show whether it exists. */
const CONCEALED =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.'

/** The key that the request names, or that the ciphertext was made with. */
export const ciphertextKey = <In>(
  ciphertextIn: (input: In) => Ciphertext,
): Target<In, ExistingResource<KeyId, KeyRow>> => ({
  about: { type: key, how: 'named' },
  find: (call, input) => findCiphertextKey(call, ciphertextIn(input)),
})

async function findCiphertextKey(call: Call, ciphertext: Ciphertext): Promise<FoundKey> {
  const { keyId, blob, algorithm, context } = ciphertext
  const use = new GrantUse({ context })
  if (keyId !== undefined) return key.find(call, keyId, use, byAnyName)
  if (algorithm !== undefined && algorithm !== 'SYMMETRIC_DEFAULT') {
    throw invalid('KeyId is required for ciphertext that was encrypted by an asymmetric KMS key.')
  }
  const materialId = blob && materialIdOf(blob)
  if (materialId === undefined) throw blob ? silent.ciphertext() : invalid('CiphertextBlob or KeyId must be given.')
  const owner = await ownerOf(call, materialId)
  const arn = owner && keyArn({ account: owner.account, region: call.region }, owner.keyId)
  const found = arn === undefined ? undefined : await key.find(call, arn, use, byIdOrArn)
  if (!found?.acted || !found.row) throw new Fault('AccessDenied', CONCEALED)
  return { acted: { ...found.acted, concealed: CONCEALED }, row: found.row }
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
export function openingOf(
  row: KeyRow,
  ciphertext: Ciphertext,
): { readonly held: StoredMaterial; readonly open: Opening } {
  const algorithm = ciphertext.algorithm ?? 'SYMMETRIC_DEFAULT'
  requireAlgorithm(row, algorithm)
  const blob = ciphertext.blob!
  if (!isSymmetric(row)) {
    return { held: currentOf(row), open: { by: 'oaep', ciphertext: blob, hash: oaepHash(algorithm) } }
  }
  const materialId = materialIdOf(blob)
  if (materialId === undefined) throw silent.ciphertext()
  const held = materialOf(row, materialId)
  if (!held) throw incorrectKey()
  return { held, open: { by: 'context', blob, context: ciphertext.context ?? {} } }
}

/** Contexts belong to symmetric keys alone. */
export function refuseContext(row: KeyRow, context: Readonly<Record<string, string>> | undefined): void {
  requireContext(context)
  if (!isSymmetric(row) && context !== undefined && Object.keys(context).length > 0) {
    throw invalid('EncryptionContext is supported only for symmetric encryption KMS keys.')
  }
}
