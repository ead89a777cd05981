/** What a rule is: the types that it finds, where its idea is documented, and a function of an event and the engine's state. */
import type { ConnectionEnds } from './flow-ends.ts'
import type { State } from './state.ts'
import type {
  ApiEvent,
  DetectedFinding,
  DetectorConfiguration,
  DnsEvent,
  FindingAction,
  FindingResource,
  FlowEvent,
  Geography,
  JsonObject,
  NormalizedEvent,
  ThreatListEvidence,
  ThreatListKind,
  Unusual,
} from './types.ts'

export interface ThreatMatch extends ThreatListEvidence {
  readonly kind: ThreatListKind
}

/** The configuration, and answers that several rules want of it for one event: computed once an event. */
export interface Lookups {
  readonly configuration: DetectorConfiguration
  geography(address: string): Geography | undefined
  threats(address: string): readonly ThreatMatch[]
  domainThreats(name: string): readonly ThreatMatch[]
  instanceAt(
    address: string,
    interfaceId: string,
  ): { readonly instanceId: string; readonly isLocal: boolean } | undefined
}

/** What a rule says of an event; the rest of a finding follows from the type and the event (finding.ts). */
export interface Detection {
  readonly type: string
  /** Replaces `{detail}` of the texts. */
  readonly detail?: string
  readonly severity?: number
  readonly resource?: FindingResource
  readonly action?: FindingAction
  readonly resourceRole?: 'TARGET' | 'ACTOR'
  readonly evidence?: readonly ThreatListEvidence[]
  /** Default: the event's own. */
  readonly eventIds?: readonly string[]
  readonly firstSeen?: number
  readonly count?: number
  /** More parts of the aggregation key than type and resource. */
  readonly aggregate?: string
  readonly unusual?: readonly Unusual[]
  readonly additionalInfo?: JsonObject
  readonly signals?: readonly string[]
  /** Of rules of operators, whose types are not in the catalog. */
  readonly title?: string
  readonly description?: string
}

export interface RuleSetup {
  readonly state: State
  readonly lookups: Lookups
  /** Which end of a flow is the instance; undefined where that cannot be known. */
  readonly endsOf: (event: FlowEvent) => ConnectionEnds | undefined
}

type Run<E> = (event: E, isLearning: boolean) => readonly Detection[]

export interface Rule {
  /** `cloudtrail-logging-disabled`; for `disabledRules`. */
  readonly name: string
  readonly types: readonly string[]
  /** Where the idea is from. */
  readonly source: string
  /** Names of the events that `api` is run for; absent: all. */
  readonly actions?: readonly string[]
  /** `isLearning`: the history is known to be good; findings are dropped. */
  readonly api?: Run<ApiEvent>
  readonly flow?: Run<FlowEvent>
  readonly dns?: Run<DnsEvent>
  /** After the others, with what they found. */
  readonly afterwards?: (event: NormalizedEvent, findings: readonly DetectedFinding[]) => readonly Detection[]
}

export type RuleFactory = (setup: RuleSetup) => Rule

export const NONE: readonly Detection[] = Object.freeze([])
