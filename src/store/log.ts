/** Reading the event log: newest first for who searches, in the order of writing for who checks it. The same SQL on every engine. */
import { type Posting, type PostingList, postingsIn, SPAN_MS, timeOfId } from './postings.ts'
import type { EvidenceRow, LogEntry, LogQuery, LogRecord } from './store.ts'

export type LogValue = string | number | Uint8Array | bigint | null

/** How an engine is queried: `?` is the placeholder of each value in turn. */
export interface LogTable {
  rows(sql: string, values: readonly LogValue[]): Promise<readonly Readonly<Record<string, LogValue>>[]>
  /** The SQL function that returns the position of one text in another, from 1; 0 when it is not found. */
  readonly indexOf: 'instr' | 'strpos'
  /** Keeps the planner on positions where that is possible: a tail is short, an account's log may be all of it. */
  readonly byPosition: 'NOT INDEXED' | ''
}

const COLUMNS = 'log.position, log.id, log.account, log.region, log.time_ms, log.attributes, log.body'

export function queryLog(table: LogTable, query: LogQuery): Promise<readonly LogEntry[]> {
  if (query.order === 'ascending') return inOrder(table, query)
  return query.attribute ? byAttribute(table, query, query.attribute) : byTime(table, query)
}

export async function readEvidence(table: LogTable, after: number, limit: number): Promise<readonly EvidenceRow[]> {
  const rows = await table.rows(
    `SELECT position, account, region, node, id, time_ms AS "timeMs", attributes, body, sequence, hash, epoch, mac
     FROM log WHERE position > ? ORDER BY position LIMIT ?`,
    [after, limit],
  )
  return rows as unknown as readonly EvidenceRow[]
}

/** What came behind a record, as it came. */
async function inOrder(table: LogTable, query: LogQuery): Promise<readonly LogEntry[]> {
  const { after, ...limits } = query
  const { sql, values } = bounds(limits, 'log')
  const rows = await table.rows(
    `SELECT ${COLUMNS} FROM log WHERE log.account = ? AND log.position > ? ${sql} ORDER BY log.position LIMIT ?`,
    [query.account, after === undefined ? 0 : parsePosition(after).position, ...values, query.limit],
  )
  return rows.map(entry)
}

async function byTime(table: LogTable, query: LogQuery): Promise<readonly LogEntry[]> {
  const { sql, values } = bounds(query, 'log')
  const rows = await table.rows(
    `SELECT ${COLUMNS} FROM log WHERE log.account = ? ${sql} ORDER BY log.time_ms DESC, log.position DESC LIMIT ?`,
    [query.account, ...values, query.limit],
  )
  return rows.map(entry)
}

/** A search by attribute, with what the index covers when it begins. */
interface Search extends LogQuery {
  readonly region: string
  readonly name: string
  readonly value: string
  /** The last position in `log_attributes`, the index of older builds. */
  readonly attributesTo: number
  /** The last position in `log_postings`, which begins behind those. */
  readonly postingsTo: number
}

/** The attribute index lags a little behind the log: what it does not cover yet is read row by row, and merged. */
async function byAttribute(
  table: LogTable,
  query: LogQuery,
  [name, given]: readonly [string, string],
): Promise<readonly LogEntry[]> {
  const { region } = query
  if (region === undefined) throw new TypeError('attributes are indexed by Region')
  const counters = await table.rows("SELECT name, value FROM counters WHERE name IN ('postings_from', 'postings')", [])
  const counter = (wanted: string) => Number(counters.find((row) => row['name'] === wanted)!['value'])
  const [attributesTo, postingsTo] = [counter('postings_from'), counter('postings')]
  const search: Search = { ...query, region, name, value: searchable(given), attributesTo, postingsTo }
  const found = [
    ...(await unindexed(table, search)),
    ...(await byId(table, search)),
    ...(await byPostings(table, search)),
    ...(attributesTo > 0 ? await byOlderIndex(table, search) : []),
  ]
  return found.sort(newestFirst).slice(0, query.limit)
}

async function unindexed(table: LogTable, search: Search): Promise<readonly LogEntry[]> {
  const { sql, values } = bounds(search, 'log')
  const rows = await table.rows(
    `SELECT ${COLUMNS} FROM log ${table.byPosition} WHERE log.position > ? AND log.account = ?
     AND ${table.indexOf}(log.attributes, ?) > 0 ${sql}`,
    [search.postingsTo, search.account, JSON.stringify([search.name, search.value]), ...values],
  )
  return rows.map(entry).filter(carries(search))
}

/** The index has no rows for a record's own id: the time in it says where the record is. */
async function byId(table: LogTable, search: Search): Promise<readonly LogEntry[]> {
  const timeMs = timeOfId(search.value)
  if (timeMs === undefined) return []
  const { sql, values } = bounds(search, 'log')
  const rows = await table.rows(
    `SELECT ${COLUMNS} FROM log WHERE log.account = ? AND log.time_ms = ? AND log.id = ?
     AND log.position > ? AND log.position <= ? ${sql}`,
    [search.account, timeMs, search.value, search.attributesTo, search.postingsTo, ...values],
  )
  return rows.map(entry).filter(carries(search))
}

/** Rows of the index that are read at first, and at most, in one go. */
const LISTS_MIN = 4
const LISTS_MAX = 512
/** Rows of the log that are read in one go. */
const POSITIONS_MAX = 500
/** Later than any event, and exact. */
const LAST_MS = 2 ** 50

async function byPostings(table: LogTable, search: Search): Promise<readonly LogEntry[]> {
  const newest = await newestPostings(table, search)
  const found: LogEntry[] = []
  for (let at = 0; at < newest.length; at += POSITIONS_MAX) {
    const positions = newest.slice(at, at + POSITIONS_MAX).map(({ position }) => position)
    const rows = await table.rows(
      `SELECT ${COLUMNS} FROM log WHERE position IN (${positions.map(() => '?').join()})`,
      positions,
    )
    found.push(...rows.map(entry))
  }
  return found
}

/** Lists come by when they end, newest first: once enough was found after the end of the next one, the rest is older. */
async function newestPostings(table: LogTable, search: Search): Promise<readonly Posting[]> {
  const { limit, fromMs = 0, toMs = LAST_MS, postingsTo } = search
  const cursor = search.after === undefined ? undefined : parsePosition(search.after)
  const latest = Math.min(toMs, cursor?.timeMs ?? LAST_MS)
  const isWanted = (posting: Posting) =>
    posting.timeMs >= fromMs &&
    posting.timeMs <= latest &&
    posting.position <= postingsTo &&
    (cursor === undefined || laterFirst(cursor, posting) < 0)
  let found: Posting[] = []
  let before: Pick<PostingList, 'lastMs' | 'position'> = { lastMs: latest + SPAN_MS, position: 0 }
  for (let lists = LISTS_MIN; ; lists = Math.min(lists * 4, LISTS_MAX)) {
    const rows = (await table.rows(
      `SELECT last_ms AS "lastMs", position, first_ms AS "firstMs", postings FROM log_postings
       WHERE account = ? AND region = ? AND name = ? AND value = ? AND last_ms >= ? AND (last_ms, position) < (?, ?)
       AND first_ms <= ? ORDER BY last_ms DESC, position DESC LIMIT ?`,
      [
        ...[search.account, search.region, search.name, search.value],
        ...[fromMs, before.lastMs, before.position, latest, lists],
      ],
    )) as unknown as readonly PostingList[]
    for (const row of rows) {
      if (found.length === limit && found.at(-1)!.timeMs > row.lastMs) return found
      found.push(...postingsIn(row).filter(isWanted))
      found = found.sort(laterFirst).slice(0, limit)
    }
    if (rows.length < lists) return found
    before = rows.at(-1)!
  }
}

async function byOlderIndex(table: LogTable, search: Search): Promise<readonly LogEntry[]> {
  const { sql, values } = bounds(search, 'found')
  const rows = await table.rows(
    `SELECT ${COLUMNS} FROM log_attributes AS found JOIN log USING (position)
     WHERE found.account = ? AND found.name = ? AND found.value = ? AND found.position <= ? ${sql}
     ORDER BY found.time_ms DESC, found.position DESC LIMIT ?`,
    [search.account, search.name, search.value, search.attributesTo, ...values, search.limit],
  )
  return rows.map(entry)
}

const carries =
  ({ name, value }: Pick<Search, 'name' | 'value'>) =>
  ({ attributes }: LogEntry): boolean =>
    attributes.some(([n, v]) => n === name && v === value)

/**
 * Characters that not every engine can store in a text are replaced by U+FFFD, in the log and in queries to it: such
 * values compare as equal.
 */
export const searchable = (value: string): string => value.toWellFormed().replaceAll('\0', '\u{FFFD}')

/** As the log keeps them. */
export function attributesText(attributes: LogRecord['attributes']): string {
  const text = JSON.stringify(attributes)
  // What searchable() replaces, and little else, is written as an escape.
  return text.includes('\\u') ? JSON.stringify(attributes.map(([name, value]) => [name, searchable(value)])) : text
}

/** The query's limits as SQL; times are compared in the table whose index serves them. */
function bounds(
  { region, fromMs, toMs, after }: LogQuery,
  table: 'log' | 'found',
): { sql: string; values: readonly LogValue[] } {
  const cursor = after === undefined ? undefined : parsePosition(after)
  const parts: readonly (readonly [sql: string, values: readonly (LogValue | undefined)[]])[] = [
    [`AND ${table}.region = ?`, [region]],
    [`AND ${table}.time_ms >= ?`, [fromMs]],
    [`AND ${table}.time_ms <= ?`, [toMs]],
    [`AND (${table}.time_ms, ${table}.position) < (?, ?)`, [cursor?.timeMs, cursor?.position]],
  ]
  const given = parts.filter(([, values]) => values[0] !== undefined)
  return { sql: given.map(([sql]) => sql).join(' '), values: given.flatMap(([, values]) => values as LogValue[]) }
}

function entry(row: Readonly<Record<string, LogValue>>): LogEntry {
  return {
    position: `${row['time_ms']}.${row['position']}`,
    id: String(row['id']),
    account: String(row['account']),
    region: String(row['region']),
    timeMs: Number(row['time_ms']),
    attributes: JSON.parse(String(row['attributes'])),
    body: String(row['body']),
  }
}

const newestFirst = (a: LogEntry, b: LogEntry): number =>
  laterFirst(parsePosition(a.position), parsePosition(b.position))

const laterFirst = (a: Posting, b: Posting): number => b.timeMs - a.timeMs || b.position - a.position

function parsePosition(token: string): Posting {
  const [, timeMs, position] = /^(\d{1,15})\.(\d{1,15})$/.exec(token) ?? []
  if (timeMs === undefined) throw new TypeError('not a position in the event log')
  return { timeMs: Number(timeMs), position: Number(position) }
}
