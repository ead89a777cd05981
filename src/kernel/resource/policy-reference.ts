/**
 * What the linter knows of AWS's services: their actions, and for those Merlon plans, their ARNs and condition keys.
 */
import type { Reference, ServiceFacts } from '../../policy/index.ts'

/** Every action of the public authorization reference, by service prefix, in order. */
export async function actionsByService(): Promise<ReadonlyMap<string, readonly string[]>> {
  services ??= new Map(
    Object.entries(await actionTable()).map(([service, levels]) => [
      service,
      Object.values(levels)
        .flat()
        .sort()
        .map((name) => `${service}:${name}`),
    ]),
  )
  return services
}

export async function actionNames(): Promise<readonly string[]> {
  return [...(await actionsByService()).values()].flat()
}

let services: ReadonlyMap<string, readonly string[]> | undefined

/** `AWS Key Management Service`; the prefix itself where AWS has no name for it. */
export async function serviceName(prefix: string): Promise<string> {
  const { default: names } = await import('../../../models/service-names.json', { with: { type: 'json' } })
  return (names as Readonly<Record<string, string>>)[prefix] ?? prefix
}

/** By service prefix and access level. */
type ActionTable = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

async function actionTable(): Promise<ActionTable> {
  return (await import('../../../models/all-actions.json', { with: { type: 'json' } })).default as ActionTable
}

interface Tables {
  readonly actions: ActionTable
  readonly details: Readonly<
    Record<
      string,
      {
        readonly resources?: Readonly<Record<string, { readonly arn: string; readonly keys?: readonly string[] }>>
        readonly keys?: Readonly<Record<string, string>>
        readonly actions?: Readonly<
          Record<string, { readonly on?: readonly string[]; readonly keys?: readonly string[] }>
        >
      }
    >
  >
}

/** What an action applies to, as the authorization reference has it. */
export interface ActionFacts {
  /** Names of resource types: `bucket`, `object`. */
  readonly on: readonly string[]
}

/** The actions of one service and its condition keys, as the reference spells them; undefined where it has no details. */
export async function serviceDetails(
  prefix: string,
): Promise<
  | { readonly actions: Readonly<Record<string, ActionFacts>>; readonly keys: Readonly<Record<string, string>> }
  | undefined
> {
  const { default: reference } = await import('../../../models/iam-reference.json', { with: { type: 'json' } })
  const services = reference.services as unknown as Readonly<
    Record<
      string,
      {
        readonly actions?: Readonly<Record<string, { readonly on?: readonly string[] }>>
        readonly keys?: Readonly<Record<string, string>>
      }
    >
  >
  const details = Object.hasOwn(services, prefix) ? services[prefix] : undefined
  if (!details?.actions) return undefined
  const actions = Object.entries(details.actions).map(
    // A star marks the types that a call always has.
    ([name, { on = [] }]) => [name, { on: on.map((type) => type.replace('*', '')) }] as const,
  )
  return { actions: Object.fromEntries(actions), keys: details.keys ?? {} }
}

let loading: Promise<Reference> | undefined

/** Loaded on first use: the tables are large. */
export function policyReference(): Promise<Reference> {
  loading ??= load()
  return loading
}

async function load(): Promise<Reference> {
  const [actions, reference, prefixes] = await Promise.all([
    actionTable(),
    import('../../../models/iam-reference.json', { with: { type: 'json' } }),
    import('../../../models/prefixes.json', { with: { type: 'json' } }),
  ])
  const tables = { actions, details: reference.default.services } as unknown as Tables
  const known = new Map<string, ServiceFacts | undefined>()
  const unlisted: Readonly<Record<string, readonly string[]>> = { ...prefixes.default.actions }
  return {
    arnServices: new Set(prefixes.default.arns),
    keyPrefixes: new Set(prefixes.default.keys),
    rcpServices: new Set(reference.default.rcp),
    service(prefix) {
      if (!known.has(prefix)) known.set(prefix, factsOf(tables, prefix, unlisted[prefix] ?? []))
      return known.get(prefix)
    },
  }
}

/** `unlisted`: actions that only AWS's own policies name. */
function factsOf({ actions, details }: Tables, prefix: string, unlisted: readonly string[]): ServiceFacts | undefined {
  const levels = Object.hasOwn(actions, prefix) ? actions[prefix] : undefined
  if (!levels && unlisted.length === 0) return undefined
  const detail = Object.hasOwn(details, prefix) ? details[prefix] : undefined
  return {
    actions: new Set([
      ...Object.values(levels ?? {}).flatMap((names) => names.map((name) => name.toLowerCase())),
      ...unlisted,
    ]),
    ...(detail && {
      details: {
        arns: Object.values(detail.resources ?? {}).map(({ arn }) => arn),
        keys: detail.keys ?? {},
        actionKeys: actionKeysOf(detail),
      },
    }),
  }
}

/** Names of families (`kms:EncryptionContext:${Key}`) end where they vary. */
function actionKeysOf({
  actions = {},
  resources = {},
}: Tables['details'][string]): ReadonlyMap<string, readonly string[]> {
  const familyOf = (key: string) => key.toLowerCase().replace(/(\$\{|<).*$|tag-key$/, '')
  return new Map(
    Object.entries(actions).map(([name, { on = [], keys = [] }]) => [
      name.toLowerCase(),
      [...keys, ...on.flatMap((type) => resources[type.replace('*', '')]?.keys ?? [])].map(familyOf),
    ]),
  )
}
