/** Rules that operators wrote (operator-rules/rules.ts). */
import { isApi } from '../finding.ts'
import { textOf } from '../normalize/json.ts'
import type { Rule, RuleFactory } from '../rule.ts'
import type { NormalizedEvent, OperatorRule } from '../types.ts'

const NONE: readonly OperatorRule[] = []

export const operatorRule: RuleFactory = ({ lookups }): Rule => {
  const disabled = new Set(lookups.configuration.disabledRules ?? [])
  const rules = (lookups.configuration.operatorRules ?? []).filter(({ rule }) => !disabled.has(rule))
  const always = rules.filter(({ actions }) => !actions)
  const byAction = new Map<string, OperatorRule[]>()
  for (const rule of rules)
    for (const action of rule.actions ?? []) byAction.set(action, [...(byAction.get(action) ?? []), rule])

  const run = (event: NormalizedEvent) => {
    const name = isApi(event) ? textOf(event.record?.eventName, 128).toLowerCase() : ''
    const candidates = byAction.get(name) ?? NONE
    return [...candidates, ...always]
      .filter((rule) => rule.matches(event))
      .map(({ type, severity, title, description, rule }) => ({
        type,
        severity,
        title,
        description,
        additionalInfo: { rule },
      }))
  }
  return {
    name: 'operator-rules',
    types: rules.map(({ type }) => type),
    source: 'rules of the operator',
    api: run,
    flow: run,
    dns: run,
  }
}
