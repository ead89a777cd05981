/**
 * Delivery of log records: they wait as rows, and every five minutes a job writes those of a web ACL to its bucket as one file.
 * What waits is bounded: beyond that new records are dropped and counted.
 *
 * Source of names: https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
 */
import { createHash, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { WafLogRecord } from '../../engines/waf/log-record.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { folderOf, writeLog } from './log-bucket.ts'
import { groupIn, writeToGroup } from './log-group.ts'
import { bucketOf } from './logging.ts'
import { type LoggingRow, loggingKey } from './logging-rows.ts'
import { webAcl } from './resources.ts'

/** In documents that wait: never change it. */
export const DELIVER_LOGS = 'wafv2.deliver-logs'
const EVERY_MS = 5 * 60_000
/** What waits for one web ACL. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024
/** Rows of one file. */
const ROWS_MAX = 500
const compressed = promisify(gzip)

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
  const name = webAcl.form.parse(row.webAcl)?.variables.Name ?? ''
  const place = row.scope === 'global' ? 'cloudfront' : row.region
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
  effect: async ({ reader, actAs }, { webAcl: arn }) => {
    const rows = await reader.range<QueuedRow>(queueOf(arn), { limit: ROWS_MAX })
    const logging = await reader.get<LoggingRow>(loggingKey(arn))
    const bytes = rows.reduce((total, { document }) => total + document.bytes, 0)
    const delivered = { keys: rows.map(({ key: at }) => at), bytes }
    // Without a configuration what waited is dropped: it was deleted.
    if (!logging || rows.length === 0) return delivered
    const records = rows.flatMap(({ document }) => document.records)
    const group = groupIn(logging.destination)
    if (group !== undefined) {
      await writeToGroup(actAs, logging, group, records)
      return delivered
    }
    const text = records.join('\n')
    const destination = bucketOf(logging.destination)
    await writeLog(actAs, logging, destination, {
      key: folderOf(logging, destination) + fileName(logging, rows[0]!.key),
      body: await compressed(`${text}\n`),
    })
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
