/** Data keys for work outside: symmetric ones, pairs, and plain random bytes. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import type { PairSpec } from '../../vault/material/materials.ts'
import { specs } from '../../vault/material/specs.ts'
import { callerConditions, requestContext } from './conditions.ts'
import { currentOf } from './key-materials.ts'
import { arnOf } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { usedKey } from './targets.ts'
import { endDryRun, note, refuseRecipient, requireSymmetric, requireUse, type UseInput } from './uses.ts'
import { invalid, kms } from './words.ts'

const USAGE = 'ENCRYPT_DECRYPT'
const BYTES = { AES_128: 16, AES_256: 32 } as const

interface DataKeyInput extends UseInput {
  readonly KeySpec?: keyof typeof BYTES | undefined
  readonly NumberOfBytes?: number | undefined
  readonly DryRun?: boolean | undefined
}

async function dataKey(
  call: Call,
  name: 'GenerateDataKey' | 'GenerateDataKeyWithoutPlaintext',
  input: DataKeyInput,
  row: KeyRow,
) {
  const { KeySpec, NumberOfBytes } = input
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw invalid('Please specify either number of bytes or key spec.')
  }
  requireUse(call, row, name, USAGE, input)
  requireSymmetric(row, name)
  const held = currentOf(row)
  endDryRun(input.DryRun)

  const bytes = KeySpec === undefined ? NumberOfBytes! : BYTES[KeySpec]
  const context = input.EncryptionContext ?? {}
  const made = await call.vault.materials.use(held, { do: 'dataKey', bytes, context })
  note(call, row, held.id)
  return {
    plaintext: made.plaintext,
    answer: { CiphertextBlob: made.ciphertext, KeyId: arnOf(row), KeyMaterialId: held.id },
  }
}

export const generateDataKey = kms
  .operation('GenerateDataKey')
  .on(usedKey)
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const { plaintext, answer } = await dataKey(call, 'GenerateDataKey', input, row)
    return { Plaintext: plaintext, ...answer }
  })

export const generateDataKeyWithoutPlaintext = kms
  .operation('GenerateDataKeyWithoutPlaintext')
  .on(usedKey)
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const { plaintext, answer } = await dataKey(call, 'GenerateDataKeyWithoutPlaintext', input, row)
    plaintext.fill(0)
    return answer
  })

interface PairInput extends UseInput {
  readonly KeyPairSpec: string
  readonly DryRun?: boolean | undefined
}

async function dataKeyPair(
  call: Call,
  name: 'GenerateDataKeyPair' | 'GenerateDataKeyPairWithoutPlaintext',
  input: PairInput,
  row: KeyRow,
) {
  const { KeyPairSpec: spec } = input
  if (!Object.hasOwn(specs, spec)) {
    throw kms.fail('UnsupportedOperationException', `KeyPairSpec ${spec} is not supported in this Region.`)
  }
  requireUse(call, row, name, USAGE, input)
  requireSymmetric(row, name)
  const held = currentOf(row)
  endDryRun(input.DryRun)

  const context = input.EncryptionContext ?? {}
  const made = await call.vault.materials.use(held, { do: 'dataKeyPair', spec: spec as PairSpec, context })
  note(call, row, held.id)
  return {
    privateKey: made.privateKey,
    answer: {
      PrivateKeyCiphertextBlob: made.ciphertext,
      PublicKey: made.publicKey,
      KeyId: arnOf(row),
      KeyPairSpec: spec as PairSpec,
      KeyMaterialId: held.id,
    },
  }
}

export const generateDataKeyPair = kms
  .operation('GenerateDataKeyPair')
  .on(usedKey)
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const { privateKey, answer } = await dataKeyPair(call, 'GenerateDataKeyPair', input, row)
    return { PrivateKeyPlaintext: privateKey, ...answer }
  })

export const generateDataKeyPairWithoutPlaintext = kms
  .operation('GenerateDataKeyPairWithoutPlaintext')
  .on(usedKey)
  .conditions(requestContext)
  .run(async (call, input, { row }) => {
    const { privateKey, answer } = await dataKeyPair(call, 'GenerateDataKeyPairWithoutPlaintext', input, row)
    privateKey.fill(0)
    return answer
  })

export const generateRandom = kms
  .operation('GenerateRandom')
  .on(anything)
  .conditions(callerConditions)
  .run((_call, { NumberOfBytes, CustomKeyStoreId, Recipient }) => {
    if (CustomKeyStoreId !== undefined) {
      throw kms.fail('CustomKeyStoreNotFoundException', `Custom key store ${CustomKeyStoreId} does not exist.`)
    }
    refuseRecipient(Recipient)
    if (NumberOfBytes === undefined) throw invalid('NumberOfBytes is required.')
    return { Plaintext: randomBytes(NumberOfBytes) }
  })
