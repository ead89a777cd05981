/** What a management policy must be: JSON below one name of its own, every value behind an inheritance operator. */
import type { Json } from '../../store/store.ts'
import type { JsonObject } from './inheritance.ts'

const OPERATORS = new Set(['@@assign', '@@append', '@@remove'])
const CHILD_CONTROL = '@@operators_allowed_for_child_policies'
const ALLOWABLE = new Set(['@@all', '@@none', ...OPERATORS])
const DEPTH_MAX = 16

/** Throws a `SyntaxError` that says where. */
export function checkManagementPolicy(content: string, name: string): void {
  const document: unknown = JSON.parse(content)
  if (!isObject(document as Json)) throw new SyntaxError('a policy is a JSON object')
  const names = Object.keys(document as object)
  if (names.length !== 1 || names[0] !== name) throw new SyntaxError(`a policy of this type begins with "${name}"`)
  checkNode((document as JsonObject)[name], name, 0)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkNode(node: Json | undefined, path: string, depth: number): void {
  if (!isObject(node)) throw new SyntaxError(`${path} must be an object`)
  if (depth > DEPTH_MAX) throw new SyntaxError(`${path} is too deep`)
  for (const [name, value] of Object.entries(node)) {
    if (name === CHILD_CONTROL) checkControl(value, path)
    else if (OPERATORS.has(name)) checkValue(value, `${path}/${name}`)
    else if (name.startsWith('@@')) throw new SyntaxError(`${path} has an unknown operator ${name}`)
    else checkNode(value, `${path}/${name}`, depth + 1)
  }
}

function checkControl(value: Json | undefined, path: string): void {
  const names = Array.isArray(value) ? (value as readonly Json[]) : [value]
  const sound = names.length > 0 && names.every((name) => typeof name === 'string' && ALLOWABLE.has(name))
  if (!sound) throw new SyntaxError(`${path} restricts by operators that do not exist`)
}

/** Lists and single values; some types (S3, EC2) nest objects of plain values behind one operator. */
function checkValue(value: Json | undefined, path: string): void {
  if (value === undefined || value === null) throw new SyntaxError(`${path} has no value`)
}
