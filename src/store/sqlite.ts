/**
 * The store on SQLite. Units run in memory against accepted state; accepted commits gather while the last batch is
 * being made durable, and go down together with one fsync. An answer waits for its own commit, which stands behind
 * everything it read, so nobody is told what a crash could take back.
 */
import { type Batch, configure, readHeads } from './batch.ts'
import type { EpochKey, Head } from './chain.ts'
import { copyDatabase, type Database, openDatabase, type Statement } from './engine.ts'
import { Lock } from './lock.ts'
import { queryLog, readEvidence } from './log.ts'
import { migrate, ONLY_NODE } from './schema.ts'
import {
  type Change,
  type Commit,
  ContentionError,
  compareKeys,
  type Entry,
  type EvidenceRow,
  type Key,
  type LogEntry,
  type LogQuery,
  type RangeOptions,
  type Store,
  type Unit,
} from './store.ts'
import { BufferedUnit, deepFreeze, type View } from './unit.ts'
import { inlineWriter, threadWriter, type Writer, WriterLostError } from './writers.ts'

export interface SqliteOptions {
  /** A path, or `:memory:`. */
  readonly file: string
  /** The built `writer-thread` script; without it the caller's own thread writes. */
  readonly writerScript?: URL
  /** Parsed documents kept in memory. */
  readonly documentsCachedMax?: number
}

const ATTEMPTS_MAX = 50
const BACKOFF_MS_MAX = 20
const DOCUMENTS_CACHED_MAX = 50_000
/** Accepted commits that may wait for the disk; beyond this, new ones wait to be accepted. */
const WAITING_MAX = 10_000
const DURABLE = Promise.resolve()
const CLOSED = 'the store is closed'

interface Accepted {
  readonly commit: Commit
  readonly documents: Batch['documents']
  readonly records: Batch['records']
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export async function openStore(options: SqliteOptions): Promise<SqliteStore> {
  const lock = options.file === ':memory:' ? undefined : await Lock.take(`${options.file}.lock`)
  let database: Database | undefined
  try {
    database = await openDatabase(options.file)
    configure(database)
    migrate(database)
    const writer =
      options.writerScript && options.file !== ':memory:'
        ? await threadWriter(options.file, options.writerScript)
        : inlineWriter(database)
    return new SqliteStore(options, database, writer, lock)
  } catch (error) {
    database?.close()
    lock?.release()
    throw error
  }
}

export class SqliteStore implements Store, View {
  readonly node = ONLY_NODE
  /** The lock sees to it. */
  readonly shared = false
  readonly reader: Pick<Unit, 'get' | 'range'>
  readonly #file: string
  readonly #database: Database
  readonly #writer: Writer
  readonly #lock: Lock | undefined
  readonly #cacheMax: number
  readonly #selectOne: Statement
  readonly #cache = new Map<Key, object | undefined>()
  /** Accepted and not yet durable: SQL does not show these. */
  readonly #overlay = new Map<Key, { readonly document: object | undefined; readonly revision: number }>()
  readonly #active = new Set<BufferedUnit>()
  /** Commits that some active unit may not have seen, oldest first. */
  #recent: Commit[] = []
  #waiting: Accepted[] = []
  #flushing: Promise<void> | undefined
  readonly #listeners = new Set<(commit: Commit) => void>()
  #revision: number
  /** Resolves when all that is accepted is durable. */
  #lastAccepted = DURABLE
  /** Why no more work is taken. */
  #ended: Error | undefined

  /** Use {@link openStore}. */
  constructor(options: SqliteOptions, database: Database, writer: Writer, lock: Lock | undefined) {
    this.#file = options.file
    this.#database = database
    this.#writer = writer
    this.#lock = lock
    this.#cacheMax = options.documentsCachedMax ?? DOCUMENTS_CACHED_MAX
    this.#selectOne = database.prepare('SELECT document FROM documents WHERE key = ?')
    this.#revision = Number(database.prepare("SELECT value FROM counters WHERE name = 'revision'").get()!['value'])
    this.reader = {
      get: async <T extends object>(key: Key) => this.get(key) as T | undefined,
      range: async <T extends object>(prefix: Key, range: RangeOptions = {}) =>
        this.range(prefix, range) as readonly Entry<T>[],
    }
  }

  get revision(): number {
    return this.#revision
  }

  async run<T>(body: (unit: Unit) => Promise<T> | T): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      while (this.#waiting.length >= WAITING_MAX) await this.#flushing
      this.#refuseIfEnded()
      const attempted = await this.#attempt(body)
      if (attempted) {
        await attempted.durable
        return attempted.result
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt, BACKOFF_MS_MAX)))
    }
    throw new ContentionError(`gave up after ${ATTEMPTS_MAX} attempts`)
  }

  /** Runs the body once; undefined when something it read has changed meanwhile. */
  async #attempt<T>(body: (unit: Unit) => Promise<T> | T): Promise<{ result: T; durable: Promise<void> } | undefined> {
    const unit = new BufferedUnit(this)
    this.#active.add(unit)
    try {
      const result = await body(unit)
      const durable = this.#accept(unit)
      return durable && { result, durable }
    } catch (error) {
      // What a unit concluded from state that changed under it does not count.
      if (this.#stale(unit)) return undefined
      throw error
    } finally {
      this.#active.delete(unit)
      this.#forgetSeen()
    }
  }

  get(key: Key): object | undefined {
    const cached = this.#cache.get(key)
    if (cached !== undefined || this.#cache.has(key)) return cached
    const pending = this.#overlay.get(key)
    const document = pending ? pending.document : parsed(this.#selectOne.get(key)?.['document'])
    this.#remember(key, document)
    return document
  }

  range(prefix: Key, { after, limit, reverse = false }: RangeOptions): readonly Entry<object>[] {
    const pending = [...this.#overlay].filter(
      ([key]) =>
        key.startsWith(prefix) &&
        (after === undefined || (reverse ? compareKeys(key, after) < 0 : compareKeys(key, after) > 0)),
    )
    const rows = this.#select(prefix, after, limit === undefined ? -1 : limit + pending.length, reverse)
    if (pending.length === 0) return rows

    const merged = new Map<Key, object | undefined>(rows.map((row) => [row.key, row.document]))
    for (const [key, { document }] of pending) merged.set(key, document)
    const entries = [...merged]
      .filter((entry): entry is [Key, object] => entry[1] !== undefined)
      .map(([key, document]) => ({ key, document }))
      .sort((a, b) => (reverse ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key)))
    return limit === undefined ? entries : entries.slice(0, limit)
  }

  authenticate(key: EpochKey): void {
    this.#writer.authenticate(key)
  }

  async heads(): Promise<readonly Head[]> {
    return readHeads(this.#database)
  }

  async evidence(after: number, limit: number): Promise<readonly EvidenceRow[]> {
    return readEvidence(this.#database, after, limit)
  }

  async log(query: LogQuery): Promise<readonly LogEntry[]> {
    return queryLog(this.#database, query)
  }

  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The file must not exist. Readable by its owner only. */
  async backup(file: string): Promise<void> {
    if (this.#file === ':memory:') return copyDatabase(this.#database, file)
    // A connection of its own: reads on ours would wait for the copy.
    const source = await openDatabase(this.#file)
    try {
      await copyDatabase(source, file)
    } finally {
      source.close()
    }
  }

  async close(): Promise<void> {
    if (this.#ended?.message === CLOSED) return
    this.#ended = new Error(CLOSED)
    while (this.#flushing) await this.#flushing
    try {
      await this.#writer.close()
    } finally {
      this.#database.close()
      this.#lock?.release()
    }
  }

  #refuseIfEnded(): void {
    if (this.#ended) throw this.#ended
  }

  /** Takes a unit's writes into the accepted state, or returns undefined when something it read has changed. */
  #accept(unit: BufferedUnit): Promise<void> | undefined {
    this.#refuseIfEnded()
    if (this.#stale(unit)) return undefined
    // What it read may still wait for the disk, and its answer must wait as long.
    if (unit.writes.size === 0 && unit.records.length === 0) return this.#lastAccepted

    // Before anything is accepted: a document that is not JSON must fail its own unit, not the batch.
    const documents = [...unit.writes].map(
      ([key, document]) => [key, document === undefined ? null : JSON.stringify(document)] as const,
    )
    const records = unit.records.map((record) => ({ ...record, attributes: JSON.stringify(record.attributes) }))
    const changes: Change[] = [...unit.writes].map(([key, document]) => ({ key, document }))
    const commit: Commit = { revision: ++this.#revision, changes }
    for (const { key, document } of changes) {
      this.#overlay.set(key, { document, revision: commit.revision })
      this.#remember(key, document)
    }
    if (changes.length > 0) this.#recent.push(commit)
    const durable = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ commit, documents, records, resolve, reject })
    })
    this.#lastAccepted = durable
    this.#flushing ??= this.#flush()
    return durable
  }

  /** Whether a commit since the unit began changed what it had read. Newest first, so that long units cost only themselves. */
  #stale(unit: BufferedUnit): boolean {
    for (let at = this.#recent.length - 1; at >= 0; at--) {
      const { revision, changes } = this.#recent[at]!
      if (revision <= unit.startedAt) return false
      if (unit.conflictsWith(revision, changes)) return true
    }
    return false
  }

  #forgetSeen(): void {
    let oldest = this.#revision
    for (const unit of this.#active) if (unit.startedAt < oldest) oldest = unit.startedAt
    let seen = 0
    while (seen < this.#recent.length && this.#recent[seen]!.revision <= oldest) seen++
    if (seen > 0) this.#recent = this.#recent.slice(seen)
  }

  async #flush(): Promise<void> {
    // Let everything that is ready in this turn of the event loop join the batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#writer.write({
          revision: batch.at(-1)!.commit.revision,
          documents: batch.flatMap(({ documents }) => documents),
          records: batch.flatMap(({ records }) => records),
        })
      } catch (error) {
        this.#fail(batch, error as Error)
        continue
      }
      this.#durable(batch)
    }
    this.#flushing = undefined
  }

  #durable(batch: readonly Accepted[]): void {
    for (const { commit, resolve } of batch) {
      for (const { key } of commit.changes) {
        if (this.#overlay.get(key)?.revision === commit.revision) this.#overlay.delete(key)
      }
      this.#tell(commit)
      resolve()
    }
    if (this.#waiting.length === 0) this.#lastAccepted = DURABLE
  }

  /**
   * The disk refused: everything accepted behind the last durable commit is taken back, and whoever waits for it is
   * told. Work goes on from what the disk holds, unless that cannot be known.
   */
  #fail(batch: readonly Accepted[], error: Error): void {
    const lost = [...batch, ...this.#waiting]
    const keys = [...this.#overlay.keys()]
    this.#waiting = []
    this.#overlay.clear()
    this.#cache.clear()
    this.#lastAccepted = DURABLE
    try {
      if (error instanceof WriterLostError) throw error
      // Units that have read what is now undone run again; caches that have are told what holds instead.
      const changes = keys.map((key) => ({ key, document: this.get(key) }))
      const undone: Commit = { revision: ++this.#revision, changes }
      this.#recent.push(undone)
      this.#tell(undone)
    } catch (cause) {
      this.#ended ??= new Error('the store cannot tell what is on its disk; start again', { cause })
    }
    for (const { reject } of lost) reject(error)
  }

  #tell(commit: Commit): void {
    if (commit.changes.length === 0) return
    for (const listener of this.#listeners) {
      try {
        listener(commit)
      } catch (error) {
        // A cache that missed a change would serve old decisions for ever: let the process hear of it.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #select(prefix: Key, after: Key | undefined, limit: number, reverse: boolean): Entry<object>[] {
    const end = successor(prefix)
    const sql = reverse
      ? 'SELECT key, document FROM documents WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?'
      : `SELECT key, document FROM documents WHERE key ${after === undefined ? '>=' : '>'} ? AND key < ? ORDER BY key LIMIT ?`
    const [low, high] = reverse ? [prefix, after ?? end] : [after ?? prefix, end]
    return this.#statement(sql)
      .all(low, high, limit)
      .map((row) => {
        const key = row['key'] as string
        return { key, document: this.#cache.get(key) ?? parsed(row['document'])! }
      })
  }

  readonly #statements = new Map<string, Statement>()
  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** Least recently used out first: a hit is not moved, only a write or a miss is; good enough, and free. */
  #remember(key: Key, document: object | undefined): void {
    this.#cache.delete(key)
    this.#cache.set(key, document)
    if (this.#cache.size > this.#cacheMax) this.#cache.delete(this.#cache.keys().next().value!)
  }
}

function parsed(text: unknown): object | undefined {
  return typeof text === 'string' ? deepFreeze(JSON.parse(text) as object) : undefined
}

/** The first key behind all keys that begin with `prefix`, in UTF-8 byte order. */
function successor(prefix: Key): Key {
  const points = Array.from(prefix, (char) => char.codePointAt(0)!)
  while (points.at(-1) === LAST_POINT) points.pop()
  const last = points.pop()
  if (last === undefined) return String.fromCodePoint(LAST_POINT).repeat(8)
  // Surrogates are not characters.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
const LAST_POINT = 0x10ffff
