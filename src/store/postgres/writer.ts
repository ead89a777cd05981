/**
 * A node's writing connection. A batch is one statement, so that no lock outlives a node that stops in the middle, and
 * one round trip carries many commits. After a lost connection the node learns whether its last batch was written
 * before it writes again.
 */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Batch } from '../backend.ts'
import { type Chained, Chains, type EpochKey, type Head, type Link } from '../chain.ts'
import {
  type ConnectionSettings,
  connect,
  drop,
  isPassing,
  isRefusal,
  retryingQuery,
  unavailable,
} from './connection.ts'
import { FencedError, LostCommitsError } from './fenced.ts'

/** A batch whose outcome is not known by then is abandoned: its callers have timed out. */
const OUTCOME_MS_MAX = 10_000

/**
 * `state`'s row lock orders the batches of all nodes; `nodes` records which batch of a node was the last, and refuses a
 * process whose name was taken over. Everything else depends on these two. Documents change only on a node that has all
 * changes of the others; records of the log depend on no other node.
 */
const ORDERED = (changing: boolean) => `
  WITH moved AS (
    UPDATE state SET revision = ${changing ? '$2' : 'revision'}, position = position + $3
    WHERE id = 1 AND ${changing ? 'revision = $1' : 'revision >= $1 AND $2::bigint >= $1'} RETURNING position - $3 AS position
  ), mine AS (
    UPDATE nodes SET batch = $4 FROM moved WHERE name = $5 AND incarnation = $6 RETURNING 1
  )`
const put = (rows: string) => `, put AS (
    INSERT INTO documents (key, document, revision) ${rows}
    ON CONFLICT (key) DO UPDATE SET document = excluded.document, revision = excluded.revision
  )`
const PUT_ONE = put('SELECT $7::bytea, $8::text, $9::bigint FROM mine')
const PUT = put('SELECT k, d, r FROM mine, unnest($7::bytea[], $8::text[], $9::bigint[]) AS t (k, d, r)')
const APPENDED = `, appended AS (
    INSERT INTO log (position, id, account, region, time_ms, attributes, body, node, sequence, hash, epoch, mac)
    SELECT moved.position + n, i, a, g, tm, at, b, $5, s, h, e, m FROM moved, mine,
      unnest($10::bigint[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::bigint[],
        $18::bytea[], $19::bigint[], $20::bytea[]) AS t (n, i, a, g, tm, at, b, s, h, e, m)
  ), linked AS (
    INSERT INTO chains (account, region, node, sequence, hash, epoch, mac)
    SELECT a, g, $5, s, h, e, m FROM mine,
      unnest($21::text[], $22::text[], $23::bigint[], $24::bytea[], $25::bigint[], $26::bytea[]) AS t (a, g, s, h, e, m)
    ON CONFLICT (account, region, node) DO UPDATE
    SET sequence = excluded.sequence, hash = excluded.hash, epoch = excluded.epoch, mac = excluded.mac
  )`
/** Null where there was no row. */
const ANSWER = 'SELECT (SELECT position FROM moved) AS moved, (SELECT 1 FROM mine) AS mine'

/** A statement costs by its parts, also by those with nothing to do. Without documents the numbers go on from 6. */
const STATEMENTS = {
  document: { name: 'merlon-document', text: `${ORDERED(true)}${PUT_ONE} ${ANSWER}` },
  documents: { name: 'merlon-documents', text: `${ORDERED(true)}${PUT} ${ANSWER}` },
  nothing: { name: 'merlon-nothing', text: `${ORDERED(false)} ${ANSWER}` },
  records: { name: 'merlon-records', text: `${ORDERED(false)}${renumbered(APPENDED)} ${ANSWER}` },
  both: { name: 'merlon-both', text: `${ORDERED(true)}${PUT}${APPENDED} ${ANSWER}` },
}

function kindOf(documents: number, records: number): keyof typeof STATEMENTS {
  if (documents === 0) return records === 0 ? 'nothing' : 'records'
  if (records > 0) return 'both'
  return documents === 1 ? 'document' : 'documents'
}

function renumbered(part: string): string {
  return part.replace(/\$(\d+)/g, (parameter, n) => (Number(n) > 6 ? `$${Number(n) - 3}` : parameter))
}

export class PostgresWriter {
  readonly #place: ConnectionSettings
  readonly #node: string
  readonly #onNamed: () => void
  /** Whether this process writes under the node's name. */
  #named = false
  #client: pg.Client | undefined
  #incarnation = randomUUID()
  /** The previous name of this process, as long as it is not known that the database has received the new name. */
  #before: string | undefined
  #batch = 0
  /** The last batch that the database has acknowledged. */
  #acknowledged = 0
  #chains: Chains
  #key: EpochKey | undefined

  /**
   * Takes nothing yet: the node's name is taken over by the first write, so that a process that only looks, or that fails
   * before it writes, ends no other.
   */
  constructor(place: ConnectionSettings, node: string, onNamed: () => void = () => undefined) {
    this.#place = place
    this.#node = node
    this.#onNamed = onNamed
    this.#chains = new Chains(node, [])
  }

  /** Takes the node's name over from the process that had it. Doing it again changes nothing. */
  async #takeName(): Promise<void> {
    const client = await connect(this.#place)
    try {
      const { rows } = await client.query<{ batch: number }>(
        `INSERT INTO nodes VALUES ($1, $2, 0) ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation RETURNING batch`,
        [this.#node, this.#incarnation],
      )
      this.#batch = rows[0]!.batch
      this.#acknowledged = this.#batch
      await this.#begin(client)
      this.#named = true
      this.#onNamed()
    } catch (error) {
      drop(client)
      throw error
    }
  }

  authenticate(key: EpochKey): void {
    this.#key = key
    this.#chains.authenticate(key)
  }

  async write(batch: Batch): Promise<'written' | 'moved'> {
    if (!this.#named) await retryingQuery(() => this.#takeName())
    const number = ++this.#batch
    const giveUpAt = performance.now() + OUTCOME_MS_MAX
    let sent = false
    for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 500)) {
      try {
        if (!this.#client) {
          const last = await this.#reconnect()
          if (sent && last === number) {
            this.#acknowledged = number
            return 'written'
          }
          sent = false
        }
        sent = true
        const outcome = await this.#send(this.#client!, batch, number)
        if (outcome === 'written') this.#acknowledged = number
        return outcome
      } catch (error) {
        if (error instanceof FencedError) throw error
        if (isRefusal(error)) {
          sent = false
          if (!isPassing(error)) throw new Error(`the store could not write: ${error.message}`, { cause: error })
        } else {
          this.#disconnect()
        }
        if (performance.now() + waitMs > giveUpAt) throw unavailable(error)
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  async #send(client: pg.Client, { after, revision, documents, records }: Batch, number: number) {
    const linked = this.#chains.link(records)
    // The last one wins: a statement may not touch a row twice.
    const last = new Map(documents.map(([key, json, at]) => [key, [json, at] as const]))
    const keys = [...last.keys()].map((key) => Buffer.from(key))
    const puts = [...last.values()]
    const { rows, heads } = linked
    const kind = kindOf(puts.length, records.length)
    const { rows: answers } = await client.query<{ moved: number | null; mine: number | null }>({
      ...STATEMENTS[kind],
      values: [
        ...[after, revision, records.length, number, this.#node, this.#incarnation],
        ...(kind === 'document' ? [keys[0], ...puts[0]!] : []),
        ...(kind === 'documents' || kind === 'both' ? [keys, column(puts, 0), column(puts, 1)] : []),
        ...(records.length > 0 ? appended(rows, heads) : []),
      ],
    })
    const { moved, mine } = answers[0]!
    if (moved === null) return 'moved'
    if (mine === null)
      throw new FencedError(`another process writes as node '${this.#node}': each node has a name of its own`)
    this.#chains.follow(heads)
    return 'written'
  }

  /**
   * Under a new name for this process, so that what the lost connection may still be doing is either done or never will
   * be. Returns the number of the last batch that was written.
   */
  async #reconnect(): Promise<number> {
    const client = await connect(this.#place)
    try {
      this.#before ??= this.#incarnation
      if (this.#before === this.#incarnation) this.#incarnation = randomUUID()
      const { rows } = await client.query<{ batch: number }>(
        'UPDATE nodes SET incarnation = $2 WHERE name = $1 AND incarnation IN ($2, $3) RETURNING batch',
        [this.#node, this.#incarnation, this.#before],
      )
      if (!rows[0]) throw new FencedError(`another process has taken the name of node '${this.#node}'`)
      this.#before = undefined
      const { batch } = rows[0]
      // Also what is only recorded, which changes no revision.
      if (batch < this.#acknowledged)
        throw new LostCommitsError(
          `the last batch of node '${this.#node}' is ${batch}, and ${this.#acknowledged} was acknowledged`,
        )
      await this.#begin(client)
      return batch
    } catch (error) {
      drop(client)
      throw error
    }
  }

  /** The chains go on from what is written. */
  async #begin(client: pg.Client): Promise<void> {
    const heads = await client.query<Head>('SELECT * FROM chains WHERE node = $1', [this.#node])
    this.#chains = new Chains(this.#node, heads.rows)
    if (this.#key) this.#chains.authenticate(this.#key)
    this.#client = client
    client.on('end', () => {
      if (this.#client === client) this.#client = undefined
    })
  }

  #disconnect(): void {
    if (this.#client) drop(this.#client)
    this.#client = undefined
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => undefined)
    this.#client = undefined
  }
}

const column = (rows: readonly (readonly unknown[])[], at: number): unknown[] => rows.map((row) => row[at])

const appended = (rows: readonly (Chained & Link)[], heads: readonly Head[]): unknown[][] => [
  rows.map((_, n) => n + 1),
  rows.map(({ id }) => id),
  rows.map(({ account }) => account),
  rows.map(({ region }) => region),
  rows.map(({ timeMs }) => timeMs),
  rows.map(({ attributes }) => attributes),
  rows.map(({ body }) => body),
  rows.map(({ sequence }) => sequence),
  rows.map(({ hash }) => hash),
  rows.map(({ epoch }) => epoch),
  rows.map(({ mac }) => mac),
  heads.map(({ account }) => account),
  heads.map(({ region }) => region),
  heads.map(({ sequence }) => sequence),
  heads.map(({ hash }) => hash),
  heads.map(({ epoch }) => epoch),
  heads.map(({ mac }) => mac),
]
