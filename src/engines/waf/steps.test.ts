/** What an evaluation may cost: hostile bodies and patterns, in steps, which are the same on every machine. */
import { describe, expect, test } from 'vitest'
import { bytesMatch } from './byte-match.ts'
import { managedGroups } from './managed/index.ts'
import { compilePublished, type PublishedWebAcl } from './published.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import { STEPS_MAX, StepLimitError, Steps } from './steps.ts'

const BODY_BYTES = 8_192
const visibility = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }
const aclOf = (rules: PublishedWebAcl['rules']): PublishedWebAcl => ({
  arn: 'arn',
  name: 'a',
  accountId: '111122223333',
  region: 'us-east-1',
  revision: '1',
  labelNamespace: 'awswaf:111122223333:webacl:a:',
  visibility,
  defaultAction: { Allow: {} },
  rules,
  tokenDomains: [],
  ruleGroups: {},
  ipSets: {},
  regexPatternSets: {},
  dataProtection: [],
})
const counted = { OverrideAction: { Count: {} }, VisibilityConfig: visibility }
/** All groups, whose rules all only count: nothing ends the evaluation early but a rule of the group itself. */
const all = compilePublished(
  aclOf(
    managedGroups.map(({ vendor, name, rules }, Priority) => ({
      Name: name,
      Priority,
      Statement: {
        ManagedRuleGroupStatement: {
          VendorName: vendor,
          Name: name,
          RuleActionOverrides: rules.map(({ Name }) => ({ Name, ActionToUse: { Count: {} } })),
        },
      },
      ...counted,
    })),
  ),
)
const request = (body: string, type: string): InspectedRequest => ({
  method: 'POST',
  path: '/',
  query: body.slice(0, 2_000).replace(/[^!-~]/g, '+'),
  httpVersion: '1.1',
  headers: [
    ['Host', 'a'],
    ['User-Agent', 'b'],
    ['Content-Type', type],
  ],
  body,
  isBodyTruncated: false,
  clientIp: '192.0.2.1',
})
const filled = (piece: string) => piece.repeat(Math.ceil(BODY_BYTES / piece.length)).slice(0, BODY_BYTES)

const PIECES = [
  '<',
  '<a ',
  '"',
  "'",
  '\\',
  '\\a',
  '%25',
  '&#',
  '/*',
  '--',
  '((',
  '{{',
  '[',
  '${',
  '=',
  'on=',
  'a=b&',
  '../',
  ';',
  '\0',
  'union select ',
  '`',
  'a',
]

describe('8 KB of hostile text, by all managed groups', () => {
  test.each(['application/x-www-form-urlencoded', 'application/json', 'text/plain', 'multipart/form-data; boundary=-'])(
    'as %s takes half of the budget at most',
    (type) => {
      for (const piece of PIECES) {
        const steps = new Steps()
        all.evaluate(request(filled(piece), type), { rates: new RateLimiter(), now: 0, token: {}, steps })
        expect([piece, steps.used <= STEPS_MAX / 2 || steps.used]).toEqual([piece, true])
      }
    },
  )
})

test('8 KB of the beginnings of many attacks, in any order, take half of the budget at most', () => {
  const beginnings =
    '<script onload= ${ jndi: union select ( ../ etc/ cat /bin/ ; | document. java.lang {{ <?php $_ [ constructor % \' " &'
  const pieces = beginnings.split(' ')
  const body = filled(Array.from({ length: 400 }, (_, at) => pieces[(at * at + 3 * at) % pieces.length]).join(''))
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
    const steps = new Steps()
    all.evaluate(request(body, type), { rates: new RateLimiter(), now: 0, token: {}, steps })
    expect(steps.used).toBeLessThan(STEPS_MAX / 2)
  }
})

test('An evaluation that would take more ends, at the same step each time', () => {
  const evaluate = (limit: number) => {
    const steps = new Steps(limit)
    expect(() =>
      all.evaluate(request(filled('<a '), 'text/plain'), { rates: new RateLimiter(), now: 0, token: {}, steps }),
    ).toThrow(StepLimitError)
    return steps.used
  }
  expect(evaluate(100_000)).toBe(evaluate(100_000))
})

test('A word of which every character begins a candidate costs all of them', () => {
  let spent = 0
  const count = (steps: number) => {
    spent += steps
  }
  expect(bytesMatch(filled('a'), 'a'.repeat(200), 'CONTAINS_WORD', count)).toBe(false)
  expect(spent).toBeGreaterThan(1_000_000)
  expect(bytesMatch('an apple a day', 'apple', 'CONTAINS_WORD')).toBe(true)
})
