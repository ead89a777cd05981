/** A keyring of branch keys: a key store gives one for each tenant or purpose, and KMS is called when the cache has none. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { authenticatedContexts, type EncryptionContext, encodeContext } from '../context.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { BranchKey, KeyStore } from '../key-store/key-store.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey, NONCE_BYTES, TAG_BYTES } from '../message/header.ts'
import { counterKdf } from './counter-kdf.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

export interface KmsHierarchicalOptions {
  readonly keyStore: KeyStore
  /** Which branch key; or `branchKeyIdSupplier`. */
  readonly branchKeyId?: string
  /** Chooses the branch key by the encryption context: one for each tenant. */
  readonly branchKeyIdSupplier?: (context: EncryptionContext) => string
  /** Seconds that a branch key is used without a call to KMS. */
  readonly cacheLimitTtl: number
  /** Branch keys that are kept. Default: 1000. */
  readonly maxCacheSize?: number
  /** Milliseconds; for tests. */
  readonly now?: () => number
}

const PROVIDER = 'aws-kms-hierarchy'
const LABEL = Buffer.from(PROVIDER)
const SALT_BYTES = 16
const VERSION_BYTES = 16
const CACHE_SIZE_DEFAULT = 1000

interface Cached {
  readonly branchKey: Promise<BranchKey>
  readonly until: number
}

export class KmsHierarchicalKeyring implements Keyring {
  readonly #options: KmsHierarchicalOptions
  readonly #now: () => number
  readonly #cache = new Map<string, Cached>()

  constructor(options: KmsHierarchicalOptions) {
    const { branchKeyId, branchKeyIdSupplier, cacheLimitTtl, maxCacheSize = CACHE_SIZE_DEFAULT } = options
    if ((branchKeyId === undefined) === (branchKeyIdSupplier === undefined))
      throw new InvalidConfiguration('A hierarchical keyring has either branchKeyId or branchKeyIdSupplier.')
    if (!(cacheLimitTtl > 0)) throw new InvalidConfiguration('cacheLimitTtl is a number of seconds greater than 0.')
    if (!Number.isSafeInteger(maxCacheSize) || maxCacheSize < 1)
      throw new InvalidConfiguration('maxCacheSize is a whole number from 1.')
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const id = this.#branchKeyId(request.encryptionContext)
    const branchKey = await this.#cached(id, undefined)
    return wrapOnce(request, (dataKey) => {
      const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)]
      const version = versionBytes(branchKey.version)
      const key = wrappingKey(branchKey, salt)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(authenticated(id, version, encodeContext(request.encryptionContext)))
      const ciphertext = Buffer.concat([
        salt,
        nonce,
        version,
        cipher.update(dataKey),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      key.fill(0)
      return encryptedDataKey(PROVIDER, id, ciphertext)
    })
  }

  async onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const id = this.#branchKeyId(request.encryptionContext)
    const length = SALT_BYTES + NONCE_BYTES + VERSION_BYTES + request.suite.keyBytes + TAG_BYTES
    const own = keys.filter(
      ({ providerId, providerInfo, encryptedDataKey }) =>
        providerId === PROVIDER && providerInfo === id && encryptedDataKey.length === length,
    )
    return unwrapFirst(request.suite, `the hierarchical keyring of ${id}`, own, async ({ encryptedDataKey }) => {
      let at = 0
      const take = (bytes: number) => encryptedDataKey.subarray(at, (at += bytes))
      const [salt, nonce, version] = [take(SALT_BYTES), take(NONCE_BYTES), take(VERSION_BYTES)]
      const [ciphertext, tag] = [take(request.suite.keyBytes), take(TAG_BYTES)]
      const key = wrappingKey(await this.#cached(id, versionText(version)), salt)
      for (const context of authenticatedContexts(request.encryptionContext)) {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
        decipher.setAAD(authenticated(id, version, context))
        decipher.setAuthTag(tag)
        const dataKey = decipher.update(ciphertext)
        try {
          decipher.final()
          key.fill(0)
          return dataKey
        } catch {
          dataKey.fill(0)
        }
      }
      throw new Error('The encrypted data key was changed, or made under another branch key or encryption context.')
    })
  }

  #branchKeyId(context: EncryptionContext): string {
    const id = this.#options.branchKeyId ?? this.#options.branchKeyIdSupplier!(context)
    if (typeof id !== 'string' || id === '') throw new InvalidConfiguration('The branch key id is empty.')
    return id
  }

  /** The active version, or one that a message names. */
  async #cached(id: string, version: string | undefined): Promise<BranchKey> {
    const { keyStore, cacheLimitTtl, maxCacheSize = CACHE_SIZE_DEFAULT } = this.#options
    const name = JSON.stringify([id, version])
    const found = this.#cache.get(name)
    if (found && found.until > this.#now()) return found.branchKey
    const branchKey =
      version === undefined ? keyStore.getActiveBranchKey(id) : keyStore.getBranchKeyVersion(id, version)
    const entry = { branchKey, until: this.#now() + cacheLimitTtl * 1000 }
    this.#cache.delete(name)
    this.#cache.set(name, entry)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= maxCacheSize) break
      this.#cache.delete(oldest)
    }
    try {
      return await branchKey
    } catch (error) {
      // A failure is not cached: the next message tries again.
      if (this.#cache.get(name) === entry) this.#cache.delete(name)
      throw error
    }
  }
}

const wrappingKey = ({ key }: BranchKey, salt: Buffer) => counterKdf('sha256', key, LABEL, salt, 32)

const authenticated = (id: string, version: Buffer, context: Buffer) =>
  Buffer.concat([LABEL, Buffer.from(id, 'utf8'), version, context])

const versionBytes = (uuid: string): Buffer => {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  if (bytes.length !== VERSION_BYTES) throw new Error(`The version of a branch key is not a UUID: '${uuid}'.`)
  return bytes
}

const versionText = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
