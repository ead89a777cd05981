/**
 * What becomes of a finding: it is stored, archived where a filter suppresses it, and otherwise reported: an event in the audit log,
 * messages to whom the operator names, and a file in the publishing destination. New findings at once, later sightings as
 * often as the detector says.
 */

import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Finding } from '@aws-sdk/client-guardduty'
import { serviceEvent } from '../../kernel/events/event.ts'
import { cancelJob, scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { OutboxContext } from '../../kernel/jobs/outbox.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { sendAlerts } from './alerts.ts'
import { folderOf, writeFile } from './destination-lifecycle.ts'
import { filtersOf, isSuppressed } from './filter-rows.ts'
import { type FindingRow, findingKey } from './finding-rows.ts'
import { findingJson } from './finding-shape.ts'
import { administratorOf, governing } from './member-rows.ts'
import { type DestinationRow, type DetectorRow, destination, PRINCIPAL } from './resources.ts'

const compressed = promisify(gzip)
const MINUTE_MS = 60_000
const RETRY_MS = 5 * MINUTE_MS
/** A file that no destination takes is given up: the finding itself stays. */
const GIVEN_UP_MS = 24 * 60 * MINUTE_MS
const EVENT_IDS_MAX = 100
/** In documents that wait: never change it. */
export const EXPORT = 'guardduty.export'

const EVERY_MS = { FIFTEEN_MINUTES: 15 * MINUTE_MS, ONE_HOUR: 60 * MINUTE_MS, SIX_HOURS: 360 * MINUTE_MS } as const

interface Place {
  readonly account: string
  readonly region: string
}

/** A finding that waits to be reported. */
interface PendingRow {
  readonly finding: string
  readonly dueAt: number
  /** The event is in the log already; the file is missing. */
  readonly isRecorded: boolean
  readonly since: number
}

const pendingKey = ({ account, region }: Place, finding: string): Key =>
  key('guardduty', 'pending-export', account, region, finding)
const pendingOf = ({ account, region }: Place): Key => under('guardduty', 'pending-export', account, region)
const timerKey = ({ account, region }: Place): Key => key('guardduty', 'export-timer', account, region)

interface Timer {
  readonly dueAt: number
  readonly job: Key
}

export interface RecordedFacts {
  readonly eventIds: readonly string[]
}

/** In the transaction of what found it. `make` gets the finding that there is. */
export async function recordFinding(
  context: OutboxContext,
  detector: DetectorRow,
  make: { readonly id: string; readonly of: (before: Finding | undefined) => Finding },
  facts: RecordedFacts,
): Promise<void> {
  const { unit, now } = context
  const at = findingKey(detector, make.id)
  const before = await unit.get<FindingRow>(at)
  const made = make.of(before?.finding)
  const suppressed = isSuppressed(await filtersOf(unit, await governing(unit, detector)), made)
  const isArchived = suppressed || made.Service?.Archived === true
  const finding = { ...made, Service: { ...made.Service, Archived: isArchived } }
  const eventIds = [...(before?.eventIds ?? []), ...facts.eventIds].slice(-EVENT_IDS_MAX)
  unit.put(at, { finding, eventIds, updatedAt: now } satisfies FindingRow)
  if (isArchived) return
  const waiting = await unit.get<PendingRow>(pendingKey(detector, make.id))
  if (before === undefined) {
    await recordEvent(unit, detector, finding, now)
    await sendAlerts(context, finding)
    await wait(unit, detector, { finding: make.id, dueAt: now, isRecorded: true, since: now })
  } else if (!waiting) {
    const dueAt = now + EVERY_MS[detector.frequency]
    await wait(unit, detector, { finding: make.id, dueAt, isRecorded: false, since: now })
  }
}

/** In the account of the finding and in its administrator's, as EventBridge has them at AWS. */
async function recordEvent(unit: Unit, place: Place, finding: Finding, now: number): Promise<void> {
  const administrator = (await administratorOf(unit, place))?.administrator
  for (const account of [place.account, ...(administrator === undefined ? [] : [administrator])])
    unit.append(
      serviceEvent({
        account,
        region: place.region,
        timeMs: now,
        eventSource: PRINCIPAL,
        eventName: 'GuardDutyFinding',
        resources: [],
        details: findingJson(finding) as Readonly<Record<string, unknown>>,
      }),
    )
}

async function wait(unit: Unit, place: Place, pending: PendingRow): Promise<void> {
  unit.put(pendingKey(place, pending.finding), pending)
  await startTimer(unit, place, pending.dueAt)
}

/** One job for an account in a Region, at the earliest time that something is due. */
async function startTimer(unit: Unit, { account, region }: Place, dueAt: number): Promise<void> {
  const at = timerKey({ account, region })
  const timer = await unit.get<Timer>(at)
  if (timer && timer.dueAt <= dueAt) return
  if (timer) cancelJob(unit, timer.job)
  const job = scheduleJob(unit, {
    id: `${EXPORT}/${account}/${region}`,
    kind: EXPORT,
    dueAt,
    payload: { account, region } satisfies Place,
  })
  unit.put(at, { dueAt, job } satisfies Timer)
}

interface Exported {
  readonly rows: readonly { readonly pending: PendingRow; readonly finding: Finding | undefined }[]
  readonly delivered: boolean
}

export const exportJob: ServiceJob<Place, Exported> = {
  effect: async ({ reader, now, actAs }, place) => {
    const due = (await reader.range<PendingRow>(pendingOf(place)))
      .map(({ document }) => document)
      .filter(({ dueAt }) => dueAt <= now)
    const rows = await Promise.all(
      due.map(async (pending) => ({
        pending,
        finding: (await reader.get<FindingRow>(findingKey(place, pending.finding)))?.finding,
      })),
    )
    const findings = rows.flatMap(({ finding }) => (finding && !finding.Service?.Archived ? [finding] : []))
    let delivered = true
    if (findings.length > 0) {
      const lines = findings.map((finding) => `${JSON.stringify(findingJson(finding))}\n`).join('')
      const Body = await compressed(lines)
      for (const row of await destinationsFor(reader, place)) {
        if (row.progress.state !== 'PUBLISHING') {
          delivered = false
          continue
        }
        try {
          await writeFile(actAs, row, { Key: fileName(row, place.account, lines, now), Body })
        } catch (error) {
          if (!(error instanceof Fault)) throw error
          delivered = false
        }
      }
    }
    return { rows, delivered }
  },
  run: async (unit, { now }, place, { rows, delivered }) => {
    unit.delete(timerKey(place))
    for (const { pending, finding } of rows) {
      const isCurrent = finding && !finding.Service?.Archived
      if (isCurrent && !pending.isRecorded) await recordEvent(unit, place, finding, now)
      if (delivered || !isCurrent || now - pending.since > GIVEN_UP_MS) unit.delete(pendingKey(place, pending.finding))
      else unit.put(pendingKey(place, pending.finding), { ...pending, isRecorded: true, dueAt: now + RETRY_MS })
    }
    const left = await unit.range<PendingRow>(pendingOf(place))
    if (left.length > 0) await startTimer(unit, place, Math.min(...left.map(({ document }) => document.dueAt)))
  },
}

/** Of the account itself, and of its administrator. */
async function destinationsFor(
  reader: Pick<Reader, 'get' | 'range'>,
  place: Place,
): Promise<readonly DestinationRow[]> {
  const administrator = await governing(reader, place)
  const places = administrator.account === place.account ? [place] : [place, administrator]
  const rows = await Promise.all(places.map((each) => destination.list(reader, each)))
  return rows.flat().map(({ document }) => document)
}

/** The same findings have the same name, so that a file that is written again replaces itself. */
function fileName(row: DestinationRow, account: string, lines: string, now: number): string {
  const [year, month, day] = new Date(now).toISOString().slice(0, 10).split('-')
  const digest = createHash('sha256').update(lines).digest('hex').slice(0, 32)
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20)}`
  return `${folderOf(row, account)}${year}/${month}/${day}/${id}.jsonl.gz`
}
