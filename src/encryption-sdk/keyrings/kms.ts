/** Keyrings of symmetric keys in KMS: strict, discovery, and both for multi-Region keys. */
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey } from '../message/header.ts'
import {
  assertKeyId,
  bytesOf,
  type ClientProvider,
  granted,
  inRegion,
  type KmsSymmetricClient,
  parseKeyArn,
  parseKmsArn,
  requestContext,
  sameMultiRegionKey,
} from './kms-api.ts'
import { MultiKeyring } from './multi.ts'
import { unwrapFirst } from './unwrapping.ts'

export const KMS_PROVIDER = 'aws-kms'

/** Which keys a discovery keyring may use. Without one, it uses whichever key a message names. */
export interface DiscoveryFilter {
  /** `aws` */
  readonly partition: string
  readonly accountIDs: readonly string[]
}

export interface KmsKeyringOptions {
  /** Makes the data key: ARN, alias or id. */
  readonly generatorKeyId?: string
  /** Further keys, each of which can decrypt the message. */
  readonly keyIds?: readonly string[]
  /** Decrypt with whichever key the message names, instead of naming keys here. Does not encrypt. */
  readonly discovery?: boolean
  readonly discoveryFilter?: DiscoveryFilter
  readonly grantTokens?: readonly string[]
  /** Called for each key with the Region of its ARN; with `''` for an alias or an id. */
  readonly clientProvider: ClientProvider
}

/**
 * @example
 * import { KMS } from '@aws-sdk/client-kms'
 * const keyring = new KmsKeyring({ generatorKeyId: 'arn:aws:kms:…', clientProvider: cacheClients((region) => new KMS({ region })) })
 */
export class KmsKeyring implements Keyring {
  readonly #options: KmsKeyringOptions
  readonly #keyIds: readonly string[]

  constructor(options: KmsKeyringOptions) {
    const { generatorKeyId, keyIds = [], discovery, discoveryFilter } = options
    this.#keyIds = [...(generatorKeyId === undefined ? [] : [generatorKeyId]), ...keyIds]
    if (discovery ? this.#keyIds.length > 0 : this.#keyIds.length === 0)
      throw new InvalidConfiguration('A KMS keyring has either keys or discovery: true.')
    if (!discovery && discoveryFilter) throw new InvalidConfiguration('A discovery filter needs discovery: true.')
    for (const id of this.#keyIds) assertKeyId(id)
    this.#options = options
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const { generatorKeyId, keyIds = [], grantTokens, discovery } = this.#options
    if (discovery) throw new InvalidConfiguration('A discovery keyring cannot encrypt: it names no key.')
    if (!request.dataKey && generatorKeyId === undefined)
      throw new InvalidConfiguration('A KMS keyring without generatorKeyId cannot make a data key.')

    let dataKey = request.dataKey
    const keys: EncryptedDataKey[] = []
    if (!dataKey) {
      const made = await generate(this.#client(generatorKeyId!), generatorKeyId!, request, grantTokens)
      dataKey = made.dataKey
      keys.push(made.key)
    } else if (generatorKeyId !== undefined)
      keys.push(await wrap(this.#client(generatorKeyId), generatorKeyId, dataKey, request, grantTokens))
    for (const id of keyIds) keys.push(await wrap(this.#client(id), id, dataKey, request, grantTokens))
    return { dataKey: Buffer.from(dataKey), encryptedDataKeys: keys }
  }

  onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { discovery, discoveryFilter, grantTokens, clientProvider } = this.#options
    const own = keys.filter(({ providerId, providerInfo }) => {
      if (providerId !== KMS_PROVIDER) return false
      return discovery ? passes(providerInfo, discoveryFilter) : this.#keyIds.includes(providerInfo)
    })
    return unwrapFirst(request.suite, this.#name(), own, ({ providerInfo, encryptedDataKey }) => {
      const region = parseKeyArn(providerInfo)?.region
      const client = region === undefined ? undefined : clientProvider(region)
      if (!client) throw new Error(`No client for the Region of ${providerInfo}.`)
      return unwrap(client, providerInfo, encryptedDataKey, request, grantTokens)
    })
  }

  #name(): string {
    if (this.#options.discovery) return 'the KMS discovery keyring'
    const others = this.#keyIds.filter((id) => !parseKeyArn(id))
    const hint = others.length > 0 ? ` (messages name keys by ARN: ${others.join(', ')} can only encrypt)` : ''
    return `the KMS keyring of ${this.#keyIds.join(', ')}${hint}`
  }

  #client(id: string): KmsSymmetricClient {
    const region = parseKmsArn(id)?.region ?? ''
    const client = this.#options.clientProvider(region)
    if (!client) throw new InvalidConfiguration(`No client for the Region '${region}' of ${id}.`)
    return client
  }
}

export interface KmsMrkAwareOptions {
  /** ARN, alias or id of a key in the Region of the client. */
  readonly keyId: string
  readonly client: KmsSymmetricClient
  readonly grantTokens?: readonly string[]
}

/** A KMS key; where it is a multi-Region key, any of its replicas decrypts. */
export class KmsMrkAwareSymmetricKeyring implements Keyring {
  readonly #options: KmsMrkAwareOptions

  constructor(options: KmsMrkAwareOptions) {
    assertKeyId(options.keyId)
    this.#options = options
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const { keyId, client, grantTokens } = this.#options
    if (request.dataKey)
      return {
        dataKey: Buffer.from(request.dataKey),
        encryptedDataKeys: [await wrap(client, keyId, request.dataKey, request, grantTokens)],
      }
    const { dataKey, key } = await generate(client, keyId, request, grantTokens)
    return { dataKey, encryptedDataKeys: [key] }
  }

  onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { keyId, client, grantTokens } = this.#options
    const own = keys.filter(
      ({ providerId, providerInfo }) =>
        providerId === KMS_PROVIDER && parseKeyArn(providerInfo) && sameMultiRegionKey(keyId, providerInfo),
    )
    return unwrapFirst(request.suite, `the KMS keyring of ${keyId}`, own, ({ encryptedDataKey }) =>
      unwrap(client, keyId, encryptedDataKey, request, grantTokens),
    )
  }
}

export interface KmsMrkAwareDiscoveryOptions {
  readonly client: KmsSymmetricClient
  /** Of the client. Multi-Region keys of messages are looked for there. */
  readonly region: string
  readonly discoveryFilter?: DiscoveryFilter
  readonly grantTokens?: readonly string[]
}

/** Decrypts with whichever key a message names in one Region, or a multi-Region key has a replica of there. */
export class KmsMrkAwareSymmetricDiscoveryKeyring implements Keyring {
  readonly #options: KmsMrkAwareDiscoveryOptions

  constructor(options: KmsMrkAwareDiscoveryOptions) {
    if (options.region === '') throw new InvalidConfiguration('A discovery keyring needs the Region of its client.')
    this.#options = options
  }

  async onEncrypt(): Promise<never> {
    throw new InvalidConfiguration('A discovery keyring cannot encrypt: it names no key.')
  }

  onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { client, region, discoveryFilter, grantTokens } = this.#options
    const own = keys.filter(
      ({ providerId, providerInfo }) =>
        providerId === KMS_PROVIDER &&
        passes(providerInfo, discoveryFilter) &&
        parseKeyArn(inRegion(providerInfo, region))?.region === region,
    )
    return unwrapFirst(
      request.suite,
      `the KMS discovery keyring of ${region}`,
      own,
      ({ providerInfo, encryptedDataKey }) =>
        unwrap(client, inRegion(providerInfo, region), encryptedDataKey, request, grantTokens),
    )
  }
}

/** Several multi-Region-aware keys in one keyring. The first makes the data key. */
export function buildMrkAwareStrictMultiKeyring(options: {
  readonly generatorKeyId: string
  readonly keyIds?: readonly string[]
  readonly clientProvider: ClientProvider
  readonly grantTokens?: readonly string[]
}): MultiKeyring {
  const { clientProvider, grantTokens, generatorKeyId, keyIds = [] } = options
  const keyring = (keyId: string) => {
    const client = clientProvider(parseKmsArn(keyId)?.region ?? '')
    if (!client) throw new InvalidConfiguration(`No client for the Region of ${keyId}.`)
    return new KmsMrkAwareSymmetricKeyring({ keyId, client, ...(grantTokens && { grantTokens }) })
  }
  return new MultiKeyring({ generator: keyring(generatorKeyId), children: keyIds.map(keyring) })
}

/** Tries Regions one after the other: one that cannot be reached does not keep another from decrypting. */
export function buildMrkAwareDiscoveryMultiKeyring(options: {
  readonly regions: readonly string[]
  readonly clientProvider: ClientProvider
  readonly discoveryFilter?: DiscoveryFilter
  readonly grantTokens?: readonly string[]
}): MultiKeyring {
  const { regions, clientProvider, discoveryFilter, grantTokens } = options
  const children = regions.map((region) => {
    const client = clientProvider(region)
    if (!client) throw new InvalidConfiguration(`No client for the Region ${region}.`)
    return new KmsMrkAwareSymmetricDiscoveryKeyring({
      client,
      region,
      ...(discoveryFilter && { discoveryFilter }),
      ...(grantTokens && { grantTokens }),
    })
  })
  return new MultiKeyring({ children })
}

function passes(keyArn: string, filter: DiscoveryFilter | undefined): boolean {
  const arn = parseKeyArn(keyArn)
  if (!arn) return false
  return !filter || (filter.partition === arn.partition && filter.accountIDs.includes(arn.account))
}

async function generate(
  client: KmsSymmetricClient,
  keyId: string,
  { suite, encryptionContext }: WrappingRequest,
  grantTokens: readonly string[] | undefined,
): Promise<{ readonly dataKey: Buffer; readonly key: EncryptedDataKey }> {
  const answer = await client.generateDataKey({
    KeyId: keyId,
    NumberOfBytes: suite.keyBytes,
    EncryptionContext: requestContext(encryptionContext),
    ...granted(grantTokens),
  })
  const key = encryptedDataKey(KMS_PROVIDER, arnOf(answer.KeyId), bytesOf(answer.CiphertextBlob, 'CiphertextBlob'))
  return { dataKey: bytesOf(answer.Plaintext, 'Plaintext'), key }
}

async function wrap(
  client: KmsSymmetricClient,
  keyId: string,
  dataKey: Buffer,
  { encryptionContext }: WrappingRequest,
  grantTokens: readonly string[] | undefined,
): Promise<EncryptedDataKey> {
  const answer = await client.encrypt({
    KeyId: keyId,
    Plaintext: dataKey,
    EncryptionContext: requestContext(encryptionContext),
    ...granted(grantTokens),
  })
  return encryptedDataKey(KMS_PROVIDER, arnOf(answer.KeyId), bytesOf(answer.CiphertextBlob, 'CiphertextBlob'))
}

async function unwrap(
  client: KmsSymmetricClient,
  keyId: string,
  ciphertext: Buffer,
  { encryptionContext }: UnwrappingRequest,
  grantTokens: readonly string[] | undefined,
): Promise<Buffer> {
  const answer = await client.decrypt({
    KeyId: keyId,
    CiphertextBlob: ciphertext,
    EncryptionContext: requestContext(encryptionContext),
    ...granted(grantTokens),
  })
  // An answer with another key does not come from the requested KMS.
  if (answer.KeyId !== keyId && parseKeyArn(keyId))
    throw new Error(`KMS decrypted with ${answer.KeyId} instead of ${keyId}.`)
  return bytesOf(answer.Plaintext, 'Plaintext')
}

function arnOf(keyId: string | undefined): string {
  if (keyId === undefined || !parseKeyArn(keyId))
    throw new Error(`KMS did not answer with the ARN of a key: '${keyId}'.`)
  return keyId
}
