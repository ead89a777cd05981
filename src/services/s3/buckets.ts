/** Buckets: created, found, listed, removed. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { sweepOrphans } from './blobs.ts'
import { newBucketKeys } from './conditions.ts'
import { badToken, invalidBucketName, refuse, unbuilt } from './errors.ts'
import { isLocation } from './locations.ts'
import { bucket, bucketArn, canonicalId, ownerOf } from './resources.ts'
import { at, type BucketRow, type PublicAccessBlock } from './rows.ts'
import { hasTags } from './tags.ts'
import { bucketNamed, HOME, requireOwnRegion } from './targets.ts'
import { s3 } from './words.ts'

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
  if (!sound) throw invalidBucketName(name)
}

const created = bucket.created(({ Bucket = '' }: { readonly Bucket?: string | undefined }, call) => {
  requireOwnRegion(call)
  return { BucketName: Bucket }
})

/** us-east-1's endpoint makes buckets anywhere; every other one at home only. */
function regionOf(call: Call, requestedRegion: string | undefined): string {
  const wanted = requestedRegion === 'EU' ? 'eu-west-1' : requestedRegion
  if (call.region === HOME) {
    if (requestedRegion !== undefined && !isLocation(requestedRegion))
      throw refuse('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', {
        LocationConstraint: requestedRegion,
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

export const createBucket = s3
  .operation('CreateBucket')
  .on(created)
  .run(async (call, input, { id, arn, tags, create }) => {
    const { CreateBucketConfiguration: configuration } = input
    const { BucketName: name } = id
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
    const known = await bucket.get(call.unit, call, id)
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
      create({
        name,
        account: call.account,
        region,
        createdAt: call.now,
        publicAccess: CLOSED,
        ...(hasTags(tags) && { tags }),
      })
      call.unit.put(at.owned(call.account, name), { name })
      await sweepOrphans(call.unit, call.now)
    }
    return { Location: `/${name}`, BucketArn: arn }
  })

export const deleteBucket = s3
  .operation('DeleteBucket')
  .on(bucketNamed)
  .run(async (call, _input, { row: { name, account }, remove }) => {
    const [first] = await call.unit.range(at.objects(name), { limit: 1 })
    if (first) throw refuse('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty', { BucketName: name })
    remove()
    call.unit.delete(at.owned(account, name))
    return {}
  })

export const headBucket = s3
  .operation('HeadBucket')
  .on(bucketNamed)
  .actions('s3:ListBucket')
  .run((_call, _input, { row, arn }) => ({
    BucketArn: arn,
    BucketRegion: row.region,
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
  .actions('s3:ListAllMyBuckets')
  .conditions((_input, call) => newBucketKeys(call))
  .run(async (call, input) => {
    const names = await call.unit.range<{ readonly name: string }>(at.ownedBy(call.account))
    const rows: BucketRow[] = []
    for (const { document } of names) {
      const row = await bucket.get(call.unit, call, { BucketName: document.name })
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
  .run((_call, _input, { row: { region } }) => (region === HOME ? {} : { LocationConstraint: region as 'eu-west-1' }))

/** Access control lists are off: the owner has everything, whatever an object was put with. */
export const getBucketAcl = s3
  .operation('GetBucketAcl')
  .on(bucketNamed)
  .run((_call, _input, { row }) => ({
    Owner: ownerOf(row),
    Grants: [{ Grantee: { ...ownerOf(row), Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
  }))
