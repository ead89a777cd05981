import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, describe, expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'
import { Bucket } from '../../kernel/client/bucket.ts'
import { listen } from '../../server/listen/listener.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { events } from '../streams/source.ts'
import { Stream } from '../streams/stream.ts'
import { readTarget } from '../streams/target.ts'
import { type BlobStore, sealedBlobs } from './blobs.ts'
import { heldBlobs } from './deferred-deletes.ts'
import { folderBlobs } from './folder.ts'
import { memoryBlobs } from './memory.ts'
import { bucketBlobs } from './remote.ts'

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
})

/** A Merlon on a socket, and a bucket in it. */
async function elsewhere() {
  const it = await cloud()
  const listener = await listen((request) => it.gate.handle(request), { host: '127.0.0.1', port: 0 })
  ended.push(() => listener.close())
  await it.client(S3Client).send(new CreateBucketCommand({ Bucket: 'blobs' }))
  const target = new URL(`s3://blobs/a%20b/c?endpoint=${listener.url}`)
  const bucket = new Bucket(target, { accessKeyId: it.root.accessKeyId, secret: it.root.secretAccessKey })
  return { ...it, bucket, url: listener.url }
}

const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'merlon-blobs-'))
  ended.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const stores: readonly (readonly [string, () => Promise<BlobStore> | BlobStore])[] = [
  ['a folder', () => folderBlobs(join(folder(), 'objects'))],
  ['memory', () => memoryBlobs()],
  ['a bucket elsewhere', async () => bucketBlobs((await elsewhere()).bucket)],
]

describe.each(stores)('Blobs in %s', (_where, open) => {
  test('come back as they were, until they are removed, again and again', async () => {
    const store = await open()
    const [id, other] = [randomUUID(), randomUUID()]
    const bytes = randomBytes(100_000)
    await store.write(id, bytes)
    await store.write(other, Buffer.alloc(0))
    expect((await store.read(id))!.equals(bytes)).toBe(true)
    expect((await store.read(other))!.length).toBe(0)
    expect(await store.read(randomUUID())).toBeUndefined()
    expect([...(await store.older(-2_000))].sort()).toEqual([id, other].sort())
    expect(await store.older(60_000)).toEqual([])
    for (let n = 0; n < 2; n++) await store.remove(id)
    expect(await store.read(id)).toBeUndefined()
    expect(await store.older(-2_000)).toEqual([other])
  })
})

test('a blob opens for its own place alone, and not when a byte was changed', async () => {
  const home = folder()
  const vault = await ephemeralVault(ACCOUNT)
  const blobs = sealedBlobs(vault, folderBlobs(home))
  const place = { id: randomUUID(), account: ACCOUNT }
  const text = Buffer.from('stored in clear nowhere')
  await blobs.put(place, text)
  expect((await blobs.get(place, text.length)).equals(text)).toBe(true)
  const [shelf] = readdirSync(home)
  const file = join(home, shelf!, place.id)
  const sealed = readFileSync(file)
  expect(sealed.includes(text)).toBe(false)
  for (const at of [0, 5, sealed.length >> 1, sealed.length - 1]) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    writeFileSync(file, changed)
    await expect(blobs.get(place, text.length)).rejects.toThrow()
  }
  writeFileSync(file, sealed)
  const moved = { id: randomUUID(), account: ACCOUNT }
  await folderBlobs(home).write(moved.id, sealed)
  await expect(blobs.get(moved, text.length)).rejects.toThrow()
  await expect(blobs.get({ ...place, account: '444455556666' }, text.length)).rejects.toThrow()
})

test('a directory lists all its blobs, and leaves alone what is being written', async () => {
  const home = folder()
  const blobs = folderBlobs(home)
  const [id, other] = [randomUUID(), randomUUID()]
  expect(await blobs.ids()).toEqual([])
  await blobs.write(id, Buffer.from('here'))
  const draft = join(home, id.slice(0, 2), `${other}.draft-${randomUUID()}`)
  writeFileSync(draft, 'half')

  expect(await blobs.ids()).toEqual([id])
  expect(readFileSync(draft, 'utf8')).toBe('half')
})

test('what is removed during a copy is gone when the last copy has ended, also by failing', async () => {
  const blobs = heldBlobs(memoryBlobs())
  const [id, other] = [randomUUID(), randomUUID()]
  for (const each of [id, other]) await blobs.write(each, Buffer.from('bytes'))

  await blobs.holding(async () => {
    const failing = blobs.holding(async () => {
      await blobs.remove(id)
      throw new Error('no room left')
    })
    await expect(failing).rejects.toThrow('no room left')
    expect((await blobs.read(id))?.toString()).toBe('bytes')
  })
  expect(await blobs.read(id)).toBeUndefined()
  await blobs.remove(other)
  expect(await blobs.read(other)).toBeUndefined()
})

test('a removal in progress ends before a copy starts', async () => {
  const store = memoryBlobs()
  let end = () => {}
  const slow = heldBlobs({
    ...store,
    remove: (id) => new Promise<void>((resolve) => (end = resolve)).then(() => store.remove(id)),
  })
  const id = randomUUID()
  await slow.write(id, Buffer.from('bytes'))
  const removed = slow.remove(id)
  const found = slow.holding(() => slow.read(id))

  end()
  expect(await found).toBeUndefined()
  await removed
})

test('objects of one Merlon are stored sealed in a bucket of another', async () => {
  const there = await elsewhere()
  const here = await cloud({ blobs: bucketBlobs(there.bucket) })
  const s3 = here.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'near' }))
  await s3.send(new PutObjectCommand({ Bucket: 'near', Key: 'k', Body: 'plain words' }))
  expect(await (await s3.send(new GetObjectCommand({ Bucket: 'near', Key: 'k' }))).Body!.transformToString()).toBe(
    'plain words',
  )
  const far = there.client(S3Client)
  const { Contents } = await far.send(new ListObjectsV2Command({ Bucket: 'blobs' }))
  expect(Contents!.map(({ Key }) => Key)).toEqual([expect.stringMatching(/^a b\/c\/[0-9a-f-]{36}$/)])
  const kept = await far.send(new GetObjectCommand({ Bucket: 'blobs', Key: Contents![0]!.Key }))
  expect(Buffer.from(await kept.Body!.transformToByteArray()).includes('plain words')).toBe(false)
})

test('an object is not put where its bytes cannot be kept', async () => {
  const gone = new Bucket(new URL('s3://blobs?endpoint=http://127.0.0.1:1'), { accessKeyId: 'A', secret: 's' })
  const s3 = (await cloud({ blobs: bucketBlobs(gone) })).client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'near' }))
  await expect(s3.send(new PutObjectCommand({ Bucket: 'near', Key: 'k', Body: 'x' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 500 },
  })
  expect((await s3.send(new ListObjectsV2Command({ Bucket: 'near' }))).KeyCount).toBe(0)
})

test('a stream brings its batches into a bucket, named by their places', async () => {
  const there = await elsewhere()
  const here = await cloud()
  const target = readTarget(`s3://blobs/events?endpoint=${there.url}`, {
    version: '9',
    environment: { AWS_ACCESS_KEY_ID: there.root.accessKeyId, AWS_SECRET_ACCESS_KEY: there.root.secretAccessKey },
  })
  await here.user('ann')
  const stream = new Stream({ store: here.store, source: events(here.store), target, report: () => undefined })
  stream.start()
  ended.push(() => stream.stop())
  await expect.poll(() => stream.status().sent).toBeGreaterThan(1)
  const { Contents } = await there.client(S3Client).send(new ListObjectsV2Command({ Bucket: 'blobs' }))
  expect(Contents!.map(({ Key }) => Key)).toEqual([expect.stringMatching(/^events\/1-\d+\.jsonl$/)])
})
