/** What rules cost, by the table of AWS's documentation. */
import type { FieldToMatch, Statement, TextTransformationType } from '@aws-sdk/client-wafv2'
import { describe, expect, test } from 'vitest'
import { capacityOf } from './capacity.ts'

const GROUPS = {
  ruleGroup: (arn: string) => (arn === 'own' ? 50 : undefined),
  managedRuleGroup: (vendor: string, name: string) => (vendor === 'AWS' && name === 'Core' ? 700 : undefined),
}
const cost = (...statements: readonly Statement[]) =>
  capacityOf(
    statements.map((each) => ({ Statement: each })),
    GROUPS,
  )
const inspecting = (FieldToMatch: FieldToMatch = { UriPath: {} }, ...types: readonly TextTransformationType[]) => ({
  FieldToMatch,
  TextTransformations: types.map((Type, Priority) => ({ Type, Priority })),
})
const byte = (PositionalConstraint: 'EXACTLY' | 'CONTAINS', ...args: Parameters<typeof inspecting>): Statement => ({
  ByteMatchStatement: { SearchString: Buffer.from('x'), PositionalConstraint, ...inspecting(...args) },
})
const label: Statement = { LabelMatchStatement: { Scope: 'LABEL', Key: 'a' } }

describe('Statements cost', () => {
  test.each<readonly [string, number, Statement]>([
    ['a country', 1, { GeoMatchStatement: { CountryCodes: ['KP'] } }],
    ['a network', 1, { AsnMatchStatement: { AsnList: [1] } }],
    ['an IP set', 1, { IPSetReferenceStatement: { ARN: 'x' } }],
    [
      'an IP set at any position',
      5,
      {
        IPSetReferenceStatement: {
          ARN: 'x',
          IPSetForwardedIPConfig: { HeaderName: 'x', FallbackBehavior: 'MATCH', Position: 'ANY' },
        },
      },
    ],
    ['a label', 1, label],
    ['a size', 1, { SizeConstraintStatement: { ComparisonOperator: 'GT', Size: 1, ...inspecting() } }],
    ['an exact text', 2, byte('EXACTLY')],
    ['a contained text', 10, byte('CONTAINS')],
    ['a regular expression', 3, { RegexMatchStatement: { RegexString: 'x', ...inspecting() } }],
    ['a set of them', 25, { RegexPatternSetReferenceStatement: { ARN: 'x', ...inspecting() } }],
    ['SQL injection', 20, { SqliMatchStatement: inspecting() }],
    ['SQL injection, high', 30, { SqliMatchStatement: { SensitivityLevel: 'HIGH', ...inspecting() } }],
    ['scripting', 40, { XssMatchStatement: inspecting() }],
    ['all arguments', 50, { XssMatchStatement: inspecting({ AllQueryArguments: {} }) }],
    [
      'a JSON body',
      80,
      { XssMatchStatement: inspecting({ JsonBody: { MatchPattern: { All: {} }, MatchScope: 'ALL' } }) },
    ],
    ['transformations', 60, { XssMatchStatement: inspecting({ UriPath: {} }, 'URL_DECODE', 'LOWERCASE', 'NONE') }],
    ['a rate', 2, { RateBasedStatement: { Limit: 100, AggregateKeyType: 'IP' } }],
    [
      'a rate with keys and a scope',
      72,
      {
        RateBasedStatement: {
          Limit: 100,
          AggregateKeyType: 'CUSTOM_KEYS',
          CustomKeys: [{ IP: {} }, { HTTPMethod: {} }],
          ScopeDownStatement: byte('CONTAINS'),
        },
      },
    ],
    [
      'logic',
      13,
      { AndStatement: { Statements: [{ NotStatement: { Statement: byte('EXACTLY') } }, byte('CONTAINS'), label] } },
    ],
    ['a rule group', 50, { RuleGroupReferenceStatement: { ARN: 'own' } }],
    [
      'a managed group',
      701,
      { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'Core', ScopeDownStatement: label } },
    ],
  ])('%s: %i', (_name, expected, statement) => {
    expect(cost(statement)).toBe(expected)
  })
})

test('A transformation of a component is charged once, of another component again', () => {
  const lower = byte('EXACTLY', { UriPath: {} }, 'LOWERCASE')
  expect(cost(lower, lower)).toBe(14)
  expect(cost(lower, byte('EXACTLY', { QueryString: {} }, 'LOWERCASE'))).toBe(24)
})
