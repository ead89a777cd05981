/** The store on SQLite: one process, one file; a thread of its own makes batches durable with one fsync each. */
import { existsSync, rmSync } from 'node:fs'
import type { Backend, Read, StoredDocument } from './backend.ts'
import { configure, readHeads } from './batch.ts'
import type { EpochKey, Head } from './chain.ts'
import { copyDatabase, type Database, openDatabase, openReadOnly, type Statement } from './engine.ts'
import type { StoreSnapshot } from './image.ts'
import { Lock } from './lock.ts'
import { type LogTable, queryLog, readEvidence } from './log.ts'
import { migrate, ONLY_NODE } from './schema.ts'
import { sqliteImage } from './sqlite-image.ts'
import { sqliteLog } from './sqlite-log.ts'
import type { BlobSnapshot, EvidenceRow, Key, LogEntry, LogQuery, RangeOptions, Store } from './store.ts'
import { Transactional } from './transactional.ts'
import { Transactions } from './transactions.ts'
import { inlineWriter, quickerWriter, threadWriter, type Writer, WriterLostError } from './writers.ts'

export interface SqliteOptions {
  /** A path, or `:memory:`. */
  readonly file: string
  /** The built `writer-thread` script; without it the caller's own thread writes. */
  readonly writerScript?: URL
  /** Parsed documents kept in memory. */
  readonly documentsCachedMax?: number
  /** Called when the writer is lost: the process has to end. */
  readonly onEnd?: (error: Error) => void
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
        ? quickerWriter(await threadWriter(options.file, options.writerScript), database)
        : inlineWriter(database)
    return new SqliteStore(options, database, writer, lock)
  } catch (error) {
    database?.close()
    lock?.release()
    throw error
  }
}

export class SqliteStore extends Transactional implements Store {
  readonly node = ONLY_NODE
  /** The lock sees to it. */
  readonly shared = false
  readonly #file: string
  readonly #database: Database
  readonly #writer: Writer
  readonly #lock: Lock | undefined
  readonly #log: LogTable

  /** Use {@link openStore}. */
  constructor(options: SqliteOptions, database: Database, writer: Writer, lock: Lock | undefined) {
    const { value } = database.prepare("SELECT value FROM counters WHERE name = 'revision'").get()!
    super(new Transactions(sqliteBackend(database, writer, options.onEnd), Number(value), options.documentsCachedMax))
    this.#file = options.file
    this.#database = database
    this.#writer = writer
    this.#lock = lock
    this.#log = sqliteLog(database)
  }

  authenticate(key: EpochKey): void {
    this.#writer.authenticate(key)
  }

  async heads(): Promise<readonly Head[]> {
    return readHeads(this.#database)
  }

  async evidence(after: number, limit: number): Promise<readonly EvidenceRow[]> {
    return readEvidence(this.#log, after, limit)
  }

  async log(query: LogQuery): Promise<readonly LogEntry[]> {
    return queryLog(this.#log, query)
  }

  image(): Promise<StoreSnapshot> {
    return sqliteImage(this.#file)
  }

  /** The file must not exist. Readable by its owner only. */
  async backup<T>(file: string, then: (blobs: BlobSnapshot | undefined) => Promise<T>): Promise<T> {
    await this.#copyTo(file)
    return then(undefined)
  }

  async #copyTo(file: string): Promise<void> {
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
    if (this.transactions.closed) return
    await this.transactions.close()
    try {
      await this.#writer.close()
    } finally {
      this.#database.close()
      this.#lock?.release()
    }
  }
}

/** What is read has the revision of the last batch: there is no other writer. */
function sqliteBackend(database: Database, writer: Writer, onLost: SqliteOptions['onEnd']): Backend {
  const selectOne = database.prepare('SELECT document FROM documents WHERE key = ?')
  const statements = new Map<string, Statement>()
  const prepared = (sql: string) => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    unitsMax: Number.POSITIVE_INFINITY,
    read: (key) => found(selectOne.get(key)?.['document'] as string | undefined),
    range: (prefix, { after, limit = -1, reverse = false }: RangeOptions) => {
      const end = successor(prefix)
      const sql = reverse
        ? 'SELECT key, document AS json FROM documents WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?'
        : `SELECT key, document AS json FROM documents WHERE key ${after === undefined ? '>=' : '>'} ? AND key < ? ORDER BY key LIMIT ?`
      const [low, high] = reverse ? [prefix, after ?? end] : [after ?? prefix, end]
      return found(prepared(sql).all(low, high, limit) as unknown as readonly StoredDocument[])
    },
    write: async (batch, alone) => {
      await writer.write(batch, alone)
      return 'written'
    },
    touch: () => writer.touch(),
    isLost: (error) => error instanceof WriterLostError,
    onLost,
  }
}

const found = <T>(value: T): Read<T> => ({ found: value, revision: 0 })

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

/** Whether a database file that no process has open holds a document. Writes nothing, and leaves no file beside it. */
export async function holdsKey(file: string, key: Key): Promise<boolean> {
  const beside = ['-wal', '-shm'].map((suffix) => file + suffix).filter((each) => !existsSync(each))
  const database = await openReadOnly(file)
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'documents'").get()
    return tables !== undefined && database.prepare('SELECT 1 FROM documents WHERE key = ?').get(key) !== undefined
  } finally {
    database.close()
    for (const each of beside) rmSync(each, { force: true })
  }
}
