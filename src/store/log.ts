/** Reading the event log: newest first for who searches, in the order of writing for who checks it. */
import type { Database, SqlValue } from './engine.ts'
import type { EvidenceRow, LogEntry, LogQuery } from './store.ts'

const COLUMNS = 'log.position, log.id, log.account, log.region, log.time_ms, log.attributes, log.body'

export function queryLog(database: Database, query: LogQuery): readonly LogEntry[] {
  if (query.order === 'ascending') return inOrder(database, query)
  return query.attribute ? byAttribute(database, query, query.attribute) : byTime(database, query)
}

export function readEvidence(database: Database, after: number, limit: number): readonly EvidenceRow[] {
  return database
    .prepare(
      `SELECT position, account, region, node, id, time_ms AS timeMs, attributes, body, sequence, hash, epoch, mac
       FROM log WHERE position > ? ORDER BY position LIMIT ?`,
    )
    .all(after, limit) as unknown as readonly EvidenceRow[]
}

/** What came behind a record, as it came. */
function inOrder(database: Database, query: LogQuery): LogEntry[] {
  const { after, ...limits } = query
  const { sql, values } = bounds(limits, 'log')
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM log WHERE log.account = ? AND log.position > ? ${sql} ORDER BY log.position LIMIT ?`,
    )
    .all(query.account, after === undefined ? 0 : parsePosition(after).position, ...values, query.limit)
    .map(entry)
}

function byTime(database: Database, query: LogQuery): LogEntry[] {
  const { sql, values } = bounds(query, 'log')
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM log WHERE log.account = ? ${sql} ORDER BY log.time_ms DESC, log.position DESC LIMIT ?`,
    )
    .all(query.account, ...values, query.limit)
    .map(entry)
}

/** The attribute index lags a little behind the log: what it does not cover yet is read row by row, and merged. */
function byAttribute(database: Database, query: LogQuery, [name, value]: readonly [string, string]): LogEntry[] {
  if (query.region === undefined) throw new TypeError('attributes are indexed by Region')
  const indexed = Number(database.prepare("SELECT value FROM counters WHERE name = 'indexed'").get()!['value'])
  const tail = bounds(query, 'log')
  const unindexed = database
    .prepare(`SELECT ${COLUMNS} FROM log NOT INDEXED WHERE log.position > ? AND log.account = ? ${tail.sql}`)
    .all(indexed, query.account, ...tail.values)
    .map(entry)
    .filter((row) => row.attributes.some(([n, v]) => n === name && v === value))
  const { sql, values } = bounds(query, 'found')
  const found = database
    .prepare(
      `SELECT ${COLUMNS} FROM log_attributes AS found JOIN log USING (position)
       WHERE found.account = ? AND found.name = ? AND found.value = ? AND found.position <= ? ${sql}
       ORDER BY found.time_ms DESC, found.position DESC LIMIT ?`,
    )
    .all(query.account, name, value, indexed, ...values, query.limit)
    .map(entry)
  return [...unindexed, ...found].sort(newestFirst).slice(0, query.limit)
}

/** The query's limits as SQL; times are compared in the table whose index serves them. */
function bounds(
  { region, fromMs, toMs, after }: LogQuery,
  table: 'log' | 'found',
): { sql: string; values: readonly SqlValue[] } {
  const cursor = after === undefined ? undefined : parsePosition(after)
  const parts: readonly (readonly [sql: string, values: readonly (SqlValue | undefined)[]])[] = [
    [`AND ${table}.region = ?`, [region]],
    [`AND ${table}.time_ms >= ?`, [fromMs]],
    [`AND ${table}.time_ms <= ?`, [toMs]],
    [`AND (${table}.time_ms, ${table}.position) < (?, ?)`, [cursor?.timeMs, cursor?.position]],
  ]
  const given = parts.filter(([, values]) => values[0] !== undefined)
  return { sql: given.map(([sql]) => sql).join(' '), values: given.flatMap(([, values]) => values as SqlValue[]) }
}

function entry(row: Record<string, SqlValue>): LogEntry {
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
