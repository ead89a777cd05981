/**
 * DNS queries that resolvers report, for threat detection: of those machines whose address is the client's. A private address may
 * be that of machines in several networks: such a query is attributed only where the scope of the resolver leaves one of them.
 */
import { randomUUID } from 'node:crypto'
import { normalizeDns } from '../../engines/detect/normalize/dns.ts'
import type { DnsEvent, Json } from '../../engines/detect/types.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type ObservedQuery, type QueriesRecord, queriesRecordOf } from '../../kernel/planes/observed-queries.ts'
import { isInScope, type PlaneScope } from '../../kernel/planes/plane-scope.ts'
import type { RecordHandler } from '../../kernel/planes/records.ts'
import { network } from '../../kernel/ports/network.ts'
import type { Use } from '../../kernel/ports/port.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import type { Place } from './engines.ts'
import { detectionSourcesPort } from './network-events.ts'
import { enabledDetectors } from './resources.ts'

/** In documents that wait: never change it. */
export const RECORD_QUERIES = 'guardduty.record-queries'
/** Interfaces are read once for the reports of this time. */
const EVERY_MS = 2_000
/** Reports of one turn, and those that may wait. */
const REPORTS_MAX = 100
const WAITING_MAX = 5_000

const INTAKE: Key = under('guardduty', 'query-intake')
const STATE: Key = key('guardduty', 'query-intake-state')

interface Report extends QueriesRecord {
  readonly scope?: PlaneScope
}

interface IntakeState {
  readonly waiting: number
  /** Reports, since the installation exists. */
  readonly dropped: number
}

/** Keeps reports as they come, where anything is watched; a job reads them. */
export const takeQueries: RecordHandler = async (unit, { records, scope, now }) => {
  const reports = records.map(queriesRecordOf).filter((each) => each !== undefined)
  if (reports.length === 0 || (await enabledDetectors(unit)).length === 0) return
  const { waiting, dropped } = (await unit.get<IntakeState>(STATE)) ?? { waiting: 0, dropped: 0 }
  const kept = reports.slice(0, Math.max(0, WAITING_MAX - waiting))
  for (const { kind, queries } of kept) {
    const report: Report = { kind, queries, ...(scope && { scope }) }
    unit.put(`${INTAKE}${String(now).padStart(15, '0')}-${randomUUID()}`, report)
  }
  const state: IntakeState = { waiting: waiting + kept.length, dropped: dropped + reports.length - kept.length }
  unit.put(STATE, state)
  schedule(unit, now + EVERY_MS)
}

function schedule(unit: Unit, dueAt: number): void {
  scheduleJob(unit, { id: RECORD_QUERIES, kind: RECORD_QUERIES, dueAt, payload: {} })
}

export const recordQueries: ServiceJob<object> = {
  run: async (unit, { now, use }) => {
    const reports = await unit.range<Report>(INTAKE, { limit: REPORTS_MAX })
    for (const { key: at } of reports) unit.delete(at)
    const state = await unit.get<IntakeState>(STATE)
    if (state) unit.put(STATE, { ...state, waiting: Math.max(0, state.waiting - reports.length) })
    if (reports.length === REPORTS_MAX) schedule(unit, now)
    if (reports.length === 0) return
    const clients = await clientsIn(unit, use)
    const byPlace = new Map<string, { readonly place: Place; readonly events: DnsEvent[] }>()
    for (const { document } of reports) {
      for (const query of document.queries) {
        const client = clientOf(clients, query, document.scope)
        const event = client && eventOf(query, client)
        if (!event) continue
        const name = `${client.account} ${client.region}`
        const known = byPlace.get(name) ?? { place: client, events: [] }
        byPlace.set(name, known)
        known.events.push(event)
      }
    }
    for (const { place, events } of byPlace.values()) await detectionSourcesPort.add(unit, place, events, now)
  },
}

/** The machine or other interface at an address. */
interface Client extends Place {
  readonly vpcId: string
  readonly instanceId: string
}

type Clients = ReadonlyMap<string, readonly Client[]>

async function clientsIn(unit: Unit, use: Use): Promise<Clients> {
  const clients = new Map<string, Client[]>()
  for (const { account, region } of await enabledDetectors(unit)) {
    for (const { vpcId, instanceId, addresses } of await use(network).interfaces(unit, { account, region })) {
      const client: Client = { account, region, vpcId, instanceId }
      for (const address of addresses) {
        const known = clients.get(address)
        if (known) known.push(client)
        else clients.set(address, [client])
      }
    }
  }
  return clients
}

function clientOf(clients: Clients, { srcaddr }: ObservedQuery, scope: PlaneScope | undefined): Client | undefined {
  const possible = (clients.get(srcaddr) ?? []).filter(({ account, region, vpcId }) =>
    isInScope(scope, `arn:aws:ec2:${region}:${account}:vpc/${vpcId}`),
  )
  return possible.length === 1 ? possible[0] : undefined
}

/** By the parser of query log files, so that both are the same events. */
const eventOf = (query: ObservedQuery, { account, region, vpcId, instanceId }: Client): DnsEvent | undefined =>
  normalizeDns({
    ...(query as unknown as { readonly [name: string]: Json }),
    account_id: account,
    region,
    vpc_id: vpcId,
    srcids: { instance: instanceId },
  })
