/** Partial answers (RFC 7644, section 3.9): the attributes that a client names, or all but those. */
import { bad } from './faults.ts'
import type { Resource } from './resources.ts'

/** Returned whatever is requested. */
const ALWAYS: ReadonlySet<string> = new Set(['schemas', 'id'])
const NAMES_MAX = 100
const LENGTH_MAX = 4_096
const URN = /^urn:ietf:params:scim:schemas:(?:core:2\.0:(?:User|Group)):/i

export type Projection = (resource: Resource) => Resource

/** Attributes in lower case, without the URN of a core schema; members of complex ones behind a dot or a colon. */
function namesIn(value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined
  const list = typeof value === 'string' ? value.slice(0, LENGTH_MAX).split(',') : value
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string'))
    throw bad('The names of attributes are not texts.', 'invalidSyntax')
  if (list.length > NAMES_MAX) throw bad(`At most ${NAMES_MAX} attributes can be named.`)
  const names = list.map((each) => each.trim().replace(URN, '').toLowerCase())
  return new Set(names.filter((name) => name !== ''))
}

const isObject = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `name.givenName`, `urn:…:User:department`. */
const isNamed = (names: ReadonlySet<string>, attribute: string, member: string): boolean =>
  ['.', ':'].some((separator) => names.has(`${attribute}${separator}${member}`.toLowerCase()))

const members = (value: Resource, keep: (member: string) => boolean): Resource =>
  Object.fromEntries(Object.entries(value).filter(([member]) => keep(member)))

function onlyNamed(resource: Resource, names: ReadonlySet<string>): Resource {
  const kept: Resource = {}
  for (const [name, value] of Object.entries(resource)) {
    if (ALWAYS.has(name) || names.has(name.toLowerCase())) {
      kept[name] = value
      continue
    }
    const some = isObject(value) ? members(value, (member) => isNamed(names, name, member)) : {}
    if (Object.keys(some).length > 0) kept[name] = some
  }
  return kept
}

function withoutNamed(resource: Resource, names: ReadonlySet<string>): Resource {
  const kept: Resource = {}
  for (const [name, value] of Object.entries(resource)) {
    if (!ALWAYS.has(name) && names.has(name.toLowerCase())) continue
    kept[name] = isObject(value) ? members(value, (member) => !isNamed(names, name, member)) : value
  }
  return kept
}

/** Throws where both are present: they exclude each other. */
export function projectionOf({
  attributes,
  excludedAttributes,
}: Readonly<Partial<Record<'attributes' | 'excludedAttributes', unknown>>>): Projection {
  const [included, excluded] = [namesIn(attributes), namesIn(excludedAttributes)]
  if (included && excluded) throw bad('attributes and excludedAttributes exclude each other.')
  if (included) return (resource) => onlyNamed(resource, included)
  if (excluded) return (resource) => withoutNamed(resource, excluded)
  return (resource) => resource
}
