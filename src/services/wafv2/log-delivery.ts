/**
 * Delivery of log records: they wait as rows, and every five minutes a job writes those of a web ACL to its bucket as one file.
 * What waits is bounded: beyond that new records are dropped and counted.
 *
 * Source of names: https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
 */
import { createHash, randomUUID } from 'node:crypto'
import type { WafLogRecord } from '../../engines/waf/log-record.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { logDelivery } from '../../kernel/ports/log-delivery.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { deliveryOf, nameOf, placeOf } from './log-destination.ts'
import { type LoggingRow, loggingKey } from './logging-rows.ts'

/** In documents that wait: never change it. */
export const DELIVER_LOGS = 'wafv2.deliver-logs'
const EVERY_MS = 5 * 60_000
/** What waits for one web ACL. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024
/** Rows of one file. */
const ROWS_MAX = 500

interface QueuedRow {
  /** JSON texts. */
  readonly records: readonly string[]
  readonly bytes: number
}

interface QueueState {
  readonly bytes: number
  readonly dropped: number
}

interface Delivery {
  readonly account: string
  readonly webAcl: string
}

const queueOf = (webAclArn: string): Key => under('wafv2', 'log-queue', webAclArn)
const stateKey = (webAclArn: string): Key => key('wafv2', 'log-queue-state', webAclArn)

/** Queues records of one web ACL; without a logging configuration there is nowhere to deliver them. */
export async function queueLogs(
  unit: Unit,
  webAclArn: string,
  records: readonly WafLogRecord[],
  now: number,
): Promise<void> {
  const logging = await unit.get<LoggingRow>(loggingKey(webAclArn))
  if (!logging || records.length === 0) return
  const texts = records.map((record) => JSON.stringify(record))
  const bytes = texts.reduce((total, text) => total + Buffer.byteLength(text), 0)
  const state = (await unit.get<QueueState>(stateKey(webAclArn))) ?? { bytes: 0, dropped: 0 }
  if (state.bytes + bytes > WAITING_BYTES_MAX) {
    unit.put(stateKey(webAclArn), { ...state, dropped: state.dropped + records.length } satisfies QueueState)
    return
  }
  const place = `${String(now).padStart(15, '0')}-${randomUUID()}`
  unit.put(queueOf(webAclArn) + place, { records: texts, bytes } satisfies QueuedRow)
  unit.put(stateKey(webAclArn), { ...state, bytes: state.bytes + bytes } satisfies QueueState)
  scheduleDelivery(unit, logging, Math.ceil((now + 1) / EVERY_MS) * EVERY_MS)
}

function scheduleDelivery(unit: Unit, { account, webAcl: arn }: LoggingRow, dueAt: number): void {
  scheduleJob(unit, {
    id: `${DELIVER_LOGS}/${arn}`,
    kind: DELIVER_LOGS,
    dueAt,
    payload: { account, webAcl: arn } satisfies Delivery,
  })
}

/** `20261130T1005Z` */
const minuteOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`

/** The same for a delivery that is done again: it follows from the first row. */
function fileName(row: LoggingRow, first: Key): string {
  const [name, place] = [nameOf(row), placeOf(row)]
  const at = Number(/\/(\d{15})-[^/]*$/.exec(first)?.[1])
  const folder = new Date(at).toISOString().slice(0, 16).replace(/[-T:]/g, '/')
  const hash = createHash('sha256').update(first).digest('hex').slice(0, 8)
  return `WAFLogs/${place}/${name}/${folder}/${row.account}_waflogs_${place}_${name}_${minuteOf(at)}_${hash}.log.gz`
}

interface Delivered {
  readonly keys: readonly Key[]
  readonly bytes: number
}

export const deliverLogs: ServiceJob<Delivery, Delivered> = {
  effect: async ({ reader, actAs, use }, { webAcl: arn }) => {
    const rows = await reader.range<QueuedRow>(queueOf(arn), { limit: ROWS_MAX })
    const logging = await reader.get<LoggingRow>(loggingKey(arn))
    const bytes = rows.reduce((total, { document }) => total + document.bytes, 0)
    const delivered = { keys: rows.map(({ key: at }) => at), bytes }
    // Without a configuration what waited is dropped: it was deleted.
    if (!logging || rows.length === 0) return delivered
    const records = rows.flatMap(({ document }) => document.records)
    const events = records.map((message) => ({ timestamp: Number(JSON.parse(message).timestamp), message }))
    const delivery = deliveryOf(logging, () => fileName(logging, rows[0]!.key))
    await use(logDelivery).write(actAs, delivery, events)
    return delivered
  },
  run: async (unit, { now }, { webAcl: arn }, { keys, bytes }) => {
    for (const at of keys) unit.delete(at)
    const state = await unit.get<QueueState>(stateKey(arn))
    if (state) unit.put(stateKey(arn), { ...state, bytes: Math.max(0, state.bytes - bytes) } satisfies QueueState)
    const logging = await unit.get<LoggingRow>(loggingKey(arn))
    if (logging && keys.length === ROWS_MAX) scheduleDelivery(unit, logging, now)
  },
}
