/**
 * Which zones are answered, of all accounts. A name belongs to the zone that was there first: another account's zone of the
 * same name, or of a name below, is answered only where the older zone delegates to it. Without this rule an account could
 * answer for another's names.
 */
import type { RecordSet } from '../../engines/dns/records.ts'
import { ancestorsOf, compileZones, type LookupResult, lookup, type Zone } from '../../engines/dns/zones.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { withChallenges } from './challenges.ts'
import { unhealthyChecks } from './health.ts'
import { isWithin } from './names.ts'
import {
  allZoneNames,
  type RecordSetRow,
  recordSetKey,
  recordSetsOf,
  type ZoneNameRow,
  zonesNamed,
} from './resources.ts'

const isBefore = (a: ZoneNameRow, b: ZoneNameRow): boolean =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id)

async function isDelegated(reader: Reader, from: ZoneNameRow, to: ZoneNameRow): Promise<boolean> {
  const set = await reader.get<RecordSetRow>(recordSetKey(from.id, { name: to.name, type: 'NS' }))
  const hosts = (set?.values ?? []).map((value) => value.toLowerCase().replace(/\.$/, ''))
  return to.nameServers.some((server) => hosts.includes(server))
}

/** `candidates` with all zones of the same names and of the names above. */
export async function publishedZones(
  reader: Reader,
  candidates: readonly ZoneNameRow[],
): Promise<readonly ZoneNameRow[]> {
  const published: ZoneNameRow[] = []
  // From the top, so that zones above are decided on first.
  for (const zone of [...candidates].sort((a, b) => a.name.length - b.name.length)) {
    if (candidates.some((other) => other.name === zone.name && isBefore(other, zone))) continue
    const above = published
      .filter((other) => other.name !== zone.name && isWithin(zone.name, other.name))
      .sort((a, b) => b.name.length - a.name.length)
    const owner = above.find((other) => other.account !== zone.account && isBefore(other, zone))
    const nearest = above[0]
    const isOwn = !owner || nearest?.account === zone.account
    if (isOwn || (await isDelegated(reader, nearest ?? owner, zone))) published.push(zone)
  }
  return published
}

export async function readZone(reader: Reader, { id, name }: Pick<ZoneNameRow, 'id' | 'name'>): Promise<Zone> {
  const rows = (await reader.range<RecordSetRow>(recordSetsOf(id))).map(({ document }) => document)
  const records = rows.map(({ setIdentifier: _, ...row }): RecordSet => row)
  return { name, records: await withChallenges(reader, name, records) }
}

export async function allPublishedZones(reader: Reader): Promise<readonly Zone[]> {
  const names = (await reader.range<ZoneNameRow>(allZoneNames)).map(({ document }) => document)
  return Promise.all((await publishedZones(reader, names)).map((zone) => readZone(reader, zone)))
}

async function publishedZoneOf(reader: Reader, name: string): Promise<ZoneNameRow | undefined> {
  const above = await Promise.all(ancestorsOf(name).map((each) => reader.range<ZoneNameRow>(zonesNamed(each))))
  const published = await publishedZones(
    reader,
    above.flat().map(({ document }) => document),
  )
  return [...published].sort((a, b) => b.name.length - a.name.length)[0]
}

/** The account whose zone answers the name. */
export const accountAnswering = async (reader: Reader, name: string): Promise<string | undefined> =>
  (await publishedZoneOf(reader, name))?.account

/** The answer of one zone, by the health that is known now. */
export async function lookupIn(
  reader: Reader,
  zone: Pick<ZoneNameRow, 'id' | 'account' | 'name'>,
  name: string,
  type: string,
): Promise<LookupResult> {
  const content = await readZone(reader, zone)
  const isChecked = content.records.some(({ healthCheckId }) => healthCheckId !== undefined)
  const unhealthy = isChecked ? await unhealthyChecks(reader, zone.account) : NONE
  return lookup(compileZones([content]), name, type, { unhealthy })
}

const NONE: ReadonlySet<string> = new Set()

/** undefined: no zone of this installation contains the name. `name` is fully qualified, lower case. */
export async function lookupPublished(reader: Reader, name: string, type: string): Promise<LookupResult | undefined> {
  const zone = await publishedZoneOf(reader, name)
  return zone && lookupIn(reader, zone, name, type)
}
