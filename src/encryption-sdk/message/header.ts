/**
 * The message header, versions 1 and 2: read from untrusted bytes, and written.
 *
 * Source: AWS Encryption SDK message format, https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
 */
import { contextOf, type EncryptionContext, encodeContext } from '../context.ts'
import { FrameLimitExceeded, InvalidConfiguration, MalformedMessage, TooManyEncryptedDataKeys } from '../errors.ts'
import { findSuite, type Suite, suiteHex } from '../suites.ts'
import type { Reading } from './reading.ts'

/** A data key, encrypted under one wrapping key. */
export interface EncryptedDataKey {
  /** The kind of keyring: `aws-kms`, or the namespace of a raw key. */
  readonly providerId: string
  /** Which wrapping key, as text: a KMS key ARN, or the name of a raw key. */
  readonly providerInfo: string
  /** The same as bytes: raw AES and ECDH keyrings add binary fields. */
  readonly rawInfo: Buffer
  readonly encryptedDataKey: Buffer
}

export const encryptedDataKey = (
  providerId: string,
  info: string | Buffer,
  ciphertext: Uint8Array,
): EncryptedDataKey => ({
  providerId,
  providerInfo: info.toString('utf8'),
  rawInfo: Buffer.from(info as Buffer),
  encryptedDataKey: Buffer.from(ciphertext),
})

export interface MessageHeader {
  readonly version: 1 | 2
  readonly suite: Suite
  readonly messageId: Buffer
  /** As the message stores it; not authenticated before the message is. */
  readonly encryptionContext: EncryptionContext
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  readonly contentType: 'framed' | 'unframed'
  /** Bytes of plaintext in each frame but the last; 0 when unframed. */
  readonly frameLength: number
}

/** A header as it was read: also what its authentication needs. */
export interface ReadHeader extends MessageHeader {
  /** The bytes that the tag authenticates: all before the nonce and the tag. */
  readonly body: Buffer
  /** Version 2. */
  readonly commitment?: Buffer
  readonly nonce: Buffer
  readonly tag: Buffer
  /** Of the whole header. */
  readonly length: number
}

export interface HeaderLimits {
  readonly maxEncryptedDataKeys: number
  /** Bytes of the whole header. */
  readonly maxHeaderLength: number
}

export const MESSAGE_ID_BYTES = { 1: 16, 2: 32 } as const
export const COMMITMENT_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
const TYPE_CUSTOMER_AUTHENTICATED = 0x80
const CONTENT_TYPES = { unframed: 1, framed: 2 } as const

/** Throws `MalformedMessage`, `TooManyEncryptedDataKeys` and `FrameLimitExceeded`. */
export function* readHeader({ maxEncryptedDataKeys, maxHeaderLength }: HeaderLimits): Reading<never, ReadHeader> {
  const parts: Buffer[] = []
  let length = 0
  function* bytes(count: number): Reading<never, Buffer> {
    if (length + count > maxHeaderLength)
      throw new FrameLimitExceeded(`The header of the message is longer than ${maxHeaderLength} bytes.`)
    const read = yield count
    parts.push(read)
    length += count
    return read
  }
  function* sized(): Reading<never, Buffer> {
    return yield* bytes((yield* bytes(2)).readUInt16BE())
  }

  const version = (yield* bytes(1))[0]
  if (version !== 1 && version !== 2)
    throw new MalformedMessage(`Not a message of the AWS Encryption SDK: version ${version} is unknown`, 0)
  if (version === 1 && (yield* bytes(1))[0] !== TYPE_CUSTOMER_AUTHENTICATED)
    throw new MalformedMessage('The type of the message is unknown', 1)
  const suiteAt = length
  const suiteId = (yield* bytes(2)).readUInt16BE()
  const suite = findSuite(suiteId)
  if (suite?.version !== version)
    throw new MalformedMessage(
      `Version ${version} of the format has no algorithm suite 0x${suiteHex(suiteId)}`,
      suiteAt,
    )
  const messageId = yield* bytes(MESSAGE_ID_BYTES[version])

  const contextAt = length + 2
  const encodedContext = yield* sized()
  const encryptionContext = decodeContext(encodedContext, contextAt)

  const countAt = length
  const count = (yield* bytes(2)).readUInt16BE()
  if (count === 0) throw new MalformedMessage('The message has no encrypted data key', countAt)
  if (count > maxEncryptedDataKeys)
    throw new TooManyEncryptedDataKeys(
      `The message has ${count} encrypted data keys; at most ${maxEncryptedDataKeys} are allowed.`,
    )
  const encryptedDataKeys: EncryptedDataKey[] = []
  for (let n = 0; n < count; n++) {
    const at = length + 2
    const providerId = text(yield* sized(), at)
    const info = yield* sized()
    encryptedDataKeys.push(encryptedDataKey(providerId, info, yield* sized()))
  }

  const typeAt = length
  const type = (yield* bytes(1))[0]
  const contentType =
    type === CONTENT_TYPES.framed ? 'framed' : type === CONTENT_TYPES.unframed ? 'unframed' : undefined
  if (!contentType) throw new MalformedMessage(`The content type ${type} is unknown`, typeAt)
  if (version === 1) {
    if ((yield* bytes(4)).readUInt32BE() !== 0) throw new MalformedMessage('Reserved bytes are not zero', length - 4)
    if ((yield* bytes(1))[0] !== NONCE_BYTES) throw new MalformedMessage('The length of nonces is not 12', length - 1)
  }
  const frameLength = (yield* bytes(4)).readUInt32BE()
  if ((contentType === 'framed') !== frameLength > 0)
    throw new MalformedMessage(`The frame length ${frameLength} does not fit ${contentType} content`, length - 4)
  const commitment = version === 2 ? yield* bytes(COMMITMENT_BYTES) : undefined

  const body = Buffer.concat(parts)
  const nonce = version === 1 ? yield* bytes(NONCE_BYTES) : Buffer.alloc(NONCE_BYTES)
  const tag = yield* bytes(TAG_BYTES)
  return {
    version,
    suite,
    messageId: Buffer.from(messageId),
    encryptionContext,
    encryptedDataKeys,
    contentType,
    frameLength,
    body,
    ...(commitment && { commitment: Buffer.from(commitment) }),
    nonce,
    tag,
    length,
  }
}

/** All that the tag authenticates. */
export function writeHeader(header: MessageHeader, commitment?: Buffer): Buffer {
  const { version, suite, messageId, encryptionContext, encryptedDataKeys, contentType, frameLength } = header
  const context = encodeContext(encryptionContext)
  const keys = encryptedDataKeys.flatMap(({ providerId, rawInfo, encryptedDataKey }) => [
    ...sized(Buffer.from(providerId, 'utf8')),
    ...sized(rawInfo),
    ...sized(encryptedDataKey),
  ])
  return Buffer.concat([
    Buffer.from(version === 1 ? [1, TYPE_CUSTOMER_AUTHENTICATED] : [2]),
    uint16(suite.id),
    messageId,
    ...sized(context),
    uint16(encryptedDataKeys.length),
    ...keys,
    Buffer.from([CONTENT_TYPES[contentType]]),
    ...(version === 1 ? [Buffer.from([0, 0, 0, 0, NONCE_BYTES])] : []),
    uint32(frameLength),
    ...(commitment ? [commitment] : []),
  ])
}

/** The pairs in any order: older versions of the official SDK for JavaScript sort them by language. */
function decodeContext(encoded: Buffer, offset: number): EncryptionContext {
  if (encoded.length === 0) return contextOf([])
  let at = 0
  const take = (bytes: number): Buffer => {
    if (at + bytes > encoded.length) throw new MalformedMessage('The encryption context ends too early', offset + at)
    at += bytes
    return encoded.subarray(at - bytes, at)
  }
  const sizedText = () => {
    const bytes = take(take(2).readUInt16BE())
    return text(bytes, offset + at - bytes.length)
  }
  const count = take(2).readUInt16BE()
  if (count === 0) throw new MalformedMessage('An encryption context without pairs has no bytes', offset)
  const pairs = new Map<string, string>()
  for (let n = 0; n < count; n++) {
    const keyAt = offset + at
    const key = sizedText()
    if (pairs.has(key)) throw new MalformedMessage('The encryption context has a key twice', keyAt)
    pairs.set(key, sizedText())
  }
  if (at !== encoded.length) throw new MalformedMessage('The encryption context has more bytes than pairs', offset + at)
  return contextOf(pairs)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Buffer, offset: number): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new MalformedMessage('Text is not UTF-8', offset)
  }
}

function sized(bytes: Buffer): [Buffer, Buffer] {
  if (bytes.length > 0xffff)
    throw new InvalidConfiguration(`A field of the header has ${bytes.length} bytes; the format has room for 65535.`)
  return [uint16(bytes.length), bytes]
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
