/** The store on PostgreSQL: any number of processes, each a node, over one database. */
import type pg from 'pg'
import type { Backend } from '../backend.ts'
import type { EpochKey, Head } from '../chain.ts'
import { copyImage, type StoreSnapshot } from '../image.ts'
import { type LogTable, queryLog, readEvidence } from '../log.ts'
import { sqliteLoader } from '../sqlite-image.ts'
import type { BlobSnapshot, Blobs, EvidenceRow, Key, LogEntry, LogQuery, Store } from '../store.ts'
import { Transactional } from '../transactional.ts'
import { Transactions } from '../transactions.ts'
import { postgresBlobs } from './blobs.ts'
import { type ConnectionSettings, openPool, retryingQuery } from './connection.ts'
import { FencedError, LostCommitsError } from './fenced.ts'
import { postgresImage } from './image.ts'
import { postgresLog } from './log.ts'
import { Maintenance } from './maintenance.ts'
import { ChangeNotifications } from './notifications.ts'
import { read, readNews, readRange } from './questions.ts'
import { migrate } from './schema.ts'
import { PostgresWriter } from './writer.ts'

export interface PostgresOptions extends ConnectionSettings {
  /** Unique among the nodes that run: a process takes the name over with its first write. */
  readonly node: string
  /** Called once this process writes under the name. */
  readonly onNamed?: () => void
  /** Parsed documents kept in memory. */
  readonly documentsCachedMax?: number
  /** Documents that are in no image and no backup. */
  readonly withheld?: readonly Key[]
  /** Called when this node can no longer go on: the process has to end. */
  readonly onEnd?: (error: Error) => void
}

const READERS_MAX = 6
/** Commits that go down together: beyond it a statement is large, not faster. */
const UNITS_MAX = 500

/** Changes nothing but the tables, where they are not up to date. */
export async function openPostgres(given: PostgresOptions): Promise<PostgresStore> {
  await migrate(given)
  let store: PostgresStore | undefined
  const options = { ...given, acknowledged: () => store?.revision ?? 0 }
  const writer = new PostgresWriter(options, options.node, options.onNamed)
  const pool = openPool(options, READERS_MAX)
  try {
    const { rows } = await pool.query<{ revision: number }>('SELECT revision FROM state WHERE id = 1')
    store = new PostgresStore(options, writer, pool, rows[0]!.revision)
    return store
  } catch (error) {
    await writer.close()
    await pool.end()
    throw error
  }
}

export class PostgresStore extends Transactional implements Store {
  readonly node: string
  readonly shared = true
  readonly blobs: Blobs
  readonly #writer: PostgresWriter
  readonly #pool: pg.Pool
  readonly #hints: ChangeNotifications
  readonly #upkeep: Maintenance
  readonly #log: LogTable
  readonly #options: PostgresOptions
  #onLost: (() => void) | undefined

  /** Use {@link openPostgres}. */
  constructor(options: PostgresOptions, writer: PostgresWriter, pool: pg.Pool, revision: number) {
    const written = () => this.#hints.give()
    const onEnd = (error: Error) => this.#reportEnd(error, options.onEnd)
    super(new Transactions(backendOf(pool, writer, written, onEnd), revision, options.documentsCachedMax))
    this.node = options.node
    this.#options = options
    this.#writer = writer
    this.#pool = pool
    this.blobs = postgresBlobs(pool)
    this.#log = postgresLog(pool)
    this.#hints = new ChangeNotifications(options, options.node, () => {
      this.sync().catch((error: Error) => {
        if (error instanceof FencedError) this.#end(error, options.onEnd)
      })
    })
    this.#upkeep = new Maintenance(pool)
  }

  #end(error: Error, onEnd: PostgresOptions['onEnd']): void {
    this.transactions.end(error)
    this.#reportEnd(error, onEnd)
  }

  #reportEnd(error: Error, onEnd: PostgresOptions['onEnd']): void {
    if (error instanceof LostCommitsError) this.#onLost?.()
    onEnd?.(error)
  }

  onLostCommits(listener: () => void): void {
    this.#onLost = listener
  }

  authenticate(key: EpochKey): void {
    this.#writer.authenticate(key)
  }

  async heads(): Promise<readonly Head[]> {
    return (await retryingQuery(() => this.#pool.query<Head>('SELECT * FROM chains'))).rows
  }

  evidence(after: number, limit: number): Promise<readonly EvidenceRow[]> {
    return readEvidence(this.#log, after, limit)
  }

  log(query: LogQuery): Promise<readonly LogEntry[]> {
    return queryLog(this.#log, query)
  }

  image(): Promise<StoreSnapshot> {
    return postgresImage(this.#options, this.#options.withheld ?? [])
  }

  /** Into a SQLite file: what one node's installation would hold. */
  async backup<T>(file: string, then: (blobs: BlobSnapshot | undefined) => Promise<T>): Promise<T> {
    const image = await this.image()
    try {
      await copyImage(image, await sqliteLoader(file))
      return await then(image.blobs)
    } finally {
      await image.close()
    }
  }

  async close(): Promise<void> {
    if (this.transactions.closed) return
    await this.transactions.close()
    this.#hints.close()
    await this.#upkeep.close()
    await this.#writer.close()
    await this.#pool.end()
  }
}

function backendOf(
  pool: pg.Pool,
  writer: PostgresWriter,
  written: () => void,
  onLost: PostgresOptions['onEnd'],
): Backend {
  return {
    unitsMax: UNITS_MAX,
    read: (key) => read(pool, key),
    range: (prefix, options) => readRange(pool, prefix, options),
    news: (after) => readNews(pool, after),
    write: async (batch) => {
      const outcome = await writer.write(batch)
      if (outcome === 'written' && batch.documents.length > 0) written()
      return outcome
    },
    touch: async (after) => void (await writer.write({ after, revision: after, documents: [], records: [] })),
    isLost: (error) => error instanceof FencedError,
    onLost,
  }
}
