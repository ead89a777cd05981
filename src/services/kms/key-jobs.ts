/** Jobs on keys, and the clock of automatic rotation. */
import { cancelJob, scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { Key, Unit } from '../../store/store.ts'
import { key } from './resources.ts'
import type { KeyRow } from './rows.ts'

export const ROTATE_JOB = 'kms.rotate-key'

export const PERIOD_DAYS_DEFAULT = 365
/** Of waiting for the end of a key. */
export const WINDOW_DAYS_DEFAULT = 30

/** What jobs on keys carry. */
export interface KeyJob {
  readonly account: string
  readonly region: string
  readonly id: string
  /** Of the material, where one is meant. */
  readonly materialId?: string
}

export function keyJob(
  unit: Unit,
  kind: string,
  dueAt: number,
  { account, region, id }: KeyRow,
  materialId?: string,
): Key {
  const payload: KeyJob = { account, region, id, ...(materialId !== undefined && { materialId }) }
  return scheduleJob(unit, { id: [kind, account, region, id, materialId ?? ''].join('/'), kind, dueAt, payload })
}

export async function keyOfJob(unit: Unit, payload: KeyJob): Promise<KeyRow | undefined> {
  return key.get(unit, payload, { KeyId: payload.id })
}

/** The period of a rotation that was requested without one. */
export const periodDaysOf = (row: Pick<KeyRow, 'rotation'> | undefined): number =>
  row?.rotation?.periodDays ?? PERIOD_DAYS_DEFAULT

export function withRotation(unit: Unit, row: KeyRow, periodDays: number, nextAt: number): KeyRow {
  if (row.rotation) cancelJob(unit, row.rotation.job)
  const job = keyJob(unit, ROTATE_JOB, nextAt, row)
  return { ...row, rotation: { periodDays, nextAt, job } }
}

export function withoutRotation(unit: Unit, row: KeyRow): KeyRow {
  const { rotation, ...rest } = row
  if (rotation) cancelJob(unit, rotation.job)
  return rest
}

/** A key that was disabled when its time came rotates as soon as it works again. */
export function catchUp(unit: Unit, row: KeyRow, now: number): KeyRow {
  const { rotation } = row
  return rotation && rotation.nextAt <= now ? withRotation(unit, row, rotation.periodDays, now) : row
}
