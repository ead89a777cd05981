/** Buckets: made, found, listed, removed. */
import type { Call } from '../../kernel/call.ts'
import { pageOf } from '../../kernel/page.ts'
import { anything, type Target } from '../../kernel/resource.ts'
import { sweepOrphans } from './blobs.ts'
import { bucketTags } from './governing.ts'
import {
  at,
  type BucketRow,
  bucketArn,
  bucketNamed,
  canonicalId,
  ownerOf,
  type PublicAccessBlock,
  refuse,
  s3,
  unbuilt,
} from './resources.ts'

const HOME = 'us-east-1'
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
  if (!sound) throw refuse('InvalidBucketName', 400, 'The specified bucket is not valid.')
}

const coming: Target<{ readonly Bucket?: string | undefined }, undefined> = {
  find: (call, { Bucket = '' }) => ({
    acted: { arn: bucketArn(Bucket), type: 'AWS::S3::Bucket', account: call.account },
    row: undefined,
  }),
}

/** us-east-1's endpoint makes buckets anywhere; every other one at home only. */
function regionOf(call: Call, asked: string | undefined): string {
  const wanted = asked === 'EU' ? 'eu-west-1' : asked
  if (call.region === HOME) return wanted ?? HOME
  if (wanted === call.region) return wanted
  throw refuse(
    'IllegalLocationConstraintException',
    400,
    `The ${wanted ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  )
}

export const createBucket = s3
  .operation('CreateBucket')
  .on(coming)
  .given(({ ACL, CreateBucketConfiguration }) => ({
    's3:x-amz-acl': ACL,
    's3:LocationConstraint': CreateBucketConfiguration?.LocationConstraint,
  }))
  .run(async (call, input) => {
    const { Bucket: name = '', CreateBucketConfiguration: configuration } = input
    requireName(name)
    if (input.ObjectLockEnabledForBucket) throw unbuilt('object lock')
    if (input.ObjectOwnership !== undefined && input.ObjectOwnership !== 'BucketOwnerEnforced')
      throw unbuilt(`ObjectOwnership ${input.ObjectOwnership}: access control lists are off`)
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
      throw s3.fail(
        'BucketAlreadyExists',
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
      )
    // AWS: "in the North Virginia Region … Amazon S3 returns 200 OK".
    if (known && !(call.region === HOME && known.region === HOME))
      throw s3.fail(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
      )
    if (!known) {
      const tags = bucketTags(configuration?.Tags)
      // AWS: tags that come with the bucket need a permission of their own.
      if (Object.keys(tags).length > 0)
        await call.authorize('s3:TagResource', {
          arn: bucketArn(name),
          type: 'AWS::S3::Bucket',
          account: call.account,
        })
      const row: BucketRow = {
        name,
        account: call.account,
        region,
        createdAt: call.now,
        publicAccess: CLOSED,
        ...(Object.keys(tags).length > 0 && { tags }),
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
    if (first) throw refuse('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty')
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

export const listBuckets = s3
  .operation('ListBuckets')
  .on(anything)
  .asking('s3:ListAllMyBuckets')
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
      bad: () => refuse('InvalidArgument', 400, 'The continuation token provided is incorrect'),
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
