/** What a trail has delivered so far, and where it goes on. Written by deliveries, so that changing a trail never waits. */
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { Unit } from '../../store/store.ts'
import { at, type TrailRow } from './resources.ts'

const MINUTE_MS = 60_000
/** AWS: "about every 5 minutes". */
export const DELIVERY_EVERY_MS = 5 * MINUTE_MS
export const DIGEST_EVERY_MS = 60 * MINUTE_MS
export const DELIVERY_JOB = 'cloudtrail.deliver'

/** A log file that no digest has named yet. Times in epoch milliseconds. */
export interface Pending {
  readonly bucket: string
  readonly key: string
  /** SHA-256 of what is inside the gzip, in hexadecimal. */
  readonly hash: string
  readonly oldest: number
  readonly newest: number
}

export interface Digested {
  readonly bucket: string
  readonly key: string
  readonly hash: string
  readonly signature: string
}

/** The digests of one Region. */
export interface RegionJournal {
  /** Where the next digest begins; undefined while log files are not validated. */
  readonly from?: number
  readonly pending: readonly Pending[]
  readonly previous?: Digested
}

interface Outcome {
  readonly at?: number
  readonly attemptedAt?: number
  readonly error?: string
}

export interface Journal {
  /** Of its deliveries one at a time is meant: a job of another turn does nothing. */
  readonly turn: number
  /** Events behind this one are not delivered yet. */
  readonly position: string
  /** Older events are not the trail's. */
  readonly since: number
  /**
   * When the next delivery was planned: its files are named by this and the position, so that a delivery done again after
   * a crash replaces its files.
   */
  readonly plannedAt: number
  /**
   * The last event of the delivery that comes next: on disk before its first file is written, so that a retry, or a
   * node that was taken for dead and still works, writes the same files.
   */
  readonly until?: string
  readonly regions: Readonly<Record<string, RegionJournal>>
  readonly delivery: Outcome
  readonly digest: Outcome
  /** To the log group. */
  readonly logs?: Outcome
  /** All until logging stopped is delivered. */
  readonly closed?: boolean
}

export interface Turn {
  readonly account: string
  readonly region: string
  readonly name: string
  readonly turn: number
}

export function scheduleDelivery(unit: Unit, trail: TrailRow, journal: Journal, dueAt: number): void {
  const { account, region, name } = trail
  unit.put(at.journal(trail), journal)
  const payload: Turn = { account, region, name, turn: journal.turn }
  scheduleJob(unit, { id: `trail ${account} ${region} ${name}`, kind: DELIVERY_JOB, dueAt, payload })
}
