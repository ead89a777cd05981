/**
 * The addresses of a family as whole numbers that boxes can be made of. IPv4 addresses are their values. Those of IPv6 are too
 * large: only the blocks that a network names are distinguished, so each run of addresses between two of their ends has a number.
 */
import { parseAddress, parseBlock, printAddress } from './addresses.ts'
import type { Range } from './boxes.ts'
import type { Network } from './network.ts'

export type Family = 4 | 6

export interface AddressSpace {
  readonly family: Family
  readonly all: Range
  /** Of a block, or of one address; undefined for those of the other family, and for what is neither. */
  rangeOf(text: string): Range | undefined
  /** First and last address. */
  print(range: Range): readonly [string, string]
}

export const IPV4: AddressSpace = {
  family: 4,
  all: [0, 0xff_ff_ff_ff],
  rangeOf(text) {
    const block = blockOf(text)
    return block?.family === 4 ? [Number(block.first), Number(block.last)] : undefined
  },
  print: ([first, last]) => [printAddress(4, BigInt(first)), printAddress(4, BigInt(last))],
}

const blockOf = (text: string) => {
  if (text.includes('/')) return parseBlock(text)
  const address = parseAddress(text)
  return address && { family: address.family, first: address.value, last: address.value }
}

const END = 1n << 128n

/** Only blocks and addresses of the network have a range. */
export function ipv6Space(network: Network): AddressSpace {
  const texts = [
    ...network.groups.flatMap(({ rules }) => rules.map(({ cidr }) => cidr)),
    ...network.acls.flatMap(({ entries }) => entries.map(({ cidr }) => cidr)),
    ...network.routeTables.flatMap(({ routes }) => routes.map(({ destination }) => destination)),
    ...network.prefixLists.flatMap(({ cidrs }) => cidrs),
    ...network.interfaces.map(({ address6 }) => address6),
  ]
  const ends = new Set([0n, END])
  for (const text of texts) {
    const block = text === undefined ? undefined : blockOf(text)
    if (block?.family === 6) ends.add(block.first).add(block.last + 1n)
  }
  const starts = [...ends].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const numbers = new Map(starts.map((start, index) => [start, index]))
  return {
    family: 6,
    all: [0, starts.length - 2],
    rangeOf(text) {
      const block = blockOf(text)
      if (block?.family !== 6) return undefined
      const [first, after] = [numbers.get(block.first), numbers.get(block.last + 1n)]
      return first === undefined || after === undefined ? undefined : [first, after - 1]
    },
    print: ([first, last]) => [printAddress(6, starts[first]!), printAddress(6, starts[last + 1]! - 1n)],
  }
}
