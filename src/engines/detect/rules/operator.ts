/** Rules that operators wrote (operator-rules/). */
import type { Rule, RuleFactory } from '../rule.ts'
import type { NormalizedEvent } from '../types.ts'

export const operatorRule: RuleFactory = ({ lookups }): Rule => {
  const disabled = new Set(lookups.configuration.disabledRules ?? [])
  const rules = (lookups.configuration.operatorRules ?? []).filter(({ rule }) => !disabled.has(rule))
  const run = (event: NormalizedEvent) =>
    rules
      .filter((rule) => rule.matches(event))
      .map(({ type, severity, title, description, rule }) => ({
        type,
        severity,
        title,
        description,
        additionalInfo: { rule },
      }))
  return {
    name: 'operator-rules',
    types: rules.map(({ type }) => type),
    source: 'operator',
    api: run,
    flow: run,
    dns: run,
  }
}
