/**
 * What KMS answers where it has a sentence of its own: recorded from AWS, one table for all operations. A fault without a
 * sentence has no `message` member on the wire.
 */
import type { Fault } from '../../wire/fault.ts'
import { arnOf } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { invalid, kms } from './words.ts'

/** AWS answers these four with a code alone. */
export const silent = {
  signature: () => kms.fail('KMSInvalidSignatureException', ''),
  mac: () => kms.fail('KMSInvalidMacException', ''),
  ciphertext: () => kms.fail('InvalidCiphertextException', ''),
  /** Rotation of a key that is not a symmetric encryption key. */
  rotation: () => kms.fail('UnsupportedOperationException', ''),
} as const

const sentence = <A extends readonly unknown[]>(text: (...args: A) => string) => {
  return (...args: A): Fault => invalid(text(...args))
}

/** Input that the model admits and KMS does not. */
export const invalidInput = {
  aliasPrefix: sentence(
    () =>
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  ),
  aliasOfAlias: sentence(() => 'Aliases must refer to keys. Not aliases'),
  tooLong: sentence(
    (algorithm: string, spec: string, bytes: number) =>
      `Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${bytes} bytes.`,
  ),
  expiryNeeded: sentence(() => 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'),
  expiryForbidden: sentence(
    () => 'A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
  ),
  /** AWS sends the member, and nothing in it. */
  publicKey: sentence(() => ''),
} as const

/** A key that decrypts nothing, or other ciphertexts: AWS does not say which. */
export const incorrectKey = () =>
  kms.fail(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )

export const notPrimary = (row: KeyRow) =>
  kms.fail('UnsupportedOperationException', `${arnOf(row)} is not a multi-region primary key.`)

export const originUnfit = (row: KeyRow) =>
  kms.fail(
    'UnsupportedOperationException',
    `${arnOf(row)} origin is ${row.origin} which is not valid for this operation.`,
  )

export const materialPending = (row: KeyRow, fresh: string, waiting: string) =>
  kms.fail(
    'KMSInvalidStateException',
    `New key material (id: ${fresh}) cannot be imported into KMS key ${row.id}, because another key material (id: ${waiting}) is pending rotation.`,
  )

export const nothingPending = (row: KeyRow) =>
  kms.fail('KMSInvalidStateException', `No available key material pending rotation for the key: ${arnOf(row)}.`)

export const rotationsSpent = (row: KeyRow) =>
  kms.fail(
    'LimitExceededException',
    `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arnOf(row)}`,
  )
