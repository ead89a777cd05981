/** Two nodes over one store: what is done once for all is done by one of them at a time, and by the other when it is gone. */
import { gunzipSync } from 'node:zlib'
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, expect, test } from 'vitest'
import { verifyLog } from '../src/kernel/log-integrity/verify.ts'
import { MovableClock } from '../src/kernel/state/clock.ts'
import { memoryBlobs } from '../src/planes/objects/memory.ts'
import type { Target } from '../src/planes/streams/target.ts'
import { type Cloud, openCloud } from '../src/server/compose/cloud.ts'
import { openStore } from '../src/store/sqlite.ts'
import { ephemeralUnsealed } from '../src/vault/ephemeral.ts'
import { ACCOUNT, allowing, type Keys } from './cloud.ts'
import { asNode } from './node.ts'
import { throughGate } from './through-gate.ts'

const ended: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
})

async function twoNodes() {
  const store = await openStore({ file: ':memory:' })
  ended.push(() => store.close())
  const clock = new MovableClock()
  const unsealed = ephemeralUnsealed()
  const blobs = memoryBlobs()
  const taken: { readonly by: string; readonly id: string }[] = []
  const target = (by: string): Target => ({
    name: 'https://siem.example/',
    open: () => ({
      send: async (lines) =>
        void taken.push(...lines.map(({ body }) => ({ by, id: JSON.parse(body).eventID as string }))),
      close: async () => undefined,
    }),
  })
  const opened = async (node: string): Promise<Cloud> => {
    const cloud = await openCloud({
      store: asNode(store, node),
      // The code that opens it takes the key over.
      unsealed: { ...unsealed, rootKey: Buffer.from(unsealed.rootKey) },
      clock,
      blobs,
      streams: [target(node)],
    })
    ended.push(() => cloud.close())
    return cloud
  }
  const one = await opened(store.node)
  const root: Keys = await one.addAccount({ id: ACCOUNT, name: 'test' })
  const two = await opened('two')
  const client = <C>(Client: new (config: object) => C, node: Cloud): C =>
    new Client({
      region: 'us-east-1',
      credentials: root,
      endpoint: 'http://localhost',
      maxAttempts: 1,
      forcePathStyle: true,
      systemClockOffset: clock.now() - Date.now(),
      requestHandler: throughGate(node.gate),
    })
  return { store, clock, one, two, client, taken }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 10))
}

test('a stream is sent by one node, whichever node events come from, and by the other when that one ends', async () => {
  const { store, one, two, client, taken } = await twoNodes()
  const written = async () => (await store.evidence(0, 1_000)).map(({ id }) => id)
  one.start()
  await client(IAMClient, one).send(new CreateUserCommand({ UserName: 'ann' }))
  await until(() => taken.length === 1)
  two.start()
  await client(IAMClient, two).send(new CreateUserCommand({ UserName: 'bob' }))
  await until(() => taken.length === 2)
  expect(taken.map(({ by }) => by)).toEqual(['main', 'main'])
  await until(() => two.streams()[0]!.elsewhere === 'main')

  await one.close()
  await client(IAMClient, two).send(new CreateUserCommand({ UserName: 'cem' }))
  await until(() => taken.length === 3)
  expect(taken.map(({ by }) => by)).toEqual(['main', 'main', 'two'])
  expect(taken.map(({ id }) => id)).toEqual(await written())
  expect(two.streams()[0]).not.toHaveProperty('elsewhere')
})

test('a trail is delivered once, though both look for what is due', async () => {
  const { store, clock, one, two, client } = await twoNodes()
  const Bucket = 'trail-of-two'
  const s3 = () => client(S3Client, two)
  await s3().send(new CreateBucketCommand({ Bucket }))
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const Policy = allowing({
    Principal,
    Action: ['s3:GetBucketAcl', 's3:PutObject'],
    Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
  })
  await s3().send(new PutBucketPolicyCommand({ Bucket, Policy }))
  const trail = { Name: 'main', S3BucketName: Bucket, EnableLogFileValidation: true }
  await client(CloudTrailClient, one).send(new CreateTrailCommand(trail))
  await client(CloudTrailClient, one).send(new StartLoggingCommand({ Name: 'main' }))

  for (let n = 0; n < 13; n++) {
    await client(IAMClient, n % 2 === 0 ? one : two).send(new CreateUserCommand({ UserName: `user-${n}` }))
    clock.advance(5 * 60_000)
    while ((await Promise.all([one, two].map(({ jobs }) => jobs.runDue()))).some((done) => done > 0));
  }

  const { Contents } = await s3().send(new ListObjectsV2Command({ Bucket }))
  const text = async (Key: string) => {
    const { Body } = await s3().send(new GetObjectCommand({ Bucket, Key }))
    return JSON.parse(gunzipSync(await Body!.transformToByteArray()).toString())
  }
  const files = Contents!.map(({ Key }) => Key!).filter((key) => key.includes('_CloudTrail_'))
  const records = (await Promise.all(files.map(text))).flatMap(({ Records }) => Records)
  const made = records
    .filter(({ eventName }) => eventName === 'CreateUser')
    .map((event) => event.requestParameters.userName)
  expect(made.sort()).toEqual(Array.from({ length: 13 }, (_, n) => `user-${n}`).sort())
  const digests = Contents!.map(({ Key }) => Key!).filter((key) => key.includes('CloudTrail-Digest'))
  expect(digests).toHaveLength(1)
  const { logFiles } = await text(digests[0]!)
  expect(logFiles.length).toBeGreaterThanOrEqual(11)
  for (const { s3Object } of logFiles) expect(files).toContain(s3Object)

  await one.evidence.checkpoint()
  await two.evidence.checkpoint()
  expect((await verifyLog(store, one.vault)).findings).toEqual([])
})
