/**
 * The inheritance of management policies: what a document says, what those below it may change, and what is left for
 * an account. Pure functions over JSON.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
 */
import type { Json } from '../../store/store.ts'

/** A document at its place; `id` is the policy's. */
export interface Inherited {
  readonly id: string
  readonly document: JsonObject
}
export type JsonObject = { readonly [member: string]: Json | undefined }

/** Something a policy asked for that a policy above it forbids, or that cannot be. */
export interface Conflict {
  readonly code: 'OPERATOR_NOT_ALLOWED' | 'NOT_A_LIST' | 'NOT_A_VALUE'
  /** `tags/costcenter/tag_value` */
  readonly path: string
  readonly message: string
  readonly policies: readonly string[]
}

export interface Effective {
  /** Without operators; undefined when nothing is left. */
  readonly document: JsonObject | undefined
  readonly conflicts: readonly Conflict[]
}

const CHILD_CONTROL = '@@operators_allowed_for_child_policies'
const SETTING = ['@@assign', '@@append', '@@remove'] as const
type Operator = (typeof SETTING)[number]

interface Node {
  value?: Json | undefined
  /** Policies that had a say in the value. */
  readonly from: Set<string>
  /** Operators that levels below may use; undefined: all. */
  allowed: ReadonlySet<string> | undefined
  readonly children: Map<string, Node>
}

const fresh = (): Node => ({ from: new Set(), allowed: undefined, children: new Map() })
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `levels`: from the root down to the account; what stands on one level counts in the order it was attached. */
export function effective(levels: readonly (readonly Inherited[])[]): Effective {
  const root = fresh()
  const conflicts: Conflict[] = []
  for (const level of levels) {
    const restrictions: (() => void)[] = []
    for (const { id, document } of level) merge(root, document, id, '', conflicts, restrictions)
    // They bind the levels below, not the policies beside.
    for (const restrict of restrictions) restrict()
  }
  const document = shown(root)
  return { document: isObject(document) ? document : undefined, conflicts }
}

function merge(
  node: Node,
  said: JsonObject,
  id: string,
  path: string,
  conflicts: Conflict[],
  restrictions: (() => void)[],
): void {
  const control = said[CHILD_CONTROL]
  if (control !== undefined) restrictions.push(() => restrict(node, [control].flat() as readonly string[]))
  for (const operator of SETTING) {
    const value = said[operator]
    if (value === undefined) continue
    if (!allows(node, operator)) conflicts.push(forbidden(node, operator, id, path))
    else apply(node, operator, value, id, path, conflicts)
  }
  for (const [name, inner] of Object.entries(said)) {
    if (name.startsWith('@@')) continue
    const below = path === '' ? name : `${path}/${name}`
    const known = node.children.get(folded(node, name))
    if (!known && !allows(node, '@@assign')) {
      conflicts.push(forbidden(node, '@@assign', id, below))
      continue
    }
    const child = known ?? fresh()
    if (!known) node.children.set(name, child)
    if (isObject(inner)) merge(child, inner, id, below, conflicts, restrictions)
    else conflicts.push({ code: 'NOT_A_VALUE', path: below, message: 'A value needs an operator.', policies: [id] })
  }
}

/** Keys differ by more than their case: tag policies name the same tag in several. */
function folded(node: Node, name: string): string {
  const lower = name.toLowerCase()
  return [...node.children.keys()].find((key) => key.toLowerCase() === lower) ?? name
}

const allows = ({ allowed }: Node, operator: Operator) => allowed === undefined || allowed.has(operator)

/** A lower level may narrow what it was left, never widen it. */
function restrict(node: Node, names: readonly string[]): void {
  const wanted: ReadonlySet<string> = names.includes('@@all')
    ? new Set(SETTING)
    : new Set(names.filter((name) => name !== '@@none'))
  const { allowed } = node
  node.allowed = allowed === undefined ? wanted : new Set([...wanted].filter((name) => allowed.has(name)))
}

function forbidden(node: Node, operator: Operator, id: string, path: string): Conflict {
  return {
    code: 'OPERATOR_NOT_ALLOWED',
    path,
    message: `A policy above does not let ${operator} be used here.`,
    policies: [...node.from, id],
  }
}

function apply(node: Node, operator: Operator, value: Json, id: string, path: string, conflicts: Conflict[]): void {
  const held = node.value
  if (operator === '@@assign') {
    node.value = value
    node.from.clear()
    node.from.add(id)
    return
  }
  if (held !== undefined && !Array.isArray(held)) {
    const message = `${operator} needs a list; a policy above gave a single value.`
    conflicts.push({ code: 'NOT_A_LIST', path, message, policies: [...node.from, id] })
    return
  }
  const list = (held ?? []) as readonly Json[]
  const given = (Array.isArray(value) ? value : [value]) as readonly Json[]
  node.value =
    operator === '@@append'
      ? [...list, ...given.filter((item) => !list.includes(item))]
      : list.filter((item) => !given.includes(item))
  node.from.add(id)
}

function shown(node: Node): Json | undefined {
  if (node.value !== undefined) return node.value
  const members = [...node.children].flatMap(([name, child]) => {
    const value = shown(child)
    return value === undefined ? [] : [[name, value] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
