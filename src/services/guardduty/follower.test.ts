/** From an API call to a finding: the audit log followed, the findings stored once, whatever happens in between. */
import {
  CloudTrailClient,
  CreateTrailCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import * as gd from '@aws-sdk/client-guardduty'
import { DeleteAccountPasswordPolicyCommand, IAMClient, UpdateAccountPasswordPolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { expect, test, vi } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import { withDetector } from './guardduty.fixture.ts'

type It = Awaited<ReturnType<typeof withDetector>>

const until = <T>(look: () => Promise<T | undefined>): Promise<T> =>
  vi.waitFor(
    async () => {
      const seen = await look()
      if (seen === undefined) throw new Error('not found yet')
      return seen
    },
    { timeout: 15_000, interval: 100 },
  )

async function findingsIn({ guardduty, DetectorId }: It): Promise<gd.Finding[]> {
  const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
  return (await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))).Findings!
}

const found = (it: It, type: string) => until(async () => (await findingsIn(it)).find(({ Type }) => Type === type))

test('A trail that is stopped is found, and stopping it does not stop the detection', async () => {
  const it = await withDetector()
  it.start()
  const s3 = it.client(S3Client)
  const trails = it.client(CloudTrailClient)
  await s3.send(new CreateBucketCommand({ Bucket: 'logs' }))
  const Policy = allowing({
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action: ['s3:GetBucketAcl', 's3:PutObject'],
    Resource: ['arn:aws:s3:::logs', 'arn:aws:s3:::logs/*'],
  })
  await s3.send(new PutBucketPolicyCommand({ Bucket: 'logs', Policy }))
  await trails.send(new CreateTrailCommand({ Name: 'all', S3BucketName: 'logs' }))
  await trails.send(new StartLoggingCommand({ Name: 'all' }))
  await trails.send(new StopLoggingCommand({ Name: 'all' }))

  const stopped = await found(it, 'Stealth:IAMUser/CloudTrailLoggingDisabled')
  expect(stopped).toMatchObject({
    SchemaVersion: '2.0',
    AccountId: '111122223333',
    Region: 'us-east-1',
    Service: { Count: 1, Archived: false, Action: { AwsApiCallAction: { Api: 'StopLogging' } } },
  })
  expect(stopped.Arn).toBe(`arn:aws:guardduty:us-east-1:111122223333:detector/${it.DetectorId}/finding/${stopped.Id}`)

  await s3.send(new DeletePublicAccessBlockCommand({ Bucket: 'logs' }))
  expect(await found(it, 'Policy:S3/BucketBlockPublicAccessDisabled')).toMatchObject({
    Resource: { S3BucketDetails: [{ Name: 'logs' }] },
  })
})

test('A bucket opened to everyone is found; one opened to a VPC endpoint is not', async () => {
  const it = await withDetector()
  it.start()
  const s3 = it.client(S3Client)
  const open = async (Bucket: string, Condition?: object) => {
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
    const Resource = `arn:aws:s3:::${Bucket}/*`
    const Policy = allowing({ Principal: '*', Action: 's3:GetObject', Resource, ...(Condition && { Condition }) })
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  }
  await open('for-endpoint', { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } })
  await open('for-everyone')

  const type = 'Policy:S3/BucketAnonymousAccessGranted'
  await found(it, type)
  const buckets = (await findingsIn(it))
    .filter(({ Type }) => Type === type || Type === 'Policy:S3/BucketPublicAccessGranted')
    .flatMap(({ Resource }) => Resource!.S3BucketDetails!.map(({ Name }) => Name))
  expect(new Set(buckets)).toEqual(new Set(['for-everyone']))
})

test('The same again is counted at the finding; the event is recorded once', async () => {
  const it = await withDetector()
  it.start()
  const iam = it.client(IAMClient)
  await iam.send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 8 }))
  await iam.send(new DeleteAccountPasswordPolicyCommand({}))
  await iam.send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 6 }))
  const counted = await until(async () =>
    (await findingsIn(it)).find(
      ({ Type, Service }) => Type === 'Stealth:IAMUser/PasswordPolicyChange' && Service!.Count! >= 2,
    ),
  )
  expect(counted.CreatedAt! <= counted.UpdatedAt!).toBe(true)

  const events = (await it.store.log({ account: '111122223333', limit: 200 }))
    .map(({ body }) => JSON.parse(body))
    .filter(({ eventName }) => eventName === 'GuardDutyFinding')
    .filter(({ serviceEventDetails }) => serviceEventDetails.type === counted.Type)
  expect(events).toHaveLength(1)
})
