/**
 * Where CloudTrail's names for a call are not those of the model: services say so by `traits.eventNames`.
 */

/** A service's names in events, by those of its model. */
export interface EventNames {
  readonly events?: Readonly<Record<string, string>>
  readonly parameters?: Readonly<Record<string, string>>
  /** Parameters whose text is a JSON document, by their shown names: shown as objects. */
  readonly documents?: readonly string[]
  /** Parameters that keep the names of their XML elements, by their shown names. */
  readonly elements?: readonly string[]
  /** Contents, not parameters. */
  readonly left?: readonly string[]
  /** Operations whose answers are contents: what a function returned and printed is not the log's. */
  readonly silent?: readonly string[]
  /** Operations whose answer does not name their resource; the event's `responseElements` do, by its ARN. */
  readonly resourceInAnswer?: {
    readonly member: string
    /** As CloudTrail shows it. */
    readonly type: string
    readonly pattern: RegExp
    readonly operations: readonly string[]
  }
}

type Names = EventNames | undefined

export const eventNameOf = (names: Names, operation: string): string => names?.events?.[operation] ?? operation

export const isSilent = (names: Names, operation: string): boolean => names?.silent?.includes(operation) ?? false

/** The operation behind an event's name: of those it may be, the first. */
export const operationOf = (names: Names, eventName: string): string =>
  Object.entries(names?.events ?? {}).find(([, shown]) => shown === eventName)?.[0] ?? eventName

/** What `responseElements` show: the answer that `redact` has left, and the resource where the answer does not name it. */
export function responseElementsOf(
  names: Names,
  operation: string,
  shown: unknown,
  resources: readonly { readonly type: string; readonly arn: string }[],
): unknown {
  const rule = names?.resourceInAnswer
  if (!rule?.operations.includes(operation)) return shown
  const found = resources.find(({ type, arn }) => type === rule.type && rule.pattern.test(arn))
  return found ? { ...(shown as object), [rule.member]: found.arn } : shown
}

type Parameters = Readonly<Record<string, unknown>>

/** Takes back what {@link parametersOf} has changed. */
export function inputNamesOf(names: Names, shown: Parameters): Record<string, unknown> {
  const { parameters = {}, documents = [], elements = [] } = names ?? {}
  const plain = new Map(Object.entries(parameters).map(([name, changed]) => [changed, name]))
  return Object.fromEntries(
    Object.entries(shown).map(([name, value]) => {
      const text = documents.includes(name) && typeof value === 'object' ? JSON.stringify(value) : value
      return [plain.get(name) ?? name, elements.includes(name) ? renamed(text, lowerFirst) : text]
    }),
  )
}

/** Of what `redact` has left. */
export function parametersOf(names: Names, shown: unknown): unknown {
  const { parameters, left, documents = [], elements = [] } = names ?? {}
  if (!parameters || typeof shown !== 'object' || shown === null) return shown
  return Object.fromEntries(
    Object.entries(shown)
      .filter(([name]) => !left?.includes(name))
      .map(([name, value]) => {
        const changed = parameters[name] ?? name
        if (documents.includes(changed)) return [changed, documentOf(value)]
        return [changed, elements.includes(changed) ? renamed(value, upperFirst) : value]
      }),
  )
}

/** The text itself where it is no JSON object. */
function documentOf(value: unknown): unknown {
  try {
    const parsed: unknown = JSON.parse(String(value))
    return parsed !== null && typeof parsed === 'object' ? parsed : value
  } catch {
    return value
  }
}

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)
const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, rename))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), renamed(inner, rename)]))
}
