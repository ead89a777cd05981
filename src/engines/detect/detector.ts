/**
 * The detector: events go through the rules in the order of their time, and what they find comes back.
 *
 * @example
 * const detector = createDetector({ publicAccess: exposureOf })
 * for (const record of records) for (const finding of detector.ingest(normalizeCloudTrail(record)!)) report(finding)
 */
import { findingOf, isApi } from './finding.ts'
import { createFlowEnds } from './flow-ends.ts'
import { createLookups } from './lookups.ts'
import { EventOrder } from './order.ts'
import type { Detection, Rule } from './rule.ts'
import { RULES } from './rules/index.ts'
import { operatorRule } from './rules/operator.ts'
import { State } from './state.ts'
import type { CreateDetector, DetectedFinding, DetectorConfiguration, FindingAction, NormalizedEvent } from './types.ts'

const NOTHING: readonly DetectedFinding[] = Object.freeze([])

export const createDetector: CreateDetector = (configuration, checkpoint) => {
  const state = new State(configuration.limits, checkpoint, configuration.tracksChanges)
  const lookups = createLookups(configuration)
  const endsOf = createFlowEnds(state, lookups)
  const disabled = new Set(configuration.disabledRules ?? [])
  const order = new EventOrder(state, configuration.latenessMs ?? 0)
  const factories = [...RULES, ...(configuration.operatorRules?.length ? [operatorRule] : [])]
  // Every rule opens its tables, the disabled ones too, so that a checkpoint keeps its parts.
  const rules = factories
    .map((factory) => factory({ state, lookups, endsOf }))
    .filter(({ name }) => !disabled.has(name))
  const index = indexRules(rules)

  const isWanted = (finding: DetectedFinding): boolean =>
    !disabled.has(finding.type) && !isTrusted(finding.action, configuration)

  function run(event: NormalizedEvent, isLearning: boolean): readonly DetectedFinding[] {
    let found: DetectedFinding[] | undefined
    for (const rule of index.of(event)) {
      const detections = runRule(rule, event, isLearning)
      if (detections.length === 0 || isLearning) continue
      const findings = detections.map((each) => findingOf(each, event, rule, lookups)).filter(isWanted)
      if (findings.length > 0) (found ??= []).push(...findings)
    }
    if (!found) return NOTHING
    for (const rule of index.afterwards) {
      const detections = rule.afterwards!(event, found)
      found.push(...detections.map((each) => findingOf(each, event, rule, lookups)).filter(isWanted))
    }
    return found
  }

  return {
    ingest: (event) => flat(order.add(event).map((each) => run(each, false))),
    learn: (event) => void run(event, true),
    advance: (watermark) => flat(order.advance(watermark).map((each) => run(each, false))),
    checkpoint: () => state.checkpoint(),
    changes: () => state.changes(),
  }
}

const flat = (lists: readonly (readonly DetectedFinding[])[]): readonly DetectedFinding[] =>
  lists.length === 1 ? lists[0]! : lists.length === 0 ? NOTHING : lists.flat()

function runRule(rule: Rule, event: NormalizedEvent, isLearning: boolean): readonly Detection[] {
  if (isApi(event)) return rule.api!(event, isLearning)
  return event.source === 'flow' ? rule.flow!(event, isLearning) : rule.dns!(event, isLearning)
}

/** API rules by the names of their events, so that a rule costs nothing for the events that it does not want. */
function indexRules(rules: readonly Rule[]) {
  const anyApi = rules.filter(({ api, actions }) => api && !actions)
  const flow = rules.filter((rule) => rule.flow)
  const dns = rules.filter((rule) => rule.dns)
  const byAction = new Map<string, Rule[]>()
  for (const rule of rules) {
    for (const action of rule.api ? (rule.actions ?? []) : [])
      byAction.set(action, [...(byAction.get(action) ?? []), rule])
  }
  for (const [action, named] of byAction) byAction.set(action, [...named, ...anyApi])
  return {
    afterwards: rules.filter((rule) => rule.afterwards),
    of: (event: NormalizedEvent): readonly Rule[] => {
      if (isApi(event)) return byAction.get(event.action) ?? anyApi
      return event.source === 'flow' ? flow : dns
    },
  }
}

function isTrusted(action: FindingAction, { trustedLists = [] }: DetectorConfiguration): boolean {
  if (trustedLists.length === 0) return false
  if (action.actionType === 'DNS_REQUEST') return trustedLists.some((list) => list.matchDomain(action.domain))
  if (action.actionType === 'PORT_PROBE')
    return action.probes.every(({ remote }) => trustedLists.some((list) => list.matchAddress(remote.address)))
  return action.remote !== undefined && trustedLists.some((list) => list.matchAddress(action.remote!.address))
}
