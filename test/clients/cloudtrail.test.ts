/**
 * The stock `aws cloudtrail validate-logs` over three hours of a trail: passes as it is, and names a changed log file, a
 * missing one and a missing digest.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startMerlon } from '../process.ts'
import { ValidatedTrail } from './validated-trail.ts'

const STEP_SECONDS = 20 * 60
const STEPS = 10
let server: Running
let trail: ValidatedTrail
let Bucket: string

const client = <C>(Client: new (config: object) => C): C => trail.client(Client)
const validate = () => trail.validate()

/** By the endpoint that only development has. */
async function move(aheadSeconds: number): Promise<void> {
  const { accessKeyId, secretAccessKey } = trail.account
  const moved = await trail.later(
    'curl',
    '-fsS',
    '--aws-sigv4',
    'aws:amz:us-east-1:merlon',
    '--user',
    `${accessKeyId}:${secretAccessKey}`,
    '-X',
    'POST',
    `${server.url}/_merlon/clock`,
    '-d',
    JSON.stringify({ advanceSeconds: aheadSeconds - trail.aheadSeconds }),
  )
  if (moved.status !== 0) throw new Error(moved.stderr)
}

beforeAll(async () => {
  server = await startMerlon(['--dev'])
  trail = new ValidatedTrail(server.url, server.accounts[0]!)
  Bucket = trail.bucket
  await trail.begin()
  for (let step = 0; step < STEPS; step++) {
    await client(IAMClient).send(new CreateUserCommand({ UserName: `user-${step}` }))
    await client(KMSClient).send(new CreateKeyCommand({}))
    await trail.pass(STEP_SECONDS, move)
  }
}, 120_000)
afterAll(() => server?.stop())

async function objects(part: string): Promise<readonly string[]> {
  const { Contents = [] } = await client(S3Client).send(new ListObjectsV2Command({ Bucket }))
  return Contents.map(({ Key }) => Key!).filter((key) => key.includes(part))
}

async function kept(Key: string) {
  const { Body, Metadata } = await client(S3Client).send(new GetObjectCommand({ Bucket, Key }))
  const bytes = await Body!.transformToByteArray()
  return {
    bytes,
    put: (changed: Uint8Array = bytes) =>
      client(S3Client).send(new PutObjectCommand({ Bucket, Key, Body: changed, Metadata })),
    remove: () => client(S3Client).send(new DeleteObjectCommand({ Bucket, Key })),
  }
}

test('validate-logs passes over three hours', async () => {
  const { status: exit, stdout } = await validate()
  expect([exit, stdout]).toEqual([0, expect.stringContaining('Results requested')])
  expect(stdout).toMatch(/\b3\/3 digest files valid/)
  const [, valid, all] = /(\d+)\/(\d+) log files valid/.exec(stdout)!
  expect(valid).toBe(all)
  expect(Number(all)).toBeGreaterThanOrEqual(8)
  expect(stdout).not.toContain('INVALID')
}, 60_000)

test('it names a log file in which one byte was changed', async () => {
  const [key] = await objects('_CloudTrail_')
  const file = await kept(key!)
  const text = gunzipSync(file.bytes)
  const at = text.indexOf('CreateUser')
  expect(at).toBeGreaterThan(0)
  text[at]! ^= 1
  await file.put(gzipSync(text))
  const { status: exit, stdout } = await validate()
  expect(exit).toBe(1)
  expect(stdout).toContain(`Log file\ts3://${Bucket}/${key}\tINVALID: hash value doesn't match`)
  await file.put()
}, 60_000)

test('it names a log file that is gone', async () => {
  const [, key] = await objects('_CloudTrail_')
  const file = await kept(key!)
  await file.remove()
  const { status: exit, stdout } = await validate()
  expect(exit).toBe(1)
  expect(stdout).toContain(`Log file\ts3://${Bucket}/${key}\tINVALID: not found`)
  await file.put()
}, 60_000)

test('it names a digest that is gone, and one that was written anew', async () => {
  const [, key] = await objects('CloudTrail-Digest')
  const file = await kept(key!)
  await file.remove()
  const gone = await validate()
  expect(gone.status).toBe(1)
  expect(gone.stdout).toContain(`Digest file\ts3://${Bucket}/${key}\tINVALID: not found`)
  const digest = JSON.parse(gunzipSync(file.bytes).toString())
  await file.put(gzipSync(JSON.stringify({ ...digest, logFiles: [] })))
  const anew = await validate()
  expect(anew.status).toBe(1)
  expect(anew.stdout).toContain(`Digest file\ts3://${Bucket}/${key}\tINVALID: signature verification failed`)
  await file.put()
  expect((await validate()).status).toBe(0)
}, 60_000)
