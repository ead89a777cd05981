/**
 * The ClientHello of a TLS connection (RFC 8446 §4.1.2), read before the handshake, and the fingerprints of the client that follow
 * from it. Sources: https://github.com/FoxIO-LLC/ja4 (JA4, BSD) and https://github.com/salesforce/ja3 (JA3).
 *
 * @example
 * const hello = parseClientHello(firstBytes)
 * if (typeof hello === 'object') fingerprints(hello).ja4 // 't13d1516h2_8daaf6152771_b186095e22b6'
 */
import { createHash } from 'node:crypto'

export interface ClientHello {
  /** Of the record layer of the hello itself: 0x0303. */
  readonly version: number
  readonly ciphers: readonly number[]
  /** In their order. */
  readonly extensions: readonly number[]
  readonly groups: readonly number[]
  readonly pointFormats: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  readonly supportedVersions: readonly number[]
  readonly alpn: readonly string[]
  readonly serverName: string | undefined
}

/** A hello may span records; more bytes than this are no hello of a browser. */
export const HELLO_BYTES_MAX = 16 * 1024

const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const GROUPS = 10
const POINT_FORMATS = 11
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
const SUPPORTED_VERSIONS = 43

class Reader {
  #at = 0
  readonly #bytes: Buffer
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  get rest(): number {
    return this.#bytes.length - this.#at
  }
  /** Throws `RangeError` beyond the end. */
  number(length: 1 | 2 | 3): number {
    const value = this.#bytes.readUIntBE(this.#at, length)
    this.#at += length
    return value
  }
  bytes(length: number): Buffer {
    if (length > this.rest) throw new RangeError('beyond the end')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  /** A vector behind its length. */
  vector(lengthBytes: 1 | 2): Reader {
    return new Reader(this.bytes(this.number(lengthBytes)))
  }
  numbers(length: 1 | 2): number[] {
    const found: number[] = []
    while (this.rest >= length) found.push(this.number(length))
    return found
  }
}

/** The hello; `more` when its end has not come yet; undefined for bytes that are none. */
export function parseClientHello(bytes: Buffer): ClientHello | 'more' | undefined {
  const fragments: Buffer[] = []
  let wanted = Number.POSITIVE_INFINITY
  for (let at = 0, gathered = 0; gathered < wanted; ) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE) return undefined
    if (bytes.length < at + 5) return 'more'
    const length = bytes.readUInt16BE(at + 3)
    if (bytes.length < at + 5 + length) return bytes.length >= HELLO_BYTES_MAX ? undefined : 'more'
    fragments.push(bytes.subarray(at + 5, at + 5 + length))
    gathered += length
    at += 5 + length
    const start = Buffer.concat(fragments)
    if (start.length >= 4) {
      if (start[0] !== CLIENT_HELLO) return undefined
      wanted = 4 + start.readUIntBE(1, 3)
      if (wanted > HELLO_BYTES_MAX) return undefined
    }
  }
  try {
    return readHello(new Reader(Buffer.concat(fragments).subarray(4)))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readHello(reader: Reader): ClientHello {
  const version = reader.number(2)
  reader.bytes(32)
  reader.vector(1)
  const ciphers = reader.vector(2).numbers(2)
  reader.vector(1)
  const extensions: number[] = []
  const contents = new Map<number, Reader>()
  const list = reader.rest > 0 ? reader.vector(2) : undefined
  while (list && list.rest > 0) {
    const type = list.number(2)
    extensions.push(type)
    contents.set(type, list.vector(2))
  }
  const numbers = (type: number, lengthBytes: 1 | 2, each: 1 | 2) =>
    contents.get(type)?.vector(lengthBytes).numbers(each) ?? []
  const alpn: string[] = []
  const protocols = contents.get(ALPN)?.vector(2)
  while (protocols && protocols.rest > 0) {
    const name = protocols.vector(1)
    alpn.push(name.bytes(name.rest).toString('latin1'))
  }
  const names = contents.get(SERVER_NAME)
  let serverName: string | undefined
  if (names && names.rest > 0) {
    const first = names.vector(2)
    if (first.number(1) === 0) {
      const name = first.vector(2)
      serverName = name.bytes(name.rest).toString('latin1')
    }
  }
  return {
    version,
    ciphers,
    extensions,
    groups: numbers(GROUPS, 2, 2),
    pointFormats: numbers(POINT_FORMATS, 1, 1),
    signatureAlgorithms: numbers(SIGNATURE_ALGORITHMS, 2, 2),
    supportedVersions: numbers(SUPPORTED_VERSIONS, 1, 2),
    alpn,
    serverName,
  }
}

/** Values that clients insert at random, for servers to ignore. Source: RFC 8701. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
const real = (values: readonly number[]): readonly number[] => values.filter((value) => !isGrease(value))
const hex = (value: number): string => value.toString(16).padStart(4, '0')
const digest = (text: string): string =>
  text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12)

const VERSIONS: Readonly<Record<number, string>> = { 772: '13', 771: '12', 770: '11', 769: '10', 768: 's3' }

/** Of `http/1.1`, `h1`; bytes that are no letters or digits stand in hexadecimal digits. */
function alpnMark(alpn: string | undefined): string {
  if (alpn === undefined || alpn === '') return '00'
  const [first, last] = [alpn.charAt(0), alpn.charAt(alpn.length - 1)]
  if (/^[0-9a-z]{2}$/i.test(first + last)) return first + last
  const digits = Buffer.from(alpn, 'latin1').toString('hex')
  return digits.charAt(0) + digits.charAt(digits.length - 1)
}

export function fingerprints(hello: ClientHello): { readonly ja3: string; readonly ja4: string } {
  const [ciphers, extensions] = [real(hello.ciphers), real(hello.extensions)]
  const version = Math.max(...real(hello.supportedVersions), hello.supportedVersions.length === 0 ? hello.version : 0)
  const count = (list: readonly unknown[]) => String(Math.min(list.length, 99)).padStart(2, '0')
  const marks = [
    `t${VERSIONS[version] ?? '00'}${extensions.includes(SERVER_NAME) ? 'd' : 'i'}`,
    `${count(ciphers)}${count(extensions)}${alpnMark(hello.alpn[0])}`,
  ].join('')
  const sorted = (list: readonly number[]) => list.map(hex).sort().join()
  const others = sorted(extensions.filter((type) => type !== SERVER_NAME && type !== ALPN))
  const algorithms = real(hello.signatureAlgorithms).map(hex).join()
  const tail = algorithms === '' ? others : `${others}_${algorithms}`
  const ja3 = [
    hello.version,
    ciphers.join('-'),
    extensions.join('-'),
    real(hello.groups).join('-'),
    hello.pointFormats.join('-'),
  ].join()
  return {
    ja3: createHash('md5').update(ja3).digest('hex'),
    ja4: `${marks}_${digest(sorted(ciphers))}_${digest(others === '' ? '' : tail)}`,
  }
}
