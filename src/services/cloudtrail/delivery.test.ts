import {
  DeleteTrailCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail'
import { CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { BUCKET, bucketPolicy, MINUTE_MS, trailed } from './trails.fixture.ts'

const named = (records: readonly { eventName: string }[]) => records.map(({ eventName }) => eventName)

describe('A delivery', () => {
  it('brings what happened since logging began, once, under AWS’s names', async () => {
    const it = await trailed()
    await it.create()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'before' }))
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    await it.minutes(5)
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'bob' }))
    await it.minutes(15)
    const records = await it.records()
    expect(named(records).filter((name) => name === 'CreateUser')).toHaveLength(2)
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(records.length)
    expect(named(records)).not.toContain('PutObject')
    for (const key of await it.keys('_CloudTrail_'))
      expect(key).toMatch(
        new RegExp(
          `^AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/\\d{4}/\\d\\d/\\d\\d/${ACCOUNT}_CloudTrail_us-east-1_\\d{8}T\\d{4}Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
        ),
      )
    const status = await it.trails().send(new GetTrailStatusCommand({ Name: 'main' }))
    expect(status).toMatchObject({ IsLogging: true })
    expect(status.LatestDeliveryError).toBeUndefined()
    expect(status.LatestDeliveryTime!.getTime()).toBeGreaterThan(status.StartLoggingTime!.getTime())
  })

  it('that the bucket refuses is tried again until it is let in, and nothing is lost', async () => {
    const it = await trailed()
    await it.create()
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    await it.s3().send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }))
    await it.minutes(10)
    const status = () => it.trails().send(new GetTrailStatusCommand({ Name: 'main' }))
    expect(await it.keys('_CloudTrail_')).toEqual([])
    expect(await status()).toMatchObject({ LatestDeliveryError: 'AccessDenied', LatestDeliveryAttemptSucceeded: '' })
    await it.govern(bucketPolicy())
    await it.minutes(5)
    expect(named(await it.records()).filter((name) => name === 'CreateUser')).toHaveLength(1)
    expect((await status()).LatestDeliveryError).toBeUndefined()
  })

  it('done again after a crash replaces its files: no event comes twice', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true })
    await it.start()
    for (const UserName of ['ann', 'bob']) {
      await it.client(IAMClient).send(new CreateUserCommand({ UserName }))
      // The effect runs, and the commit that would say so never comes.
      const run = it.store.run.bind(it.store)
      let lost = 0
      it.store.run = ((body: never) => {
        const text = String(body)
        if (/handler\.run/.test(text) && lost++ === 0) return Promise.reject(new Error('killed'))
        return run(body)
      }) as typeof it.store.run
      await it.pass(5 * MINUTE_MS)
      expect(lost).toBe(1)
      it.store.run = run
      await it.client(IAMClient).send(new CreateUserCommand({ UserName: `${UserName}2` }))
      await it.minutes(5)
    }
    await it.minutes(60)
    const records = await it.records()
    expect(named(records).filter((name) => name === 'CreateUser')).toHaveLength(4)
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(records.length)
    expect((await it.digests()).map(({ good }) => good)).toEqual([true])
  })

  it('still in progress on a node that was taken for dead writes what the other one writes, whatever came between', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true })
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    const run = it.store.run.bind(it.store)
    let finished = 0
    // The plan is on disk, the files are written, and the process ends before it records that.
    it.store.run = ((body: never) =>
      /handler\.run/.test(String(body)) && ++finished === 2
        ? Promise.reject(new Error('stalled'))
        : run(body)) as typeof it.store.run
    await it.minutes(5)
    expect(finished).toBe(2)
    const [key, ...others] = await it.keys('_CloudTrail_')
    expect(others).toEqual([])
    const { text } = await it.object(key!)
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'bob' }))
    await it.minutes(60)
    expect((await it.keys('_CloudTrail_'))[0]).toBe(key)
    expect((await it.object(key!)).text).toBe(text)
    expect(named(await it.records()).filter((name) => name === 'CreateUser')).toHaveLength(2)
    expect((await it.digests()).map(({ good }) => good)).toEqual([true])
  })

  it('brings a long backlog in parts, each once', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true })
    await it.start()
    const now = it.clock.now()
    const body = (n: number) => JSON.stringify({ eventID: `e${n}`, eventName: 'Long', text: 'x'.repeat(100_000) })
    for (let from = 0; from < 400; from += 100)
      await it.store.run((unit) => {
        for (let n = from; n < from + 100; n++)
          unit.append({
            id: `e${n}`,
            account: ACCOUNT,
            region: 'us-east-1',
            timeMs: now,
            attributes: [],
            body: body(n),
          })
      })
    await it.minutes(5)
    const ids = (await it.records()).filter(({ eventName }) => eventName === 'Long').map(({ eventID }) => eventID)
    expect(ids).toHaveLength(400)
    expect(new Set(ids).size).toBe(400)
    expect((await it.keys('_CloudTrail_')).length).toBeGreaterThan(1)
  })

  it('goes by the Regions of its trail', async () => {
    const it = await trailed()
    await it.create({ IsMultiRegionTrail: true })
    await it.start()
    await it.client(KMSClient, it.root, 'eu-west-1').send(new ListKeysCommand({}))
    await it.client(KMSClient).send(new ListKeysCommand({}))
    await it.minutes(5)
    expect((await it.keys('CloudTrail/eu-west-1/')).length).toBe(1)
    await it.trails().send(new UpdateTrailCommand({ Name: 'main', IsMultiRegionTrail: false }))
    await it.client(KMSClient, it.root, 'eu-west-1').send(new ListKeysCommand({}))
    await it.client(KMSClient).send(new CreateKeyCommand({}))
    await it.minutes(5)
    expect((await it.keys('CloudTrail/eu-west-1/')).length).toBe(1)
    expect(named(await it.records())).toContain('CreateKey')
  })

  it('leaves out global events where the trail does', async () => {
    const it = await trailed()
    await it.create({ IncludeGlobalServiceEvents: false })
    await it.start()
    await it.client(IAMClient).send(new ListUsersCommand({}))
    await it.client(KMSClient).send(new ListKeysCommand({}))
    await it.minutes(5)
    const names = named(await it.records())
    expect(names).toContain('ListKeys')
    expect(names).not.toContain('ListUsers')
  })

  it.each([
    [
      'writes only',
      { EventSelectors: [{ ReadWriteType: 'WriteOnly' as const }] },
      ['CreateKey', 'CreateUser'],
      ['ListKeys', 'PutObject'],
    ],
    [
      'no calls of KMS',
      { EventSelectors: [{ ExcludeManagementEventSources: ['kms.amazonaws.com'] }] },
      ['CreateUser'],
      ['ListKeys', 'CreateKey', 'PutObject'],
    ],
    [
      'objects of a bucket',
      { EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: [`arn:aws:s3:::${BUCKET}/mine/`] }] }] },
      ['PutObject', 'ListKeys'],
      [],
    ],
    [
      'objects of another bucket',
      { EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::other/'] }] }] },
      ['ListKeys'],
      ['PutObject'],
    ],
    [
      'objects by advanced selectors',
      {
        AdvancedEventSelectors: [
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Data'] },
              { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
              { Field: 'resources.ARN', StartsWith: [`arn:aws:s3:::${BUCKET}/mine`] },
            ],
          },
        ],
      },
      ['PutObject'],
      ['ListKeys', 'CreateUser'],
    ],
    [
      'all but some',
      {
        AdvancedEventSelectors: [
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Management'] },
              { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] },
              { Field: 'readOnly', Equals: ['false'] },
            ],
          },
        ],
      },
      ['CreateUser'],
      ['CreateKey', 'ListKeys', 'PutObject'],
    ],
  ])('selects %s', async (_what, selectors, there, absent) => {
    const it = await trailed()
    await it.create()
    await it.trails().send(new PutEventSelectorsCommand({ TrailName: 'main', ...selectors }))
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    await it.client(KMSClient).send(new ListKeysCommand({}))
    await it.client(KMSClient).send(new CreateKeyCommand({}))
    await it.s3().send(new PutObjectCommand({ Bucket: BUCKET, Key: 'mine/x', Body: 'x' }))
    await it.minutes(5)
    const names = named(await it.records())
    for (const name of there) expect(names).toContain(name)
    for (const name of absent) expect(names).not.toContain(name)
  })

  it('ends with the logging: what came before is brought, what comes after is not', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true })
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    await it.trails().send(new StopLoggingCommand({ Name: 'main' }))
    it.clock.advance(MINUTE_MS)
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'late' }))
    await it.minutes(120)
    expect(named(await it.records()).filter((name) => name === 'CreateUser')).toHaveLength(1)
    expect(await it.digests()).toHaveLength(1)
    await it.trails().send(new StartLoggingCommand({ Name: 'main' }))
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'again' }))
    await it.minutes(65)
    expect(named(await it.records()).filter((name) => name === 'CreateUser')).toHaveLength(2)
    const [first, second] = await it.digests()
    expect([first!.good, second!.good]).toEqual([true, true])
    expect(second!.digest.previousDigestSignature).toBeNull()
  })

  it('ends with the trail', async () => {
    const it = await trailed()
    await it.create()
    await it.start()
    await it.trails().send(new DeleteTrailCommand({ Name: 'main' }))
    await it.minutes(10)
    expect(await it.keys('AWSLogs')).toEqual([])
  })
})

describe('Digests', () => {
  it('come every hour, quiet or not, signed, each holding on to the one before', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true })
    await it.start()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    await it.minutes(190)
    const digests = await it.digests()
    expect(digests).toHaveLength(3)
    expect(digests.map(({ good }) => good)).toEqual([true, true, true])
    expect(digests[0]!.digest.previousDigestS3Object).toBeNull()
    for (const [n, { digest }] of digests.entries()) {
      expect(Date.parse(digest.digestEndTime) - Date.parse(digest.digestStartTime)).toBe(60 * MINUTE_MS)
      if (n === 0) continue
      const before = digests[n - 1]!
      expect(digest).toMatchObject({
        digestStartTime: before.digest.digestEndTime,
        previousDigestS3Object: before.key,
        previousDigestSignature: before.signature,
      })
    }
    const listed = digests.flatMap(({ digest }) => digest.logFiles.map((file: { s3Object: string }) => file.s3Object))
    expect(new Set(listed).size).toBe(listed.length)
    expect((await it.keys('_CloudTrail_')).filter((key) => listed.includes(key)).length).toBe(listed.length)
  })

  it('of every Region with past events go on', async () => {
    const it = await trailed()
    await it.create({ EnableLogFileValidation: true, IsMultiRegionTrail: true })
    await it.start()
    await it.client(KMSClient, it.root, 'eu-west-1').send(new ListKeysCommand({}))
    await it.minutes(125)
    expect((await it.digests('eu-west-1')).map(({ good }) => good)).toEqual([true, true])
    expect((await it.digests('us-east-1')).map(({ good }) => good)).toEqual([true, true])
  })
})

test('the policy of the bucket, not its owner’s account, lets CloudTrail in: every delivery is recorded', async () => {
  const it = await trailed()
  await it.create()
  await it.start()
  await it.minutes(5)
  const bodies = (await it.store.evidence(0, 10_000)).map(({ body }) => JSON.parse(body))
  const puts = bodies.filter(({ eventName, errorCode }) => eventName === 'PutObject' && !errorCode)
  expect(puts.length).toBeGreaterThan(0)
  for (const put of puts)
    expect(put).toMatchObject({
      eventCategory: 'Data',
      userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
      requestParameters: { bucketName: BUCKET },
    })
})

test('the owner of a bucket in another account sees the writer: CloudTrail, for the trail that its policy names', async () => {
  const it = await trailed()
  const theirs = it.client(S3Client, await it.account())
  await theirs.send(new CreateBucketCommand({ Bucket: 'central-logs' }))
  await theirs.send(new PutBucketPolicyCommand({ Bucket: 'central-logs', Policy: bucketPolicy('central-logs') }))
  await it.create({ S3BucketName: 'central-logs' })
  await it.start()
  await it.minutes(5)
  const told = (await it.store.evidence(0, 10_000)).map(({ body }) => JSON.parse(body))
  const puts = told.filter(({ eventName, errorCode }) => eventName === 'PutObject' && !errorCode)
  expect(puts.map(({ recipientAccountId }) => recipientAccountId).sort()).toEqual([ACCOUNT, OTHER_ACCOUNT])
  for (const put of puts)
    expect(put).toMatchObject({
      userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
      sharedEventID: puts[0]!.sharedEventID,
      resources: [{ accountId: OTHER_ACCOUNT, type: 'AWS::S3::Object' }],
    })
  await theirs.send(new DeleteBucketPolicyCommand({ Bucket: 'central-logs' }))
  await it.client(IAMClient).send(new ListUsersCommand({}))
  await it.minutes(5)
  const { LatestDeliveryError } = await it.trails().send(new GetTrailStatusCommand({ Name: 'main' }))
  expect(LatestDeliveryError).toBe('AccessDenied')
})
