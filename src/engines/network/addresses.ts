/** IPv4 and IPv6 blocks: parsed, printed, compared. Addresses are whole numbers. */
import { isIPv4, isIPv6 } from 'node:net'

export interface Block {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
  /** Length of the prefix. */
  readonly bits: number
}

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** Undefined for what is no address. */
export function parseAddress(text: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  if (isIPv4(text)) return { family: 4, value: text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const plain = mapped
    ? `${mapped[1]}${((Number(mapped[2]) << 8) | Number(mapped[3])).toString(16)}:${((Number(mapped[4]) << 8) | Number(mapped[5])).toString(16)}`
    : text
  const [head = '', tail] = plain.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return { family: 6, value: all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n) }
}

export function printAddress(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 65_535n).toString(16))
  // RFC 5952: the longest run of zeros, the first one of equals, is shortened.
  const runs = [...groups.join(':').matchAll(/(?:^|:)(0(?::0)+)(?=:|$)/g)].map((match) => match[1]!)
  const longest = runs.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return groups.join(':')
  const text = groups.join(':')
  const at = text.search(new RegExp(`(?:^|:)${longest}(?::|$)`))
  const start = text[at] === ':' ? at + 1 : at
  return `${text.slice(0, start).replace(/:$/, '')}::${text.slice(start + longest.length).replace(/^:/, '')}`
}

/** Host bits are dropped, as EC2 does: `10.0.0.5/24` is `10.0.0.0/24`. Undefined for what is no block. */
export function parseBlock(text: string): Block | undefined {
  const slash = text.indexOf('/')
  if (slash < 0 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return undefined
  const address = parseAddress(text.slice(0, slash))
  const bits = Number(text.slice(slash + 1))
  if (!address || bits > width(address.family)) return undefined
  const size = 1n << BigInt(width(address.family) - bits)
  const first = address.value - (address.value % size)
  return { family: address.family, first, last: first + size - 1n, bits }
}

export const printBlock = ({ family, first, bits }: Block): string => `${printAddress(family, first)}/${bits}`

export const contains = (outer: Block, inner: Pick<Block, 'family' | 'first' | 'last'>): boolean =>
  outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last

export const overlaps = (a: Block, b: Block): boolean => a.family === b.family && a.first <= b.last && b.first <= a.last

/** Whether the block contains the address. */
export const holds = (block: Block, text: string): boolean => {
  const address = parseAddress(text)
  return address !== undefined && contains(block, { family: address.family, first: address.value, last: address.value })
}
