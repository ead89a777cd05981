/** Encrypts one message: the header first, then frames as plaintext arrives, then the signature. */
import type { KeyObject } from 'node:crypto'
import { createSign, randomBytes, type Sign } from 'node:crypto'
import { encodeContext } from '../context.ts'
import { FrameLimitExceeded } from '../errors.ts'
import { hiddenContext, storedContext } from '../materials/default.ts'
import type { EncryptionMaterials } from '../materials/materials.ts'
import { ByteQueue } from './byte-queue.ts'
import { sealFrame } from './frames.ts'
import { MESSAGE_ID_BYTES, type MessageHeader, NONCE_BYTES, writeHeader } from './header.ts'
import { deriveKeys, headerTag } from './keys.ts'

export interface EncoderOptions {
  readonly frameLength: number
  /** The most plaintext that the caller says there is; more is refused. */
  readonly plaintextLength?: number
}

export class MessageEncoder {
  readonly header: MessageHeader
  /** The bytes before the first frame. */
  readonly head: Buffer
  readonly #key: Buffer
  readonly #signingKey: KeyObject | undefined
  readonly #sign: Sign | undefined
  readonly #limit: number
  readonly #queue = new ByteQueue()
  #sequence = 1
  #plaintext = 0

  /** Wipes the data key of the materials. */
  constructor(materials: EncryptionMaterials, { frameLength, plaintextLength }: EncoderOptions) {
    const { suite, dataKey, encryptedDataKeys, signingKey } = materials
    this.header = {
      version: suite.version,
      suite,
      messageId: randomBytes(MESSAGE_ID_BYTES[suite.version]),
      encryptionContext: storedContext(materials),
      encryptedDataKeys,
      contentType: 'framed',
      frameLength,
    }
    const { key, commitment } = deriveKeys(suite, dataKey, this.header.messageId)
    dataKey.fill(0)
    this.#key = key
    this.#limit = plaintextLength ?? Number.POSITIVE_INFINITY
    const body = writeHeader(this.header, commitment)
    const tag = headerTag(suite, key, [body, encodeContext(hiddenContext(materials))])
    this.head = Buffer.concat(suite.version === 1 ? [body, Buffer.alloc(NONCE_BYTES), tag] : [body, tag])
    this.#signingKey = signingKey
    this.#sign = signingKey && createSign(suite.signature!.hash).update(this.head)
  }

  /** Returns the frames that are complete. `chunk` must not change afterwards. */
  push(chunk: Buffer): Buffer[] {
    this.#plaintext += chunk.length
    if (this.#plaintext > this.#limit)
      throw new FrameLimitExceeded(`There is more plaintext than the ${this.#limit} bytes that were announced.`)
    this.#queue.push(chunk)
    const { frameLength } = this.header
    const frames: Buffer[] = []
    // What fills the last frame waits: whether more comes is not known yet.
    while (this.#queue.length > frameLength) this.#seal(frames, frameLength, false)
    return frames
  }

  /** Returns the last frame and the signature, and wipes the key. */
  end(): Buffer[] {
    const last: Buffer[] = []
    this.#seal(last, this.#queue.length, true)
    this.#key.fill(0)
    if (!this.#sign) return last
    const signature = this.#sign.sign(this.#signingKey!)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(signature.length)
    return [...last, length, signature]
  }

  #seal(into: Buffer[], length: number, final: boolean): void {
    const { suite, messageId } = this.header
    const parts = sealFrame({ suite, key: this.#key, messageId }, this.#sequence, this.#queue.take(length), final)
    this.#sequence += 1
    for (const part of parts) this.#sign?.update(part)
    into.push(...parts)
  }
}
