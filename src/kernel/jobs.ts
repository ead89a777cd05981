/** Durable jobs: documents with a due time and a lease. Any node runs them; one commit finishes each. */
import { type Key, key, type Store, type Unit, under } from '../store/store.ts'
import type { Clock } from './clock.ts'

export interface Job {
  readonly id: string
  /** Which handler runs it. */
  readonly kind: string
  /** Epoch milliseconds. */
  readonly dueAt: number
  readonly payload: object
  readonly attempts: number
  /** While this lies in the future another node is at work. */
  readonly leasedUntil: number
}

/** Does the job in the unit that also removes it: its writes and its end commit together. */
export type JobHandler = (unit: Unit, job: Job, now: number) => Promise<void>

const LEASE_MS = 60_000
const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 3_600_000
const BATCH = 100

/** Keys sort by due time, so that what is due is one short range. */
const jobKey = (dueAt: number, id: string): Key => key('kernel', 'job', String(dueAt).padStart(15, '0'), id)

/** Asks for a job in the caller's own transaction. Returns what {@link cancelJob} takes. */
export function scheduleJob(unit: Unit, job: Pick<Job, 'id' | 'kind' | 'dueAt' | 'payload'>): Key {
  const at = jobKey(job.dueAt, job.id)
  unit.put(at, { ...job, attempts: 0, leasedUntil: 0 } satisfies Job)
  return at
}

export function cancelJob(unit: Unit, at: Key): void {
  unit.delete(at)
}

export class JobRunner {
  readonly #store: Store
  readonly #clock: Clock
  readonly #handlers: ReadonlyMap<string, JobHandler>
  readonly #onError: (job: Job, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(
    store: Store,
    clock: Clock,
    handlers: ReadonlyMap<string, JobHandler>,
    onError: (job: Job, error: unknown) => void,
  ) {
    this.#store = store
    this.#clock = clock
    this.#handlers = handlers
    this.#onError = onError
  }

  start(everyMs = 1_000): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(async () => void (await this.runDue())).catch(() => undefined)
    }, everyMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  /** Runs everything that is due by the clock; returns how many jobs succeeded. */
  async runDue(): Promise<number> {
    const now = this.#clock.now()
    const due = await this.#store.reader.range<Job>(under('kernel', 'job'), { limit: BATCH })
    let done = 0
    for (const { key: at, document } of due) {
      if (document.dueAt > now) break
      if (document.leasedUntil <= now && (await this.#runOne(at, now))) done++
    }
    return done
  }

  async #runOne(at: Key, now: number): Promise<boolean> {
    const job = await this.#lease(at, now)
    if (!job) return false
    const handler = this.#handlers.get(job.kind)
    try {
      if (!handler) throw new Error(`no handler for jobs of kind '${job.kind}'`)
      await this.#store.run(async (unit) => {
        // Another node may have finished it after our lease ran out.
        const current = await unit.get<Job>(at)
        if (current?.leasedUntil !== job.leasedUntil) return
        unit.delete(at)
        await handler(unit, job, now)
      })
      return true
    } catch (error) {
      this.#onError(job, error)
      await this.#postpone(at, job, now)
      return false
    }
  }

  #lease(at: Key, now: number): Promise<Job | undefined> {
    return this.#store.run(async (unit) => {
      const job = await unit.get<Job>(at)
      if (!job || job.leasedUntil > now) return undefined
      const leased: Job = { ...job, attempts: job.attempts + 1, leasedUntil: now + LEASE_MS }
      unit.put(at, leased)
      return leased
    })
  }

  #postpone(at: Key, job: Job, now: number): Promise<void> {
    const waitMs = Math.min(RETRY_MS_FIRST * 2 ** (job.attempts - 1), RETRY_MS_MAX)
    return this.#store.run(async (unit) => {
      const current = await unit.get<Job>(at)
      if (current?.leasedUntil !== job.leasedUntil) return
      unit.delete(at)
      const dueAt = now + waitMs
      unit.put(jobKey(dueAt, job.id), { ...job, dueAt, leasedUntil: 0 })
    })
  }
}
