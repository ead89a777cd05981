/**
 * The body: frames, each encrypted separately under its sequence number, so that none can be moved, left out or
 * repeated.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BodyAuthFailed, FrameLimitExceeded, MalformedMessage } from '../errors.ts'
import type { Suite } from '../suites.ts'
import { NONCE_BYTES, TAG_BYTES } from './header.ts'
import type { Reading } from './reading.ts'

/** The sequence number that announces the last frame; also how many frames a message can have. */
const FINAL = 0xffffffff
/** NIST SP 800-38D, section 5.2.1.1. */
const UNFRAMED_BYTES_MAX = 2 ** 36 - 32

const KINDS = {
  frame: Buffer.from('AWSKMSEncryptionClient Frame'),
  final: Buffer.from('AWSKMSEncryptionClient Final Frame'),
  single: Buffer.from('AWSKMSEncryptionClient Single Block'),
} as const
type Kind = keyof typeof KINDS

export interface BodyKey {
  readonly suite: Suite
  readonly key: Buffer
  readonly messageId: Buffer
}

/** Where in the message a part begins, for errors and for the signature. */
export interface BodyLimits {
  readonly frameLength: number
  /** The most that is held in memory of a frame or of an unframed body. */
  readonly maxBodyLength: number
  /** Of the first byte of the body. */
  readonly offset: number
  /** Called with every byte of the body, in order. */
  readonly signed?: (bytes: Buffer) => void
}

/** Plaintext of one frame, authenticated. */
export interface Opened {
  readonly plaintext: Buffer
  /** The last one. */
  readonly final: boolean
}

function authenticated(messageId: Buffer, kind: Kind, sequence: number, length: number): Buffer {
  const numbers = Buffer.alloc(12)
  numbers.writeUInt32BE(sequence)
  numbers.writeBigUInt64BE(BigInt(length), 4)
  return Buffer.concat([messageId, KINDS[kind], numbers])
}

function nonceOf(sequence: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(sequence, NONCE_BYTES - 4)
  return nonce
}

/** A frame as it is written. Throws `FrameLimitExceeded` for the number of a frame that the format cannot hold. */
export function sealFrame(
  { suite, key, messageId }: BodyKey,
  sequence: number,
  plaintext: Buffer,
  final: boolean,
): Buffer[] {
  if (sequence > (final ? FINAL : FINAL - 1))
    throw new FrameLimitExceeded('A message has at most 4294967295 frames: choose a larger frame length.')
  const nonce = nonceOf(sequence)
  const cipher = createCipheriv(suite.cipher, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(authenticated(messageId, final ? 'final' : 'frame', sequence, plaintext.length))
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  const head = Buffer.alloc(final ? 12 + NONCE_BYTES : 4 + NONCE_BYTES)
  let at = final ? head.writeUInt32BE(FINAL) : 0
  at = head.writeUInt32BE(sequence, at)
  at += nonce.copy(head, at)
  if (final) head.writeUInt32BE(plaintext.length, at)
  return [head, ciphertext, cipher.getAuthTag()]
}

function open(
  { suite, key, messageId }: BodyKey,
  kind: Kind,
  sequence: number,
  nonce: Buffer,
  ciphertext: Buffer,
  tag: Buffer,
): Buffer {
  const decipher = createDecipheriv(suite.cipher, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(authenticated(messageId, kind, sequence, ciphertext.length))
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    throw new BodyAuthFailed(`Part ${sequence} of the message was changed, moved or cut.`)
  }
}

/** Throws `MalformedMessage`, `FrameLimitExceeded` and `BodyAuthFailed`. */
export function* readFrames(
  body: BodyKey,
  { frameLength, maxBodyLength, offset, signed }: BodyLimits,
): Reading<Opened, number> {
  if (frameLength > maxBodyLength) throw tooLong(frameLength, maxBodyLength)
  let at = offset
  function* bytes(count: number): Reading<never, Buffer> {
    const read = yield count
    signed?.(read)
    at += count
    return read
  }

  for (let sequence = 1; ; sequence++) {
    let number = (yield* bytes(4)).readUInt32BE()
    const final = number === FINAL
    if (final) number = (yield* bytes(4)).readUInt32BE()
    if (number !== sequence)
      throw new MalformedMessage(`Frame ${sequence} is missing, moved or repeated: found frame ${number}`, at - 4)
    const nonce = yield* bytes(NONCE_BYTES)
    if (!nonce.equals(nonceOf(sequence)))
      throw new BodyAuthFailed(`The nonce of frame ${sequence} is not its sequence number.`)
    const length = final ? (yield* bytes(4)).readUInt32BE() : frameLength
    if (length > frameLength)
      throw new MalformedMessage(`The last frame has ${length} bytes, a frame ${frameLength}`, at - 4)
    const ciphertext = yield* bytes(length)
    const tag = yield* bytes(TAG_BYTES)
    yield { plaintext: open(body, final ? 'final' : 'frame', sequence, nonce, ciphertext, tag), final }
    if (final) return at
  }
}

/** Throws `FrameLimitExceeded` and `BodyAuthFailed`. */
export function* readUnframed(body: BodyKey, { maxBodyLength, offset, signed }: BodyLimits): Reading<Opened, number> {
  let at = offset
  function* bytes(count: number): Reading<never, Buffer> {
    const read = yield count
    signed?.(read)
    at += count
    return read
  }
  const nonce = yield* bytes(NONCE_BYTES)
  const length = (yield* bytes(8)).readBigUInt64BE()
  if (length > UNFRAMED_BYTES_MAX) throw new MalformedMessage(`An unframed body cannot have ${length} bytes`, at - 8)
  if (length > maxBodyLength) throw tooLong(Number(length), maxBodyLength)
  const ciphertext = yield* bytes(Number(length))
  const tag = yield* bytes(TAG_BYTES)
  yield { plaintext: open(body, 'single', 1, nonce, ciphertext, tag), final: true }
  return at
}

const tooLong = (length: number, most: number) =>
  new FrameLimitExceeded(
    `The message has to be held in parts of ${length} bytes; at most ${most} are allowed (maxBodyLength).`,
  )
