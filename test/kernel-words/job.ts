/** A certificate that was never approved is removed a week later. */
import { scheduleJob } from '../../src/kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../src/kernel/service/service.ts'
import type { Unit } from '../../src/store/store.ts'
import { type CertificateRow, keyOf } from './resource.ts'

const WEEK_MS = 7 * 24 * 60 * 60_000
/** Stored with jobs that wait: never change it. */
export const REMOVE = 'acm.remove-timed-out'

type Removal = Pick<CertificateRow, 'account' | 'region' | 'id'>

export function removeLater(unit: Unit, { account, region, id }: CertificateRow, now: number): void {
  const payload: Removal = { account, region, id }
  scheduleJob(unit, { id: `${REMOVE}/${account}/${region}/${id}`, kind: REMOVE, dueAt: now + WEEK_MS, payload })
}

export const remove: ServiceJob<Removal> = {
  run: async (unit, _context, payload) => {
    const row = await unit.get<CertificateRow>(keyOf(payload))
    if (row?.progress.state === 'VALIDATION_TIMED_OUT') unit.delete(keyOf(row))
  },
}
