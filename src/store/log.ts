/** Reading the event log: newest first for who searches, in the order of writing for who checks it. The same SQL on every engine. */
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

/** The attribute index lags a little behind the log: what it does not cover yet is read row by row, and merged. */
async function byAttribute(
  table: LogTable,
  query: LogQuery,
  [name, given]: readonly [string, string],
): Promise<readonly LogEntry[]> {
  const value = searchable(given)
  if (query.region === undefined) throw new TypeError('attributes are indexed by Region')
  const [counter] = await table.rows("SELECT value FROM counters WHERE name = 'indexed'", [])
  const indexed = Number(counter!['value'])
  const tail = bounds(query, 'log')
  const unindexed = await table.rows(
    `SELECT ${COLUMNS} FROM log ${table.byPosition} WHERE log.position > ? AND log.account = ?
     AND ${table.indexOf}(log.attributes, ?) > 0 ${tail.sql}`,
    [indexed, query.account, JSON.stringify([name, value]), ...tail.values],
  )
  const { sql, values } = bounds(query, 'found')
  const found = await table.rows(
    `SELECT ${COLUMNS} FROM log_attributes AS found JOIN log USING (position)
     WHERE found.account = ? AND found.name = ? AND found.value = ? AND found.position <= ? ${sql}
     ORDER BY found.time_ms DESC, found.position DESC LIMIT ?`,
    [query.account, name, value, indexed, ...values, query.limit],
  )
  return [...unindexed.map(entry).filter(carries(name, value)), ...found.map(entry)]
    .sort(newestFirst)
    .slice(0, query.limit)
}

const carries =
  (name: string, value: string) =>
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

function newestFirst(a: LogEntry, b: LogEntry): number {
  return b.timeMs - a.timeMs || parsePosition(b.position).position - parsePosition(a.position).position
}

function parsePosition(token: string): { timeMs: number; position: number } {
  const [, timeMs, position] = /^(\d{1,15})\.(\d{1,15})$/.exec(token) ?? []
  if (timeMs === undefined) throw new TypeError('not a position in the event log')
  return { timeMs: Number(timeMs), position: Number(position) }
}
