/**
 * The operations that the gate serves, by service and name, with what their services say of themselves. Services may be added
 * later: those that are opened when they are first needed.
 */
import { InvalidInputFault } from '../../wire/constraints.ts'
import { type ServiceRow, services as serviceRows } from '../../wire/services.ts'
import { loadService, validate } from '../../wire/wire.ts'
import { eventNameOf } from '../events/event-names.ts'
import type { Api } from '../service/api.ts'
import type { Operation, Service } from '../service/service.ts'
import type { ServiceTraits } from '../service/traits.ts'
import { isKnownAction, isReading } from './actions.ts'
import { notImplemented } from './faults.ts'
import type { AuditedOperation, OperationCall } from './invocation.ts'

const NONE: ServiceTraits = {}

/** Opens the services that are opened when they are first needed; undefined when all are open. */
export type OpenAll = () => Promise<void> | undefined

export class Registry {
  readonly #operations = new Map<string, ReadonlyMap<string, Operation>>()
  readonly #invalidInput = new Map<string, NonNullable<Service['invalidInput']>>()
  readonly #traits = new Map<string, ServiceTraits>()
  readonly #readActions = new Set<string>()
  readonly #exemptFromRcps = new Set<string>()
  readonly #openAll: OpenAll

  constructor(services: readonly Service[], openAll: OpenAll = () => undefined) {
    this.#openAll = openAll
    this.add(services)
  }

  /** Throws when an operation needs an action that IAM does not know: it could never be granted, nor denied by name. */
  add(services: readonly Service[]): void {
    for (const { api, operations, resources = [], invalidInput, traits } of services) {
      const needed = [
        ...operations.map(({ name, actions, choice }) => ({ name, actions: [...actions, ...(choice?.among ?? [])] })),
        ...resources.map(({ spec }) => ({ name: spec.type, actions: spec.tags ? [spec.tags.action] : [] })),
      ]
      for (const { name, actions } of needed) {
        const unknown = actions.find((action) => !isKnownAction(action))
        if (unknown) throw new Error(`${api.id}:${name} has no authorisation mapping: IAM knows no action '${unknown}'`)
      }
      if (invalidInput) this.#invalidInput.set(api.id, invalidInput)
      if (traits) this.#traits.set(api.id, traits)
      for (const action of traits?.readActions ?? []) this.#readActions.add(action)
      for (const action of traits?.exemptFromRcps ?? []) this.#exemptFromRcps.add(action.toLowerCase())
      this.#operations.set(api.id, new Map(operations.map((operation) => [operation.name, operation])))
    }
  }

  /** In lower case. */
  get exemptFromRcps(): ReadonlySet<string> {
    return this.#exemptFromRcps
  }

  /** To be awaited before anything of the service is looked up; undefined where there is nothing to wait for. */
  opened(service: string): Promise<void> | undefined {
    return this.#operations.has(service) ? undefined : this.#openAll()
  }

  /** The same for what concerns several services. */
  openedAll(): Promise<void> | undefined {
    return this.#openAll()
  }

  operation(service: string, name: string | undefined): Operation | undefined {
    return this.#operations.get(service)?.get(name ?? '')
  }

  traits(service: string): ServiceTraits {
    return this.#traits.get(service) ?? NONE
  }

  /** By the action; operations without permission go by their names. */
  isReadOnly({ name, actions }: AuditedOperation['operation']): boolean {
    const [action] = actions
    if (action === undefined) return /^(Get|List|Describe|Lookup)/.test(name)
    return isReading(action) || this.#readActions.has(action)
  }

  eventName(service: string, operation: string): string {
    return eventNameOf(this.traits(service).eventNames, operation)
  }

  /** Runs a check of the input; a violation of the model becomes the service's own error where it defines one. */
  validated({ id }: ServiceRow, check: () => void): void {
    try {
      check()
    } catch (error) {
      throw (error instanceof InvalidInputFault && this.#invalidInput.get(id)?.(error.violations)) || error
    }
  }

  /** A call that code makes, checked as if it had come over the wire. */
  async invocation(api: Api<unknown>, name: string, input: object, via: readonly string[]): Promise<OperationCall> {
    const opening = this.opened(api.id)
    if (opening) await opening
    const row = serviceRows.find((candidate) => candidate.id === api.id)!
    const model = await loadService(row)
    const shape = model.operations.get(name)
    const operation = this.operation(api.id, name)
    if (!shape || !operation) throw notImplemented(row, name)
    this.validated(row, () => validate(model, shape, input))
    return { row, operation, shape, input, via }
  }
}
