/**
 * The bucket of WAF logs, written to as AWS's log delivery service. The bucket's policy decides; where it does not allow the
 * delivery yet, the statements are added with the permissions of the caller, as AWS does.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
 */
import type * as S3 from '@aws-sdk/client-s3'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { wafv2 } from './faults.ts'
import type { LoggingRow } from './logging-rows.ts'

const s3: Api<typeof S3> = { id: 's3' }
const PRINCIPAL = 'delivery.logs.amazonaws.com'

export interface Destination {
  readonly bucket: string
  /** Without a slash at its end; empty for none. */
  readonly prefix: string
}

/** AWS's own ARN form for deliveries of an account in a Region. */
const sourceOf = ({ account, region }: Pick<LoggingRow, 'account' | 'region'>): string =>
  `arn:aws:logs:${region}:${account}:*`

export const deliveryCaller = (row: LoggingRow): ServiceCaller => ({
  service: PRINCIPAL,
  account: row.account,
  region: row.region,
  source: sourceOf(row),
})

/** `PREFIX/AWSLogs/ACCOUNT/` */
export const folderOf = ({ account }: Pick<LoggingRow, 'account'>, { prefix }: Destination): string =>
  `${prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`}AWSLogs/${account}/`

/** Throws the refusal of S3. */
export async function writeLog(
  act: ActAs,
  row: LoggingRow,
  { bucket }: Destination,
  file: { readonly key: string; readonly body: Buffer },
): Promise<void> {
  await act(deliveryCaller(row), s3, 'PutObject', {
    Bucket: bucket,
    Key: file.key,
    // The gate reads bytes where the client's type wants a stream.
    Body: file.body as never,
    ContentType: 'text/plain',
    ContentEncoding: 'gzip',
    ACL: 'bucket-owner-full-control',
  })
}

export const destinationRefused = (cause: string) =>
  wafv2.fail(
    'WAFLogDestinationPermissionIssueException',
    `The operation failed because you don't have the permissions that your logging configuration requires: ${cause}`,
  )

/** Throws where logs cannot be delivered to the bucket. */
export async function requireBucket(call: Call, row: LoggingRow, destination: Destination): Promise<void> {
  const fault = await refusal(call, row, destination)
  // A condition on an object that is not there is evaluated only once the write is allowed.
  if (fault?.code === 'NoSuchKey') return
  if (!fault || fault.code === 'NoSuchBucket')
    throw destinationRefused(`the bucket ${destination.bucket} does not exist.`)
  try {
    await permit(call, row, destination)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw destinationRefused(error.message)
  }
}

/** What S3 answers to a write that cannot succeed. */
async function refusal(call: Call, row: LoggingRow, destination: Destination): Promise<Fault | undefined> {
  try {
    await call.once(() =>
      call.actAs(deliveryCaller(row), s3, 'PutObject', {
        Bucket: destination.bucket,
        Key: `${folderOf(row, destination)}WAFLogs/${call.requestId}`,
        IfMatch: '"no object"',
        ACL: 'bucket-owner-full-control',
      }),
    )
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/** Adds the statements that AWS adds, as the caller. */
async function permit(call: Call, row: LoggingRow, destination: Destination): Promise<void> {
  const { bucket: Bucket } = destination
  const arn = `arn:${call.partition}:s3:::${Bucket}`
  const Condition = { StringEquals: { 'aws:SourceAccount': row.account }, ArnLike: { 'aws:SourceArn': sourceOf(row) } }
  const ours = [
    {
      Sid: 'AWSLogDeliveryWrite',
      Effect: 'Allow',
      Principal: { Service: PRINCIPAL },
      Action: 's3:PutObject',
      Resource: `${arn}/${folderOf(row, destination)}*`,
      Condition: {
        ...Condition,
        StringEquals: { ...Condition.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
    },
    {
      Sid: 'AWSLogDeliveryAclCheck',
      Effect: 'Allow',
      Principal: { Service: PRINCIPAL },
      Action: 's3:GetBucketAcl',
      Resource: arn,
      Condition,
    },
  ]
  const policy = await existingPolicy(call, Bucket)
  const kept = policy.Statement.filter(({ Sid }) => !ours.some((statement) => statement.Sid === Sid))
  await call.forward(s3, 'PutBucketPolicy', {
    Bucket,
    Policy: JSON.stringify({ ...policy, Statement: [...kept, ...ours] }),
  })
}

interface BucketPolicy {
  readonly Version: string
  readonly Statement: readonly { readonly Sid?: string }[]
}

async function existingPolicy(call: Call, Bucket: string): Promise<BucketPolicy> {
  try {
    const { Policy = '' } = await call.forward(s3, 'GetBucketPolicy', { Bucket })
    const { Statement, ...rest } = JSON.parse(String(Policy))
    return { ...rest, Statement: [Statement].flat() }
  } catch (error) {
    if (error instanceof Fault && error.code === 'NoSuchBucketPolicy') return { Version: '2012-10-17', Statement: [] }
    throw error
  }
}
