/**
 * How CloudTrail names S3's calls.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html and the examples
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
 */
import type { EventNames } from '../../kernel/events/event-names.ts'

export const eventNames: EventNames = {
  events: {
    DeletePublicAccessBlock: 'DeleteBucketPublicAccessBlock',
    GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
    GetBucketLifecycleConfiguration: 'GetBucketLifecycle',
    GetBucketNotificationConfiguration: 'GetBucketNotification',
    GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
    GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
    ListObjectsV2: 'ListObjects',
    PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
    PutBucketLifecycleConfiguration: 'PutBucketLifecycle',
    PutBucketNotificationConfiguration: 'PutBucketNotification',
    PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
    PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  },
  parameters: {
    bucket: 'bucketName',
    policy: 'bucketPolicy',
    createBucketConfiguration: 'CreateBucketConfiguration',
    publicAccessBlockConfiguration: 'PublicAccessBlockConfiguration',
    tagging: 'Tagging',
  },
  documents: ['bucketPolicy'],
  elements: ['CreateBucketConfiguration', 'PublicAccessBlockConfiguration', 'Tagging'],
  left: ['body'],
}
