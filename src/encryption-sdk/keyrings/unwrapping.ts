/** What all keyrings do alike: make a data key, and try encrypted data keys one after the other. */
import { randomBytes } from 'node:crypto'
import { UnableToDecryptDataKey } from '../errors.ts'
import type { WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import type { EncryptedDataKey } from '../message/header.ts'
import type { Suite } from '../suites.ts'

/** The data key of a request, or a new one. */
export const dataKeyOf = ({ dataKey, suite }: WrappingRequest): Buffer =>
  dataKey ? Buffer.from(dataKey) : randomBytes(suite.keyBytes)

/** Wraps the data key of a request, or a new one, once. */
export async function wrapOnce(
  request: WrappingRequest,
  wrap: (dataKey: Buffer) => EncryptedDataKey | Promise<EncryptedDataKey>,
): Promise<WrappedDataKey> {
  const dataKey = dataKeyOf(request)
  return { dataKey, encryptedDataKeys: [await wrap(dataKey)] }
}

/** Returns the first data key that decrypts. Throws `UnableToDecryptDataKey` with the errors of all attempts. */
export async function unwrapFirst(
  suite: Suite,
  keyring: string,
  candidates: readonly EncryptedDataKey[],
  unwrap: (key: EncryptedDataKey) => Buffer | Promise<Buffer>,
): Promise<Buffer> {
  const errors: Error[] = []
  for (const key of candidates) {
    try {
      const dataKey = await unwrap(key)
      if (dataKey.length === suite.keyBytes) return dataKey
      dataKey.fill(0)
      errors.push(new Error(`A data key has ${dataKey.length} bytes; the algorithm suite needs ${suite.keyBytes}.`))
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  throw new UnableToDecryptDataKey(
    errors.length > 0
      ? `${keyring} could not decrypt a data key of the message.`
      : `The message has no encrypted data key for ${keyring}.`,
    errors,
  )
}
