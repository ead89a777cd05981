/** Record sets: a batch of changes is made as a whole or not at all. */
import { isDeepStrictEqual } from 'node:util'
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { normalizeName } from '../../engines/dns/records.ts'
import type { Routing } from '../../engines/dns/routing.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Key } from '../../store/store.ts'
import type { Strict } from '../../wire/typed.ts'
import { submitted } from './changes.ts'
import { printedName, reversedName } from './names.ts'
import { labelOf, readSet } from './record-set-input.ts'
import {
  type HostedZoneRow,
  healthCheck,
  hostedZone,
  type RecordSetRow,
  recordSetKey,
  recordSetsNamed,
  recordSetsOf,
  route53,
} from './resources.ts'

const PAGE_MAX = 300
const CHANGES_MAX = 1_000
const RECORD_SETS_PER_ZONE = 10_000
const SETS_OF_NAME_MAX = 100

export const changeResourceRecordSets = route53
  .operation('ChangeResourceRecordSets')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, { ChangeBatch }, { row, save }) => {
    if (ChangeBatch.Changes.length > CHANGES_MAX)
      throw invalidBatch([`Number of records limit of ${CHANGES_MAX} exceeded.`])
    await assertHealthChecks(call, ChangeBatch.Changes)
    const zone = await ZoneDraft.open(call, row, ChangeBatch.Changes)
    zone.apply(ChangeBatch.Changes)
    save({ ...row, recordSetCount: row.recordSetCount + zone.write(call) })
    return { ChangeInfo: submitted(call, ChangeBatch.Comment) }
  })

/** Those that are created or changed need health checks of this account. */
async function assertHealthChecks(call: Call, changes: readonly Strict<Change>[]): Promise<void> {
  const ids = changes.flatMap(({ Action, ResourceRecordSet: set }) =>
    Action === 'DELETE' ? [] : (set.HealthCheckId ?? []),
  )
  for (const Id of new Set(ids))
    if (!(await healthCheck.get(call.unit, call, { Id })))
      throw route53.fail('NoSuchHealthCheck', `No health check exists with the specified ID: ${Id}`)
}

export const listResourceRecordSets = route53
  .operation('ListResourceRecordSets')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    const size = Math.max(1, Math.min(Math.floor(Number(input.MaxItems)) || PAGE_MAX, PAGE_MAX))
    if (input.StartRecordType !== undefined && input.StartRecordName === undefined)
      throw route53.fail('InvalidInput', 'The input StartRecordType needs a StartRecordName.')
    if (input.StartRecordIdentifier !== undefined && input.StartRecordType === undefined)
      throw route53.fail('InvalidInput', 'The input StartRecordIdentifier needs a StartRecordType.')
    const start = input.StartRecordName === undefined ? undefined : normalizeName(input.StartRecordName)
    if (input.StartRecordName !== undefined && start === undefined)
      throw route53.fail('InvalidInput', `${input.StartRecordName} is not a valid domain name.`)
    const rows = await call.unit.range<RecordSetRow>(recordSetsOf(row.id))
    const from = rows
      .map(({ document }) => document)
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
      .filter(({ name, type, setIdentifier = '' }) => {
        if (start === undefined || reversedName(name) > reversedName(start)) return true
        if (name !== start) return false
        const { StartRecordType = '', StartRecordIdentifier = '' } = input
        return type > StartRecordType || (type === StartRecordType && setIdentifier >= StartRecordIdentifier)
      })
    const next = from[size]
    return {
      ResourceRecordSets: from.slice(0, size).map(described),
      IsTruncated: next !== undefined,
      ...(next && { NextRecordName: printedName(next.name), NextRecordType: next.type }),
      ...(next?.setIdentifier !== undefined && { NextRecordIdentifier: next.setIdentifier }),
      MaxItems: size,
    }
  })

/** A name is listed before the names below it. */
const placeOf = ({ name, type, setIdentifier = '' }: RecordSetRow): string =>
  `${reversedName(name)} ${type} ${setIdentifier}`

const invalidBatch = (messages: readonly string[]) =>
  route53.fail('InvalidChangeBatch', `[${messages.join(', ')}]`, { messages })

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
        if (existing) return `Tried to create ${labelOf(set)} but it already exists`
        this.#sets.set(at, set)
        return undefined
      case 'UPSERT':
        this.#sets.set(at, set)
        return undefined
      default:
        if (!existing) return `Tried to delete ${labelOf(set)} but it was not found`
        if (!isSame(existing, set))
          return `Tried to delete ${labelOf(set)} but the values provided do not match the current values`
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
    const alike = new Map<string, RecordSetRow[]>()
    for (const set of sets) alike.set(`${set.name} ${set.type}`, [])
    for (const set of sets) alike.get(`${set.name} ${set.type}`)!.push(set)
    const routing = [...alike.values()].flatMap(routingConflict)
    if (routing.length > 0) return routing
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

/** Sets of one name and type have one kind of routing, or there is one. */
function routingConflict(sets: readonly RecordSetRow[]): readonly string[] {
  const { name, type, routing } = sets[0]!
  const label = `RRSet with DNS name ${printedName(name)}, type ${type}`
  const other = sets.find((set) => set.routing?.kind !== routing?.kind)
  if (other) return [`${label} cannot be created as sets with other routing exist with the same name and type`]
  if (sets.length > SETS_OF_NAME_MAX) return [`${label} has more than ${SETS_OF_NAME_MAX} sets`]
  const primaries = sets.filter((set) => set.routing?.kind === 'failover' && set.routing.isPrimary).length
  const isTwice = routing?.kind === 'failover' && (primaries > 1 || sets.length - primaries > 1)
  return isTwice ? [`${label} has more than one primary or secondary set`] : []
}

const isSame = (a: RecordSetRow, b: RecordSetRow): boolean =>
  a.ttl === b.ttl &&
  isDeepStrictEqual([a.alias, a.routing, a.healthCheckId], [b.alias, b.routing, b.healthCheckId]) &&
  JSON.stringify([...a.values].sort()) === JSON.stringify([...b.values].sort())

const described = (set: RecordSetRow): ResourceRecordSet => ({
  Name: printedName(set.name),
  Type: set.type,
  ...(set.setIdentifier !== undefined && { SetIdentifier: set.setIdentifier }),
  ...(set.routing && describedRouting(set.routing)),
  ...(set.healthCheckId !== undefined && { HealthCheckId: set.healthCheckId }),
  ...(set.alias
    ? {
        AliasTarget: {
          HostedZoneId: set.alias.hostedZoneId,
          DNSName: printedName(set.alias.name),
          EvaluateTargetHealth: set.alias.evaluatesHealth,
        },
      }
    : { TTL: set.ttl, ResourceRecords: set.values.map((Value) => ({ Value })) }),
})

function describedRouting(routing: Routing): Pick<ResourceRecordSet, 'Failover' | 'Weight' | 'MultiValueAnswer'> {
  switch (routing.kind) {
    case 'failover':
      return { Failover: routing.isPrimary ? 'PRIMARY' : 'SECONDARY' }
    case 'weighted':
      return { Weight: routing.weight }
    default:
      return { MultiValueAnswer: true }
  }
}
