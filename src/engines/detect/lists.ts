/** Threat and trusted lists: addresses, networks and domains, looked up in a few steps whatever their number. */
import { isIPv4 } from 'node:net'
import { parseAddress, parseBlock, printAddress } from '../network/addresses.ts'
import type { AddressList } from './types.ts'

/** GuardDuty's limit of a threat list. */
export const LIST_ENTRIES_MAX = 250_000

export class ListTooLongError extends Error {
  override readonly name = 'ListTooLongError'
}

const DOMAIN = /^(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/

export interface ListSource {
  readonly name: string
  /** Of the bytes of the list, hexadecimal. */
  readonly sha256: string
  /** Addresses, `192.0.2.0/24`, or domains, whose subdomains match too. What is none of them is passed over, and counted. */
  readonly entries: Iterable<string>
}

/** A compiled list, with how many entries it has and how many were none. */
export interface CompiledList extends AddressList {
  readonly size: number
  readonly invalid: number
}

/** The plain text form: an entry a line, comments behind `#` or `;`. */
export function* listLines(text: string): Generator<string> {
  for (const line of text.split(/\r?\n/)) {
    const entry = line.replace(/[#;].*$/, '').trim()
    if (entry !== '') yield entry
  }
}

/**
 * Throws a `ListTooLongError` above 250,000 entries.
 *
 * @example
 * compileList({ name: 'feed', sha256: '…', entries: ['192.0.2.0/24', 'evil.example'] }).matchAddress('192.0.2.7') // '192.0.2.0/24'
 */
export function compileList({ name, sha256, entries }: ListSource): CompiledList {
  const addresses = new Set<string>()
  const domains = new Set<string>()
  /** By family and length: the numbers of the networks. */
  const networks = { 4: new Map<number, Set<bigint>>(), 6: new Map<number, Set<bigint>>() }
  let size = 0
  let invalid = 0
  for (const raw of entries) {
    const entry = raw.toLowerCase()
    if (++size > LIST_ENTRIES_MAX)
      throw new ListTooLongError(`List '${name}' has more than ${LIST_ENTRIES_MAX} entries.`)
    if (isIPv4(entry)) addresses.add(entry)
    else if (DOMAIN.test(entry) && !entry.includes('/')) domains.add(entry.replace(/^\*\./, ''))
    else {
      const address = parseAddress(entry)
      const block = address ? { ...address, first: address.value, bits: 128 } : parseBlock(entry)
      if (!block) {
        invalid += 1
        continue
      }
      const shift = BigInt((block.family === 4 ? 32 : 128) - block.bits)
      const byLength = networks[block.family]
      byLength.set(block.bits, (byLength.get(block.bits) ?? new Set()).add(block.first >> shift))
    }
  }
  return {
    name,
    sha256,
    size,
    invalid,
    matchAddress: (text) => {
      if (addresses.has(text)) return text
      const address = networks[4].size + networks[6].size === 0 ? undefined : parseAddress(text)
      if (!address) return undefined
      const width = address.family === 4 ? 32 : 128
      for (const [bits, numbers] of networks[address.family])
        if (numbers.has(address.value >> BigInt(width - bits)))
          return bits === width ? text : networkText(address, bits)
      return undefined
    },
    matchDomain: (text) => {
      if (domains.size === 0) return undefined
      for (let at = 0; at >= 0; at = text.indexOf('.', at) + 1 || -1) {
        const parent = text.slice(at)
        if (domains.has(parent)) return parent
      }
      return undefined
    },
  }
}

function networkText({ family, value }: { readonly family: 4 | 6; readonly value: bigint }, bits: number): string {
  const shift = BigInt((family === 4 ? 32 : 128) - bits)
  return `${printAddress(family, (value >> shift) << shift)}/${bits}`
}
