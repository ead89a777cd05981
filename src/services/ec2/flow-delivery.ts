/**
 * Delivery of flow records at the end of each aggregation interval: to S3 as AWS's log delivery service, to a log group as the
 * role of the flow log. A refusal sets the status of the flow log, and the delivery is tried again.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html and
 * https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import type * as EC2 from '@aws-sdk/client-ec2'
import type * as S3 from '@aws-sdk/client-s3'
import type * as STS from '@aws-sdk/client-sts'
import { DEFAULT_FORMAT, type FlowRecord, header, parseFormat, printRecord } from '../../engines/network/flow-format.ts'
import { logBatches } from '../../kernel/client/log-batches.ts'
import type { ServiceCaller } from '../../kernel/gate/service-caller.ts'
import { roleSubjectOf } from '../../kernel/gate/session.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import {
  type Delivery,
  dropQueue,
  type QueuedRow,
  type QueueState,
  queueOf,
  queueStateKey,
  scheduleFlowDelivery,
} from './flow-queue.ts'
import { flowLog } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
const logs: Api<typeof Logs> = { id: 'logs' }
const sts: Api<typeof STS> = { id: 'sts' }

const PARTITION = 'aws'
/** Rows of one delivery. */
const ROWS_MAX = 200
const RETRY_MS = 5 * 60_000
const compressed = promisify(gzip)

interface Outcome {
  readonly keys: readonly Key[]
  readonly count: number
  readonly more: boolean
  /** Why nothing was delivered. */
  readonly error?: string | undefined
}

/** Records of the same flow become one, as AWS's of one aggregation interval. */
function aggregated(records: readonly FlowRecord[]): readonly FlowRecord[] {
  const byFlow = new Map<string, FlowRecord>()
  const sum = (a: FlowRecord[keyof FlowRecord], b: FlowRecord[keyof FlowRecord]) => Number(a) + Number(b)
  for (const record of records) {
    const { srcaddr, dstaddr, srcport, dstport, protocol, action } = record
    const name = [record['interface-id'], srcaddr, dstaddr, srcport, dstport, protocol, action].join(' ')
    const known = byFlow.get(name)
    byFlow.set(
      name,
      known
        ? {
            ...known,
            bytes: sum(known.bytes, record.bytes),
            ...(known.packets !== undefined &&
              record.packets !== undefined && { packets: sum(known.packets, record.packets) }),
            start: Math.min(Number(known.start), Number(record.start)),
            end: Math.max(Number(known.end), Number(record.end)),
          }
        : record,
    )
  }
  return [...byFlow.values()]
}

const sourceOf = ({ account, region, flowLog: id }: Delivery): string =>
  flowLog.type.form.print({ partition: PARTITION, account, region }, { VpcFlowLogId: id })

/** `PREFIX/AWSLogs/ACCOUNT/vpcflowlogs/REGION/2026/11/30/…log.gz`; the same for a delivery that is done again. */
function objectKey(delivery: Delivery, data: EC2.FlowLog, first: Key): string {
  const { account, region } = delivery
  const [, , ...prefix] = (data.LogDestination ?? '').split(':::')[1]?.match(/^([^/]*)\/?(.*)$/) ?? []
  const folder = (prefix[0] ?? '').replace(/\/+$/, '')
  const at = new Date(Number(/\/(\d{15})-[^/]*$/.exec(first)?.[1])).toISOString()
  const [day, minute] = [at.slice(0, 10), `${at.slice(0, 16).replace(/[-:]/g, '')}Z`]
  const hive = data.DestinationOptions?.HiveCompatiblePartitions ?? false
  const hour = data.DestinationOptions?.PerHourPartition ? [at.slice(11, 13)] : []
  const [y = '', m = '', d = ''] = day.split('-')
  const hash = createHash('sha256').update(first).digest('hex').slice(0, 8)
  const path = hive
    ? [
        `aws-account-id=${account}/aws-service=vpcflowlogs/aws-region=${region}`,
        `year=${y}/month=${m}/day=${d}`,
        ...hour.map((each) => `hour=${each}`),
      ]
    : [`${account}/vpcflowlogs/${region}`, `${y}/${m}/${d}`, ...hour]
  const name = `${account}_vpcflowlogs_${region}_${delivery.flowLog}_${minute}_${hash}.log.gz`
  return [...(folder === '' ? [] : [folder]), 'AWSLogs', ...path, name].join('/')
}

async function toBucket({ actAs }: JobContext, delivery: Delivery, data: EC2.FlowLog, text: string, first: Key) {
  const { account, region } = delivery
  const [Bucket = ''] = (data.LogDestination ?? '').split(':::')[1]?.split('/') ?? []
  const acting: ServiceCaller = {
    service: 'delivery.logs.amazonaws.com',
    account,
    region,
    source: `arn:${PARTITION}:logs:${region}:${account}:*`,
  }
  await actAs(acting, s3, 'PutObject', {
    Bucket,
    Key: objectKey(delivery, data, first),
    // The gate reads bytes where the client's type wants a stream.
    Body: (await compressed(text)) as never,
    ContentType: 'text/plain',
    ContentEncoding: 'gzip',
    ACL: 'bucket-owner-full-control',
  })
}

/** The role as its trust policy lets the service assume it. Throws the denial. */
async function roleOf({ actAs }: JobContext, delivery: Delivery, RoleArn: string): Promise<ServiceCaller> {
  const { account, region, flowLog: id } = delivery
  const acting = { service: 'vpc-flow-logs.amazonaws.com', account, region, source: sourceOf(delivery) }
  const { AssumedRoleUser } = await actAs(acting, sts, 'AssumeRole', { RoleArn, RoleSessionName: id })
  return { ...acting, role: roleSubjectOf(AssumedRoleUser) }
}

/** A stream for each interface: `eni-0123456789abcdef0-all`. */
async function toLogGroup(
  work: JobContext,
  delivery: Delivery,
  data: EC2.FlowLog,
  records: readonly FlowRecord[],
  print: (record: FlowRecord) => string,
): Promise<void> {
  const acting = await roleOf(work, delivery, data.DeliverLogsPermissionArn ?? '')
  const logGroupName = data.LogGroupName ?? ''
  for (const eni of new Set(records.map((record) => record['interface-id']))) {
    const own = records.filter((record) => record['interface-id'] === eni)
    const logStreamName = `${eni}-${(data.TrafficType ?? 'ALL').toLowerCase()}`
    try {
      await work.actAs(acting, logs, 'CreateLogStream', { logGroupName, logStreamName })
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'ResourceAlreadyExistsException') throw error
    }
    const events = own.map((record) => ({ timestamp: Number(record.start) * 1_000, message: print(record) }))
    for (const logEvents of logBatches(events))
      await work.actAs(acting, logs, 'PutLogEvents', { logGroupName, logStreamName, logEvents })
  }
}

export const deliverFlows: ServiceJob<Delivery, Outcome> = {
  effect: async (work, delivery) => {
    const rows = await work.reader.range<QueuedRow>(queueOf(delivery), { limit: ROWS_MAX })
    const row = await flowLog.type.get(work.reader, delivery, { VpcFlowLogId: delivery.flowLog })
    const records = rows.flatMap(({ document }) => document.records)
    const outcome = {
      keys: rows.map(({ key }) => key),
      count: records.length,
      more: rows.length === ROWS_MAX,
    }
    if (!row || rows.length === 0) return outcome
    const fields = parseFormat(row.data.LogFormat ?? DEFAULT_FORMAT)!
    const merged = aggregated(records)
    try {
      if (row.data.LogDestinationType === 's3') {
        const lines = merged.map((record) => printRecord(fields, record))
        await toBucket(work, delivery, row.data, `${[header(fields), ...lines].join('\n')}\n`, rows[0]!.key)
      } else await toLogGroup(work, delivery, row.data, merged, (record) => printRecord(fields, record))
      return outcome
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return { ...outcome, error: /AccessDenied/.test(error.code) ? 'Access error' : 'Unknown error' }
    }
  },
  run: async (unit, { now }, delivery, { keys, count, more, error }) => {
    const row = await flowLog.type.get(unit, delivery, { VpcFlowLogId: delivery.flowLog })
    if (!row) return dropQueue(unit, delivery)
    const status = error === undefined ? 'SUCCESS' : 'FAILED'
    if (row.data.DeliverLogsStatus !== status || row.data.DeliverLogsErrorMessage !== error) {
      const { DeliverLogsErrorMessage: _, ...data } = row.data
      const failure = error === undefined ? {} : { DeliverLogsErrorMessage: error }
      flowLog.type.put(unit, delivery, { ...row, data: { ...data, DeliverLogsStatus: status, ...failure } })
    }
    if (error !== undefined) return scheduleFlowDelivery(unit, delivery, now + RETRY_MS)
    for (const at of keys) unit.delete(at)
    const state = await unit.get<QueueState>(queueStateKey(delivery))
    if (state) {
      const waiting = Math.max(0, state.waiting - count)
      unit.put(queueStateKey(delivery), { ...state, waiting } satisfies QueueState)
    }
    if (more) scheduleFlowDelivery(unit, delivery, now)
  },
}
