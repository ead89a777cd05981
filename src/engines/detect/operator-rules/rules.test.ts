/** Rules in Sigma's form: what they match, and which files are refused with which words. */
import { describe, expect, test } from 'vitest'
import { apiCall, type Call, findingsOf } from '../detect.fixture.ts'
import { OperatorRuleError, parseOperatorRules } from './rules.ts'

const rule = (detection: string, more = '') => `
title: A rule of ours
id: 5f3c1e2a-0000-4000-8000-000000000001
level: high
logsource: { product: aws, service: cloudtrail }
${more}
detection:
${detection
  .trim()
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
`
const matches = (detection: string, name: string, call: Call = {}): boolean =>
  findingsOf([apiCall(name, call)], { operatorRules: parseOperatorRules(rule(detection)) }).length > 0
const problem = (detection: string, more?: string): string => {
  try {
    parseOperatorRules(rule(detection, more))
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorRuleError)
    return (error as Error).message
  }
}

const SELECTION = 'selection:\n  eventSource: iam.amazonaws.com\n  eventName: [CreateUser, DeleteUser]\n'

test('A match is a finding with the title, the severity and the name of the rule', () => {
  const operatorRules = parseOperatorRules(rule(`${SELECTION}condition: selection`))

  expect(findingsOf([apiCall('iam:CreateUser')], { operatorRules })).toMatchObject([
    {
      type: 'Custom:IAMUser/A-rule-of-ours',
      severity: 8,
      title: 'A rule of ours',
      rule: 'operator-rules',
      additionalInfo: { rule: '5f3c1e2a-0000-4000-8000-000000000001' },
    },
  ])
  expect(findingsOf([apiCall('iam:ListUsers')], { operatorRules })).toEqual([])
  expect(findingsOf([apiCall('iam:CreateUser')], { operatorRules, disabledRules: [operatorRules[0]!.rule] })).toEqual(
    [],
  )
})

describe('Fields', () => {
  const field = (line: string) => `selection:\n  ${line}\ncondition: selection`

  test.each<readonly [line: string, yes: Call, no: Call]>([
    ['sourceIPAddress|startswith: "198."', { address: '198.51.100.7' }, { address: '203.0.113.9' }],
    ['userAgent|contains: KALI', { userAgent: 'x kali y' }, { userAgent: 'x' }],
    ['userAgent|contains|all: [a, b]', { userAgent: 'xaxbx' }, { userAgent: 'xax' }],
    ['userIdentity.arn|endswith: ":user/ana"', { user: 'ana' }, { user: 'ben' }],
    ['userAgent|re: "^aws-cli/[12]\\\\."', { userAgent: 'aws-cli/2.1' }, { userAgent: 'aws-cli/3.1' }],
    ['sourceIPAddress|cidr: 198.51.100.0/24', { address: '198.51.100.9' }, { address: '198.51.101.9' }],
    ['errorCode|exists: true', { error: 'AccessDenied' }, {}],
    ['errorCode: null', {}, { error: 'AccessDenied' }],
    ['userIdentity.userName: "an?"', { user: 'ana' }, { user: 'anna' }],
    ['requestParameters.userName: a*b*c', { request: { userName: 'aXXbYYc' } }, { request: { userName: 'aXXc' } }],
    ['requestParameters.count|gt: 5', { request: { count: 6 } }, { request: { count: 5 } }],
    [
      'requestParameters.items.groupId: g2',
      { request: { items: [{ groupId: 'g1' }, { groupId: 'g2' }] } },
      { request: { items: [] } },
    ],
    ['userAgent|contains|cased: Ana', { userAgent: 'Ana' }, { userAgent: 'ana' }],
  ])('%s', (line, yes, no) => {
    expect(matches(field(line), 'iam:CreateUser', yes)).toBe(true)
    expect(matches(field(line), 'iam:CreateUser', no)).toBe(false)
  })
})

describe('Conditions', () => {
  const selections =
    'user: { userIdentity.userName: ana }\nfilter_a: { userAgent|contains: cli }\nfilter_b: { userAgent|contains: sdk }\n'

  test.each([
    ['user and not 1 of filter_*', 'browser', true],
    ['user and not 1 of filter_*', 'a cli', false],
    ['user and all of filter_*', 'cli sdk', true],
    ['user and all of filter_*', 'cli', false],
    ['all of them', 'cli sdk', true],
    ['1 of them', 'x', true],
    ['not user or (filter_a and filter_b)', 'cli', false],
    ['NOT (not user)', 'x', true],
  ])('%s of %s: %s', (condition, userAgent, expected) => {
    expect(matches(`${selections}condition: ${condition}`, 'iam:CreateUser', { userAgent })).toBe(expected)
  })
})

describe('A file is refused, with the reason', () => {
  test.each([
    ['names a selection that is none', `${SELECTION}condition: other`, "'other'"],
    ['aggregates', `${SELECTION}condition: selection | count() > 5`, 'aggregates'],
    ['has a timeframe', `${SELECTION}timeframe: 5m\ncondition: selection`, 'timeframe'],
    ['does not close a parenthesis', `${SELECTION}condition: (selection`, 'too early'],
    ['goes on behind its end', `${SELECTION}condition: selection selection`, "at 'selection'"],
    ['has no condition', SELECTION, 'no condition'],
    ['uses an unknown modifier', 'selection: { a|base64: x }\ncondition: selection', 'base64'],
    ['has a regular expression that is none', 'selection: { a|re: "(" }\ncondition: selection', 'regular expression'],
    ['has a look-ahead', 'selection: { a|re: "(?=x)" }\ncondition: selection', 'regular expression'],
    ['has an expensive one', `selection: { a|re: '\\pL{0,1000}x{0,1000}' }\ncondition: selection`, 'too expensive'],
    ['has search words', 'selection: [a, b]\ncondition: selection', 'search words'],
    ['is nested too deep', `${SELECTION}condition: ${'('.repeat(30)}selection${')'.repeat(30)}`, 'nested'],
    ['is too long', `${SELECTION}condition: ${'selection or '.repeat(200)}selection`, '2000 characters'],
  ])('that %s', (_reason, detection, words) => {
    expect(problem(detection)).toContain(words)
  })

  test('that is for another product, or no YAML, or full of aliases', () => {
    expect(problem(`${SELECTION}condition: selection`, 'level: odd')).not.toBe('')
    expect(() => parseOperatorRules('title: x\nlogsource: { product: windows }\ndetection: {}')).toThrow('windows')
    expect(() => parseOperatorRules('a: [')).toThrow(OperatorRuleError)
    expect(() => parseOperatorRules('a: &a [x]\nb: [*a, *a]')).toThrow(OperatorRuleError)
    expect(() => parseOperatorRules('['.repeat(60_000))).toThrow(OperatorRuleError)
    expect(() => parseOperatorRules(`title: ${'x'.repeat(70_000)}`)).toThrow('characters')
  })
})
