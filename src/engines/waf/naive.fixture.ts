/** A web ACL read rule by rule, without sharing, batches or caches: what the compiled one is compared with. */
import type { Rule, Statement } from '@aws-sdk/client-wafv2'
import { bytesMatch } from './byte-match.ts'
import { componentOf } from './components.ts'
import { labelMatches } from './labels.ts'
import type { InspectedRequest } from './request.ts'
import { transform } from './transformations.ts'

type Inspected = NonNullable<Statement['RegexMatchStatement']>

function some(
  request: InspectedRequest,
  statement: Pick<Inspected, 'FieldToMatch' | 'TextTransformations'>,
  test: (text: string) => boolean,
) {
  const component = componentOf(request, statement.FieldToMatch!)
  if (typeof component === 'string') return component === 'MATCH'
  const types = [...statement.TextTransformations!].sort((a, b) => a.Priority! - b.Priority!).map(({ Type }) => Type!)
  return component.some((text) => test(transform(text, types)))
}

function holds(statement: Statement, request: InspectedRequest, labels: readonly string[], prefix: string): boolean {
  const nested = (each: Statement) => holds(each, request, labels, prefix)
  if (statement.AndStatement) return statement.AndStatement.Statements!.every(nested)
  if (statement.OrStatement) return statement.OrStatement.Statements!.some(nested)
  if (statement.NotStatement) return !nested(statement.NotStatement.Statement!)
  if (statement.LabelMatchStatement) {
    const { Scope, Key } = statement.LabelMatchStatement
    return labels.some((label) => labelMatches(label, prefix, Scope!, Key!))
  }
  if (statement.RegexMatchStatement) {
    const pattern = new RegExp(statement.RegexMatchStatement.RegexString!)
    return some(request, statement.RegexMatchStatement, (text) => pattern.test(text))
  }
  const { SearchString, PositionalConstraint } = statement.ByteMatchStatement!
  const wanted = Buffer.from(SearchString!).toString('latin1')
  return some(request, statement.ByteMatchStatement!, (text) => bytesMatch(text, wanted, PositionalConstraint!))
}

/** The name of the rule that ends the evaluation, and the labels until then. */
export function naiveVerdict(rules: readonly Rule[], request: InspectedRequest, prefix: string) {
  const labels: string[] = []
  for (const rule of [...rules].sort((a, b) => a.Priority! - b.Priority!)) {
    if (!holds(rule.Statement!, request, labels, prefix)) continue
    for (const { Name } of rule.RuleLabels ?? [])
      if (!labels.includes(`${prefix}${Name}`)) labels.push(`${prefix}${Name}`)
    if (!rule.Action!.Count) return { terminatingRuleId: rule.Name!, labels }
  }
  return { terminatingRuleId: 'Default_Action', labels }
}
