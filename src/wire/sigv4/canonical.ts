/** The canonical request: the one spelling of a request that both sides hash, whatever detours the bytes took. */
import { hash } from 'node:crypto'

/**
 * How the path enters the signature. S3 keys may hold `//` and `..`, so S3 keeps every segment and encodes each byte of the
 * decoded path once; every other service removes dot segments and empty segments, then percent-encodes what is left once
 * more.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export type PathStyle = 'normalised' | 'encoded-once'

/** Lower-case name to the values in arrival order. Never folded: two spellings of one header are two values. */
export type HeaderValues = ReadonlyMap<string, readonly string[]>

const ENCODED = Array.from({ length: 256 }, (_, byte) => '%' + byte.toString(16).toUpperCase().padStart(2, '0'))
// RFC 3986 §2.3.
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') {
  ENCODED[character.charCodeAt(0)] = character
}
const NEEDS_CARE = /[^A-Za-z0-9\-._~]/
/** An empty segment, or one of dots. */
const NEEDS_NORMALIZING = /\/(?:\/|\.{1,2}(?:\/|$))|^[^/]/
const NEEDS_CARE_BUT_SLASH = /[^A-Za-z0-9\-._~/]/
const BEYOND_BYTES = /[^\0-\xff]/
// Only HTTP's own white space: in Node a header is latin1, where \s would also eat the 0xA0 inside a UTF-8 letter.
const SPACES = /[ \t\r\n\f\v]+/g

/** One character per byte, as Node hands us paths and headers. Text that is not yet bytes becomes UTF-8. */
export function bytes(text: string): string {
  return BEYOND_BYTES.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'hex')
}

export function gather(rawHeaders: readonly string[]): HeaderValues {
  const gathered = new Map<string, string[]>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const values = gathered.get(name)
    if (values) values.push(rawHeaders[i + 1]!)
    else gathered.set(name, [rawHeaders[i + 1]!])
  }
  return gathered
}

export function canonicalPath(path: string, style: PathStyle): string {
  if (path === '' || path === '/') return '/'
  if (style === 'encoded-once') return path.split('/').map(recodeSegment).join('/')

  const normalized = normalizedPath(path)
  return NEEDS_CARE_BUT_SLASH.test(normalized) ? encode(bytes(normalized)) : normalized
}

/** Without dot segments and empty segments, still percent-encoded once: what is signed, and therefore what is routed. */
export function normalizedPath(path: string): string {
  if (!NEEDS_NORMALIZING.test(path)) return path === '' ? '/' : path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  if (kept.length === 0) return '/'
  return '/' + kept.join('/') + (path.endsWith('/') ? '/' : '')
}

/** Pairs decoded and encoded again byte by byte, then sorted by encoded name and value. `omitted` is a lower-case name. */
export function canonicalQuery(query: string, omitted?: string): string {
  if (query === '') return ''
  const pairs: [string, string][] = []
  for (const piece of query.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = recode(equals < 0 ? piece : piece.slice(0, equals))
    if (omitted !== undefined && name.length === omitted.length && name.toLowerCase() === omitted) continue
    pairs.push([name, equals < 0 ? '' : recode(piece.slice(equals + 1))])
  }
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  return pairs.map(([name, value]) => name + '=' + value).join('&')
}

/** One line a signed header, each ended by a newline; a header that is not there signs as empty. */
export function canonicalHeaders(headers: HeaderValues, signed: readonly string[]): string {
  let lines = ''
  for (const name of signed) {
    const values = headers.get(name)
    lines += name + ':' + (values ? values.map(canonicalValue).join(',') : '') + '\n'
  }
  return lines
}

export interface CanonicalParts {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderValues
  /** Lower-case and sorted. */
  readonly signedHeaders: readonly string[]
  readonly pathStyle: PathStyle
  /** The lower-case query parameter that carries the signature itself. */
  readonly omittedParameter?: string | undefined
  /** Hex SHA-256 of the body, or one of AWS's constants in its place. */
  readonly payload: string
}

export function canonicalRequest(parts: CanonicalParts): string {
  return (
    parts.method +
    '\n' +
    canonicalPath(parts.path, parts.pathStyle) +
    '\n' +
    canonicalQuery(parts.query, parts.omittedParameter) +
    '\n' +
    canonicalHeaders(parts.headers, parts.signedHeaders) +
    '\n' +
    parts.signedHeaders.join(';') +
    '\n' +
    parts.payload
  )
}

export function stringToSign(algorithm: string, amzDate: string, scope: string, canonical: string): string {
  return algorithm + '\n' + amzDate + '\n' + scope + '\n' + sha256Hex(canonical)
}

function canonicalValue(value: string): string {
  const collapsed = bytes(value).replace(SPACES, ' ')
  return collapsed.startsWith(' ') || collapsed.endsWith(' ') ? collapsed.replace(/^ | $/g, '') : collapsed
}

function encode(text: string): string {
  let encoded = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    encoded += code === 0x2f ? '/' : ENCODED[code]!
  }
  return encoded
}

/**
 * A slash that came encoded stays so: it separates nothing where the request is routed, and must not where it is signed.
 * A plus sign is one: only queries write blanks so.
 */
const recodeSegment = (raw: string): string => recode(raw, '%2B')

/** `%41` and `A`, `+` and `%20`, `%2f` and `%2F` mean the same and must sign the same. */
function recode(raw: string, plus = '%20'): string {
  if (!NEEDS_CARE.test(raw)) return raw
  const text = bytes(raw)
  let recoded = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2b) {
      recoded += plus
      continue
    }
    const byte = code === 0x25 ? hexByte(text, i + 1) : -1
    recoded += ENCODED[byte < 0 ? code : byte]!
    if (byte >= 0) i += 2
  }
  return recoded
}

/** The byte that two hex digits spell, or -1. */
function hexByte(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const folded = code | 0x20
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
