import { CloudTrailClient, LookupEventsCommand, type LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail'
import { describe, expect, it } from 'vitest'
import { throughGate } from '../../../test/through-gate.ts'
import { Gate } from '../../kernel/gate/gate.ts'
import { noPorts, standaloneAccounts } from '../../kernel/ports/ports.fixture.ts'
import type { Identity, IdentityPort } from '../../kernel/ports/ports.ts'
import { MovableClock } from '../../kernel/state/clock.ts'
import { compilePolicy, compileSet, parsePolicy } from '../../policy/index.ts'
import { openStore } from '../../store/sqlite.ts'
import type { LogRecord } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { cloudtrail } from './index.ts'

const ACCOUNT = '111122223333'
const HERE = 'us-east-1'
const DAY_MS = 86_400_000

describe('LookupEvents', () => {
  it('shows what happened, newest first, with the members of the trail', async () => {
    const { happened, lookup, now } = await trail()
    await happened({ id: 'old', timeMs: now - 5000 }, { id: 'new', timeMs: now - 1000 })

    const { Events } = await lookup({})

    expect(Events!.map((event) => event.EventId)).toEqual(['new', 'old'])
    expect(Events![0]).toEqual({
      EventId: 'new',
      EventName: 'CreateUser',
      ReadOnly: 'false',
      AccessKeyId: 'AKIAEXAMPLE',
      EventTime: new Date(Math.floor((now - 1000) / 1000) * 1000),
      EventSource: 'iam.amazonaws.com',
      Username: 'ann',
      Resources: [{ ResourceType: 'AWS::IAM::User', ResourceName: `arn:aws:iam::${ACCOUNT}:user/bob` }],
      CloudTrailEvent: expect.stringContaining('"eventID":"new"'),
    })
  })

  it('records itself', async () => {
    const { lookup } = await trail()
    await lookup({})

    const { Events } = await lookup({})

    expect(Events).toHaveLength(1)
    expect(Events![0]).toMatchObject({
      EventName: 'LookupEvents',
      EventSource: 'cloudtrail.amazonaws.com',
      ReadOnly: 'true',
    })
  })

  it('shows neither another account nor another Region', async () => {
    const { happened, lookup, now } = await trail()
    await happened({ id: 'a', timeMs: now, account: '999988887777' }, { id: 'b', timeMs: now, region: 'eu-west-1' })

    expect((await lookup({})).Events).toEqual([])
  })

  it('needs a permission', async () => {
    const { lookup } = await trail('ec2:*')

    await expect(lookup({})).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('cloudtrail:LookupEvents'),
    })
  })

  it.each([
    ['EventId', 'wanted'],
    ['EventName', 'DeleteUser'],
    ['ReadOnly', 'true'],
    ['Username', 'eve'],
    ['ResourceType', 'AWS::IAM::Role'],
    ['ResourceName', 'admin'],
    ['EventSource', 'sts.amazonaws.com'],
    ['AccessKeyId', 'AKIAOTHER'],
  ] as const)('searches by %s', async (AttributeKey, AttributeValue) => {
    const { happened, lookup, now } = await trail()
    await happened(
      { id: 'plain', timeMs: now },
      { id: 'wanted', timeMs: now, attributes: [[AttributeKey, AttributeValue]] },
    )

    const { Events } = await lookup({ LookupAttributes: [{ AttributeKey, AttributeValue }] })

    expect(Events!.map((event) => event.EventId)).toEqual(['wanted'])
  })

  it('refuses two attributes', async () => {
    const { lookup } = await trail()
    const attribute = { AttributeKey: 'Username', AttributeValue: 'ann' } as const

    await expect(lookup({ LookupAttributes: [attribute, attribute] })).rejects.toMatchObject({
      name: 'InvalidLookupAttributesException',
    })
  })

  it('includes both ends of the requested time, by whole seconds', async () => {
    const { happened, lookup, now } = await trail()
    const second = Math.floor(now / 1000) * 1000 - 60_000
    await happened(
      { id: 'before', timeMs: second - 1 },
      { id: 'first', timeMs: second },
      { id: 'last', timeMs: second + 999 },
      { id: 'after', timeMs: second + 1000 },
    )

    const { Events } = await lookup({ StartTime: new Date(second), EndTime: new Date(second) })

    expect(Events!.map((event) => event.EventId)).toEqual(['last', 'first'])
  })

  it('refuses a start that is after the end', async () => {
    const { lookup, now } = await trail()

    const asked = lookup({ StartTime: new Date(now), EndTime: new Date(now - 2000) })

    await expect(asked).rejects.toMatchObject({ name: 'InvalidTimeRangeException' })
  })

  it('forgets after ninety days', async () => {
    const { happened, lookup, now } = await trail()
    await happened({ id: 'kept', timeMs: now - 89 * DAY_MS }, { id: 'gone', timeMs: now - 91 * DAY_MS })

    const { Events } = await lookup({ StartTime: new Date(now - 100 * DAY_MS) })

    expect(Events!.map((event) => event.EventId)).toEqual(['kept'])
  })

  it('turns pages without losing or repeating an event, while new ones arrive', async () => {
    const { happened, lookup, now } = await trail()
    await happened(...[1, 2, 3, 4, 5].map((n) => ({ id: `event-${n}`, timeMs: now - n * 1000 })))
    const query = { LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: 'ann' }], MaxResults: 2 } as const

    const seen: (string | undefined)[] = []
    let NextToken: string | undefined
    do {
      const answer = await lookup({ ...query, LookupAttributes: [...query.LookupAttributes], NextToken })
      seen.push(...answer.Events!.map((event) => event.EventId))
      NextToken = answer.NextToken
      await happened({ id: `late-${seen.length}`, timeMs: now })
    } while (NextToken)

    expect(seen).toEqual(['event-1', 'event-2', 'event-3', 'event-4', 'event-5'])
  })

  it('refuses a token of another query, and one of its own making', async () => {
    const { happened, lookup, now } = await trail()
    await happened({ id: 'a', timeMs: now }, { id: 'b', timeMs: now })
    const { NextToken } = await lookup({ MaxResults: 1 })

    const moved = lookup({ NextToken, LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: 'ann' }] })
    const forged = lookup({ NextToken: 'AAAA' })

    expect(NextToken).toBeDefined()
    await expect(moved).rejects.toMatchObject({ name: 'InvalidNextTokenException' })
    await expect(forged).rejects.toMatchObject({ name: 'InvalidNextTokenException' })
  })

  it('keeps no insights, and says so', async () => {
    const { lookup } = await trail()

    await expect(lookup({ EventCategory: 'insight' })).rejects.toMatchObject({ name: 'InvalidEventCategoryException' })
  })
})

type Happening = Pick<LogRecord, 'id' | 'timeMs'> & Partial<LogRecord>

/** The real gate and log, and one user whom `action` is allowed. */
async function trail(action = 'cloudtrail:LookupEvents') {
  const store = await openStore({ file: ':memory:' })
  const clock = new MovableClock()
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  })
  const policy = compilePolicy(parsePolicy(text, 'identity'), { id: 'policy', kind: 'identity' })
  const arn = `arn:aws:iam::${ACCOUNT}:user/auditor`
  const auditor: Identity = {
    principal: { kind: 'user', account: ACCOUNT, arn, userId: 'AIDAAUDITOR', name: 'auditor', tags: {} },
    policies: compileSet([policy]),
    createdAt: 0,
  }
  const identity: IdentityPort = {
    accessKey: async () => ({
      account: ACCOUNT,
      subject: { kind: 'user', name: 'auditor', id: 'AIDAAUDITOR' },
      active: true,
      secret: 'secret',
    }),
    identity: async () => auditor,
    role: async () => undefined,
    oidcProvider: async () => undefined,
    samlProvider: async () => undefined,
    samlProviderArn: async () => undefined,
    rootFeatures: async () => [],
    tokenIssuer: async () => undefined,
    exists: async () => undefined,
    pin: async () => undefined,
    unpin: async (_reader, arn) => arn,
    managedPolicy: async () => undefined,
    verifyMfa: async () => ({ outcome: 'wrong' }),
    used: () => undefined,
  }
  const gate = new Gate({
    store,
    vault: await ephemeralVault(),
    clock,
    ports: { ...standaloneAccounts, identity, events: { query: (query) => store.log(query) } },
    use: noPorts,
    services: [cloudtrail],
    quotas: {},
  })
  const client = new CloudTrailClient({
    region: HERE,
    credentials: { accessKeyId: 'AKIAAUDITOR', secretAccessKey: 'secret' },
    endpoint: 'http://localhost',
    maxAttempts: 1,
    requestHandler: throughGate(gate),
  })

  return {
    now: clock.now(),
    lookup: (input: LookupEventsCommandInput) =>
      client.send(new LookupEventsCommand(input)).then(({ $metadata: _, ...answer }) => answer),
    /** Writes events as other calls would have. */
    happened: (...events: readonly Happening[]) =>
      store.run((unit) => {
        for (const event of events) unit.append(recordOf(event))
      }),
  }
}

const PLAIN: Readonly<Record<string, string>> = {
  EventName: 'CreateUser',
  ReadOnly: 'false',
  Username: 'ann',
  EventSource: 'iam.amazonaws.com',
  AccessKeyId: 'AKIAEXAMPLE',
}

function recordOf({ id, timeMs, account = ACCOUNT, region = HERE, attributes = [] }: Happening): LogRecord {
  const resources = [{ accountId: account, type: 'AWS::IAM::User', ARN: `arn:aws:iam::${account}:user/bob` }]
  return {
    id,
    account,
    region,
    timeMs,
    attributes: Object.entries({
      EventCategory: 'Management',
      EventId: id,
      ...PLAIN,
      ...Object.fromEntries(attributes),
    }),
    body: JSON.stringify({ eventID: id, resources }),
  }
}
