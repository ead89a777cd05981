import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { storage } from './s3.fixture.ts'

describe('A bucket', () => {
  it('is there for its owner, in its Region, until it is deleted', async () => {
    const { owner, bucket, s3, root } = await storage()
    await bucket('first-bucket')
    await owner.send(
      new CreateBucketCommand({
        Bucket: 'second-bucket',
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    )
    const { Buckets } = await owner.send(new ListBucketsCommand({}))
    expect(Buckets!.map(({ Name, BucketRegion }) => [Name, BucketRegion])).toEqual([
      ['first-bucket', 'us-east-1'],
      ['second-bucket', 'eu-central-1'],
    ])
    const locate = async (Bucket: string) =>
      (await owner.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint
    expect(await locate('first-bucket')).toBeUndefined()
    expect(await locate('second-bucket')).toBe('eu-central-1')
    expect(await s3(root, 'eu-central-1').send(new HeadBucketCommand({ Bucket: 'second-bucket' }))).toMatchObject({
      BucketRegion: 'eu-central-1',
    })
    await owner.send(new DeleteBucketCommand({ Bucket: 'first-bucket' }))
    await expect(owner.send(new HeadBucketCommand({ Bucket: 'first-bucket' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    })
  })

  it('has a name that is unique in the whole installation', async () => {
    const it = await storage()
    await it.bucket('taken-by-us')
    const stranger = it.s3(await it.account())
    await expect(stranger.send(new CreateBucketCommand({ Bucket: 'taken-by-us' }))).rejects.toMatchObject({
      name: 'BucketAlreadyExists',
    })
    await expect(it.bucket('taken-by-us')).resolves.toMatchObject({ Location: '/taken-by-us' })
    const elsewhere = new CreateBucketCommand({
      Bucket: 'taken-by-us',
      CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
    })
    await expect(it.s3(it.root, 'eu-west-1').send(elsewhere)).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' })
    expect((await stranger.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([])
  })

  it.each(['ab', 'Upper', 'two..dots', '192.168.1.1', 'xn--evil', 'under_score', 'ends-s3alias'])(
    'is not named %s',
    async (Bucket) => {
      const { s3, root } = await storage()
      await expect(s3(root).send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject({
        name: 'InvalidBucketName',
      })
    },
  )

  it('is not deleted while there is something in it', async () => {
    const { owner, bucket, put } = await storage()
    await bucket('keeps-things')
    await put('keeps-things', 'a')
    await expect(owner.send(new DeleteBucketCommand({ Bucket: 'keeps-things' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    })
    await owner.send(new DeleteObjectCommand({ Bucket: 'keeps-things', Key: 'a' }))
    await owner.send(new DeleteBucketCommand({ Bucket: 'keeps-things' }))
  })

  it('is made in the Region of the endpoint, but for the first Region, which makes them anywhere', async () => {
    const { s3, root } = await storage()
    await expect(
      s3(root, 'eu-west-1').send(
        new CreateBucketCommand({
          Bucket: 'somewhere-else',
          CreateBucketConfiguration: { LocationConstraint: 'eu-west-2' },
        }),
      ),
    ).rejects.toMatchObject({ name: 'IllegalLocationConstraintException' })
  })

  it('answers for what it never has as AWS does for one without that configuration', async () => {
    const { owner, bucket } = await storage()
    await bucket('plain-bucket')
    const Bucket = 'plain-bucket'
    expect((await owner.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
    const { ServerSideEncryptionConfiguration: kept } = await owner.send(new GetBucketEncryptionCommand({ Bucket }))
    expect(kept!.Rules![0]!.ApplyServerSideEncryptionByDefault!.SSEAlgorithm).toBe('AES256')
    await expect(owner.send(new GetBucketWebsiteCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchWebsiteConfiguration',
    })
    await expect(
      owner.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
    ).rejects.toMatchObject({ name: 'NotImplemented', message: expect.stringContaining('PutBucketVersioning') })
  })
})

test('what object ownership or locks would need is refused by name, and no bucket is made', async () => {
  const { owner } = await storage()
  const Bucket = 'wants-too-much'
  for (const wish of [
    { ObjectLockEnabledForBucket: true },
    { ObjectOwnership: 'ObjectWriter' as const },
    { ACL: 'public-read' as const },
  ])
    await expect(owner.send(new CreateBucketCommand({ Bucket, ...wish }))).rejects.toMatchObject({
      name: expect.stringMatching(/NotImplemented|InvalidBucketAclWithObjectOwnership/),
    })
  expect((await owner.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([])
})
