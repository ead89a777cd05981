/** S3's condition keys: of how a request was signed, of the bucket, and those that Merlon does not supply. */
import type { Call } from '../../kernel/gate/call.ts'
import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Tags } from '../../kernel/resource/facts.ts'

/** A service signs in the header, now, over an encrypted connection. */
const SERVICE_KEYS: Conditions = {
  's3:authType': 'REST-HEADER',
  's3:signatureversion': 'AWS4-HMAC-SHA256',
  's3:signatureAge': '0',
  's3:TlsVersion': '1.3',
}

type Signed = Pick<Call, 'signature' | 'tlsVersion' | 'caller' | 'via' | 'now'>

/**
 * Keys of every S3 action. Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 * and the service authorization reference of S3.
 */
export function requestKeys({ signature, tlsVersion, caller, via, now }: Signed): Conditions {
  if (caller.principal.kind === 'service' || via.length > 0) return SERVICE_KEYS
  const connection = { 's3:TlsVersion': tlsVersion?.replace('TLSv', '') }
  if (!signature) return connection
  return {
    ...connection,
    's3:authType': signature.presigned ? 'REST-QUERY-STRING' : 'REST-HEADER',
    's3:signatureversion': signature.algorithm,
    's3:signatureAge': String(Math.max(0, now - signature.signedAt)),
    's3:x-amz-content-sha256': signature.payload,
  }
}

interface Owned {
  readonly account: string
  readonly region: string
  readonly tags?: Tags | undefined
}

/** Keys of every action on a bucket and on what is in it. */
export function bucketKeys(call: Signed, { account, region, tags }: Owned): Conditions {
  return {
    ...requestKeys(call),
    ...keysOfTags('s3:BucketTag', tags),
    's3:ResourceAccount': account,
    // A bucket is in one Region, whatever Region its caller signed for.
    'aws:RequestedRegion': region,
  }
}

/** The same before there is a bucket, or for all buckets of the account. */
export const newBucketKeys = (call: Signed & Pick<Call, 'account'>): Conditions => ({
  ...requestKeys(call),
  's3:ResourceAccount': call.account,
})

export const keysOfTags = (prefix: string, tags: Tags | undefined): Conditions =>
  Object.fromEntries(Object.entries(tags ?? {}).map(([key, value]) => [`${prefix}/${key}`, value]))

/** What CloudTrail adds to S3's events. */
export function signatureEvent({ signature }: Pick<Call, 'signature'>): Readonly<Record<string, unknown>> | undefined {
  return (
    signature && {
      SignatureVersion: signature.algorithm === 'AWS4-HMAC-SHA256' ? 'SigV4' : 'SigV4A',
      AuthenticationMethod: signature.presigned ? 'QueryString' : 'AuthHeader',
    }
  )
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** The value of a member. */
const member =
  (name: string): ConditionKeyTable[string] =>
  ({ input }) =>
    input[name] === undefined ? undefined : String(input[name])

/**
 * What requests carry. What S3 does not implement is refused after authorization: a policy that denies it is still what
 * answers.
 */
export const conditionKeys: ConditionKeyTable = {
  's3:LocationConstraint': ({ input }) => input.CreateBucketConfiguration?.LocationConstraint,
  's3:ObjectCreationOperation': () => 'true',
  's3:delimiter': member('Delimiter'),
  's3:if-none-match': member('IfNoneMatch'),
  's3:max-keys': member('MaxKeys'),
  's3:object-lock-legal-hold': member('ObjectLockLegalHoldStatus'),
  's3:object-lock-mode': member('ObjectLockMode'),
  's3:object-lock-remaining-retention-days': ({ input: { ObjectLockRetainUntilDate: until }, call }) =>
    until && String(Math.max(0, Math.ceil((until.getTime() - call.now) / DAY_MS))),
  's3:object-lock-retain-until-date': ({ input }) => input.ObjectLockRetainUntilDate?.toISOString(),
  's3:prefix': member('Prefix'),
  's3:versionid': member('VersionId'),
  's3:x-amz-acl': member('ACL'),
  's3:x-amz-bucket-namespace': member('BucketNamespace'),
  's3:x-amz-grant-full-control': member('GrantFullControl'),
  's3:x-amz-grant-read': member('GrantRead'),
  's3:x-amz-grant-read-acp': member('GrantReadACP'),
  's3:x-amz-grant-write': member('GrantWrite'),
  's3:x-amz-grant-write-acp': member('GrantWriteACP'),
  's3:x-amz-object-ownership': member('ObjectOwnership'),
  's3:x-amz-server-side-encryption': member('ServerSideEncryption'),
  's3:x-amz-server-side-encryption-aws-kms-key-id': member('SSEKMSKeyId'),
  's3:x-amz-server-side-encryption-customer-algorithm': member('SSECustomerAlgorithm'),
  's3:x-amz-storage-class': member('StorageClass'),
  's3:x-amz-website-redirect-location': member('WebsiteRedirectLocation'),
}

const NO_COPY = 'CopyObject is not built; PutObject never has it'
const NO_EVENT_HOLD = 'event holds are not built, and no client of S3 sends them yet'

/** Keys of the authorization reference that no built operation supplies, with the reason. */
export const absentKeys: AbsentKeys = {
  's3:AccessGrantsInstanceArn': 'S3 Access Grants are not built',
  's3:AccessPointNetworkOrigin': 'access points are not built',
  's3:AccessPointTag/${TagKey}': 'access points are not built',
  's3:DataAccessPointAccount': 'access points are not built',
  's3:DataAccessPointArn': 'access points are not built',
  's3:object-lock-event-hold': NO_EVENT_HOLD,
  's3:object-lock-event-hold-duration-days': NO_EVENT_HOLD,
  's3:x-amz-copy-source': NO_COPY,
  's3:x-amz-metadata-directive': NO_COPY,
  's3:x-amz-object-annotation-directive': NO_COPY,
}

/** Keys that the reference lists for an action and that some operation's requests cannot carry: operation, key, reason. */
export const absentKeysOfOperations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  CreateBucket: {
    'aws:ResourceTag/${TagKey}': 'the bucket has no tags before it is made',
    's3:BucketTag/${TagKey}': 'the bucket has no tags before it is made',
  },
  HeadBucket: {
    's3:delimiter': 'a parameter of lists',
    's3:max-keys': 'a parameter of lists',
    's3:prefix': 'a parameter of lists',
  },
  PutObject: { 's3:x-amz-grant-write': 'no header of PutObject' },
}
