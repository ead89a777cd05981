/** How identity stores are synchronized with their directories, in the Prometheus text format. */
import type { Reader } from '../../../kernel/state/reader.ts'
import { syncStatuses } from './job.ts'

/** No lines where no store has a directory. `now`: epoch milliseconds. */
export async function syncMetrics(reader: Pick<Reader, 'range'>, now: number): Promise<readonly string[]> {
  const all = await syncStatuses(reader)
  if (all.length === 0) return []
  const series = (name: string, value: (each: (typeof all)[number]) => number | undefined): readonly string[] =>
    all.flatMap((each) => {
      const measured = value(each)
      return measured === undefined ? [] : [`${name}{store="${each.storeId}"} ${measured}`]
    })
  return [
    '# HELP merlon_identity_sync_failed Whether the last synchronization of an identity store with its directory failed.',
    '# TYPE merlon_identity_sync_failed gauge',
    ...series('merlon_identity_sync_failed', ({ outcome }) => (outcome === 'failed' ? 1 : 0)),
    '# HELP merlon_identity_sync_age_seconds Time since an identity store was synchronized in full.',
    '# TYPE merlon_identity_sync_age_seconds gauge',
    ...series('merlon_identity_sync_age_seconds', ({ succeededAt }) =>
      succeededAt === undefined ? undefined : Math.max(0, (now - succeededAt) / 1000),
    ),
    '# HELP merlon_identity_sync_skipped People and groups that the last synchronization left out.',
    '# TYPE merlon_identity_sync_skipped gauge',
    ...series('merlon_identity_sync_skipped', ({ skippedCount }) => skippedCount),
  ]
}
