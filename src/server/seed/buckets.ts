/** Seeds of S3: buckets with their policies, and small objects. Objects are not exported: their content is unknown. */
import type * as S3 from '@aws-sdk/client-s3'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { compact, documentOf, inTurn, seedPart, textOf } from './part.ts'

const s3: Api<typeof S3> = { id: 's3' }

export const buckets = seedPart({
  kind: 'buckets',
  labels: ['name'],
  members: { name: true, policy: true, objects: true },
  add: async ({ call, region }, { name: Bucket, policy, objects }, step) => {
    await step([], `bucket '${Bucket}'`, () =>
      call(s3, 'CreateBucket', {
        Bucket,
        ...(region !== 'us-east-1' && {
          CreateBucketConfiguration: { LocationConstraint: region as S3.BucketLocationConstraint },
        }),
      }),
    )
    for (const [Key, content] of Object.entries(objects ?? {}))
      await step(['objects', Key], `object '${Key}' of bucket '${Bucket}'`, () =>
        call(s3, 'PutObject', { Bucket, Key, Body: Buffer.from(content) as never }),
      )
    if (policy !== undefined)
      await step(['policy'], `the policy of bucket '${Bucket}'`, () =>
        call(s3, 'PutBucketPolicy', { Bucket, Policy: textOf(policy) }),
      )
  },
  export: async ({ id, call }, leaveOut) => {
    const { Buckets = [] } = await call(s3, 'ListBuckets', {})
    if (Buckets.length > 0) leaveOut(`the objects in the buckets of account ${id}`)
    return inTurn(Buckets, async ({ Name = '' }) => {
      const policy = await call(s3, 'GetBucketPolicy', { Bucket: Name }).then(
        ({ Policy }) => Policy,
        (error: unknown) => {
          if (error instanceof Fault && error.code === 'NoSuchBucketPolicy') return undefined
          throw error
        },
      )
      return compact({ name: Name, policy: policy && documentOf(policy) })
    })
  },
})
