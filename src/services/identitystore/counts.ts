/** How many people and groups a store has: small documents, so that quotas never count rows. */
import type { Call } from '../../kernel/gate/call.ts'
import { key } from '../../store/store.ts'
import { identitystore } from './rows.ts'

export type Counted = 'Users' | 'Groups'

/** One more, or one fewer. Throws beyond the quota. */
export async function count(
  call: Pick<Call, 'unit' | 'quotas'>,
  storeId: string,
  kind: Counted,
  by: 1 | -1,
): Promise<void> {
  const at = key('identitystore', 'count', storeId, kind)
  const after = ((await call.unit.get<{ readonly count: number }>(at))?.count ?? 0) + by
  const max = call.quotas[`identitystore/${kind}PerStore`]
  if (by > 0 && max !== undefined && after > max)
    throw identitystore.fail('ServiceQuotaExceededException', `The identity store has at most ${max} ${kind}.`)
  call.unit.put(at, { count: after })
}
