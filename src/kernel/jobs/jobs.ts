/** Durable jobs: documents with a due time and a lease. Any node runs them; one commit finishes each. */
import { type Key, key, type Store, type Unit, under } from '../../store/store.ts'
import type { Clock } from '../state/clock.ts'

export interface Job {
  readonly id: string
  /** Which handler runs it. */
  readonly kind: string
  /** Epoch milliseconds. */
  readonly dueAt: number
  readonly payload: object
  readonly attempts: number
  /** Another node runs the job until this time, in milliseconds since the epoch. */
  readonly leasedUntil: number
}

export interface JobHandler {
  /**
   * External side effects of the job, and calls to other services, before the commit that ends it. Repeated when that
   * commit or the effect itself fails, so it must be idempotent.
   */
  readonly effect?: (job: Job, now: number) => Promise<unknown>
  /** In the unit that also removes the job: its writes and its end commit together. */
  readonly run: (unit: Unit, job: Job, now: number, outcome: unknown) => Promise<void>
}

const LEASE_MS = 60_000
const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 3_600_000
const BATCH = 100
/** In one look; there may be a hundred thousand. */
const PORTIONS_MAX = 10
/** Of each kind and account: a few at once, as one may wait long for an external side effect. */
const LANES = 8
/** Of each kind, for all accounts: so many accounts with slow jobs do not hold up another one. */
const LANES_OF_KIND = 64

/** Keys sort by due time, so that what is due is one short range. */
const jobKey = (dueAt: number, id: string): Key => key('kernel', 'job', String(dueAt).padStart(15, '0'), id)

/** Schedules a job in the caller's own transaction. Returns what {@link cancelJob} takes. */
export function scheduleJob(unit: Unit, job: Pick<Job, 'id' | 'kind' | 'dueAt' | 'payload'>): Key {
  const at = jobKey(job.dueAt, job.id)
  unit.put(at, { ...job, attempts: 0, leasedUntil: 0 } satisfies Job)
  return at
}

export function cancelJob(unit: Unit, at: Key): void {
  unit.delete(at)
}

/** Jobs that are due, of one kind and account. */
interface Queue {
  readonly kind: string
  readonly owner: string
  readonly keys: Key[]
}

/** By the payload: most name their account, some within the scope of what they act on. */
function ownerOf({ kind, payload }: Job): string {
  const { account, scope } = payload as { account?: unknown; scope?: { account?: unknown } }
  return `${kind} ${account ?? scope?.account ?? ''}`
}

export class JobRunner {
  readonly #store: Store
  readonly #clock: Clock
  readonly #handlers: ReadonlyMap<string, JobHandler>
  readonly #onError: (job: Job, error: unknown) => void
  readonly #openAll: () => Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #rounds = new Set<Promise<void>>()
  /** How many run here: of each kind, and of each kind and account. */
  readonly #busy = new Map<string, number>()
  #looking = false
  /** Where the next look begins, when the last one did not come to the end of what is due. */
  #from: Key | undefined

  constructor(
    store: Store,
    clock: Clock,
    handlers: ReadonlyMap<string, JobHandler>,
    onError: (job: Job, error: unknown) => void,
    /** Adds the handlers of services that are opened when they are first needed. */
    openAll: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#store = store
    this.#clock = clock
    this.#handlers = handlers
    this.#onError = onError
    this.#openAll = openAll
  }

  start(everyMs = 1_000): void {
    const freed = this.#store.shared ? Promise.resolve() : this.#freeAll().catch(() => undefined)
    this.#follow(freed)
    this.#timer = setInterval(() => {
      if (!this.#looking) this.#follow(freed.then(() => this.#untilIdle()))
    }, everyMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#rounds)
  }

  /**
   * Rounds overlap: a job that waits long for an external side effect does not delay others that fall due meanwhile.
   */
  #follow(work: Promise<void>): void {
    const round = work.catch(() => undefined).finally(() => this.#rounds.delete(round))
    this.#rounds.add(round)
  }

  /** The process that leased jobs of data that only this process uses has died. */
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

  /** A job may schedule the next one, due at once. */
  async #untilIdle(): Promise<void> {
    while ((await this.runDue()) > 0);
  }

  /** Runs everything that is due by the clock, and has a lane; returns how many jobs succeeded. */
  async runDue(): Promise<number> {
    const due = await this.#look()
    const lanes: Promise<number>[] = []
    // Every account has one before any has two.
    for (let round = 0; round < LANES; round++) {
      for (const queue of due.values()) {
        if (queue.keys.length > round && this.#free(queue) > 0) lanes.push(this.#lane(queue))
      }
    }
    return (await Promise.all(lanes)).reduce((sum, done) => sum + done, 0)
  }

  #free({ kind, owner }: Pick<Queue, 'kind' | 'owner'>): number {
    const ofKind = LANES_OF_KIND - (this.#busy.get(kind) ?? 0)
    return Math.max(0, Math.min(ofKind, LANES - (this.#busy.get(owner) ?? 0)))
  }

  #count({ kind, owner }: Queue, by: 1 | -1): void {
    for (const name of [kind, owner]) {
      const count = (this.#busy.get(name) ?? 0) + by
      if (count === 0) this.#busy.delete(name)
      else this.#busy.set(name, count)
    }
  }

  /** In order of their time, one after the other. Begins at the next turn of the event loop. */
  async #lane(queue: Queue): Promise<number> {
    this.#count(queue, 1)
    let done = 0
    try {
      await undefined
      for (let next = queue.keys.shift(); next; next = queue.keys.shift()) if (await this.#runOne(next)) done++
    } finally {
      this.#count(queue, -1)
    }
    return done
  }

  /** What is due, by kind and account. */
  async #look(): Promise<ReadonlyMap<string, Queue>> {
    this.#looking = true
    try {
      const begun = this.#from
      const due = await this.#due()
      return due.size === 0 && begun !== undefined && this.#from === undefined ? await this.#due() : due
    } finally {
      this.#looking = false
    }
  }

  /** Accounts without a free lane are passed over, and the next look goes on from here: many of one hide no other. */
  async #due(): Promise<ReadonlyMap<string, Queue>> {
    const now = this.#clock.now()
    const due = new Map<string, Queue>()
    for (let portion = 0; portion < PORTIONS_MAX; portion++) {
      const jobs = await this.#store.reader.range<Job>(under('kernel', 'job'), { after: this.#from, limit: BATCH })
      for (const { key: at, document: job } of jobs) {
        if (job.dueAt > now || job.leasedUntil > now) continue
        const owner = ownerOf(job)
        const queue = due.get(owner) ?? { kind: job.kind, owner, keys: [] }
        if (this.#free(queue) === 0) continue
        due.set(owner, queue)
        queue.keys.push(at)
      }
      const last = jobs.at(-1)
      this.#from = jobs.length === BATCH && last!.document.dueAt <= now ? last!.key : undefined
      if (this.#from === undefined) break
    }
    return due
  }

  async #runOne(at: Key): Promise<boolean> {
    const now = this.#clock.now()
    const job = await this.#lease(at, now)
    if (!job) return false
    try {
      if (!this.#handlers.has(job.kind)) await this.#openAll()
      const handler = this.#handlers.get(job.kind)
      if (!handler) throw new Error(`no handler for jobs of kind '${job.kind}'`)
      const outcome = await this.#holding(at, job, () => handler.effect?.(job, now))
      await this.#store.run(async (unit) => {
        // Another node may have finished it after our lease ran out.
        const current = await unit.get<Job>(at)
        if (current?.attempts !== job.attempts) return
        unit.delete(at)
        await handler.run(unit, job, this.#clock.now(), outcome)
      })
      return true
    } catch (error) {
      this.#onError(job, error)
      await this.#postpone(at, job)
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

  #postpone(at: Key, job: Job): Promise<void> {
    const waitMs = Math.min(RETRY_MS_FIRST * 2 ** (job.attempts - 1), RETRY_MS_MAX)
    return this.#store.run(async (unit) => {
      const current = await unit.get<Job>(at)
      if (current?.attempts !== job.attempts) return
      unit.delete(at)
      const dueAt = this.#clock.now() + waitMs
      unit.put(jobKey(dueAt, job.id), { ...job, dueAt, leasedUntil: 0 })
    })
  }
}
