/** Regions and their Availability Zones: names, and the IDs that are the same in every account. */
import { invalid } from './faults.ts'

export interface Zone {
  readonly name: string
  /** `use1-az1` */
  readonly id: string
}

/** Six zones in US East (N. Virginia), three elsewhere. */
const SIX = 'us-east-1'

export function zonesOf(region: string): readonly Zone[] {
  const letters = region === SIX ? 'abcdef' : 'abc'
  return [...letters].map((letter, index) => ({ name: region + letter, id: `${shortName(region)}-az${index + 1}` }))
}

const SHORT: Readonly<Record<string, string>> = {
  north: 'n',
  south: 's',
  east: 'e',
  west: 'w',
  central: 'c',
  northeast: 'ne',
  southeast: 'se',
}

/** `us-east-1` is `use1`. */
function shortName(region: string): string {
  const [area = '', direction = '', number = ''] = region.split('-')
  return area + (SHORT[direction] ?? direction) + number
}

/** The zone that a request names, by name or ID; the first one of the Region when it names none. */
export function zoneNamed(region: string, name: string | undefined, id: string | undefined): Zone {
  const zones = zonesOf(region)
  if (name === undefined && id === undefined) return zones[0]!
  const found = zones.find((zone) => (name === undefined ? zone.id === id : zone.name === name))
  if (found) return found
  const known = zones.map((zone) => zone.name).join(', ')
  throw invalid(
    `Value (${name ?? id}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${known}.`,
  )
}
