/** Record sets: a batch of changes is made as a whole or not at all. */
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { isRecordType, normalizeName, parseValue, RecordValueError } from '../../engines/dns/records.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Key } from '../../store/store.ts'
import type { Strict } from '../../wire/typed.ts'
import { submitted } from './changes.ts'
import { isWithin, printedName, reversedName } from './names.ts'
import {
  type HostedZoneRow,
  hostedZone,
  notImplemented,
  type RecordSetRow,
  recordSetKey,
  recordSetsNamed,
  recordSetsOf,
  route53,
} from './resources.ts'

const PAGE_MAX = 300
const CHANGES_MAX = 1_000
const RECORD_SETS_PER_ZONE = 10_000

export const changeResourceRecordSets = route53
  .operation('ChangeResourceRecordSets')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, { ChangeBatch }, { row, save }) => {
    if (ChangeBatch.Changes.length > CHANGES_MAX)
      throw invalidBatch([`Number of records limit of ${CHANGES_MAX} exceeded.`])
    const zone = await ZoneDraft.open(call, row, ChangeBatch.Changes)
    zone.apply(ChangeBatch.Changes)
    save({ ...row, recordSetCount: row.recordSetCount + zone.write(call) })
    return { ChangeInfo: submitted(call, ChangeBatch.Comment) }
  })

export const listResourceRecordSets = route53
  .operation('ListResourceRecordSets')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    const size = Math.max(1, Math.min(Math.floor(Number(input.MaxItems)) || PAGE_MAX, PAGE_MAX))
    if (input.StartRecordType !== undefined && input.StartRecordName === undefined)
      throw route53.fail('InvalidInput', 'The input StartRecordType needs a StartRecordName.')
    const start = input.StartRecordName === undefined ? undefined : normalizeName(input.StartRecordName)
    if (input.StartRecordName !== undefined && start === undefined)
      throw route53.fail('InvalidInput', `${input.StartRecordName} is not a valid domain name.`)
    const rows = await call.unit.range<RecordSetRow>(recordSetsOf(row.id))
    const from = rows
      .map(({ document }) => document)
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
      .filter(({ name, type }) => {
        if (start === undefined || reversedName(name) > reversedName(start)) return true
        return name === start && type >= (input.StartRecordType ?? '')
      })
    const next = from[size]
    return {
      ResourceRecordSets: from.slice(0, size).map(described),
      IsTruncated: next !== undefined,
      ...(next && { NextRecordName: printedName(next.name), NextRecordType: next.type }),
      MaxItems: size,
    }
  })

/** A name is listed before the names below it. */
const placeOf = ({ name, type }: RecordSetRow): string => `${reversedName(name)} ${type}`

const invalidBatch = (messages: readonly string[]) =>
  route53.fail('InvalidChangeBatch', `[${messages.join(', ')}]`, { messages })

const label = ({ name, type }: Pick<RecordSetRow, 'name' | 'type'>) =>
  `resource record set [name='${printedName(name)}', type='${type}']`

/** The part of a zone that a batch touches, as the batch will leave it. */
class ZoneDraft {
  readonly #zone: HostedZoneRow
  readonly #before: ReadonlyMap<Key, RecordSetRow>
  readonly #sets: Map<Key, RecordSetRow>

  private constructor(zone: HostedZoneRow, before: ReadonlyMap<Key, RecordSetRow>) {
    this.#zone = zone
    this.#before = before
    this.#sets = new Map(before)
  }

  static async open(call: Call, zone: HostedZoneRow, changes: readonly Strict<Change>[]): Promise<ZoneDraft> {
    const names = new Set(changes.map(({ ResourceRecordSet: { Name } }) => normalizeName(Name)))
    const found = new Map<Key, RecordSetRow>()
    for (const name of names) {
      if (name === undefined) continue
      const rows = await call.unit.range<RecordSetRow>(recordSetsNamed(zone.id, name))
      for (const { key, document } of rows) found.set(key, document)
    }
    return new ZoneDraft(zone, found)
  }

  /** Throws for all that is wrong at once. */
  apply(changes: readonly Strict<Change>[]): void {
    const problems: string[] = []
    for (const change of changes) {
      const set = readSet(this.#zone, change.ResourceRecordSet)
      const problem = typeof set === 'string' ? set : this.#applyOne(change.Action, set)
      if (problem !== undefined) problems.push(problem)
    }
    if (problems.length === 0) problems.push(...this.#conflicts())
    if (problems.length > 0) throw invalidBatch(problems)
  }

  /** Returns by how much the number of record sets has grown. */
  write({ unit }: Call): number {
    for (const [at, set] of this.#sets) if (set !== this.#before.get(at)) unit.put(at, set)
    for (const at of this.#before.keys()) if (!this.#sets.has(at)) unit.delete(at)
    const grown = this.#sets.size - this.#before.size
    if (grown > 0 && this.#zone.recordSetCount + grown > RECORD_SETS_PER_ZONE)
      throw invalidBatch([`Number of records limit of ${RECORD_SETS_PER_ZONE} exceeded.`])
    return grown
  }

  #applyOne(action: string, set: RecordSetRow): string | undefined {
    const at = recordSetKey(this.#zone.id, set)
    const existing = this.#sets.get(at)
    switch (action) {
      case 'CREATE':
        if (existing) return `Tried to create ${label(set)} but it already exists`
        this.#sets.set(at, set)
        return undefined
      case 'UPSERT':
        this.#sets.set(at, set)
        return undefined
      default:
        if (!existing) return `Tried to delete ${label(set)} but it was not found`
        if (!isSame(existing, set))
          return `Tried to delete ${label(set)} but the values provided do not match the current values`
        if (set.name === this.#zone.name && (set.type === 'NS' || set.type === 'SOA'))
          return `A HostedZone must contain ${set.type === 'NS' ? 'at least one NS record' : 'exactly one SOA record'} for the zone itself.`
        this.#sets.delete(at)
        return undefined
    }
  }

  /** An alias of DNS (CNAME) is the only record set of its name (RFC 1034 §3.6.2). */
  #conflicts(): readonly string[] {
    const { name: zone } = this.#zone
    const sets = [...this.#sets.values()]
    return sets
      .filter(({ type }) => type === 'CNAME')
      .flatMap(({ name }) => {
        const text = `RRSet of type CNAME with DNS name ${printedName(name)} is not permitted`
        if (name === zone) return [`${text} at apex in zone ${zone}`]
        const isAlone = !sets.some((other) => other.name === name && other.type !== 'CNAME')
        return isAlone ? [] : [`${text} as it conflicts with other records with the same DNS name in zone ${zone}`]
      })
  }
}

const isSame = (a: RecordSetRow, b: RecordSetRow): boolean =>
  a.ttl === b.ttl &&
  JSON.stringify(a.alias) === JSON.stringify(b.alias) &&
  JSON.stringify([...a.values].sort()) === JSON.stringify([...b.values].sort())

/** Members of record sets that choose between answers: not built. */
const ROUTING = [
  'SetIdentifier',
  'Weight',
  'Region',
  'GeoLocation',
  'Failover',
  'MultiValueAnswer',
  'HealthCheckId',
  'TrafficPolicyInstanceId',
  'CidrRoutingConfig',
  'GeoProximityLocation',
] as const

/** A text is what is wrong with it. */
function readSet(zone: HostedZoneRow, set: Strict<ResourceRecordSet>): RecordSetRow | string {
  const routing = ROUTING.find((member) => set[member] !== undefined)
  if (routing) throw notImplemented(`record sets with ${routing}`)
  if (!isRecordType(set.Type)) throw notImplemented(`record sets of type ${set.Type}`)
  const name = normalizeName(set.Name)
  if (name === undefined) return `Invalid resource record name: ${set.Name}`
  if (!isWithin(name, zone.name))
    return `RRSet with DNS name ${printedName(name)} is not permitted in zone ${zone.name}`
  if (set.AliasTarget) return readAlias(zone, name, set)
  if (set.TTL === undefined || !set.ResourceRecords?.length)
    throw route53.fail(
      'InvalidInput',
      `Invalid request: Expected TTL and ResourceRecords, or an AliasTarget, for ${set.Name}`,
    )
  const values = set.ResourceRecords.map(({ Value }) => Value)
  try {
    for (const value of values) parseValue(set.Type, value)
  } catch (error) {
    if (!(error instanceof RecordValueError)) throw error
    return `Invalid Resource Record: ${error.message}`
  }
  if (new Set(values).size < values.length) return `Duplicate Resource Record in ${label({ name, type: set.Type })}`
  if (values.length > 1 && (set.Type === 'CNAME' || set.Type === 'SOA'))
    return `${label({ name, type: set.Type })} can have only one value`
  return { name, type: set.Type, ttl: set.TTL, values }
}

/** To another record set of the same zone; other targets of AWS's aliases do not exist here. */
function readAlias(zone: HostedZoneRow, name: string, set: Strict<ResourceRecordSet>): RecordSetRow | string {
  const { HostedZoneId, DNSName, EvaluateTargetHealth } = set.AliasTarget!
  if (!isRecordType(set.Type)) return `Invalid type of an alias: ${set.Type}`
  if (set.TTL !== undefined || set.ResourceRecords?.length)
    throw route53.fail('InvalidInput', 'Invalid request: An alias has neither TTL nor ResourceRecords')
  if (HostedZoneId.replace(/^\/hostedzone\//, '') !== zone.id) throw notImplemented('aliases to other hosted zones')
  if (EvaluateTargetHealth) throw notImplemented('aliases that evaluate the health of their target')
  const target = normalizeName(DNSName)
  if (target === undefined || !isWithin(target, zone.name) || target === name)
    return `Tried to create an alias that targets ${DNSName}, but the alias target name does not lie within the target zone`
  const alias = { hostedZoneId: zone.id, name: target, evaluatesHealth: false }
  return { name, type: set.Type, ttl: 0, values: [], alias }
}

const described = ({ name, type, ttl, values, alias }: RecordSetRow): ResourceRecordSet => ({
  Name: printedName(name),
  Type: type,
  ...(alias
    ? {
        AliasTarget: {
          HostedZoneId: alias.hostedZoneId,
          DNSName: printedName(alias.name),
          EvaluateTargetHealth: alias.evaluatesHealth,
        },
      }
    : { TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) }),
})
