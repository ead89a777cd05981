/**
 * GuardDuty follows the audit log, and reads events of the network beside it: what a call committed is read, detected in, and
 * found within seconds. The findings, the
 * state of the engines and the cursor are written in one transaction, so that a node that dies loses none and repeats none.
 * Nothing that an account does to its trails stops this: it reads the log itself.
 */
import type { Finding } from '@aws-sdk/client-guardduty'
import { aggregate } from '../../engines/detect/aggregate.ts'
import { normalizeCloudTrail } from '../../engines/detect/normalize/cloudtrail.ts'
import type { DetectedFinding, NormalizedEvent } from '../../engines/detect/types.ts'
import { backOff, Follower, type SourceBatch } from '../../kernel/events/follower.ts'
import type { ServiceContext } from '../../kernel/service/open-services.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Entry, Unit } from '../../store/store.ts'
import { type Detected, Engines, type OperatorSettings, type Place, writeChanges } from './engines.ts'
import { findFinding } from './finding-rows.ts'
import { findingOf } from './finding-shape.ts'
import { recordFinding } from './findings-out.ts'
import { removeWaiting, type WaitingRow, waitingRows } from './network-events.ts'
import { ALL_CONFIGURATIONS, type ConfigurationRow, reconcile } from './organization-members.ts'
import { detectorIn, enabledDetectors } from './resources.ts'
import { asSequence, isSequence } from './sequence-shape.ts'

const IDLE_MS = 500
const PORTION = 500
/** Rows of accounts that are not watched, after which the cursor moves nevertheless. */
const SKIPPED_MAX = 10_000

interface Line {
  readonly place: Place
  /** A row of events of the network. */
  readonly waiting?: Entry<WaitingRow>
  /** Undefined for what is only passed over. */
  readonly body: string | undefined
  readonly timeMs: number
  readonly changesOrganization: boolean
}

interface Watched {
  /** By `account region`: since when. */
  readonly since: ReadonlyMap<string, number>
  readonly hasOrganizations: boolean
}

async function watchedOf(reader: Reader): Promise<Watched> {
  const enabled = await enabledDetectors(reader)
  const configurations = await reader.range(ALL_CONFIGURATIONS, { limit: 1 })
  return {
    since: new Map(enabled.map(({ account, region, enabledAt }) => [`${account} ${region}`, enabledAt])),
    hasOrganizations: configurations.length > 0,
  }
}

export class DetectionFollower {
  readonly #context: ServiceContext
  readonly #watched: DerivedCache<Watched>
  readonly #engines: Engines
  readonly #follower: Follower<Line>
  /** The cursor that the engines in memory are at; undefined while they are ahead of what is committed. */
  #enginesAt: string | undefined
  /** The cursor before and behind the batch in progress. */
  #batch = { after: '', next: '' }
  #detected: readonly Detected[] = []

  constructor(context: ServiceContext, settings?: OperatorSettings) {
    const { store } = context
    this.#context = context
    this.#watched = new DerivedCache(store, watchedOf, { max: 1 })
    this.#engines = new Engines(store, context.use, settings)
    this.#follower = new Follower<Line>({
      store,
      name: ['detector', 'guardduty'],
      idleMs: IDLE_MS,
      read: (after, limit) => this.#read(after ?? '0', limit),
      effect: (lines) => this.#detect(lines),
      commit: (unit, lines) => this.#commit(unit, lines),
      onProcessed: () => {
        this.#enginesAt = this.#batch.next
      },
      onFailure: (error, failures) => {
        context.onFailure('guardduty-detection', error)
        return backOff(failures)
      },
    })
  }

  start(): void {
    this.#follower.start()
  }

  stop(): Promise<void> {
    return this.#follower.stop()
  }

  /** While nothing is watched the log is not read; what is older than a detector is passed over when there is one. */
  async #read(after: string, limit: number): Promise<SourceBatch<Line>> {
    const watched = await this.#watched.get('')
    if (watched.since.size > 0) {
      const waiting = await waitingRows(this.#context.store.reader)
      if (waiting.length > 0) return this.#networkBatch(after, waiting)
    }
    const lines: Line[] = []
    let position = positionIn(after)
    let skipped = 0
    let more = watched.since.size > 0
    while (more && lines.length === 0 && skipped < SKIPPED_MAX) {
      const rows = await this.#context.store.evidence(Number(position), Math.min(PORTION, limit))
      for (const { account, region, timeMs, body } of rows) {
        const since = watched.since.get(`${account} ${region}`)
        const isWanted = since !== undefined && timeMs >= since
        const changesOrganization = watched.hasOrganizations && isOrganizationChange(body)
        if (isWanted || changesOrganization)
          lines.push({ place: { account, region }, body: isWanted ? body : undefined, timeMs, changesOrganization })
      }
      position = String(rows.at(-1)?.position ?? position)
      skipped += rows.length
      more = rows.length === Math.min(PORTION, limit)
    }
    // The follower moves its cursor for lines only.
    if (lines.length === 0 && skipped >= SKIPPED_MAX)
      lines.push({ place: { account: '', region: '' }, body: undefined, timeMs: 0, changesOrganization: false })
    const next = lines.length === 0 ? after : position
    this.#batch = { after, next }
    return { lines, next, more }
  }

  /** The position in the log stays; the cursor changes nevertheless, so that other nodes know that it was another's turn. */
  #networkBatch(after: string, waiting: readonly Entry<WaitingRow>[]): SourceBatch<Line> {
    const next = `${positionIn(after)}/${Number(after.split('/')[1] ?? 0) + 1}`
    this.#batch = { after, next }
    const lines = waiting.map((row) => ({
      place: { account: row.document.account, region: row.document.region },
      waiting: row,
      body: undefined,
      timeMs: 0,
      changesOrganization: false,
    }))
    return { lines, next, more: true }
  }

  /** In memory alone: done again, from what is stored, when the commit behind it fails. */
  async #detect(lines: readonly Line[]): Promise<void> {
    if (this.#enginesAt !== this.#batch.after) this.#engines.forget()
    this.#enginesAt = undefined
    const byPlace = new Map<string, { readonly place: Place; readonly events: NormalizedEvent[] }>()
    for (const { place, body, waiting } of lines) {
      const event = body === undefined ? undefined : normalized(body)
      const all = waiting?.document.events ?? (event ? [event] : [])
      if (all.length === 0) continue
      const name = `${place.account} ${place.region}`
      const known = byPlace.get(name) ?? { place, events: [] }
      byPlace.set(name, known)
      known.events.push(...all)
    }
    const detected: Detected[] = []
    for (const { place, events } of byPlace.values()) detected.push(await this.#engines.detect(place, events))
    this.#detected = detected
  }

  async #commit(unit: Unit, lines: readonly Line[]): Promise<void> {
    const { clock, vault, quotas, use } = this.#context
    const now = clock.now()
    for (const { waiting } of lines) if (waiting) await removeWaiting(unit, waiting)
    for (const each of this.#detected) {
      writeChanges(unit, each)
      const detector = each.findings.length === 0 ? undefined : await detectorIn(unit, each.place)
      if (!detector?.isEnabled) continue
      for (const found of aggregated(each.findings)) {
        if (found.feature === 'S3DataEvents' && detector.features['S3_DATA_EVENTS']?.status !== 'ENABLED') continue
        const signals = isSequence(found) ? await signalsOf(unit, each.place, found) : []
        const of = (before: Finding | undefined): Finding => {
          const finding = findingOf(detector, found, before, now)
          return isSequence(found) ? asSequence(finding, signals) : finding
        }
        await recordFinding({ unit, vault, quotas, now }, detector, { id: found.id, of }, { eventIds: found.eventIds })
      }
    }
    if (lines.some(({ changesOrganization }) => changesOrganization))
      for (const { document } of await unit.range<ConfigurationRow>(ALL_CONFIGURATIONS))
        await reconcile({ unit, now, quotas, use }, document)
  }
}

/** They were recorded before, in this batch or an earlier one; those that are deleted since are left out. */
async function signalsOf(unit: Unit, place: Place, { signals }: DetectedFinding): Promise<readonly Finding[]> {
  const rows = await Promise.all(signals.map((id) => findFinding(unit, [place], id)))
  return rows.flatMap((found) => (found ? [found.row.finding] : []))
}

/** Of one batch, so that each finding is written once. */
function aggregated(findings: readonly DetectedFinding[]): Iterable<DetectedFinding> {
  const byId = new Map<string, DetectedFinding>()
  for (const found of findings) byId.set(found.id, aggregate(byId.get(found.id), found))
  return byId.values()
}

/** A cursor is a position in the log, and the number of batches of the network behind it: `123/2`. */
const positionIn = (cursor: string): string => cursor.split('/')[0]!

/** Before it is parsed: most events are none. */
const isOrganizationChange = (body: string): boolean =>
  body.includes('"eventSource":"organizations.amazonaws.com"') && !body.includes('"readOnly":true')

/** GuardDuty's own findings are no events to detect anything in. */
function normalized(body: string): NormalizedEvent | undefined {
  if (body.includes('"eventName":"GuardDutyFinding"')) return undefined
  try {
    return normalizeCloudTrail(JSON.parse(body))
  } catch {
    return undefined
  }
}
