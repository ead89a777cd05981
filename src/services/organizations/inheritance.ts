/** What policies attached from the root down to an account come to: the effective policy, by the rules of inheritance. */
import { ANYTHING, type Form } from './management-forms.ts'
import {
  type Branch,
  branchesOf,
  CHILD_OPERATORS,
  formBelow,
  isLeaf,
  type Setting,
  VALUE_OPERATORS,
  type Value,
  type ValueOperator,
} from './management-policy.ts'

/** A policy below its name, and whose it is. */
export interface Inherited {
  readonly policy: string
  readonly content: Branch
}

/** Members or values; the shape that `DescribeEffectivePolicy` shows. */
export interface Effective {
  readonly [member: string]: Effective | Setting
}

export interface Merged {
  readonly effective: Effective
  /** Parts of policies that conflict with a level above and have no effect. */
  readonly conflicts: readonly Invalid[]
  /** The policies that had a say on a path, or below it. */
  contributors(path: readonly string[]): readonly string[]
}

type Allowed = ReadonlySet<ValueOperator>
const EVERY: Allowed = new Set(VALUE_OPERATORS)

interface Node {
  /** What later levels may do here. On a branch: with members that it does not have yet. */
  readonly allowed: Allowed
  readonly members: ReadonlyMap<string, Node>
  readonly value?: Setting
  readonly from: ReadonlySet<string>
}

const EMPTY: Node = { allowed: EVERY, members: new Map(), from: new Set() }

/**
 * Levels from the root down, each with its policies in the order they were attached. What a level says of child
 * policies binds the levels below it, not its own; nothing below can loosen it.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
 */
export function merge(levels: readonly (readonly Inherited[])[]): Merged {
  const conflicts: Invalid[] = []
  let root = EMPTY
  for (const level of levels) {
    const above = root
    for (const { policy, content } of level)
      root = grown(root, above, content, above.allowed, { policy, path: [], conflicts })
  }
  return {
    effective: shown(root) as Effective,
    conflicts,
    contributors: (path) => {
      let node: Node | undefined = root
      for (const member of path) node = node?.members.get(member)
      return [...(node ? sources(node) : [])].sort()
    },
  }
}

/** The policy whose operators are applied, the path they apply at, and the conflicts so far. */
interface Saying {
  readonly policy: string
  readonly path: readonly string[]
  readonly conflicts: Invalid[]
}

/**
 * @param above what the levels above left here; undefined when they know nothing of it.
 * @param ruling what they allow: said here, or where they last knew the way.
 */
function grown(node: Node, above: Node | undefined, branch: Branch, ruling: Allowed, saying: Saying): Node {
  const { policy, path, conflicts } = saying
  // Where a level may say nothing, it says nothing of child policies either.
  const applies = above !== undefined || ruling.size > 0
  const allowed = applies ? narrowed(node.allowed, branch) : node.allowed
  const from = new Set([...node.from, policy])
  if (isLeaf(branch)) {
    // What is a branch to one policy and a value to another stays what it was first.
    if (node.members.size > 0) return { ...node, allowed }
    const conflict = (code: Invalid['code'], message: string) =>
      conflicts.push({ code, message, path, policies: [...node.from, policy] })
    for (const operator of VALUE_OPERATORS) {
      if (operator in branch && !ruling.has(operator))
        conflict('OPERATOR_NOT_ALLOWED', `A policy above does not let ${operator} be used here.`)
    }
    const many = node.value === undefined || Array.isArray(node.value) || '@@assign' in branch
    if (!many) conflict('NOT_A_LIST', 'A policy above gave a single value.')
    const value = many ? valued(node.value, branch, ruling) : node.value
    const said = VALUE_OPERATORS.some((operator) => operator in branch && ruling.has(operator))
    return { ...node, allowed, ...(value !== undefined && { value }), from: said ? from : node.from }
  }
  if (node.value !== undefined) return { ...node, allowed }

  const members = new Map(node.members)
  for (const [name, content] of branchesOf(branch)) {
    const spelt = speltIn(members, name)
    const known = above?.members.get(spelt)
    const below = { ...saying, path: [...path, spelt] }
    const next = grown(members.get(spelt) ?? EMPTY, known, content, known?.allowed ?? ruling, below)
    if (members.has(spelt) || holds(next)) members.set(spelt, next)
  }
  return { ...node, allowed, members, from: allowed === node.allowed ? node.from : from }
}

/** One tag may be spelt in several ways: as it came first, it stays. */
function speltIn(members: ReadonlyMap<string, Node>, name: string): string {
  if (members.has(name)) return name
  const lower = name.toLowerCase()
  return [...members.keys()].find((known) => known.toLowerCase() === lower) ?? name
}

/** A place where nothing may be said stays empty, unless it says something of child policies. */
const holds = (node: Node): boolean => node.value !== undefined || node.members.size > 0 || node.from.size > 0

function narrowed(allowed: Allowed, branch: Branch): Allowed {
  const said = branch[CHILD_OPERATORS] as readonly string[] | undefined
  if (!said || said.includes('@@all')) return allowed
  return new Set([...allowed].filter((operator) => said.includes(operator)))
}

function valued(inherited: Setting | undefined, branch: Branch, ruling: Allowed): Setting | undefined {
  let value = inherited
  const say = (operator: ValueOperator, change: (values: readonly Value[]) => Setting | undefined) => {
    const said = ruling.has(operator) ? branch[operator] : undefined
    if (said !== undefined) value = change(said as readonly Value[])
  }
  say('@@assign', (values) => values)
  say('@@append', (values) => [...new Set([...listOf(value), ...values])])
  say('@@remove', (values) =>
    value === undefined ? undefined : listOf(value).filter((each) => !values.includes(each)),
  )
  return value
}

const listOf = (value: Setting | undefined): readonly Value[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as Value]

/** Places that only say something of child policies are not shown. */
function shown(node: Node): Effective | Setting {
  if (node.value !== undefined) return node.value
  const members = [...node.members].filter(([, below]) => below.value !== undefined || below.members.size > 0)
  return Object.fromEntries(members.map(([name, below]) => [name, shown(below)]))
}

const sources = (node: Node): ReadonlySet<string> =>
  new Set([...node.from, ...[...node.members.values()].flatMap((below) => [...sources(below)])])

export interface Invalid {
  readonly code: 'ELEMENTS_TOO_MANY' | 'ELEMENT_MISSING' | 'POLICY_MALFORMED' | 'OPERATOR_NOT_ALLOWED' | 'NOT_A_LIST'
  readonly message: string
  readonly path: readonly string[]
  /** Whose, where not everyone's who had a say there. */
  readonly policies?: readonly string[]
}

/** What every policy may say alone, and all of them together may not. */
export function problemsOf(
  effective: Effective | Setting,
  form: Form,
  path: readonly string[] = [],
): readonly Invalid[] {
  if (form === ANYTHING || 'leaf' in form || typeof effective !== 'object' || Array.isArray(effective)) return []
  const members = Object.entries(effective as Effective)
  const missing = (form.needs ?? []).filter((name) => !(name in (effective as Effective)))
  return [
    ...missing.map((name) => ({
      code: 'ELEMENT_MISSING' as const,
      message: `The effective policy lacks '${name}'.`,
      path,
    })),
    ...(members.length > (form.max ?? Infinity)
      ? [
          {
            code: 'ELEMENTS_TOO_MANY' as const,
            message: `There may be ${form.max}, there are ${members.length}.`,
            path,
          },
        ]
      : []),
    ...members.flatMap(([name, below]) => problemsOf(below, formBelow(form, name) ?? ANYTHING, [...path, name])),
  ]
}
