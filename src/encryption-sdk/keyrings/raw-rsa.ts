/** A keyring of one RSA key pair that the caller holds: the public key encrypts, the private key decrypts. OAEP only. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey } from '../message/header.ts'
import { assertNamespace } from './raw-aes.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

export type OaepHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

export interface RawRsaOptions {
  readonly keyNamespace: string
  readonly keyName: string
  /** PEM. Needed to encrypt; taken from the private key when absent. */
  readonly publicKey?: string | Buffer | KeyObject
  /** PEM. Needed to decrypt. */
  readonly privateKey?: string | Buffer | KeyObject
  /**
   * Of OAEP and of its mask function. `PKCS1` exists to be refused: padding of PKCS #1 v1.5 lets an attacker who can
   * try many messages decrypt one (Bleichenbacher 1998; CVE-2023-46809 in Node).
   */
  readonly oaepHash: OaepHash | 'PKCS1'
}

const HASHES: readonly string[] = ['sha1', 'sha256', 'sha384', 'sha512']
/** NIST SP 800-131A. */
const MODULUS_BITS_MIN = 2048

export class RawRsaKeyring implements Keyring {
  readonly #options: RawRsaOptions
  readonly #publicKey: KeyObject | undefined
  readonly #privateKey: KeyObject | undefined

  constructor(options: RawRsaOptions) {
    const { keyNamespace, keyName, publicKey, privateKey, oaepHash } = options
    assertNamespace(keyNamespace, keyName)
    if (oaepHash === 'PKCS1')
      throw new InvalidConfiguration(
        'RSA with PKCS #1 v1.5 padding is not supported: an attacker who can try many messages can decrypt it (CVE-2023-46809). Use OAEP.',
      )
    if (!HASHES.includes(oaepHash))
      throw new InvalidConfiguration(`oaepHash is one of ${HASHES.join(', ')}, not '${oaepHash}'.`)
    if (!publicKey && !privateKey) throw new InvalidConfiguration('A raw RSA keyring needs a public or a private key.')
    this.#options = options
    this.#privateKey = privateKey ? readKey(privateKey, createPrivateKey) : undefined
    this.#publicKey = publicKey ? readKey(publicKey, createPublicKey) : createPublicKey(this.#privateKey!)
    assertRsa(this.#publicKey)
  }

  onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const { keyNamespace, keyName, oaepHash } = this.#options
    return wrapOnce(request, (dataKey) =>
      encryptedDataKey(keyNamespace, keyName, publicEncrypt(oaep(this.#publicKey!, oaepHash), dataKey)),
    )
  }

  async onDecrypt({ suite }: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { keyNamespace, keyName, oaepHash } = this.#options
    const own = keys.filter(({ providerId, providerInfo }) => providerId === keyNamespace && providerInfo === keyName)
    return unwrapFirst(suite, 'the raw RSA keyring', own, ({ encryptedDataKey }) => {
      if (!this.#privateKey) throw new InvalidConfiguration('The raw RSA keyring has no private key.')
      return privateDecrypt(oaep(this.#privateKey, oaepHash), encryptedDataKey)
    })
  }
}

export const oaep = (key: KeyObject, oaepHash: string) => ({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING })

/** Throws `InvalidConfiguration` for another kind of key, or a short one. */
export function assertRsa(key: KeyObject): void {
  if (key.asymmetricKeyType !== 'rsa')
    throw new InvalidConfiguration(`An RSA key is needed, not ${key.asymmetricKeyType}.`)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < MODULUS_BITS_MIN)
    throw new InvalidConfiguration(`The RSA key has ${bits} bits; at least ${MODULUS_BITS_MIN} are needed.`)
}

/** Throws `InvalidConfiguration` where the text is no key; never with the text. */
export function readKey(key: string | Buffer | KeyObject, read: (key: string | Buffer) => KeyObject): KeyObject {
  if (typeof key === 'object' && 'asymmetricKeyType' in key) return key
  try {
    return read(key as string | Buffer)
  } catch {
    throw new InvalidConfiguration('The key cannot be read: it must be PEM.')
  }
}
