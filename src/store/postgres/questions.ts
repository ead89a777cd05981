/** A node's queries that change nothing, each answer with its revision. */
import type pg from 'pg'
import type { CommittedChanges, Read, StoredDocument } from '../backend.ts'
import type { Key, RangeOptions } from '../store.ts'
import { parsed } from '../unit.ts'
import { retryingQuery } from './connection.ts'
import { FencedError } from './fenced.ts'

const NEWS_MAX = 5_000
/** No UTF-8 text contains this byte: a prefix followed by it sorts after everything that begins with the prefix. */
const LAST = Buffer.of(0xff)

const READ = {
  name: 'merlon-read',
  text: `SELECT s.revision, d.document FROM state s LEFT JOIN documents d ON d.key = $1 WHERE s.id = 1`,
}
const range = (name: string, low: string, order: string) => ({
  name,
  text: `
    SELECT s.revision, d.key, d.document FROM state s LEFT JOIN (
      SELECT key, document FROM documents WHERE key ${low} $1 AND key < $2 AND document IS NOT NULL ORDER BY key ${order} LIMIT $3
    ) d ON true WHERE s.id = 1 ORDER BY d.key ${order}`,
})
const RANGES = {
  from: range('merlon-range', '>=', 'ASC'),
  after: range('merlon-after', '>', 'ASC'),
  reverse: range('merlon-reverse', '>=', 'DESC'),
}
const news = (name: string, behind: string) => ({
  name,
  text: `
    SELECT s.revision AS now, (SELECT value FROM counters WHERE name = 'swept') AS swept, d.key, d.document, d.revision
    FROM state s LEFT JOIN (
      SELECT key, document, revision FROM documents WHERE ${behind} ORDER BY revision, key LIMIT ${NEWS_MAX}
    ) d ON true WHERE s.id = 1 ORDER BY d.revision, d.key`,
})
const NEWS = news('merlon-news', 'revision > $1')
/** One commit may be more than a portion: the next goes on within it. */
const MORE_NEWS = news('merlon-more-news', '(revision, key) > ($1, $2)')

interface Row {
  readonly revision: number
  readonly key: Buffer | null
  readonly document: string | null
}

export async function read(pool: pg.Pool, key: Key): Promise<Read<string | undefined>> {
  const { rows } = await retryingQuery(() => pool.query<Row>({ ...READ, values: [Buffer.from(key)] }))
  const { revision, document } = rows[0]!
  return { found: document ?? undefined, revision }
}

export async function readRange(
  pool: pg.Pool,
  prefix: Key,
  { after, limit, reverse = false }: RangeOptions,
): Promise<Read<readonly StoredDocument[]>> {
  const begin = Buffer.from(prefix)
  const end = Buffer.concat([begin, LAST])
  const beyond = after === undefined ? undefined : Buffer.from(after)
  const { rows } = await retryingQuery(() =>
    pool.query<Row>(
      reverse
        ? { ...RANGES.reverse, values: [begin, beyond ?? end, limit] }
        : { ...(beyond ? RANGES.after : RANGES.from), values: [beyond ?? begin, end, limit] },
    ),
  )
  const found = rows.flatMap(({ key, document }) =>
    key && document !== null ? [{ key: key.toString(), json: document }] : [],
  )
  return { found, revision: rows[0]!.revision }
}

/** Everything behind a revision, however much that is. Throws when some of it is no longer known. */
export async function readNews(pool: pg.Pool, after: number): Promise<CommittedChanges> {
  const changes: CommittedChanges['changes'][number][] = []
  for (let last: readonly [revision: number, key: Buffer] | undefined; ; ) {
    const question = last ? { ...MORE_NEWS, values: [...last] } : { ...NEWS, values: [after] }
    const { rows } = await retryingQuery(() =>
      pool.query<Row & { readonly now: number; readonly swept: number }>(question),
    )
    const { now, swept } = rows[0]!
    if ((last?.[0] ?? after) < swept)
      throw new FencedError('this node was away for so long that it cannot catch up; start it again')
    for (const { key, document, revision } of rows) {
      if (key)
        changes.push({ key: key.toString(), document: document === null ? undefined : parsed(document), revision })
    }
    if (rows.length < NEWS_MAX) return { revision: now, changes }
    last = [rows.at(-1)!.revision, rows.at(-1)!.key!]
  }
}
