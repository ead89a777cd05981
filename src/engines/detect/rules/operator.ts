/** Rules that operators wrote (operator-rules/rules.ts). */
import { textOf } from '../normalize/json.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { ApiEvent, OperatorRule } from '../types.ts'

const NO_RULES: readonly OperatorRule[] = []

const detectionOf = ({ type, severity, title, description, rule }: OperatorRule): Detection => ({
  type,
  severity,
  title,
  description,
  additionalInfo: { rule },
})

export const operatorRule: RuleFactory = ({ lookups }): Rule => {
  const disabled = new Set(lookups.configuration.disabledRules ?? [])
  const rules = (lookups.configuration.operatorRules ?? []).filter(({ rule }) => !disabled.has(rule))
  const always = rules.filter(({ events }) => !events)
  const byEvent = new Map<string, OperatorRule[]>()
  for (const rule of rules) {
    for (const key of new Set((rule.events ?? []).map(({ source, name }) => `${source ?? ''} ${name}`)))
      byEvent.set(key, [...(byEvent.get(key) ?? []), rule])
  }

  const candidatesOf = (event: ApiEvent): readonly OperatorRule[] => {
    if (!event.record) return always
    const name = textOf(event.record.eventName, 128).toLowerCase()
    const exact = byEvent.get(`${textOf(event.record.eventSource, 128).toLowerCase()} ${name}`)
    const ofAnySource = byEvent.get(` ${name}`)
    if (!ofAnySource && always.length === 0) return exact ?? NO_RULES
    return [...(exact ?? NO_RULES), ...(ofAnySource ?? NO_RULES), ...always]
  }

  const run = (event: ApiEvent): readonly Detection[] => {
    let found: readonly Detection[] = NONE
    for (const rule of candidatesOf(event)) if (rule.matches(event)) found = [...found, detectionOf(rule)]
    return found
  }
  return {
    name: 'operator-rules',
    types: rules.map(({ type }) => type),
    source: 'rules of the operator',
    api: run,
  }
}
