/** What a bucket of ours does not have is told as AWS tells it of a bucket where nobody has set it up. */
import type { Operation } from '../../kernel/service.ts'
import { refuse } from './errors.ts'
import { type BucketRow, bucketNamed, s3 } from './resources.ts'

type Question = Parameters<typeof s3.operation>[0]

// biome-ignore format: a table is read in columns
const ABSENT: readonly (readonly [name: Question, action: string, code: string, message: string])[] = [
  ['GetBucketCors', 's3:GetBucketCORS', 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  ['GetBucketLifecycleConfiguration', 's3:GetLifecycleConfiguration', 'NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  ['GetBucketReplication', 's3:GetReplicationConfiguration', 'ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  ['GetBucketWebsite', 's3:GetBucketWebsite', 'NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'],
  ['GetObjectLockConfiguration', 's3:GetBucketObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'],
]

// biome-ignore format: a table is read in columns
const EMPTY: readonly (readonly [name: Question, action: string, answer: object])[] = [
  ['GetBucketVersioning', 's3:GetBucketVersioning', {}],
  ['GetBucketLogging', 's3:GetBucketLogging', {}],
  ['GetBucketAccelerateConfiguration', 's3:GetAccelerateConfiguration', {}],
  ['GetBucketNotificationConfiguration', 's3:GetBucketNotification', {}],
  ['GetBucketRequestPayment', 's3:GetBucketRequestPayment', { Payer: 'BucketOwner' }],
  ['GetBucketOwnershipControls', 's3:GetBucketOwnershipControls', { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }],
  ['GetBucketEncryption', 's3:GetEncryptionConfiguration', { ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }] } }],
]

const asked = (name: Question, action: string, answer: (bucket: BucketRow) => object): Operation => ({
  ...s3.loose(name, bucketNamed, (_call, _input, bucket: BucketRow) => answer(bucket)),
  actions: [action],
})

export const settings: readonly Operation[] = [
  ...ABSENT.map(([name, action, code, message]) =>
    asked(name, action, (bucket) => {
      throw refuse(code, 404, message, { BucketName: bucket.name })
    }),
  ),
  ...EMPTY.map(([name, action, answer]) => asked(name, action, () => answer)),
]
