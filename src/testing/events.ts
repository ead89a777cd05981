/** Recorded events, and the decisions in them. */

/** An event in CloudTrail's record format. */
export interface MerlonEvent {
  readonly eventID: string
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly recipientAccountId: string
  readonly userIdentity: {
    readonly type?: string
    readonly arn?: string
    readonly userName?: string
    readonly principalId?: string
    readonly accountId?: string
  }
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly additionalEventData?: Readonly<Record<string, unknown>>
}

/** A decision of a recorded call: a call may need several. */
export interface RecordedDecision {
  /** `kms:Decrypt` */
  readonly action: string
  /** An ARN, or `*`. */
  readonly resource: string
  readonly effect: 'Allow' | 'Deny'
  /** The ARN of the caller; of services, their name. */
  readonly principal: string
  /** Which kind of policy decided: `identity`, `resource`, `scp` … */
  readonly layer?: string
  /** The policy and the statement that decided, where one did. */
  readonly policy?: string
  readonly statement?: string
  /** True when a Deny statement decided, and not the lack of an Allow. */
  readonly explicit?: true
  /** The message that the caller got. */
  readonly message?: string
  readonly event: MerlonEvent
}

type RawDecision = Omit<RecordedDecision, 'principal' | 'message' | 'event'>

export function recordedDecisions(event: MerlonEvent): readonly RecordedDecision[] {
  const { userIdentity, errorMessage, additionalEventData } = event
  const decisions = (additionalEventData?.['merlonDecisions'] ?? []) as readonly RawDecision[]
  return decisions.map((decision) => ({
    ...decision,
    principal: userIdentity.arn ?? userIdentity.userName ?? userIdentity.principalId ?? 'anonymous',
    ...(errorMessage !== undefined && { message: errorMessage }),
    event,
  }))
}

/** What a decision is compared with. A text may have `*` for any characters. */
export interface DecisionPattern {
  readonly action?: string | RegExp
  /** An ARN, or a user's or role's name. */
  readonly principal?: string | RegExp
  readonly resource?: string | RegExp
}

/** Whether a decision has each member of a pattern. Actions are compared without regard to case. */
export const matches = (decision: RecordedDecision, { action, principal, resource }: DecisionPattern): boolean =>
  isLike(decision.action, action, 'i') &&
  (isLike(decision.principal, principal) || isLike(nameIn(decision.principal), principal)) &&
  isLike(decision.resource, resource)

/** `ann` of `arn:aws:iam::123456789012:user/team/ann`, `deploy` of `arn:aws:sts::…:assumed-role/deploy/session`. */
function nameIn(arn: string): string {
  const path = arn.split(':').at(-1)!.split('/')
  return (path[0] === 'assumed-role' ? path[1] : path.at(-1)) ?? arn
}

function isLike(value: string, pattern: string | RegExp | undefined, flags = ''): boolean {
  if (pattern === undefined) return true
  if (pattern instanceof RegExp) return value.search(pattern) >= 0
  const literal = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, `s${flags}`).test(value)
}
