/**
 * The encryption context: pairs that are not secret, and without which a message does not decrypt. Encoded as a count and
 * the pairs with their lengths, sorted by the bytes of their keys; an empty context is no bytes at all.
 */
import { EncryptionContextMismatch, InvalidEncryptionContext, ReservedEncryptionContextKey } from './errors.ts'

export type EncryptionContext = Readonly<Record<string, string>>

export const RESERVED_PREFIX = 'aws-crypto-'
/** Where the public key of a signed message is. */
export const PUBLIC_KEY = 'aws-crypto-public-key'

const BYTES_MAX = 0xffff

/** A context without a prototype, so that no key (`__proto__`) means anything but itself. */
export function contextOf(pairs: Iterable<readonly [string, string]>): EncryptionContext {
  const context: Record<string, string> = Object.create(null)
  for (const [key, value] of pairs) context[key] = value
  return context
}

/** A caller's context, copied. Throws for reserved keys and for what cannot be encoded. */
export function callersContext(context: EncryptionContext = {}): EncryptionContext {
  const entries = Object.entries(context)
  for (const [key, value] of entries) {
    if (key.startsWith(RESERVED_PREFIX))
      throw new ReservedEncryptionContextKey(
        `Encryption context keys that begin with ${RESERVED_PREFIX} are reserved: '${key}'.`,
      )
    if (key === '') throw new InvalidEncryptionContext('An encryption context key is empty.')
    if (typeof value !== 'string')
      throw new InvalidEncryptionContext(`The encryption context value of '${key}' is not a string.`)
  }
  const copy = contextOf(entries)
  encodeContext(copy)
  return copy
}

/** Throws `InvalidEncryptionContext` beyond 65,535 bytes. */
export const encodeContext = (context: EncryptionContext): Buffer =>
  encodePairs(
    Object.entries(context)
      .map(encodePair)
      .sort(([a], [b]) => Buffer.compare(a, b)),
  )

/**
 * The context as a wrapping key may have authenticated it: in the order of the format; and sorted by language, as raw
 * keyrings of the official SDK for JavaScript do unless `utf8Sorting` is set.
 */
export function* authenticatedContexts(context: EncryptionContext): Generator<Buffer> {
  const encoded = encodeContext(context)
  yield encoded
  const byLanguage = Object.entries(context).sort(([a], [b]) => a.localeCompare(b))
  const other = encodePairs(byLanguage.map(encodePair))
  if (!other.equals(encoded)) yield other
}

type EncodedPair = readonly [key: Buffer, value: Buffer]

const encodePair = ([key, value]: readonly [string, string]): EncodedPair => [utf8(key), utf8(value)]

function encodePairs(pairs: readonly EncodedPair[]): Buffer {
  if (pairs.length === 0) return Buffer.alloc(0)
  const parts: Buffer[] = [uint16(pairs.length)]
  for (const pair of pairs) for (const bytes of pair) parts.push(uint16(bytes.length), bytes)
  const encoded = Buffer.concat(parts)
  if (encoded.length > BYTES_MAX)
    throw new InvalidEncryptionContext(
      `The encryption context has ${encoded.length} bytes; the format has room for ${BYTES_MAX}.`,
    )
  return encoded
}

/** The pairs of a context under some of its keys. */
export const pick = (context: EncryptionContext, keys: ReadonlySet<string>): EncryptionContext =>
  contextOf(Object.entries(context).filter(([key]) => keys.has(key)))

export const omit = (context: EncryptionContext, keys: ReadonlySet<string>): EncryptionContext =>
  contextOf(Object.entries(context).filter(([key]) => !keys.has(key)))

/**
 * Joins the context that a message stores with the one that the reader passes. Throws `EncryptionContextMismatch` where the
 * two differ. Keys that only the reader passes are authenticated, but were not stored.
 */
export function reproduce(
  stored: EncryptionContext,
  reproduced: EncryptionContext = {},
): { readonly context: EncryptionContext; readonly notStored: ReadonlySet<string> } {
  const notStored = new Set<string>()
  for (const [key, value] of Object.entries(reproduced)) {
    const found = Object.hasOwn(stored, key) ? stored[key] : undefined
    if (found === undefined) notStored.add(key)
    else if (found !== value)
      throw new EncryptionContextMismatch(`The encryption context value of '${key}' is not the one of the message.`)
  }
  return { context: contextOf([...Object.entries(stored), ...Object.entries(reproduced)]), notStored }
}

function utf8(text: string): Buffer {
  if (!text.isWellFormed())
    throw new InvalidEncryptionContext('The encryption context has text that is not well-formed Unicode.')
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > BYTES_MAX)
    throw new InvalidEncryptionContext(`An encryption context key or value is longer than ${BYTES_MAX} bytes.`)
  return bytes
}

function uint16(value: number): Buffer {
  if (value > BYTES_MAX)
    throw new InvalidEncryptionContext(
      `The encryption context has ${value} pairs; the format has room for ${BYTES_MAX}.`,
    )
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
