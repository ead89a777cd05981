/** What a model says about resources: which operations list them, which describe one, and what identifies them. */
import type { Member, OperationShape, Shape } from '../../../../src/wire/shape.ts'
import type { Model } from '../../api/model.ts'
import { listMemberOf } from '../../api/paging.ts'

export type Item = Readonly<Record<string, unknown>>

const READS = /^(List|Describe|Get|Lookup)/

/** What these answer is a secret, or creates one. */
const SECRETS = /(SecretValue|Password|Token|Credentials|PrivateKey|ParametersForImport)/

/** Reads that answer neither secrets nor streams: they are called when a page opens. */
export function isPlainRead({ name, output }: OperationShape): boolean {
  return READS.test(name) && !SECRETS.test(name) && !output.members.some(({ shape }) => shape.kind === 'stream')
}

export const HIDDEN = '(hidden)'

/** The answer without the values that the model calls sensitive. */
export function withoutSensitive(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return value
  if (shape.traits.sensitive) return HIDDEN
  switch (shape.kind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => withoutSensitive(shape.value.shape, item))
    case 'map':
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, withoutSensitive(shape.value.shape, item)]),
      )
    case 'struct':
    case 'union':
      return Object.fromEntries(
        shape.members
          .filter(({ name }) => (value as Item)[name] !== undefined)
          .map(({ name, traits, shape: inner }) => [
            name,
            traits.sensitive ? HIDDEN : withoutSensitive(inner, (value as Item)[name]),
          ]),
      )
    default:
      return value
  }
}

const requiredOf = ({ input }: OperationShape): readonly Member[] =>
  input.members.filter(({ required, traits }) => required || traits.httpLabel)

/** Lists that need nothing to begin with: the resources of a service. */
export function listOperations({ operations }: Model): readonly OperationShape[] {
  return [...operations.values()]
    .filter((operation) => isPlainRead(operation) && listMemberOf(operation) && requiredOf(operation).length === 0)
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** `Users` for ListUsers. */
export const nounOf = (name: string): string => name.replace(READS, '').replace(/([a-z0-9])([A-Z])/g, '$1 $2') || name

/** A list of texts becomes a list of items with one member. */
export const TEXT_MEMBER = 'value'

export const itemOf = (value: unknown): Item =>
  value !== null && typeof value === 'object' ? (value as Item) : { [TEXT_MEMBER]: value }

const isScalar = ({ shape }: Member) =>
  !['list', 'map', 'struct', 'union', 'document', 'stream', 'unit'].includes(shape.kind)

const COLUMNS_MAX = 6

/** The members of an item that a table shows: what names it first. */
export function columnsOf(list: Shape): readonly string[] {
  const item = list.value.shape
  if (item.kind !== 'struct') return [TEXT_MEMBER]
  const names = item.members.filter((member) => isScalar(member) && !member.traits.sensitive).map(({ name }) => name)
  const rank = (name: string) =>
    /name$/i.test(name)
      ? 0
      : /id$/i.test(name)
        ? 1
        : /(status|state|type|date|time)/i.test(name)
          ? 2
          : /arn$/i.test(name)
            ? 4
            : 3
  return names.toSorted((a, b) => rank(a) - rank(b)).slice(0, COLUMNS_MAX)
}

/** What identifies an item among the others of its list. */
export function idOf(item: Item): string {
  const names = Object.keys(item)
  const found = [/arn$/i, /^id$/i, /id$/i, /name$/i, /^value$/]
    .map((pattern) => names.find((name) => pattern.test(name) && typeof item[name] === 'string'))
    .find((name) => name !== undefined)
  return found === undefined ? JSON.stringify(item) : String(item[found])
}

/** What a person calls an item. */
export function titleOf(item: Item): string {
  const names = Object.keys(item)
  const found = [/name$/i, /alias$/i, /id$/i, /arn$/i]
    .map((pattern) => names.find((name) => pattern.test(name) && typeof item[name] === 'string'))
    .find((name) => name !== undefined)
  return found === undefined ? idOf(item) : String(item[found])
}

/** Reads of one item: every required member of the input is known from the item. Descriptions first, then lists. */
export function operationsOn(
  model: Model,
  list: OperationShape,
  item: Item,
): readonly { readonly operation: OperationShape; readonly input: Item; readonly isList: boolean }[] {
  const kind = singular(listMemberOf(list)?.name ?? '').replace(/(Id|Arn|Name)$/, '')
  return [...model.operations.values()]
    .filter((operation) => operation.name !== list.name && isPlainRead(operation))
    .flatMap((operation) => {
      const required = requiredOf(operation)
      // IAM's members are optional where the caller is the default: GetUser.
      const wanted = required.length > 0 ? required : operation.input.members.filter(({ name }) => isOwn(name, kind))
      const input = wanted.length > 0 ? filled(wanted, item, kind) : undefined
      if (!input) return []
      return [{ operation, input, isList: listMemberOf(operation) !== undefined && !operation.name.startsWith('Get') }]
    })
    .sort(
      (a, b) =>
        Number(a.isList) - Number(b.isList) || closeness(b.operation.name, kind) - closeness(a.operation.name, kind),
    )
}

const isOwn = (name: string, kind: string) => new RegExp(`^${kind}(Id|Arn|Name)$`, 'i').test(name)

function filled(required: readonly Member[], item: Item, kind: string): Item | undefined {
  const input: Record<string, unknown> = {}
  for (const member of required) {
    const value = valueFor(member, item, kind)
    if (value === undefined) return undefined
    input[member.name] = value
  }
  return input
}

/** By the same name, or by what its name ends with: `PolicyArn` is the `Arn` of a policy. */
function valueFor({ name, shape }: Member, item: Item, kind: string): unknown {
  const own = (wanted: string) => Object.keys(item).find((each) => each.toLowerCase() === wanted.toLowerCase())
  if (shape.kind !== 'string') return undefined
  const isOfKind = (prefix: string) =>
    prefix === '' || kind.toLowerCase().endsWith(prefix.toLowerCase()) || /^(resource|target)$/i.test(prefix)
  const candidates = [own(name)]
  const suffix = /(arn|id|name|identifier)$/i.exec(name)
  if (suffix && isOfKind(name.slice(0, suffix.index))) {
    const word = suffix[0].toLowerCase()
    const arn = [own('Arn'), own(`${kind}Arn`)]
    const identifier = [own('Id'), own(`${kind}Id`)]
    const named = [own('Name'), own(`${kind}Name`)]
    candidates.push(...(word === 'arn' ? arn : word === 'name' ? named : [...identifier, ...arn, ...named]))
  }
  if (name.toLowerCase() === kind.toLowerCase()) candidates.push(own('Name'), own('Id'))
  if (TEXT_MEMBER in item && isOfKind(name.replace(/(arn|id|name|identifier)$/i, ''))) candidates.push(TEXT_MEMBER)
  const found = candidates.find((each) => each !== undefined && typeof item[each] === 'string')
  return found === undefined ? undefined : item[found]
}

function closeness(name: string, kind: string): number {
  const noun = name.replace(READS, '')
  return noun === kind ? 2 : noun.includes(kind) ? 1 : 0
}

export function singular(plural: string): string {
  const name = plural.replace(/(List|Summaries|Summary|Details|Metadata)$/, '')
  for (const [ending, kept] of PLURALS) if (ending.test(name)) return name.replace(ending, kept)
  return name
}

/** The first that fits: `Aliases` is more than one `Alias`, and `Address` is one. */
const PLURALS = [
  [/ies$/, 'y'],
  [/(ss|us|ias|x|ch|sh)es$/, '$1'],
  [/([^su])s$/, '$1'],
] as const

/** An input to fill in: required members with an empty value of their kind. */
export function skeletonOf(shape: Shape, depth = 0): unknown {
  switch (shape.kind) {
    case 'struct':
      return Object.fromEntries(
        shape.members
          .filter(({ required }) => required || depth === 0)
          .slice(0, 20)
          .map((member) => [member.name, depth > 2 ? null : skeletonOf(member.shape, depth + 1)]),
      )
    case 'list':
      return []
    case 'map':
      return {}
    case 'number':
      return 0
    case 'boolean':
      return false
    default:
      return ''
  }
}

/** Without the members that were left empty. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value)
    .map(([name, each]) => [name, withoutEmpty(each)] as const)
    .filter(
      ([, each]) =>
        each !== '' && each !== null && !(typeof each === 'object' && Object.keys(each as object).length === 0),
    )
  return Object.fromEntries(kept)
}
