/** Retention: how long the events of a group are kept. Without it they never expire. */
import { EXPIRE_EVERY_MS, scheduleExpiry } from './deletion.ts'
import { invalid, logs } from './faults.ts'
import { groupNamed, type LogGroupRow } from './resources.ts'

/** Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
const DAY_MS = 24 * 60 * 60_000

/** Events before this time are expired. */
export const expiredBefore = ({ retention }: Pick<LogGroupRow, 'retention'>, now: number): number =>
  retention ? now - retention.days * DAY_MS : 0

export const putRetentionPolicy = logs
  .operation('PutRetentionPolicy')
  .on(groupNamed)
  .run((call, { retentionInDays: days }, { row, save }) => {
    if (!DAYS.includes(days))
      throw invalid(`1 validation error detected: retentionInDays must be one of ${DAYS.join(', ')}.`)
    const retention = { days, id: call.newId() }
    save({ ...row, retention })
    const expiry = { account: call.account, region: call.region, group: row.name, retentionId: retention.id }
    scheduleExpiry(call.unit, expiry, call.now + EXPIRE_EVERY_MS)
    return {}
  })

export const deleteRetentionPolicy = logs
  .operation('DeleteRetentionPolicy')
  .on(groupNamed)
  .run((_call, _input, { row, save }) => {
    save({ ...row, retention: undefined })
    return {}
  })
