/**
 * Rows that are good until a time, such as idempotency tokens and links: removed once they are over, by a job each. Whether a row
 * still counts is for its readers to compare; the job only keeps the store from growing.
 *
 * @example
 * putExpiring(call.unit, 'acm.forget', tokenKey, { arn, expiresAt: call.now + HOUR_MS })
 * // the service's jobs
 * jobs: { 'acm.forget': forgetExpired }
 */
import type { Key, Unit } from '../../store/store.ts'
import type { ServiceJob } from '../service/service.ts'
import { scheduleJob } from './jobs.ts'

export interface Expiring {
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** Writes the row, and schedules the job of this kind that removes it. */
export function putExpiring<R extends Expiring>(unit: Unit, kind: string, at: Key, row: R): void {
  unit.put(at, row)
  scheduleJob(unit, { id: `${kind}/${at}`, kind, dueAt: row.expiresAt, payload: { at } })
}

/** A row that was written again meanwhile lives on until its own job. */
export const forgetExpired: ServiceJob<{ readonly at: Key }> = {
  run: async (unit, { now }, { at }) => {
    const row = await unit.get<Expiring>(at)
    if (row && row.expiresAt <= now) unit.delete(at)
  },
}
