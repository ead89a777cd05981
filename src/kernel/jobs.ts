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

export interface JobHandler {
  /**
   * What the job does to the world, or asks of other services, before the commit that ends it. Done again when that
   * commit, or this itself, fails; so it must bear being done twice.
   */
  readonly effect?: (job: Job, now: number) => Promise<unknown>
  /** In the unit that also removes the job: its writes and its end commit together. */
  readonly run: (unit: Unit, job: Job, now: number, outcome: unknown) => Promise<void>
}

const LEASE_MS = 60_000
const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 3_600_000
const BATCH = 100
const LANES = 8

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
    if (!this.#store.shared) this.#running = this.#freeAll()
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#untilIdle()).catch(() => undefined)
    }, everyMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  /** Whoever held a job of data that is ours alone is dead. */
  async #freeAll(): Promise<void> {
    // In portions: there may be a job for every key and secret, and calls wait meanwhile.
    for (let after: Key | undefined, portion = BATCH; portion === BATCH; ) {
      const jobs = await this.#store.reader.range<Job>(under('kernel', 'job'), { after, limit: BATCH })
      for (const { key: at } of jobs.filter(({ document }) => document.leasedUntil > 0)) {
        await this.#store.run(async (unit) => {
          const job = await unit.get<Job>(at)
          if (job && job.leasedUntil > 0) unit.put(at, { ...job, leasedUntil: 0 } satisfies Job)
        })
      }
      after = jobs.at(-1)?.key
      portion = jobs.length
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** A job may ask for the next one, due at once. */
  async #untilIdle(): Promise<void> {
    while ((await this.runDue()) > 0);
  }

  /** Runs everything that is due by the clock; returns how many jobs succeeded. */
  async runDue(): Promise<number> {
    const now = this.#clock.now()
    const due = await this.#store.reader.range<Job>(under('kernel', 'job'), { limit: BATCH })
    const ready = due.filter(({ document }) => document.dueAt <= now && document.leasedUntil <= now)
    let done = 0
    // In order of their time, a few at once: one may wait long for the world.
    const lane = async () => {
      for (let next = ready.shift(); next; next = ready.shift()) if (await this.#runOne(next.key, now)) done++
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    return done
  }

  async #runOne(at: Key, now: number): Promise<boolean> {
    const job = await this.#lease(at, now)
    if (!job) return false
    const handler = this.#handlers.get(job.kind)
    try {
      if (!handler) throw new Error(`no handler for jobs of kind '${job.kind}'`)
      const outcome = await this.#holding(at, job, () => handler.effect?.(job, now))
      await this.#store.run(async (unit) => {
        // Another node may have finished it after our lease ran out.
        const current = await unit.get<Job>(at)
        if (current?.attempts !== job.attempts) return
        unit.delete(at)
        await handler.run(unit, job, now, outcome)
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

  /** Renews the lease as long as the effect takes. */
  async #holding<T>(at: Key, job: Job, effect: () => T): Promise<Awaited<T>> {
    const renew = () =>
      this.#store.run(async (unit) => {
        const current = await unit.get<Job>(at)
        if (current?.attempts === job.attempts) unit.put(at, { ...current, leasedUntil: this.#clock.now() + LEASE_MS })
      })
    const timer = setInterval(() => void renew().catch(() => undefined), LEASE_MS / 3)
    try {
      return await effect()
    } finally {
      clearInterval(timer)
    }
  }

  #postpone(at: Key, job: Job, now: number): Promise<void> {
    const waitMs = Math.min(RETRY_MS_FIRST * 2 ** (job.attempts - 1), RETRY_MS_MAX)
    return this.#store.run(async (unit) => {
      const current = await unit.get<Job>(at)
      if (current?.attempts !== job.attempts) return
      unit.delete(at)
      const dueAt = now + waitMs
      unit.put(jobKey(dueAt, job.id), { ...job, dueAt, leasedUntil: 0 })
    })
  }
}
