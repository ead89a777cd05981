import {
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, allowing, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { storage } from './s3.fixture.ts'
import { s3 } from './words.ts'

const Bucket = 'governed'
const ARN = `arn:aws:s3:::${Bucket}`
async function governed() {
  const it = await storage()
  await it.bucket(Bucket)
  await it.put(Bucket, 'k')
  return {
    ...it,
    govern: (Policy: string) => it.owner.send(new PutBucketPolicyCommand({ Bucket, Policy })),
  }
}
const get = new GetObjectCommand({ Bucket, Key: 'k' })
const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }

describe('A bucket policy', () => {
  it('is enough for a user of the account, and nothing is but that or an identity policy', async () => {
    const it = await governed()
    const ann = it.s3(await it.user('ann'))
    await expect(ann.send(get)).rejects.toMatchObject(denied)
    await it.govern(
      allowing({
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/ann` },
        Action: 's3:GetObject',
        Resource: `${ARN}/*`,
      }),
    )
    expect(await it.text(Bucket, 'k', ann)).toBe('k')
    await expect(ann.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))).rejects.toMatchObject(denied)
    await expect(ann.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(denied)
    await it.owner.send(new DeleteBucketPolicyCommand({ Bucket }))
    await expect(ann.send(get)).rejects.toMatchObject(denied)
  })

  it('lets another account in, whose own policies must let it out', async () => {
    const it = await governed()
    const stranger = it.s3(await it.account())
    await expect(stranger.send(get)).rejects.toMatchObject(denied)
    await it.govern(allowing({ Principal: { AWS: OTHER_ACCOUNT }, Action: 's3:GetObject', Resource: `${ARN}/*` }))
    expect(await it.text(Bucket, 'k', stranger)).toBe('k')
    const entries = (await it.store.evidence(0, 1_000)).map(({ body }) => JSON.parse(body))
    const shared = entries.filter(({ eventName, errorCode }) => eventName === 'GetObject' && !errorCode)
    expect(shared.map(({ recipientAccountId }) => recipientAccountId).sort()).toEqual([ACCOUNT, OTHER_ACCOUNT])
    expect(new Set(shared.map(({ sharedEventID }) => sharedEventID)).size).toBe(1)
  })

  it('denies even the owner, who may still fix it as root', async () => {
    const it = await governed()
    await it.govern(
      JSON.stringify({ Statement: { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [ARN, `${ARN}/*`] } }),
    )
    await expect(it.owner.send(get)).rejects.toMatchObject(denied)
    const admin = it.s3(await it.user('admin', allowing({ Action: '*', Resource: '*' })))
    await expect(admin.send(new DeleteBucketPolicyCommand({ Bucket }))).rejects.toMatchObject(denied)
    await it.owner.send(new DeleteBucketPolicyCommand({ Bucket }))
    expect(await it.text(Bucket, 'k')).toBe('k')
  })

  it('depends on the request: prefixes, headers, sources', async () => {
    const it = await governed()
    await it.put(Bucket, 'logs/1')
    const ann = it.s3(await it.user('ann'))
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:user/ann` }
    await it.govern(
      allowing(
        { Principal, Action: 's3:ListBucket', Resource: ARN, Condition: { StringLike: { 's3:prefix': 'logs/*' } } },
        {
          Principal,
          Action: 's3:PutObject',
          Resource: `${ARN}/*`,
          Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
        },
      ),
    )
    const list = (Prefix?: string) => ann.send(new ListObjectsV2Command({ Bucket, Prefix }))
    expect((await list('logs/')).Contents).toHaveLength(1)
    await expect(list()).rejects.toMatchObject(denied)
    const put = (ACL?: 'bucket-owner-full-control') =>
      ann.send(new PutObjectCommand({ Bucket, Key: 'n', Body: 'n', ACL }))
    await expect(put()).rejects.toMatchObject(denied)
    await put('bucket-owner-full-control')
  })

  it.each([
    ['that is no JSON', '{', 'MalformedPolicy'],
    [
      'about another bucket',
      allowing({ Principal: { AWS: OTHER_ACCOUNT }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::other/*' }),
      'MalformedPolicy',
    ],
    [
      'for an unknown principal',
      allowing({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/nobody` }, Action: 's3:*', Resource: `${ARN}/*` }),
      'MalformedPolicy',
    ],
    ['without a principal', allowing({ Action: 's3:*', Resource: `${ARN}/*` }), 'MalformedPolicy'],
    [
      'for all principals, where that is blocked',
      allowing({ Principal: '*', Action: 's3:GetObject', Resource: `${ARN}/*` }),
      'AccessDenied',
    ],
  ])('%s is not put', async (_what, policy, name) => {
    const it = await governed()
    await expect(it.govern(policy)).rejects.toMatchObject({ name })
    await expect(it.owner.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    })
  })

  it('comes back as it was put', async () => {
    const it = await governed()
    const policy = allowing({ Principal: { AWS: OTHER_ACCOUNT }, Action: 's3:GetObject', Resource: `${ARN}/*` })
    await it.account()
    await it.govern(policy)
    const got = await it.owner.send(new GetBucketPolicyCommand({ Bucket }))
    expect(JSON.parse(got.Policy!).Statement[0]).toMatchObject({ Action: 's3:GetObject', Resource: `${ARN}/*` })
    const { PolicyStatus } = await it.owner.send(new GetBucketPolicyStatusCommand({ Bucket }))
    expect(PolicyStatus).toEqual({ IsPublic: false })
  })
})

describe('The block on public access', () => {
  const everybody = allowing({ Principal: '*', Action: 's3:GetObject', Resource: `${ARN}/*` })

  it('is on from the beginning, and a public policy counts only without it', async () => {
    const it = await governed()
    const stranger = it.s3(await it.account())
    await it.owner.send(new DeletePublicAccessBlockCommand({ Bucket }))
    await it.govern(everybody)
    expect(await it.text(Bucket, 'k', stranger)).toBe('k')
    await it.owner.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: { RestrictPublicBuckets: true },
      }),
    )
    await expect(stranger.send(get)).rejects.toMatchObject(denied)
    expect(await it.text(Bucket, 'k')).toBe('k')
  })

  it('is returned, and reported missing', async () => {
    const it = await governed()
    const told = await it.owner.send(new GetPublicAccessBlockCommand({ Bucket }))
    expect(told.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    })
    await it.owner.send(new DeletePublicAccessBlockCommand({ Bucket }))
    await expect(it.owner.send(new GetPublicAccessBlockCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchPublicAccessBlockConfiguration',
    })
  })
})

test('an object that is not there is reported only to callers that may list the bucket', async () => {
  const it = await governed()
  const ann = it.s3(await it.user('ann', allowing({ Action: 's3:GetObject', Resource: `${ARN}/*` })))
  const missing = new GetObjectCommand({ Bucket, Key: 'missing' })
  await expect(ann.send(missing)).rejects.toMatchObject(denied)
  await it.permit(
    'ann',
    allowing({ Action: 's3:GetObject', Resource: `${ARN}/*` }, { Action: 's3:ListBucket', Resource: ARN }),
  )
  await expect(ann.send(missing)).rejects.toMatchObject({ name: 'NoSuchKey' })
})

test('tags are put, replaced and removed, and the system’s are not for callers', async () => {
  const it = await governed()
  const tag = (...pairs: readonly (readonly [string, string])[]) =>
    it.owner.send(
      new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: pairs.map(([Key, Value]) => ({ Key, Value })) } }),
    )
  await tag(['team', 'blue'], ['cost', '1'])
  await tag(['team', 'red'])
  expect((await it.owner.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'team', Value: 'red' }])
  await expect(tag(['aws:x', '1'])).rejects.toMatchObject({ name: 'InvalidTag' })
  await expect(tag(['a', '1'], ['a', '2'])).rejects.toMatchObject({ name: 'InvalidTag' })
})

test('a service puts what the policy lets it, for the source it names', async () => {
  const it = await governed()
  const source = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/t`
  await it.govern(
    allowing({
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `${ARN}/AWSLogs/*`,
      Condition: { StringEquals: { 'aws:SourceArn': source } },
    }),
  )
  const as = (from: string, Key: string) =>
    it.gate.actAs(
      { service: 'cloudtrail.amazonaws.com', account: ACCOUNT, region: 'us-east-1', source: from },
      s3.api,
      'PutObject',
      { Bucket, Key, Body: Buffer.from('x') as never },
    )
  await as(source, 'AWSLogs/1')
  expect(await it.text(Bucket, 'AWSLogs/1')).toBe('x')
  await expect(as(`${source}2`, 'AWSLogs/2')).rejects.toMatchObject({ code: 'AccessDenied' })
  await expect(as(source, 'elsewhere')).rejects.toMatchObject({ code: 'AccessDenied' })
})
