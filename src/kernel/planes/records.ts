/**
 * Records that planes send up: at least once, identified by the plane, its node and the batch number.
 *
 * @example
 * // services/route53/index.ts
 * planeRecords: { resolver: async (unit, { records, now }) => countQueries(unit, records, now) }
 */
import type { Unit } from '../../store/store.ts'
import type { Awaitable } from '../service/awaitable.ts'
import { type PlaneClaims, type PlaneRow, type PlaneStatus, planeKey } from './enrollment.ts'
import type { PlaneScope } from './plane-scope.ts'

/** One batch of a plane. */
export interface RecordBatch {
  /** Above that of the batch before. */
  readonly sequence: number
  readonly status: PlaneStatus
  readonly records: readonly object[]
}

/** How a plane sends records: in the same process, or over HTTP. Rejects when the control plane cannot be reached. */
export interface RecordSink {
  put(batch: RecordBatch): Promise<void>
}

/** What a service does with the records of a plane, in the transaction that acknowledges them. */
export type RecordHandler = (
  unit: Unit,
  batch: Pick<RecordBatch, 'records'> & {
    readonly node: string
    /** Of the plane: what it says of anything else must not count. */
    readonly scope?: PlaneScope | undefined
    readonly now: number
  },
) => Awaitable<void>

export const RECORDS_MAX = 1_000

/** undefined for a value that is not a batch. */
export function parseBatch(value: unknown): RecordBatch | undefined {
  const { sequence, status, records } = (value ?? {}) as Partial<RecordBatch>
  const { health, snapshot, dropped } = (status ?? {}) as Partial<PlaneStatus>
  const isWhole =
    Number.isSafeInteger(sequence) &&
    (health === 'open' || health === 'closed') &&
    Number.isSafeInteger(snapshot) &&
    Number.isSafeInteger(dropped) &&
    Array.isArray(records) &&
    records.length <= RECORDS_MAX &&
    records.every((record) => typeof record === 'object' && record !== null)
  return isWhole
    ? { sequence: sequence!, status: { health, snapshot: snapshot!, dropped: dropped! }, records }
    : undefined
}

/** Takes a batch once; a batch that came before is acknowledged and changes nothing. */
export async function takeBatch(
  unit: Unit,
  { plane, node }: PlaneClaims,
  { sequence, status, records }: RecordBatch,
  handlers: readonly RecordHandler[],
  now: number,
): Promise<void> {
  const at = planeKey(plane, node)
  const row = await unit.get<PlaneRow>(at)
  if (!row || (row.sequence ?? -1) >= sequence) return
  for (const handle of handlers) await handle(unit, { records, node, scope: row.scope, now })
  unit.put(at, { ...row, sequence, status, seenAt: now } satisfies PlaneRow)
}
