/** Typed values of condition keys: numbers, dates, addresses. Undefined: the text is not one. */

export function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined
}

const ISO_8601 =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:t(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(z|[+-]\d{2}:?\d{2})?)?)?)?$/i

/** Epoch milliseconds, from the W3C profile of ISO 8601 or from epoch seconds. A four-digit number is a year. */
export function parseDate(text: string): number | undefined {
  const match = ISO_8601.exec(text)
  if (!match) return /^\d{1,18}(\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] =
    match
  const offset = zone.length === 5 ? zone.slice(0, 3) + ':' + zone.slice(3) : zone.toUpperCase()
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3)}${offset}`)
  return Number.isNaN(time) ? undefined : time
}

/** Decoded text, so that the same bytes written differently are the same. */
export function parseBinary(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return text.replace(/=+$/, '')
}

export function parseBool(text: string): boolean | undefined {
  const folded = text.toLowerCase()
  return folded === 'true' ? true : folded === 'false' ? false : undefined
}

/** Two groups of 16 bits for IPv4, eight for IPv6. */
export type Address = readonly number[]

/** IPv4 mapped into IPv6 is IPv4: a listener on both families reports its callers so. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseV4(text)
  const groups = parseV6(text)
  if (groups === undefined) return undefined
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  return mapped ? groups.slice(6) : groups
}

function parseV4(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return undefined
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number]
  return Math.max(a, b, c, d) > 255 ? undefined : [(a << 8) | b, (c << 8) | d]
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(parseGroups)
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  if (tail === undefined) return undefined
  const gap = 8 - head.length - tail.length
  return gap < 1 ? undefined : [...head, ...new Array<number>(gap).fill(0), ...tail]
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const dotted = index === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined
    if (dotted) groups.push(...dotted)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

export interface Network {
  readonly address: Address
  readonly prefix: number
}

/** An address without prefix is itself alone. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const bits = address.length * 16
  if (slash < 0) return { address, prefix: bits }
  const written = text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(written)) return undefined
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
  const prefix = Number(written) - (address.length === 2 && text.includes(':') ? 96 : 0)
  return prefix < 0 || prefix > bits ? undefined : { address, prefix }
}

export function contains(network: Network, address: Address): boolean {
  if (network.address.length !== address.length) return false
  let bits = network.prefix
  for (let i = 0; i < address.length && bits > 0; i++, bits -= 16) {
    const mask = bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff
    if (((network.address[i]! ^ address[i]!) & mask) !== 0) return false
  }
  return true
}
