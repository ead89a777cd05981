/** Log groups and streams, who may use them, and how their events are kept. */
import * as Logs from '@aws-sdk/client-cloudwatch-logs'
import { CreateKeyCommand, DisableKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import type { Api } from '../../kernel/service/api.ts'
import { logging, messages, outcome } from './logs.fixture.ts'

const DAY_MS = 24 * 60 * 60_000
const HOUR_MS = 60 * 60_000
const ARN = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/app/orders`

test('A group is created once, is shown with both of its ARNs, and is found by name and by ARN', async () => {
  const it = await logging()

  expect(await it.group()).toMatchObject({
    arn: `${ARN}:*`,
    logGroupArn: ARN,
    storedBytes: 0,
    logGroupClass: 'STANDARD',
    metricFilterCount: 0,
  })
  await expect(it.logs.send(new Logs.CreateLogGroupCommand({ logGroupName: '/app/orders' }))).rejects.toMatchObject({
    name: 'ResourceAlreadyExistsException',
    message: 'The specified log group already exists',
  })
  for (const logGroupIdentifier of ['/app/orders', ARN]) {
    const { logStreams } = await it.logs.send(new Logs.DescribeLogStreamsCommand({ logGroupIdentifier }))
    expect(logStreams).toMatchObject([{ logStreamName: 'node/1', arn: `${ARN}:log-stream:node/1` }])
  }
  await it.logs.send(new Logs.DisassociateKmsKeyCommand({ resourceIdentifier: `${ARN}:*` }))
  await expect(it.logs.send(new Logs.DescribeLogStreamsCommand({}))).rejects.toThrow('Specify the log group')
  await expect(
    it.logs.send(new Logs.DescribeLogStreamsCommand({ logGroupIdentifier: ARN, logGroupName: '/app/orders' })),
  ).rejects.toThrow('mutually exclusive')
})

test('Lists go by prefix, by pattern and in pages', async () => {
  const it = await logging()
  for (const logGroupName of ['/app/users', '/web/Orders'])
    await it.logs.send(new Logs.CreateLogGroupCommand({ logGroupName }))
  const names = async (input: Logs.DescribeLogGroupsCommandInput) =>
    (await it.logs.send(new Logs.DescribeLogGroupsCommand(input))).logGroups!.map(({ logGroupName }) => logGroupName)

  expect(await names({ logGroupNamePrefix: '/app/' })).toEqual(['/app/orders', '/app/users'])
  expect(await names({ logGroupNamePattern: 'orders' })).toEqual(['/app/orders', '/web/Orders'])
  const first = await it.logs.send(new Logs.DescribeLogGroupsCommand({ limit: 2 }))
  expect(first.logGroups).toHaveLength(2)
  expect(await names({ nextToken: first.nextToken!, limit: 2 })).toEqual(['/web/Orders'])
  await it.stream('a')
  await it.stream('b')
  await it.put([[0, 'x']], 'b')
  const streams = async (input: Partial<Logs.DescribeLogStreamsCommandInput>) =>
    (
      await it.logs.send(new Logs.DescribeLogStreamsCommand({ logGroupName: it.logGroupName, ...input }))
    ).logStreams!.map(({ logStreamName }) => logStreamName)
  expect(await streams({ orderBy: 'LastEventTime', descending: true })).toEqual(['b', 'a', 'node/1'])
  expect(await streams({ descending: true })).toEqual(['node/1', 'b', 'a'])
  expect(await streams({ logStreamNamePrefix: 'n' })).toEqual(['node/1'])
})

test('Events are returned in the order of their time, from either end, and a token leads on to what comes later', async () => {
  const it = await logging()
  await it.put([
    [90_000, 'b'],
    [10_000, 'd'],
  ])
  await it.put([
    [100_000, 'a'],
    [20_000, 'c'],
    [5_000, 'e'],
  ])

  const whole = await it.get()
  expect(messages(whole)).toEqual(['a', 'b', 'c', 'd', 'e'])
  const seen: (string | undefined)[] = []
  let page = await it.get({ limit: 2 })
  for (; page.events!.length > 0; page = await it.get({ limit: 2, nextToken: page.nextForwardToken })) {
    seen.push(...messages(page))
  }
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  const again = await it.get({ limit: 2, nextToken: page.nextForwardToken })
  expect(again.nextForwardToken).toBe(page.nextForwardToken)
  const last = await it.get({ startFromHead: false, limit: 2 })
  expect(messages(last)).toEqual(['d', 'e'])
  const before = await it.get({ startFromHead: false, limit: 2, nextToken: last.nextBackwardToken })
  expect(messages(before)).toEqual(['b', 'c'])
  expect(messages(await it.get({ limit: 2, nextToken: before.nextForwardToken }))).toEqual(['d', 'e'])

  await it.put([[1_000, 'f']])
  expect(messages(await it.get({ nextToken: page.nextForwardToken }))).toEqual(['f'])
  expect(messages(await it.get({ startTime: it.begin - 20_000, endTime: it.begin - 5_000 }))).toEqual(['c', 'd'])
  await expect(it.get({ nextToken: 'f/forged' })).rejects.toThrow('nextToken is invalid')
})

test('A batch is in order, within a day and a mebibyte; what is too old or too new is rejected by its place', async () => {
  const it = await logging()

  await expect(
    it.put([
      [1, 'b'],
      [2, 'a'],
    ]),
  ).rejects.toThrow('chronological order')
  await expect(
    it.put([
      [25 * HOUR_MS, 'a'],
      [0, 'b'],
    ]),
  ).rejects.toThrow('cannot span more than 24 hours')
  await it.put([[0, 'x'.repeat(1_048_576 - 26)]])
  await expect(it.put([[0, 'x'.repeat(1_048_576 - 25)]])).rejects.toThrow('Log event too large')
  const half = 'x'.repeat(524_288 - 26)
  await it.put([
    [0, half],
    [0, half],
  ])
  await expect(
    it.put([
      [0, half],
      [0, `${half}x`],
    ]),
  ).rejects.toThrow('Upload too large: 1048577 bytes exceeds limit of 1048576')
  const { rejectedLogEventsInfo } = await it.put([
    [15 * DAY_MS, 'old'],
    [14 * DAY_MS + 1, 'old'],
    [60_000, 'kept'],
    [-3 * HOUR_MS, 'new'],
  ])
  expect(rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2, tooNewLogEventStartIndex: 3 })
  expect(await it.filter('kept')).toEqual(['kept'])
  expect(await it.filter('old')).toEqual([])
  expect((await it.group())!.storedBytes).toBe(2 * 1_048_576 + 30)
  await expect(it.put([[0, 'x']], 'absent')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'The specified log stream does not exist.',
  })
})

test('A group is searched over its streams, in the order of time', async () => {
  const it = await logging()
  await it.stream('node/2')
  await it.put([
    [3_000, 'ERROR one'],
    [1_000, 'fine'],
  ])
  await it.put([[2_000, 'ERROR two']], 'node/2')

  expect(await it.filter('')).toEqual(['ERROR one', 'ERROR two', 'fine'])
  expect(await it.filter('ERROR')).toEqual(['ERROR one', 'ERROR two'])
  expect(await it.filter('ERROR', { logStreamNames: ['node/2'] })).toEqual(['ERROR two'])
  expect(await it.filter('', { logStreamNamePrefix: 'node/1' })).toEqual(['ERROR one', 'fine'])
  await expect(it.filter('', { logStreamNames: ['absent'] })).rejects.toThrow('log stream does not exist')
  const page = await it.logs.send(new Logs.FilterLogEventsCommand({ logGroupName: it.logGroupName, limit: 1 }))
  expect(messages(page)).toEqual(['ERROR one'])
  const next = { logGroupName: it.logGroupName, nextToken: page.nextToken! }
  expect(messages(await it.logs.send(new Logs.FilterLogEventsCommand({ ...next, limit: 5 })))).toEqual([
    'ERROR two',
    'fine',
  ])
  await expect(it.logs.send(new Logs.FilterLogEventsCommand({ ...next, filterPattern: 'x' }))).rejects.toThrow(
    'nextToken is invalid',
  )
})

test('Retention deletes what is older, for good; without it events stay', async () => {
  const it = await logging()
  const retain = (retentionInDays: number) =>
    it.logs.send(new Logs.PutRetentionPolicyCommand({ logGroupName: it.logGroupName, retentionInDays }))
  await it.put([[2 * DAY_MS, 'old']])
  await it.put([[0, 'young']])

  await expect(retain(2)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  await retain(1)
  expect((await it.group())!.retentionInDays).toBe(1)
  expect(await it.filter('')).toEqual(['young'])
  expect((await it.put([[2 * DAY_MS, 'late']])).rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 })
  await it.pass(7 * HOUR_MS)
  await it.logs.send(new Logs.DeleteRetentionPolicyCommand({ logGroupName: it.logGroupName }))
  expect((await it.group())!.retentionInDays).toBeUndefined()
  expect(await it.filter('')).toEqual(['young'])
  expect((await it.group())!.storedBytes).toBe(31)
})

test('A group that is made anew has none of the events of the one before, and nothing of that one is kept', async () => {
  const it = await logging()
  await it.put([[0, 'before']])
  const rows = async () => (await it.store.reader.range('logs/')).map(({ key }) => key)

  await it.logs.send(new Logs.DeleteLogGroupCommand({ logGroupName: it.logGroupName }))
  await expect(it.get()).rejects.toThrow('The specified log group does not exist.')
  await it.logs.send(new Logs.CreateLogGroupCommand({ logGroupName: it.logGroupName }))
  await it.stream(it.logStreamName)
  expect(await it.filter('')).toEqual([])
  expect(messages(await it.get())).toEqual([])
  await it.pass(1_000)
  expect((await rows()).filter((key) => /events|timeline|stored/.test(key))).toEqual([])

  await it.put([[0, 'now']])
  await it.logs.send(
    new Logs.DeleteLogStreamCommand({ logGroupName: it.logGroupName, logStreamName: it.logStreamName }),
  )
  await it.pass(1_000)
  expect((await rows()).filter((key) => /events|timeline/.test(key))).toEqual([])
})

test('A protected group is not deleted', async () => {
  const it = await logging()
  const protect = (deletionProtectionEnabled: boolean) =>
    it.logs.send(new Logs.PutLogGroupDeletionProtectionCommand({ logGroupIdentifier: ARN, deletionProtectionEnabled }))
  const remove = () => outcome(it.logs.send(new Logs.DeleteLogGroupCommand({ logGroupName: it.logGroupName })))

  await protect(true)
  expect(await remove()).toBe('ValidationException')
  await protect(false)
  expect(await remove()).toBe('done')
})

test('Tags are read and written by ARN and by name, and decide', async () => {
  const it = await logging()
  const condition = { StringEquals: { 'aws:ResourceTag/team': 'a' } }
  const ann = it.client(
    Logs.CloudWatchLogsClient,
    await it.user('ann', allowing({ Action: 'logs:*', Resource: `${ARN}:*`, Condition: condition })),
  )

  await it.put([[0, 'hers']], it.logStreamName, ann)
  await it.logs.send(new Logs.TagResourceCommand({ resourceArn: ARN, tags: { more: 'b' } }))
  await it.logs.send(new Logs.UntagLogGroupCommand({ logGroupName: it.logGroupName, tags: ['team'] }))
  expect((await it.logs.send(new Logs.ListTagsForResourceCommand({ resourceArn: ARN }))).tags).toEqual({ more: 'b' })
  await it.logs.send(new Logs.TagLogGroupCommand({ logGroupName: it.logGroupName, tags: { a: '1' } }))
  await it.logs.send(new Logs.UntagResourceCommand({ resourceArn: ARN, tagKeys: ['more'] }))
  expect((await it.logs.send(new Logs.ListTagsLogGroupCommand({ logGroupName: it.logGroupName }))).tags).toEqual({
    a: '1',
  })
  await expect(it.put([[0, 'no more']], it.logStreamName, ann)).rejects.toThrow(
    `logs:PutLogEvents on resource: ${ARN}:log-stream:node/1`,
  )
})

test('Without permission a group that exists and one that does not are denied alike', async () => {
  const it = await logging()
  const none = it.client(Logs.CloudWatchLogsClient, await it.user('none'))
  const denial = async (logGroupName: string) => {
    const input = { logGroupName, logStreamName: it.logStreamName }
    const errors = await Promise.all(
      [
        none.send(new Logs.GetLogEventsCommand(input)),
        none.send(new Logs.FilterLogEventsCommand({ logGroupName })),
        none.send(new Logs.DeleteLogGroupCommand({ logGroupName })),
        none.send(new Logs.DescribeLogGroupsCommand({})),
      ].map((sent) => sent.catch((thrown: Error) => `${thrown.name}: ${thrown.message}`)),
    )
    return errors.map((text) => String(text).replaceAll(logGroupName, 'NAME'))
  }

  expect(await denial(it.logGroupName)).toEqual(await denial('/app/absent'))
  expect((await denial(it.logGroupName))[1]).toContain(
    `logs:FilterLogEvents on resource: arn:aws:logs:us-east-1:${ACCOUNT}:log-group:NAME:log-stream:`,
  )
})

test('Groups are listed by those who may list any group', async () => {
  const it = await logging()
  const listed = async (name: string, Resource: string) => {
    const client = it.client(Logs.CloudWatchLogsClient, await it.user(name, allowing({ Action: 'logs:*', Resource })))
    return outcome(client.send(new Logs.DescribeLogGroupsCommand({})))
  }

  expect(await listed('ann', `arn:aws:logs:*:${ACCOUNT}:log-group:*`)).toBe('done')
  expect(await listed('bob', `${ARN}:*`)).toBe('AccessDeniedException')
})

test('The audit log names the calls and has none of the events', async () => {
  const it = await logging()
  await it.put([[0, 'card 4111111111111111']])
  await it.get()

  const log = await it.store.log({ account: ACCOUNT, limit: 100 })
  const calls = log
    .map(({ body }) => JSON.parse(body))
    .filter(({ eventSource }) => eventSource === 'logs.amazonaws.com')
  expect(JSON.stringify(calls)).not.toContain('4111')
  expect(calls.find(({ eventName }) => eventName === 'PutLogEvents')).toMatchObject({
    eventCategory: 'Data',
    requestParameters: { logGroupName: '/app/orders', logStreamName: 'node/1' },
  })
  expect(calls.find(({ eventName }) => eventName === 'CreateLogGroup')).toMatchObject({ eventCategory: 'Management' })
})

test('Events of a group with a key are encrypted under it, for as long as its policy allows', async () => {
  const it = await logging()
  const kms = it.client(KMSClient)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const associate = () =>
    it.logs.send(new Logs.AssociateKmsKeyCommand({ logGroupName: it.logGroupName, kmsKeyId: KeyMetadata!.Arn! }))
  await it.put([[2_000, 'in clear']])

  await expect(associate()).rejects.toThrow('is not allowed to be used with Arn')
  const Policy = allowing(
    { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
    {
      Principal: { Service: 'logs.us-east-1.amazonaws.com' },
      Action: ['kms:GenerateDataKey*', 'kms:Decrypt*'],
      Resource: '*',
      Condition: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': ARN } },
    },
  )
  await kms.send(new PutKeyPolicyCommand({ KeyId: KeyMetadata!.KeyId!, Policy }))
  await associate()
  expect((await it.group())!.kmsKeyId).toBe(KeyMetadata!.Arn)
  await it.put([[1_000, 'encrypted text']])
  const kept = JSON.stringify(await it.store.reader.range('logs/'))
  expect(kept).toContain('in clear')
  expect(kept).not.toContain('encrypted text')
  expect(messages(await it.get())).toEqual(['in clear', 'encrypted text'])

  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId! }))
  await expect(it.get()).rejects.toThrow('The KMS key of the log group cannot be used')
  await it.logs.send(new Logs.DisassociateKmsKeyCommand({ logGroupName: it.logGroupName }))
  await it.put([[0, 'later']])
  expect(messages(await it.get({ startTime: it.begin }))).toEqual(['later'])
})

test('Services of AWS write where a resource policy allows it, and no other caller by it', async () => {
  const it = await logging()
  const api: Api<typeof Logs> = { id: 'logs' }
  const acting = {
    service: 'delivery.logs.amazonaws.com',
    account: ACCOUNT,
    region: 'us-east-1',
    source: `arn:aws:logs:us-east-1:${ACCOUNT}:*`,
  }
  const write = () =>
    it.gate.actAs(acting, api, 'PutLogEvents', {
      logGroupName: it.logGroupName,
      logStreamName: it.logStreamName,
      logEvents: [{ timestamp: it.clock.now(), message: 'delivered' }],
    })
  const document = (Principal: object) =>
    allowing({
      Principal,
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: `${ARN}:log-stream:*`,
      Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
    })
  const putPolicy = (policyName: string, policyDocument: string) =>
    it.logs.send(new Logs.PutResourcePolicyCommand({ policyName, policyDocument }))

  await expect(write()).rejects.toMatchObject({ code: 'AccessDenied' })
  await putPolicy('delivery', document({ Service: 'delivery.logs.amazonaws.com' }))
  await write()
  expect(await it.filter('')).toEqual(['delivered'])
  const none = it.client(Logs.CloudWatchLogsClient, await it.user('none'))
  await putPolicy('everyone', document({ AWS: '*' }))
  expect(await outcome(it.put([[0, 'x']], it.logStreamName, none))).toBe('AccessDeniedException')

  await expect(putPolicy('wrong', '{"Statement":[]')).rejects.toMatchObject({ name: 'InvalidParameterException' })
  const { resourcePolicies } = await it.logs.send(new Logs.DescribeResourcePoliciesCommand({}))
  expect(resourcePolicies!.map(({ policyName }) => policyName)).toEqual(['delivery', 'everyone'])
  for (const policyName of ['delivery', 'everyone'])
    await it.logs.send(new Logs.DeleteResourcePolicyCommand({ policyName }))
  await expect(it.logs.send(new Logs.DeleteResourcePolicyCommand({ policyName: 'delivery' }))).rejects.toThrow(
    'Policy with name [delivery] does not exist.',
  )
  await expect(write()).rejects.toMatchObject({ code: 'AccessDenied' })
})

test('The eleventh resource policy is refused', async () => {
  const it = await logging()
  const policyDocument = allowing({ Principal: { Service: 'es.amazonaws.com' }, Action: 'logs:*', Resource: '*' })
  const put = (policyName: string) =>
    outcome(it.logs.send(new Logs.PutResourcePolicyCommand({ policyName, policyDocument })))

  for (let n = 1; n <= 10; n++) expect(await put(`p${n}`)).toBe('done')
  expect(await put('p11')).toBe('LimitExceededException')
  expect(await put('p10')).toBe('done')
})
