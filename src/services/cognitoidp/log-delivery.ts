/**
 * Log delivery of a pool: messages that could not be sent, and the events of threat protection, to a log group or a bucket. Delivery
 * streams are not built.
 * Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetLogDeliveryConfiguration.html
 */
import type { LogConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { type LogDelivery, logDelivery } from '../../kernel/ports/log-delivery.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { logQueueOf, logQueueState, type QueuedLog, scheduleLogs } from './log-queue.ts'
import { cognito, invalidParameter, type PoolRow, poolById, poolNamed } from './resources.ts'

/** Rows of one delivery. */
const ROWS_MAX = 500
const RETRY_MS = 60_000
/** What waits longer, because the destination refuses it, is dropped. */
const AGE_MS_MAX = 60 * 60_000
/** Of one pool: what waits beyond it is dropped, the oldest first. */
const WAITING_MAX = 20_000

const GROUP = /^arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([.\-_/#A-Za-z0-9]{1,512})(?::\*)?$/
const BUCKET = /^arn:[\w-]+:s3:::([a-z0-9.-]{3,63})$/

const two = (value: number): string => String(value).padStart(2, '0')

/** Where the logs of a source go. Throws for a destination that is not of the pool's account and Region. */
function deliveryOf(pool: PoolRow, configuration: LogConfigurationType): LogDelivery {
  const common = { account: pool.account, region: pool.region, policyName: 'AmazonCognitoUserPools-Logs' }
  const bucketArn = configuration.S3Configuration?.BucketArn
  if (bucketArn !== undefined) {
    const [, bucket] = BUCKET.exec(bucketArn) ?? []
    if (bucket === undefined) throw invalidParameter('The BucketArn is not the ARN of a bucket.')
    const objectKey = (first: number) => {
      const at = new Date(first)
      const day = `${at.getUTCFullYear()}/${two(at.getUTCMonth() + 1)}/${two(at.getUTCDate())}/${two(at.getUTCHours())}`
      return `${pool.region}/${pool.id}/${day}/${pool.id}_${configuration.EventSource}_${first}.log.gz`
    }
    const folder = `AWSLogs/${pool.account}/cognito-user-pools/`
    return { ...common, destination: { bucket, folder, objectKey } }
  }
  const [, region, account, logGroup] = GROUP.exec(configuration.CloudWatchLogsConfiguration?.LogGroupArn ?? '') ?? []
  if (logGroup === undefined) throw invalidParameter('The LogGroupArn is not the ARN of a log group.')
  if (region !== pool.region || account !== pool.account)
    throw invalidParameter('The log group must be in the account and Region of the user pool.')
  const stream = `${pool.region}/${pool.id}/${configuration.EventSource}`
  return { ...common, destination: { logGroup, stream } }
}

function assertConfiguration({ EventSource, LogLevel, ...to }: LogConfigurationType): void {
  const destinations = [to.CloudWatchLogsConfiguration, to.S3Configuration, to.FirehoseConfiguration]
  if (destinations.filter((each) => each !== undefined).length !== 1)
    throw invalidParameter('A log configuration has one destination.')
  if (to.FirehoseConfiguration)
    throw new Fault('NotImplemented', 'Merlon does not implement log delivery to Firehose.', { status: 400 })
  const isNotification = EventSource === 'userNotification'
  if (LogLevel !== (isNotification ? 'ERROR' : 'INFO'))
    throw invalidParameter(`The log level of ${EventSource} is ${isNotification ? 'ERROR' : 'INFO'}.`)
  if (isNotification && !to.CloudWatchLogsConfiguration)
    throw invalidParameter('userNotification can be delivered to a log group only.')
}

const shown = ({ id, logDelivery = [] }: PoolRow) => ({
  LogDeliveryConfiguration: { UserPoolId: id, LogConfigurations: [...logDelivery] },
})

export const setLogDeliveryConfiguration = cognito
  .operation('SetLogDeliveryConfiguration')
  .on(poolNamed)
  .run(async (call, { LogConfigurations: configurations }, { row: pool, save }) => {
    for (const each of configurations) assertConfiguration(each)
    if (new Set(configurations.map(({ EventSource }) => EventSource)).size !== configurations.length)
      throw invalidParameter('An event source has one configuration.')
    for (const each of configurations) {
      const cause = await call.use(logDelivery).prepare(call, deliveryOf(pool, each))
      if (cause !== undefined) throw invalidParameter(`Logs of ${each.EventSource} cannot be delivered: ${cause}`)
    }
    const updated: PoolRow = { ...pool, logDelivery: configurations }
    save(updated)
    return shown(updated)
  })

export const getLogDeliveryConfiguration = cognito
  .operation('GetLogDeliveryConfiguration')
  .on(poolNamed)
  .run((_call, _input, { row }) => shown(row))

interface Outcome {
  readonly delivered: readonly Key[]
  readonly isFailed: boolean
  readonly more: boolean
}

export const deliverLogs: ServiceJob<{ readonly pool: string }, Outcome> = {
  effect: async (work, { pool: id }) => {
    const pool = await poolById(work.reader, id)
    const rows = await work.reader.range<QueuedLog>(logQueueOf(id), { limit: ROWS_MAX })
    const outcome = { isFailed: false, more: rows.length === ROWS_MAX }
    const keys = rows.map(({ key }) => key)
    if (!pool) return { ...outcome, delivered: keys }
    const failed: { readonly key: Key; readonly at: number }[] = []
    for (const source of ['userAuthEvents', 'userNotification'] as const) {
      const configuration = pool.logDelivery?.find(({ EventSource }) => EventSource === source)
      const own = rows.filter(({ document }) => document.source === source && document.text !== undefined)
      if (!configuration || own.length === 0) continue
      const events = own.map(({ document }) => ({ timestamp: document.at, message: document.text! }))
      try {
        await work.use(logDelivery).write(work.actAs, deliveryOf(pool, configuration), events)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        failed.push(...own.map(({ key, document }) => ({ key, at: document.at })))
      }
    }
    const kept = new Set(failed.filter(({ at }) => at > work.now - AGE_MS_MAX).map(({ key }) => key))
    return { ...outcome, isFailed: failed.length > 0, delivered: keys.filter((each) => !kept.has(each)) }
  },
  run: async (unit, { now }, { pool }, { delivered, isFailed, more }) => {
    for (const at of delivered) unit.delete(at)
    if (isFailed) {
      const waiting = await unit.range(logQueueOf(pool), { limit: 2 * WAITING_MAX })
      for (const { key } of waiting.slice(0, Math.max(0, waiting.length - WAITING_MAX))) unit.delete(key)
      return scheduleLogs(unit, pool, now + RETRY_MS)
    }
    if (more || (await unit.range(logQueueOf(pool), { limit: 1 })).length > 0) return scheduleLogs(unit, pool, now)
    unit.delete(logQueueState(pool))
  },
}
