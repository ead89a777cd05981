/** Changes of a person (RFC 7644, section 3.5.2), made on what SCIM shows. */
import { bad } from './faults.ts'
import { ATTRIBUTES, canonical, ENTERPRISE, MEMBERS, objectOf, type Resource } from './resources.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: string | undefined
  readonly value: unknown
}

const OPERATIONS_MAX = 100

export function readPatch(body: unknown): readonly PatchOperation[] {
  const { Operations: operations, operations: lower } = objectOf(body)
  const list = operations ?? lower
  if (!Array.isArray(list) || list.length === 0 || list.length > OPERATIONS_MAX)
    throw bad('Operations is not a list of 1 to 100 operations.', 'invalidSyntax')
  return list.map((each) => {
    const { op, path, value } = objectOf(each)
    const name = typeof op === 'string' ? op.toLowerCase() : ''
    if (name !== 'add' && name !== 'replace' && name !== 'remove')
      throw bad(`op ${name} is not known.`, 'invalidSyntax')
    if (path !== undefined && path !== null && typeof path !== 'string') throw bad('path is not a text.', 'invalidPath')
    return { op: name, path: path === null ? undefined : path, value }
  })
}

/** Attribute, optional filter of its elements, optional member. */
const PATH = /^([A-Za-z][\w$-]{0,63})(?:\[([^\]]{1,200})\])?(?:\.([A-Za-z][\w$-]{0,63}))?$/

interface Place {
  readonly attribute: string
  readonly element: string | undefined
  readonly member: string | undefined
}

function placeOf(path: string): Place {
  const lower = path.toLowerCase()
  if (lower === ENTERPRISE.toLowerCase()) return { attribute: ENTERPRISE, element: undefined, member: undefined }
  if (lower.startsWith(`${ENTERPRISE.toLowerCase()}:`)) {
    const member = memberOf(ENTERPRISE, path.slice(ENTERPRISE.length + 1).replace(/\.value$/i, ''), path)
    return { attribute: ENTERPRISE, element: undefined, member }
  }
  const plain = path.replace(/^urn:ietf:params:scim:schemas:core:2\.0:User:/i, '')
  const [, name = '', element, member] = PATH.exec(plain) ?? []
  const attribute = Object.keys(ATTRIBUTES).find((each) => each.toLowerCase() === name.toLowerCase())
  if (attribute === undefined) throw bad(`The path ${path} is not known.`, 'invalidPath')
  return { attribute, element, member: member === undefined ? undefined : memberOf(attribute, member, path) }
}

/** As the schema spells it. Others would make the attribute larger with each operation. */
function memberOf(attribute: string, name: string, path: string): string {
  const known = MEMBERS[attribute]?.find((each) => each.toLowerCase() === name.toLowerCase())
  if (known === undefined) throw bad(`The path ${path.slice(0, 200)} is not known.`, 'invalidPath')
  return known
}

const isObject = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(attribute: string, before: unknown, value: unknown): unknown {
  if (!isObject(before) || !isObject(value)) return value
  const known = new Set(MEMBERS[attribute]?.map((name) => name.toLowerCase()))
  return { ...before, ...Object.fromEntries(Object.entries(value).filter(([name]) => known.has(name.toLowerCase()))) }
}

/** A list has one element at most: a filter of elements means it, and says its type where it is new. */
function inList(before: unknown, { element, member }: Place, { op, value }: PatchOperation): unknown {
  const [first] = Array.isArray(before) ? (before as readonly Resource[]) : []
  if (op === 'remove') {
    if (member === undefined || !first) return undefined
    const { [member]: _gone, ...rest } = first
    return [rest]
  }
  const type = /type\s+eq\s+"([^"]{1,64})"/i.exec(element ?? '')?.[1]
  const given = member === undefined ? (Array.isArray(value) ? value[0] : value) : { [member]: value }
  if (!isObject(given)) throw bad('The value is not one of the attribute.')
  if (Array.isArray(value) && value.length > 1) throw bad('List attribute exceeds allowed limit of 1.')
  const kept = member === undefined && element === undefined ? {} : { ...first }
  return [{ ...(type !== undefined && { type }), ...kept, ...given }]
}

function applied(resource: Resource, operation: PatchOperation): Resource {
  const { op, path, value } = operation
  if (path === undefined) {
    if (op === 'remove') throw bad('remove needs a path.', 'noTarget')
    // RFC 7644: without a path the value names attributes; Entra writes paths as names there.
    return Object.entries(objectOf(value)).reduce(
      (after, [name, each]) => applied(after, { op, path: name, value: each }),
      resource,
    )
  }
  if (/^schemas$/i.test(path)) return resource
  if (/^(id|meta)(\.|$)/i.test(path)) throw bad(`${path} cannot be changed.`, 'mutability')
  const place = placeOf(path)
  if (op === 'remove' && place.attribute === 'active') throw bad('active always has a value.', 'mutability')
  const { attribute, member } = place
  const before = resource[attribute]
  if (ATTRIBUTES[attribute] === 'list') return { ...resource, [attribute]: inList(before, place, operation) }
  if (member !== undefined) {
    const { [member]: _before, ...rest } = isObject(before) ? before : {}
    return { ...resource, [attribute]: op === 'remove' ? rest : { ...rest, [member]: value } }
  }
  if (op === 'remove') {
    const { [attribute]: _gone, ...rest } = resource
    return rest
  }
  return {
    ...resource,
    [attribute]: op === 'add' || ATTRIBUTES[attribute] === 'complex' ? merged(attribute, before, value) : value,
  }
}

export const patched = (resource: Resource, operations: readonly PatchOperation[]): Resource =>
  operations.reduce(applied, canonical(resource))
