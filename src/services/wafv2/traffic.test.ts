/** What a web ACL protects, and what is known of its traffic: associations, published documents, logs, samples and rates. */
import { gunzipSync } from 'node:zlib'
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
  DeleteUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import * as Waf from '@aws-sdk/client-wafv2'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { compilePublished } from '../../engines/waf/published.ts'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import { TrafficRecorder, type WebAclRecord } from '../../engines/waf/traffic-recorder.ts'
import { webAcls } from '../../kernel/ports/web-acls.ts'
import { core, outcome, rule, startsWith, waf } from './wafv2.fixture.ts'

const MINUTES_5 = 5 * 60_000

async function world() {
  const it = await waf()
  const cognito = it.client(CognitoIdentityProviderClient)
  const pool = async (PoolName: string) => (await cognito.send(new CreateUserPoolCommand({ PoolName }))).UserPool!
  const associate = (WebACLArn: string, ResourceArn: string, client = it.waf) =>
    client.send(new Waf.AssociateWebACLCommand({ WebACLArn, ResourceArn }))
  const published = (arn: string) => it.use(webAcls).publishedFor(it.store.reader, arn)

  /** Requests as a gateway inspects and reports them. */
  const traffic = async (resourceArn: string, requests: readonly Partial<InspectedRequest>[], node = 'gateway-1') => {
    const acl = (await published(resourceArn))!
    const [compiled, rates, records] = [compilePublished(acl), new RateLimiter(), [] as WebAclRecord[]]
    const recorder = new TrafficRecorder((record) => records.push(record))
    const now = it.clock.now()
    const actions = requests.map((parts) => {
      const request: InspectedRequest = {
        method: 'GET',
        path: '/',
        query: '',
        httpVersion: '1.1',
        headers: [
          ['Host', 'shop.example'],
          ['User-Agent', 'Mozilla/5.0'],
          ['Authorization', 'Bearer abc'],
        ],
        body: '',
        isBodyTruncated: false,
        clientIp: '192.0.2.7',
        ...parts,
      }
      const verdict = compiled.evaluate(request, { rates, now, token: {} })
      const origin = { now, sourceName: 'COGNITOIDP', sourceId: '-', requestId: 'r', scheme: 'https' } as const
      recorder.inspected(acl, request, verdict, origin)
      return verdict.action
    })
    recorder.flush(now)
    await it.store.run((unit) => it.use(webAcls).receive(unit, { records, node, now }))
    return actions
  }
  return { ...it, cognito, pool, associate, published, traffic }
}

test('A resource has one web ACL, which cannot be deleted meanwhile', async () => {
  const it = await world()
  const { Arn = '', Id } = await it.pool('people')
  const [first, second] = [await it.webAcl('first'), await it.webAcl('second')]
  const forPool = async () =>
    (await it.waf.send(new Waf.GetWebACLForResourceCommand({ ResourceArn: Arn }))).WebACL?.Name
  const drop = ({ Name = '', Id: id = '', LockToken = '' }: Waf.WebACLSummary) =>
    outcome(it.waf.send(new Waf.DeleteWebACLCommand({ Name, Id: id, Scope: 'REGIONAL', LockToken })))

  expect(await forPool()).toBeUndefined()
  await it.associate(first.ARN!, Arn)
  expect(await forPool()).toBe('first')
  expect(await drop(first)).toBe('WAFAssociatedItemException')
  await it.associate(second.ARN!, Arn)
  expect(await forPool()).toBe('second')
  expect(await drop(first)).toBe('done')
  const list = (ResourceType?: Waf.ResourceType) =>
    it.waf.send(new Waf.ListResourcesForWebACLCommand({ WebACLArn: second.ARN!, ResourceType }))
  expect((await list('COGNITO_USER_POOL')).ResourceArns).toEqual([Arn])
  expect((await list()).ResourceArns).toEqual([])

  // A resource that is gone holds nothing.
  await it.cognito.send(new DeleteUserPoolCommand({ UserPoolId: Id! }))
  expect(await drop(second)).toBe('done')
})

test('An association needs permission on both sides, a resource that exists and a type that can be protected', async () => {
  const it = await world()
  const { Arn = '' } = await it.pool('people')
  const acl = await it.webAcl('shop')
  const as = async (name: string, ...statements: readonly object[]) =>
    it.client(Waf.WAFV2Client, await it.user(name, allowing(...(statements as [object]))))
  const onAcl = { Action: 'wafv2:AssociateWebACL', Resource: acl.ARN! }
  const onPool = { Action: 'wafv2:AssociateWebACL', Resource: Arn }
  const cognito = { Action: 'cognito-idp:AssociateWebACL', Resource: Arn }

  expect(await outcome(it.associate(acl.ARN!, Arn, await as('ann', onAcl)))).toBe('AccessDeniedException')
  expect(await outcome(it.associate(acl.ARN!, Arn, await as('bob', onAcl, onPool)))).toBe('AccessDeniedException')
  expect(await outcome(it.associate(acl.ARN!, Arn, await as('eve', onAcl, onPool, cognito)))).toBe('done')
  expect(await outcome(it.associate(acl.ARN!, `${Arn.slice(0, -3)}xyz`))).toBe('WAFNonexistentItemException')
  const distribution = `arn:aws:cloudfront::${ACCOUNT}:distribution/E1`
  await expect(it.associate(acl.ARN!, distribution)).rejects.toMatchObject({
    name: 'WAFInvalidParameterException',
    Field: 'RESOURCE_ARN',
  })
})

test('The published document follows every change of what a web ACL refers to', async () => {
  const it = await world()
  const { Arn = '' } = await it.pool('people')
  const { Summary: set } = await it.waf.send(
    new Waf.CreateIPSetCommand({
      Name: 'bad',
      Scope: 'REGIONAL',
      IPAddressVersion: 'IPV4',
      Addresses: ['198.51.100.7/32'],
    }),
  )
  const acl = await it.webAcl('shop', {
    Rules: [rule('ips', 5, { IPSetReferenceStatement: { ARN: set!.ARN! } }), rule('admin', 2, startsWith('/admin'))],
  })
  expect(await it.published(Arn)).toBeUndefined()
  await it.associate(acl.ARN!, Arn)
  const before = await it.published(Arn)
  expect(before?.rules.map(({ Name, Priority }) => [Name, Priority])).toEqual([
    ['admin', 0],
    ['ips', 1],
  ])
  expect(await it.traffic(Arn, [{ clientIp: '198.51.100.7' }, { path: '/admin' }, {}])).toEqual([
    'BLOCK',
    'BLOCK',
    'ALLOW',
  ])

  await it.waf.send(
    new Waf.UpdateIPSetCommand({
      Name: 'bad',
      Id: set!.Id!,
      Scope: 'REGIONAL',
      LockToken: set!.LockToken!,
      Addresses: [],
    }),
  )
  expect((await it.published(Arn))?.revision).not.toBe(before?.revision)
  expect(await it.traffic(Arn, [{ clientIp: '198.51.100.7' }])).toEqual(['ALLOW'])
})

test('Logs arrive in the bucket as lines, redacted, under names of AWS; a bucket of another name is refused', async () => {
  const it = await world()
  const s3 = it.client(S3Client)
  const { Arn = '' } = await it.pool('people')
  const acl = await it.webAcl('shop', { Rules: [rule('admin', 0, startsWith('/admin'))] })
  await it.associate(acl.ARN!, Arn)
  await s3.send(new CreateBucketCommand({ Bucket: 'aws-waf-logs-shop' }))
  const put = (...LogDestinationConfigs: string[]) =>
    it.waf.send(
      new Waf.PutLoggingConfigurationCommand({
        LoggingConfiguration: {
          ResourceArn: acl.ARN!,
          LogDestinationConfigs,
          RedactedFields: [{ SingleHeader: { Name: 'authorization' } }],
        },
      }),
    )
  await expect(put('arn:aws:s3:::logs-of-the-shop')).rejects.toMatchObject({ Field: 'LOG_DESTINATION' })
  expect(await outcome(put('arn:aws:s3:::aws-waf-logs-none'))).toBe('WAFLogDestinationPermissionIssueException')
  expect(await outcome(put(`arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/aws-waf-logs-x`))).toBe(
    'NotImplemented',
  )
  await it.traffic(Arn, [{ path: '/before' }])
  await put('arn:aws:s3:::aws-waf-logs-shop/edge')
  const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket: 'aws-waf-logs-shop' }))
  expect(JSON.parse(Policy).Statement.map(({ Sid }: { Sid: string }) => Sid)).toContain('AWSLogDeliveryWrite')

  await it.traffic(Arn, [{ path: '/admin' }, { path: '/' }])
  await it.pass(MINUTES_5)
  const listed = async () => (await s3.send(new ListObjectsV2Command({ Bucket: 'aws-waf-logs-shop' }))).Contents ?? []
  const [file, ...more] = await listed()
  expect(more).toEqual([])
  expect(file?.Key).toMatch(
    new RegExp(
      `^edge/AWSLogs/${ACCOUNT}/WAFLogs/us-east-1/shop/\\d{4}/\\d\\d/\\d\\d/\\d\\d/\\d\\d/${ACCOUNT}_waflogs_us-east-1_shop_\\d{8}T\\d{4}Z_[0-9a-f]{8}\\.log\\.gz$`,
    ),
  )
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'aws-waf-logs-shop', Key: file!.Key! }))
  const text = gunzipSync(await Body!.transformToByteArray()).toString()
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(records.map(({ action, httpRequest }) => [action, httpRequest.uri])).toEqual([
    ['BLOCK', '/admin'],
    ['ALLOW', '/'],
  ])
  expect(text).not.toContain('Bearer abc')

  await it.waf.send(new Waf.DeleteLoggingConfigurationCommand({ ResourceArn: acl.ARN! }))
  await it.traffic(Arn, [{ path: '/after' }])
  await it.pass(MINUTES_5)
  expect(await listed()).toHaveLength(1)
  const { LoggingConfigurations } = await it.waf.send(new Waf.ListLoggingConfigurationsCommand({ Scope: 'REGIONAL' }))
  expect(LoggingConfigurations).toEqual([])
})

test('Logs are delivered to a log group, which the configuration lets the delivery write to', async () => {
  const it = await world()
  const { Arn = '' } = await it.pool('people')
  const acl = await it.webAcl('shop')
  await it.associate(acl.ARN!, Arn)
  const logGroupName = 'aws-waf-logs-shop'
  const put = (destination: string, client = it.waf) =>
    client.send(
      new Waf.PutLoggingConfigurationCommand({
        LoggingConfiguration: { ResourceArn: acl.ARN!, LogDestinationConfigs: [destination] },
      }),
    )
  const group = (name: string) => `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${name}`

  await expect(put(group('shop'))).rejects.toMatchObject({ Field: 'LOG_DESTINATION' })
  expect(await outcome(put(group(logGroupName)))).toBe('WAFLogDestinationPermissionIssueException')
  await it.client(CloudWatchLogsClient).send(new CreateLogGroupCommand({ logGroupName }))
  const ann = it.client(Waf.WAFV2Client, await it.user('ann', allowing({ Action: 'wafv2:*', Resource: '*' })))
  await expect(put(group(logGroupName), ann)).rejects.toThrow('logs:DescribeLogGroups')
  await put(group(logGroupName))

  await it.traffic(Arn, [{ path: '/a' }, { path: '/b' }])
  await it.pass(MINUTES_5)
  const { events } = await it
    .client(CloudWatchLogsClient)
    .send(new FilterLogEventsCommand({ logGroupName, filterPattern: '{ $.httpRequest.uri = "/b" }' }))
  expect(events).toMatchObject([{ logStreamName: 'us-east-1_shop_0' }])
  expect(JSON.parse(events![0]!.message!)).toMatchObject({ webaclId: acl.ARN, action: 'ALLOW' })
})

test('Requests are sampled by rule for three hours', async () => {
  const it = await world()
  const { Arn = '' } = await it.pool('people')
  const acl = await it.webAcl('shop', {
    Rules: [rule('admin', 0, startsWith('/admin')), rule('core', 1, core, { OverrideAction: { Count: {} } })],
  })
  await it.associate(acl.ARN!, Arn)
  // Clients sign with the time they were made for.
  const sample = (RuleMetricName: string, MaxItems = 100) =>
    it.client(Waf.WAFV2Client).send(
      new Waf.GetSampledRequestsCommand({
        WebAclArn: acl.ARN!,
        RuleMetricName,
        Scope: 'REGIONAL',
        MaxItems,
        TimeWindow: { StartTime: new Date(it.clock.now() - 3_600_000), EndTime: new Date(it.clock.now() + 1) },
      }),
    )
  await it.traffic(Arn, [
    ...Array.from({ length: 60 }, () => ({ path: '/admin', query: 'a=1' })),
    { query: 'q=<script>alert(1)</script>' },
  ])
  const admin = await sample('admin', 5)
  expect(admin.PopulationSize).toBe(60)
  expect(admin.SampledRequests).toHaveLength(5)
  expect(admin.SampledRequests?.[0]).toMatchObject({
    Action: 'BLOCK',
    Weight: 3,
    Request: { ClientIP: '192.0.2.7', URI: '/admin?a=1', Method: 'GET' },
  })
  const [counted] = (await sample('core')).SampledRequests ?? []
  expect(counted).toMatchObject({ Action: 'COUNT', OverriddenAction: 'BLOCK' })
  expect(counted?.RuleNameWithinRuleGroup).toContain('CrossSiteScripting')
  expect((await sample('shop')).PopulationSize).toBe(1)

  await it.pass(5 * 3_600_000)
  expect((await sample('admin')).SampledRequests).toEqual([])
})

test('Addresses that a rate blocks are listed over all gateways, until the rate is over', async () => {
  const it = await world()
  const { Arn = '' } = await it.pool('people')
  const rate = (AggregateKeyType: 'IP' | 'CONSTANT'): Waf.Statement => ({
    RateBasedStatement: { Limit: 10, AggregateKeyType, EvaluationWindowSec: 60, ScopeDownStatement: startsWith('/') },
  })
  const acl = await it.webAcl('shop', { Rules: [rule('rate', 0, rate('IP')), rule('all', 1, rate('CONSTANT'))] })
  await it.associate(acl.ARN!, Arn)
  const keys = (RuleName: string) =>
    it.waf.send(
      new Waf.GetRateBasedStatementManagedKeysCommand({
        Scope: 'REGIONAL',
        WebACLName: 'shop',
        WebACLId: acl.Id!,
        RuleName,
      }),
    )
  const eleven = (clientIp: string) => Array.from({ length: 11 }, () => ({ clientIp }))
  await it.traffic(Arn, eleven('192.0.2.1'), 'gateway-1')
  await it.traffic(Arn, eleven('2001:db8::1'), 'gateway-2')
  const { ManagedKeysIPV4, ManagedKeysIPV6 } = await keys('rate')
  expect([ManagedKeysIPV4?.Addresses, ManagedKeysIPV6?.Addresses]).toEqual([['192.0.2.1/32'], ['2001:db8::1/128']])
  expect(await outcome(keys('all'))).toBe('WAFUnsupportedAggregateKeyTypeException')
  expect(await outcome(keys('none'))).toBe('WAFNonexistentItemException')
  await it.pass(61_000)
  expect((await keys('rate')).ManagedKeysIPV4?.Addresses).toEqual([])
})
