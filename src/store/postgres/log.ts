/** The event log of a PostgreSQL database, as questions are put to it. */
import type pg from 'pg'
import type { LogTable } from '../log.ts'
import { retryingQuery } from './connection.ts'

export const postgresLog = (database: pg.Pool | pg.Client): LogTable => ({
  rows: async (sql, values) => {
    let n = 0
    const text = sql.replaceAll('?', () => `$${++n}`)
    return (await retryingQuery(() => database.query(text, [...values]))).rows
  },
  indexOf: 'strpos',
  byPosition: '',
})
