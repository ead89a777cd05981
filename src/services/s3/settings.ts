/** Settings that no bucket here has: the answers are those of AWS for a bucket without them. */
import type { Operation } from '../../kernel/service/service.ts'
import { refuse } from './errors.ts'
import { bucketNamed } from './targets.ts'
import { s3 } from './words.ts'

type Setting = Parameters<typeof s3.operation>[0]

// biome-ignore format: a table is read in columns
const ABSENT: readonly (readonly [name: Setting, action: string, code: string, message: string])[] = [
  ['GetBucketCors', 's3:GetBucketCORS', 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  ['GetBucketLifecycleConfiguration', 's3:GetLifecycleConfiguration', 'NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  ['GetBucketReplication', 's3:GetReplicationConfiguration', 'ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  ['GetBucketWebsite', 's3:GetBucketWebsite', 'NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'],
  ['GetObjectLockConfiguration', 's3:GetBucketObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'],
]

// biome-ignore format: a table is read in columns
const EMPTY: readonly (readonly [name: Setting, action: string, answer: object])[] = [
  ['GetBucketVersioning', 's3:GetBucketVersioning', {}],
  ['GetBucketLogging', 's3:GetBucketLogging', {}],
  ['GetBucketAccelerateConfiguration', 's3:GetAccelerateConfiguration', {}],
  ['GetBucketNotificationConfiguration', 's3:GetBucketNotification', {}],
  ['GetBucketRequestPayment', 's3:GetBucketRequestPayment', { Payer: 'BucketOwner' }],
  ['GetBucketOwnershipControls', 's3:GetBucketOwnershipControls', { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }],
  ['GetBucketEncryption', 's3:GetEncryptionConfiguration', { ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }] } }],
]

/** Names and answers are data: one body serves operations of other types. */
const setting = (name: Setting, action: string, answer: (name: string) => object): Operation =>
  s3
    .operation(name as 'GetBucketCors')
    .on(bucketNamed)
    .actions(action)
    .run((_call, _input, { row }) => answer(row.name))

export const settings: readonly Operation[] = [
  ...ABSENT.map(([name, action, code, message]) =>
    setting(name, action, (BucketName) => {
      throw refuse(code, 404, message, { BucketName })
    }),
  ),
  ...EMPTY.map(([name, action, answer]) => setting(name, action, () => answer)),
]
