/**
 * Rows that end at a time: what may be used once, and what is remembered for a while. A durable job deletes each; a service
 * registers {@link forgetRow} under the kind that it passes.
 *
 * @example
 * if (!(await spend(unit, key('sso', 'saml-request', id), { until, kind: FORGET_REQUEST }))) throw replayed()
 */
import type { Key, Unit } from '../../store/store.ts'
import type { ServiceJob } from '../service/service.ts'
import { scheduleJob } from './jobs.ts'

interface Expiry {
  /** Epoch milliseconds. */
  readonly until: number
  /** The kind of the job. In documents that wait: never change it. */
  readonly kind: string
}

export function putUntil(unit: Unit, at: Key, row: object, { until, kind }: Expiry): void {
  unit.put(at, row)
  scheduleJob(unit, { id: `${kind}/${at}`, kind, dueAt: until, payload: { at } })
}

/** Whether this use is the first one. It is recorded with the transaction. */
export async function spend(unit: Unit, at: Key, expiry: Expiry): Promise<boolean> {
  if (await unit.get(at)) return false
  putUntil(unit, at, { until: expiry.until }, expiry)
  return true
}

export const forgetRow: ServiceJob<{ readonly at: Key }> = {
  run: async (unit, _work, { at }) => unit.delete(at),
}
