/** Runs an operation for a caller: the target, permissions, existence, the body, the event; and what `call` offers to it. */
import { randomUUID } from 'node:crypto'
import type { Store, Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { header } from '../../wire/http.ts'
import type { EventDraft } from '../events/event.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import type { Absence } from '../resource/absent-keys.ts'
import type { ConditionKeys, LazyConditions } from '../resource/condition-keys.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import type { Api } from '../service/api.ts'
import { uniqueId } from '../service/id.ts'
import type { Quotas } from '../service/quota.ts'
import { checkSecret } from '../state/failure-budget.ts'
import type { Call } from './call.ts'
import type { DecisionMaker } from './decision-maker.ts'
import { asFault } from './faults.ts'
import { accountOf, draftOf, type OperationCall, type RequestInfo } from './invocation.ts'
import type { Recorder } from './recorder.ts'
import type { Registry } from './registry.ts'
import type { ActAs } from './service-caller.ts'
import { type Attempt, newAttempt, onceIn, transact } from './transaction.ts'

export interface RunnerOptions {
  readonly store: Store
  readonly vault: Vault
  readonly ports: Ports
  readonly use: Use
  readonly quotas: Quotas
  readonly publicUrl?: string | undefined
  readonly actAs: ActAs
  readonly registry: Registry
  readonly conditionKeys: ConditionKeys
  /** Of all services that are open. */
  readonly absentKey: () => Absence
  readonly decisions: DecisionMaker
  readonly recorder: Recorder
}

export class Runner {
  readonly #options: RunnerOptions

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Runs until a commit succeeds. A refusal writes nothing but its own event. */
  transact(arrival: RequestInfo, invocation: OperationCall): Promise<object> {
    const { store, recorder } = this.#options
    return transact(store, {
      begin: () => newAttempt(draftOf(arrival)),
      run: (unit, attempt) => this.perform(unit, arrival, invocation, attempt),
      refuse: (error, { draft, refused }) => recorder.recordRefusal(arrival, invocation, draft, error, refused),
    })
  }

  /** Runs it in a transaction of the caller, with its event. Throws the denial, or the operation's fault. */
  async perform(unit: Unit, arrival: RequestInfo, invocation: OperationCall, attempt: Attempt): Promise<object> {
    const { operation, input } = invocation
    const { decisions, recorder } = this.#options
    const { draft } = attempt
    const call = this.call(unit, arrival, invocation, attempt)

    const found = await operation.target.find(call, input)
    draft.resources = found.acted ? [found.acted] : []
    const { acted, tagging } = found
    const given = {
      ...acted?.conditions,
      ...(await operation.conditions?.(input, call, found.row)),
      ...tagging?.conditions,
    }
    for (const action of operation.choice?.of(input) ?? operation.actions) {
      const conditions = this.conditions(invocation, action, call, found.row, given)
      await decisions.authorize(arrival, invocation, draft, { action, acted, input, conditions })
    }
    // Tags in a creating request need the permission to tag, as in AWS: no service can forget it.
    if (tagging) {
      const { action } = tagging
      const tagged = tagging.acted ?? acted
      const conditions = this.conditions(invocation, action, call, found.row, {
        ...tagged?.conditions,
        ...tagging.conditions,
      })
      await decisions.authorize(arrival, invocation, draft, { action, acted: tagged, input: undefined, conditions })
    }
    // Only now may the caller learn that the resource does not exist.
    if (found.row === undefined && found.missing) throw found.missing()

    const output: object = await operation.run(call, input, found.row)
    recorder.record(unit, arrival, invocation, draft, output, undefined)
    return output
  }

  /** What policies see of a call: the service's table of condition keys, overridden by `given`. */
  conditions(
    invocation: OperationCall,
    action: string,
    call: Call,
    row: unknown,
    given: LazyConditions,
  ): LazyConditions {
    const { conditionKeys } = this.#options
    return conditionKeys.of(invocation.row.id, action, { input: invocation.input, call, row }, given)
  }

  call(unit: Unit, arrival: RequestInfo, invocation: OperationCall, attempt: Attempt): Call {
    const { store, vault, ports, use, quotas, publicUrl, actAs: act, absentKey, decisions } = this.#options
    const { caller, region, bearer, signature } = arrival.authenticated
    const { draft } = attempt
    let { chosenId } = arrival
    const call: Call = {
      partition: 'aws',
      region,
      account: accountOf(arrival.authenticated),
      caller,
      bearer,
      signature,
      tlsVersion: arrival.request.tls?.version,
      remoteAddress: arrival.request.remoteAddress,
      userAgent: header(arrival.request, 'user-agent'),
      now: arrival.now,
      requestId: arrival.requestId,
      operation: invocation.operation.name,
      origin: publicUrl ?? originOf(arrival.request),
      via: invocation.via,
      unit,
      vault,
      ports,
      use,
      quotas,
      event: draft,
      absentKey: absentKey(),
      newId: (make = randomUUID) => {
        const id = chosenId ?? make()
        chosenId = undefined
        return id
      },
      uniqueId,
      authorize: async (action, resource, conditions = {}) => {
        const acted = typeof resource === 'string' ? await actedByArn(call, resource) : resource
        await decisions.authorize(arrival, invocation, draft, { action, acted, input: undefined, conditions })
      },
      forward: (api: Api<unknown>, name: string, input: object, elsewhere?: string) =>
        // biome-ignore lint/suspicious/noExplicitAny: `forward` is typed by its signature in Call; the registry is not.
        this.#forward(unit, arrival, invocation, attempt, { api, name, input, region: elsewhere ?? region }) as any,
      once: onceIn(arrival.done, attempt),
      checkSecret: (secret, compare) =>
        call.once(() => checkSecret(store, secret, { now: arrival.now, region }, compare)),
      commitNow: (write) => call.once(() => store.run(write)),
      actAs: act,
      afterCommit: (effect) => void attempt.effects.push(effect),
    }
    return call
  }

  async #forward(
    unit: Unit,
    arrival: RequestInfo,
    from: OperationCall,
    attempt: Attempt,
    to: { readonly api: Api<unknown>; readonly name: string; readonly input: object; readonly region: string },
  ): Promise<object> {
    const { registry, recorder } = this.#options
    const { authenticated } = arrival
    const invocation = await registry.invocation(to.api, to.name, to.input, [...from.via, from.row.eventSource])
    const there: RequestInfo =
      to.region === authenticated.region && arrival.chosenId === undefined
        ? arrival
        : { ...arrival, chosenId: undefined, authenticated: { ...authenticated, region: to.region } }
    const draft: EventDraft = draftOf(arrival)
    try {
      // Its steps and effects are those of the whole request.
      return await this.perform(unit, there, invocation, { ...attempt, draft })
    } catch (error) {
      attempt.refused.push((into) => recorder.record(into, there, invocation, draft, undefined, asFault(error)))
      throw error
    }
  }
}

/** A resource of the caller's account that a request names besides its target. Roles are looked up for their tags. */
async function actedByArn(call: Call, arn: string): Promise<ResourceFacts | undefined> {
  if (arn === '*') return undefined
  const role = isRoleArn(arn) ? await call.ports.identity.role(call.unit, arn) : undefined
  return { arn, type: '', account: call.account, tags: role?.account === call.account ? role.tags : undefined }
}

const isRoleArn = (arn: string): boolean => /^arn:[^:]*:iam::[^:]*:role\//.test(arn)

/** How the client calls this server. */
function originOf(request: RequestInfo['request']): string {
  return `${request.secure ? 'https' : 'http'}://${header(request, 'host') ?? 'localhost'}`
}
