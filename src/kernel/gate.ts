/**
 * The gate: every request passes the same five doors whatever the service.
 * Parse, authenticate, authorise, act, record; the change and its event commit together, or neither does.
 */
import { randomUUID } from 'node:crypto'
import type { Store, Unit } from '../store/store.ts'
import { ContentionError, UnavailableError } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import { InvalidInputFault } from '../wire/constraints.ts'
import { Fault } from '../wire/fault.ts'
import { type HttpRequest, type HttpResponse, header } from '../wire/http.ts'
import { type ServiceRow, services as serviceRows } from '../wire/services.ts'
import { carriesSignature } from '../wire/sigv4/index.ts'
import {
  chargedBytes,
  checkBody,
  checkSize,
  type Detected,
  decode,
  decodeInTurns,
  detect,
  encode,
  encodeFault,
  loadService,
  type OperationShape,
  redact,
  validate,
} from '../wire/wire.ts'
import type { Act, Acting, AuthorizeAs, CallAs } from './acting.ts'
import { isKnownAction, isReading } from './actions.ts'
import { type Authenticated, Authenticator, bearerCaller, itself, nobody } from './authenticate.ts'
import { type Asked, type AuthorizeFacts, authorize } from './authorize.ts'
import type { Call } from './call.ts'
import type { Clock } from './clock.ts'
import { absenceIn, ConditionKeys, type LazyConditions } from './condition-keys.ts'
import { Denial } from './denial.ts'
import {
  type EventDraft,
  type EventFacts,
  eventRecords,
  isoSeconds,
  MERLON_EVENT_SOURCE,
  newDraft,
  serviceEvent,
} from './event.ts'
import { eventNameOf, isSilent, parametersOf } from './event-words.ts'
import { checkSecret } from './failure-budget.ts'
import { absentGlobalKeys } from './global-keys.ts'
import { uniqueId } from './id.ts'
import type { Use } from './ports/port.ts'
import type { Ports } from './ports.ts'
import type { Quotas } from './quota.ts'
import { reasonOf } from './reason.ts'
import { type RecordedCall, type Replayed, replay } from './replay.ts'
import type { ResourceFacts } from './resource/facts.ts'
import type { BearerScheme } from './service/bearer.ts'
import type { Api, Operation, Service } from './service.ts'
import { type Entered, type Refused, type Scope, Throttle, ThrottledFault } from './throttle.ts'
import { ThrottledCalls, type ThrottledMinute } from './throttled-calls.ts'
import {
  type RefusalCount,
  refusalCountEvent,
  smallFacts,
  UnauthenticatedRefusals,
} from './unauthenticated-refusals.ts'

export interface GateOptions {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly ports: Ports
  readonly use: Use
  readonly services: readonly Service[]
  readonly quotas: Quotas
  /** Default: one of its own, with the default limits. */
  readonly throttle?: Throttle | undefined
  /** How the server is reached from outside. Default: as each request reached it. */
  readonly publicUrl?: string | undefined
  /** Told of every answer, for logs and metrics; never sees secrets. */
  readonly observe?: (answer: Answer) => void
  /** Called when policies could not be evaluated and the request was denied for that reason. */
  readonly onDecisionError?: ((error: unknown, requestId: string) => void) | undefined
}

/** One answered request, as logs and metrics see it. */
export interface Answer {
  readonly requestId: string
  readonly service: string
  readonly operation: string
  readonly status: number
  /** The fault's code; undefined on success. */
  readonly code: string | undefined
  /** Whose limit it was that refused the call. */
  readonly throttled: Scope | undefined
  readonly principal: string | undefined
  readonly tookMs: number
  /** The error behind an internal failure. */
  readonly cause: unknown
}

/** What stays the same while a request, and whatever it forwards, is handled. */
export interface Arrival {
  readonly request: Pick<HttpRequest, 'remoteAddress' | 'secure' | 'tls' | 'rawHeaders'>
  readonly authenticated: Authenticated
  readonly requestId: string
  readonly now: number
  /** What {@link Call.once} has done, in order. */
  readonly done: Promise<unknown>[]
}

/** One run of an operation, and of what it forwards, towards a commit. */
interface Attempt {
  readonly effects: (() => void)[]
  /** How many of {@link Arrival.done} it has come by. */
  steps: number
  /** What it forwarded in vain: on record whether or not the operation goes on without it. */
  readonly refused: ((unit: Unit) => void)[]
}

/** What an event tells of an operation, with the shapes that redact it. */
export interface Recorded {
  readonly row: ServiceRow
  readonly operation: Pick<Operation, 'name' | 'actions' | 'dataEvent'>
  readonly shape: OperationShape
  /** Undefined when it could not be read. */
  readonly input: object | undefined
  /** Services that forwarded it, outermost first. */
  readonly via: readonly string[]
}

/** An operation about to run. */
export interface Invocation extends Recorded {
  readonly operation: Operation
  readonly input: object
}

/** For callers that have not proved an identity yet: the largest such request has a SAML assertion. */
const UNPROVEN_BYTES_MAX = 256 * 1024

export class Gate {
  readonly #options: GateOptions
  readonly #authenticator: Authenticator
  readonly #throttle: Throttle
  readonly #throttled = new ThrottledCalls((minute) => this.#recordThrottled(minute))
  readonly #refusals = new UnauthenticatedRefusals((count) => this.#recordRefusalCount(count))
  readonly #invalidInput = new Map<string, NonNullable<Service['invalidInput']>>()
  readonly #operations = new Map<string, ReadonlyMap<string, Operation>>()
  readonly #keys: ConditionKeys
  readonly #absentKey: Call['absentKey']

  /** Throws when an operation asks for an action that IAM does not know: it could never be granted, nor denied by name. */
  constructor(options: GateOptions) {
    this.#options = options
    this.#authenticator = new Authenticator(options.store, options.vault, options.ports, (id, request) =>
      this.#refuseClaimed(id, request),
    )
    this.#throttle = options.throttle ?? new Throttle()
    this.#keys = new ConditionKeys(options.services)
    this.#absentKey = absenceIn([absentGlobalKeys, ...options.services.map(({ absentKeys }) => absentKeys)])
    for (const { api, operations, resources = [], invalidInput } of options.services) {
      const needed = [
        ...operations.map(({ name, actions, choice }) => ({ name, actions: [...actions, ...(choice?.among ?? [])] })),
        ...resources.map(({ spec }) => ({ name: spec.type, actions: spec.tags ? [spec.tags.action] : [] })),
      ]
      for (const { name, actions } of needed) {
        const unknown = actions.find((action) => !isKnownAction(action))
        if (unknown) throw new Error(`${api.id}:${name} has no authorisation mapping: IAM knows no action '${unknown}'`)
      }
      if (invalidInput) this.#invalidInput.set(api.id, invalidInput)
      this.#operations.set(api.id, new Map(operations.map((operation) => [operation.name, operation])))
    }
  }

  /** Answers whatever a socket brings; never throws. */
  async handle(request: HttpRequest): Promise<HttpResponse> {
    const startedAt = performance.now()
    const requestId = randomUUID()
    let detected: Detected | undefined
    let authenticated: Authenticated | undefined
    let fault: Fault | undefined
    let entered: Entered | undefined
    let response: HttpResponse
    try {
      const { clock } = this.#options
      const now = clock.now()
      detected = await detect(request)
      checkSize(detected, request)
      const built = this.#operations.get(detected.service.id)?.get(detected.operation ?? '')
      if (!built) await this.#refuseUnbuilt(detected, request)
      const unsigned = built?.unsigned
      // From here on nothing is older than the call: what other nodes had acknowledged by then binds here.
      const { store } = this.#options
      if (store.shared) await store.sync()
      authenticated = unsigned
        ? nobody(request)
        : await this.#authenticator.authenticate(request, detected.service, now, clock.real?.())
      const arrival: Arrival = { request, authenticated, requestId, now, done: [] }
      const bytes = chargedBytes(detected, request)
      const judged = unsigned
        ? this.#throttle.unsigned(request.remoteAddress, bytes)
        : this.#throttle.signed(accountOf(authenticated), authenticated.caller.subject, bytes)
      if ('scope' in judged) throw await this.#refused(detected, arrival, judged)
      entered = judged
      const { shape, output } = await this.#answer(detected, request, arrival)
      response = encode(detected, shape, output, requestId)
    } catch (error) {
      fault = asFault(error)
      const model = detected && (await loadService(detected.service))
      const explained = fault instanceof Denial ? this.#explained(fault, authenticated) : undefined
      const told = explained !== undefined && detected?.protocol === 'ec2' ? withExplanation(fault, explained) : fault
      response = encodeFault(request, detected, model, told, requestId)
      if (explained !== undefined) {
        response = { ...response, headers: { ...response.headers, 'x-merlon-authorization-message': explained } }
      }
    } finally {
      entered?.leave()
    }
    this.#options.observe?.({
      requestId,
      service: detected?.service.id ?? 'unknown',
      // Of services without a model the name is the caller's own text.
      operation: detected?.service.unbuilt ? 'unknown' : (detected?.operation ?? 'unknown'),
      status: response.status,
      code: fault?.code,
      throttled: fault instanceof ThrottledFault ? fault.scope : undefined,
      principal: authenticated && principalName(authenticated),
      tookMs: performance.now() - startedAt,
      cause: fault?.details.cause,
    })
    return response
  }

  /** Writes down what it has gathered. */
  async close(): Promise<void> {
    await Promise.all([this.#throttled.close(), this.#refusals.close()])
  }

  readonly act: Act = async (acting, api, name, input) => {
    const invocation = await this.#invocation(api, name, input as object, [])
    const arrival: Arrival = {
      ...(invocation.operation.unsigned && acting.client
        ? {
            request: requestOf(acting.client),
            authenticated: { ...nobody({ body: Buffer.alloc(0) }), region: acting.region },
          }
        : {
            request: { remoteAddress: acting.service, secure: true, rawHeaders: ['User-Agent', acting.service] },
            authenticated: itself(acting),
          }),
      requestId: randomUUID(),
      now: this.#options.clock.now(),
      done: [],
    }
    // biome-ignore lint/suspicious/noExplicitAny: typed by its signature; the registry is not.
    return (await this.#transact(arrival, invocation)) as any
  }

  readonly callAs: CallAs = async (from, api, name, input) => {
    const { session, accessKeyId, region, request, now, unit, effects, done } = from
    const authenticated = await this.#authenticator.resume(session, accessKeyId, region, now)
    const arrival: Arrival = { request, authenticated, requestId: randomUUID(), now, done }
    const attempt: Attempt = { effects, steps: 0, refused: [] }
    const draft = draftOf(arrival)
    const invocation = await this.#invocation(api, name, input as object, [])
    try {
      // biome-ignore lint/suspicious/noExplicitAny: typed by its signature; the registry is not.
      return (await this.#perform(unit, arrival, invocation, draft, attempt)) as any
    } catch (error) {
      if (error instanceof Fault) this.#record(unit, arrival, invocation, draft, undefined, error)
      throw error
    } finally {
      for (const record of attempt.refused) record(unit)
    }
  }

  readonly authorizeAs: AuthorizeAs = async ({ session, accessKeyId, region, request, now }, action, arn) => {
    const authenticated = await this.#authenticator.resume(session, accessKeyId, region, now)
    const arrival: Arrival = { request, authenticated, requestId: randomUUID(), now, done: [] }
    const acted: ResourceFacts = { arn, type: '', account: session.account }
    const asked: Asked = { action, acted, input: undefined, conditions: {} }
    authorize(asked, await this.#facts(arrival, { via: [] }, asked))
  }

  /** What decided a recorded call, and what the policies of today say to it. Nothing is written. */
  replay(event: RecordedCall): Promise<readonly Replayed[]> {
    const { store, ports } = this.#options
    return replay(event, {
      store,
      ports,
      operation: (service, name) => this.#operations.get(service)?.get(name),
      call: (unit, arrival, invocation) => ({
        ...this.#call(unit, arrival, invocation, newDraft(arrival.now), { effects: [], steps: 0, refused: [] }),
        checkSecret: () => Promise.reject(new Error('A replayed call checks no secret: that would spend it.')),
      }),
      conditions: (invocation, action, call, row, given) => this.#conditions(invocation, action, call, row, given),
      facts: (arrival, invocation, asked) => this.#facts(arrival, invocation, asked),
    })
  }

  /** What code asks for, checked as if it had come over the wire. */
  async #invocation(api: Api<unknown>, name: string, input: object, via: readonly string[]): Promise<Invocation> {
    const row = serviceRows.find((candidate) => candidate.id === api.id)!
    const model = await loadService(row)
    const shape = model.operations.get(name)
    const operation = this.#operations.get(api.id)?.get(name)
    if (!shape || !operation) throw notImplemented(row, name)
    this.#validate(row, () => validate(model, shape, input))
    return { row, operation, shape, input, via }
  }

  /** Input that breaks the model is refused in the service's own words where it has some. */
  #validate({ id }: ServiceRow, check: () => void): void {
    try {
      check()
    } catch (error) {
      throw (error instanceof InvalidInputFault && this.#invalidInput.get(id)?.(error.violations)) || error
    }
  }

  async #answer(
    detected: Detected,
    request: HttpRequest,
    arrival: Arrival,
  ): Promise<{ shape: OperationShape; output: object }> {
    const { service, operation: name = '' } = detected
    const model = await loadService(service)
    // What nobody can name leaves no event, as in AWS: decoding it throws.
    const shape = model.operations.get(name) ?? decode(detected, model, request).operation
    const operation = this.#operations.get(service.id)?.get(name)
    if (operation?.unsigned && request.body.length > UNPROVEN_BYTES_MAX) throw tooLarge()
    let read: Recorded = {
      row: service,
      operation: operation ?? { name, actions: [] },
      shape,
      input: undefined,
      via: [],
    }
    let invocation: Invocation
    let proven: Arrival
    try {
      if (!operation) throw notImplemented(service, name)
      const proved = { ...request, body: arrival.authenticated.body }
      checkBody(detected, shape, proved)
      const { input } = await decodeInTurns(detected, model, proved)
      read = invocation = { ...read, operation, input }
      this.#validate(service, () => validate(model, shape, input))
      proven = operation.bearer ? await this.#proven(operation.bearer, request, arrival, input) : arrival
    } catch (error) {
      await this.#recordRefusal(arrival, read, newDraft(arrival.now), error)
      throw error
    }
    const slot = this.#enterBearer(proven, chargedBytes(detected, request))
    try {
      return { shape, output: await this.#transact(proven, invocation) }
    } finally {
      slot?.leave()
    }
  }

  /** The subject that a token proves has a limit of its own, beside that of the address. Throws a {@link ThrottledFault}. */
  #enterBearer({ authenticated: { bearer } }: Arrival, bytes: number): Entered | undefined {
    if (!bearer) return undefined
    const entered = this.#throttle.bearer(bearer.account, bearer.identity.principalId, bytes)
    if ('scope' in entered) throw new ThrottledFault(entered)
    return entered
  }

  async #proven(
    scheme: BearerScheme<unknown>,
    request: HttpRequest,
    arrival: Arrival,
    input: object,
  ): Promise<Arrival> {
    const { vault, store } = this.#options
    const at = { request, input, vault, now: arrival.now, reader: store.reader }
    return { ...arrival, authenticated: await bearerCaller(scheme, arrival.authenticated, at) }
  }

  /** Runs until a commit succeeds. A refusal writes nothing but its own event. */
  async #transact(arrival: Arrival, invocation: Invocation): Promise<object> {
    const { store } = this.#options
    let draft: EventDraft | undefined
    let attempt: Attempt = { effects: [], steps: 0, refused: [] }
    try {
      const output = await store.run(async (unit) => {
        attempt = { effects: [], steps: 0, refused: [] }
        draft = draftOf(arrival)
        const output = await this.#perform(unit, arrival, invocation, draft, attempt)
        for (const record of attempt.refused) record(unit)
        return output
      })
      for (const effect of attempt.effects) effect()
      return output
    } catch (error) {
      // Change and event are both written, or neither: which, nobody can say, and an event of a failure might be a lie.
      if (error instanceof UnavailableError) throw error
      await this.#recordRefusal(arrival, invocation, draft ?? draftOf(arrival), error, attempt.refused)
      throw error
    }
  }

  /** Nothing runs unrecorded: a refusal that cannot be recorded is an outage. */
  async #recordRefusal(
    arrival: Arrival,
    invocation: Recorded,
    draft: EventDraft,
    error: unknown,
    forwarded: Attempt['refused'] = [],
  ): Promise<void> {
    const fault = asFault(error)
    if (!this.#isRecorded(arrival, invocation, draft, fault)) return
    await this.#options.store.run(async (unit) => {
      for (const record of forwarded) record(unit)
      this.#record(unit, arrival, invocation, draft, undefined, fault)
    })
  }

  /** Refusals of callers without an account are recorded in part: see {@link UnauthenticatedRefusals}. */
  #isRecorded({ authenticated, request, now }: Arrival, read: Recorded, draft: EventDraft, fault: Fault): boolean {
    if (authenticated.caller.principal.kind !== 'anonymous') return true
    const [resource] = draft.resources
    const kind = {
      account: resource?.account ?? '',
      region: authenticated.region,
      eventSource: read.row.eventSource,
      eventName: eventNameOf(read.row.id, read.operation.name),
      errorCode: fault.code,
      resource: draft.userIdentity && resource?.arn,
      remoteAddress: request.remoteAddress,
    }
    return this.#refusals.admit(kind, now)
  }

  async #recordRefusalCount(count: RefusalCount): Promise<void> {
    const event = refusalCountEvent(count, this.#options.clock.now())
    await this.#options.store.run(async (unit) => unit.append(event))
  }

  /**
   * What is not built is refused by name: services without a row, and operations that need no signature, before
   * authentication. Any other call of a service with a row is authenticated and recorded first.
   */
  async #refuseUnbuilt({ service, operation }: Detected, request: HttpRequest): Promise<void> {
    if (service.unbuilt) throw notImplemented(service, operation)
    if (operation === undefined || carriesSignature(request)) return
    if ((await loadService(service)).unsigned.has(operation)) throw notImplemented(service, operation)
  }

  /** What a throttled caller is told. It costs little: nothing is decoded, and few leave an event. */
  async #refused({ service, operation = '' }: Detected, arrival: Arrival, refused: Refused): Promise<Fault> {
    const { authenticated, now } = arrival
    const { caller, region } = authenticated
    const account = accountOf(authenticated)
    // Who is nobody leaves none, like everyone whose signature fails.
    const shape = account ? (await loadService(service)).operations.get(operation) : undefined
    const opened = { account, subject: caller.subject, region, principal: originalName(authenticated), since: now }
    if (shape && this.#throttled.isFirst(caller.accessKeyId, opened)) {
      const known = this.#operations.get(service.id)?.get(operation) ?? { name: operation, actions: [] }
      const read: Recorded = { row: service, operation: known, shape, input: undefined, via: [] }
      // As CloudTrail calls it, whatever the service's clients are told.
      await this.#recordRefusal(arrival, read, newDraft(now), new Fault('ThrottlingException', 'Rate exceeded'))
    }
    return new ThrottledFault(refused)
  }

  /**
   * Who claims to be somebody who is over their limit need not prove it: the claim true or false, they are refused. To
   * hash a large body costs more than to run most calls.
   */
  #refuseClaimed(accessKeyId: string, { body }: HttpRequest): void {
    const minute = this.#throttled.minuteOf(accessKeyId)
    const refused = minute && this.#throttle.short(minute.account, minute.subject, body.length)
    if (!refused) return
    minute.unproven++
    throw new ThrottledFault(refused)
  }

  async #recordThrottled({ account, region, principal, since, calls, unproven }: ThrottledMinute): Promise<void> {
    const event = serviceEvent({
      account,
      region,
      timeMs: this.#options.clock.now(),
      eventSource: MERLON_EVENT_SOURCE,
      eventName: 'ThrottledCalls',
      resources: [],
      details: { principal, since: isoSeconds(since), calls, unproven },
    })
    await this.#options.store.run(async (unit) => unit.append(event))
  }

  async #perform(
    unit: Unit,
    arrival: Arrival,
    invocation: Invocation,
    draft: EventDraft,
    attempt: Attempt,
  ): Promise<object> {
    const { operation, input } = invocation
    const call = this.#call(unit, arrival, invocation, draft, attempt)

    const found = await operation.target.find(call, input)
    draft.resources = found.acted ? [found.acted] : []
    const { acted, tagging } = found
    const given = {
      ...acted?.conditions,
      ...(await operation.conditions?.(input, call, found.row)),
      ...tagging?.conditions,
    }
    for (const action of operation.choice?.of(input) ?? operation.actions) {
      const conditions = this.#conditions(invocation, action, call, found.row, given)
      await this.#authorize(arrival, invocation, draft, { action, acted, input, conditions })
    }
    // Tags given on creation need the permission to tag, as in AWS: no service can forget it.
    if (tagging) {
      const { action } = tagging
      const tagged = tagging.acted ?? acted
      const conditions = this.#conditions(invocation, action, call, found.row, {
        ...tagged?.conditions,
        ...tagging.conditions,
      })
      await this.#authorize(arrival, invocation, draft, { action, acted: tagged, input: undefined, conditions })
    }
    // Only now may the caller learn that the resource does not exist.
    if (found.row === undefined && found.missing) throw found.missing()

    const output: object = await operation.run(call, input, found.row)
    this.#record(unit, arrival, invocation, draft, output, undefined)
    return output
  }

  #conditions(invocation: Invocation, action: string, call: Call, row: unknown, given: LazyConditions): LazyConditions {
    return this.#keys.of(invocation.row.id, action, { input: invocation.input, call, row }, given)
  }

  #call(unit: Unit, arrival: Arrival, invocation: Invocation, draft: EventDraft, attempt: Attempt): Call {
    const { vault, ports, use, quotas } = this.#options
    const { caller, region, bearer } = arrival.authenticated
    const call: Call = {
      partition: 'aws',
      region,
      account: accountOf(arrival.authenticated),
      caller,
      bearer,
      signature: arrival.authenticated.signature,
      tlsVersion: arrival.request.tls?.version,
      now: arrival.now,
      requestId: arrival.requestId,
      operation: invocation.operation.name,
      origin: this.#options.publicUrl ?? originOf(arrival.request),
      via: invocation.via,
      unit,
      vault,
      ports,
      use,
      quotas,
      event: draft,
      absentKey: this.#absentKey,
      newId: () => randomUUID(),
      uniqueId,
      authorize: async (action, resource, conditions = {}) => {
        const acted = typeof resource === 'string' ? await actedByArn(call, resource) : resource
        await this.#authorize(arrival, invocation, draft, { action, acted, input: undefined, conditions })
      },
      forward: async (api: Api<unknown>, name: string, input: object, elsewhere: string = region) => {
        const forwarded = await this.#invocation(api, name, input, [...invocation.via, invocation.row.eventSource])
        const there: Arrival =
          elsewhere === region
            ? arrival
            : { ...arrival, authenticated: { ...arrival.authenticated, region: elsewhere } }
        const draft = draftOf(arrival)
        const output = await this.#perform(unit, there, forwarded, draft, attempt).catch((error: unknown) => {
          attempt.refused.push((into) => this.#record(into, there, forwarded, draft, undefined, asFault(error)))
          throw error
        })
        // biome-ignore lint/suspicious/noExplicitAny: `forward` is typed by its signature in Call; the registry is not.
        return output as any
      },
      once: <T>(effect: () => Promise<T>) => (arrival.done[attempt.steps++] ??= effect()) as Promise<T>,
      checkSecret: (secret, compare) =>
        call.once(() => checkSecret(this.#options.store, secret, { now: arrival.now, region }, compare)),
      act: this.act,
      afterCommit: (effect) => void attempt.effects.push(effect),
    }
    return call
  }

  async #authorize(arrival: Arrival, invocation: Invocation, draft: EventDraft, asked: Asked): Promise<void> {
    try {
      draft.decided.push(authorize(asked, await this.#facts(arrival, invocation, asked)))
    } catch (error) {
      if (error instanceof Denial) {
        draft.decided.push(error.decided)
        const cause = error.decided.decision.error
        if (cause !== undefined) this.#options.onDecisionError?.(cause, arrival.requestId)
      }
      throw error
    }
  }

  async #facts(arrival: Arrival, invocation: Pick<Invocation, 'via'>, asked: Asked): Promise<AuthorizeFacts> {
    const { authenticated, request, now } = arrival
    const { standing, acting } = authenticated
    const { organizations } = this.#options.ports
    const owner = asked.acted?.account ?? accountOf(authenticated)
    // A service has no account, so no standing: neither in the account it acts for nor, there, above the owner's RCPs.
    const isCallers = acting === undefined && owner === accountOf(authenticated)
    const ownerStanding = isCallers ? standing : await organizations.standing(owner)
    const sourceStanding = acting && (await organizations.standing(acting.account))
    return {
      caller: authenticated.caller,
      identity: authenticated.identity,
      sessionPolicies: authenticated.sessionPolicies,
      region: authenticated.region,
      standing,
      ownerStanding,
      sourceStanding,
      now,
      sourceAddress: request.remoteAddress,
      secure: request.secure,
      userAgent: header(request, 'user-agent'),
      referer: header(request, 'referer'),
      via: invocation.via,
      acting,
    }
  }

  #record(
    unit: Unit,
    arrival: Arrival,
    { row, operation, shape, input, via }: Recorded,
    draft: EventDraft,
    output: object | undefined,
    fault: Fault | undefined,
  ): void {
    const { authenticated, request } = arrival
    const readOnly = isReadOnly(operation)
    const facts: EventFacts = {
      draft,
      caller: authenticated.caller,
      // Whom nobody knows is on record where the resource is.
      account: accountOf(authenticated) || (draft.resources[0]?.account ?? ''),
      region: draft.region ?? authenticated.region,
      timeMs: arrival.now,
      eventSource: row.eventSource,
      eventName: eventNameOf(row.id, operation.name),
      readOnly,
      dataEvent: operation.dataEvent ?? false,
      invokedBy: via.at(-1),
      sourceAddress: via.at(-1) ?? request.remoteAddress,
      userAgent: via.at(-1) ?? header(request, 'user-agent') ?? '',
      requestId: arrival.requestId,
      tlsHost: header(request, 'host'),
      tls: request.tls,
      reason: authenticated.caller.principal.kind === 'anonymous' ? undefined : reasonOf(request),
      requestParameters: input && parametersOf(row.id, redact(shape.input, input)),
      // As CloudTrail: answers of reading calls are not kept.
      responseElements:
        readOnly || output === undefined || isSilent(row.id, operation.name) ? null : redact(shape.output, output),
      // Of bad input each service has its own word, and the record is of the one its caller was told.
      error: fault && {
        code: fault.code === 'ValidationError' ? row.validationCode : fault.code,
        message: fault.message,
      },
    }
    const isUnauthenticated = authenticated.caller.principal.kind === 'anonymous'
    for (const record of eventRecords(fault && isUnauthenticated ? smallFacts(facts) : facts)) unit.append(record)
  }

  /** What decided, sealed for the caller's account: it goes beside the plain sentence. */
  #explained(denial: Denial, authenticated: Authenticated | undefined): string | undefined {
    if (!authenticated) return undefined
    const message = Buffer.from(JSON.stringify(denial.explanation))
    return this.#options.vault.issue('authorization-message', accountOf(authenticated), message)
  }
}

/** EC2's protocol carries the encoded message in the sentence, where its clients look for it. */
const withExplanation = ({ code, message }: Fault, encoded: string): Fault =>
  new Fault(
    code,
    `You are not authorized to perform this operation. ${message}. Encoded authorization failure message: ${encoded}`,
  )

/** A resource of the caller's account that a request names besides its target. Roles are looked up for their tags. */
async function actedByArn(call: Call, arn: string): Promise<ResourceFacts | undefined> {
  if (arn === '*') return undefined
  const role = isRoleArn(arn) ? await call.ports.identity.role(call.unit, arn) : undefined
  return { arn, type: '', account: call.account, tags: role?.account === call.account ? role.tags : undefined }
}

const isRoleArn = (arn: string): boolean => /^arn:[^:]*:iam::[^:]*:role\//.test(arn)

/** The request of a client, as far as a service that forwards it passes it on. */
function requestOf({ remoteAddress, userAgent, isSecure }: NonNullable<Acting['client']>): Arrival['request'] {
  return { remoteAddress, secure: isSecure, rawHeaders: ['User-Agent', userAgent] }
}

/** What the client calls us. */
function originOf(request: Arrival['request']): string {
  return `${request.secure ? 'https' : 'http'}://${header(request, 'host') ?? 'localhost'}`
}

/** By the action; operations without permission go by their names. */
function isReadOnly({ name, actions }: Pick<Operation, 'name' | 'actions'>): boolean {
  const [action] = actions
  if (action === undefined) return /^(Get|List|Describe|Lookup)/.test(name)
  return isReading(action)
}

function notImplemented({ id, iamPrefix, unbuilt }: ServiceRow, operation: string | undefined): Fault {
  const name = operation === undefined ? iamPrefix : `${iamPrefix}:${operation}`
  // Several services share a prefix: the client's own name of the service says which one is meant.
  const service = unbuilt && id !== iamPrefix ? ` (${id})` : ''
  return new Fault('NotImplemented', `Merlon does not implement ${name}${service}.`, { status: 400 })
}

/** Everything that is not a fault is ours to mend: the caller learns only that it happened. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (error instanceof UnavailableError) {
    return new Fault('ServiceUnavailable', 'The service cannot reach its data at the moment. Please try again.', {
      cause: error,
    })
  }
  if (error instanceof ContentionError) {
    return new Fault('ServiceUnavailable', 'Too many requests changed the same resource. Please try again.', {
      cause: error,
    })
  }
  return new Fault('InternalFailure', 'The request processing has failed because of an unknown error.', {
    cause: error,
  })
}

export function accountOf({ caller, acting, bearer }: Authenticated): string {
  return 'account' in caller.principal ? caller.principal.account : (acting?.account ?? bearer?.account ?? '')
}

/** A token's caller has a user of its own in the audit log. */
function draftOf({ now, authenticated: { bearer } }: Arrival): EventDraft {
  const draft = newDraft(now)
  if (bearer) draft.userIdentity = bearer.identity
  return draft
}

const tooLarge = (): Fault =>
  new Fault('RequestEntityTooLarge', `An unsigned request can have at most ${UNPROVEN_BYTES_MAX} bytes.`, {
    status: 413,
  })

/** Whose session it is. */
function originalName(authenticated: Authenticated): string {
  const { principal } = authenticated.caller
  if (principal.kind === 'role-session') return principal.roleArn
  return principal.kind === 'federated-user' ? principal.issuerArn : principalName(authenticated)
}

function principalName({ caller }: Authenticated): string {
  return 'arn' in caller.principal ? caller.principal.arn : caller.principal.kind
}
