/** What is recorded of inspected requests: log records with redaction and filters, samples, and keys of rate-based rules. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toJson } from './json.ts'
import type { WafLogRecord } from './log-record.ts'
import { compilePublished, inspectedBodyBytes, type PublishedWebAcl } from './published.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import { TrafficRecorder, type WebAclRecord } from './traffic-recorder.ts'

const ARN = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1'
const GROUP = 'arn:aws:wafv2:eu-west-1:111122223333:regional/rulegroup/own/2'
const NOW = 1_700_000_000_000

const visibility = (MetricName: string, SampledRequestsEnabled = true) => ({
  MetricName,
  SampledRequestsEnabled,
  CloudWatchMetricsEnabled: false,
})

const starts = (text: string) => ({
  ByteMatchStatement: {
    SearchString: Buffer.from(text),
    FieldToMatch: { UriPath: {} },
    TextTransformations: [{ Priority: 0, Type: 'NONE' as const }],
    PositionalConstraint: 'STARTS_WITH' as const,
  },
})

const acl = (parts: Partial<PublishedWebAcl> = {}): PublishedWebAcl => ({
  arn: ARN,
  name: 'shop',
  accountId: '111122223333',
  region: 'eu-west-1',
  revision: '1',
  labelNamespace: 'awswaf:111122223333:webacl:shop:',
  visibility: visibility('all'),
  defaultAction: { Allow: {} },
  rules: toJson([
    {
      Name: 'admin',
      Priority: 0,
      Statement: starts('/admin'),
      Action: { Block: {} },
      VisibilityConfig: visibility('admin'),
    },
    {
      Name: 'rate',
      Priority: 1,
      Statement: { RateBasedStatement: { Limit: 2, AggregateKeyType: 'IP', EvaluationWindowSec: 60 } },
      Action: { Block: {} },
      VisibilityConfig: visibility('rate', false),
    },
    {
      Name: 'group',
      Priority: 2,
      Statement: { RuleGroupReferenceStatement: { ARN: GROUP } },
      OverrideAction: { Count: {} },
      VisibilityConfig: visibility('group'),
    },
  ]) as PublishedWebAcl['rules'],
  tokenDomains: [],
  ruleGroups: {
    [GROUP]: {
      labelNamespace: 'awswaf:111122223333:rulegroup:own:',
      rules: toJson([
        {
          Name: 'inner',
          Priority: 0,
          Statement: starts('/api'),
          Action: { Block: {} },
          RuleLabels: [{ Name: 'api' }],
          VisibilityConfig: visibility('inner'),
        },
      ]) as PublishedWebAcl['rules'],
    },
  },
  ipSets: {},
  regexPatternSets: {},
  logging: { redactedFields: [] },
  dataProtection: [],
  ...parts,
})

const request = (path: string, parts: Partial<InspectedRequest> = {}): InspectedRequest => ({
  method: 'GET',
  path,
  query: 'token=secret&page=2',
  httpVersion: '1.1',
  headers: [
    ['Host', 'shop.example'],
    ['Authorization', 'Bearer abc'],
    ['Cookie', 'session=s3; theme=dark'],
  ],
  body: '',
  isBodyTruncated: false,
  clientIp: '192.0.2.7',
  ...parts,
})

function recorded(document: PublishedWebAcl, requests: readonly InspectedRequest[], random?: () => number) {
  const records: WebAclRecord[] = []
  const recorder = new TrafficRecorder((record) => records.push(record), random)
  const [compiled, rates] = [compilePublished(document), new RateLimiter()]
  for (const each of requests) {
    const verdict = compiled.evaluate(each, { rates, now: NOW, token: {} })
    recorder.inspected(document, each, verdict, {
      now: NOW,
      sourceName: 'ALB',
      sourceId: '-',
      requestId: 'r-1',
      scheme: 'https',
    })
  }
  recorder.flush(NOW + 1_000)
  return {
    records,
    logs: records.flatMap((record) => (record.kind === 'waf-log' ? [record.log] : [])),
    samplesOf: (metric: string) =>
      records.find((record) => record.kind === 'waf-samples' && record.metric === metric) as
        | Extract<WebAclRecord, { readonly kind: 'waf-samples' }>
        | undefined,
  }
}

test('A log record says which rule decided, what a counted group would have done, and the labels', () => {
  const { logs } = recorded(acl(), [request('/admin'), request('/api')])
  expect(logs[0]).toMatchObject({
    formatVersion: 1,
    webaclId: ARN,
    terminatingRuleId: 'admin',
    terminatingRuleType: 'REGULAR',
    action: 'BLOCK',
    httpSourceName: 'ALB',
    httpRequest: { clientIp: '192.0.2.7', uri: '/admin', args: 'token=secret&page=2', host: 'shop.example' },
  })
  expect(logs[1]).toMatchObject({
    terminatingRuleId: 'Default_Action',
    action: 'ALLOW',
    nonTerminatingMatchingRules: [{ ruleId: 'group', action: 'COUNT' }],
    ruleGroupList: [{ ruleGroupId: GROUP, terminatingRule: { ruleId: 'inner', action: 'BLOCK' } }],
    labels: [{ name: 'awswaf:111122223333:rulegroup:own:api' }],
  })
})

test('Redacted and protected fields are replaced before anything leaves; samples show what is only redacted', () => {
  const { logs, samplesOf } = recorded(
    acl({
      logging: { redactedFields: [{ SingleHeader: { Name: 'authorization' } }] },
      dataProtection: [
        { Field: { FieldType: 'SINGLE_COOKIE', FieldKeys: ['session'] }, Action: 'HASH' },
        { Field: { FieldType: 'SINGLE_QUERY_ARGUMENT', FieldKeys: ['token'] }, Action: 'SUBSTITUTION' },
      ],
    }),
    [request('/')],
  )
  const hash = createHash('sha256').update('s3').digest('hex')
  const { args, headers } = (logs[0] as WafLogRecord).httpRequest
  expect(args).toBe('token=REDACTED&page=2')
  expect(headers).toContainEqual({ name: 'Authorization', value: 'REDACTED' })
  expect(headers).toContainEqual({ name: 'Cookie', value: `session=${hash}; theme=dark` })
  const sample = samplesOf('all')?.samples[0]?.request
  expect(sample?.uri).toBe('/?token=REDACTED&page=2')
  expect(sample?.headers).toContainEqual(['Authorization', 'Bearer abc'])
  expect(JSON.stringify(sample)).not.toContain('session=s3')
})

test('Filters keep and drop by action and label; without a logging configuration there are no log records', () => {
  const filter = {
    DefaultBehavior: 'DROP',
    Filters: [{ Behavior: 'KEEP', Requirement: 'MEETS_ANY', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }] }],
  } as const
  const all = [request('/'), request('/admin')]
  expect(recorded(acl({ logging: { redactedFields: [], filter } }), all).logs.map(({ action }) => action)).toEqual([
    'BLOCK',
  ])
  const labels = {
    DefaultBehavior: 'KEEP',
    Filters: [
      {
        Behavior: 'DROP',
        Requirement: 'MEETS_ALL',
        Conditions: [
          { ActionCondition: { Action: 'COUNT' } },
          { LabelNameCondition: { LabelName: 'awswaf:111122223333:rulegroup:own:api' } },
        ],
      },
    ],
  } as const
  const kept = recorded(acl({ logging: { redactedFields: [], filter: labels } }), [request('/api'), request('/admin')])
  expect(kept.logs.map(({ action }) => action)).toEqual(['BLOCK'])
  expect(recorded(acl({ logging: undefined }), all).logs).toEqual([])
})

test('Samples are taken by rule, with the population, and no more than a bounded number', () => {
  const many = Array.from({ length: 500 }, () => request('/admin'))
  const { samplesOf } = recorded(acl(), [...many, request('/api')])
  expect(samplesOf('admin')).toMatchObject({ population: 500 })
  expect(samplesOf('admin')?.samples).toHaveLength(20)
  expect(samplesOf('group')?.samples[0]).toMatchObject({
    action: 'COUNT',
    ruleWithinGroup: 'inner',
    overriddenAction: 'BLOCK',
  })
})

test('Addresses over a rate are reported while they are blocked; rules that are not sampled give no samples', () => {
  const { records, samplesOf } = recorded(
    acl(),
    [1, 2, 3].map(() => request('/')),
  )
  expect(records).toContainEqual({
    kind: 'waf-rate-keys',
    webAcl: ARN,
    rule: 'rate',
    groupRule: undefined,
    keyType: 'IP',
    until: NOW + 60_000,
    keys: ['192.0.2.7'],
  })
  expect(samplesOf('rate')).toBeUndefined()
})

test('Load balancers have a fixed limit of the body, others the one of the association', () => {
  const configured = acl({
    associationConfig: { RequestBody: { COGNITO_USER_POOL: { DefaultSizeInspectionLimit: 'KB_64' } } },
  })
  expect(inspectedBodyBytes(configured, 'APPLICATION_LOAD_BALANCER')).toBe(8_192)
  expect(inspectedBodyBytes(configured, 'COGNITO_USER_POOL')).toBe(65_536)
  expect(inspectedBodyBytes(acl(), 'COGNITO_USER_POOL')).toBe(16_384)
})

describe('Values by which a rate-based rule counts', () => {
  const byKey = (parts: Partial<PublishedWebAcl>) =>
    recorded(
      acl({
        rules: toJson([
          {
            Name: 'keys',
            Priority: 0,
            Statement: {
              RateBasedStatement: {
                Limit: 1,
                AggregateKeyType: 'CUSTOM_KEYS',
                CustomKeys: [{ Header: { Name: 'Authorization', TextTransformations: [] } }, { HTTPMethod: {} }],
              },
            },
            Action: { Block: {} },
            VisibilityConfig: visibility('keys'),
          },
        ]) as PublishedWebAcl['rules'],
        ...parts,
      }),
      [request('/'), request('/')],
    )
  const values = (parts: Partial<PublishedWebAcl>) =>
    byKey(parts).logs[1]?.rateBasedRuleList.map((rate) => (rate as { readonly limitValue: string }).limitValue)
  const protection = {
    Field: { FieldType: 'SINGLE_HEADER', FieldKeys: ['authorization'] },
    Action: 'SUBSTITUTION',
  } as const

  test('are logged as the fields are shown', () => {
    expect(values({})).toEqual(['Bearer abc,GET'])
    expect(values({ dataProtection: [protection] })).toEqual(['REDACTED,GET'])
    expect(values({ dataProtection: [{ ...protection, ExcludeRateBasedDetails: true }] })).toEqual(['Bearer abc,GET'])
    expect(values({ logging: { redactedFields: [{ SingleHeader: { Name: 'authorization' } }] } })).toEqual([
      'REDACTED,GET',
    ])
  })

  test('are not among the blocked addresses', () => {
    expect(byKey({}).records.filter(({ kind }) => kind === 'waf-rate-keys')).toEqual([])
  })
})
