/**
 * The stock `aws cloudtrail validate-logs` over three hours of a trail: passes as it is, and names a changed log file, a
 * missing one and a missing digest. The hours are the server's and, by faketime, the client's.
 */

import { gunzipSync, gzipSync } from 'node:zlib'
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, type Running, startMerlon } from '../process.ts'
import { environmentFor, policy, run } from './command.ts'

const Bucket = 'audit-logs'
const STEP_SECONDS = 20 * 60
const STEPS = 10
/** Waits for one another: SDK clients, curl and the CLI all live at this distance from the real time. */
let aheadSeconds = 0
let server: Running
let started: Date
let arn: string

const account = () => server.accounts[0]!
const client = <C>(Client: new (config: object) => C): C =>
  new Client({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: account(),
    forcePathStyle: true,
    systemClockOffset: aheadSeconds * 1000,
  })

const later = (program: string, ...words: readonly string[]): Promise<Ended> =>
  run('faketime', ['-f', `+${aheadSeconds}s`, program, ...words], environmentFor(server.url, account()))

const status = () => client(CloudTrailClient).send(new GetTrailStatusCommand({ Name: 'audit' }))

/** Moves the clock, and waits until what fell due was done. */
async function pass(seconds: number): Promise<void> {
  const before = (await status()).LatestDeliveryAttemptTime
  const { accessKeyId, secretAccessKey } = account()
  const moved = await later(
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
    JSON.stringify({ advanceSeconds: seconds }),
  )
  if (moved.status !== 0) throw new Error(moved.stderr)
  aheadSeconds += seconds
  while ((await status()).LatestDeliveryAttemptTime === before) await new Promise((done) => setTimeout(done, 100))
}

beforeAll(async () => {
  server = await startMerlon(['--dev'])
  await client(S3Client).send(new CreateBucketCommand({ Bucket }))
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const Policy = policy(
    { Principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${Bucket}` },
    { Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` },
  )
  await client(S3Client).send(new PutBucketPolicyCommand({ Bucket, Policy }))
  const made = await client(CloudTrailClient).send(
    new CreateTrailCommand({
      Name: 'audit',
      S3BucketName: Bucket,
      S3KeyPrefix: 'trails',
      IsMultiRegionTrail: true,
      EnableLogFileValidation: true,
    }),
  )
  arn = made.TrailARN!
  await client(CloudTrailClient).send(new StartLoggingCommand({ Name: 'audit' }))
  started = new Date(Date.now() - 60_000)
  for (let step = 0; step < STEPS; step++) {
    await client(IAMClient).send(new CreateUserCommand({ UserName: `user-${step}` }))
    await client(KMSClient).send(new CreateKeyCommand({}))
    await pass(STEP_SECONDS)
  }
}, 120_000)
afterAll(() => server?.stop())

/** What is wrong it says on standard error. */
const validate = async (): Promise<Pick<Ended, 'status' | 'stdout'>> => {
  const { status, stdout, stderr } = await later(
    'aws',
    'cloudtrail',
    'validate-logs',
    '--trail-arn',
    arn,
    '--start-time',
    started.toISOString(),
    '--verbose',
  )
  return { status, stdout: stderr + stdout }
}

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
