/**
 * The gate: every API request passes the same stages whatever the service. Detect, authenticate, throttle, decode, authorize,
 * run, record; the change and its event commit together, or neither does. Each stage is a file in `gate/`.
 */
import { randomUUID } from 'node:crypto'
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { saysEncodedMessage } from '../../wire/services.ts'
import { carriesSignature } from '../../wire/sigv4/index.ts'
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
  validate,
} from '../../wire/wire.ts'
import { newDraft } from '../events/event.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import type { EndpointFilter } from '../ports/request-filter.ts'
import { type Absence, type AbsentKeys, absenceIn } from '../resource/absent-keys.ts'
import { ConditionKeys } from '../resource/condition-keys.ts'
import { absentGlobalKeys } from '../resource/global-keys.ts'
import type { BearerScheme } from '../service/bearer.ts'
import type { Quotas } from '../service/quota.ts'
import type { Service } from '../service/service.ts'
import type { Clock } from '../state/clock.ts'
import { type Authenticated, Authenticator, anonymousCaller, bearerCaller } from './authenticate.ts'
import { callers } from './callers.ts'
import { DecisionMaker } from './decision-maker.ts'
import { Denial } from './denial.ts'
import { assertAllowed, FilteredFault } from './endpoint-filter.ts'
import { asFault, checkUnproven, notImplemented } from './faults.ts'
import {
  type AuditedOperation,
  accountOf,
  type OperationCall,
  principalName,
  type RequestInfo,
  type RequestOutcome,
} from './invocation.ts'
import { Recorder } from './recorder.ts'
import { type OpenAll, Registry } from './registry.ts'
import { type RecordedCall, type Replayed, replay } from './replay.ts'
import { Runner } from './runner.ts'
import type { ActAs, AuthorizeAs, CallAs, CallAsRoot } from './service-caller.ts'
import { setupMistake } from './setup-mistakes.ts'
import { Throttle, ThrottledFault, type ThrottleRejection, type ThrottleSlot } from './throttle.ts'
import { newAttempt } from './transaction.ts'
import { assertUnfiltered } from './unsigned-filter.ts'

export type { RequestOutcome } from './invocation.ts'

export interface GateOptions {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly ports: Ports
  readonly use: Use
  readonly services: readonly Service[]
  /** Opens the services that are opened when they are first needed, and adds them; undefined when all are open. */
  readonly openAll?: OpenAll | undefined
  readonly quotas: Quotas
  /** Default: one of its own, with the default limits. */
  readonly throttle?: Throttle | undefined
  /** How the server is reached from outside. Default: as each request reached it. */
  readonly publicUrl?: string | undefined
  /** Called with every answer, for logs and metrics; never sees secrets. */
  readonly observe?: (answer: RequestOutcome) => void
  /** Called when policies could not be evaluated and the request was denied for that reason. */
  readonly onDecisionError?: ((error: unknown, requestId: string) => void) | undefined
  /** The web ACL of the endpoint. */
  readonly endpointFilter?: EndpointFilter | undefined
}

export class Gate {
  readonly #options: GateOptions
  readonly #registry: Registry
  readonly #conditionKeys: ConditionKeys
  #absentKeys: readonly (AbsentKeys | undefined)[]
  #absentKey: Absence
  readonly #authenticator: Authenticator
  readonly #throttle: Throttle
  readonly #decisions: DecisionMaker
  readonly #recorder: Recorder
  readonly #runner: Runner
  /** Calls an operation as a service principal. */
  readonly actAs: ActAs
  /** Calls an operation as a signed-in person. */
  readonly callAs: CallAs
  /** Calls an operation as an account's root user, with the operator's authority. */
  readonly callAsRoot: CallAsRoot
  readonly authorizeAs: AuthorizeAs

  /** Throws when an operation needs an action that IAM does not know. */
  constructor(options: GateOptions) {
    const { store, vault, clock, ports, use, services, quotas, publicUrl, onDecisionError } = options
    const registry = new Registry(services, options.openAll)
    const conditionKeys = new ConditionKeys(services)
    this.#absentKeys = [absentGlobalKeys, ...services.map(({ absentKeys }) => absentKeys)]
    this.#absentKey = absenceIn(this.#absentKeys)
    const decisions = new DecisionMaker({
      organizations: () => ports.organizations,
      exemptFromRcps: registry.exemptFromRcps,
      onDecisionError,
    })
    const recorder = new Recorder(store, clock, registry)
    const authenticator = new Authenticator(store, vault, ports, {
      refuseClaimed: (id, request) => this.#refuseClaimed(id, request),
      acceptsSession: (service, session) => registry.traits(service).acceptsSession?.(session) ?? true,
    })
    const runner = new Runner({
      store,
      vault,
      ports,
      use,
      quotas,
      publicUrl,
      actAs: (...call) => this.actAs(...call),
      registry,
      conditionKeys,
      absentKey: () => this.#absentKey,
      decisions,
      recorder,
    })
    const calls = callers({ clock, registry, decisions, recorder, runner, authenticator })
    this.#options = options
    this.#registry = registry
    this.#conditionKeys = conditionKeys
    this.#authenticator = authenticator
    this.#throttle = options.throttle ?? new Throttle()
    this.#decisions = decisions
    this.#recorder = recorder
    this.#runner = runner
    this.actAs = calls.actAs
    this.callAs = calls.callAs
    this.callAsRoot = calls.callAsRoot
    this.authorizeAs = calls.authorizeAs
  }

  /** Serves more services. Throws like the constructor. */
  add(services: readonly Service[]): void {
    this.#registry.add(services)
    this.#conditionKeys.add(services)
    this.#absentKeys = [...this.#absentKeys, ...services.map(({ absentKeys }) => absentKeys)]
    this.#absentKey = absenceIn(this.#absentKeys)
  }

  /** Answers every request that a socket brings; never throws. */
  async handle(request: HttpRequest): Promise<HttpResponse> {
    const startedAt = performance.now()
    const requestId = randomUUID()
    let detected: Detected | undefined
    let authenticated: Authenticated | undefined
    let fault: Fault | undefined
    let entered: ThrottleSlot | undefined
    let response: HttpResponse
    try {
      const { clock, store } = this.#options
      const now = clock.now()
      detected = await detect(request)
      checkSize(detected, request)
      const opening = detected.service.unbuilt ? undefined : this.#registry.opened(detected.service.id)
      if (opening) await opening
      const built = this.#registry.operation(detected.service.id, detected.operation)
      if (!built) await refuseUnbuilt(detected, request)
      const unsigned = built?.unsigned
      // The service that issued a token verifies it.
      if (unsigned) await this.#registry.openedAll()
      // From here on nothing is older than the call: what other nodes had acknowledged by then binds here.
      if (store.shared) await store.sync()
      await assertAllowed(this.#options.endpointFilter, request, requestId)
      authenticated = unsigned
        ? anonymousCaller(request)
        : await this.#authenticator.authenticate(request, detected.service, now, clock.real?.())
      const arrival: RequestInfo = { request, authenticated, requestId, now, done: [] }
      const bytes = chargedBytes(detected, request)
      const decided = unsigned
        ? this.#throttle.unsigned(request.remoteAddress, bytes)
        : this.#throttle.signed(accountOf(authenticated), authenticated.caller.subject, bytes)
      if ('scope' in decided) throw await this.#throttled(detected, arrival, decided)
      entered = decided
      const { shape, output } = await this.#answer(detected, request, arrival)
      response = encode(detected, shape, output, requestId)
    } catch (error) {
      fault = asFault(error)
      const explained = fault instanceof Denial ? this.#explained(fault, authenticated) : undefined
      const shown =
        explained !== undefined && saysEncodedMessage(detected?.protocol) ? withExplanation(fault, explained) : fault
      response =
        (fault instanceof FilteredFault ? fault.response : undefined) ??
        encodeFault(request, detected, detected && (await loadService(detected.service)), shown, requestId)
      if (explained !== undefined) {
        response = { ...response, headers: { ...response.headers, 'x-merlon-authorization-message': explained } }
      }
    } finally {
      entered?.release()
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
      mistake: fault && !authenticated ? setupMistake(request, fault, this.#options.clock.now()) : undefined,
    })
    return response
  }

  /** Writes down the counts that it has gathered. */
  close(): Promise<void> {
    return this.#recorder.close()
  }

  /** What decided a recorded call, and what the policies of today say to it. Nothing is written. */
  async replay(event: RecordedCall): Promise<readonly Replayed[]> {
    const { store, ports } = this.#options
    await this.#registry.openedAll()
    return replay(event, {
      store,
      ports,
      operation: (service, name) => this.#registry.operation(service, name),
      eventNames: (service) => this.#registry.traits(service).eventNames,
      call: (unit, arrival, invocation) => ({
        ...this.#runner.call(unit, arrival, invocation, newAttempt(newDraft(arrival.now))),
        checkSecret: () => Promise.reject(new Error('A replayed call checks no secret: that would spend it.')),
        commitNow: () => Promise.reject(new Error('A replayed call writes nothing.')),
      }),
      conditions: (invocation, action, call, row, given) =>
        this.#runner.conditions(invocation, action, call, row, given),
      facts: (arrival, invocation, check) => this.#decisions.facts(arrival, invocation, check),
    })
  }

  async #answer(
    detected: Detected,
    request: HttpRequest,
    arrival: RequestInfo,
  ): Promise<{ shape: OperationShape; output: object }> {
    const { service, operation: name = '' } = detected
    const model = await loadService(service)
    // An operation that the model does not name leaves no event, as in AWS: decoding it throws.
    const shape = model.operations.get(name) ?? decode(detected, model, request).operation
    const operation = this.#registry.operation(service.id, name)
    if (operation?.unsigned) checkUnproven(request.body.length)
    let read: AuditedOperation = {
      row: service,
      operation: operation ?? { name, actions: [] },
      shape,
      input: undefined,
      via: [],
    }
    let invocation: OperationCall
    let proven: RequestInfo
    try {
      if (!operation) throw notImplemented(service, name)
      const proved = { ...request, body: arrival.authenticated.body }
      checkBody(detected, shape, proved)
      const { input } = await decodeInTurns(detected, model, proved)
      read = invocation = { ...read, operation, input }
      this.#registry.validated(service, () => validate(model, shape, input))
      if (operation.unsigned) {
        const { requestId } = arrival
        const { protectedOperations } = this.#registry.traits(service.id)
        await assertUnfiltered(protectedOperations, this.#options, { input, request, requestId })
      }
      proven = operation.bearer ? await this.#proven(operation.bearer, request, arrival, input) : arrival
    } catch (error) {
      await this.#recorder.recordRefusal(arrival, read, newDraft(arrival.now), error)
      throw error
    }
    const slot = this.#enterBearer(proven, chargedBytes(detected, request))
    try {
      return { shape, output: await this.#runner.transact(proven, invocation) }
    } finally {
      slot?.release()
    }
  }

  /** The subject that a token proves has a limit of its own, beside that of the address. Throws a {@link ThrottledFault}. */
  #enterBearer({ authenticated: { bearer } }: RequestInfo, bytes: number): ThrottleSlot | undefined {
    if (!bearer) return undefined
    const entered = this.#throttle.bearer(bearer.account, bearer.identity.principalId, bytes)
    if ('scope' in entered) throw new ThrottledFault(entered)
    return entered
  }

  async #proven(
    scheme: BearerScheme<unknown>,
    request: HttpRequest,
    arrival: RequestInfo,
    input: object,
  ): Promise<RequestInfo> {
    const { vault, store } = this.#options
    const at = { request, input, vault, now: arrival.now, reader: store.reader }
    return { ...arrival, authenticated: await bearerCaller(scheme, arrival.authenticated, at) }
  }

  /** The answer to a throttled caller. It costs little: nothing is decoded, and few leave an event. */
  async #throttled(
    { service, operation = '' }: Detected,
    arrival: RequestInfo,
    refused: ThrottleRejection,
  ): Promise<Fault> {
    // Unsigned callers have no account and leave no event, like callers whose signature is invalid.
    const isKnown = accountOf(arrival.authenticated) !== ''
    const shape = isKnown ? (await loadService(service)).operations.get(operation) : undefined
    if (shape) {
      const known = this.#registry.operation(service.id, operation) ?? { name: operation, actions: [] }
      const read: AuditedOperation = { row: service, operation: known, shape, input: undefined, via: [] }
      await this.#recorder.recordThrottledCall(arrival, read)
    }
    return new ThrottledFault(refused)
  }

  /**
   * A caller that claims a key whose owner is over the limit is refused without proof, whether or not the claim is true: to
   * hash a large body costs more than to run most calls.
   */
  #refuseClaimed(accessKeyId: string, { body }: HttpRequest): void {
    const minute = this.#recorder.throttledMinute(accessKeyId)
    const refused = minute && this.#throttle.short(minute.account, minute.subject, body.length)
    if (!refused) return
    minute.unproven++
    throw new ThrottledFault(refused)
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

/**
 * What is not built is refused by name: services without a row, and operations that need no signature, before
 * authentication. Any other call of a service with a row is authenticated and recorded first.
 */
async function refuseUnbuilt({ service, operation }: Detected, request: HttpRequest): Promise<void> {
  if (service.unbuilt) throw notImplemented(service, operation)
  if (operation === undefined || carriesSignature(request)) return
  if ((await loadService(service)).unsigned.has(operation)) throw notImplemented(service, operation)
}
