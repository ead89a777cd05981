/**
 * The bucket a trail writes to, called as the CloudTrail service: the bucket's policy decides, when it is set up and at
 * every later delivery.
 */
import type * as S3 from '@aws-sdk/client-s3'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { cloudtrail, type TrailRow, trailArn } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
const PRINCIPAL = 'cloudtrail.amazonaws.com'

export const actingFor = (trail: TrailRow): ServiceCaller => ({
  service: PRINCIPAL,
  account: trail.account,
  region: trail.region,
  source: trailArn(trail),
})

/** `PREFIX/AWSLogs/ACCOUNT/` */
export const folderOf = ({ prefix, account }: TrailRow): string =>
  `${prefix === undefined ? '' : `${prefix}/`}AWSLogs/${account}/`

export interface Delivered {
  readonly Key: string
  readonly Body: Buffer
  readonly Metadata?: Readonly<Record<string, string>>
}

/** Throws the refusal of S3. */
export async function deliver(act: ActAs, trail: TrailRow, { Key, Body, Metadata }: Delivered): Promise<void> {
  await act(actingFor(trail), s3, 'PutObject', {
    Bucket: trail.bucket,
    Key,
    // The gate reads bytes where the client's type wants a stream.
    Body: Body as never,
    ContentType: 'application/json',
    ContentEncoding: 'gzip',
    ACL: 'bucket-owner-full-control',
    ...(Metadata && { Metadata: { ...Metadata } }),
  })
}

/**
 * AWS checks GetBucketAcl and PutObject before it accepts a bucket. The write is one that cannot succeed: it replaces
 * an object that does not exist, which fails only once it is allowed.
 */
export async function requireBucket(call: Call, trail: TrailRow): Promise<void> {
  const { bucket: Bucket } = trail
  const acting = actingFor(trail)
  const refusal = async (send: () => Promise<unknown>): Promise<Fault | undefined> => {
    try {
      await call.once(send)
      return undefined
    } catch (error) {
      if (error instanceof Fault) return error
      throw error
    }
  }
  const missing = (fault: Fault) =>
    fault.code === 'NoSuchBucket'
      ? cloudtrail.fail('S3BucketDoesNotExistException', `S3 bucket ${Bucket} does not exist!`)
      : cloudtrail.fail(
          'InsufficientS3BucketPolicyException',
          `Incorrect S3 bucket policy is detected for bucket: ${Bucket}`,
        )
  const seen = await refusal(() => call.actAs(acting, s3, 'GetBucketAcl', { Bucket }))
  if (seen) throw missing(seen)
  const written = await refusal(() =>
    call.actAs(acting, s3, 'PutObject', {
      Bucket,
      Key: `${folderOf(trail)}CloudTrail/${call.requestId}`,
      IfMatch: '"no object"',
      ACL: 'bucket-owner-full-control',
    }),
  )
  if (written?.code !== 'NoSuchKey') throw missing(written!)
}
