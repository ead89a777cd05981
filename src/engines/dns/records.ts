/**
 * DNS record sets as plain values, and the master-file text of their values (RFC 1035 §5.1, as Route 53 writes it) as data
 * of a message. Pure.
 *
 * @example
 * parseValue('MX', '10 mail.corp.test.') // { preference: 10, exchange: 'mail.corp.test' }
 */
import type { Routing } from './routing.ts'

export const RECORD_TYPES = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'DS',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SOA',
  'SRV',
  'SSHFP',
  'TLSA',
  'TXT',
] as const
export type RecordType = (typeof RECORD_TYPES)[number]

export interface RecordSet {
  /** Fully qualified, lower case, with its last dot. */
  readonly name: string
  readonly type: RecordType
  /** Seconds. */
  readonly ttl: number
  /** Each in master-file text; none of an alias. */
  readonly values: readonly string[]
  /** Where several sets have one name and type. */
  readonly routing?: Routing
  readonly healthCheckId?: string
  /** Answers what another name of the zone answers. */
  readonly alias?: Alias
}

export interface Alias {
  /** Fully qualified, lower case, with its last dot. */
  readonly name: string
  /** The set counts as unhealthy while all sets of the other name are. */
  readonly evaluatesHealth: boolean
}

export const isRecordType = (text: string): text is RecordType => (RECORD_TYPES as readonly string[]).includes(text)

/** What `dns-packet` encodes as the data of a record of some type. */
export type RecordData = string | object

/** A value that does not have the form of its type. */
export class RecordValueError extends Error {
  override readonly name = 'RecordValueError'
}

const LABEL = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/
const NAME_LENGTH_MAX = 253
const TXT_STRING_MAX = 255
const TXT_TOTAL_MAX = 4_000

/** Lower case, with its last dot; undefined for what is no host or record name. */
export function normalizeName(text: string): string | undefined {
  if (text === '.') return text
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > NAME_LENGTH_MAX) return undefined
  // `\052` is how Route 53 prints an asterisk.
  const labels = name.replace(/^\\052(?=\.)/, '*').split('.')
  return labels.every((label) => LABEL.test(label)) ? `${labels.join('.')}.` : undefined
}

/** Throws {@link RecordValueError}. */
export function parseValue(type: RecordType, text: string): RecordData {
  return PARSERS[type](text.trim().split(/\s+/), text)
}

/** What {@link parseValue} returned, as a text: `10 mail.corp.test`; strings in quotation marks. */
export function printData(data: RecordData): string {
  if (typeof data === 'string') return data
  if (Array.isArray(data)) return data.map((part) => JSON.stringify(String(part))).join(' ')
  return Object.values(data)
    .map((part) => (Buffer.isBuffer(part) ? part.toString('hex') : String(part)))
    .join(' ')
}

type Parser = (fields: readonly string[], text: string) => RecordData

const wrong = (type: RecordType, text: string, form: string): RecordValueError =>
  new RecordValueError(`${JSON.stringify(text)} is not a value of type ${type}: expected ${form}.`)

const parser =
  (type: RecordType, form: string, read: (fields: readonly string[], text: string) => RecordData | undefined): Parser =>
  (fields, text) => {
    const value = read(fields, text)
    if (value === undefined) throw wrong(type, text, form)
    return value
  }

function number(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

/** As messages carry it: without its last dot. */
function host(text: string | undefined): string | undefined {
  const name = text === undefined ? undefined : normalizeName(text)
  return name === undefined || name.startsWith('*') ? undefined : name === '.' ? '.' : name.slice(0, -1)
}

const hex = (text: string): Buffer | undefined =>
  /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : undefined

/** `"one" "two"`; quotes and backslashes escaped by a backslash. */
function strings(text: string): readonly Buffer[] | undefined {
  const found = [...text.trim().matchAll(/\s*"((?:[^"\\]|\\.)*)"/gy)]
  if (found.length === 0 || found.reduce((sum, [all]) => sum + all.length, 0) !== text.trim().length) return undefined
  const parts = found.map(([, part]) =>
    Buffer.from(
      part!.replace(/\\(\d{3}|.)/g, (_, char: string) =>
        char.length === 3 ? String.fromCharCode(Number.parseInt(char, 8) & 0xff) : char,
      ),
    ),
  )
  const total = parts.reduce((sum, part) => sum + part.length, 0)
  return parts.every((part) => part.length <= TXT_STRING_MAX) && total <= TXT_TOTAL_MAX ? parts : undefined
}

/** By the type of the hash, RFC 4255 and RFC 6594. */
const FINGERPRINT_BYTES: Readonly<Record<number, number>> = { 1: 20, 2: 32 }

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

function ipv6(text: string): string | undefined {
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
}

const all = <T extends object>(value: T): T | undefined =>
  Object.values(value).some((member) => member === undefined) ? undefined : value

const single = (type: RecordType) =>
  parser(type, 'a domain name', ([name, ...rest]) => (rest.length > 0 ? undefined : host(name)))

const PARSERS: Readonly<Record<RecordType, Parser>> = {
  A: parser('A', 'an IPv4 address', ([address, ...rest]) =>
    rest.length === 0 && IPV4.test(address ?? '') ? address : undefined,
  ),
  AAAA: parser('AAAA', 'an IPv6 address', ([address = '', ...rest]) => (rest.length > 0 ? undefined : ipv6(address))),
  CAA: parser('CAA', 'FLAGS TAG "VALUE"', ([flags, tag = ''], text) => {
    const [, value] = /^\s*\d+\s+\w+\s+"((?:[^"\\]|\\.)*)"\s*$/.exec(text) ?? []
    if (!/^[a-z0-9]{1,15}$/i.test(tag)) return undefined
    return all({ flags: number(flags, 255), tag: tag.toLowerCase(), value: value?.replace(/\\(.)/g, '$1') })
  }),
  CNAME: single('CNAME'),
  DS: parser('DS', 'KEYTAG ALGORITHM DIGESTTYPE DIGEST', ([tag, algorithm, digestType, ...digest]) =>
    all({
      keyTag: number(tag, 65_535),
      algorithm: number(algorithm, 255),
      digestType: number(digestType, 255),
      digest: hex(digest.join('')),
    }),
  ),
  MX: parser('MX', 'PREFERENCE HOST', ([preference, exchange, ...rest]) =>
    rest.length > 0 ? undefined : all({ preference: number(preference, 65_535), exchange: host(exchange) }),
  ),
  NAPTR: parser('NAPTR', 'ORDER PREFERENCE "FLAGS" "SERVICES" "REGEXP" REPLACEMENT', (_fields, text) => {
    const [, order, preference, flags, services, regexp, replacement] =
      /^\s*(\d+)\s+(\d+)\s+"([^"]*)"\s+"([^"]*)"\s+"([^"]*)"\s+(\S+)\s*$/.exec(text) ?? []
    return all({
      order: number(order, 65_535),
      preference: number(preference, 65_535),
      flags,
      services,
      regexp,
      replacement: host(replacement),
    })
  }),
  NS: single('NS'),
  PTR: single('PTR'),
  SOA: parser('SOA', 'MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM', ([mname, rname, ...numbers]) => {
    const [serial, refresh, retry, expire, minimum, more] = numbers.map((text) => number(text, 0xffff_ffff))
    if (more !== undefined) return undefined
    return all({ mname: host(mname), rname: host(rname), serial, refresh, retry, expire, minimum })
  }),
  SRV: parser('SRV', 'PRIORITY WEIGHT PORT TARGET', ([priority, weight, port, target, ...rest]) =>
    rest.length > 0
      ? undefined
      : all({
          priority: number(priority, 65_535),
          weight: number(weight, 65_535),
          port: number(port, 65_535),
          target: host(target),
        }),
  ),
  SSHFP: parser(
    'SSHFP',
    'ALGORITHM TYPE FINGERPRINT of SHA-1 (type 1) or SHA-256 (type 2)',
    ([algorithm, type, ...rest]) => {
      const fingerprint = hex(rest.join(''))
      const hash = number(type, 255)
      if (!fingerprint || fingerprint.length !== FINGERPRINT_BYTES[hash ?? 0]) return undefined
      return all({ algorithm: number(algorithm, 255), hash, fingerprint: fingerprint.toString('hex') })
    },
  ),
  TLSA: parser('TLSA', 'USAGE SELECTOR MATCHINGTYPE DATA', ([usage, selector, matchingType, ...certificate]) =>
    all({
      usage: number(usage, 255),
      selector: number(selector, 255),
      matchingType: number(matchingType, 255),
      certificate: hex(certificate.join('')),
    }),
  ),
  TXT: parser('TXT', 'one or more strings of at most 255 bytes in quotation marks', (_fields, text) => strings(text)),
}
