/** What governs a bucket: its policy, the block on public access, its tags. */
import type { Call } from '../../kernel/call.ts'
import { shownPolicy } from '../../kernel/pinned.ts'
import { listTags } from '../../kernel/tags.ts'
import { parsePolicy, publicStatements } from '../../policy/index.ts'
import { checkedPolicy } from './bucket-policy.ts'
import { refuse } from './errors.ts'
import { at, type BucketRow, bucketIsPublic, bucketNamed, bucketToGovern, s3 } from './resources.ts'
import { bucketTags, hasTags } from './tags.ts'

const save = (call: Call, row: BucketRow): void => call.unit.put(at.bucket(row.name), row)

export const putBucketPolicy = s3
  .operation('PutBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, input, bucket) => {
    const text = input.Policy ?? ''
    const policy = await checkedPolicy(call, bucket, text)
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

const noPolicy = ({ name }: BucketRow) =>
  refuse('NoSuchBucketPolicy', 404, 'The bucket policy does not exist', { BucketName: name })

export const getBucketPolicy = s3
  .operation('GetBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, _input, bucket) => {
    const { policy } = bucket
    if (!policy) throw noPolicy(bucket)
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
    if (!bucket.policy) throw noPolicy(bucket)
    return { PolicyStatus: { IsPublic: bucketIsPublic(bucket) } }
  })

export const getPublicAccessBlock = s3
  .operation('GetPublicAccessBlock')
  .on(bucketNamed)
  .asking('s3:GetBucketPublicAccessBlock')
  .run((_call, _input, { name, publicAccess }) => {
    if (!publicAccess)
      throw refuse('NoSuchPublicAccessBlockConfiguration', 404, 'The public access block configuration was not found', {
        BucketName: name,
      })
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
  .run((_call, _input, { name, tags = {} }) => {
    if (!hasTags(tags)) throw refuse('NoSuchTagSet', 404, 'The TagSet does not exist', { BucketName: name })
    return { TagSet: listTags(tags) }
  })

export const putBucketTagging = s3
  .operation('PutBucketTagging')
  .on(bucketNamed)
  .run((call, input, bucket) => {
    const { tags: _before, ...row } = bucket
    const tags = bucketTags(input.Tagging?.TagSet)
    save(call, { ...row, ...(hasTags(tags) && { tags }) })
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
