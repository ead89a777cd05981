/**
 * Where the logs of a web ACL go: a log group or a bucket, written to as AWS's log delivery service.
 *
 * Sources: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html and
 * https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
 */
import type { Call } from '../../kernel/gate/call.ts'
import { type LogDelivery, logDelivery } from '../../kernel/ports/log-delivery.ts'
import { wafv2 } from './faults.ts'
import type { LoggingRow } from './logging-rows.ts'
import { webAcl } from './resources.ts'

/** As AWS names the policy that it adds to log groups. */
const POLICY = 'AWSWAF-LOGS'
const GROUP = /^arn:[\w-]+:logs:[\w-]+:\d{12}:log-group:(aws-waf-logs-[.\-_/#A-Za-z0-9]{1,499})(?::\*)?$/

/** The name in the ARN of a log group; undefined for another destination. */
export const groupIn = (destination: string): string | undefined => GROUP.exec(destination)?.[1]

interface Destination {
  readonly bucket: string
  /** Without a slash at its end; empty for none. */
  readonly prefix: string
}

/** `arn:aws:s3:::aws-waf-logs-shop/prefix` */
const BUCKET = /^arn:[\w-]+:s3:::(aws-waf-logs-[a-z0-9.-]{1,50})(?:\/(.*))?$/

/** The bucket and the prefix in an ARN; undefined for another destination. */
export function bucketIn(destination: string): Destination | undefined {
  const [, bucket, prefix = ''] = BUCKET.exec(destination) ?? []
  return bucket === undefined ? undefined : { bucket, prefix }
}

/** `us-east-1`, `cloudfront` */
export const placeOf = (row: LoggingRow): string => (row.scope === 'global' ? 'cloudfront' : row.region)
export const nameOf = (row: LoggingRow): string => webAcl.form.parse(row.webAcl)?.variables.Name ?? ''

/** `objectName`: of the file, below `PREFIX/AWSLogs/ACCOUNT/`. */
export function deliveryOf(row: LoggingRow, objectName: () => string): LogDelivery {
  const { account, region } = row
  const common = { account, region, policyName: POLICY }
  const logGroup = groupIn(row.destination)
  if (logGroup !== undefined)
    return { ...common, destination: { logGroup, stream: `${placeOf(row)}_${nameOf(row)}_0` } }
  const { bucket, prefix } = bucketIn(row.destination)!
  const folder = `${prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`}AWSLogs/${account}/`
  return { ...common, destination: { bucket, folder, objectKey: objectName } }
}

const destinationRefused = (cause: string) =>
  wafv2.fail(
    'WAFLogDestinationPermissionIssueException',
    `The operation failed because you don't have the permissions that your logging configuration requires: ${cause}`,
  )

/** Throws where logs cannot be delivered. */
export async function requireDestination(call: Call, row: LoggingRow): Promise<void> {
  if (groupIn(row.destination) !== undefined) {
    const [, , , region, account] = row.destination.split(':')
    if (region !== row.region || account !== row.account)
      throw destinationRefused('the log group must be in the account and Region of the web ACL.')
  }
  const cause = await call.use(logDelivery).prepare(
    call,
    deliveryOf(row, () => 'WAFLogs/'),
  )
  if (cause !== undefined) throw destinationRefused(cause)
}
