/**
 * Decrypts one message as its bytes arrive. Plaintext leaves frame by frame, each after its tag was checked; the last frame
 * of a signed message leaves after its signature was checked.
 */
import { createVerify, type Verify } from 'node:crypto'
import { type EncryptionContext, encodeContext } from '../context.ts'
import { FrameLimitExceeded, SignatureInvalid, SignedMessageRefused, TrailingData } from '../errors.ts'
import { hiddenContext } from '../materials/default.ts'
import type { CryptographicMaterialsManager, DecryptionMaterials } from '../materials/materials.ts'
import { assertDecryptable, type CommitmentPolicy } from '../suites.ts'
import { ByteQueue } from './byte-queue.ts'
import { type Opened, readFrames, readUnframed } from './frames.ts'
import { type HeaderLimits, type ReadHeader, readHeader } from './header.ts'
import { assertCommitment, assertHeader, deriveKeys } from './keys.ts'
import { Reader, type Reading } from './reading.ts'

export interface DecoderOptions extends HeaderLimits {
  readonly manager: CryptographicMaterialsManager
  readonly commitmentPolicy: CommitmentPolicy
  readonly encryptionContext?: EncryptionContext
  /** Refuse signed messages: their plaintext would leave before the signature is checked. */
  readonly unsignedOnly: boolean
  /** Bytes that are held of one frame, or of an unframed body. */
  readonly maxBodyLength: number
}

export class MessageDecoder {
  readonly #options: DecoderOptions
  readonly #queue = new ByteQueue()
  #header: Reader<never, ReadHeader>
  #body: Reader<Opened, void> | undefined
  #key: Buffer | undefined
  #context: EncryptionContext | undefined
  #started = false
  #received = 0

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#header = new Reader(readHeader(options), this.#queue)
  }

  /** Once the header is authenticated. */
  get header(): ReadHeader | undefined {
    return this.#context && this.#header.result?.value
  }

  /** The whole context, stored and reproduced, once it is authenticated. */
  get encryptionContext(): EncryptionContext | undefined {
    return this.#context
  }

  /** Whether all of the message was read, and its signature checked. */
  get complete(): boolean {
    return this.#body?.result !== undefined
  }

  /** Returns plaintext that is authenticated. `chunk` must not change afterwards. */
  async push(chunk: Buffer): Promise<Buffer[]> {
    try {
      this.#received += chunk.length
      this.#queue.push(chunk)
      if (!this.#body) {
        this.#header.run(!this.#started)
        this.#started = true
        const read = this.#header.result
        if (!read) return []
        await this.#begin(read.value)
      } else return this.#open(false)
      return this.#open(true)
    } catch (error) {
      this.wipe()
      throw error
    }
  }

  /** Throws when the message is not complete. */
  end(): void {
    const unread = this.#body ?? this.#header
    try {
      unread.end(this.#received)
    } finally {
      this.wipe()
    }
  }

  /** Forgets the key. */
  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }

  #open(start: boolean): Buffer[] {
    const plaintext = this.#body!.run(start).map((opened) => opened.plaintext)
    if (!this.#body!.result) return plaintext
    this.wipe()
    if (this.#queue.length === 0) return plaintext
    for (const part of plaintext) part.fill(0)
    throw new TrailingData(`There are ${this.#queue.length} bytes or more after the end of the message.`)
  }

  async #begin(header: ReadHeader): Promise<void> {
    const { manager, commitmentPolicy, encryptionContext, unsignedOnly, maxBodyLength } = this.#options
    const { suite } = header
    assertDecryptable(commitmentPolicy, suite)
    if (unsignedOnly && suite.signature)
      throw new SignedMessageRefused('The message is signed; only messages without a signature are accepted here.')
    if (header.frameLength > maxBodyLength)
      throw new FrameLimitExceeded(
        `The frames of the message have ${header.frameLength} bytes; at most ${maxBodyLength} are allowed (maxBodyLength).`,
      )
    const materials = await manager.decryptMaterials({
      suite,
      commitmentPolicy,
      encryptionContext: header.encryptionContext,
      encryptedDataKeys: header.encryptedDataKeys,
      ...(encryptionContext && { reproducedContext: encryptionContext }),
    })
    const { key, commitment } = deriveKeys(suite, materials.dataKey, header.messageId)
    materials.dataKey.fill(0)
    this.#key = key
    assertCommitment(commitment, header.commitment)
    const hidden = encodeContext(hiddenContext(materials))
    assertHeader(suite, key, header.nonce, header.tag, [header.body, hidden])
    this.#context = materials.encryptionContext
    this.#body = new Reader(readBody(header, key, materials, maxBodyLength), this.#queue)
  }
}

function* readBody(
  header: ReadHeader,
  key: Buffer,
  { verificationKey }: DecryptionMaterials,
  maxBodyLength: number,
): Reading<Opened, void> {
  const { suite, messageId, frameLength, length: offset } = header
  const verify: Verify | undefined = verificationKey && createVerify(suite.signature!.hash)
  verify?.update(header.body)
  verify?.update(suite.version === 1 ? Buffer.concat([header.nonce, header.tag]) : header.tag)
  const read = header.contentType === 'framed' ? readFrames : readUnframed
  const frames = read(
    { suite, key, messageId },
    { frameLength, maxBodyLength, offset, ...(verify && { signed: (bytes) => void verify.update(bytes) }) },
  )
  if (!verify) return void (yield* frames)

  let last: Opened | undefined
  for (let step = frames.next(); ; ) {
    if (step.done) break
    if (typeof step.value === 'number') step = frames.next(yield step.value)
    else {
      if (step.value.final) last = step.value
      else yield step.value
      step = frames.next(undefined as never)
    }
  }
  const signature = yield (yield 2).readUInt16BE()
  if (!verify.verify(verificationKey!, signature)) {
    last?.plaintext.fill(0)
    throw new SignatureInvalid('The signature of the message does not fit it.')
  }
  if (last) yield last
}
