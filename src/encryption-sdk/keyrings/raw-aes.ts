/** A keyring of one AES key that the caller holds. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { authenticatedContexts, encodeContext } from '../context.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey, NONCE_BYTES, TAG_BYTES } from '../message/header.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

export interface RawAesOptions {
  /** With `keyName`, how a message says which key it needs; both are readable in the message. */
  readonly keyNamespace: string
  readonly keyName: string
  /** 16, 24 or 32 random bytes. */
  readonly key: Uint8Array
}

const CIPHERS: Readonly<Record<number, 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'>> = {
  16: 'aes-128-gcm',
  24: 'aes-192-gcm',
  32: 'aes-256-gcm',
}

export class RawAesKeyring implements Keyring {
  readonly #namespace: string
  /** Name, tag length in bits, nonce length. The nonce follows in each encrypted data key. */
  readonly #infoHead: Buffer
  readonly #key: Buffer
  readonly #cipher: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'

  constructor({ keyNamespace, keyName, key }: RawAesOptions) {
    const cipher = CIPHERS[key.length]
    if (!cipher) throw new InvalidConfiguration(`A raw AES key has 16, 24 or 32 bytes, not ${key.length}.`)
    assertNamespace(keyNamespace, keyName)
    this.#namespace = keyNamespace
    this.#infoHead = Buffer.concat([
      Buffer.from(keyName, 'utf8'),
      Buffer.from([0, 0, 0, TAG_BYTES * 8, 0, 0, 0, NONCE_BYTES]),
    ])
    this.#key = Buffer.from(key)
    this.#cipher = cipher
  }

  onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    return wrapOnce(request, (dataKey) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(this.#cipher, this.#key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(encodeContext(request.encryptionContext))
      const ciphertext = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
      return encryptedDataKey(this.#namespace, Buffer.concat([this.#infoHead, nonce]), ciphertext)
    })
  }

  onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const own = keys.filter(
      ({ providerId, rawInfo }) =>
        providerId === this.#namespace &&
        rawInfo.length === this.#infoHead.length + NONCE_BYTES &&
        rawInfo.subarray(0, this.#infoHead.length).equals(this.#infoHead),
    )
    return unwrapFirst(request.suite, 'the raw AES keyring', own, ({ rawInfo, encryptedDataKey }) => {
      const nonce = rawInfo.subarray(this.#infoHead.length)
      for (const context of authenticatedContexts(request.encryptionContext)) {
        const dataKey = this.#open(nonce, encryptedDataKey, context)
        if (dataKey) return dataKey
      }
      throw new Error('The encrypted data key was changed, or made under another key or encryption context.')
    })
  }

  #open(nonce: Buffer, bytes: Buffer, context: Buffer): Buffer | undefined {
    if (bytes.length < TAG_BYTES) return undefined
    const decipher = createDecipheriv(this.#cipher, this.#key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(context)
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const dataKey = decipher.update(bytes.subarray(0, -TAG_BYTES))
    try {
      decipher.final()
      return dataKey
    } catch {
      dataKey.fill(0)
      return undefined
    }
  }
}

/** Throws `InvalidConfiguration` for the namespaces that KMS keyrings use, and for empty names. */
export function assertNamespace(namespace: string, name: string): void {
  if (namespace === '' || name === '') throw new InvalidConfiguration('keyNamespace and keyName must not be empty.')
  if (namespace.startsWith('aws-kms'))
    throw new InvalidConfiguration(`The namespace '${namespace}' is kept for keys in KMS.`)
}
