/** Attributes of people and groups as operations change them: a path and a value, which replaces what is there. */
import { invalid } from './lists.ts'

export const MEMBERS_OF_USER: ReadonlySet<string> = new Set([
  'Name',
  'DisplayName',
  'NickName',
  'ProfileUrl',
  'Emails',
  'Addresses',
  'PhoneNumbers',
  'UserType',
  'Title',
  'PreferredLanguage',
  'Locale',
  'Timezone',
  'Photos',
  'Website',
  'Birthdate',
  'Roles',
  'Extensions',
])

const LISTS: ReadonlySet<string> = new Set(['Emails', 'Addresses', 'PhoneNumbers', 'Photos', 'Roles'])
const ITEMS_MAX: Readonly<Record<string, number>> = { Emails: 1, Addresses: 1, PhoneNumbers: 1, Roles: 1, Photos: 3 }
const TEXT_MAX = 1024
const DEPTH_MAX = 6

interface AttributeOperation {
  readonly AttributePath: string
  readonly AttributeValue?: unknown
}

const upperFirst = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** Documents spell members as SCIM does (`givenName`); rows as the API does. Throws for values of other types. */
export function spelled(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw invalid('The attribute value is nested too deeply.')
  if (Array.isArray(value)) return value.map((each) => spelled(each, depth + 1))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [upperFirst(name), spelled(member, depth + 1)]),
    )
  }
  if (typeof value === 'string') {
    if (value.length === 0 || value.length > TEXT_MAX) throw invalid(`A value has 1 to ${TEXT_MAX} characters.`)
    return value
  }
  if (typeof value === 'boolean') return value
  throw invalid('The attribute value is not of the type of its attribute.')
}

/** Applies operations. A path that no member has is refused; a value of null, or none, removes. */
export function changed(
  before: Readonly<Record<string, unknown>>,
  operations: readonly AttributeOperation[],
  members: ReadonlySet<string>,
): Record<string, unknown> {
  const after: Record<string, unknown> = { ...before }
  for (const { AttributePath: path, AttributeValue: value } of operations) {
    if (path.startsWith('aws:identitystore:')) {
      after['Extensions'] = withExtension(after['Extensions'], path, value)
      continue
    }
    const [first = '', second, third] = path.split('.').map(upperFirst)
    const isOwn = first === 'UserName' || members.has(first)
    if (!isOwn || third !== undefined || (second !== undefined && first !== 'Name'))
      throw invalid(`The attribute path ${path} is not supported.`)
    const next = value === undefined || value === null ? undefined : spelled(value)
    if (second === undefined) {
      assertKind(first, next)
      if (next === undefined) delete after[first]
      else after[first] = next
      continue
    }
    const { [second]: _before, ...rest } = (after[first] ?? {}) as Record<string, unknown>
    if (next !== undefined && typeof next !== 'string') throw invalid(`The value of ${path} is not a text.`)
    after[first] = next === undefined ? rest : { ...rest, [second]: next }
  }
  return after
}

function assertKind(member: string, value: unknown): void {
  if (value === undefined) return
  const isRight = LISTS.has(member)
    ? Array.isArray(value) && value.length > 0 && value.length <= ITEMS_MAX[member]! && value.every(isPlain)
    : member === 'Name'
      ? isPlain(value)
      : member === 'Extensions'
        ? isPlain(value)
        : typeof value === 'string'
  if (!isRight) throw invalid(`The value of ${member} is not of its type.`)
}

const isPlain = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `aws:identitystore:enterprise`, or a member of it behind a dot. */
function withExtension(before: unknown, path: string, value: unknown): unknown {
  const [name = '', ...rest] = path.split('.')
  const extensions = (before ?? {}) as Readonly<Record<string, unknown>>
  const { [name]: own, ...others } = extensions
  if (rest.length > 1) throw invalid(`The attribute path ${path} is not supported.`)
  const [member] = rest
  if (member === undefined) return value === undefined || value === null ? others : { ...others, [name]: value }
  const { [member]: _before, ...kept } = (own ?? {}) as Readonly<Record<string, unknown>>
  return { ...others, [name]: value === undefined || value === null ? kept : { ...kept, [member]: value } }
}
