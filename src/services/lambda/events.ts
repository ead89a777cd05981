/**
 * Events: asynchronous invocations. Retried twice when the function fails, as AWS does, and for six hours when it could
 * not start.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'
import { type FunctionRow, rowKey } from './resources.ts'
import { invoke, workerOfJob } from './running.ts'

export const INVOKE_JOB = 'lambda.invoke'

const RETRY_MS = [60_000, 120_000]
const AGE_MS_MAX = 6 * 3_600_000

interface Event {
  readonly scope: Pick<Scope, 'partition' | 'account' | 'region'>
  readonly name: string
  /** A published one; undefined for `$LATEST`. */
  readonly version?: number
  /** Of the function: a later one with the same name does not match. */
  readonly id: string
  readonly requestId: string
  readonly askedAt: number
  /** How often it has failed. */
  readonly failures: number
  readonly sealed: Sealed
}

const placeOf = ({ scope, id, requestId }: Pick<Event, 'scope' | 'id' | 'requestId'>): SealContext => ({
  table: 'lambda/event',
  key: `${scope.region}/${id}/${requestId}`,
  column: 'payload',
  account: scope.account,
})

export function scheduleEvent(call: Call, scope: Scope, { name, id, version }: FunctionRow, payload: Buffer): void {
  const { requestId, now } = call
  const home = { partition: scope.partition, account: scope.account, region: scope.region }
  const sealed = call.vault.seal(placeOf({ scope: home, id, requestId }), payload)
  schedule(
    call.unit,
    { scope: home, name, ...(version !== undefined && { version }), id, requestId, askedAt: now, failures: 0, sealed },
    now,
  )
}

function schedule(unit: Unit, event: Event, dueAt: number): void {
  const { account, region } = event.scope
  const id = [INVOKE_JOB, account, region, event.id, event.requestId, event.failures].join('/')
  scheduleJob(unit, { id, kind: INVOKE_JOB, dueAt, payload: event })
}

/** `effect` returns whether the function failed; undefined when there is nothing left to run. */
export const invokeJob: ServiceJob<Event, boolean | undefined> = {
  effect: async (work, event) => {
    const { scope, requestId } = event
    const row = await work.reader.get<FunctionRow>(rowKey(scope, event))
    if (row?.id !== event.id || work.now - event.askedAt > AGE_MS_MAX) return undefined
    const payload = work.vault.open(placeOf(event), event.sealed)
    const outcome = await invoke(workerOfJob(work), { scope, row, payload, requestId })
    return outcome.error !== undefined
  },
  run: async (unit, { now }, event, failed) => {
    const wait = RETRY_MS[event.failures]
    if (failed && wait !== undefined) schedule(unit, { ...event, failures: event.failures + 1 }, now + wait)
  },
}
