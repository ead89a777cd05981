/**
 * Web ACL capacity units (WCU): what rules cost.
 *
 * A text transformation is charged once for a component within one web ACL or rule group, however many statements share it.
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-list.html
 *
 * @example
 * capacityOf([{ ...rule, Statement: { GeoMatchStatement: { CountryCodes: ['KP'] } } }], sources) // 1
 */
import type { FieldToMatch, Rule, Statement, TextTransformation } from '@aws-sdk/client-wafv2'
import { componentKey } from './components.ts'

/** Capacities of rule groups; undefined: there is no such group. */
export interface GroupCapacities {
  ruleGroup(arn: string): number | undefined
  managedRuleGroup(vendor: string, name: string): number | undefined
}

const COSTS = {
  asn: 1,
  geo: 1,
  ipSet: 1,
  /** Every address of a forwarding header is looked up. */
  anyPosition: 4,
  label: 1,
  size: 1,
  regex: 3,
  regexSet: 25,
  byteMatch: { EXACTLY: 2, STARTS_WITH: 2, ENDS_WITH: 2, CONTAINS: 10, CONTAINS_WORD: 10 },
  sqli: { LOW: 20, HIGH: 30 },
  xss: 40,
  rate: 2,
  rateKey: 30,
  allArguments: 10,
  transformation: 10,
} as const

interface Inspecting {
  readonly FieldToMatch?: FieldToMatch | undefined
  readonly TextTransformations?: readonly TextTransformation[] | undefined
}

/** The capacity that rules use together; a group that does not exist uses none. */
export function capacityOf(rules: readonly Pick<Rule, 'Statement'>[], groups: GroupCapacities): number {
  /** Components with their transformations that are charged already. */
  const charged = new Set<string>()

  const inspection = (base: number, { FieldToMatch: field, TextTransformations: transformations = [] }: Inspecting) => {
    let cost = field?.JsonBody ? 2 * base : base
    if (field?.AllQueryArguments) cost += COSTS.allArguments
    for (const { Type } of transformations) {
      const charge = `${componentKey(field ?? {})} ${Type}`
      if (Type === 'NONE' || charged.has(charge)) continue
      charged.add(charge)
      cost += COSTS.transformation
    }
    return cost
  }

  const sum = (statements: readonly (Statement | undefined)[] | undefined): number =>
    (statements ?? []).reduce((total, each) => total + costOf(each), 0)

  const costOf = (statement: Statement | undefined): number => {
    if (!statement) return 0
    if (statement.AndStatement) return sum(statement.AndStatement.Statements)
    if (statement.OrStatement) return sum(statement.OrStatement.Statements)
    if (statement.NotStatement) return costOf(statement.NotStatement.Statement)
    if (statement.ByteMatchStatement) {
      const { PositionalConstraint } = statement.ByteMatchStatement
      return inspection(COSTS.byteMatch[PositionalConstraint ?? 'CONTAINS'], statement.ByteMatchStatement)
    }
    if (statement.SqliMatchStatement)
      return inspection(
        COSTS.sqli[statement.SqliMatchStatement.SensitivityLevel ?? 'LOW'],
        statement.SqliMatchStatement,
      )
    if (statement.XssMatchStatement) return inspection(COSTS.xss, statement.XssMatchStatement)
    if (statement.SizeConstraintStatement) return inspection(COSTS.size, statement.SizeConstraintStatement)
    if (statement.RegexMatchStatement) return inspection(COSTS.regex, statement.RegexMatchStatement)
    if (statement.RegexPatternSetReferenceStatement)
      return inspection(COSTS.regexSet, statement.RegexPatternSetReferenceStatement)
    if (statement.IPSetReferenceStatement)
      return (
        COSTS.ipSet +
        (statement.IPSetReferenceStatement.IPSetForwardedIPConfig?.Position === 'ANY' ? COSTS.anyPosition : 0)
      )
    if (statement.GeoMatchStatement) return COSTS.geo
    if (statement.AsnMatchStatement) return COSTS.asn
    if (statement.LabelMatchStatement) return COSTS.label
    if (statement.RateBasedStatement) {
      const { CustomKeys, ScopeDownStatement } = statement.RateBasedStatement
      return COSTS.rate + COSTS.rateKey * (CustomKeys?.length ?? 0) + costOf(ScopeDownStatement)
    }
    if (statement.RuleGroupReferenceStatement)
      return groups.ruleGroup(statement.RuleGroupReferenceStatement.ARN ?? '') ?? 0
    if (statement.ManagedRuleGroupStatement) {
      const { VendorName = '', Name = '', ScopeDownStatement } = statement.ManagedRuleGroupStatement
      return (groups.managedRuleGroup(VendorName, Name) ?? 0) + costOf(ScopeDownStatement)
    }
    return 0
  }

  return sum(rules.map(({ Statement: statement }) => statement))
}
