/** Signatures: made, and verified against the same key. */
import type { MessageType } from '../../vault/material/materials.ts'
import { hashBytes, type Signing, type SigningAlgorithm, signings } from '../../vault/material/specs.ts'
import { currentOf } from './key-materials.ts'
import { silent } from './messages.ts'
import { arnOf } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { usedKey } from './targets.ts'
import { endDryRun, requireAlgorithm, requireUse } from './uses.ts'
import { invalid, kms } from './words.ts'

const USAGE = 'SIGN_VERIFY'
/** μ of FIPS 204. */
const MU_BYTES = 64

interface SignInput {
  readonly SigningAlgorithm: string
  readonly MessageType?: MessageType | undefined
  readonly Message: Uint8Array
}

/** What is valid as the message of each algorithm. */
function messageOf(row: KeyRow, { SigningAlgorithm, MessageType, Message }: SignInput) {
  requireAlgorithm(row, SigningAlgorithm)
  const algorithm = SigningAlgorithm as SigningAlgorithm
  const type = MessageType ?? 'RAW'
  const signing: Signing = signings[algorithm]
  const bytes = digestBytes(signing)
  if (type === 'EXTERNAL_MU' && signing.family !== 'ml-dsa') throw unfit(type, algorithm)
  if (type === 'DIGEST' && bytes === undefined) throw unfit(type, algorithm)
  if (type === 'RAW' && signing.family === 'ed25519' && signing.prehash) throw unfit(type, algorithm)
  const wanted = type === 'DIGEST' ? bytes : type === 'EXTERNAL_MU' ? MU_BYTES : undefined
  if (wanted !== undefined && Message.length !== wanted) {
    throw invalid(`Digest is invalid length for algorithm ${algorithm}.`)
  }
  return { algorithm, type, message: Message }
}

/** undefined where no digest is signed. */
function digestBytes(signing: Signing): number | undefined {
  switch (signing.family) {
    case 'rsa':
    case 'ec':
      return hashBytes[signing.hash]
    case 'ed25519':
      return signing.prehash ? hashBytes.sha512 : undefined
    case 'ml-dsa':
      return undefined
  }
}

const unfit = (type: string, algorithm: string) => invalid(`MessageType ${type} is not valid for ${algorithm}.`)

export const sign = kms
  .operation('Sign')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'Sign', USAGE, input)
    const message = messageOf(row, input)
    const held = currentOf(row)
    endDryRun(input.DryRun)

    const signature = await call.vault.materials.use(held, { do: 'sign', ...message })
    return { KeyId: arnOf(row), Signature: signature, SigningAlgorithm: message.algorithm }
  })

export const verify = kms
  .operation('Verify')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'Verify', USAGE, input)
    const message = messageOf(row, input)
    const signature = input.Signature
    const valid = await call.vault.materials.use(currentOf(row), { do: 'verify', ...message, signature })
    if (!valid) throw silent.signature()
    endDryRun(input.DryRun)
    return { KeyId: arnOf(row), SignatureValid: true, SigningAlgorithm: message.algorithm }
  })
