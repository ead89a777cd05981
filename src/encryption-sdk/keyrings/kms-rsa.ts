/**
 * A keyring of one RSA key pair in KMS: the public key encrypts here, KMS decrypts. For algorithm suites without a
 * signature: the public key is public, so a signature would prove nothing about the author of the message.
 */
import { createHash, createPublicKey, type KeyObject, publicEncrypt, timingSafeEqual } from 'node:crypto'
import { authenticatedContexts, encodeContext } from '../context.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey } from '../message/header.ts'
import type { Suite } from '../suites.ts'
import { bytesOf, granted, type KmsRsaClient, parseKeyArn, sameMultiRegionKey } from './kms-api.ts'
import { assertRsa, oaep, readKey } from './raw-rsa.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

export interface KmsRsaOptions {
  /** ARN of the key; an alias cannot be used. */
  readonly keyId: string
  readonly encryptionAlgorithm: 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256'
  /** PEM, as `aws kms get-public-key` answers it in DER. Needed to encrypt. */
  readonly publicKey?: string | Buffer | KeyObject
  /** Needed to decrypt. */
  readonly client?: KmsRsaClient
  readonly grantTokens?: readonly string[]
}

const PROVIDER = 'aws-kms-rsa'
const HASHES = { RSAES_OAEP_SHA_1: 'sha1', RSAES_OAEP_SHA_256: 'sha256' } as const
const DIGEST_BYTES = 48

export class KmsRsaKeyring implements Keyring {
  readonly #options: KmsRsaOptions
  readonly #publicKey: KeyObject | undefined

  constructor(options: KmsRsaOptions) {
    const { keyId, publicKey, encryptionAlgorithm, client } = options
    if (!parseKeyArn(keyId)) throw new InvalidConfiguration(`A KMS RSA keyring needs the ARN of a key, not '${keyId}'.`)
    if (!Object.hasOwn(HASHES, encryptionAlgorithm))
      throw new InvalidConfiguration(`encryptionAlgorithm is one of ${Object.keys(HASHES).join(', ')}.`)
    if (!publicKey && !client) throw new InvalidConfiguration('A KMS RSA keyring needs a public key or a client.')
    this.#options = options
    this.#publicKey = publicKey ? readKey(publicKey, createPublicKey) : undefined
    if (this.#publicKey) assertRsa(this.#publicKey)
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    assertUnsigned(request.suite)
    if (!this.#publicKey) throw new InvalidConfiguration('The KMS RSA keyring has no public key: it cannot encrypt.')
    const { keyId, encryptionAlgorithm } = this.#options
    const key = oaep(this.#publicKey, HASHES[encryptionAlgorithm])
    return wrapOnce(request, (dataKey) => {
      const bound = Buffer.concat([digest(encodeContext(request.encryptionContext)), dataKey])
      const edk = encryptedDataKey(PROVIDER, keyId, publicEncrypt(key, bound))
      bound.fill(0)
      return edk
    })
  }

  async onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    assertUnsigned(request.suite)
    const { keyId, client, encryptionAlgorithm, grantTokens } = this.#options
    if (!client) throw new InvalidConfiguration('The KMS RSA keyring has no client: it cannot decrypt.')
    const own = keys.filter(
      ({ providerId, providerInfo }) =>
        providerId === PROVIDER && parseKeyArn(providerInfo) && sameMultiRegionKey(keyId, providerInfo),
    )
    return unwrapFirst(request.suite, `the KMS RSA keyring of ${keyId}`, own, async ({ encryptedDataKey }) => {
      const answer = await client.decrypt({
        KeyId: keyId,
        CiphertextBlob: encryptedDataKey,
        EncryptionAlgorithm: encryptionAlgorithm,
        ...granted(grantTokens),
      })
      if (answer.KeyId !== keyId) throw new Error(`KMS decrypted with ${answer.KeyId} instead of ${keyId}.`)
      const bound = bytesOf(answer.Plaintext, 'Plaintext')
      const fits = [...authenticatedContexts(request.encryptionContext)].some(
        (context) => bound.length > DIGEST_BYTES && timingSafeEqual(bound.subarray(0, DIGEST_BYTES), digest(context)),
      )
      const dataKey = Buffer.from(bound.subarray(DIGEST_BYTES))
      bound.fill(0)
      if (fits) return dataKey
      dataKey.fill(0)
      throw new Error('The encrypted data key was made for another encryption context.')
    })
  }
}

const digest = (context: Buffer): Buffer => createHash('sha384').update(context).digest()

function assertUnsigned(suite: Suite): void {
  if (suite.signature)
    throw new InvalidConfiguration(
      `A KMS RSA keyring works with algorithm suites without a signature, not with ${suite.name}: use ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY.`,
    )
}
