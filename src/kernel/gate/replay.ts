/**
 * Re-evaluates a recorded call with today's policies: rebuilds the caller and the input from its event. What the event
 * does not record is reported, not guessed: session policies, session tags, hidden values.
 */
import { type CompiledPolicy, compilePolicy, type Explanation, explain, readPolicy } from '../../policy/index.ts'
import type { Store, Unit } from '../../store/store.ts'
import { services as serviceRows } from '../../wire/services.ts'
import type { Member, Shape } from '../../wire/shape.ts'
import { loadService } from '../../wire/wire.ts'
import { type EventNames, inputNamesOf, operationOf } from '../events/event-names.ts'
import type { IdentityPort, Ports } from '../ports/ports.ts'
import type { LazyConditions } from '../resource/condition-keys.ts'
import type { Operation } from '../service/service.ts'
import { type AuthorizationRequest, type AuthorizeFacts, evaluationInput } from './authorize.ts'
import type { Call } from './call.ts'
import type { Caller } from './caller.ts'
import type { RecordedDecision } from './decisions.ts'
import type { OperationCall, RequestInfo } from './invocation.ts'
import type { Session, Subject } from './session.ts'

/** The members of a recorded event that a replay needs. */
export interface RecordedCall {
  readonly eventID: string
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly sourceIPAddress?: string
  readonly userAgent?: string
  readonly recipientAccountId: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters?: Readonly<Record<string, unknown>> | null
  readonly userIdentity: {
    readonly type?: string
    readonly arn?: string
    readonly accountId?: string
    readonly principalId?: string
    readonly userName?: string
    readonly accessKeyId?: string
    readonly invokedBy?: string
    readonly sessionContext?: {
      readonly sessionIssuer?: { readonly type?: string; readonly principalId?: string; readonly userName?: string }
      readonly attributes?: { readonly creationDate?: string; readonly mfaAuthenticated?: string }
      readonly sourceIdentity?: string
    }
  }
  readonly additionalEventData?: { readonly merlonDecisions?: readonly RecordedDecision[] }
}

export interface Replayed {
  readonly recorded: RecordedDecision
  /** Undefined where nothing can be decided again. */
  readonly now: Explanation | undefined
  /** What the answer of today does not know. */
  readonly notes: readonly string[]
}

/** The stages of the request pipeline, run without a request. */
export interface ReplayDependencies {
  readonly store: Store
  readonly ports: Ports
  operation(service: string, name: string): Operation | undefined
  eventNames(service: string): EventNames | undefined
  call(unit: Unit, arrival: RequestInfo, invocation: OperationCall): Call
  conditions(invocation: OperationCall, action: string, call: Call, row: unknown, given: LazyConditions): LazyConditions
  facts(arrival: RequestInfo, invocation: OperationCall, asked: AuthorizationRequest): Promise<AuthorizeFacts>
}

/** Each decision of the event, and today's. Nothing is written. */
export async function replay(event: RecordedCall, dependencies: ReplayDependencies): Promise<readonly Replayed[]> {
  const recordedDecisions = event.additionalEventData?.merlonDecisions ?? []
  const undecided = (note: string) =>
    recordedDecisions.map((each) => ({ recorded: each, now: undefined, notes: [note] }))
  const caller = await recallCaller(dependencies.ports.identity, event)
  if (!caller) return undecided('the caller no longer exists, or was a service')
  const invocation = await recallInvocation(event, dependencies)
  if (!invocation) return undecided('this build has no such operation')

  const { accountId = '' } = event.userIdentity
  const arrival: RequestInfo = {
    request: {
      remoteAddress: event.sourceIPAddress ?? '',
      secure: false,
      rawHeaders: ['User-Agent', event.userAgent ?? ''],
    },
    authenticated: {
      ...caller,
      region: event.awsRegion,
      standing: await dependencies.ports.organizations.standing(accountId),
      body: Buffer.alloc(0),
    },
    requestId: event.eventID,
    now: Date.parse(event.eventTime),
    done: [],
  }
  const omitted = event.requestParameters?.['omitted'] === true ? ['its parameters were too large to be kept'] : []
  return dependencies.store.run(async (unit) => {
    const { operation, input } = invocation
    const call = dependencies.call(unit, arrival, invocation)
    // What it acted on may be gone: then its name is left.
    const found = await quietly(() => operation.target.find(call, input))
    const conditions = await quietly(() => operation.conditions?.(input, call, found?.row))
    return Promise.all(
      recordedDecisions.map(async (each): Promise<Replayed> => {
        const isTarget =
          each.resource === '*' || found?.acted?.arn === each.resource || found?.acted?.requested === each.resource
        const named = { arn: each.resource, type: '', account: accountId }
        const check: AuthorizationRequest = {
          action: each.action,
          acted: isTarget ? found?.acted : named,
          input,
          conditions: dependencies.conditions(invocation, each.action, call, found?.row, {
            ...(isTarget && found?.acted?.conditions),
            ...conditions,
            ...found?.tagging?.conditions,
          }),
        }
        const { request, layers } = evaluationInput(check, await dependencies.facts(arrival, invocation, check))
        for (const [key, value] of Object.entries(each.context ?? {}))
          if (!request.context.has(key)) request.context.set(key, value)
        const unknown = isTarget ? [] : ['the policy of the resource itself is left out']
        return { recorded: each, now: explain(request, layers), notes: [...caller.notes, ...omitted, ...unknown] }
      }),
    )
  })
}

async function quietly<T>(read: () => T): Promise<Awaited<T> | undefined> {
  try {
    return await read()
  } catch {
    return undefined
  }
}

async function recallInvocation(
  event: RecordedCall,
  dependencies: ReplayDependencies,
): Promise<OperationCall | undefined> {
  const row = serviceRows.find(({ eventSource }) => eventSource === event.eventSource)
  if (!row) return undefined
  const name = operationOf(dependencies.eventNames(row.id), event.eventName)
  const operation = dependencies.operation(row.id, name)
  const shape = (await loadService(row)).operations.get(name)
  if (!operation || !shape) return undefined
  const shown = inputNamesOf(dependencies.eventNames(row.id), event.requestParameters ?? {})
  const address = event.sourceIPAddress ?? ''
  return {
    row,
    operation,
    shape,
    input: (recallInput(shape.input, shown) as object | undefined) ?? {},
    via: address.endsWith('.amazonaws.com') ? [address] : [],
  }
}

/**
 * The identity whose policies applied to the call; undefined for callers without one: services, other accounts,
 * anonymous callers.
 */
function subjectOf({ userIdentity }: RecordedCall): Subject | undefined {
  const { type, principalId = '', userName = '', sessionContext } = userIdentity
  const issuer = sessionContext?.sessionIssuer
  const [, sessionName = ''] = principalId.split(':')
  switch (type) {
    case 'Root':
      return { kind: 'root' }
    case 'IAMUser':
      return { kind: 'user', name: userName, id: principalId }
    case 'AssumedRole':
      return { kind: 'role', name: issuer?.userName ?? '', id: issuer?.principalId ?? '', sessionName }
    case 'FederatedUser': {
      const by: Subject =
        issuer?.type === 'Root'
          ? { kind: 'root' }
          : { kind: 'user', name: issuer?.userName ?? '', id: issuer?.principalId ?? '' }
      return { kind: 'federated-user', name: sessionName, issuer: by }
    }
    default:
      return undefined
  }
}

/** Leaves out the session policies that the event does not hold: without any, a federated user could do nothing. */
const UNKNOWN_SESSION_POLICY = compilePolicy(
  readPolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'session'),
  { id: 'unknown', kind: 'session' },
)

interface Recalled {
  readonly caller: Caller
  readonly identity: NonNullable<Awaited<ReturnType<IdentityPort['identity']>>>
  readonly sessionPolicies: readonly CompiledPolicy[] | undefined
  readonly notes: readonly string[]
}

/** undefined when no identity with that name and ID is left. */
async function recallCaller(identities: IdentityPort, call: RecordedCall): Promise<Recalled | undefined> {
  const subject = subjectOf(call)
  const { accountId = '', accessKeyId = '', sessionContext } = call.userIdentity
  const identity = subject && (await identities.identity(accountId, subject))
  if (!identity) return undefined
  const attributes = sessionContext?.attributes
  const issuedAt = Date.parse(attributes?.creationDate ?? call.eventTime)
  const session: Session | undefined = sessionContext && {
    account: accountId,
    subject,
    issuedAt,
    expiresAt: Number.POSITIVE_INFINITY,
    ...(attributes?.mfaAuthenticated === 'true' && { mfaAt: issuedAt }),
    ...(sessionContext.sourceIdentity !== undefined && { sourceIdentity: sessionContext.sourceIdentity }),
  }
  return {
    caller: { principal: identity.principal, subject, accessKeyId, ...(session && { session }) },
    identity,
    sessionPolicies: subject.kind === 'federated-user' ? [UNKNOWN_SESSION_POLICY] : undefined,
    notes: session ? ['the session’s own policies and tags are not recorded, and are left out'] : [],
  }
}

/** The input as far as the event shows it: names with their first letters, times as times; bytes and hidden values empty. */
function recallInput(shape: Shape, shown: unknown): unknown {
  if (shown === undefined || shown === null) return undefined
  switch (shape.kind) {
    case 'timestamp':
      return new Date(String(shown))
    case 'blob':
    case 'stream':
      return Buffer.alloc(0)
    case 'bigint':
      return BigInt(Number(shown))
    case 'list':
      return (shown as unknown[]).map((item) => recallInput(shape.value.shape, item))
    case 'map':
      return Object.fromEntries(
        Object.entries(shown as object).map(([name, item]) => [name, recallInput(shape.value.shape, item)]),
      )
    case 'struct':
    case 'union':
      return Object.fromEntries(
        shape.members
          .map((member: Member) => [member.name, recallInput(member.shape, shownMember(shown, member.name))] as const)
          .filter(([, value]) => value !== undefined),
      )
    default:
      return shown
  }
}

const shownMember = (shown: unknown, name: string): unknown =>
  (shown as Readonly<Record<string, unknown>>)[name.charAt(0).toLowerCase() + name.slice(1)]
