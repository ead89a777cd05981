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
import { type Arrival, EventOrder } from './order.ts'
import { type Detection, NONE, type Rule, type RuleSetup } from './rule.ts'
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
  const setup: RuleSetup = { state, lookups, endsOf }
  // Every rule opens its tables, the disabled ones too, so that a checkpoint keeps its parts.
  const rules = RULES.map((factory) => factory(setup)).filter(({ name }) => !disabled.has(name))
  const index = indexRules(rules)
  const operator = configuration.operatorRules?.length ? operatorRule(setup) : undefined
  const ofOperator = operator && !disabled.has(operator.name) ? operator : undefined

  const isWanted = (finding: DetectedFinding): boolean =>
    !disabled.has(finding.type) && !isTrusted(finding.action, configuration)

  /**
   * Rules of operators look at one event alone, so they are run when it comes: the record, which they alone need, does not wait
   * for the watermark.
   */
  function arrivalOf(event: NormalizedEvent): Arrival {
    if (!isApi(event)) return { event, detections: NONE }
    return { event: { ...event, record: undefined }, detections: ofOperator?.api?.(event, false) ?? NONE }
  }

  function findingsOf(
    rule: Rule,
    event: NormalizedEvent,
    detections: readonly Detection[],
  ): readonly DetectedFinding[] {
    if (detections.length === 0) return NOTHING
    return detections.map((each) => findingOf(each, event, rule, lookups)).filter(isWanted)
  }

  function run({ event, detections: early }: Arrival, isLearning: boolean): readonly DetectedFinding[] {
    let found = NOTHING
    for (const rule of index.of(event)) {
      const detections = runRule(rule, event, isLearning)
      if (detections.length > 0 && !isLearning) found = [...found, ...findingsOf(rule, event, detections)]
    }
    if (ofOperator && early.length > 0) found = [...found, ...findingsOf(ofOperator, event, early)]
    if (found.length === 0) return NOTHING
    for (const rule of index.afterwards) found = [...found, ...findingsOf(rule, event, rule.afterwards!(event, found))]
    return found
  }

  const runAll = (arrivals: readonly Arrival[]): readonly DetectedFinding[] => {
    if (arrivals.length === 0) return NOTHING
    return arrivals.length === 1 ? run(arrivals[0]!, false) : arrivals.flatMap((each) => run(each, false))
  }

  return {
    ingest: (event) => runAll(order.add(arrivalOf(event))),
    learn: (event) => void run({ event, detections: NONE }, true),
    advance: (watermark) => runAll(order.advance(watermark)),
    checkpoint: () => state.checkpoint(),
    changes: () => state.changes(),
  }
}

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

/** Calls that change the detection itself are found from trusted addresses, too: a list cannot hide what was done to it. */
const isAboutDetection = (action: FindingAction): boolean =>
  action.actionType === 'AWS_API_CALL' && action.serviceName === 'guardduty.amazonaws.com'

function isTrusted(action: FindingAction, { trustedLists = [] }: DetectorConfiguration): boolean {
  if (trustedLists.length === 0 || isAboutDetection(action)) return false
  if (action.actionType === 'DNS_REQUEST') return trustedLists.some((list) => list.matchDomain(action.domain))
  if (action.actionType === 'PORT_PROBE')
    return action.probes.every(({ remote }) => trustedLists.some((list) => list.matchAddress(remote.address)))
  return action.remote !== undefined && trustedLists.some((list) => list.matchAddress(action.remote!.address))
}
