/**
 * The condition keys that the public authorization reference lists for an action, and the values that services supply
 * for them. Global keys (`aws:…`) are the request context's own. Generated table: see `tools/`.
 */
import table from '../../../models/condition-keys.json' with { type: 'json' }
import type { ContextValue } from '../../policy/index.ts'
import { remembering } from '../../wire/remember.ts'
import type { Call } from '../gate/call.ts'
import { parseArn } from './arn.ts'

/** What the value of a key is computed from. */
export interface KeySource {
  // biome-ignore lint/suspicious/noExplicitAny: one table serves operations of every input and row.
  readonly input: any
  readonly call: Call
  /** What the operation's target found; undefined when the resource does not exist. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly row: any
}

type KeyValue = string | readonly string[] | undefined

/** Key → its value in a request. Evaluated when a policy reads the key, and only for actions that have the key. */
export type ConditionKeyTable = Readonly<Record<string, (source: KeySource) => KeyValue>>

export type LazyConditions = Readonly<Record<string, ContextValue | undefined>>

interface Reference {
  readonly actions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  readonly resourceTags: Readonly<Record<string, string>>
}
const reference = table as unknown as Reference

/** The reference's service-specific keys of an action and of its resource types; undefined: the table lacks the service. */
export function keysOfAction(action: string): readonly string[] | undefined {
  const colon = action.indexOf(':')
  const service = reference.actions[action.slice(0, colon)]
  return service && (service[action.slice(colon + 1)] ?? [])
}

const ARNS_MAX = 5_000

/**
 * A second name for `aws:ResourceTag/` that the resource's own service has, whatever service acts on it:
 * `iam:ResourceTag/` of a role holds for `sts:AssumeRole`, too.
 */
export const resourceTagPrefix = remembering(
  ARNS_MAX,
  (arn: string): string | undefined => reference.resourceTags[parseArn(arn)?.service ?? ''],
)

interface Keyed {
  readonly api: { readonly id: string }
  readonly conditionKeys?: ConditionKeyTable
}

type Entries = readonly (readonly [string, ConditionKeyTable[string]])[]

/** The tables of all services, with each action's keys looked up once, when a call first needs them. */
export class ConditionKeys {
  readonly #tables = new Map<string, ConditionKeyTable>()
  readonly #byAction = new Map<string, Entries>()

  constructor(services: readonly Keyed[]) {
    this.add(services)
  }

  add(services: readonly Keyed[]): void {
    for (const { api, conditionKeys } of services) if (conditionKeys) this.#tables.set(api.id, conditionKeys)
  }

  #entries(service: string, action: string): Entries {
    const id = `${service} ${action}`
    const known = this.#byAction.get(id)
    if (known) return known
    const listed = new Set(keysOfAction(action)?.map((key) => key.toLowerCase()))
    const entries = Object.entries(this.#tables.get(service) ?? {}).filter(([key]) => listed.has(key.toLowerCase()))
    this.#byAction.set(id, entries)
    return entries
  }

  /** `given`: computed by the operation itself; takes precedence. */
  of(service: string, action: string, source: KeySource, given: LazyConditions): LazyConditions {
    const entries = this.#entries(service, action)
    if (entries.length === 0) return given
    const values: Record<string, ContextValue | undefined> = {}
    for (const [key, value] of entries) values[key] = lazily(value, source)
    return Object.assign(values, given)
  }
}

/**
 * A function of its own: with the closure made in the loop, V8 kept most of a call's objects alive until the next full
 * collection, which made collecting three times as expensive (`bench processor`, GetSecretValue).
 */
const lazily = (value: ConditionKeyTable[string], source: KeySource) => () => value(source)
