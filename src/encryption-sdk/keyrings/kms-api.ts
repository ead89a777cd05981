/** What the keyrings call of KMS. The client `KMS` of `@aws-sdk/client-kms` has these methods; so may any other. */
import { InvalidConfiguration } from '../errors.ts'

type Context = Record<string, string>

interface Granted {
  GrantTokens?: string[] | undefined
}

/** Of keyrings with symmetric keys. */
export interface KmsSymmetricClient {
  generateDataKey(input: Granted & { KeyId: string; NumberOfBytes: number; EncryptionContext: Context }): Promise<{
    KeyId?: string | undefined
    Plaintext?: Uint8Array | undefined
    CiphertextBlob?: Uint8Array | undefined
  }>
  encrypt(
    input: Granted & { KeyId: string; Plaintext: Uint8Array; EncryptionContext: Context },
  ): Promise<{ KeyId?: string | undefined; CiphertextBlob?: Uint8Array | undefined }>
  decrypt(
    input: Granted & { KeyId: string; CiphertextBlob: Uint8Array; EncryptionContext: Context },
  ): Promise<{ KeyId?: string | undefined; Plaintext?: Uint8Array | undefined }>
}

/** Of the RSA keyring. */
export interface KmsRsaClient {
  decrypt(
    input: Granted & {
      KeyId: string
      CiphertextBlob: Uint8Array
      EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256'
    },
  ): Promise<{ KeyId?: string | undefined; Plaintext?: Uint8Array | undefined }>
}

/** Of the ECDH keyring. */
export interface KmsEcdhClient {
  getPublicKey(
    input: Granted & { KeyId: string },
  ): Promise<{ PublicKey?: Uint8Array | undefined; KeyUsage?: string | undefined; KeySpec?: string | undefined }>
  deriveSharedSecret(
    input: Granted & { KeyId: string; PublicKey: Uint8Array; KeyAgreementAlgorithm: 'ECDH' },
  ): Promise<{ KeyId?: string | undefined; SharedSecret?: Uint8Array | undefined }>
}

/** Of branch key stores. */
export interface KmsBranchKeyClient {
  generateDataKeyWithoutPlaintext(
    input: Granted & { KeyId: string; NumberOfBytes: number; EncryptionContext: Context },
  ): Promise<{ KeyId?: string | undefined; CiphertextBlob?: Uint8Array | undefined }>
  reEncrypt(
    input: Granted & {
      SourceKeyId: string
      SourceEncryptionContext: Context
      CiphertextBlob: Uint8Array
      DestinationKeyId: string
      DestinationEncryptionContext: Context
    },
  ): Promise<{ KeyId?: string | undefined; CiphertextBlob?: Uint8Array | undefined }>
  decrypt: KmsSymmetricClient['decrypt']
}

/** The client of a Region; undefined where this program may not call that Region. `''`: the Region is not known. */
export type ClientProvider<C = KmsSymmetricClient> = (region: string) => C | undefined

/** One client a Region, made when it is needed first. */
export function cacheClients<C>(provider: ClientProvider<C>): ClientProvider<C> {
  const clients = new Map<string, C | undefined>()
  return (region) => {
    if (!clients.has(region)) clients.set(region, provider(region))
    return clients.get(region)
  }
}

export const limitRegions =
  <C>(regions: readonly string[], provider: ClientProvider<C>): ClientProvider<C> =>
  (region) =>
    regions.includes(region) ? provider(region) : undefined

export const excludeRegions =
  <C>(regions: readonly string[], provider: ClientProvider<C>): ClientProvider<C> =>
  (region) =>
    regions.includes(region) ? undefined : provider(region)

/** A plain object, as clients serialize it. */
export const requestContext = (context: Readonly<Record<string, string>>): Context =>
  Object.fromEntries(Object.entries(context))

export const granted = (tokens: readonly string[] | undefined): Granted =>
  tokens?.length ? { GrantTokens: [...tokens] } : {}

/** Throws for an answer without the bytes that it must have. */
export function bytesOf(bytes: Uint8Array | undefined, member: string): Buffer {
  if (!bytes) throw new Error(`The answer of KMS has no ${member}.`)
  return Buffer.from(bytes)
}

export interface KmsKeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** `key/1234abcd-…` or `alias/name`. */
  readonly resource: string
}

export function parseKmsArn(text: string): KmsKeyArn | undefined {
  const [arn, partition, service, region, account, ...rest] = text.split(':')
  const resource = rest.join(':')
  if (arn !== 'arn' || service !== 'kms' || !partition || !region || !account) return undefined
  return /^(key|alias)\/./.test(resource) ? { partition, region, account, resource } : undefined
}

/** The ARN of a key, not of an alias; undefined for everything else. */
export function parseKeyArn(text: string): KmsKeyArn | undefined {
  const arn = parseKmsArn(text)
  return arn?.resource.startsWith('key/') ? arn : undefined
}

const isMultiRegion = (arn: KmsKeyArn | undefined) => arn?.resource.startsWith('key/mrk-') === true

/** Whether two ARNs name one key: equal, or replicas of one multi-Region key. */
export function sameMultiRegionKey(a: string, b: string): boolean {
  if (a === b) return true
  const [left, right] = [parseKeyArn(a), parseKeyArn(b)]
  if (!left || !right || !isMultiRegion(left) || !isMultiRegion(right)) return false
  return left.partition === right.partition && left.account === right.account && left.resource === right.resource
}

/** A multi-Region key in another Region; other ARNs as they are. */
export function inRegion(text: string, region: string): string {
  const arn = parseKeyArn(text)
  return arn && isMultiRegion(arn) ? `arn:${arn.partition}:kms:${region}:${arn.account}:${arn.resource}` : text
}

/** Throws `InvalidConfiguration` for what is no identifier of a key: an ARN, an alias or an id. */
export function assertKeyId(id: string): string {
  if (id.startsWith('arn:') ? parseKmsArn(id) : /^(alias\/.+|[\w-]+)$/.test(id)) return id
  throw new InvalidConfiguration(`Not the identifier of a KMS key: '${id}'.`)
}
