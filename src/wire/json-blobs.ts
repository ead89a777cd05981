/**
 * Large JSON bodies. Long base64 strings, such as deployment packages, are taken out of the text and decoded in slices, so
 * that the event loop answers other requests in between. What remains is as small as any other body and is parsed at once.
 */
import { randomUUID } from 'node:crypto'
import { Fault } from './fault.ts'
import { SLICE_BYTES, type Steps } from './sigv4/steps.ts'

/** Strings from this length on are taken out. */
const LONG_BYTES = 64 * 1024
/** Shorter strings are not searched for their end natively. */
const PROBE_BYTES = 256
/** The limit of calls that are not uploads, and so of a text that is parsed at once. */
export const REST_BYTES_MAX = 1024 * 1024
/** Bytes that are read one by one between two turns of the event loop: about a millisecond. */
const LOOPED_BYTES = 256 * 1024
/** Four characters of base64 are three bytes: slices end between two groups. */
const GROUPS_BYTES = SLICE_BYTES - (SLICE_BYTES % 4)

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BASE64 = /^[A-Za-z0-9+/]*$/
const BASE64_END = /^[A-Za-z0-9+/]*={0,2}$/

/** A string that was taken out. */
export interface LongString {
  readonly bytes: Buffer
  /** As it was written, for a member that is not a blob. */
  text(): string
}

export interface CutJson {
  /** The JSON text with a placeholder for each long string. */
  readonly rest: Buffer
  /** By placeholder. Requests cannot contain one: placeholders are random. */
  readonly strings: ReadonlyMap<string, LongString>
}

/** Throws a `Fault` when the rest is larger than other bodies may be. Says nothing about whether the text is valid. */
export function* cutLongStrings(body: Buffer): Steps<CutJson> {
  const pieces: Buffer[] = []
  const strings = new Map<string, LongString>()
  let restBytes = 0
  let kept = 0
  const keepUntil = (end: number) => {
    restBytes += end - kept
    if (restBytes > REST_BYTES_MAX) throw tooLarge()
    pieces.push(body.subarray(kept, end))
    kept = end
  }
  /** Where the current string begins; undefined outside of strings. */
  let start: number | undefined
  /** Where the end of the current string is searched for: reached without an escape, it may be base64. */
  let probeAt = -1
  let turnAt = LOOPED_BYTES
  for (let at = 0; at < body.length; at++) {
    if (at >= turnAt) {
      if (restBytes + at - kept > REST_BYTES_MAX) throw tooLarge()
      turnAt = at + LOOPED_BYTES
      yield
    }
    const byte = body[at]
    if (start === undefined) {
      if (byte !== QUOTE) continue
      start = at + 1
      probeAt = start + PROBE_BYTES
    } else if (byte === BACKSLASH) {
      at++
      probeAt = -1
    } else if (byte === QUOTE) start = undefined
    else if (at === probeAt) {
      const end = yield* endOf(body, at)
      const bytes = end - start < LONG_BYTES ? undefined : yield* decoded(body, start, end)
      if (!bytes) continue
      const [from, placeholder] = [start, randomUUID()]
      strings.set(placeholder, { bytes, text: () => body.toString('latin1', from, end) })
      keepUntil(from)
      pieces.push(Buffer.from(placeholder))
      kept = end
      start = undefined
      at = end
      turnAt = at + LOOPED_BYTES
    }
  }
  keepUntil(body.length)
  return { rest: Buffer.concat(pieces), strings }
}

/** The next quote, or the length of the body. */
function* endOf(body: Buffer, from: number): Steps<number> {
  for (let at = from; at < body.length; at += SLICE_BYTES) {
    const found = body.subarray(at, at + SLICE_BYTES).indexOf(QUOTE)
    if (found >= 0) return at + found
    yield
  }
  return body.length
}

/** Undefined where the text is not base64: it contains an escape, for example. */
function* decoded(body: Buffer, start: number, end: number): Steps<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(Math.ceil((end - start) / 4) * 3)
  let length = 0
  for (let at = start; at < end; at += GROUPS_BYTES) {
    const next = Math.min(at + GROUPS_BYTES, end)
    const text = body.toString('latin1', at, next)
    if (!(next === end ? BASE64_END : BASE64).test(text)) return undefined
    length += bytes.write(text, length, 'base64')
    yield
  }
  return bytes.subarray(0, length)
}

const tooLarge = () =>
  new Fault(
    'RequestEntityTooLarge',
    `Without its binary content, the request is larger than ${REST_BYTES_MAX} bytes. Send fewer or shorter values.`,
  )
