/** Encrypt, decrypt, and move from one key to another. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import type { Sealing } from '../../vault/material/materials.ts'
import { hashBytes, kindOf } from '../../vault/material/specs.ts'
import type { Input } from '../../wire/typed.ts'
import { type Ciphertext, ciphertextKey, isIgnored, openingOf, refuseContext } from './ciphertexts.ts'
import { contextConditions, requestContext, SYMMETRIC } from './conditions.ts'
import { GrantUse } from './grant-authority.ts'
import { currentOf } from './key-materials.ts'
import { isSymmetric } from './key-specs.ts'
import { incorrectKey, invalidInput, silent } from './messages.ts'
import { aliasIn, keyNamed } from './references.ts'
import { arnOf, key } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { requireState } from './states.ts'
import { byAnyName, usedKey } from './targets.ts'
import {
  endDryRun,
  note,
  oaepHash,
  refuseRecipient,
  requireAlgorithm,
  requireTokens,
  requireUsage,
  requireUse,
} from './uses.ts'
import { kms } from './words.ts'

const USAGE = 'ENCRYPT_DECRYPT'

export const encrypt = kms
  .operation('Encrypt')
  .on(usedKey)
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const { Plaintext: plaintext, EncryptionContext: context } = input
    const algorithm = input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    requireUse(call, row, 'Encrypt', USAGE, input)
    requireAlgorithm(row, algorithm)
    refuseContext(row, context)
    if (!isSymmetric(row) && plaintext.length > plaintextMax(row, algorithm)) throw tooLong(row, algorithm)
    const held = currentOf(row)
    endDryRun(input.DryRun)

    const { materials } = call.vault
    const ciphertext = isSymmetric(row)
      ? await materials.use(held, { do: 'encrypt', plaintext, context: context ?? {} })
      : await materials.use(held, { do: 'rsaEncrypt', plaintext, hash: oaepHash(algorithm) })
    if (!ciphertext) throw tooLong(row, algorithm)
    note(call, row, held.id, algorithm)
    return { CiphertextBlob: ciphertext, KeyId: arnOf(row), EncryptionAlgorithm: algorithm }
  })

/** RFC 8017 §7.1.1: what OAEP leaves of the modulus. */
const plaintextMax = ({ spec }: KeyRow, algorithm: string): number => {
  const kind = kindOf(spec)
  return kind.kind === 'rsa' ? kind.bits / 8 - 2 * hashBytes[oaepHash(algorithm)] - 2 : 0
}

const tooLong = (row: KeyRow, algorithm: string) =>
  invalidInput.tooLong(algorithm, row.spec, plaintextMax(row, algorithm))

/** Whatever a key is for: for what it cannot decrypt AWS has one answer. */
function requireDecrypting(row: KeyRow): void {
  if (row.usage !== USAGE) throw incorrectKey()
}

type DecryptInput = Input<typeof KMS, 'Decrypt'>
type ReEncryptInput = Input<typeof KMS, 'ReEncrypt'>

const ciphertextOf = (input: DecryptInput): Ciphertext => ({
  keyId: input.KeyId,
  blob: input.CiphertextBlob,
  algorithm: input.EncryptionAlgorithm,
  context: input.EncryptionContext,
  modifiers: input.DryRunModifiers,
})

export const decrypt = kms
  .operation('Decrypt')
  .on(ciphertextKey(ciphertextOf))
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const requested = ciphertextOf(input)
    const algorithm = input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    requireState(row, 'Decrypt')
    requireDecrypting(row)
    requireTokens(call, input.GrantTokens)
    refuseRecipient(input.Recipient)
    refuseContext(row, input.EncryptionContext)
    if (isIgnored(requested, input.DryRun)) endDryRun(true)

    const { held, open } = openingOf(row, requested)
    const { materials } = call.vault
    const plaintext =
      open.by === 'context'
        ? await materials.use(held, { do: 'decrypt', blob: open.blob, context: open.context })
        : await materials.use(held, { do: 'rsaDecrypt', ciphertext: open.ciphertext, hash: open.hash })
    note(call, row, held.id, algorithm)
    if (!plaintext) throw silent.ciphertext()
    endDryRun(input.DryRun)
    return {
      KeyId: arnOf(row),
      Plaintext: plaintext,
      EncryptionAlgorithm: algorithm,
      ...(isSymmetric(row) && { KeyMaterialId: held.id }),
    }
  })

const sourceOf = (input: ReEncryptInput): Ciphertext => ({
  keyId: input.SourceKeyId,
  blob: input.CiphertextBlob,
  algorithm: input.SourceEncryptionAlgorithm,
  context: input.SourceEncryptionContext,
  modifiers: input.DryRunModifiers,
})

export const reEncrypt = kms
  .operation('ReEncrypt')
  .on(ciphertextKey(sourceOf))
  .actions('kms:ReEncryptFrom')
  .conditions(async (input, call, source) => ({
    ...contextConditions(input.SourceEncryptionContext),
    'kms:EncryptionAlgorithm': input.SourceEncryptionAlgorithm ?? SYMMETRIC,
    'kms:RequestAlias': aliasIn(input.SourceKeyId ?? ''),
    'kms:ReEncryptOnSameKey':
      source && String(isSame(source.row, await keyNamed(call, input.DestinationKeyId, { aliases: true }))),
  }))
  .run(async (call, input, { row: source }) => {
    const target = await destination(call, input, source)
    const requested = sourceOf(input)
    requireState(source, 'ReEncrypt')
    requireDecrypting(source)
    requireState(target, 'ReEncrypt')
    requireUsage(target, 'ReEncrypt', USAGE)
    requireTokens(call, input.GrantTokens)
    refuseContext(source, input.SourceEncryptionContext)
    refuseContext(target, input.DestinationEncryptionContext)
    const algorithm = input.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'
    requireAlgorithm(target, algorithm)
    const to = currentOf(target)
    if (isIgnored(requested, input.DryRun)) endDryRun(true)

    const { held, open } = openingOf(source, requested)
    const seal: Sealing = isSymmetric(target)
      ? { by: 'context', context: input.DestinationEncryptionContext ?? {} }
      : { by: 'oaep', hash: oaepHash(algorithm) }
    const ciphertext = await call.vault.materials.use(held, { do: 'reEncrypt', open, to, seal })
    if (ciphertext === 'unopened') throw silent.ciphertext()
    if (ciphertext === 'too-long') throw tooLong(target, algorithm)
    endDryRun(input.DryRun)
    return {
      CiphertextBlob: ciphertext,
      SourceKeyId: arnOf(source),
      KeyId: arnOf(target),
      SourceEncryptionAlgorithm: input.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: algorithm,
      ...(isSymmetric(source) && { SourceKeyMaterialId: held.id }),
      ...(isSymmetric(target) && { DestinationKeyMaterialId: to.id }),
    }
  })

async function destination(call: Call, input: ReEncryptInput, source: KeyRow): Promise<KeyRow> {
  const { DestinationKeyId: named, DestinationEncryptionContext: context } = input
  const { acted, row: found, missing } = await key.find(call, named, new GrantUse({ context }), byAnyName)
  await call.authorize('kms:ReEncryptTo', acted!, {
    ...contextConditions(context),
    'kms:EncryptionAlgorithm': input.DestinationEncryptionAlgorithm ?? SYMMETRIC,
    'kms:RequestAlias': aliasIn(named),
    'kms:ReEncryptOnSameKey': String(isSame(source, found?.row)),
  })
  if (!found) throw missing!()
  call.event.resources = [...call.event.resources, found.facts]
  return found.row
}

/** By what the names lead to: an alias leads elsewhere in another account. */
const isSame = (row: KeyRow, other: KeyRow | undefined): boolean => other !== undefined && arnOf(row) === arnOf(other)
