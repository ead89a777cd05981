/** Web ACLs: actions, labels, groups, rates, tokens; and that the compiled form decides as a naive reading does. */
import type { Rule, RuleAction, Statement, TextTransformation } from '@aws-sdk/client-wafv2'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { naiveVerdict } from './naive.fixture.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import type { RuleSources, WebAclConfiguration } from './rules.ts'
import { UnevaluableRuleError } from './statement.ts'
import { compileWebAcl } from './web-acl.ts'

const PREFIX = 'awswaf:111122223333:webacl:shop:'
const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }

const none: RuleSources = {
  ipSet: () => undefined,
  regexPatternSet: () => undefined,
  ruleGroup: () => undefined,
  managedRuleGroup: () => undefined,
}

const request = (varied: Partial<InspectedRequest> = {}): InspectedRequest => ({
  method: 'GET',
  path: '/',
  query: '',
  httpVersion: '1.1',
  headers: [['Host', 'shop.example']],
  body: '',
  isBodyTruncated: false,
  clientIp: '192.0.2.1',
  ...varied,
})

const contains = (text: string, field: object = { UriPath: {} }): Statement => ({
  ByteMatchStatement: {
    SearchString: Buffer.from(text),
    FieldToMatch: field,
    TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }],
    PositionalConstraint: 'CONTAINS',
  },
})

const rule = (
  name: string,
  priority: number,
  statement: Statement,
  action: RuleAction,
  more: Partial<Rule> = {},
): Rule => ({
  Name: name,
  Priority: priority,
  Statement: statement,
  Action: action,
  VisibilityConfig: VISIBILITY,
  ...more,
})

const acl = (rules: readonly Rule[], more: Partial<WebAclConfiguration> = {}): WebAclConfiguration => ({
  arn: 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/1',
  name: 'shop',
  labelNamespace: PREFIX,
  defaultAction: { Allow: {} },
  rules,
  ...more,
})

const context = (more: object = {}) => ({ rates: new RateLimiter(), now: 1_000_000, token: {}, ...more })
const decide = (rules: readonly Rule[], asked: InspectedRequest, sources = none, more = {}) =>
  compileWebAcl(acl(rules), sources).evaluate(asked, context(more))

test('Rules are evaluated by priority; the first that blocks or allows decides', () => {
  const rules = [rule('late', 2, contains('admin'), { Allow: {} }), rule('early', 1, contains('admin'), { Block: {} })]
  expect(decide(rules, request({ path: '/ADMIN' }))).toMatchObject({ action: 'BLOCK', terminatingRuleId: 'early' })
  expect(decide(rules, request())).toMatchObject({ action: 'ALLOW', terminatingRuleId: 'Default_Action' })
})

test('Count goes on, labels the request and inserts headers with a prefix', () => {
  const counts = { Count: { CustomRequestHandling: { InsertHeaders: [{ Name: 'seen', Value: 'yes' }] } } }
  const rules = [
    rule('count', 1, contains('admin'), counts, { RuleLabels: [{ Name: 'team:admin' }] }),
    rule('label', 2, { LabelMatchStatement: { Scope: 'LABEL', Key: 'team:admin' } }, { Block: {} }),
  ]
  const verdict = decide(rules, request({ path: '/admin' }))
  expect(verdict).toMatchObject({
    action: 'BLOCK',
    terminatingRuleId: 'label',
    labels: [`${PREFIX}team:admin`],
    insertedHeaders: [['x-amzn-waf-seen', 'yes']],
    nonTerminating: [{ ruleId: 'count', action: 'COUNT' }],
  })
  const namespace = [
    rules[0]!,
    rule('ns', 2, { LabelMatchStatement: { Scope: 'NAMESPACE', Key: 'team:' } }, { Block: {} }),
  ]
  expect(decide(namespace, request({ path: '/admin' })).terminatingRuleId).toBe('ns')
})

test('A custom response comes with its body', () => {
  const block = { Block: { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'no' } } }
  const configuration = acl([rule('r', 1, contains('x'), block)], {
    customResponseBodies: { no: { ContentType: 'APPLICATION_JSON', Content: '{}' } },
  })
  expect(compileWebAcl(configuration, none).evaluate(request({ path: '/x' }), context())).toMatchObject({
    response: { ResponseCode: 429 },
    responseBody: { type: 'APPLICATION_JSON', content: '{}' },
  })
})

describe('groups', () => {
  const group = {
    id: 'arn:group',
    labelNamespace: 'awswaf:111122223333:rulegroup:g:',
    rules: [
      rule('a', 1, contains('a'), { Count: {} }, { RuleLabels: [{ Name: 'a' }] }),
      rule('b', 2, contains('b'), { Block: {} }),
    ],
  }
  const sources = { ...none, ruleGroup: (arn: string) => (arn === group.id ? group : undefined) }
  const reference = (more: object = {}, override: object = { None: {} }): Rule => ({
    ...rule('group', 1, { RuleGroupReferenceStatement: { ARN: group.id, ...more } }, {}),
    Action: undefined,
    OverrideAction: override,
  })

  test('end the evaluation with their rule, under their own name', () => {
    expect(decide([reference()], request({ path: '/ab' }), sources)).toMatchObject({
      action: 'BLOCK',
      terminatingRuleId: 'group',
      terminatingRuleType: 'GROUP',
      groups: [{ id: 'arn:group', terminatingRule: { ruleId: 'b' }, nonTerminating: [{ ruleId: 'a' }] }],
      labels: ['awswaf:111122223333:rulegroup:g:a'],
    })
  })

  test('only count, where they are overridden as a whole or rule by rule', () => {
    expect(decide([reference({}, { Count: {} })], request({ path: '/b' }), sources)).toMatchObject({
      action: 'ALLOW',
      nonTerminating: [{ ruleId: 'group', action: 'COUNT' }],
    })
    for (const override of [
      { RuleActionOverrides: [{ Name: 'b', ActionToUse: { Count: {} } }] },
      { ExcludedRules: [{ Name: 'b' }] },
    ])
      expect(decide([reference(override)], request({ path: '/b' }), sources).action).toBe('ALLOW')
  })

  test('that do not exist, patterns that cannot be matched and missing members are refused', () => {
    expect(() => compileWebAcl(acl([reference()]), none)).toThrow(UnevaluableRuleError)
    const lookAround = {
      RegexMatchStatement: { RegexString: '(?<=a)b', FieldToMatch: { UriPath: {} }, TextTransformations: [] },
    }
    expect(() => compileWebAcl(acl([rule('r', 1, lookAround, { Block: {} })]), none)).toThrow(UnevaluableRuleError)
    expect(() => compileWebAcl(acl([rule('r', 1, {}, { Block: {} })]), none)).toThrow(UnevaluableRuleError)
  })
})

describe('rates', () => {
  const limited = (more: object = {}) =>
    rule(
      'rate',
      1,
      { RateBasedStatement: { Limit: 3, EvaluationWindowSec: 60, AggregateKeyType: 'IP', ...more } },
      { Block: {} },
    )

  test('the request above the limit is blocked, by address, until the window has passed', () => {
    const compiled = compileWebAcl(acl([limited()]), none)
    const rates = new RateLimiter()
    const actions = (now: number, clientIp: string, count: number) =>
      Array.from({ length: count }, () => compiled.evaluate(request({ clientIp }), { rates, now, token: {} }).action)
    expect(actions(1_000_000, '192.0.2.1', 4)).toEqual(['ALLOW', 'ALLOW', 'ALLOW', 'BLOCK'])
    expect(actions(1_000_000, '192.0.2.2', 1)).toEqual(['ALLOW'])
    expect(actions(1_059_000, '192.0.2.1', 1)).toEqual(['BLOCK'])
    expect(actions(1_121_000, '192.0.2.1', 1)).toEqual(['ALLOW'])
  })

  test('what other gateways counted is added, as long as it is young', () => {
    const compiled = compileWebAcl(acl([limited()]), none)
    const [here, there] = [new RateLimiter(), new RateLimiter()]
    for (let n = 0; n < 3; n++) compiled.evaluate(request(), { rates: there, now: 1_000_000, token: {} })
    here.learn('there', there.own(1_000_000), 1_000_000)
    expect(compiled.evaluate(request(), { rates: here, now: 1_000_500, token: {} }).action).toBe('BLOCK')
    expect(compiled.evaluate(request(), { rates: here, now: 1_100_000, token: {} }).action).toBe('ALLOW')
  })

  test('keys of a request: headers, arguments, labels; an absent one is not counted', () => {
    const byKey = limited({
      Limit: 1,
      AggregateKeyType: 'CUSTOM_KEYS',
      CustomKeys: [
        { Header: { Name: 'x-key', TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }] } },
        { HTTPMethod: {} },
      ],
    })
    const compiled = compileWebAcl(acl([byKey]), none)
    const shared = context()
    const action = (headers: InspectedRequest['headers']) => compiled.evaluate(request({ headers }), shared).action
    expect([action([['X-Key', 'A']]), action([['x-key', 'a']]), action([]), action([])]).toEqual([
      'ALLOW',
      'BLOCK',
      'ALLOW',
      'ALLOW',
    ])
  })

  test('the number of keys is bounded', () => {
    const rates = new RateLimiter(100)
    for (let n = 0; n < 1_000; n++) rates.hit(`key ${n}`, 60, 1_000)
    expect(rates.own(1_000).length).toBe(100)
    const other = new RateLimiter()
    for (let n = 0; n < 1_000; n++) other.hit(`other ${n}`, 60, 1_000)
    rates.learn('other', other.own(1_000), 1_000)
    expect(rates.count('other 5', 60, 1_000)).toBe(0)
  })
})

test('CAPTCHA and Challenge count for a client with a token that is young enough', () => {
  const rules = [rule('c', 1, contains('x'), { Challenge: {} })]
  const asked = request({ path: '/x' })
  expect(decide(rules, asked).action).toBe('CHALLENGE')
  expect(decide(rules, asked, none, { token: { challengedAt: 1_000_000 - 299_000 } }).action).toBe('ALLOW')
  expect(decide(rules, asked, none, { token: { challengedAt: 1_000_000 - 301_000 } }).action).toBe('CHALLENGE')
  expect(decide(rules, asked, none, { token: { solvedAt: 1_000_000 } }).action).toBe('CHALLENGE')
})

test('Addresses are those of the connection, or of the header that the statement names', () => {
  const sources = { ...none, ipSet: () => ['198.51.100.0/24'] }
  const statement = (forwarded?: object): Statement => ({
    IPSetReferenceStatement: { ARN: 'set', ...(forwarded && { IPSetForwardedIPConfig: forwarded as never }) },
  })
  const block = (forwarded: object | undefined, asked: InspectedRequest) =>
    decide([rule('ip', 1, statement(forwarded), { Block: {} })], asked, sources).action === 'BLOCK'
  const chain = request({ headers: [['X-Forwarded-For', '203.0.113.1, 198.51.100.7']] })
  const header = { HeaderName: 'x-forwarded-for', FallbackBehavior: 'MATCH' }
  expect(block(undefined, request({ clientIp: '198.51.100.7' }))).toBe(true)
  expect(block(undefined, chain)).toBe(false)
  expect(block({ ...header, Position: 'FIRST' }, chain)).toBe(false)
  expect(block({ ...header, Position: 'LAST' }, chain)).toBe(true)
  expect(block({ ...header, Position: 'ANY' }, chain)).toBe(true)
  expect(block({ ...header, Position: 'FIRST' }, request({ headers: [['x-forwarded-for', 'junk']] }))).toBe(true)
  expect(block({ ...header, Position: 'FIRST' }, request())).toBe(false)
})

test('The compiled form decides as a naive reading of the rules does', () => {
  const text = fc.constantFrom('a', 'ab', 'b', '%61', 'B', '/a', '')
  const field = fc.constantFrom<object>(
    { UriPath: {} },
    { QueryString: {} },
    { SingleHeader: { Name: 'x' } },
    { AllQueryArguments: {} },
  )
  const transformations = fc.constantFrom<TextTransformation[]>(
    [{ Priority: 0, Type: 'NONE' }],
    [
      { Priority: 1, Type: 'LOWERCASE' },
      { Priority: 0, Type: 'URL_DECODE' },
    ],
  )
  const leaf = fc.oneof(
    fc
      .record({ wanted: text, field, transformations, position: fc.constantFrom('EXACTLY', 'CONTAINS', 'ENDS_WITH') })
      .map(
        ({ wanted, field: FieldToMatch, transformations: TextTransformations, position }): Statement => ({
          ByteMatchStatement: {
            SearchString: Buffer.from(wanted),
            FieldToMatch,
            TextTransformations,
            PositionalConstraint: position as 'EXACTLY',
          },
        }),
      ),
    fc.record({ pattern: fc.constantFrom('^a', 'b$', '[ab]{2}', '%6.'), field, transformations }).map(
      ({ pattern, field: FieldToMatch, transformations: TextTransformations }): Statement => ({
        RegexMatchStatement: { RegexString: pattern, FieldToMatch, TextTransformations },
      }),
    ),
    fc.constantFrom('one', 'two').map((Key): Statement => ({ LabelMatchStatement: { Scope: 'LABEL', Key } })),
  )
  const statement = fc.letrec<{ any: Statement }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc
        .array(tie('any'), { minLength: 2, maxLength: 3 })
        .map((Statements): Statement => ({ AndStatement: { Statements } })),
      fc
        .array(tie('any'), { minLength: 2, maxLength: 3 })
        .map((Statements): Statement => ({ OrStatement: { Statements } })),
      tie('any').map((Statement): Statement => ({ NotStatement: { Statement } })),
    ),
  })).any
  const rules = fc
    .array(
      fc.record({
        statement,
        action: fc.constantFrom<RuleAction>({ Block: {} }, { Allow: {} }, { Count: {} }, { Count: {} }),
        label: fc.constantFrom('one', 'two'),
      }),
      { maxLength: 6 },
    )
    .map((all) =>
      all.map((each, n) =>
        rule(`r${n}`, (n * 7) % 13, each.statement, each.action, { RuleLabels: [{ Name: each.label }] }),
      ),
    )
  const asked = fc
    .record({ path: text, query: fc.array(text, { maxLength: 3 }), header: fc.option(text) })
    .map(({ path, query, header }) =>
      request({
        path: `/${path}`,
        query: query.map((value) => `k=${value}`).join('&'),
        headers: header === null ? [] : [['X', header]],
      }),
    )
  fc.assert(
    fc.property(rules, asked, (all, each) => {
      const { terminatingRuleId, labels } = decide(all, each)
      expect({ terminatingRuleId, labels }).toEqual(naiveVerdict(all, each, PREFIX))
    }),
    { numRuns: 300 },
  )
})
