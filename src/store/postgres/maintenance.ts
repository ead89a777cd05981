/** What a node does for all of them in quiet moments: indexing the log's attributes, sweeping up after deletions. */
import type pg from 'pg'
import { type Indexable, postingLists } from '../postings.ts'

const INDEX_PORTION = 1_000
const QUIET_MS = 200
/** Deleted documents stay at least so long, for nodes that have not read the deletion. */
const SWEEP_MS = 3_600_000

export class Maintenance {
  readonly #pool: pg.Pool
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(pool: pg.Pool) {
    this.#pool = pool
    this.#later(QUIET_MS)
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run()
    }, ms)
    this.#timer.unref()
  }

  async #run(): Promise<void> {
    let more = false
    try {
      more = await indexPortion(this.#pool)
      if (!more) await sweep(this.#pool, SWEEP_MS)
    } catch {
      // The database is away, or another node was faster: next time.
    }
    if (!this.#closed) this.#later(more ? 0 : QUIET_MS)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }
}

/** Returns whether there is more to do. The counter moves only if it still has the value that was read. */
export async function indexPortion(pool: pg.Pool): Promise<boolean> {
  const counter = await pool.query<{ value: number }>("SELECT value FROM counters WHERE name = 'postings'")
  const from = counter.rows[0]!.value
  const { rows } = await pool.query<Indexable>(
    `SELECT position, id, account, region, time_ms AS "timeMs", attributes FROM log
     WHERE position > $1 ORDER BY position LIMIT $2`,
    [from, INDEX_PORTION],
  )
  if (rows.length === 0) return false
  const lists = postingLists(rows)
  await pool.query(
    `WITH mine AS (UPDATE counters SET value = $1 WHERE name = 'postings' AND value = $2 RETURNING 1)
     INSERT INTO log_postings (account, region, name, value, last_ms, position, first_ms, postings)
     SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[])
     WHERE EXISTS (SELECT 1 FROM mine)`,
    [
      rows.at(-1)!.position,
      from,
      lists.map(({ account }) => account),
      lists.map(({ region }) => region),
      lists.map(({ name }) => name),
      lists.map(({ value }) => value),
      lists.map(({ lastMs }) => lastMs),
      lists.map(({ position }) => position),
      lists.map(({ firstMs }) => firstMs),
      lists.map(({ postings }) => postings),
    ],
  )
  return rows.length === INDEX_PORTION
}

/** What was deleted before the last sweep is removed; a node that has not read it by then must start again. */
export async function sweep(pool: pg.Pool, everyMs: number): Promise<void> {
  const now = `(extract(epoch FROM now()) * 1000)::bigint`
  await pool.query(
    `WITH due AS (
       UPDATE counters SET value = ${now} WHERE name = 'swept_at' AND value <= ${now} - $1::bigint RETURNING 1
     ), upto AS (
       SELECT value FROM counters WHERE name = 'sweepable' AND EXISTS (SELECT 1 FROM due)
     ), gone AS (
       DELETE FROM documents WHERE document IS NULL AND revision <= (SELECT value FROM upto)
     ), swept AS (
       UPDATE counters SET value = upto.value FROM upto WHERE name = 'swept'
     )
     UPDATE counters SET value = state.revision FROM state WHERE name = 'sweepable' AND state.id = 1 AND EXISTS (SELECT 1 FROM due)`,
    [everyMs],
  )
}
