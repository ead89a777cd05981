/** From an API call to a finding: the audit log followed, the findings stored once, whatever happens in between. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CloudTrailClient,
  CreateTrailCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import * as gd from '@aws-sdk/client-guardduty'
import {
  DeleteAccountPasswordPolicyCommand,
  IAMClient,
  ListUsersCommand,
  UpdateAccountPasswordPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { expect, test, vi } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import type { Key } from '../../store/store.ts'
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

test('A caller from an address of a threat list is found, with the list as evidence, until the list is inactive', async () => {
  const it = await withDetector()
  const { guardduty, DetectorId } = it
  it.start()
  const s3 = it.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'lists' }))
  await s3.send(new PutObjectCommand({ Bucket: 'lists', Key: 'list', Body: '127.0.0.0/8\n' }))
  const list = { DetectorId, Name: 'ours', Format: 'TXT', Location: 's3://lists/list', Activate: true } as const
  const { ThreatIntelSetId } = await guardduty.send(new gd.CreateThreatIntelSetCommand(list))
  await until(async () => {
    const { Status } = await guardduty.send(new gd.GetThreatIntelSetCommand({ DetectorId, ThreatIntelSetId }))
    return Status === 'ACTIVE' || undefined
  })
  const keys = await it.user('ann', allowing({ Action: '*', Resource: '*' }))
  await it.client(IAMClient, keys).send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 12 }))

  const listed = await until(async () =>
    (await findingsIn(it)).find(
      ({ Type, Resource }) =>
        Type!.endsWith('MaliciousIPCaller.Custom') && Resource!.AccessKeyDetails?.UserName === 'ann',
    ),
  )
  expect(listed.Service!.Evidence!.ThreatIntelligenceDetails).toEqual([
    { ThreatListName: 'ours', ThreatFileSha256: expect.stringMatching(/^[0-9a-f]{64}$/), ThreatNames: ['127.0.0.0/8'] },
  ])

  // Three tactics of one actor are an attack.
  await it.client(IAMClient, keys).send(new ListUsersCommand({}))
  await it.client(IAMClient, keys).send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 6 }))
  const attack = await found(it, 'AttackSequence:IAM/CompromisedCredentials')
  const { Actors, Endpoints, Signals } = attack!.Service!.Detection!.Sequence!
  expect(attack).toMatchObject({ Severity: 9, Resource: { ResourceType: 'AttackSequence' } })
  expect([Actors![0]!.User!.Name, Endpoints![0]!.Ip]).toEqual(['ann', '127.0.0.1'])
  expect(Signals!.map(({ Name }) => Name)).toContain('Recon:IAMUser/MaliciousIPCaller.Custom')
  expect(Signals!.length).toBeGreaterThanOrEqual(3)

  await guardduty.send(new gd.UpdateThreatIntelSetCommand({ DetectorId, ThreatIntelSetId, Activate: false }))
  const { Service } = (await findingsIn(it)).find(({ Id }) => Id === listed.Id)!
  await it.client(S3Client, keys).send(new DeletePublicAccessBlockCommand({ Bucket: 'lists' }))
  await found(it, 'Policy:S3/BucketBlockPublicAccessDisabled')
  const after = (await findingsIn(it)).find(({ Id }) => Id === listed.Id)
  expect(after!.Service!.Count).toBe(Service!.Count)
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

test('A batch that fails is reported and repeated, and detection goes on once it can be processed', async () => {
  const failures: string[] = []
  const it = await withDetector({ onServiceFailure: (work, error) => void failures.push(`${work}: ${error}`) })
  const broken = 'guardduty/network-events/000000000000000-broken' as Key
  await it.store.run((unit) => unit.put(broken, { account: '111122223333', region: 'us-east-1', events: [null] }))
  it.start()
  await until(async () => (failures.length >= 2 ? failures : undefined))
  expect(failures[0]).toMatch(/^guardduty-detection: TypeError/)

  await it.store.run((unit) => unit.delete(broken))
  await it.client(IAMClient).send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 6 }))
  await found(it, 'Stealth:IAMUser/PasswordPolicyChange')
})

test('A rule of the operator is found like the others; one that is not valid keeps the server from starting', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-rules-'))
  const rule = (title: string, more = '') => `
title: ${title}
id: 2c0f6a54-0000-4000-8000-000000000001
level: high
logsource: { product: aws, service: cloudtrail }
detection:
  selection:
    eventSource: iam.amazonaws.com
    eventName: CreateAccessKey
    requestParameters.userName|re: '^an+$'
    ${more}
  condition: selection
`
  writeFileSync(join(folder, 'keys.yml'), rule('Access key made by a person'))
  writeFileSync(join(folder, 'notes.txt'), 'no rule')
  try {
    vi.stubEnv('MERLON_DETECTION_RULES', folder)
    const it = await withDetector()
    it.start()
    await it.user('bob')
    await it.user('ann')

    expect(await found(it, 'Custom:IAMUser/Access-key-made-by-a-person')).toMatchObject({
      Severity: 8,
      Title: 'Access key made by a person',
      Service: { Count: 1, Action: { AwsApiCallAction: { Api: 'CreateAccessKey' } } },
    })
    writeFileSync(join(folder, 'worse.yaml'), rule('Broken', 'userAgent|sounds: like'))
    await expect(withDetector()).rejects.toThrow(
      `MERLON_DETECTION_RULES: ${join(folder, 'worse.yaml')}: Modifier 'sounds' of field 'userAgent' is not supported`,
    )
    vi.stubEnv('MERLON_DETECTION_RULES', join(folder, 'absent'))
    await expect(withDetector()).rejects.toThrow('there is no such directory or file')
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test('A finding says where the caller was, by the file of the operator; without a readable one nothing starts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-geography-'))
  const file = join(folder, 'geography.csv')
  writeFileSync(file, '127.0.0.0/8,FR,64496,Example Networks\n')
  try {
    vi.stubEnv('MERLON_GEOGRAPHY', file)
    const it = await withDetector()
    it.start()
    await it
      .client(IAMClient)
      .send(new DeleteAccountPasswordPolicyCommand({}))
      .catch(() => undefined)
    await it.client(IAMClient).send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 6 }))

    const { Service } = await found(it, 'Stealth:IAMUser/PasswordPolicyChange')
    expect(Service?.Action?.AwsApiCallAction?.RemoteIpDetails).toMatchObject({
      Country: { CountryCode: 'FR' },
      Organization: { Asn: '64496' },
    })
    vi.stubEnv('MERLON_GEOGRAPHY', join(folder, 'absent.csv'))
    await expect(withDetector()).rejects.toThrow('MERLON_GEOGRAPHY: ')
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})
