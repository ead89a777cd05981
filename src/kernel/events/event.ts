/**
 * One audit event for every call, in CloudTrail's record format 1.11.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import type { LogRecord } from '../../store/store.ts'
import type { TlsDetails } from '../../wire/http.ts'
import type { Caller } from '../gate/caller.ts'
import { type DecisionRecord, recordedDecisions } from '../gate/decisions.ts'
import type { Session } from '../gate/session.ts'
import { parseArn } from '../resource/arn.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import { timeOrderedId } from '../service/id.ts'
import { writtenRecord } from './event-size.ts'

const EVENT_VERSION = '1.11'
/** No name of a host is longer: RFC 1035, and a port. */
const HOST_MAX = 261

/** What a call gathers for its event while it runs. */
export interface EventDraft {
  readonly id: string
  resources: readonly ResourceFacts[]
  /** The caller of an operation without a signature: `WebIdentityUser`, `SAMLUser`. */
  userIdentity?: Readonly<Record<string, unknown>> & { readonly userName?: string; readonly principalId: string }
  additionalEventData?: Readonly<Record<string, unknown>>
  /** Where the call acted, if not in the Region of its signature: a bucket is in one Region, whatever endpoint is called. */
  region?: string
  readonly decided: DecisionRecord[]
  /** Regions besides the call's own where the same call is recorded, each with the resources that are there. */
  otherRegions?: readonly string[]
  /** A web route's request that changes nothing and shows nothing of note. */
  isUnrecorded?: boolean
}

export const newDraft = (nowMs: number): EventDraft => ({ id: timeOrderedId(nowMs), resources: [], decided: [] })

export interface EventFacts {
  readonly draft: EventDraft
  readonly caller: Caller
  readonly account: string
  readonly region: string
  readonly timeMs: number
  readonly eventSource: string
  readonly eventName: string
  readonly readOnly: boolean
  /** Default: a management event. */
  readonly dataEvent?: boolean
  readonly sourceAddress: string
  /** The service that carries the call on its caller's behalf. */
  readonly invokedBy?: string | undefined
  readonly userAgent: string
  readonly requestId: string
  readonly tlsHost?: string | undefined
  readonly tls?: TlsDetails | undefined
  /** Stated by the caller. */
  readonly reason?: string | undefined
  readonly requestParameters: unknown
  readonly responseElements: unknown
  readonly error?: { readonly code: string | undefined; readonly message: string } | undefined
  /** Shared by the events of several accounts that record the same call. */
  readonly sharedEventId?: string
  /** Default: `AwsApiCall`. */
  readonly eventType?: 'AwsConsoleSignIn' | undefined
}

/**
 * The caller's event, and one for every other account whose resource the call named: each account's audit log has what
 * concerns it. The events share an ID. A refused caller's own event names what the caller wrote, and nothing else of
 * another account.
 */
export function eventRecords(facts: EventFacts): readonly LogRecord[] {
  const { otherRegions = [] } = facts.draft
  // A call that failed changed nothing elsewhere.
  if (otherRegions.length === 0 || facts.error) return eventsOfAccounts(facts)
  return [facts.region, ...otherRegions].flatMap((region) => eventsOfAccounts(inRegion(facts, region)))
}

function inRegion(facts: EventFacts, region: string): EventFacts {
  const { draft, timeMs } = facts
  const resources = draft.resources.filter(({ arn }) => parseArn(arn)?.region === region)
  const id = region === facts.region ? draft.id : timeOrderedId(timeMs)
  return { ...facts, region, draft: { ...draft, id, resources } }
}

function eventsOfAccounts(facts: EventFacts): readonly LogRecord[] {
  const { draft, account, caller } = facts
  const isForeign = (acted: ResourceFacts) => acted.account !== account
  const asRequested = (acted: ResourceFacts): readonly ResourceFacts[] => {
    if (!isForeign(acted)) return [acted]
    if (acted.concealed !== undefined) return []
    return [acted.requested === undefined ? acted : { ...acted, arn: acted.requested }]
  }
  // A resource with a policy exists; a resource that the caller only claims to exist produces no event in another
  // account.
  const owners = new Set(
    draft.resources.filter((acted) => isForeign(acted) && acted.policy && !acted.claimed).map((acted) => acted.account),
  )
  const own = facts.error ? { ...facts, draft: { ...draft, resources: draft.resources.flatMap(asRequested) } } : facts
  if (owners.size === 0) return [eventRecord(own)]

  const sharedEventId = timeOrderedId(facts.timeMs)
  const { principal } = caller
  // The owner sees which service called; of principals in other accounts, only the account and the unique ID.
  const foreignCaller = principal.kind !== 'service' && {
    userIdentity: {
      type: 'AWSAccount',
      principalId: 'userId' in principal ? principal.userId : principal.kind,
      accountId: account,
    },
  }
  return [
    eventRecord({ ...own, sharedEventId }),
    ...[...owners].map((owner) =>
      eventRecord({
        ...facts,
        sharedEventId,
        account: owner,
        draft: {
          ...draft,
          id: timeOrderedId(facts.timeMs),
          ...foreignCaller,
          resources: draft.resources.filter((acted) => acted.account === owner),
        },
      }),
    ),
  ]
}

/**
 * The event as the log keeps it: the JSON record, and what LookupEvents can search by. What is undefined is not written:
 * every record is of one form, which V8 makes and writes several times as fast as one that is put together with spreads.
 */
export function eventRecord(facts: EventFacts): LogRecord {
  const { draft, caller, invokedBy } = facts
  const identity = draft.userIdentity ?? userIdentity(caller)
  const record = {
    eventVersion: EVENT_VERSION,
    userIdentity: invokedBy && !draft.userIdentity ? { invokedBy, ...identity } : identity,
    eventTime: isoSeconds(facts.timeMs),
    eventSource: facts.eventSource,
    eventName: facts.eventName,
    awsRegion: facts.region,
    sourceIPAddress: facts.sourceAddress,
    userAgent: facts.userAgent,
    errorCode: facts.error?.code,
    errorMessage: facts.error?.message,
    requestParameters: orNull(facts.requestParameters),
    responseElements: orNull(facts.responseElements),
    additionalEventData: additional(facts),
    requestID: facts.requestId,
    eventID: draft.id,
    readOnly: facts.readOnly,
    resources: shownResources(draft.resources),
    eventType: facts.eventType ?? 'AwsApiCall',
    managementEvent: !facts.dataEvent,
    recipientAccountId: facts.account,
    sharedEventID: facts.sharedEventId,
    eventCategory: facts.dataEvent ? 'Data' : 'Management',
    tlsDetails: tlsDetailsOf(facts),
  }
  return {
    id: draft.id,
    account: facts.account,
    region: facts.region,
    timeMs: facts.timeMs,
    attributes: attributes(facts),
    body: writtenRecord(record),
  }
}

/** As CloudTrail writes it where there is nothing to say. */
function orNull(value: unknown): unknown {
  if (value === undefined || value === null) return null
  for (const _member in value) return value
  return null
}

const tlsDetailsOf = ({ tlsHost, tls }: EventFacts): object | undefined =>
  tlsHost || tls
    ? {
        tlsVersion: tls?.version,
        cipherSuite: tls?.cipher,
        clientProvidedHostHeader: tlsHost?.slice(0, HOST_MAX),
      }
    : undefined

/** What the call reports of itself, and what decided it. */
function additional({ draft, caller, account, reason }: EventFacts): object | undefined {
  const { decided, id } = draft
  const additionalEventData =
    reason === undefined ? draft.additionalEventData : { merlonReason: reason, ...draft.additionalEventData }
  if (decided.length === 0) return additionalEventData
  const { principal } = caller
  const merlonDecisions = recordedDecisions(id, decided, {
    reader: account,
    caller: 'account' in principal ? principal.account : account,
  })
  return { merlonDecisions, ...additionalEventData }
}

/** The event source of Merlon's own actions in the audit log. */
export const MERLON_EVENT_SOURCE = 'merlon.local'

/** An automatic action of a service, such as rotating a key: recorded, although there is no call. */
export interface ServiceEvent {
  readonly account: string
  readonly region: string
  readonly timeMs: number
  /** `kms.amazonaws.com` */
  readonly eventSource: string
  readonly eventName: string
  readonly resources: readonly ResourceFacts[]
  readonly details?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string; readonly message: string }
}

/** Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html */
export function serviceEvent(facts: ServiceEvent): LogRecord {
  const { account, region, timeMs, eventSource, eventName, resources } = facts
  const id = timeOrderedId(timeMs)
  const record = {
    eventVersion: EVENT_VERSION,
    userIdentity: { accountId: account, invokedBy: eventSource },
    eventTime: isoSeconds(timeMs),
    eventSource,
    eventName,
    awsRegion: region,
    sourceIPAddress: eventSource,
    userAgent: eventSource,
    errorCode: facts.error?.code,
    errorMessage: facts.error?.message,
    requestParameters: null,
    responseElements: null,
    eventID: id,
    readOnly: false,
    resources: shownResources(resources),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account,
    serviceEventDetails: facts.details,
    eventCategory: 'Management',
  }
  const attributes: LogRecord['attributes'] = [
    MANAGEMENT_EVENT,
    ['EventId', id],
    ['EventName', eventName],
    ['ReadOnly', 'false'],
    ['EventSource', eventSource],
    ...searchable(resources),
  ]
  return { id, account, region, timeMs, attributes, body: writtenRecord(record) }
}

const shownResources = (resources: readonly ResourceFacts[]) =>
  resources.length === 0
    ? undefined
    : resources.map((acted) => ({ accountId: acted.account, type: acted.type, ARN: acted.arn }))

function searchable(resources: readonly ResourceFacts[]): readonly (readonly [string, string])[] {
  const found: [string, string][] = []
  for (const { type, arn } of resources) {
    found.push(['ResourceType', type], ['ResourceName', arn])
    const slash = arn.lastIndexOf('/')
    if (slash >= 0) found.push(['ResourceName', arn.slice(slash + 1)])
  }
  return found
}

/** The caller. Shapes by principal: AWS, "CloudTrail userIdentity element". */
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
    ...(session.assumedRoot && { assumedRoot: 'true' }),
  }
  const origin = session?.sourceIdentity ? { sourceIdentity: session.sourceIdentity } : {}
  const federated = session && webIdFederation(session)
  const delivery = session?.federation?.['ec2:RoleDelivery']

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
          ...(federated && { webIdFederationData: federated }),
          attributes,
          ...(delivery !== undefined && { ec2RoleDelivery: delivery }),
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

/** For sessions of web identities: the identity provider and the token's claims. SAML sessions have no such element. */
function webIdFederation({ federation = {} }: Session): object | undefined {
  const federatedProvider = federation['aws:FederatedProvider']
  const claims = Object.entries(federation).filter(([key]) => !/^(aws|saml):/.test(key))
  if (federatedProvider === undefined || claims.length === 0) return undefined
  return { federatedProvider, attributes: Object.fromEntries(claims) }
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

const shownName = ({ draft: { userIdentity }, caller }: EventFacts): string =>
  userIdentity ? (userIdentity.userName ?? userIdentity.principalId) : usernameOf(caller)

/** Which history an event belongs to: an attribute of every record. */
export const MANAGEMENT_EVENT = ['EventCategory', 'Management'] as const
export const DATA_EVENT = ['EventCategory', 'Data'] as const

/** What LookupEvents searches by. It never shows data events: they are found by their id alone. */
function attributes(facts: EventFacts): LogRecord['attributes'] {
  if (facts.dataEvent) return [DATA_EVENT, ['EventId', facts.draft.id]]
  const found: (readonly [string, string])[] = [
    MANAGEMENT_EVENT,
    ['EventId', facts.draft.id],
    ['EventName', facts.eventName],
    ['ReadOnly', String(facts.readOnly)],
    ['Username', shownName(facts)],
    ['EventSource', facts.eventSource],
  ]
  if (facts.caller.accessKeyId) found.push(['AccessKeyId', facts.caller.accessKeyId])
  return [...found, ...searchable(facts.draft.resources)]
}

/** The last formatted second: under load, the next event is usually in the same one. */
let lastSecond = { second: Number.NaN, text: '' }

/** AWS writes whole seconds. */
export function isoSeconds(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastSecond.second) lastSecond = { second, text: new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z') }
  return lastSecond.text
}
