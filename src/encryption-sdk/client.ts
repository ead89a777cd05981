/** `buildClient`: encrypt and decrypt, whole or streamed. Names and results follow the AWS Encryption SDK for JavaScript. */
import { type Duplex, type Readable, Transform, type TransformCallback } from 'node:stream'
import { TransformStream } from 'node:stream/web'
import { callersContext, type EncryptionContext } from './context.ts'
import { InvalidConfiguration, TooManyEncryptedDataKeys } from './errors.ts'
import { managerOf } from './materials/default.ts'
import type { CryptographicMaterialsManager, Keyring } from './materials/materials.ts'
import { MessageDecoder } from './message/decoder.ts'
import { MessageEncoder } from './message/encoder.ts'
import type { EncryptedDataKey, MessageHeader } from './message/header.ts'
import { CommitmentPolicy, type SuiteId, type SuiteName, suiteToEncrypt } from './suites.ts'

export interface ClientOptions {
  /** Default: REQUIRE_ENCRYPT_REQUIRE_DECRYPT. */
  readonly commitmentPolicy?: CommitmentPolicy
  /** Of a message, to write and to read; each may cost a call to KMS. Default: 100. */
  readonly maxEncryptedDataKeys?: number
}

export interface EncryptOptions {
  /** Not secret: part of the message in clear text. Needed again to decrypt, and in the audit log of KMS. */
  readonly encryptionContext?: EncryptionContext
  /** Default: that of the commitment policy, AES-256-GCM with key commitment and signature. */
  readonly suiteId?: SuiteId
  /** Bytes of plaintext in a frame. Default: 4096. */
  readonly frameLength?: number
  /** For streams: how much there is at most. A cache uses it to count bytes. */
  readonly plaintextLength?: number
}

export interface DecryptOptions {
  /** What the message must have been encrypted with. Keys that the message does not store are required, too. */
  readonly encryptionContext?: EncryptionContext
  /** Bytes of one frame, or of an unframed body, that are held at most. Default: 64 MiB for streams, no limit otherwise. */
  readonly maxBodyLength?: number
  /** Bytes of a header that are read at most. Default: 1 MiB. */
  readonly maxHeaderLength?: number
}

/** What a header says, once it is authenticated. */
export interface MessageInfo {
  readonly version: 1 | 2
  readonly suiteId: SuiteId
  readonly suite: SuiteName
  readonly signed: boolean
  readonly messageId: Buffer
  readonly encryptionContext: EncryptionContext
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  readonly contentType: 'framed' | 'unframed'
  readonly frameLength: number
}

export type Source = Keyring | CryptographicMaterialsManager
type Bytes = Uint8Array | string

export const FRAME_LENGTH_DEFAULT = 4096
export const FRAME_LENGTH_MAX = 2 ** 32 - 1
export const HEADER_LENGTH_MAX_DEFAULT = 2 ** 20
/** Of streams, which are there to use little memory. */
export const BODY_LENGTH_MAX_DEFAULT = 64 * 2 ** 20
export const DATA_KEYS_MAX_DEFAULT = 100

export const infoOf = (header: MessageHeader, encryptionContext = header.encryptionContext): MessageInfo => ({
  version: header.version,
  suiteId: header.suite.id,
  suite: header.suite.name,
  signed: header.suite.signature !== undefined,
  messageId: header.messageId,
  encryptionContext,
  encryptedDataKeys: header.encryptedDataKeys,
  contentType: header.contentType,
  frameLength: header.frameLength,
})

/**
 * @example
 * const { encrypt, decrypt } = buildClient()
 * const keyring = new KmsKeyring({ generatorKeyId, clientProvider: (region) => new KMS({ region }) })
 * const { result } = await encrypt(keyring, 'attack at dawn', { encryptionContext: { purpose: 'demo' } })
 * const { plaintext } = await decrypt(keyring, result, { encryptionContext: { purpose: 'demo' } })
 */
export function buildClient(options: ClientOptions | CommitmentPolicy = {}) {
  const given = typeof options === 'string' ? { commitmentPolicy: options } : options
  const {
    commitmentPolicy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys = DATA_KEYS_MAX_DEFAULT,
  } = given
  if (!Object.hasOwn(CommitmentPolicy, commitmentPolicy))
    throw new InvalidConfiguration(`There is no commitment policy '${commitmentPolicy}'.`)
  if (!Number.isSafeInteger(maxEncryptedDataKeys) || maxEncryptedDataKeys < 1)
    throw new InvalidConfiguration('maxEncryptedDataKeys is a whole number from 1.')

  async function encoder(source: Source, options: EncryptOptions): Promise<MessageEncoder> {
    const { frameLength = FRAME_LENGTH_DEFAULT, plaintextLength, suiteId } = options
    if (!Number.isSafeInteger(frameLength) || frameLength < 1 || frameLength > FRAME_LENGTH_MAX)
      throw new InvalidConfiguration(`frameLength is a whole number from 1 to ${FRAME_LENGTH_MAX}.`)
    suiteToEncrypt(commitmentPolicy, suiteId)
    const materials = await managerOf(source).getEncryptionMaterials({
      encryptionContext: callersContext(options.encryptionContext),
      commitmentPolicy,
      ...(suiteId !== undefined && { suiteId }),
      ...(plaintextLength !== undefined && { plaintextLength }),
    })
    // Again: a manager may have chosen another suite.
    suiteToEncrypt(commitmentPolicy, materials.suite.id)
    const count = materials.encryptedDataKeys.length
    if (count > maxEncryptedDataKeys) {
      materials.dataKey.fill(0)
      throw new TooManyEncryptedDataKeys(
        `The keyring made ${count} encrypted data keys; at most ${maxEncryptedDataKeys} are allowed.`,
      )
    }
    return new MessageEncoder(materials, { frameLength, ...(plaintextLength !== undefined && { plaintextLength }) })
  }

  function decoder(source: Source, options: DecryptOptions, streamed: boolean, unsignedOnly: boolean): MessageDecoder {
    return new MessageDecoder({
      manager: managerOf(source),
      commitmentPolicy,
      maxEncryptedDataKeys,
      maxHeaderLength: options.maxHeaderLength ?? HEADER_LENGTH_MAX_DEFAULT,
      maxBodyLength: options.maxBodyLength ?? (streamed ? BODY_LENGTH_MAX_DEFAULT : Number.POSITIVE_INFINITY),
      unsignedOnly,
      ...(options.encryptionContext && { encryptionContext: options.encryptionContext }),
    })
  }

  return {
    /** Encrypts a whole plaintext; text is encoded in UTF-8. */
    async encrypt(source: Source, plaintext: Bytes, options: EncryptOptions = {}) {
      const bytes = bufferOf(plaintext)
      const message = await encoder(source, { ...options, plaintextLength: bytes.length })
      const result = Buffer.concat([message.head, ...message.push(bytes), ...message.end()])
      return { result, messageHeader: infoOf(message.header) }
    },

    /** Decrypts a whole message. Nothing is returned before all of it was checked. */
    async decrypt(source: Source, ciphertext: Uint8Array, options: DecryptOptions = {}) {
      const message = decoder(source, options, false, false)
      const parts = await message.push(bufferOf(ciphertext))
      try {
        message.end()
      } catch (error) {
        for (const part of parts) part.fill(0)
        throw error
      }
      return { plaintext: Buffer.concat(parts), messageHeader: infoOf(message.header!, message.encryptionContext) }
    },

    /** A Node stream from plaintext to ciphertext. Emits `MessageHeader` before the first byte. */
    encryptStream: (source: Source, options: EncryptOptions = {}): Duplex =>
      nodeStream(() => encrypting(encoder(source, options))),

    /**
     * A Node stream from ciphertext to plaintext. Emits `MessageHeader` once the header is authenticated. Of a signed message,
     * frames leave before the signature is checked: undo what you did with them when the stream fails.
     */
    decryptStream: (source: Source, options: DecryptOptions = {}): Duplex =>
      nodeStream(() => decrypting(decoder(source, options, true, false))),

    /** The same for messages without a signature, whose frames are final as they leave; refuses signed ones. */
    decryptUnsignedMessageStream: (source: Source, options: DecryptOptions = {}): Duplex =>
      nodeStream(() => decrypting(decoder(source, options, true, true))),

    /** {@link encryptStream} for streams of the web platform: `readable.pipeThrough(…)`. */
    encryptTransform: (source: Source, options: EncryptOptions = {}) => webStream(encrypting(encoder(source, options))),

    /** {@link decryptStream} for streams of the web platform. */
    decryptTransform: (source: Source, options: DecryptOptions = {}) =>
      webStream(decrypting(decoder(source, options, true, false))),
  }
}

export type EncryptionSdkClient = ReturnType<typeof buildClient>

/** One direction, whatever the kind of stream. */
interface Conversion {
  push(chunk: Buffer): Promise<Buffer[]>
  end(): Promise<Buffer[]>
  header(): MessageInfo | undefined
  stop(): void
}

function encrypting(ready: Promise<MessageEncoder>): Conversion {
  // Refused on first use; a stream that is never written to refuses nothing.
  ready.catch(() => undefined)
  let message: MessageEncoder | undefined
  const begin = async (): Promise<Buffer[]> => {
    if (message) return []
    message = await ready
    return [message.head]
  }
  return {
    push: async (chunk) => [...(await begin()), ...message!.push(chunk)],
    end: async () => [...(await begin()), ...message!.end()],
    header: () => message && infoOf(message.header),
    stop: () => undefined,
  }
}

const decrypting = (message: MessageDecoder): Conversion => ({
  push: (chunk) => message.push(chunk),
  end: async () => {
    message.end()
    return []
  },
  header: () => message.header && infoOf(message.header, message.encryptionContext),
  stop: () => message.wipe(),
})

function nodeStream(open: () => Conversion): Duplex {
  const conversion = open()
  let announced = false
  const pass = (stream: Transform, parts: Promise<Buffer[]>, done: TransformCallback) => {
    parts.then(
      (ready) => {
        const header = announced ? undefined : conversion.header()
        if (header) {
          announced = true
          stream.emit('MessageHeader', header)
        }
        // A listener may have refused the header.
        if (!stream.destroyed) for (const part of ready) stream.push(part)
        done()
      },
      (error: Error) => done(error),
    )
  }
  return new Transform({
    transform(chunk: Buffer, encoding, done) {
      // Copied: a writer may use its buffer again once the chunk is accepted.
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : Buffer.from(chunk)
      pass(this, conversion.push(bytes), done)
    },
    flush(done) {
      pass(this, conversion.end(), done)
    },
    destroy(error, done) {
      conversion.stop()
      done(error)
    },
  })
}

function webStream(conversion: Conversion): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      for (const part of await conversion.push(Buffer.from(chunk))) controller.enqueue(part)
    },
    async flush(controller) {
      for (const part of await conversion.end()) controller.enqueue(part)
    },
  })
}

function bufferOf(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Reads a stream to its end. */
export async function gather(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
