/** Rules that operators wrote (operator-rules/rules.ts). */
import { isApi } from '../finding.ts'
import { textOf } from '../normalize/json.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { NormalizedEvent, OperatorRule } from '../types.ts'

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

  const run = (event: NormalizedEvent): readonly Detection[] => {
    let found: Detection[] | undefined
    const look = (candidates: readonly OperatorRule[]): void => {
      for (const rule of candidates) if (rule.matches(event)) (found ??= []).push(detectionOf(rule))
    }
    if (isApi(event) && event.record) {
      const name = textOf(event.record.eventName, 128).toLowerCase()
      look(byEvent.get(`${textOf(event.record.eventSource, 128).toLowerCase()} ${name}`) ?? NO_RULES)
      look(byEvent.get(` ${name}`) ?? NO_RULES)
    }
    look(always)
    return found ?? NONE
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
