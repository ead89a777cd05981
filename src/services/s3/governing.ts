/** What governs a bucket: its policy, the block on public access, its tags. */
import type { Call } from '../../kernel/call.ts'
import { pinPolicy, shownPolicy } from '../../kernel/pinned.ts'
import type { Tags } from '../../kernel/resource.ts'
import { listTags, mergeTags } from '../../kernel/tags.ts'
import { PolicyError, parsePolicy, publicStatements } from '../../policy/index.ts'
import {
  at,
  type BucketPolicy,
  type BucketRow,
  bucketArn,
  bucketIsPublic,
  bucketNamed,
  bucketToGovern,
  refuse,
  s3,
} from './resources.ts'

const POLICY_BYTES_MAX = 20 * 1024

const save = (call: Call, row: BucketRow): void => call.unit.put(at.bucket(row.name), row)

const malformed = (message: string) => refuse('MalformedPolicy', 400, message)

async function checked(call: Call, bucket: BucketRow, text: string): Promise<BucketPolicy> {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX)
    throw refuse('PolicyTooLarge', 400, `Policy exceeds the maximum allowed document size.`)
  try {
    const { pins, missing } = await pinPolicy(call, text)
    if (missing.length > 0) throw malformed('Invalid principal in policy')
    const arn = bucketArn(bucket.name)
    const fits = (resource: string) =>
      resource === '*' || resource === arn || resource.startsWith(`${arn}/`) || resource.startsWith(`${arn}*`)
    for (const statement of [JSON.parse(text).Statement].flat()) {
      const resources = [statement.Resource ?? statement.NotResource ?? []].flat() as string[]
      if (!resources.every(fits)) throw malformed('Policy has invalid resource')
    }
    return { text, pins }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw malformed(error.message)
  }
}

export const putBucketPolicy = s3
  .operation('PutBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, input, bucket) => {
    const text = input.Policy ?? ''
    const policy = await checked(call, bucket, text)
    if (bucket.publicAccess?.BlockPublicPolicy && publicStatements(parsePolicy(text, 'resource')).length > 0) {
      throw refuse(
        'AccessDenied',
        403,
        'Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access',
      )
    }
    save(call, { ...bucket, policy })
    return {}
  })

const noPolicy = () => refuse('NoSuchBucketPolicy', 404, 'The bucket policy does not exist')

export const getBucketPolicy = s3
  .operation('GetBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, _input, { policy }) => {
    if (!policy) throw noPolicy()
    return { Policy: await shownPolicy(call, policy.text, policy.pins) }
  })

export const deleteBucketPolicy = s3
  .operation('DeleteBucketPolicy')
  .on(bucketToGovern)
  .run((call, _input, bucket) => {
    const { policy: _gone, ...row } = bucket
    save(call, row)
    return {}
  })

export const getBucketPolicyStatus = s3
  .operation('GetBucketPolicyStatus')
  .on(bucketNamed)
  .run((_call, _input, bucket) => {
    if (!bucket.policy) throw noPolicy()
    return { PolicyStatus: { IsPublic: bucketIsPublic(bucket) } }
  })

export const getPublicAccessBlock = s3
  .operation('GetPublicAccessBlock')
  .on(bucketNamed)
  .asking('s3:GetBucketPublicAccessBlock')
  .run((_call, _input, { publicAccess }) => {
    if (!publicAccess)
      throw refuse('NoSuchPublicAccessBlockConfiguration', 404, 'The public access block configuration was not found')
    return { PublicAccessBlockConfiguration: publicAccess }
  })

export const putPublicAccessBlock = s3
  .operation('PutPublicAccessBlock')
  .on(bucketNamed)
  .asking('s3:PutBucketPublicAccessBlock')
  .run((call, { PublicAccessBlockConfiguration: asked }, bucket) => {
    const publicAccess = {
      BlockPublicAcls: asked?.BlockPublicAcls ?? false,
      IgnorePublicAcls: asked?.IgnorePublicAcls ?? false,
      BlockPublicPolicy: asked?.BlockPublicPolicy ?? false,
      RestrictPublicBuckets: asked?.RestrictPublicBuckets ?? false,
    }
    save(call, { ...bucket, publicAccess })
    return {}
  })

export const deletePublicAccessBlock = s3
  .operation('DeletePublicAccessBlock')
  .on(bucketNamed)
  .asking('s3:PutBucketPublicAccessBlock')
  .run((call, _input, bucket) => {
    const { publicAccess: _gone, ...row } = bucket
    save(call, row)
    return {}
  })

export const getBucketTagging = s3
  .operation('GetBucketTagging')
  .on(bucketNamed)
  .run((_call, _input, { tags }) => {
    if (!tags) throw refuse('NoSuchTagSet', 404, 'The TagSet does not exist')
    return { TagSet: listTags(tags) }
  })

/** Throws what S3 says of tags it does not take. */
export function bucketTags(set: readonly { Key?: string | undefined; Value?: string | undefined }[] = []): Tags {
  const tags = mergeTags(
    undefined,
    set.map(({ Key = '', Value }) => ({ Key, Value })),
  )
  if (tags === 'duplicate') throw refuse('InvalidTag', 400, 'Cannot provide multiple Tags with the same key')
  if (tags === 'reserved') throw refuse('InvalidTag', 400, 'System tags cannot be added/updated by requester')
  if (tags === 'too-many') throw refuse('BadRequest', 400, 'Bucket tag count cannot be greater than 50')
  return tags
}

export const putBucketTagging = s3
  .operation('PutBucketTagging')
  .on(bucketNamed)
  .run((call, input, bucket) => {
    save(call, { ...bucket, tags: bucketTags(input.Tagging?.TagSet) })
    return {}
  })

export const deleteBucketTagging = s3
  .operation('DeleteBucketTagging')
  .on(bucketNamed)
  .asking('s3:PutBucketTagging')
  .run((call, _input, bucket) => {
    const { tags: _gone, ...row } = bucket
    save(call, row)
    return {}
  })
