/** aws-chunked bodies: S3's framing, in which every chunk is signed over the one before it. */
import { checksumOfHeader, startChecksum } from '../checksums.ts'
import { Fault } from '../fault.ts'
import { sha256Hex } from './canonical.ts'
import { chunkMismatch } from './faults.ts'
import { scopeText, type VerifyingKey } from './keys.ts'
import type { Presented } from './present.ts'
import { SLICE_BYTES, type Steps, sha256Steps } from './steps.ts'

const EMPTY_SHA256 = sha256Hex('')
const SIGNED_LINE = /^([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{16,144}\**)$/
const PLAIN_LINE = /^([0-9a-fA-F]{1,8})$/
const TRAILER_LINE = /^([A-Za-z0-9-]{1,128}):[ \t]*([\x20-\x7e]{0,1024})$/
/** Of every chunk but the last. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
const CHUNK_BYTES_MIN = 8_192
const LINE_BYTES_MAX = 2_048
const TRAILERS_MAX = 16
const TRAILER_SIGNATURE = 'x-amz-trailer-signature'

export interface Framed {
  readonly body: Buffer
  /** The announced trailer names (`x-amz-trailer`), lower-case. */
  readonly trailerNames: readonly string[]
  /** The announced length (`x-amz-decoded-content-length`), as sent. */
  readonly decodedLength: string | undefined
}

/**
 * Takes the framing off and checks it: sizes, the chain of chunk signatures, the trailer and its signature.
 * One chunk is returned where it is; more are copied into one buffer, however many they are.
 * Throws `Fault`: `IncompleteBody` for broken framing, `SignatureDoesNotMatch` for a chunk that was tampered with,
 * `InvalidChunkSizeError` for small chunks, each of which costs as much as a large one.
 */
export function* decodeChunks(framed: Framed, presented: Presented, key: VerifyingKey): Steps<Buffer> {
  const { body } = framed
  const signed = presented.payload !== 'streaming-unsigned-trailer'
  const chain = new SignatureChain(presented, key)
  let joined: Buffer | undefined
  let first = 0
  let length = 0
  let previousBytes = Number.POSITIVE_INFINITY
  let at = 0

  for (let yieldedAt = 0; ; ) {
    const line = lineAt(body, at)
    const [, size, signature] = (signed ? SIGNED_LINE : PLAIN_LINE).exec(line) ?? []
    if (size === undefined) throw broken()
    const start = at + line.length + 2
    const end = start + Number.parseInt(size, 16)
    if (end > body.length) throw broken()
    if (signed) yield* chain.chunk(body.subarray(start, end), signature!)
    if (end > start && previousBytes < CHUNK_BYTES_MIN) throw tooSmall()
    if (end === start) {
      at = start
      break
    }
    if (body.toString('latin1', end, end + 2) !== '\r\n') throw broken()
    if (length === 0) first = start
    else {
      if (!joined) {
        joined = Buffer.allocUnsafe(body.length - first)
        body.copy(joined, 0, first, first + length)
      }
      body.copy(joined, length, start, end)
    }
    length += end - start
    previousBytes = end - start
    at = end + 2
    if (at - yieldedAt > SLICE_BYTES) {
      yieldedAt = at
      yield
    }
  }

  const decoded = joined ? joined.subarray(0, length) : body.subarray(first, first + length)
  if (framed.decodedLength !== undefined && framed.decodedLength !== String(decoded.length)) throw broken()
  const trailers = readTrailers(body, at)
  checkTrailers(trailers, framed.trailerNames, presented, chain)
  yield* checkSums(trailers, decoded)
  return decoded
}

/** Each signature covers the one before it, so chunks can be neither changed, moved, repeated nor left out. */
class SignatureChain {
  readonly #presented: Presented
  readonly #key: VerifyingKey
  #previous: string

  constructor(presented: Presented, key: VerifyingKey) {
    this.#presented = presented
    this.#key = key
    this.#previous = presented.signature
  }

  *chunk(data: Buffer, signature: string): Steps<void> {
    this.#link('PAYLOAD', `${EMPTY_SHA256}\n${yield* sha256Steps(data)}`, signature)
  }

  trailer(text: string, signature: string): void {
    this.#link('TRAILER', sha256Hex(text), signature)
  }

  #link(kind: 'PAYLOAD' | 'TRAILER', digests: string, signature: string): void {
    const { algorithm, amzDate } = this.#presented
    const text = `${algorithm}-${kind}\n${amzDate}\n${scopeText(this.#presented)}\n${this.#previous}\n${digests}`
    // SigV4a signatures vary in length and are padded with asterisks to keep chunk lengths predictable.
    const bare = algorithm === 'AWS4-HMAC-SHA256' ? signature : withoutPadding(signature)
    if (!this.#key.check(text, bare)) throw chunkMismatch()
    this.#previous = bare
  }
}

/** The lines after the last chunk, up to the empty one. */
function readTrailers(body: Buffer, start: number): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>()
  let at = start
  while (at < body.length) {
    const line = lineAt(body, at)
    at += line.length + 2
    // Some signers end a trailer with a line feed of its own before the CRLF, as AWS's documentation prints it.
    const text = line.endsWith('\n') ? line.slice(0, -1) : line
    if (text === '') {
      if (at !== body.length) throw broken()
      return trailers
    }
    const [, name, value] = TRAILER_LINE.exec(text) ?? []
    if (name === undefined || trailers.has(name.toLowerCase()) || trailers.size === TRAILERS_MAX) throw broken()
    trailers.set(name.toLowerCase(), value!.trimEnd())
  }
  // Without the empty line the body was cut, except where no trailer was promised and AWS's clients stop early.
  if (trailers.size > 0) throw broken()
  return trailers
}

function checkTrailers(
  trailers: ReadonlyMap<string, string>,
  announced: readonly string[],
  presented: Presented,
  chain: SignatureChain,
): void {
  const names = [...trailers.keys()].filter((name) => name !== TRAILER_SIGNATURE)
  const allowed = presented.payload === 'streaming-signed' ? [] : announced
  if (names.length !== allowed.length || names.some((name) => !allowed.includes(name))) {
    throw new Fault(
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed or did not conform to our published schema.',
      {
        status: 400,
      },
    )
  }
  if (presented.payload !== 'streaming-signed-trailer') {
    if (trailers.has(TRAILER_SIGNATURE)) throw broken()
    return
  }
  const text = names.map((name) => `${name}:${trailers.get(name)}\n`).join('')
  chain.trailer(text, trailers.get(TRAILER_SIGNATURE) ?? '')
}

function* checkSums(trailers: ReadonlyMap<string, string>, decoded: Buffer): Steps<void> {
  for (const [name, value] of trailers) {
    const algorithm = checksumOfHeader(name)
    if (!algorithm) continue
    const sum = startChecksum(algorithm)
    for (let at = 0; at < decoded.length; at += SLICE_BYTES) {
      sum.update(decoded.subarray(at, at + SLICE_BYTES))
      if (decoded.length > SLICE_BYTES) yield
    }
    if (sum.value() === value) continue
    throw new Fault('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, {
      status: 400,
    })
  }
}

/** The line at an offset, without its CRLF. */
function lineAt(body: Buffer, at: number): string {
  const end = body.indexOf('\r\n', at, 'latin1')
  if (end < 0 || end - at > LINE_BYTES_MAX) throw broken()
  return body.toString('latin1', at, end)
}

function broken(): Fault {
  return new Fault('IncompleteBody', 'The request body terminated unexpectedly', { status: 400 })
}

function tooSmall(): Fault {
  const message = `Only the last chunk is allowed to have a size less than ${CHUNK_BYTES_MIN} bytes`
  return new Fault('InvalidChunkSizeError', message, { status: 403 })
}

function withoutPadding(signature: string): string {
  let end = signature.length
  while (signature[end - 1] === '*') end--
  return signature.slice(0, end)
}
