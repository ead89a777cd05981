/** What S3 must not give away, and what it must not choke on. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import { listen } from '../../server/listen/listener.ts'
import type { Unit } from '../../store/store.ts'
import { storage } from './s3.fixture.ts'

const Bucket = 'closed'

describe('The tag of an object, which is a hash of what is inside', () => {
  const guessing = async (...actions: readonly string[]) => {
    const it = await storage()
    await it.bucket(Bucket)
    const { ETag } = await it.put(Bucket, 'pin', '4711')
    const keys = await it.user('ann', allowing({ Action: actions as string[], Resource: `arn:aws:s3:::${Bucket}/*` }))
    return { ...it, ETag, ann: it.s3(keys) }
  }

  it('is not compared for callers that may write and not read', async () => {
    const { ann, text, ETag } = await guessing('s3:PutObject', 's3:DeleteObject')
    const denied = { name: 'AccessDenied' }
    for (const IfMatch of [ETag, '"0123456789abcdef0123456789abcdef"']) {
      const put = new PutObjectCommand({ Bucket, Key: 'pin', Body: 'x', IfMatch })
      await expect(ann.send(put)).rejects.toMatchObject(denied)
      const del = new DeleteObjectCommand({ Bucket, Key: 'pin', IfMatch })
      await expect(ann.send(del)).rejects.toMatchObject(denied)
    }
    expect(await text(Bucket, 'pin')).toBe('4711')
    await ann.send(new DeleteObjectCommand({ Bucket, Key: 'pin', IfMatch: '*' }))
  })

  it('is for callers that may read as well', async () => {
    const { ann, text, ETag } = await guessing('s3:PutObject', 's3:GetObject')
    const put = (IfMatch: string) => ann.send(new PutObjectCommand({ Bucket, Key: 'pin', Body: 'x', IfMatch }))
    await expect(put('"0123456789abcdef0123456789abcdef"')).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await put(ETag!)
    expect(await text(Bucket, 'pin')).toBe('x')
  })
})

test('headers that a link requests come back in Latin-1 over a real socket; others, and line ends, are refused', async () => {
  const world = await storage()
  await world.bucket(Bucket)
  await world.put(Bucket, 'k', 'inside')
  const { url, close } = await listen((request) => world.gate.handle(request), { host: '127.0.0.1', port: 0 })
  const config = { endpoint: url, region: 'us-east-1', credentials: world.root, forcePathStyle: true, maxAttempts: 1 }
  const client = new S3Client(config)
  const get = (ResponseContentDisposition: string) =>
    client.send(new GetObjectCommand({ Bucket, Key: 'k', ResponseContentDisposition }))

  const answer = await get('attachment; filename="ü.txt"')
  expect(answer.ContentDisposition).toBe('attachment; filename="ü.txt"')
  expect(await answer.Body!.transformToString()).toBe('inside')
  for (const bad of ['attachment; filename="日本.txt"', 'inline\r\nSet-Cookie: a=b', 'inline\u0000'])
    await expect(get(bad)).rejects.toMatchObject({ name: 'InvalidArgument' })
  client.destroy()
  await close()
})

test('a list of a thousand folders reads each row once', async () => {
  const { owner, store, bucket } = await storage()
  await bucket(Bucket)
  const hex = (text: string) => Buffer.from(text).toString('hex')
  const name = (n: number) => String(n).padStart(4, '0')
  await store.run((unit) => {
    for (let n = 0; n < 3_000; n++) {
      const key = `${name(Math.floor(n / 3))}/${n % 3}`
      const row = { key, blob: '', bytes: 0, etag: '""', changedAt: 0, headers: {}, metadata: {}, checksums: {} }
      unit.put(`s3/object/${Bucket}/${hex(key)}`, row)
    }
  })
  let rows = 0
  const run = store.run.bind(store)
  store.run = (body) =>
    run((unit) => {
      const read = unit.range.bind(unit)
      const range: Unit['range'] = async (prefix, options) => {
        const found = await read<never>(prefix, options)
        if (prefix.startsWith('s3/object/')) rows += found.length
        return found
      }
      return body(Object.assign(unit, { range }))
    })
  const { CommonPrefixes, IsTruncated } = await owner.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }))
  expect(CommonPrefixes!.map(({ Prefix }) => Prefix)).toEqual(Array.from({ length: 1_000 }, (_, n) => `${name(n)}/`))
  expect(IsTruncated).toBe(false)
  expect(rows).toBeLessThanOrEqual(3_010)
})

describe('Tags that come with a bucket', () => {
  const create = (client: S3Client, Tags: { Key: string; Value: string }[]) =>
    client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { Tags } }))

  it('are checked like any', async () => {
    const { owner } = await storage()
    const twice = [
      { Key: 'a', Value: '1' },
      { Key: 'a', Value: '2' },
    ]
    await expect(create(owner, twice)).rejects.toMatchObject({ name: 'InvalidTag' })
    await expect(create(owner, [{ Key: 'aws:x', Value: '1' }])).rejects.toMatchObject({ name: 'InvalidTag' })
    await create(owner, [{ Key: 'a', Value: '1' }])
    const { TagSet } = await owner.send(new GetBucketTaggingCommand({ Bucket }))
    expect(TagSet).toEqual([{ Key: 'a', Value: '1' }])
  })

  it('need a permission of their own', async () => {
    const { user, s3, permit } = await storage()
    const ann = s3(await user('ann', allowing({ Action: 's3:CreateBucket', Resource: '*' })))
    await expect(create(ann, [{ Key: 'a', Value: '1' }])).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:TagResource'),
    })
    await permit('ann', allowing({ Action: ['s3:CreateBucket', 's3:TagResource'], Resource: '*' }))
    await create(ann, [{ Key: 'a', Value: '1' }])
  })
})
