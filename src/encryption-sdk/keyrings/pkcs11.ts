/**
 * A keyring of one RSA key pair in a PKCS #11 token (an HSM, a TPM, SoftHSM): the public key encrypts here, the token decrypts.
 * Messages are those of the raw RSA keyring, so that other SDKs read them through a PKCS #11 provider of their own. Needs
 * OpenSC's `pkcs11-tool`.
 */
import { createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto'
import { oaepMechanism, pkcs11Tool, tokenArguments } from '../../vault/pkcs11-tool.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey } from '../message/header.ts'
import { assertNamespace } from './raw-aes.ts'
import { assertRsa, type OaepHash, oaep } from './raw-rsa.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

export interface Pkcs11Options {
  readonly keyNamespace: string
  readonly keyName: string
  /** Path of the PKCS #11 library: `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string
  readonly tokenLabel: string
  readonly pin: string
  /** CKA_ID of the key pair, in hexadecimal. */
  readonly keyId: string
  /** Default: sha1, the only one that SoftHSM knows. */
  readonly oaepHash?: OaepHash
}

export class Pkcs11Keyring implements Keyring {
  readonly #options: Pkcs11Options
  readonly #at: readonly string[]
  #publicKey: Promise<KeyObject> | undefined

  constructor(options: Pkcs11Options) {
    assertNamespace(options.keyNamespace, options.keyName)
    if (!/^([0-9a-fA-F]{2})+$/.test(options.keyId))
      throw new InvalidConfiguration(`keyId is hexadecimal, not '${options.keyId}'.`)
    this.#options = options
    this.#at = [
      ...tokenArguments({ module: options.module, token: options.tokenLabel }),
      '--login',
      '--id',
      options.keyId,
    ]
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const { keyNamespace, keyName, oaepHash = 'sha1' } = this.#options
    const publicKey = await this.#readPublicKey()
    return wrapOnce(request, (dataKey) =>
      encryptedDataKey(keyNamespace, keyName, publicEncrypt(oaep(publicKey, oaepHash), dataKey)),
    )
  }

  onDecrypt({ suite }: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { keyNamespace, keyName, pin, oaepHash = 'sha1' } = this.#options
    const own = keys.filter(({ providerId, providerInfo }) => providerId === keyNamespace && providerInfo === keyName)
    return unwrapFirst(
      suite,
      `the PKCS #11 keyring of token '${this.#options.tokenLabel}'`,
      own,
      ({ encryptedDataKey }) =>
        pkcs11Tool([...this.#at, '--decrypt', ...oaepMechanism(oaepHash)], pin, encryptedDataKey),
    )
  }

  #readPublicKey(): Promise<KeyObject> {
    this.#publicKey ??= pkcs11Tool([...this.#at, '--read-object', '--type', 'pubkey'], this.#options.pin)
      .then((der) => {
        const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
        assertRsa(key)
        return key
      })
      .catch((error) => {
        this.#publicKey = undefined
        throw error
      })
    return this.#publicKey
  }
}
