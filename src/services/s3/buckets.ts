/** Buckets: made, found, listed, removed. */
import type { Call } from '../../kernel/call.ts'
import { pageOf } from '../../kernel/page.ts'
import type { Acted, Target } from '../../kernel/resource.ts'
import { sweepOrphans } from './blobs.ts'
import { grantKeys, keysOfTags, requestKeys } from './conditions.ts'
import { badToken, refuse, unbuilt } from './errors.ts'
import { isLocation } from './locations.ts'
import {
  at,
  type BucketRow,
  bucketArn,
  bucketNamed,
  canonicalId,
  HOME,
  ownerOf,
  type PublicAccessBlock,
  requireOwnRegion,
  s3,
} from './resources.ts'
import { bucketTags, hasTags } from './tags.ts'

const BUCKETS_LISTED_MAX = 10_000
/** Since April 2023 new buckets begin closed. */
const CLOSED: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function requireName(name: string): void {
  const sound =
    /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(name) &&
    !/\.\.|^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|\.mrap$|--x-s3$|--table-s3$/.test(name) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  if (!sound) throw refuse('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: name })
}

const actedComing = (call: Call, name: string): Acted => ({
  arn: bucketArn(name),
  type: 'AWS::S3::Bucket',
  account: call.account,
  conditions: { ...requestKeys(call), 's3:ResourceAccount': call.account },
})

const coming: Target<{ readonly Bucket?: string | undefined }, undefined> = {
  find: (call, { Bucket = '' }) => {
    requireOwnRegion(call)
    return { acted: actedComing(call, Bucket), row: undefined }
  },
}

/** us-east-1's endpoint makes buckets anywhere; every other one at home only. */
function regionOf(call: Call, asked: string | undefined): string {
  const wanted = asked === 'EU' ? 'eu-west-1' : asked
  if (call.region === HOME) {
    if (asked !== undefined && !isLocation(asked))
      throw refuse('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', {
        LocationConstraint: asked,
      })
    return wanted ?? HOME
  }
  if (wanted === call.region) return wanted
  throw refuse(
    'IllegalLocationConstraintException',
    400,
    `The ${wanted ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  )
}

/** The tags a bucket is made with, as the request brings them. */
const tagKeys = (pairs: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) => ({
  ...keysOfTags('aws:RequestTag', Object.fromEntries(pairs.map(({ Key = '', Value = '' }) => [Key, Value]))),
  ...(pairs.length > 0 && { 'aws:TagKeys': pairs.map(({ Key = '' }) => Key) }),
})

export const createBucket = s3
  .operation('CreateBucket')
  .on(coming)
  .given((input) => ({
    ...grantKeys(input),
    ...tagKeys(input.CreateBucketConfiguration?.Tags),
    's3:x-amz-acl': input.ACL,
    's3:x-amz-object-ownership': input.ObjectOwnership,
    's3:x-amz-bucket-namespace': input.BucketNamespace,
    's3:LocationConstraint': input.CreateBucketConfiguration?.LocationConstraint,
  }))
  .run(async (call, input) => {
    const { Bucket: name = '', CreateBucketConfiguration: configuration } = input
    requireName(name)
    if (input.ObjectLockEnabledForBucket) throw unbuilt('object lock')
    if (input.ObjectOwnership !== undefined && input.ObjectOwnership !== 'BucketOwnerEnforced')
      throw unbuilt(`ObjectOwnership ${input.ObjectOwnership}: access control lists are off`)
    if (input.BucketNamespace !== undefined && input.BucketNamespace !== 'global')
      throw unbuilt(`BucketNamespace ${input.BucketNamespace}`)
    if (configuration?.Location ?? configuration?.Bucket) throw unbuilt('directory buckets')
    if (input.ACL !== undefined && input.ACL !== 'private')
      throw refuse(
        'InvalidBucketAclWithObjectOwnership',
        400,
        'Bucket cannot have ACLs set with ObjectOwnership’s BucketOwnerEnforced setting',
      )
    const region = regionOf(call, configuration?.LocationConstraint)
    const known = await call.unit.get<BucketRow>(at.bucket(name))
    if (known && known.account !== call.account)
      throw refuse(
        'BucketAlreadyExists',
        409,
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
        { BucketName: name },
      )
    // AWS: "in the North Virginia Region … Amazon S3 returns 200 OK".
    if (known && !(call.region === HOME && known.region === HOME))
      throw refuse(
        'BucketAlreadyOwnedByYou',
        409,
        'Your previous request to create the named bucket succeeded and you already own it.',
        { BucketName: name },
      )
    if (!known) {
      const tags = bucketTags(configuration?.Tags)
      // AWS: tags that come with the bucket need a permission of their own.
      if (hasTags(tags)) await call.authorize('s3:TagResource', actedComing(call, name), tagKeys(configuration?.Tags))
      const row: BucketRow = {
        name,
        account: call.account,
        region,
        createdAt: call.now,
        publicAccess: CLOSED,
        ...(hasTags(tags) && { tags }),
      }
      call.unit.put(at.bucket(name), row)
      call.unit.put(at.owned(call.account, name), { name })
      await sweepOrphans(call.unit, call.now)
    }
    return { Location: `/${name}`, BucketArn: bucketArn(name) }
  })

export const deleteBucket = s3
  .operation('DeleteBucket')
  .on(bucketNamed)
  .run(async (call, _input, bucket) => {
    const [first] = await call.unit.range(at.objects(bucket.name), { limit: 1 })
    if (first)
      throw refuse('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty', { BucketName: bucket.name })
    call.unit.delete(at.bucket(bucket.name))
    call.unit.delete(at.owned(bucket.account, bucket.name))
    return {}
  })

export const headBucket = s3
  .operation('HeadBucket')
  .on(bucketNamed)
  .asking('s3:ListBucket')
  .run((_call, _input, { name, region }) => ({
    BucketArn: bucketArn(name),
    BucketRegion: region,
    AccessPointAlias: false,
  }))

/** All of an account. */
const buckets: Target<unknown, undefined> = {
  find: (call) => {
    requireOwnRegion(call)
    return { acted: undefined, row: undefined }
  },
}

export const listBuckets = s3
  .operation('ListBuckets')
  .on(buckets)
  .asking('s3:ListAllMyBuckets')
  .given((_input, call) => ({ ...requestKeys(call), 's3:ResourceAccount': call.account }))
  .run(async (call, input) => {
    const names = await call.unit.range<{ readonly name: string }>(at.ownedBy(call.account))
    const rows: BucketRow[] = []
    for (const { document } of names) {
      const row = await call.unit.get<BucketRow>(at.bucket(document.name))
      if (!row?.name.startsWith(input.Prefix ?? '')) continue
      if (input.BucketRegion === undefined || input.BucketRegion === row.region) rows.push(row)
    }
    const { items, next } = await pageOf(call, rows, (row) => row.name, {
      token: input.ContinuationToken,
      size: input.MaxBuckets ?? BUCKETS_LISTED_MAX,
      query: [input.Prefix, input.BucketRegion],
      bad: () => badToken(input.ContinuationToken),
    })
    return {
      Buckets: items.map((row) => ({
        Name: row.name,
        CreationDate: new Date(row.createdAt),
        BucketRegion: row.region,
        BucketArn: bucketArn(row.name),
      })),
      Owner: { ID: canonicalId(call.account) },
      ...(input.Prefix !== undefined && { Prefix: input.Prefix }),
      ...(next !== undefined && { ContinuationToken: next }),
    }
  })

export const getBucketLocation = s3
  .operation('GetBucketLocation')
  .on(bucketNamed)
  .run((_call, _input, { region }) => (region === HOME ? {} : { LocationConstraint: region as 'eu-west-1' }))

/** Access control lists are off: the owner has everything, whatever an object was put with. */
export const getBucketAcl = s3
  .operation('GetBucketAcl')
  .on(bucketNamed)
  .run((_call, _input, bucket) => ({
    Owner: ownerOf(bucket),
    Grants: [{ Grantee: { ...ownerOf(bucket), Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
  }))
