/**
 * Where addresses are, by a file of the operator: CSV with a network, a country, and where they are known the number and the name
 * of an autonomous system.
 *
 * @example
 * # MERLON_GEOGRAPHY=/etc/merlon/geography.csv
 * 192.0.2.0/24,DE,64496,Example Networks
 * 2001:db8::/32,FR
 */
import { readFileSync } from 'node:fs'
import type { Geography } from '../../engines/detect/types.ts'
import { parseAddress, parseBlock } from '../../engines/network/addresses.ts'

/** Lines of a file; more would take a gigabyte. */
const LINES_MAX = 3_000_000
const ORGANIZATION_MAX = 200

export type LocateAddress = (address: string) => Geography | undefined

interface Networks {
  /** Sorted; IPv6 by the first 64 bits, as no network is routed that is smaller. */
  readonly firsts: readonly bigint[]
  readonly lasts: readonly bigint[]
  readonly places: readonly Geography[]
}

const HALF = 64n

/** Throws with the number of the line that is not valid. Networks must not overlap. */
export function readGeography(text: string): LocateAddress {
  const rows: Record<4 | 6, { first: bigint; last: bigint; place: Geography }[]> = { 4: [], 6: [] }
  // One object for each place, as most networks share theirs.
  const places = new Map<string, Geography>()
  const lines = text.split('\n')
  if (lines.length > LINES_MAX) throw new Error(`more than ${LINES_MAX} lines`)
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [network = '', country = '', asn = '', ...organization] = line.trim().split(',')
    const block = parseBlock(network.trim())
    if (!block || !/^[A-Z]{2}$/.test(country.trim()) || !/^\d{0,10}$/.test(asn.trim()))
      throw new Error(`line ${index + 1}: expected NETWORK,COUNTRY[,ASN[,ORGANIZATION]]`)
    const name = organization.join(',').trim().slice(0, ORGANIZATION_MAX)
    const described = `${country} ${asn} ${name}`
    const place = places.get(described) ?? {
      country: country.trim(),
      ...(asn.trim() !== '' && { asn: Number(asn) }),
      ...(name !== '' && { organization: name }),
    }
    places.set(described, place)
    const shift = block.family === 6 ? HALF : 0n
    rows[block.family].push({ first: block.first >> shift, last: block.last >> shift, place })
  }
  const families = { 4: networksOf(rows[4]), 6: networksOf(rows[6]) }
  return (address) => {
    const parsed = parseAddress(address)
    return parsed && located(families[parsed.family], parsed.family === 6 ? parsed.value >> HALF : parsed.value)
  }
}

function networksOf(rows: { first: bigint; last: bigint; place: Geography }[]): Networks {
  rows.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  return {
    firsts: rows.map(({ first }) => first),
    lasts: rows.map(({ last }) => last),
    places: rows.map(({ place }) => place),
  }
}

/** The last network that begins at or before the address, if it ends behind it. */
function located({ firsts, lasts, places }: Networks, value: bigint): Geography | undefined {
  let [low, high] = [0, firsts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (firsts[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low > 0 && lasts[low - 1]! >= value ? places[low - 1] : undefined
}

/** Throws with the name of the variable for a file that cannot be read. */
export function readGeographyFile(file: string | undefined): LocateAddress | undefined {
  if (file === undefined || file === '') return undefined
  try {
    return readGeography(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`MERLON_GEOGRAPHY: ${file}: ${(error as Error).message}`)
  }
}
