/** Management policies: JSON below one name of their own, whose leaves say how they change what is inherited. */
import { ANYTHING, type Form, managementForms } from './management-forms.ts'

export type Value = string | number | boolean
export type Setting = Value | readonly Value[]

/** One operator's say on the values that children inherit. */
export const VALUE_OPERATORS = ['@@assign', '@@append', '@@remove'] as const
export type ValueOperator = (typeof VALUE_OPERATORS)[number]
export const CHILD_OPERATORS = '@@operators_allowed_for_child_policies'

/** A policy as written: members are branches, unless they begin with `@@`. */
export interface Branch {
  readonly [member: string]: unknown
}

/** How deep a policy may nest; the deepest documented ones, backup policies, need nine. */
const DEPTH_MAX = 20

/**
 * The policy below its name. Throws a `SyntaxError` that says what is wrong where.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
 */
export function readManagementPolicy(content: string, name: string): Branch {
  const document: unknown = JSON.parse(content)
  if (!isObject(document)) throw new SyntaxError('The policy is no JSON object.')
  const names = Object.keys(document)
  if (names.length !== 1 || names[0] !== name) throw new SyntaxError(`The policy has one member, '${name}'.`)
  const branch = document[name]
  checkBranch(branch, managementForms[name] ?? ANYTHING, name, 0)
  return branch as Branch
}

export function checkManagementPolicy(content: string, name: string): void {
  readManagementPolicy(content, name)
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isOperator = (member: string): boolean => member.startsWith('@@')

/** A leaf: it sets, adds or takes away. */
export const isLeaf = (branch: Branch): boolean => VALUE_OPERATORS.some((operator) => operator in branch)

/** The branches below this one. */
export const branchesOf = (branch: Branch): readonly (readonly [string, Branch])[] =>
  Object.entries(branch).filter(([member]) => !isOperator(member)) as [string, Branch][]

function checkBranch(branch: unknown, form: Form, path: string, depth: number): void {
  if (!isObject(branch)) throw new SyntaxError(`${path} is not an object; values belong below an operator.`)
  if (depth > DEPTH_MAX) throw new SyntaxError(`${path} is nested too deeply.`)
  checkAllowed(branch, path)
  const branches = branchesOf(branch)
  if (isLeaf(branch)) {
    if (branches.length > 0) throw new SyntaxError(`${path} has operators and members.`)
    checkLeaf(branch, form, path)
    return
  }
  for (const [member, below] of branches) {
    const next = formBelow(form, member)
    if (!next) throw new SyntaxError(`${path} has no member '${member}'.`)
    checkBranch(below, next, `${path}/${member}`, depth + 1)
  }
  if (form !== ANYTHING && 'leaf' in form && !(CHILD_OPERATORS in branch))
    throw new SyntaxError(`${path} needs an operator.`)
}

/** undefined where no such member may be. */
export function formBelow(form: Form, member: string): Form | undefined {
  if (form === ANYTHING) return ANYTHING
  if ('leaf' in form) return undefined
  return Object.hasOwn(form.below, member) ? form.below[member] : form.below['*']
}

function checkLeaf(branch: Branch, form: Form, path: string): void {
  if (form !== ANYTHING && (typeof form === 'string' || 'below' in form))
    throw new SyntaxError(`${path} takes no operators of its own.`)
  for (const operator of VALUE_OPERATORS) {
    if (!(operator in branch)) continue
    const value = branch[operator]
    const list = Array.isArray(value)
    const values: readonly unknown[] = list ? value : [value]
    // Appending and removing is for what has many values.
    if (operator !== '@@assign' && !list) throw new SyntaxError(`${path} needs a list for ${operator}.`)
    if (!values.every(isValue)) throw new SyntaxError(`${path} holds what is no text, number or boolean.`)
    if (form === ANYTHING) continue
    if (form.leaf === 'list' ? !list : list) throw new SyntaxError(`${path} is ${list ? 'one value' : 'a list'}.`)
    const wrong = form.oneOf && values.find((each) => !form.oneOf!.includes(String(each)))
    if (wrong !== undefined) throw new SyntaxError(`${path} cannot be ${String(wrong)}.`)
  }
}

const isValue = (value: unknown): value is Value => ['string', 'number', 'boolean'].includes(typeof value)

const ALLOWED: ReadonlySet<unknown> = new Set(['@@all', '@@none', ...VALUE_OPERATORS])

function checkAllowed(branch: Branch, path: string): void {
  for (const member of Object.keys(branch)) {
    if (!isOperator(member) || (VALUE_OPERATORS as readonly string[]).includes(member)) continue
    if (member !== CHILD_OPERATORS) throw new SyntaxError(`${path} has an unknown operator ${member}.`)
    const allowed = branch[member]
    if (!Array.isArray(allowed) || allowed.length === 0 || !allowed.every((each) => ALLOWED.has(each)))
      throw new SyntaxError(`${path} allows operators that do not exist.`)
    if (allowed.length > 1 && allowed.some((each) => each === '@@all' || each === '@@none'))
      throw new SyntaxError(`${path} allows @@all or @@none beside others.`)
  }
}
