/** What governs a bucket: its policy, the block on public access, its tags. */
import { shownPolicy } from '../../kernel/resource/pinned.ts'
import { listTags } from '../../kernel/resource/tags.ts'
import { parsePolicy, publicStatements } from '../../policy/index.ts'
import { checkedPolicy } from './bucket-policy.ts'
import { refuse } from './errors.ts'
import { bucketIsPublic } from './resources.ts'
import type { BucketRow } from './rows.ts'
import { bucketTags, hasTags } from './tags.ts'
import { bucketNamed, bucketToGovern } from './targets.ts'
import { s3 } from './words.ts'

export const putBucketPolicy = s3
  .operation('PutBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, input, { row: bucket, save }) => {
    const text = input.Policy ?? ''
    const policy = await checkedPolicy(call, bucket, text)
    if (bucket.publicAccess?.BlockPublicPolicy && publicStatements(parsePolicy(text, 'resource')).length > 0) {
      throw refuse(
        'AccessDenied',
        403,
        'Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access',
      )
    }
    save({ ...bucket, policy })
    return {}
  })

const noPolicy = ({ name }: BucketRow) =>
  refuse('NoSuchBucketPolicy', 404, 'The bucket policy does not exist', { BucketName: name })

export const getBucketPolicy = s3
  .operation('GetBucketPolicy')
  .on(bucketToGovern)
  .run(async (call, _input, { row: bucket }) => {
    const { policy } = bucket
    if (!policy) throw noPolicy(bucket)
    return { Policy: await shownPolicy(call, policy.text, policy.pins) }
  })

export const deleteBucketPolicy = s3
  .operation('DeleteBucketPolicy')
  .on(bucketToGovern)
  .run((_call, _input, { row: bucket, save }) => {
    const { policy: _gone, ...row } = bucket
    save(row)
    return {}
  })

export const getBucketPolicyStatus = s3
  .operation('GetBucketPolicyStatus')
  .on(bucketNamed)
  .run((_call, _input, { row: bucket }) => {
    if (!bucket.policy) throw noPolicy(bucket)
    return { PolicyStatus: { IsPublic: bucketIsPublic(bucket) } }
  })

export const getPublicAccessBlock = s3
  .operation('GetPublicAccessBlock')
  .on(bucketNamed)
  .actions('s3:GetBucketPublicAccessBlock')
  .run((_call, _input, { row: { name, publicAccess } }) => {
    if (!publicAccess)
      throw refuse('NoSuchPublicAccessBlockConfiguration', 404, 'The public access block configuration was not found', {
        BucketName: name,
      })
    return { PublicAccessBlockConfiguration: publicAccess }
  })

export const putPublicAccessBlock = s3
  .operation('PutPublicAccessBlock')
  .on(bucketNamed)
  .actions('s3:PutBucketPublicAccessBlock')
  .run((_call, { PublicAccessBlockConfiguration: wanted }, { row, save }) => {
    const publicAccess = {
      BlockPublicAcls: wanted?.BlockPublicAcls ?? false,
      IgnorePublicAcls: wanted?.IgnorePublicAcls ?? false,
      BlockPublicPolicy: wanted?.BlockPublicPolicy ?? false,
      RestrictPublicBuckets: wanted?.RestrictPublicBuckets ?? false,
    }
    save({ ...row, publicAccess })
    return {}
  })

export const deletePublicAccessBlock = s3
  .operation('DeletePublicAccessBlock')
  .on(bucketNamed)
  .actions('s3:PutBucketPublicAccessBlock')
  .run((_call, _input, { row: bucket, save }) => {
    const { publicAccess: _gone, ...row } = bucket
    save(row)
    return {}
  })

export const getBucketTagging = s3
  .operation('GetBucketTagging')
  .on(bucketNamed)
  .run((_call, _input, { row: { name, tags = {} } }) => {
    if (!hasTags(tags)) throw refuse('NoSuchTagSet', 404, 'The TagSet does not exist', { BucketName: name })
    return { TagSet: listTags(tags) }
  })

export const putBucketTagging = s3
  .operation('PutBucketTagging')
  .on(bucketNamed)
  .run((_call, input, { row: bucket, save }) => {
    const { tags: _before, ...row } = bucket
    const tags = bucketTags(input.Tagging?.TagSet)
    save({ ...row, ...(hasTags(tags) && { tags }) })
    return {}
  })

export const deleteBucketTagging = s3
  .operation('DeleteBucketTagging')
  .on(bucketNamed)
  .actions('s3:PutBucketTagging')
  .run((_call, _input, { row: bucket, save }) => {
    const { tags: _gone, ...row } = bucket
    save(row)
    return {}
  })
