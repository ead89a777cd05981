/**
 * Sets of IP address ranges: a binary trie for each family, so that a look-up takes as many steps as the address has bits,
 * however many ranges there are.
 *
 * @example
 * new IpSet(['192.0.2.0/24', '2001:db8::/32']).has('192.0.2.7') // true
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'

/** The bytes of an address; undefined when it is none. IPv4 in IPv6 is IPv4. */
export function addressBytes(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number)
  if (!isIPv6(address) || address.includes('%')) return undefined
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  const [a, b, c, d] = dotted ? dotted[2]!.split('.').map(Number) : []
  const hex = dotted ? `${dotted[1]}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}` : address
  const [head, tail] = hex.split('::') as [string, string | undefined]
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const words = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  const bytes = Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return isMapped ? bytes.slice(12) : bytes
}

export interface AddressRange {
  readonly bytes: Uint8Array
  readonly prefix: number
}

/** A range in CIDR notation; undefined when it is none. Bits behind the prefix are ignored. */
export function addressRange(cidr: string): AddressRange | undefined {
  const [address, length, ...more] = cidr.split('/') as [string, string | undefined, ...string[]]
  if (more.length > 0 || isIP(address) === 0 || !/^\d{1,3}$/.test(length ?? '')) return undefined
  const bytes = addressBytes(address)
  const bits = isIPv4(address) ? 32 : 128
  const prefix = Number(length)
  if (bytes === undefined || prefix > bits) return undefined
  // A range of mapped addresses is one of IPv4.
  return bits / 8 === bytes.length ? { bytes, prefix } : prefix >= 96 ? { bytes, prefix: prefix - 96 } : undefined
}

/** Nodes are pairs of indices; a range ends at `FULL`. */
const NONE = 0
const FULL = -1

class Trie {
  readonly #children: number[] = [NONE, NONE]
  #isFull = false

  add({ bytes, prefix }: AddressRange): void {
    if (prefix === 0) this.#isFull = true
    let node = 0
    for (let bit = 0; bit < prefix; bit++) {
      const slot = 2 * node + bitOf(bytes, bit)
      const next = this.#children[slot]!
      if (next === FULL) return
      if (bit === prefix - 1) {
        this.#children[slot] = FULL
        return
      }
      if (next === NONE) {
        node = this.#children.length / 2
        this.#children[slot] = node
        this.#children.push(NONE, NONE)
      } else node = next
    }
  }

  has(bytes: Uint8Array): boolean {
    if (this.#isFull) return true
    let node = 0
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      node = this.#children[2 * node + bitOf(bytes, bit)]!
      if (node === FULL) return true
      if (node === NONE) return false
    }
    return false
  }
}

const bitOf = (bytes: Uint8Array, bit: number): 0 | 1 => ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1) as 0 | 1

export class IpSet {
  readonly #tries = { 4: new Trie(), 16: new Trie() }

  /** Texts that are no ranges are left out: validation is the caller's. */
  constructor(ranges: readonly string[] = []) {
    for (const text of ranges) {
      const range = addressRange(text)
      if (range) this.add(range)
    }
  }

  add(range: AddressRange): void {
    this.#tries[range.bytes.length as 4 | 16].add(range)
  }

  has(address: string): boolean {
    const bytes = addressBytes(address)
    return bytes !== undefined && this.#tries[bytes.length as 4 | 16].has(bytes)
  }
}
