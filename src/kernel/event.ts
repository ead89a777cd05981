/**
 * One audit event for every call, in CloudTrail's record format 1.11.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import type { LogRecord } from '../store/store.ts'
import type { Caller } from './call.ts'
import type { Acted } from './resource.ts'

const EVENT_VERSION = '1.11'

/** What a call gathers for its event while it runs. */
export interface EventDraft {
  readonly id: string
  resources: readonly Acted[]
  /** Who asked, where no signature tells: `WebIdentityUser`, `SAMLUser`. */
  userIdentity?: Readonly<Record<string, unknown>> & { readonly userName: string }
  additionalEventData?: Readonly<Record<string, unknown>>
}

export interface EventFacts {
  readonly draft: EventDraft
  readonly caller: Caller
  readonly account: string
  readonly region: string
  readonly timeMs: number
  readonly eventSource: string
  readonly eventName: string
  readonly readOnly: boolean
  readonly sourceAddress: string
  readonly userAgent: string
  readonly requestId: string
  readonly tlsHost?: string | undefined
  readonly requestParameters: unknown
  readonly responseElements: unknown
  readonly error?: { readonly code: string; readonly message: string } | undefined
}

/** The event as the log keeps it: the JSON record, and what LookupEvents can search by. */
export function eventRecord(facts: EventFacts): LogRecord {
  const { draft, caller } = facts
  const record = {
    eventVersion: EVENT_VERSION,
    userIdentity: draft.userIdentity ?? userIdentity(caller),
    eventTime: isoSeconds(facts.timeMs),
    eventSource: facts.eventSource,
    eventName: facts.eventName,
    awsRegion: facts.region,
    sourceIPAddress: facts.sourceAddress,
    userAgent: facts.userAgent,
    ...(facts.error && { errorCode: facts.error.code, errorMessage: facts.error.message }),
    requestParameters: facts.requestParameters ?? null,
    responseElements: facts.responseElements ?? null,
    ...(draft.additionalEventData && { additionalEventData: draft.additionalEventData }),
    requestID: facts.requestId,
    eventID: draft.id,
    readOnly: facts.readOnly,
    ...(draft.resources.length > 0 && {
      resources: draft.resources.map((acted) => ({ accountId: acted.account, type: acted.type, ARN: acted.arn })),
    }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: facts.account,
    eventCategory: 'Management',
    ...(facts.tlsHost && { tlsDetails: { clientProvidedHostHeader: facts.tlsHost } }),
  }
  return {
    id: draft.id,
    account: facts.account,
    region: facts.region,
    timeMs: facts.timeMs,
    attributes: attributes(facts),
    body: JSON.stringify(record),
  }
}

/** Who called. Shapes by principal: AWS, "CloudTrail userIdentity element". */
export function userIdentity(caller: Caller): Readonly<Record<string, unknown>> {
  const { principal, session } = caller
  if (principal.kind === 'anonymous') return { type: 'Unknown' }
  if (principal.kind === 'service') return { type: 'AWSService', invokedBy: principal.name }

  const common = {
    principalId: principal.userId,
    arn: principal.arn,
    accountId: principal.account,
    accessKeyId: caller.accessKeyId,
  }
  const attributes = session && {
    creationDate: isoSeconds(session.issuedAt),
    mfaAuthenticated: String(session.mfaAt !== undefined),
  }
  const origin = session?.sourceIdentity ? { sourceIdentity: session.sourceIdentity } : {}

  switch (principal.kind) {
    case 'root':
      return { type: 'Root', ...common, ...(attributes && { sessionContext: { attributes } }) }
    case 'user':
      return {
        type: 'IAMUser',
        ...common,
        userName: principal.name,
        ...(attributes && { sessionContext: { attributes } }),
      }
    case 'role-session':
      return {
        type: 'AssumedRole',
        ...common,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: principal.roleId,
            arn: principal.roleArn,
            accountId: principal.account,
            userName: principal.roleName,
          },
          attributes,
          ...origin,
        },
      }
    case 'federated-user':
      return {
        type: 'FederatedUser',
        ...common,
        sessionContext: {
          sessionIssuer: {
            type: principal.issuerArn.endsWith(':root') ? 'Root' : 'IAMUser',
            principalId: principal.issuerId,
            arn: principal.issuerArn,
            accountId: principal.account,
            ...(principal.issuerArn.endsWith(':root')
              ? {}
              : { userName: principal.issuerArn.slice(principal.issuerArn.lastIndexOf('/') + 1) }),
          },
          attributes,
        },
      }
  }
}

/** The name LookupEvents shows and searches as Username. */
export function usernameOf(caller: Caller): string {
  const { principal } = caller
  switch (principal.kind) {
    case 'root':
      return 'root'
    case 'user':
    case 'federated-user':
      return principal.name
    case 'role-session':
      return principal.sessionName
    case 'service':
      return principal.name
    case 'anonymous':
      return 'ANONYMOUS'
  }
}

function attributes(facts: EventFacts): LogRecord['attributes'] {
  const found: [string, string][] = [
    ['EventId', facts.draft.id],
    ['EventName', facts.eventName],
    ['ReadOnly', String(facts.readOnly)],
    ['Username', facts.draft.userIdentity?.userName ?? usernameOf(facts.caller)],
    ['EventSource', facts.eventSource],
  ]
  if (facts.caller.accessKeyId) found.push(['AccessKeyId', facts.caller.accessKeyId])
  for (const acted of facts.draft.resources) {
    found.push(['ResourceType', acted.type], ['ResourceName', acted.arn])
    const name = acted.arn.slice(acted.arn.lastIndexOf('/') + 1)
    if (name !== acted.arn) found.push(['ResourceName', name])
  }
  return found
}

/** AWS writes whole seconds. */
export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
