/** The event log of a SQLite database, as questions are put to it. */
import type { Database, Statement } from './engine.ts'
import type { LogTable } from './log.ts'

/** Statements that are kept: the forms of a query are few, and preparing one takes longer than running it. */
const PREPARED_MAX = 50

export function sqliteLog(database: Database): LogTable {
  const statements = new Map<string, Statement>()
  const prepared = (sql: string): Statement => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    if (statements.size >= PREPARED_MAX) statements.clear()
    statements.set(sql, statement)
    return statement
  }
  return {
    rows: async (sql, values) => prepared(sql).all(...values),
    indexOf: 'instr',
    byPosition: 'NOT INDEXED',
  }
}
