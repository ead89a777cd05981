/**
 * Log delivery to buckets: statements of the bucket's policy allow it, and each delivery is a compressed object.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type * as S3 from '@aws-sdk/client-s3'
import type { LogEvent } from '../../kernel/client/log-batches.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs } from '../../kernel/gate/service-caller.ts'
import type { LogDelivery, LogDestination } from '../../kernel/ports/log-delivery.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { deliveryCaller } from './delivery-to-groups.ts'

const s3: Api<typeof S3> = { id: 's3' }
const compressed = promisify(gzip)

export type BucketDestination = Extract<LogDestination, { readonly bucket: string }>

/** Throws the refusal of S3. */
export async function writeToBucket(
  act: ActAs,
  delivery: LogDelivery,
  { bucket, folder, objectKey }: BucketDestination,
  events: readonly LogEvent[],
): Promise<void> {
  const [first] = events
  if (!first) return
  const body = await compressed(events.map(({ message }) => `${message}\n`).join(''))
  await act(deliveryCaller(delivery), s3, 'PutObject', {
    Bucket: bucket,
    Key: `${folder}${objectKey(first.timestamp)}`,
    // The gate reads bytes where the client's type wants a stream.
    Body: body as never,
    ContentType: 'text/plain',
    ContentEncoding: 'gzip',
    ACL: 'bucket-owner-full-control',
  })
}

/** Why nothing can be delivered; undefined once it can. */
export async function prepareBucket(
  call: Call,
  delivery: LogDelivery,
  destination: BucketDestination,
): Promise<string | undefined> {
  const fault = await refusal(call, delivery, destination)
  // A condition on an object that is not there is evaluated only once the write is allowed.
  if (fault?.code === 'NoSuchKey') return undefined
  if (!fault || fault.code === 'NoSuchBucket') return `the bucket ${destination.bucket} does not exist.`
  try {
    await permit(call, delivery, destination)
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return error.message
  }
}

/** What S3 answers to a write that cannot succeed. */
async function refusal(call: Call, delivery: LogDelivery, { bucket, folder }: BucketDestination) {
  try {
    await call.once(() =>
      call.actAs(deliveryCaller(delivery), s3, 'PutObject', {
        Bucket: bucket,
        Key: `${folder}${call.requestId}`,
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

interface BucketPolicy {
  readonly Version: string
  readonly Statement: readonly { readonly Sid?: string }[]
}

/** Adds the statements that AWS adds, as the caller. */
async function permit(call: Call, delivery: LogDelivery, { bucket: Bucket, folder }: BucketDestination) {
  const arn = `arn:${call.partition}:s3:::${Bucket}`
  const Principal = { Service: 'delivery.logs.amazonaws.com' }
  const Condition = {
    StringEquals: { 'aws:SourceAccount': delivery.account },
    ArnLike: { 'aws:SourceArn': deliveryCaller(delivery).source },
  }
  const ours = [
    {
      Sid: 'AWSLogDeliveryWrite',
      Effect: 'Allow',
      Principal,
      Action: 's3:PutObject',
      Resource: `${arn}/${folder}*`,
      Condition: {
        ...Condition,
        StringEquals: { ...Condition.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
    },
    { Sid: 'AWSLogDeliveryAclCheck', Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: arn, Condition },
  ]
  const policy = await existingPolicy(call, Bucket)
  const kept = policy.Statement.filter(({ Sid }) => !ours.some((statement) => statement.Sid === Sid))
  await call.forward(s3, 'PutBucketPolicy', {
    Bucket,
    Policy: JSON.stringify({ ...policy, Statement: [...kept, ...ours] }),
  })
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
