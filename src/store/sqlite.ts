/**
 * The store on SQLite. Units run in memory against accepted state; accepted commits gather while the last batch is
 * being made durable, and go down together with one fsync. An answer waits for its own commit, which stands behind
 * everything it read, so nobody is told what a crash could take back.
 */
import { configure } from './batch.ts'
import { type Database, openDatabase, type Statement } from './engine.ts'
import { Lock } from './lock.ts'
import { queryLog } from './log.ts'
import { migrate } from './schema.ts'
import {
  type Change,
  type Commit,
  ContentionError,
  compareKeys,
  type Entry,
  type Key,
  type LogEntry,
  type LogQuery,
  type LogRecord,
  type RangeOptions,
  type Store,
  type Unit,
} from './store.ts'
import { BufferedUnit, type View } from './unit.ts'
import { inlineWriter, threadWriter, type Writer } from './writers.ts'

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

interface Accepted {
  readonly commit: Commit
  readonly records: readonly LogRecord[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export async function openStore(options: SqliteOptions): Promise<SqliteStore> {
  const lock = options.file === ':memory:' ? undefined : Lock.take(`${options.file}.lock`)
  try {
    const database = await openDatabase(options.file)
    configure(database)
    migrate(database)
    const writer =
      options.writerScript && options.file !== ':memory:'
        ? await threadWriter(options.file, options.writerScript)
        : inlineWriter(database)
    return new SqliteStore(database, writer, lock, options.documentsCachedMax ?? DOCUMENTS_CACHED_MAX)
  } catch (error) {
    lock?.release()
    throw error
  }
}

export class SqliteStore implements Store, View {
  readonly reader: Pick<Unit, 'get' | 'range'>
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
  #closed = false

  constructor(database: Database, writer: Writer, lock: Lock | undefined, cacheMax: number) {
    this.#database = database
    this.#writer = writer
    this.#lock = lock
    this.#cacheMax = cacheMax
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
      if (this.#closed) throw new Error('the store is closed')
      while (this.#waiting.length >= WAITING_MAX) await this.#flushing
      const unit = new BufferedUnit(this)
      this.#active.add(unit)
      try {
        const result = await body(unit)
        const durable = this.#accept(unit)
        if (durable) {
          await durable
          return result
        }
      } catch (error) {
        // What a unit concluded from state that changed under it does not count.
        if (!this.#stale(unit)) throw error
      } finally {
        this.#active.delete(unit)
        this.#forgetSeen()
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt, BACKOFF_MS_MAX)))
    }
    throw new ContentionError(`gave up after ${ATTEMPTS_MAX} attempts`)
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

  async log(query: LogQuery): Promise<readonly LogEntry[]> {
    return queryLog(this.#database, query)
  }

  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async backup(file: string): Promise<void> {
    await this.#flushing
    this.#database.prepare('VACUUM INTO ?').run(file)
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#flushing) await this.#flushing
    await this.#writer.close()
    this.#database.close()
    this.#lock?.release()
  }

  /** Takes a unit's writes into the accepted state, or returns undefined when something it read has changed. */
  #accept(unit: BufferedUnit): Promise<void> | undefined {
    if (this.#stale(unit)) return undefined
    if (unit.writes.size === 0 && unit.records.length === 0) return this.#flushing ?? Promise.resolve()

    const changes: Change[] = [...unit.writes].map(([key, document]) => ({ key, document }))
    const commit: Commit = { revision: ++this.#revision, changes }
    for (const { key, document } of changes) {
      this.#overlay.set(key, { document, revision: commit.revision })
      this.#remember(key, document)
    }
    if (changes.length > 0) this.#recent.push(commit)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, records: unit.records, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  #stale(unit: BufferedUnit): boolean {
    return this.#recent.some(
      (commit) => commit.revision > unit.startedAt && unit.conflictsWith(commit.revision, commit.changes),
    )
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
          documents: batch.flatMap(({ commit }) =>
            commit.changes.map(
              ({ key, document }) => [key, document === undefined ? null : JSON.stringify(document)] as const,
            ),
          ),
          records: batch.flatMap(({ records }) => records),
        })
      } catch (error) {
        this.#fail([...batch, ...this.#waiting], error as Error)
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
  }

  /** The disk refused: everything accepted behind the last durable commit is taken back, and everyone is told. */
  #fail(lost: readonly Accepted[], error: Error): void {
    this.#waiting = []
    const keys = [...this.#overlay.keys()]
    this.#overlay.clear()
    this.#cache.clear()
    const undone: Commit = {
      revision: ++this.#revision,
      changes: keys.map((key) => ({ key, document: this.get(key) })),
    }
    this.#recent.push(undone)
    this.#tell(undone)
    for (const { reject } of lost) reject(error)
  }

  #tell(commit: Commit): void {
    if (commit.changes.length > 0) for (const listener of this.#listeners) listener(commit)
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

/** Documents are shared: a mutation must throw where it happens. */
function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** The first key behind all keys that begin with `prefix`. */
function successor(prefix: Key): Key {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
