/**
 * Where addresses are, by a file of the operator: CSV with a network, a country, and where they are known the number and the name
 * of an autonomous system; or a database in MaxMind's format (MMDB), of countries or of autonomous systems.
 *
 * @example
 * # MERLON_GEOGRAPHY=/etc/merlon/geography.csv
 * 192.0.2.0/24,DE,64496,Example Networks
 * 2001:db8::/32,FR
 */
import { Reader } from 'mmdb-lib'
import { parseAddress, parseBlock } from './addresses.ts'

export interface Geography {
  /** ISO 3166-1, two letters. */
  readonly country?: string
  /** ISO 3166-2 without the country: `BE` of `DE-BE`. */
  readonly region?: string
  readonly asn?: number
  readonly organization?: string
}

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

/** What databases of countries, cities and autonomous systems say; members of other databases are not read. */
interface DatabaseRecord {
  readonly country?: { readonly iso_code?: string }
  readonly registered_country?: { readonly iso_code?: string }
  readonly subdivisions?: readonly { readonly iso_code?: string }[]
  readonly autonomous_system_number?: number
  readonly autonomous_system_organization?: string
}

/**
 * Reads a database in MaxMind's format. Throws for bytes that are none.
 *
 * Source: https://maxmind.github.io/MaxMind-DB/
 */
export function readGeographyDatabase(bytes: Buffer): LocateAddress {
  // Its types are those of MaxMind's own databases, of which these are members.
  const reader = new Reader(bytes) as unknown as { get(address: string): DatabaseRecord | null }
  return (address) => {
    const record = parseAddress(address) && reader.get(address)
    if (!record) return undefined
    const country = record.country?.iso_code ?? record.registered_country?.iso_code
    const region = record.subdivisions?.[0]?.iso_code
    const asn = record.autonomous_system_number
    const organization = record.autonomous_system_organization
    return {
      ...(country !== undefined && { country }),
      ...(region !== undefined && { region }),
      ...(asn !== undefined && { asn }),
      ...(organization !== undefined && { organization }),
    }
  }
}

/** What several files say of an address together; earlier ones win. */
export const joinedGeography = (all: readonly LocateAddress[]): LocateAddress =>
  all.length === 1
    ? all[0]!
    : (address) => {
        const found = all.map((locate) => locate(address)).filter((place) => place !== undefined)
        return found.length === 0 ? undefined : Object.assign({}, ...found.reverse())
      }
