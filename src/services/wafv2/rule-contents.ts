/** What stored rules contain: references to other resources, labels that they add and labels that they look for. */
import type { Rule, Statement } from '@aws-sdk/client-wafv2'
import type { Json } from '../../engines/waf/json.ts'

type StoredRules = readonly Pick<Json<Rule>, 'Statement' | 'RuleLabels'>[]

function* statementsIn(statement: Json<Statement> | undefined): Generator<Json<Statement>> {
  if (!statement) return
  yield statement
  const nested = [
    ...(statement.AndStatement?.Statements ?? []),
    ...(statement.OrStatement?.Statements ?? []),
    statement.NotStatement?.Statement,
    statement.RateBasedStatement?.ScopeDownStatement,
    statement.ManagedRuleGroupStatement?.ScopeDownStatement,
  ]
  for (const each of nested) yield* statementsIn(each)
}

const statementsOf = (rules: StoredRules): readonly Json<Statement>[] =>
  rules.flatMap(({ Statement: statement }) => [...statementsIn(statement)])

const defined = (values: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
]

export const ipSetsIn = (rules: StoredRules): readonly string[] =>
  defined(statementsOf(rules).map(({ IPSetReferenceStatement }) => IPSetReferenceStatement?.ARN))

export const regexPatternSetsIn = (rules: StoredRules): readonly string[] =>
  defined(statementsOf(rules).map(({ RegexPatternSetReferenceStatement }) => RegexPatternSetReferenceStatement?.ARN))

export const ruleGroupsIn = (rules: StoredRules): readonly string[] =>
  defined(statementsOf(rules).map(({ RuleGroupReferenceStatement }) => RuleGroupReferenceStatement?.ARN))

export const referencesOf = (rules: StoredRules): readonly string[] => [
  ...ipSetsIn(rules),
  ...regexPatternSetsIn(rules),
  ...ruleGroupsIn(rules),
]

const summaries = (names: readonly string[]) => names.map((Name) => ({ Name }))

/** Labels that the rules add, in full. */
export const providedLabels = (rules: StoredRules, namespace: string) =>
  summaries(defined(rules.flatMap(({ RuleLabels = [] }) => RuleLabels.map(({ Name }) => `${namespace}${Name}`))))

/** Labels of other rules that the rules look for. */
export const consumedLabels = (rules: StoredRules) =>
  summaries(defined(statementsOf(rules).map(({ LabelMatchStatement }) => LabelMatchStatement?.Key)))
