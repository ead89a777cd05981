/**
 * A materials manager that uses a data key for several messages: fewer calls to KMS, and one key for more data. An entry is
 * used up to a time, a number of messages and a number of bytes, whichever comes first.
 */
import { createHash } from 'node:crypto'
import { type EncryptionContext, encodeContext } from '../context.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { EncryptedDataKey } from '../message/header.ts'
import { findSuite } from '../suites.ts'
import { managerOf } from './default.ts'
import type {
  CryptographicMaterialsManager,
  DecryptionMaterials,
  DecryptionMaterialsRequest,
  EncryptionMaterials,
  EncryptionMaterialsRequest,
  Keyring,
} from './materials.ts'

/** Keeps materials in memory; several managers may share one. */
export class LocalCryptographicMaterialsCache {
  readonly #capacity: number
  /** In the order of their last use. */
  readonly #entries = new Map<string, CacheEntry>()

  /** `capacity`: how many entries are kept; the one that was not used for the longest time goes first. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new InvalidConfiguration('The capacity of a cache is a whole number from 1.')
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  /** @internal */
  get(id: string): CacheEntry | undefined {
    const entry = this.#entries.get(id)
    if (!entry) return undefined
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    return entry
  }

  /** @internal */
  put(id: string, entry: CacheEntry): void {
    this.delete(id)
    this.#entries.set(id, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break
      this.delete(oldest)
    }
  }

  /** Removes an entry and wipes its data key. */
  delete(id: string): void {
    this.#entries.get(id)?.materials.dataKey.fill(0)
    this.#entries.delete(id)
  }

  clear(): void {
    for (const id of [...this.#entries.keys()]) this.delete(id)
  }
}

interface CacheEntry {
  readonly materials: EncryptionMaterials | DecryptionMaterials
  readonly createdAt: number
  messages: number
  bytes: number
}

export interface CachingOptions {
  readonly backingMaterials: Keyring | CryptographicMaterialsManager
  readonly cache: LocalCryptographicMaterialsCache
  /** Milliseconds that an entry is used for. */
  readonly maxAge: number
  /** Default and most: 2^32. */
  readonly maxMessagesEncrypted?: number
  /** Default and most: 2^53 - 1. */
  readonly maxBytesEncrypted?: number
  /** Managers of one cache share entries when they have the same partition; by default each has its own. */
  readonly partition?: string
  /** Milliseconds; for tests. */
  readonly now?: () => number
}

const MESSAGES_MAX = 2 ** 32

export class CachingMaterialsManager implements CryptographicMaterialsManager {
  readonly #backing: CryptographicMaterialsManager
  readonly #cache: LocalCryptographicMaterialsCache
  readonly #partition: Buffer
  readonly #maxAge: number
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #now: () => number

  constructor(options: CachingOptions) {
    const { maxAge, maxMessagesEncrypted = MESSAGES_MAX, maxBytesEncrypted = Number.MAX_SAFE_INTEGER } = options
    if (!(maxAge > 0)) throw new InvalidConfiguration('maxAge is a number of milliseconds greater than 0.')
    if (!Number.isSafeInteger(maxMessagesEncrypted) || maxMessagesEncrypted < 1 || maxMessagesEncrypted > MESSAGES_MAX)
      throw new InvalidConfiguration(`maxMessagesEncrypted is a whole number from 1 to ${MESSAGES_MAX}.`)
    if (!Number.isSafeInteger(maxBytesEncrypted) || maxBytesEncrypted < 0)
      throw new InvalidConfiguration('maxBytesEncrypted is a whole number from 0.')
    this.#backing = managerOf(options.backingMaterials)
    this.#cache = options.cache
    this.#partition = Buffer.from(options.partition ?? crypto.randomUUID())
    this.#maxAge = maxAge
    this.#maxMessages = maxMessagesEncrypted
    this.#maxBytes = maxBytesEncrypted
    this.#now = options.now ?? Date.now
  }

  async getEncryptionMaterials(request: EncryptionMaterialsRequest): Promise<EncryptionMaterials> {
    const { plaintextLength, suiteId } = request
    // Without a KDF the data key itself encrypts, with nonces that every message counts from one.
    const derives = suiteId === undefined || findSuite(suiteId)?.kdf !== undefined
    // Bytes that are not known cannot be counted.
    if (!derives || plaintextLength === undefined || plaintextLength > this.#maxBytes)
      return this.#backing.getEncryptionMaterials(request)

    const id = this.#encryptionId(request)
    const entry = this.#fresh(id)
    if (entry && entry.messages < this.#maxMessages && entry.bytes + plaintextLength <= this.#maxBytes) {
      entry.messages += 1
      entry.bytes += plaintextLength
      return copyOf(entry.materials as EncryptionMaterials)
    }
    const materials = await this.#backing.getEncryptionMaterials(request)
    this.#cache.put(id, { materials: copyOf(materials), createdAt: this.#now(), messages: 1, bytes: plaintextLength })
    return materials
  }

  async decryptMaterials(request: DecryptionMaterialsRequest): Promise<DecryptionMaterials> {
    if (!request.suite.kdf) return this.#backing.decryptMaterials(request)
    const id = this.#decryptionId(request)
    const entry = this.#fresh(id)
    if (entry) return copyOf(entry.materials as DecryptionMaterials)
    const materials = await this.#backing.decryptMaterials(request)
    this.#cache.put(id, { materials: copyOf(materials), createdAt: this.#now(), messages: 0, bytes: 0 })
    return materials
  }

  #fresh(id: string): CacheEntry | undefined {
    const entry = this.#cache.get(id)
    if (!entry) return undefined
    if (this.#now() - entry.createdAt < this.#maxAge) return entry
    this.#cache.delete(id)
    return undefined
  }

  #encryptionId({
    suiteId,
    commitmentPolicy,
    encryptionContext,
    requiredContextKeys = new Set(),
  }: EncryptionMaterialsRequest): string {
    return this.#id('encrypt', [
      commitmentPolicy,
      String(suiteId),
      encodeContext(encryptionContext),
      ...[...requiredContextKeys].sort(),
    ])
  }

  #decryptionId({
    suite,
    commitmentPolicy,
    encryptionContext,
    encryptedDataKeys,
    reproducedContext = {},
  }: DecryptionMaterialsRequest): string {
    const keys = encryptedDataKeys.map(digestOfKey).sort(Buffer.compare)
    return this.#id('decrypt', [
      commitmentPolicy,
      String(suite.id),
      encodeContext(encryptionContext),
      encodeContext(reproducedContext as EncryptionContext),
      ...keys,
    ])
  }

  #id(scope: string, parts: readonly (string | Buffer)[]): string {
    return digest([scope, this.#partition, ...parts]).toString('base64')
  }
}

/** A copy whose data key the receiver may wipe. */
const copyOf = <M extends EncryptionMaterials | DecryptionMaterials>(materials: M): M => ({
  ...materials,
  dataKey: Buffer.from(materials.dataKey),
})

const digestOfKey = ({ providerId, rawInfo, encryptedDataKey }: EncryptedDataKey) =>
  digest([providerId, rawInfo, encryptedDataKey])

/** Each part with its length, so that no two lists have one digest. */
function digest(parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) {
    const bytes = Buffer.from(part as string)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  return hash.digest()
}
