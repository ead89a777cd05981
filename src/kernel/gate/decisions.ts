/**
 * What decided a call, as its events record it: beyond AWS, under `additionalEventData.merlonDecisions`. Each account
 * sees its own policies only.
 */
import type { Context, Decision, Layer } from '../../policy/index.ts'

export interface DecisionRecord {
  readonly action: string
  /** An ARN, or `*`. */
  readonly resource: string
  /** Account that owns the resource, and whose resource policy decided where one did. */
  readonly owner: string
  readonly decision: Decision
  readonly context: Context
}

export interface RecordedDecision {
  /** The event's id and a number: unique. */
  readonly id: string
  readonly action: string
  readonly resource: string
  readonly effect: 'Allow' | 'Deny'
  /** Of the policies that decided; absent where they are another account's. */
  readonly layer?: Layer | undefined
  /** A Deny statement decided, not the lack of an Allow. */
  readonly explicit?: true | undefined
  /** ARN or name. */
  readonly policy?: string | undefined
  /** Its Sid, or its place in the policy from 1: `#2`. */
  readonly statement?: string | undefined
  /** For refusals: the condition keys that were evaluated, with their values. */
  readonly context?: Readonly<Record<string, readonly string[]>> | undefined
}

/** A call that deletes a thousand objects is decided a thousand times. */
const TOLD_MAX = 20

/** On the resource, or over it: the owner's policies. All others are the caller's. */
const OWNERS: ReadonlySet<Layer> = new Set(['resource', 'trust', 'rcp'])

/** The event itself says these. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set([
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:UserAgent',
  'aws:SourceIp',
  'aws:RequestedRegion',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalType',
  'aws:PrincipalIsAWSService',
  'aws:userid',
  'aws:username',
])

const recordedContext = (context: Context): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries([...context.entries()].filter(([key]) => !TOLD_ELSEWHERE.has(key)))

/** For the event in the history of `reader`, about a caller of the account `caller`. */
export function recordedDecisions(
  eventId: string,
  decided: readonly DecisionRecord[],
  { reader, caller }: { readonly reader: string; readonly caller: string },
): readonly RecordedDecision[] {
  return decided.slice(0, TOLD_MAX).map(({ action, resource, owner, decision, context }, n) => {
    const { allowed, explicit, layer, statement } = decision
    const concerned = (OWNERS.has(layer) ? owner : caller) === reader
    const by = concerned ? statement : undefined
    return {
      id: `${eventId}.${n + 1}`,
      action,
      resource,
      effect: allowed ? 'Allow' : 'Deny',
      layer: concerned ? layer : undefined,
      explicit: concerned && explicit ? true : undefined,
      policy: by && (by.policy.arn ?? by.policy.id),
      statement: by && (by.sid || `#${by.index + 1}`),
      context: concerned && !allowed && caller === reader ? recordedContext(context) : undefined,
    }
  })
}
