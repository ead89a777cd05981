/** Events of API calls: each call that ran or was refused becomes one; floods of refusals become counts. */
import type { Store, Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { header } from '../../wire/http.ts'
import { redact } from '../../wire/wire.ts'
import {
  type EventDraft,
  type EventFacts,
  eventRecords,
  isoSeconds,
  MERLON_EVENT_SOURCE,
  newDraft,
  serviceEvent,
} from '../events/event.ts'
import { isSilent, parametersOf, responseElementsOf } from '../events/event-names.ts'
import type { Clock } from '../state/clock.ts'
import { asFault } from './faults.ts'
import { type AuditedOperation, accountOf, originalName, type RequestInfo } from './invocation.ts'
import { reasonOf } from './reason.ts'
import type { Registry } from './registry.ts'
import { ThrottledCalls, type ThrottledMinute } from './throttled-calls.ts'
import type { Attempt } from './transaction.ts'
import { refusalCountEvent, smallFacts, UnauthenticatedRefusals } from './unauthenticated-refusals.ts'

export class Recorder {
  readonly #store: Store
  readonly #clock: Clock
  readonly #registry: Registry
  readonly #throttled = new ThrottledCalls((minute) => this.#recordThrottled(minute))
  readonly #refusals = new UnauthenticatedRefusals(async (count) => {
    await this.#append(refusalCountEvent(count, this.#clock.now()))
  })

  constructor(store: Store, clock: Clock, registry: Registry) {
    this.#store = store
    this.#clock = clock
    this.#registry = registry
  }

  /** Adds the event of a call to the transaction: with its output when it ran, with the fault when it was refused. */
  record(
    unit: Unit,
    arrival: RequestInfo,
    { row, operation, shape, input, via }: AuditedOperation,
    draft: EventDraft,
    output: object | undefined,
    fault: Fault | undefined,
  ): void {
    const { authenticated, request } = arrival
    const readOnly = this.#registry.isReadOnly(operation)
    const { eventNames } = this.#registry.traits(row.id)
    const isAnonymous = authenticated.caller.principal.kind === 'anonymous'
    const facts: EventFacts = {
      draft,
      caller: authenticated.caller,
      // Callers without an account are recorded where the resource is.
      account: accountOf(authenticated) || (draft.resources[0]?.account ?? ''),
      region: draft.region ?? authenticated.region,
      timeMs: arrival.now,
      eventSource: row.eventSource,
      eventName: this.#registry.eventName(row.id, operation.name),
      readOnly,
      dataEvent: operation.dataEvent ?? false,
      invokedBy: via.at(-1),
      sourceAddress: via.at(-1) ?? request.remoteAddress,
      userAgent: via.at(-1) ?? header(request, 'user-agent') ?? '',
      requestId: arrival.requestId,
      tlsHost: header(request, 'host'),
      tls: request.tls,
      reason: isAnonymous ? undefined : reasonOf(request),
      requestParameters: input && parametersOf(eventNames, redact(shape.input, input)),
      // As CloudTrail: answers of reading calls are not kept.
      responseElements:
        readOnly || output === undefined || isSilent(eventNames, operation.name)
          ? null
          : responseElementsOf(eventNames, operation.name, redact(shape.output, output), draft.resources),
      // Services use different codes for invalid input: the event has the code that was returned to the caller.
      error: fault && {
        code: fault.code === 'ValidationError' ? row.validationCode : fault.code,
        message: fault.message,
      },
    }
    for (const record of eventRecords(fault && isAnonymous ? smallFacts(facts) : facts)) unit.append(record)
  }

  /** Nothing runs unrecorded: a refusal that cannot be recorded is an outage. */
  async recordRefusal(
    arrival: RequestInfo,
    invocation: AuditedOperation,
    draft: EventDraft,
    error: unknown,
    forwarded: Attempt['refused'] = [],
  ): Promise<void> {
    const fault = asFault(error)
    if (!this.#isRecorded(arrival, invocation, draft, fault)) return
    await this.#store.run(async (unit) => {
      for (const record of forwarded) record(unit)
      this.record(unit, arrival, invocation, draft, undefined, fault)
    })
  }

  /** Refusals of callers without an account are recorded in part: see {@link UnauthenticatedRefusals}. */
  #isRecorded(
    { authenticated, request, now }: RequestInfo,
    read: AuditedOperation,
    draft: EventDraft,
    fault: Fault,
  ): boolean {
    if (authenticated.caller.principal.kind !== 'anonymous') return true
    const [resource] = draft.resources
    const kind = {
      account: resource?.account ?? '',
      region: authenticated.region,
      eventSource: read.row.eventSource,
      eventName: this.#registry.eventName(read.row.id, read.operation.name),
      errorCode: fault.code,
      resource: draft.userIdentity && resource?.arn,
      remoteAddress: request.remoteAddress,
    }
    return this.#refusals.admit(kind, now)
  }

  /** Of an account's throttled calls the first in a minute is recorded, the rest as a number. */
  async recordThrottledCall(arrival: RequestInfo, read: AuditedOperation): Promise<void> {
    const { authenticated, now } = arrival
    const { caller, region } = authenticated
    const since = {
      account: accountOf(authenticated),
      subject: caller.subject,
      region,
      principal: originalName(authenticated),
      since: now,
    }
    if (!this.#throttled.isFirst(caller.accessKeyId, since)) return
    // As CloudTrail calls it, whatever code the service's clients get.
    await this.recordRefusal(arrival, read, newDraft(now), new Fault('ThrottlingException', 'Rate exceeded'))
  }

  /** The minute in which calls with this key were throttled already, if it still runs. */
  throttledMinute(accessKeyId: string): ThrottledMinute | undefined {
    return this.#throttled.minuteOf(accessKeyId)
  }

  #recordThrottled({ account, region, principal, since, calls, unproven }: ThrottledMinute): Promise<void> {
    const event = serviceEvent({
      account,
      region,
      timeMs: this.#clock.now(),
      eventSource: MERLON_EVENT_SOURCE,
      eventName: 'ThrottledCalls',
      resources: [],
      details: { principal, since: isoSeconds(since), calls, unproven },
    })
    return this.#append(event)
  }

  async #append(event: Parameters<Unit['append']>[0]): Promise<void> {
    await this.#store.run(async (unit) => unit.append(event))
  }

  /** Writes down the counts. */
  async close(): Promise<void> {
    await Promise.all([this.#throttled.close(), this.#refusals.close()])
  }
}
