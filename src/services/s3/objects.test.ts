import { createHash, randomBytes } from 'node:crypto'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import { checksum } from '../../wire/checksums.ts'
import { storage } from './s3.fixture.ts'

const Bucket = 'things'
async function things() {
  const it = await storage()
  await it.bucket(Bucket)
  return it
}

describe('An object', () => {
  it('comes back as it was put, with its headers and metadata', async () => {
    const { owner } = await things()
    const Body = randomBytes(300_000)
    const put = await owner.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a folder/ü & <x>+%41.bin',
        Body,
        ContentType: 'application/x-things',
        CacheControl: 'no-store',
        ContentEncoding: 'gzip',
        Metadata: { color: 'blue', Note: 'mixed' },
      }),
    )
    expect(put.ETag).toBe(`"${createHash('md5').update(Body).digest('hex')}"`)
    const got = await owner.send(new GetObjectCommand({ Bucket, Key: 'a folder/ü & <x>+%41.bin' }))
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true)
    expect(got).toMatchObject({
      ContentType: 'application/x-things',
      CacheControl: 'no-store',
      ContentEncoding: 'gzip',
      ContentLength: 300_000,
      ETag: put.ETag,
      ServerSideEncryption: 'AES256',
      Metadata: { color: 'blue', note: 'mixed' },
    })
    const head = await owner.send(new HeadObjectCommand({ Bucket, Key: 'a folder/ü & <x>+%41.bin' }))
    expect(head).toMatchObject({ ContentLength: 300_000, ETag: put.ETag, Metadata: { color: 'blue' } })
    await expect(owner.send(new GetObjectCommand({ Bucket, Key: 'a folder/ü & <x> A.bin' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    })
  })

  it('may be empty, is replaced by the next of its name, and is gone when deleted, again and again', async () => {
    const { owner, put, text } = await things()
    await put(Bucket, 'k', '')
    expect(await text(Bucket, 'k')).toBe('')
    await put(Bucket, 'k', 'second')
    expect(await text(Bucket, 'k')).toBe('second')
    for (let n = 0; n < 2; n++) await owner.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    await expect(text(Bucket, 'k')).rejects.toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } })
    await expect(owner.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'NotFound',
      $metadata: { httpStatusCode: 404 },
    })
  })

  it('loses its bytes, not only its row: they are swept after the grace that readers have', async () => {
    const it = await things()
    await it.put(Bucket, 'k', 'first')
    await it.put(Bucket, 'k', 'second')
    await it.put(Bucket, 'gone')
    await it.owner.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }))
    const blobs = () => it.ports.blobs.older(-1)
    expect(await blobs()).toHaveLength(3)
    await it.pass(11 * 60_000)
    expect(await blobs()).toHaveLength(1)
    expect(await it.text(Bucket, 'k', it.s3())).toBe('second')
  })

  it.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=5-500', '56789', 'bytes 5-9/10'],
  ])('is read in part: %s', async (Range, part, ContentRange) => {
    const { owner, put } = await things()
    await put(Bucket, 'digits', '0123456789')
    const got = await owner.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }))
    expect(await got.Body!.transformToString()).toBe(part)
    expect(got).toMatchObject({ ContentRange, ContentLength: part.length, $metadata: { httpStatusCode: 206 } })
  })

  it('is returned whole where the range is none, and not at all where it is after the end', async () => {
    const { owner, put } = await things()
    await put(Bucket, 'digits', '0123456789')
    const get = (Range: string) => owner.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }))
    expect(await (await get('bytes=5-2')).Body!.transformToString()).toBe('0123456789')
    for (const Range of ['bytes=10-', 'bytes=-0'])
      await expect(get(Range)).rejects.toMatchObject({ name: 'InvalidRange', $metadata: { httpStatusCode: 416 } })
  })

  it('is read and written on conditions', async () => {
    const { owner, put, text } = await things()
    const { ETag } = await put(Bucket, 'k', 'first')
    const get = (asked: object) => owner.send(new GetObjectCommand({ Bucket, Key: 'k', ...asked }))
    const write = (asked: object) => owner.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'next', ...asked }))
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } })
    await expect(get({ IfModifiedSince: new Date(Date.now() + 60_000) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    })
    await expect(write({ IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await expect(write({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' })
    expect(await text(Bucket, 'k')).toBe('first')
    await write({ IfMatch: ETag })
    expect(await text(Bucket, 'k')).toBe('next')
  })

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'keeps its checksum by %s',
    async (ChecksumAlgorithm) => {
      const { owner } = await things()
      const put = await owner.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'sum of this', ChecksumAlgorithm }))
      const got = await owner.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
      const member = `Checksum${ChecksumAlgorithm}` as 'ChecksumCRC32'
      expect(put[member]).toMatch(/^[\w+/]+=*$/)
      expect(got[member]).toBe(put[member])
    },
  )

  it('has a CRC64NVME where the client sends no checksum, and keeps it', async () => {
    const { owner } = await things()
    const { config } = owner
    config.requestChecksumCalculation = async () => 'WHEN_REQUIRED'
    const put = await owner.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello world\n' }))
    const got = await owner.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
    const { Contents } = await owner.send(new ListObjectsV2Command({ Bucket }))

    const sum = { ChecksumCRC64NVME: checksum('CRC64NVME', Buffer.from('hello world\n')), ChecksumType: 'FULL_OBJECT' }
    expect(put).toMatchObject(sum)
    expect(put.ChecksumCRC32).toBeUndefined()
    expect(got).toMatchObject(sum)
    expect(Contents).toMatchObject([{ ChecksumAlgorithm: ['CRC64NVME'] }])
  })

  it.each([
    ['an MD5 of something else', { ContentMD5: createHash('md5').update('else').digest('base64') }, 'BadDigest'],
    ['an MD5 that is none', { ContentMD5: 'bWQ1' }, 'InvalidDigest'],
    [
      'a checksum of something else',
      { ChecksumSHA256: createHash('sha256').update('else').digest('base64') },
      'BadDigest',
    ],
    ['a key of the customer', { SSECustomerAlgorithm: 'AES256' }, 'NotImplemented'],
    ['encryption by KMS', { ServerSideEncryption: 'aws:kms' as const }, 'NotImplemented'],
    ['a cheaper class', { StorageClass: 'GLACIER' as const }, 'NotImplemented'],
    [
      'eleven tags',
      {
        Tagging: 'abcdefghijk'
          .split('')
          .map((key) => `${key}=1`)
          .join('&'),
      },
      'BadRequest',
    ],
    ['a tag of the system', { Tagging: 'aws:x=1' }, 'InvalidTag'],
    ['an access control list', { ACL: 'public-read' as const }, 'AccessControlListNotSupported'],
    ['too many tags', { Metadata: { long: 'x'.repeat(2_100) } }, 'MetadataTooLarge'],
    ['too long a key', { Key: 'k'.repeat(1_025) }, 'KeyTooLongError'],
  ] as const)('with %s is refused, and the one before stays', async (_what, wish, name) => {
    const { owner, put, text } = await things()
    await put(Bucket, 'k', 'before')
    const asked = { Bucket, Key: 'k', Body: 'after', ...wish } as PutObjectCommandInput
    await expect(owner.send(new PutObjectCommand(asked))).rejects.toMatchObject({ name })
    expect(await text(Bucket, 'k')).toBe('before')
  })

  it('in a bucket that does not exist is reported as such', async () => {
    const { put, text } = await things()
    await expect(put('no-such-bucket', 'k')).rejects.toMatchObject({ name: 'NoSuchBucket' })
    await expect(text('no-such-bucket', 'k')).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })
})

describe('A list', () => {
  const names = ['a', 'a/1', 'a/2', 'a/b/3', 'b', 'b/', 'c/4', 'ä', '\u{1f600}', '～']
  async function filled() {
    const it = await things()
    for (const name of names) await it.put(Bucket, name)
    return it
  }
  const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

  it.each([1, 2, 3, 1000])('pages by %d through the names in the order of their bytes', async (MaxKeys) => {
    const { owner } = await filled()
    const seen: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await owner.send(new ListObjectsV2Command({ Bucket, MaxKeys, ContinuationToken }))
      expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys)
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key!))
      ContinuationToken = page.NextContinuationToken
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined)
    } while (ContinuationToken)
    expect(seen).toEqual(inOrder)
  })

  it.each([1, 2, 1000])('folds at a delimiter, %d at a time', async (MaxKeys) => {
    const { owner } = await filled()
    const list = async (Prefix: string) => {
      const seen: string[] = []
      let ContinuationToken: string | undefined
      do {
        const page = await owner.send(
          new ListObjectsV2Command({ Bucket, Prefix, Delimiter: '/', MaxKeys, ContinuationToken }),
        )
        seen.push(...(page.Contents ?? []).map(({ Key }) => Key!))
        seen.push(...(page.CommonPrefixes ?? []).map((each) => `folder ${each.Prefix}`))
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken)
      return seen.sort()
    }
    expect(await list('')).toEqual(['a', 'b', 'folder a/', 'folder b/', 'folder c/', 'ä', '～', '\u{1f600}'].sort())
    expect(await list('a/')).toEqual(['a/1', 'a/2', 'folder a/b/'])
  })

  it('begins after a name, in the old form too, and reports versions that are none', async () => {
    const { owner } = await filled()
    const after = await owner.send(new ListObjectsV2Command({ Bucket, StartAfter: 'c/4' }))
    expect(after.Contents!.map(({ Key }) => Key)).toEqual(inOrder.slice(inOrder.indexOf('c/4') + 1))
    const old = await owner.send(new ListObjectsCommand({ Bucket, Marker: 'b', MaxKeys: 1, Delimiter: '/' }))
    expect(old).toMatchObject({ CommonPrefixes: [{ Prefix: 'b/' }], NextMarker: 'b/', IsTruncated: true })
    const { Versions } = await owner.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'a/' }))
    expect(Versions!.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest])).toEqual([
      ['a/1', 'null', true],
      ['a/2', 'null', true],
      ['a/b/3', 'null', true],
    ])
  })

  it('takes no token of another list', async () => {
    const { owner } = await filled()
    const { NextContinuationToken } = await owner.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))
    for (const asked of [{ Prefix: 'a', ContinuationToken: NextContinuationToken }, { ContinuationToken: 'made-up' }])
      await expect(owner.send(new ListObjectsV2Command({ Bucket, ...asked }))).rejects.toMatchObject({
        name: 'InvalidArgument',
      })
  })
})

test('many are deleted in one call, each authorized by itself', async () => {
  const it = await things()
  for (const name of ['mine/1', 'mine/2', 'yours/1']) await it.put(Bucket, name)
  const keys = await it.user('ann', allowing({ Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${Bucket}/mine/*` }))
  const Objects = ['mine/1', 'mine/2', 'mine/3', 'yours/1'].map((Key) => ({ Key }))
  const answer = await it.s3(keys).send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  expect(answer.Deleted!.map(({ Key }) => Key)).toEqual(['mine/1', 'mine/2', 'mine/3'])
  expect(answer.Errors!.map(({ Key, Code }) => [Key, Code])).toEqual([['yours/1', 'AccessDenied']])
  const left = await it.owner.send(new ListObjectsV2Command({ Bucket }))
  expect(left.Contents!.map(({ Key }) => Key)).toEqual(['yours/1'])
})

test('what happens to objects is recorded as data events, which the event history does not show', async () => {
  const it = await things()
  await it.put(Bucket, 'k', 'secret words')
  await it.text(Bucket, 'k')
  const { Events } = await it.client(CloudTrailClient).send(new LookupEventsCommand({}))
  const shown = Events!.map(({ EventName }) => EventName)
  expect(shown).toContain('CreateBucket')
  expect(shown).not.toContain('PutObject')
  const entries = await it.store.evidence(0, 1_000)
  const bodies = entries.map(({ body }) => JSON.parse(body))
  const put = bodies.find(({ eventName }) => eventName === 'PutObject')
  expect(put).toMatchObject({
    eventCategory: 'Data',
    managementEvent: false,
    readOnly: false,
    requestParameters: { bucketName: Bucket, key: 'k' },
    resources: [{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${Bucket}/k` }],
    additionalEventData: { bytesTransferredIn: 12 },
  })
  expect(bodies.find(({ eventName }) => eventName === 'GetObject')).toMatchObject({
    readOnly: true,
    additionalEventData: { bytesTransferredOut: 12 },
  })
  expect(JSON.stringify(bodies)).not.toContain('secret words')
})

test('tags of objects are kept, counted, replaced, removed, and tested by policies', async () => {
  const it = await things()
  await it.owner.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'k', Tagging: 'class=open&n=a%20b' }))
  const tags = async () => (await it.owner.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet
  expect(await tags()).toEqual([
    { Key: 'class', Value: 'open' },
    { Key: 'n', Value: 'a b' },
  ])
  expect((await it.owner.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).TagCount).toBe(2)
  const Condition = { StringEquals: { 's3:ExistingObjectTag/class': 'open' } }
  const ann = it.s3(
    await it.user('ann', allowing({ Action: ['s3:GetObject', 's3:PutObject'], Resource: '*', Condition })),
  )
  expect(await it.text(Bucket, 'k', ann)).toBe('k')
  await expect(
    ann.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', Tagging: 'class=open' })),
  ).rejects.toMatchObject({ name: 'AccessDenied', message: expect.stringContaining('s3:PutObjectTagging') })
  const TagSet = [{ Key: 'class', Value: 'shut' }]
  await it.owner.send(new PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet } }))
  expect(await tags()).toEqual(TagSet)
  await expect(it.text(Bucket, 'k', ann)).rejects.toMatchObject({ name: 'AccessDenied' })
  await it.owner.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'k' }))
  expect(await tags()).toEqual([])
  await expect(it.owner.send(new GetObjectTaggingCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
    name: 'NoSuchKey',
  })
})
