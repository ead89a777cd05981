/** The event log of a SQLite database, as questions are put to it. */
import type { Database } from './engine.ts'
import type { LogTable } from './log.ts'

export const sqliteLog = (database: Database): LogTable => ({
  rows: async (sql, values) => database.prepare(sql).all(...values),
  indexOf: 'instr',
  byPosition: 'NOT INDEXED',
})
