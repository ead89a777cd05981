/** Reading the event log, newest first. */
import type { Database, SqlValue } from './engine.ts'
import type { LogEntry, LogQuery } from './store.ts'

const COLUMNS = 'log.position, log.id, log.account, log.region, log.time_ms, log.attributes, log.body'

export function queryLog(database: Database, query: LogQuery): readonly LogEntry[] {
  return query.attribute ? byAttribute(database, query, query.attribute) : byTime(database, query)
}

function byTime(database: Database, query: LogQuery): LogEntry[] {
  const { sql, values } = bounds(query)
  const cursor = position(query.after)
  const rows = database
    .prepare(
      `SELECT ${COLUMNS} FROM log WHERE log.account = ? ${sql} ${cursor ? 'AND (time_ms, position) < (?, ?)' : ''}
       ORDER BY time_ms DESC, position DESC LIMIT ?`,
    )
    .all(query.account, ...values, ...(cursor ? [cursor.timeMs, cursor.position] : []), query.limit)
  return rows.map(entry)
}

/** What is not indexed yet is the newest: look there first, then in the index. */
function byAttribute(database: Database, query: LogQuery, [name, value]: readonly [string, string]): LogEntry[] {
  const indexed = Number(database.prepare("SELECT value FROM counters WHERE name = 'indexed'").get()!['value'])
  const before = position(query.after)?.position ?? Number.MAX_SAFE_INTEGER
  const { sql, values } = bounds(query)
  const tail = database
    .prepare(
      `SELECT ${COLUMNS} FROM log WHERE position > ? AND position < ? AND account = ? ${sql} ORDER BY position DESC`,
    )
    .all(indexed, before, query.account, ...values)
    .map(entry)
    .filter((row) => row.attributes.some(([n, v]) => n === name && v === value))
    .slice(0, query.limit)
  if (tail.length === query.limit) return tail
  const older = database
    .prepare(
      `SELECT ${COLUMNS} FROM log_attributes AS found JOIN log USING (position)
       WHERE found.account = ? AND found.name = ? AND found.value = ? AND found.position < ? ${sql}
       ORDER BY found.position DESC LIMIT ?`,
    )
    .all(query.account, name, value, Math.min(before, indexed + 1), ...values, query.limit - tail.length)
  return [...tail, ...older.map(entry)]
}

function bounds({ region, fromMs, toMs }: LogQuery): { sql: string; values: SqlValue[] } {
  const parts: [string, SqlValue | undefined][] = [
    ['AND log.region = ?', region],
    ['AND log.time_ms >= ?', fromMs],
    ['AND log.time_ms <= ?', toMs],
  ]
  const given = parts.filter((part): part is [string, SqlValue] => part[1] !== undefined)
  return { sql: given.map(([sql]) => sql).join(' '), values: given.map(([, value]) => value) }
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

function position(token: string | undefined): { timeMs: number; position: number } | undefined {
  if (token === undefined) return undefined
  const [timeMs = 0, at = 0] = token.split('.').map(Number)
  return { timeMs, position: at }
}
