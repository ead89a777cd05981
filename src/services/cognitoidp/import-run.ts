/**
 * A user import at work: a durable job for each part of the file, so that a killed node repeats one part at most. Users that exist are
 * skipped, so a repeated part imports no user twice.
 */
import { randomUUID } from 'node:crypto'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { readHeader, readUser } from './import-csv.ts'
import { writeImportLog } from './import-log.ts'
import { type ImportRow, importKey, importOf, type PartRow, partKey, partPlace, partsOf } from './import-rows.ts'
import { type PoolRow, poolById } from './resources.ts'
import { findUser, saveUser } from './user-rows.ts'

/** In documents that wait: never change it. */
export const IMPORT = 'cognito-idp.import-users'
/** Parts that one job removes after the end. */
const REMOVED_MAX = 200

interface ImportTurn {
  readonly account: string
  readonly pool: string
  readonly id: string
  /** Which part of the file comes next. Undefined: the file is removed. */
  readonly part?: number
  /** The job is over, if it has not been started by now. */
  readonly expires?: true
}

export function scheduleImport(unit: Unit, turn: ImportTurn, dueAt: number): void {
  scheduleJob(unit, { id: `${IMPORT}/${turn.pool}/${turn.id}`, kind: IMPORT, dueAt, payload: turn })
}

interface Counts {
  imported: number
  skipped: number
  failed: number
  readonly log: string[]
}

async function importLines(
  unit: Unit,
  pool: PoolRow,
  columns: readonly string[],
  part: PartRow,
  text: string,
  now: number,
) {
  const counts: Counts = { imported: 0, skipped: 0, failed: 0, log: [] }
  const lines = text.split('\n')
  for (const [index, whole] of lines.entries()) {
    const line = whole.replace(/\r$/, '')
    if (line.trim() === '') continue
    const at = `Line Number ${part.line + index}`
    try {
      const { user, login } = readUser(pool, columns, line, { sub: randomUUID(), now })
      if (await findUser(unit, pool, login)) {
        counts.skipped++
        counts.log.push(`[SKIPPED] ${at} - The user already exists.`)
        continue
      }
      await saveUser(unit, pool, undefined, user)
      counts.imported++
      counts.log.push(`[SUCCEEDED] ${at} - The import succeeded.`)
    } catch (error) {
      if (error instanceof Fault ? (error.details.status ?? 400) >= 500 : (error as Error).constructor !== Error)
        throw error
      counts.failed++
      counts.log.push(`[FAILED] ${at} - ${(error as Error).message.trim()}`)
    }
  }
  return counts
}

/** The texts of AWS's developer guide. */
const DONE = 'The user import job was completed.'
const STOPPED = 'The user import job was stopped by the developer.'
const WRONG_HEADER = 'The header row in the CSV file does not match the header of the user pool.'

/** What the file of a job says next, read before the transaction. */
interface Reading {
  readonly pool: PoolRow
  readonly columns: readonly string[]
  readonly part: PartRow
  readonly text: string
}

async function read(work: JobContext, turn: ImportTurn): Promise<Reading | undefined> {
  const pool = await poolById(work.reader, turn.pool)
  const row = pool && (await importOf(work.reader, turn.pool, turn.id))
  if (!row || turn.part === undefined || row.upload === undefined) return undefined
  const columns = readHeader(pool, row.header ?? '')
  const part = await work.reader.get<PartRow>(partKey(pool.id, row.id, row.upload, turn.part))
  if (!columns || !part) return undefined
  const text = work.vault.open(partPlace(pool, row.id, row.upload, turn.part), part.sealed).toString('utf8')
  return { pool, columns, part, text }
}

export const importJob: ServiceJob<ImportTurn, Reading | undefined> = {
  effect: read,
  run: async (unit, { now }, turn, reading) => {
    const row = await importOf(unit, turn.pool, turn.id)
    if (!row) return
    const end = (changes: Partial<ImportRow>): void => {
      unit.put(importKey(turn.pool, turn.id), { ...row, ...changes, completedAt: now })
      scheduleImport(unit, { account: turn.account, pool: turn.pool, id: turn.id }, now)
    }
    if (turn.expires) return row.status === 'Created' ? end({ status: 'Expired' }) : undefined
    if (turn.part === undefined) return removeParts(unit, turn, now)
    if (row.status === 'Stopping') return end({ status: 'Stopped', message: STOPPED })
    if (row.status !== 'Pending' && row.status !== 'InProgress') return
    if (!reading) return end({ status: 'Failed', message: WRONG_HEADER })
    const { pool, columns, part, text } = reading
    const { log, ...counts } = await importLines(unit, pool, columns, part, text, now)
    const changes = {
      imported: row.imported + counts.imported,
      skipped: row.skipped + counts.skipped,
      failed: row.failed + counts.failed,
    }
    if (log.length > 0)
      scheduleJob(unit, {
        id: `${IMPORT_LOG}/${turn.pool}/${turn.id}/${turn.part}`,
        kind: IMPORT_LOG,
        dueAt: now,
        payload: { account: turn.account, pool: turn.pool, id: turn.id, log } satisfies ImportLog,
      })
    if (turn.part + 1 >= (row.parts ?? 0)) return end({ ...changes, status: 'Succeeded', message: DONE })
    unit.put(importKey(turn.pool, turn.id), { ...row, ...changes, status: 'InProgress' } satisfies ImportRow)
    scheduleImport(unit, { ...turn, part: turn.part + 1 }, now)
  },
}

/** The file has served its purpose. */
async function removeParts(unit: Unit, turn: ImportTurn, now: number): Promise<void> {
  const parts = await unit.range(partsOf(turn.pool, turn.id), { limit: REMOVED_MAX })
  for (const { key } of parts) unit.delete(key)
  if (parts.length === REMOVED_MAX) scheduleImport(unit, turn, now + 1)
}

/** In documents that wait: never change it. */
export const IMPORT_LOG = 'cognito-idp.log-import'

interface ImportLog {
  readonly account: string
  readonly pool: string
  readonly id: string
  readonly log: readonly string[]
}

/** What the role may not write is left out: the counts are in the job. */
export const importLogJob: ServiceJob<ImportLog> = {
  effect: async (work, { pool: poolId, id, log }) => {
    const pool = await poolById(work.reader, poolId)
    const row = pool && (await importOf(work.reader, poolId, id))
    if (!row) return
    try {
      await writeImportLog(work.actAs, pool, row, log, work.now)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
  },
  run: async () => undefined,
}
