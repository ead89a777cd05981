/** Web ACLs compiled beside other work: what requests are evaluated by meanwhile. */
import { expect, test } from 'vitest'
import { compileInSteps, type PublishedWebAcl } from '../../engines/waf/published.ts'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import { UnevaluableRuleError } from '../../engines/waf/statement.ts'
import { CompiledWebAcls, type ReadyWebAcl } from './compiled-web-acls.ts'

const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }
const acl = (revision: string, changed: Partial<PublishedWebAcl> = {}): PublishedWebAcl => ({
  arn: 'arn:one',
  name: 'one',
  accountId: '111122223333',
  region: 'us-east-1',
  revision,
  labelNamespace: 'awswaf:111122223333:webacl:one:',
  visibility: VISIBILITY,
  defaultAction: { Allow: {} },
  rules: [
    {
      Name: 'sql',
      Priority: 0,
      Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesSQLiRuleSet' } },
      OverrideAction: { None: {} },
      VisibilityConfig: VISIBILITY,
    },
  ],
  tokenDomains: [],
  ruleGroups: {},
  ipSets: {},
  regexPatternSets: {},
  dataProtection: [],
  ...changed,
})
const blocking = (revision: string) => acl(revision, { rules: [], defaultAction: { Block: {} } })
const broken = (revision: string) =>
  acl(revision, {
    rules: [
      {
        Name: 'ips',
        Priority: 0,
        Statement: { IPSetReferenceStatement: { ARN: 'arn:none' } },
        Action: { Block: {} },
        VisibilityConfig: VISIBILITY,
      },
    ],
  })

const action = ({ compiled }: ReadyWebAcl, query = '') =>
  compiled.evaluate(
    {
      method: 'GET',
      path: '/',
      query,
      httpVersion: '1.1',
      headers: [],
      body: '',
      isBodyTruncated: false,
      clientIp: '192.0.2.1',
    },
    { rates: new RateLimiter(), now: 0, token: {} },
  ).action

const unexpected = (_acl: PublishedWebAcl, error: unknown) => {
  throw error
}

test('Requests wait for the first revision, and go on by the one before while a change is compiled', async () => {
  const acls = new CompiledWebAcls()
  acls.follow([acl('1')], unexpected)
  const first = acls.current(acl('1'))
  expect(first).toBeInstanceOf(Promise)
  expect(action(await first, 'id=1%27%20or%201=1--')).toBe('BLOCK')
  acls.follow([blocking('2')], unexpected)
  const meanwhile = acls.current(blocking('2')) as ReadyWebAcl
  expect([meanwhile.acl.revision, action(meanwhile)]).toEqual(['1', 'ALLOW'])
  const changed = await acls.latest(blocking('2'))
  expect([changed.acl.revision, action(changed)]).toEqual(['2', 'BLOCK'])
  expect(acls.current(blocking('2'))).toBe(changed)
})

test('Managed groups are compiled in many steps, between which other work has its turn', () => {
  let steps = 0
  for (const _ of compileInSteps(acl('1'))) steps++
  expect(steps).toBeGreaterThan(20)
})

test('A revision that cannot be evaluated closes, also where the one before could be; it is reported once', async () => {
  const acls = new CompiledWebAcls()
  const reported: string[] = []
  const onError = ({ revision }: PublishedWebAcl, error: unknown) =>
    reported.push(`${revision} ${error instanceof UnevaluableRuleError}`)
  acls.follow([blocking('1')], onError)
  await acls.latest(blocking('1'))
  acls.follow([broken('2')], onError)
  await expect(acls.latest(broken('2'))).rejects.toThrow('arn:none')
  expect(() => acls.current(broken('2'))).toThrow('arn:none')
  acls.follow([broken('2')], onError)
  expect(reported).toEqual(['2 true'])
})

test('What is no longer followed is forgotten, and so are the oldest beyond the limit', async () => {
  const acls = new CompiledWebAcls(1)
  const one = await acls.latest(blocking('1'))
  expect(await acls.latest(blocking('1'))).toBe(one)
  await acls.latest(acl('1', { arn: 'arn:two', rules: [] }))
  expect(await acls.latest(blocking('1'))).not.toBe(one)
  acls.follow([], unexpected)
  expect(acls.current(blocking('2'))).toBeInstanceOf(Promise)
})
