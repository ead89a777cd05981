/**
 * Logging filters: which requests are logged. The first filter that a request meets decides.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-management-configure.html
 */
import type { Condition, LoggingFilter } from '@aws-sdk/client-wafv2'
import type { Json } from './json.ts'
import type { Verdict } from './web-acl.ts'

/** Without a filter every request is kept. */
export function isKept(filter: Json<LoggingFilter> | undefined, verdict: Verdict): boolean {
  if (!filter) return true
  const actions = new Set<string>([
    verdict.action,
    ...verdict.nonTerminating.map(({ action }) => action),
    ...verdict.groups.flatMap(({ nonTerminating, terminatingRule }) => [
      ...nonTerminating.map(({ action }) => action),
      ...(terminatingRule ? [terminatingRule.action] : []),
    ]),
  ])
  const meets = ({ ActionCondition, LabelNameCondition }: Json<Condition>): boolean =>
    (ActionCondition === undefined || actions.has(ActionCondition.Action!)) &&
    (LabelNameCondition === undefined || verdict.labels.includes(LabelNameCondition.LabelName!))
  for (const { Behavior, Requirement, Conditions = [] } of filter.Filters ?? [])
    if (Requirement === 'MEETS_ALL' ? Conditions.every(meets) : Conditions.some(meets)) return Behavior === 'KEEP'
  return filter.DefaultBehavior === 'KEEP'
}
