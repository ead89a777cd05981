/**
 * Transactions over a backend that reads what is durable and writes one batch at a time. Units run in memory against
 * accepted state; accepted commits gather while the last batch is being made durable, and go down together. A response
 * waits for its own commit, which follows everything it read, so no caller receives what a crash could undo.
 */
import type { Backend, Batch, CommittedChanges, Read, StoredDocument } from './backend.ts'
import { attributesText } from './log.ts'
import {
  type Change,
  type Commit,
  ContentionError,
  compareKeys,
  type Entry,
  type Key,
  type RangeOptions,
  UnavailableError,
  type Unit,
} from './store.ts'
import { BufferedUnit, parsed, type View } from './unit.ts'

const ATTEMPTS_MAX = 50
const BACKOFF_MS_MAX = 20
const DOCUMENTS_CACHED_MAX = 50_000
/** Accepted commits that may wait for the disk; beyond this, new ones wait to be accepted. */
const WAITING_MAX = 10_000
/** A write serves as an answer to a probe for so long. */
const WRITTEN_MS_MAX = 1_000
const CLOSED = 'the store is closed'

/** A unit that was taken into the accepted state. */
interface Accepted {
  readonly unit: BufferedUnit
  readonly documents: readonly (readonly [key: Key, json: string | null])[]
  readonly records: Batch['records']
  readonly changes: readonly Change[]
  /** At which of this process's ticks it was accepted. */
  readonly tick: number
  /** With false when another process has changed what it had read: the body is retried. */
  readonly resolve: (durable: boolean) => void
  readonly reject: (error: Error) => void
  /** Nothing to write: it is only to be seen whether something can be written. */
  readonly isProbe?: true
}

/** Accepted, and not yet durable. */
type Pending = readonly [key: Key, accepted: { readonly document: object | undefined }]

/** Something that happened to the accepted state. Ticks count in this process only; revisions are the data's. */
interface Moment {
  readonly tick: number
  readonly changes: readonly Change[]
}

/** A document on its way from the backend; spoiled when it changed meanwhile. */
interface Loading {
  readonly document: Promise<object | undefined>
  spoiled: boolean
}

export class Transactions implements View {
  readonly reader: Pick<Unit, 'get' | 'range'>
  readonly #backend: Backend
  readonly #cacheMax: number
  readonly #cache = new Map<Key, object | undefined>()
  readonly #loading = new Map<Key, Loading>()
  /** Accepted and not yet durable: the backend does not show these. */
  readonly #overlay = new Map<Key, { readonly document: object | undefined; readonly tick: number }>()
  readonly #active = new Set<BufferedUnit>()
  /** What some active unit may not have seen, oldest first. */
  #recent: Moment[] = []
  #waiting: Accepted[] = []
  #flushing: Promise<void> | undefined
  /** What others wrote, seen while a batch was on its way. */
  #ahead: CommittedChanges | undefined
  /** Settles when the batch on its way has been dealt with. */
  #inFlight: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined
  readonly #listeners = new Set<(commit: Commit) => void>()
  #tick = 0
  #revision: number
  /** When something last became durable. */
  #writtenAt = Number.NEGATIVE_INFINITY
  /** Why no more work is taken. */
  #ended: Error | undefined

  /** `revision`: of what the backend holds now. */
  constructor(backend: Backend, revision: number, documentsCachedMax = DOCUMENTS_CACHED_MAX) {
    this.#backend = backend
    this.#revision = revision
    this.#cacheMax = documentsCachedMax
    this.reader = {
      get: async <T extends object>(key: Key) =>
        (await (this.#overlay.has(key) ? this.#durably(key) : this.get(key))) as T | undefined,
      range: async <T extends object>(prefix: Key, range: RangeOptions = {}) =>
        (await this.#range(prefix, range, [])) as readonly Entry<T>[],
    }
  }

  /** Of the last commit that is durable and known here. */
  get revision(): number {
    return this.#revision
  }
  get tick(): number {
    return this.#tick
  }

  async run<T>(body: (unit: Unit) => Promise<T> | T): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      while (this.#waiting.length >= WAITING_MAX) await this.#flushing
      this.#refuseIfEnded()
      const attempted = await this.#attempt(body)
      if (attempted && (await attempted.durable)) return attempted.result()
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt, BACKOFF_MS_MAX)))
    }
    throw new ContentionError(`gave up after ${ATTEMPTS_MAX} attempts`)
  }

  /** Runs the body once; undefined when something it read has changed meanwhile. */
  async #attempt<T>(
    body: (unit: Unit) => Promise<T> | T,
  ): Promise<{ result: () => T; durable: Promise<boolean> | true } | undefined> {
    const unit = new BufferedUnit(this)
    this.#active.add(unit)
    try {
      let result: () => T
      try {
        const returned = await body(unit)
        result = () => returned
      } catch (error) {
        if (error instanceof UnavailableError) throw error
        // A refusal is an answer, too: it writes nothing, and waits like any other for what it read. What it concluded
        // from a commit that is then taken back does not count.
        unit.writes.clear()
        unit.records.length = 0
        result = () => {
          throw error
        }
      }
      const durable = this.#accept(unit)
      return durable && { result, durable }
    } finally {
      this.#active.delete(unit)
      this.#forgetSeen()
    }
  }

  get(key: Key): object | undefined | Promise<object | undefined> {
    const cached = this.#cache.get(key)
    if (cached !== undefined || this.#cache.has(key)) return cached
    const pending = this.#overlay.get(key)
    if (pending) {
      this.#remember(key, pending.document)
      return pending.document
    }
    const under = this.#loading.get(key)
    if (under) return under.document
    const read = this.#backend.read(key)
    if (read instanceof Promise) return this.#load(key, read)
    const document = read.found === undefined ? undefined : parsed(read.found)
    this.#remember(key, document)
    return document
  }

  #load(key: Key, read: Promise<Read<string | undefined>>): Promise<object | undefined> {
    const loading: Loading = {
      document: read
        .then(async ({ found, revision }) => {
          // Documents read at a revision newer than the known one must not be mixed with older ones.
          if (revision > this.#revision) await this.#takeNews()
          const document = found === undefined ? undefined : parsed(found)
          if (!loading.spoiled) this.#remember(key, document)
          return document
        })
        .finally(() => {
          if (this.#loading.get(key) === loading) this.#loading.delete(key)
        }),
      spoiled: false,
    }
    this.#loading.set(key, loading)
    return loading.document
  }

  /** What is accepted here, and may never be, is not shown. */
  async #durably(key: Key): Promise<object | undefined> {
    const { found, revision } = await this.#backend.read(key)
    if (revision > this.#revision) await this.#takeNews()
    return found === undefined ? undefined : parsed(found)
  }

  range(prefix: Key, options: RangeOptions): readonly Entry<object>[] | Promise<readonly Entry<object>[]> {
    const { after, reverse = false } = options
    // As they are now: by the time the backend answers they may be durable, and its answer from before.
    const pending = [...this.#overlay].filter(
      ([key]) =>
        key.startsWith(prefix) &&
        (after === undefined || (reverse ? compareKeys(key, after) < 0 : compareKeys(key, after) > 0)),
    )
    return this.#range(prefix, options, pending)
  }

  #range(
    prefix: Key,
    { after, limit, reverse = false }: RangeOptions,
    pending: readonly Pending[],
  ): readonly Entry<object>[] | Promise<readonly Entry<object>[]> {
    const read = this.#backend.range(prefix, {
      after,
      limit: limit === undefined ? undefined : limit + pending.length,
      reverse,
    })
    if (!(read instanceof Promise)) {
      return withPending(this.#documentsOf(read.found), pending, limit, reverse)
    }
    return read.then(async ({ found, revision }) => {
      if (revision > this.#revision) await this.#takeNews()
      const rows = found.map(({ key, json }) => ({ key, document: parsed(json) }))
      return withPending(rows, pending, limit, reverse)
    })
  }

  /** What is cached need not be parsed again, unless it is newer than what was found. */
  #documentsOf(rows: readonly StoredDocument[]): readonly Entry<object>[] {
    return rows.map(({ key, json }) => ({
      key,
      document: (this.#overlay.has(key) ? undefined : this.#cache.get(key)) ?? parsed(json),
    }))
  }

  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One query to the backend answers every caller that arrived before it was sent. */
  sync(): Promise<void> {
    if (!this.#backend.news) return Promise.resolve()
    if (!this.#syncing) return this.#startSync()
    this.#nextSync ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined
        return this.#startSync()
      })
    return this.#nextSync
  }

  #startSync(): Promise<void> {
    const syncing = this.#takeNews().finally(() => {
      if (this.#syncing === syncing) this.#syncing = undefined
    })
    this.#syncing = syncing
    return syncing
  }

  /** Resolves when something became durable within the last second, or something does now; rejects with the reason. */
  async probe(): Promise<void> {
    this.#refuseIfEnded()
    if (performance.now() - this.#writtenAt < WRITTEN_MS_MAX) return
    const nothing = { unit: new BufferedUnit(this), documents: [], records: [], changes: [], tick: this.#tick }
    await new Promise<boolean>((resolve, reject) => {
      this.#waiting.push({ ...nothing, resolve, reject, isProbe: true })
      this.#flushing ??= this.#flush()
    })
  }

  /** Waits for what was accepted, then takes no more. */
  async close(): Promise<void> {
    if (this.#ended?.message === CLOSED) return
    this.#ended = new Error(CLOSED)
    while (this.#flushing) await this.#flushing
  }

  get closed(): boolean {
    return this.#ended?.message === CLOSED
  }

  /** Nothing more is taken, for this reason. */
  end(error: Error): void {
    this.#ended ??= error
  }

  #refuseIfEnded(): void {
    if (this.#ended) throw this.#ended
  }

  /** Takes a unit's writes into the accepted state, or returns undefined when something it read has changed. */
  #accept(unit: BufferedUnit): Promise<boolean> | true | undefined {
    this.#refuseIfEnded()
    if (this.#stale(unit)) return undefined
    const empty = unit.writes.size === 0 && unit.records.length === 0
    // What it read may still wait for the disk, and its answer must wait as long.
    if (empty && !this.#flushing) return true

    // Before anything is accepted: a document that is not JSON must fail its own unit, not the batch.
    const documents = [...unit.writes].map(
      ([key, document]) => [key, document === undefined ? null : JSON.stringify(document)] as const,
    )
    const records = unit.records.map((record) => ({ ...record, attributes: attributesText(record.attributes) }))
    const changes: Change[] = [...unit.writes].map(([key, document]) => ({ key, document }))
    const tick = changes.length > 0 ? this.#happened(changes) : this.#tick
    for (const { key, document } of changes) {
      this.#overlay.set(key, { document, tick })
      this.#remember(key, document)
    }
    const durable = new Promise<boolean>((resolve, reject) => {
      this.#waiting.push({ unit, documents, records, changes, tick, resolve, reject })
    })
    this.#flushing ??= this.#flush()
    return durable
  }

  /** Units that have read one of these are stale from now on. */
  #happened(changes: readonly Change[]): number {
    this.#recent.push({ tick: ++this.#tick, changes })
    for (const { key } of changes) this.#spoil(key)
    return this.#tick
  }

  /** Whether something since the unit began changed what it had read. Newest first, so that long units cost only themselves. */
  #stale(unit: BufferedUnit): boolean {
    for (let at = this.#recent.length - 1; at >= 0; at--) {
      const { tick, changes } = this.#recent[at]!
      if (tick <= unit.startedAt) return false
      if (unit.conflictsWith(tick, changes)) return true
    }
    return false
  }

  #forgetSeen(): void {
    let oldest = this.#tick
    for (const unit of this.#active) if (unit.startedAt < oldest) oldest = unit.startedAt
    let seen = 0
    while (seen < this.#recent.length && this.#recent[seen]!.tick <= oldest) seen++
    if (seen > 0) this.#recent = this.#recent.slice(seen)
  }

  async #flush(): Promise<void> {
    // Let everything that is ready in this turn of the event loop join the batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      this.#takeAhead()
      const batch = this.#waiting.slice(0, this.#backend.unitsMax)
      this.#waiting = this.#waiting.slice(batch.length)
      this.#inFlight = this.#write(batch)
      await this.#inFlight
      this.#inFlight = undefined
    }
    this.#takeAhead()
    this.#flushing = undefined
  }

  async #write(batch: readonly Accepted[]): Promise<void> {
    try {
      const written = batch.filter(({ documents, records }) => documents.length > 0 || records.length > 0)
      if (written.length === 0) {
        if (batch.some(({ isProbe }) => isProbe)) {
          await this.#backend.touch(this.#revision)
          this.#writtenAt = performance.now()
        }
        return this.#durable(batch, this.#revision)
      }
      const changing = batch.filter(({ changes }) => changes.length > 0)
      const revision = this.#revision + changing.length
      const alone = batch.length === 1 && this.#waiting.length === 0 && this.#active.size === 0
      const documents = changing.flatMap(({ documents }, n) =>
        documents.map(([key, json]) => [key, json, this.#revision + n + 1] as const),
      )
      const records = written.flatMap(({ records }) => records)
      const outcome = await this.#backend.write({ after: this.#revision, revision, documents, records }, alone)
      if (outcome === 'written') {
        this.#writtenAt = performance.now()
        return this.#durable(batch, revision)
      }
      // Another node was first: what is still valid is written after its changes.
      const news = await this.#backend.news!(this.#revision)
      this.#waiting = [...batch, ...this.#waiting]
      this.#take(news)
    } catch (error) {
      this.#fail(batch, error as Error)
    }
  }

  #durable(batch: readonly Accepted[], revision: number): void {
    let at = this.#revision
    this.#revision = revision
    for (const { changes, tick, resolve } of batch) {
      for (const { key } of changes) if (this.#overlay.get(key)?.tick === tick) this.#overlay.delete(key)
      if (changes.length > 0) this.#publish({ revision: ++at, changes })
      resolve(true)
    }
  }

  /**
   * The disk refused: everything accepted after the last durable commit is taken back, and its callers get the error.
   * Work goes on from what the backend holds, unless that cannot be known.
   */
  #fail(batch: readonly Accepted[], error: Error): void {
    const lost = [...batch, ...this.#waiting]
    this.#waiting = []
    this.#cache.clear()
    this.#undo([...this.#overlay.keys()])
    if (this.#backend.isLost(error)) {
      this.#ended ??= new Error('the content of the disk is unknown; start again', { cause: error })
      this.#backend.onLost?.(error)
    }
    for (const { reject } of lost) reject(error)
  }

  /** Accepted documents that never became durable: units that have read one are stale. */
  #undo(keys: readonly Key[]): void {
    if (keys.length === 0) return
    for (const key of keys) {
      this.#overlay.delete(key)
      this.#cache.delete(key)
    }
    this.#happened(keys.map((key) => ({ key, document: undefined })))
  }

  async #takeNews(): Promise<void> {
    const news = await this.#backend.news!(this.#revision)
    if (news.revision <= this.#revision) return
    if (!this.#inFlight) return this.#take(news)
    // Whether the batch on its way came before or after this is known only when it is answered.
    if (news.revision > (this.#ahead?.revision ?? 0)) this.#ahead = news
    await this.#inFlight
    this.#takeAhead()
  }

  #takeAhead(): void {
    const news = this.#ahead
    this.#ahead = undefined
    if (news) this.#take(news)
  }

  /** What other processes have committed becomes part of the state; units based on other data are retried. */
  #take({ revision, changes: all }: CommittedChanges): void {
    if (revision <= this.#revision) return
    const news = all.filter((change) => change.revision > this.#revision)
    this.#revision = revision
    const tick = this.#happened(news)
    for (const { key, document } of news) if (this.#cache.has(key)) this.#remember(key, document)

    const doomed = this.#doomed(tick, news)
    if (doomed.size > 0) this.#waiting = this.#waiting.filter((accepted) => !doomed.has(accepted))
    // What others wrote comes before what is accepted here and still valid.
    const lost = new Set([...doomed].flatMap(({ changes }) => changes.map(({ key }) => key)))
    for (const { changes, tick: at } of this.#waiting) {
      for (const { key, document } of changes) {
        this.#overlay.set(key, { document, tick: at })
        this.#remember(key, document)
        lost.delete(key)
      }
    }
    for (const each of byRevision(news)) this.#publish(each)
    this.#undo([...lost])
    for (const { resolve } of doomed) resolve(false)
  }

  /** Those that read what others wrote, and those that read what these wrote. */
  #doomed(tick: number, news: readonly Change[]): ReadonlySet<Accepted> {
    const doomed = new Set<Accepted>()
    const tainted: Change[] = [...news]
    for (const accepted of this.#waiting) {
      if (!accepted.unit.conflictsWith(tick, tainted)) continue
      doomed.add(accepted)
      tainted.push(...accepted.changes)
    }
    return doomed
  }

  #publish(commit: Commit): void {
    for (const listener of this.#listeners) {
      try {
        listener(commit)
      } catch (error) {
        // A cache that missed a change would serve old decisions for ever: report it to the process.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #spoil(key: Key): void {
    const loading = this.#loading.get(key)
    if (!loading) return
    loading.spoiled = true
    // Later callers load it again.
    this.#loading.delete(key)
  }

  /** Least recently used out first: a hit is not moved, only a write or a miss is; good enough, and free. */
  #remember(key: Key, document: object | undefined): void {
    this.#cache.delete(key)
    this.#cache.set(key, document)
    if (this.#cache.size > this.#cacheMax) this.#cache.delete(this.#cache.keys().next().value!)
  }
}

function withPending(
  rows: readonly Entry<object>[],
  pending: readonly Pending[],
  limit: number | undefined,
  reverse: boolean,
): readonly Entry<object>[] {
  if (pending.length === 0) return rows
  const merged = new Map<Key, object | undefined>(rows.map((row) => [row.key, row.document]))
  for (const [key, { document }] of pending) merged.set(key, document)
  const entries = [...merged]
    .filter((entry): entry is [Key, object] => entry[1] !== undefined)
    .map(([key, document]) => ({ key, document }))
    .sort((a, b) => (reverse ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key)))
  return limit === undefined ? entries : entries.slice(0, limit)
}

/** Changes in the order of their commits; of a key that changed twice the last is known. */
function byRevision(changes: CommittedChanges['changes']): readonly Commit[] {
  const commits = new Map<number, Change[]>()
  for (const { key, document, revision } of changes) {
    const commit = commits.get(revision)
    if (commit) commit.push({ key, document })
    else commits.set(revision, [{ key, document }])
  }
  return [...commits].map(([revision, changed]) => ({ revision, changes: changed }))
}
