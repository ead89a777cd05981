/** Making a batch of commits durable: one transaction, one fsync. */
import type { Batch } from './backend.ts'
import { type Chained, Chains, type EpochKey, type Head, type Link } from './chain.ts'
import type { Database, SqlValue, Statement } from './engine.ts'
import { type Indexable, postingLists } from './postings.ts'
import { ONLY_NODE } from './schema.ts'
import { configureWal } from './wal.ts'

/** Log rows whose attributes are indexed in one go while nothing waits. */
const INDEX_PORTION = 1_000
/** Rows that may be unindexed (a search reads them all) before indexing stops waiting for an idle moment. */
const UNINDEXED_MAX = 2_000
/** From then on this many rows are indexed for each that is written: the backlog shrinks. */
const INDEX_SHARE = 2
/** So many at a time: rows that are indexed together share the pages they go to, and no commit waits long. */
const INDEX_PORTION_BUSY = 256
/** Log rows that one statement writes: each call of a statement costs, whatever it writes. */
const ROWS_AT_ONCE = 8
const CHECKPOINT_MS = 5_000
/** Sooner, when the write-ahead log may have grown by this much: three quarters of its space. */
const CHECKPOINT_PAGES = 6_000
/** Of pages, a connection; SQLite's own 2 MB do not hold the leaves that a brisk second writes to. */
const CACHE_KB = 8_000
/** How long one connection waits for another that writes. */
const BUSY_MS = 5_000
/** A checkpoint that something else is in the way of is made another time. */
const CHECKPOINT_WAIT_MS = 20

/** What a writer has done: the other writer of the same file goes on behind it. */
export interface Moved {
  readonly heads: readonly Head[]
  readonly records: number
  /** Of the write-ahead log, roughly. */
  readonly pages: number
}

export class BatchWriter {
  readonly #database: Database
  readonly #begin: Statement
  readonly #end: Statement
  readonly #put: Statement
  readonly #delete: Statement
  readonly #append: Statement
  readonly #appendMany: Statement
  readonly #revision: Statement
  readonly #indexed: Statement
  readonly #markIndexed: Statement
  readonly #portion: Statement
  readonly #list: Statement
  readonly #moveHead: Statement
  readonly #probed: Statement
  readonly #chains: Chains
  #unindexed: number
  /** Records of the last batch, on whichever thread it was written. */
  #written = 0
  /** Rows that should have been indexed by now. */
  #owed = 0
  #checkpointedAt = Date.now()
  /** What may have been added to the write-ahead log since then. */
  #pages = 0

  constructor(database: Database) {
    this.#database = database
    this.#unindexed = Number(
      database
        .prepare(
          "SELECT coalesce((SELECT max(position) FROM log), 0) - value AS n FROM counters WHERE name = 'postings'",
        )
        .get()!['n'],
    )
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#end = database.prepare('COMMIT')
    this.#put = database.prepare(
      'INSERT INTO documents (key, document) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document',
    )
    this.#delete = database.prepare('DELETE FROM documents WHERE key = ?')
    this.#append = database.prepare(insertLog(1))
    this.#appendMany = database.prepare(insertLog(ROWS_AT_ONCE))
    this.#moveHead = database.prepare('INSERT OR REPLACE INTO chains VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#probed = database.prepare("INSERT OR REPLACE INTO counters VALUES ('probed', ?)")
    this.#chains = new Chains(ONLY_NODE, readHeads(database))
    this.#revision = database.prepare("UPDATE counters SET value = ? WHERE name = 'revision'")
    this.#indexed = database.prepare("SELECT value FROM counters WHERE name = 'postings'")
    this.#markIndexed = database.prepare("UPDATE counters SET value = ? WHERE name = 'postings'")
    this.#portion = database.prepare(
      `SELECT position, id, account, region, time_ms AS timeMs, attributes FROM log
       WHERE position > ? ORDER BY position LIMIT ?`,
    )
    this.#list = database.prepare('INSERT INTO log_postings VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  }

  /** MACs of the records to come. */
  authenticate(key: EpochKey): void {
    this.#chains.authenticate(key)
  }

  /** Another writer of the same file has been here. */
  follow({ heads, records, pages }: Moved): void {
    this.#chains.follow(heads)
    this.#unindexed += records
    this.#written = records
    this.#pages += pages
  }

  write(batch: Batch): Moved {
    const { documents, records, revision } = batch
    const { rows, heads } = this.#chains.link(records)
    this.#transaction(() => {
      for (const [key, document] of documents) {
        if (document === null) this.#delete.run(key)
        else this.#put.run(key, document)
      }
      const together = rows.length - (rows.length % ROWS_AT_ONCE)
      for (let at = 0; at < together; at += ROWS_AT_ONCE) {
        this.#appendMany.run(...rows.slice(at, at + ROWS_AT_ONCE).flatMap(logValues))
      }
      for (const row of rows.slice(together)) this.#append.run(...logValues(row))
      for (const { account, region, node, sequence, hash, epoch, mac } of heads) {
        this.#moveHead.run(account, region, node, sequence, hash, epoch, mac)
      }
      if (documents.length > 0) this.#revision.run(revision)
    })
    const moved = { heads, records: records.length, pages: documents.length + 2 * records.length + heads.length + 1 }
    this.follow(moved)
    return moved
  }

  /** A transaction with next to nothing in it: whether the disk takes anything. */
  touch(): void {
    this.#transaction(() => this.#probed.run(Date.now()))
    this.#pages++
  }

  /** Indexes and checkpoints; under load only what cannot wait. Returns whether there is more to do. */
  maintain(idle: boolean): boolean {
    const portion = idle ? INDEX_PORTION : this.#busyPortion()
    const more = portion > 0 && this.#index(portion) === portion
    if (idle || this.#pages > CHECKPOINT_PAGES || Date.now() - this.#checkpointedAt > CHECKPOINT_MS) this.#checkpoint()
    return more
  }

  #busyPortion(): number {
    if (this.#unindexed <= UNINDEXED_MAX) return 0
    this.#owed += this.#written * INDEX_SHARE
    if (this.#owed < INDEX_PORTION_BUSY) return 0
    this.#owed = 0
    return Math.max(INDEX_PORTION_BUSY, this.#written * INDEX_SHARE)
  }

  /** Indexes the attributes of log rows that are not indexed yet; returns how many. */
  #index(rowsMax: number): number {
    // What is lost of the index is made again from the log: it need not wait for the disk.
    this.#database.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.#transaction(() => this.#indexRows(rowsMax))
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL')
    }
  }

  #indexRows(rowsMax: number): number {
    const indexed = this.#indexed.get()!['value']!
    const rows = this.#portion.all(indexed, rowsMax) as unknown as readonly Indexable[]
    const last = rows.at(-1)
    if (!last) return 0
    for (const { account, region, name, value, lastMs, position, firstMs, postings } of postingLists(rows)) {
      this.#list.run(account, region, name, value, lastMs, position, firstMs, postings)
    }
    this.#markIndexed.run(last.position)
    this.#unindexed -= rows.length
    return rows.length
  }

  /** Moves the write-ahead log's content into the database. When all of it was moved, the log begins anew. */
  #checkpoint(): void {
    const moved = this.#database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
    // The other writer went on meanwhile: the little it added is moved while it waits.
    if (moved?.['checkpointed'] !== moved?.['log']) {
      this.#database.exec(
        `PRAGMA busy_timeout = ${CHECKPOINT_WAIT_MS}; PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout = ${BUSY_MS}`,
      )
    }
    this.#checkpointedAt = Date.now()
    this.#pages = 0
  }

  #transaction<T>(body: () => T): T {
    this.#begin.run()
    try {
      const result = body()
      this.#end.run()
      return result
    } catch (error) {
      try {
        this.#database.exec('ROLLBACK')
      } catch {
        // SQLite has rolled back on its own, as it does when the disk is full.
      }
      throw error
    }
  }
}

const insertLog = (rows: number): string =>
  `INSERT INTO log (id, account, region, time_ms, attributes, body, node, sequence, hash, epoch, mac)
   VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join()}`

function logValues(row: Chained & Link): SqlValue[] {
  const { id, account, region, timeMs, attributes, body, node, sequence, hash, epoch, mac } = row
  return [id, account, region, timeMs, attributes, body, node, sequence, hash, epoch, mac]
}

/** The last links of all chains. */
export function readHeads(database: Database): readonly Head[] {
  return database.prepare('SELECT * FROM chains').all() as unknown as readonly Head[]
}

/** Durable at every commit. */
export function configure(database: Database): void {
  // First: another connection may be recovering the log of a process that was killed.
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  configureWal(database)
  database.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KB}`)
}
