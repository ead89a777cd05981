/** Flow records that wait for delivery, by flow log. What waits is bounded: beyond that new records are dropped and counted. */
import { randomUUID } from 'node:crypto'
import type { FlowRecord } from '../../engines/network/flow-format.ts'
import type { Scope } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'

export type Place = Pick<Scope, 'account' | 'region'>

/** In documents that wait: never change it. */
export const DELIVER_FLOWS = 'ec2.deliver-flows'
/** Of one flow log. */
const WAITING_MAX = 200_000

export interface QueuedRow {
  readonly records: readonly FlowRecord[]
}

export interface QueueState {
  readonly waiting: number
  readonly dropped: number
}

export interface Delivery extends Place {
  readonly flowLog: string
}

export const queueOf = ({ account, region, flowLog }: Delivery): Key =>
  under('ec2', 'flow-queue', account, region, flowLog)
export const queueStateKey = ({ account, region, flowLog }: Delivery): Key =>
  key('ec2', 'flow-queue-state', account, region, flowLog)

export async function queueRecords(
  unit: Unit,
  delivery: Delivery,
  records: readonly FlowRecord[],
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): Promise<void> {
  const state = (await unit.get<QueueState>(queueStateKey(delivery))) ?? { waiting: 0, dropped: 0 }
  const kept = records.slice(0, Math.max(0, WAITING_MAX - state.waiting))
  const next: QueueState = {
    waiting: state.waiting + kept.length,
    dropped: state.dropped + records.length - kept.length,
  }
  unit.put(queueStateKey(delivery), next)
  if (kept.length === 0) return
  unit.put(`${queueOf(delivery)}${String(now).padStart(15, '0')}-${randomUUID()}`, {
    records: kept,
  } satisfies QueuedRow)
  scheduleFlowDelivery(unit, delivery, Math.ceil((now + 1) / everyMs) * everyMs)
}

export function scheduleFlowDelivery(unit: Unit, delivery: Delivery, dueAt: number): void {
  const { account, region, flowLog } = delivery
  scheduleJob(unit, {
    id: `${DELIVER_FLOWS}/${account}/${region}/${flowLog}`,
    kind: DELIVER_FLOWS,
    dueAt,
    payload: delivery,
  })
}

/** Of a flow log that is deleted. */
export async function dropQueue(unit: Unit, delivery: Delivery): Promise<void> {
  for (const { key: at } of await unit.range(queueOf(delivery))) unit.delete(at)
  unit.delete(queueStateKey(delivery))
}
