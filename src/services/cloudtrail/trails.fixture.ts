/** A trail and its bucket over a whole Merlon in memory, and what was delivered, read back. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import {
  CloudTrailClient,
  CreateTrailCommand,
  type CreateTrailCommandInput,
  ListPublicKeysCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'

export const BUCKET = 'trail-bucket'
export const TRAIL_ARN = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/main`
export const MINUTE_MS = 60_000

/** As AWS's guide writes it. */
export const bucketPolicy = (bucket = BUCKET, prefix = '', source = TRAIL_ARN) => {
  const Condition = { StringEquals: { 'aws:SourceArn': source } }
  return allowing(
    {
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:GetBucketAcl',
      Resource: `arn:aws:s3:::${bucket}`,
      Condition,
    },
    {
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/${prefix}AWSLogs/${ACCOUNT}/*`,
      Condition: { StringEquals: { ...Condition.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  )
}

export interface Recorded {
  readonly eventID: string
  readonly eventName: string
  readonly awsRegion: string
  readonly eventCategory: string
}

export async function trailed() {
  const it = await cloud()
  const s3 = () => it.client(S3Client)
  const trails = (region = 'us-east-1') => it.client(CloudTrailClient, it.root, region)
  const govern = (Policy: string, Bucket = BUCKET) => s3().send(new PutBucketPolicyCommand({ Bucket, Policy }))
  await s3().send(new CreateBucketCommand({ Bucket: BUCKET }))
  await govern(bucketPolicy())

  const keys = async (part: string) => {
    const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: BUCKET }))
    return Contents.map(({ Key }) => Key!).filter((key) => key.includes(part))
  }
  const object = async (Key: string, Bucket = BUCKET) => {
    const { Body, Metadata } = await s3().send(new GetObjectCommand({ Bucket, Key }))
    return { text: gunzipSync(await Body!.transformToByteArray()).toString(), Metadata: Metadata! }
  }
  return {
    ...it,
    s3,
    trails,
    govern,
    keys,
    object,
    create: (wishes: Partial<CreateTrailCommandInput> = {}) =>
      trails().send(new CreateTrailCommand({ Name: 'main', S3BucketName: BUCKET, ...wishes })),
    start: () => trails().send(new StartLoggingCommand({ Name: 'main' })),
    /** Lets minutes pass, five at a time as deliveries come. */
    minutes: async (count: number) => {
      for (let passed = 0; passed < count; passed += 5) {
        await it.pass(5 * MINUTE_MS)
        while ((await it.jobs.runDue()) > 0);
      }
    },
    /** Every event of every log file, in the order of the files. */
    records: async (): Promise<readonly Recorded[]> => {
      const files = await Promise.all((await keys('_CloudTrail_')).map((key) => object(key)))
      return files.flatMap(({ text }) => (JSON.parse(text) as { Records: Recorded[] }).Records)
    },
    /** The digests in their order, each proven by the published key, the file it names and the digest before it. */
    digests: async (region = 'us-east-1') => {
      const proven = []
      for (const key of await keys(`CloudTrail-Digest/${region}/`)) {
        const { text, Metadata } = await object(key)
        const digest = JSON.parse(text)
        const day = { StartTime: new Date(digest.digestStartTime), EndTime: new Date(digest.digestEndTime) }
        const { PublicKeyList } = await trails().send(new ListPublicKeysCommand(day))
        const known = PublicKeyList!.find(({ Fingerprint }) => Fingerprint === digest.digestPublicKeyFingerprint)!
        const publicKey = createPublicKey({ key: Buffer.from(known.Value!), format: 'der', type: 'pkcs1' })
        const sum = createHash('sha256').update(text).digest('hex')
        const signed = `${digest.digestEndTime}\n${BUCKET}/${key}\n${sum}\n${digest.previousDigestSignature ?? 'null'}`
        const good = verify('sha256', Buffer.from(signed), publicKey, Buffer.from(Metadata['signature']!, 'hex'))
        for (const file of digest.logFiles) {
          const { text: logged } = await object(file.s3Object)
          if (createHash('sha256').update(logged).digest('hex') !== file.hashValue) throw new Error(file.s3Object)
        }
        proven.push({ key, good, digest, signature: Metadata['signature']! })
      }
      return proven
    },
  }
}
