/**
 * A store of branch keys: keys that wrap data keys, themselves encrypted by a KMS key. KMS is called once for a branch key
 * and its lifetime in the cache, not once for a message.
 *
 * Source: AWS Encryption SDK specification, framework/branch-key-store.md
 */
import { randomUUID } from 'node:crypto'
import { InvalidConfiguration } from '../errors.ts'
import { bytesOf, granted, type KmsBranchKeyClient, parseKeyArn, sameMultiRegionKey } from '../keyrings/kms-api.ts'
import type { BranchKeyAttributes, BranchKeyRecord, BranchKeyStorage } from './storage.ts'

export interface KeyStoreOptions {
  /** Bound into every branch key: keep it when the storage moves. */
  readonly logicalKeyStoreName: string
  readonly storage: BranchKeyStorage
  /** ARN of the key that encrypts branch keys. */
  readonly kmsKeyArn: string
  /** Also use branch keys of a replica of this multi-Region key. Default: false. */
  readonly multiRegion?: boolean
  readonly client: KmsBranchKeyClient
  readonly grantTokens?: readonly string[]
}

export interface BranchKey {
  readonly branchKeyId: string
  /** UUID */
  readonly version: string
  /** 32 bytes. */
  readonly key: Buffer
}

const ACTIVE = 'branch:ACTIVE'
const VERSION = 'branch:version:'
const BEACON = 'beacon:ACTIVE'
const CUSTOM = 'aws-crypto-ec:'
const KEY_BYTES = 32

export class KeyStore {
  readonly logicalKeyStoreName: string
  readonly #options: KeyStoreOptions

  constructor(options: KeyStoreOptions) {
    if (options.logicalKeyStoreName === '') throw new InvalidConfiguration('logicalKeyStoreName must not be empty.')
    if (!parseKeyArn(options.kmsKeyArn))
      throw new InvalidConfiguration(`A key store needs the ARN of a KMS key, not '${options.kmsKeyArn}'.`)
    this.logicalKeyStoreName = options.logicalKeyStoreName
    this.#options = options
  }

  /** Makes a branch key and returns its id. An id of the caller's needs an encryption context, which is bound to it. */
  async createKey(
    input: { readonly branchKeyId?: string; readonly encryptionContext?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const { branchKeyId = randomUUID(), encryptionContext = {} } = input
    if (branchKeyId === '') throw new InvalidConfiguration('branchKeyId must not be empty.')
    if (input.branchKeyId !== undefined && Object.keys(encryptionContext).length === 0)
      throw new InvalidConfiguration('A branch key with an id of its own needs an encryption context.')
    const common: BranchKeyAttributes = {
      'branch-key-id': branchKeyId,
      type: BEACON,
      'kms-arn': this.#options.kmsKeyArn,
      'create-time': now(),
      'hierarchy-version': 1,
      ...Object.fromEntries(Object.entries(encryptionContext).map(([key, value]) => [CUSTOM + key, value])),
    }
    const { version, active } = await this.#newVersion(common)
    await this.#options.storage.write([
      { put: version, expected: 'absent' },
      { put: active, expected: 'absent' },
      { put: { ...common, enc: await this.#generate(common) }, expected: 'absent' },
    ])
    return branchKeyId
  }

  /** Makes a new version of a branch key, which encrypts from then on; messages of earlier versions still decrypt. */
  async versionKey(branchKeyId: string): Promise<void> {
    const { client, storage, grantTokens, kmsKeyArn } = this.#options
    const before = await this.#record(branchKeyId, ACTIVE)
    // Authenticates the record: an attacker with write access to the storage could otherwise choose the context of the
    // new version.
    const context = this.#contextOf(before)
    await client.reEncrypt({
      SourceKeyId: kmsKeyArn,
      SourceEncryptionContext: context,
      CiphertextBlob: before.enc,
      DestinationKeyId: kmsKeyArn,
      DestinationEncryptionContext: context,
      ...granted(grantTokens),
    })
    const kept = Object.entries(before).filter(([name]) => name !== 'enc' && name !== 'version')
    const { version, active } = await this.#newVersion({
      ...(Object.fromEntries(kept) as BranchKeyAttributes),
      'create-time': now(),
    })
    await storage.write([
      { put: version, expected: 'absent' },
      { put: active, expected: before.enc },
    ])
  }

  getActiveBranchKey(branchKeyId: string): Promise<BranchKey> {
    return this.#open(branchKeyId, ACTIVE)
  }

  getBranchKeyVersion(branchKeyId: string, version: string): Promise<BranchKey> {
    return this.#open(branchKeyId, VERSION + version)
  }

  async #open(branchKeyId: string, type: string): Promise<BranchKey> {
    const { client, grantTokens, kmsKeyArn } = this.#options
    const record = await this.#record(branchKeyId, type)
    const { Plaintext } = await client.decrypt({
      KeyId: kmsKeyArn,
      CiphertextBlob: record.enc,
      EncryptionContext: this.#contextOf(record),
      ...granted(grantTokens),
    })
    const key = bytesOf(Plaintext, 'Plaintext')
    if (key.length !== KEY_BYTES)
      throw new Error(`The branch key ${branchKeyId} has ${key.length} bytes instead of ${KEY_BYTES}.`)
    const named = type === ACTIVE ? record['version'] : record.type
    if (typeof named !== 'string' || !named.startsWith(VERSION))
      throw new Error(`The branch key ${branchKeyId} does not say its version.`)
    return { branchKeyId, version: named.slice(VERSION.length), key }
  }

  async #record(branchKeyId: string, type: string): Promise<BranchKeyRecord> {
    const { storage, kmsKeyArn, multiRegion } = this.#options
    const record = await storage.get(branchKeyId, type)
    if (!record)
      throw new Error(`There is no branch key ${branchKeyId} (${type}) in the key store ${this.logicalKeyStoreName}.`)
    if (record['branch-key-id'] !== branchKeyId || record.type !== type || !(record.enc instanceof Uint8Array))
      throw new Error(`The storage of the key store ${this.logicalKeyStoreName} answered with another record.`)
    const arn = String(record['kms-arn'])
    if (arn !== kmsKeyArn && !(multiRegion && sameMultiRegionKey(arn, kmsKeyArn)))
      throw new Error(`The branch key ${branchKeyId} is encrypted under ${arn}, not under ${kmsKeyArn}.`)
    return record
  }

  async #newVersion(
    common: BranchKeyAttributes,
  ): Promise<{ readonly version: BranchKeyRecord; readonly active: BranchKeyRecord }> {
    const { client, grantTokens, kmsKeyArn } = this.#options
    const type = VERSION + randomUUID()
    const version = { ...common, type }
    const active = { ...common, type: ACTIVE, version: type }
    const enc = await this.#generate(version)
    const copied = await client.reEncrypt({
      SourceKeyId: kmsKeyArn,
      SourceEncryptionContext: this.#contextOf(version),
      CiphertextBlob: enc,
      DestinationKeyId: kmsKeyArn,
      DestinationEncryptionContext: this.#contextOf(active),
      ...granted(grantTokens),
    })
    return {
      version: { ...version, enc },
      active: { ...active, enc: bytesOf(copied.CiphertextBlob, 'CiphertextBlob') },
    }
  }

  async #generate(record: BranchKeyAttributes): Promise<Buffer> {
    const { client, grantTokens, kmsKeyArn } = this.#options
    const answer = await client.generateDataKeyWithoutPlaintext({
      KeyId: kmsKeyArn,
      NumberOfBytes: KEY_BYTES,
      EncryptionContext: this.#contextOf(record),
      ...granted(grantTokens),
    })
    return bytesOf(answer.CiphertextBlob, 'CiphertextBlob')
  }

  /** Every attribute but the key itself, and the name of the store. */
  #contextOf(record: BranchKeyAttributes): Record<string, string> {
    const attributes = Object.entries(record).filter(([name]) => name !== 'enc')
    return {
      ...Object.fromEntries(attributes.map(([name, value]) => [name, String(value)])),
      tablename: this.logicalKeyStoreName,
    }
  }
}

/** ISO 8601 with microseconds, as the records have it. */
const now = () => new Date().toISOString().replace('Z', '000Z')
