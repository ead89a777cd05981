/**
 * The filters of descriptions, by one engine for all kinds. A filter reads a path in what is shown; its values match with
 * `*` and `?`, several values are alternatives, several filters must all hold.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
 */
import { fault, invalid } from './faults.ts'

export interface Filter {
  readonly Name?: string | undefined
  readonly Values?: readonly string[] | undefined
}

type Shown = Readonly<Record<string, unknown>>
interface Keeper {
  keeps(shown: object): boolean
}

const FILTERS_MAX = 50
const VALUES_MAX = 200
const VALUE_LENGTH_MAX = 255
/** Characters that the wildcards of one request may look at, over all resources: about 100 ms. */
const STEPS_MAX = 20_000_000

/** What is left of a request's budget. */
interface Budget {
  steps: number
}

/**
 * Reads a table of names: `vpc-id` reads `VpcId`, `attachment.vpc-id` `Attachment.VpcId`, and `cidr=CidrBlock` what it says.
 * Lists on the way are searched.
 */
export function parseFilters(table: string): (filters: readonly Filter[]) => Keeper {
  const paths = new Map<string, readonly string[]>()
  for (const entry of table.split(/\s+/).filter((text) => text !== '')) {
    const [name = '', path] = entry.split('=')
    paths.set(name, path === undefined ? pathOf(name) : path.split('.'))
  }
  return (filters) => {
    if (filters.length > FILTERS_MAX)
      throw fault('FilterLimitExceeded', `The maximum number of filters is ${FILTERS_MAX}.`)
    const budget: Budget = { steps: STEPS_MAX }
    const tests = filters.map((filter) => testOf(filter, paths, budget))
    return { keeps: (shown) => tests.every((test) => test(shown as Shown)) }
  }
}

const pathOf = (name: string): readonly string[] =>
  name.split('.').map((part) =>
    part
      .split('-')
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join(''),
  )

function testOf(
  { Name = '', Values = [] }: Filter,
  paths: ReadonlyMap<string, readonly string[]>,
  budget: Budget,
): (shown: Shown) => boolean {
  if (Values.length > VALUES_MAX)
    throw fault('FilterLimitExceeded', `The maximum number of values of a filter is ${VALUES_MAX}.`)
  if (Values.some((value) => value.length > VALUE_LENGTH_MAX)) throw invalid('The value of a filter is too long.')
  const read = readerOf(Name, paths)
  if (Values.length === 0) throw invalid(`The filter '${Name}' has no values.`)
  const exact = new Set(Values.filter((value) => !/[*?\\]/.test(value)))
  const patterns = Values.filter((value) => !exact.has(value))
  return (shown) => {
    const texts = read(shown)
    return texts.some((text) => exact.has(text) || patterns.some((pattern) => matches(pattern, text, budget)))
  }
}

function readerOf(name: string, paths: ReadonlyMap<string, readonly string[]>): (shown: Shown) => readonly string[] {
  const tags = (shown: Shown) => (shown['Tags'] ?? []) as readonly { readonly Key: string; readonly Value: string }[]
  if (name.startsWith('tag:')) {
    const key = name.slice('tag:'.length)
    return (shown) =>
      tags(shown)
        .filter(({ Key }) => Key === key)
        .map(({ Value }) => Value)
  }
  if (name === 'tag-key') return (shown) => tags(shown).map(({ Key }) => Key)
  if (name === 'tag-value') return (shown) => tags(shown).map(({ Value }) => Value)
  const path = paths.get(name)
  if (!path) throw invalid(`The filter '${name}' is invalid`)
  return (shown) => valuesAt(shown, path)
}

/** Every text at the path, through lists. */
export function valuesAt(value: unknown, path: readonly string[]): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, path))
  const [next, ...rest] = path
  if (next === undefined) {
    if (value instanceof Date) return [value.toISOString()]
    return typeof value === 'object' ? [] : [String(value)]
  }
  return typeof value === 'object' && Object.hasOwn(value, next) ? valuesAt((value as Shown)[next], rest) : []
}

/** `*` any characters, `?` one, `\` the next one as it is. At most the product of both lengths, and what the budget has. */
export function matches(pattern: string, text: string, budget: Budget = { steps: STEPS_MAX }): boolean {
  let at = 0
  let read = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (--budget.steps < 0)
      throw fault('FilterLimitExceeded', 'The wildcards of the filters match too much: name values.')
    const symbol = pattern[read]
    const isEscaped = symbol === '\\' && read + 1 < pattern.length
    const literal = isEscaped ? pattern[read + 1] : symbol
    if (!isEscaped && symbol === '*') {
      star = ++read
      resume = at
    } else if ((!isEscaped && symbol === '?') || literal === text[at]) {
      read += isEscaped ? 2 : 1
      at++
    } else if (star >= 0) {
      read = star
      at = ++resume
    } else return false
  }
  while (pattern[read] === '*') read++
  return read === pattern.length
}
