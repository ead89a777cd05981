/** Selections: fields of an event, with modifiers, compared to values. Comparisons ignore case, as Sigma's do. */
import { RE2JS } from 're2js'
import { compileList } from '../lists.ts'
import { isObject } from '../normalize/json.ts'
import type { Json, JsonObject } from '../types.ts'
import { OperatorRuleError } from './condition.ts'

export type Matches = (record: JsonObject) => boolean
type Test = (value: Json | undefined) => boolean

const VALUES_MAX = 1_000
const FIELDS_MAX = 50
const PATTERN_LENGTH_MAX = 500
/** Instructions of a compiled expression: each character of a text costs at most so many steps. */
const PROGRAM_SIZE_MAX = 1_000
/** Of a field's text that regular expressions look at. */
const TEXT_LENGTH_MAX = 8_192
const DEPTH_MAX = 8
const MODIFIERS = [
  'contains',
  'startswith',
  'endswith',
  're',
  'cidr',
  'exists',
  'all',
  'cased',
  'lt',
  'lte',
  'gt',
  'gte',
]

/** A map: all of its fields; a list of maps: one of them. */
export function compileSelection(name: string, value: unknown): Matches {
  if (Array.isArray(value)) {
    if (value.length === 0 || value.length > VALUES_MAX || !value.every(isObject))
      throw new OperatorRuleError(
        `Selection '${name}' is a list of search words, which is not supported: name a field.`,
      )
    const maps = value.map((each) => compileSelection(name, each))
    return (record) => maps.some((matches) => matches(record))
  }
  if (!isObject(value)) throw new OperatorRuleError(`Selection '${name}' has no fields.`)
  const fields = Object.entries(value)
  if (fields.length === 0 || fields.length > FIELDS_MAX)
    throw new OperatorRuleError(`Selection '${name}' must have 1 to ${FIELDS_MAX} fields.`)
  const tests = fields.map(([field, values]) => compileField(field, values))
  return (record) => tests.every((matches) => matches(record))
}

function compileField(text: string, values: Json): Matches {
  const [field = '', ...modifiers] = text.split('|')
  const unknown = modifiers.find((each) => !MODIFIERS.includes(each))
  if (unknown !== undefined)
    throw new OperatorRuleError(
      `Modifier '${unknown}' of field '${field}' is not supported: use ${MODIFIERS.join(', ')}.`,
    )
  const path = field.split('.')
  if (modifiers.includes('exists')) {
    const wanted = values === true || values === 'true'
    return (record) => someAt(record, path, isAny) === wanted
  }
  const list = Array.isArray(values) ? values : [values]
  if (list.length === 0 || list.length > VALUES_MAX)
    throw new OperatorRuleError(`Field '${field}' must have 1 to ${VALUES_MAX} values.`)
  const plain = plainValues(modifiers, list)
  if (plain) {
    // One look-up, however many values there are.
    return (record) => someAt(record, path, (value) => plain.has(textOf(value).toLowerCase()))
  }
  const tests = list.map((value) => compileValue(field, modifiers, value))
  const all = modifiers.includes('all')
  return (record) => {
    const isThere = someAt(record, path, isAny)
    const holds = (test: Test): boolean => (isThere ? someAt(record, path, test) : test(undefined))
    return all ? tests.every(holds) : tests.some(holds)
  }
}

/** Texts without modifiers and wildcards. */
function plainValues(modifiers: readonly string[], values: readonly Json[]): ReadonlySet<string> | undefined {
  if (modifiers.length > 0 || !values.every((value) => value !== null && !/[*?\\]/.test(String(value))))
    return undefined
  return new Set(values.map((value) => String(value).toLowerCase()))
}

function compileValue(field: string, modifiers: readonly string[], value: Json): Test {
  if (value === null) return (found) => found === undefined || found === null || found === ''
  if (typeof value === 'object')
    throw new OperatorRuleError(`A value of field '${field}' is neither a text nor a number.`)
  const text = String(value)
  if (modifiers.includes('re')) return regularExpression(field, text, modifiers.includes('cased'))
  if (modifiers.includes('cidr')) {
    const list = compileList({ name: field, sha256: '', entries: [text] })
    if (list.invalid > 0) throw new OperatorRuleError(`'${text}' of field '${field}' is no network.`)
    return (found) => typeof found === 'string' && list.matchAddress(found) !== undefined
  }
  const order = modifiers.find((each) => each in ORDERS)
  if (order !== undefined) {
    const limit = Number(text)
    return (found) => found !== undefined && found !== null && ORDERS[order]!(Number(found), limit)
  }
  const isCased = modifiers.includes('cased')
  const fold = (each: string): string => (isCased ? each : each.toLowerCase())
  const wanted = wildcards(fold(text))
  const before = modifiers.includes('contains') || modifiers.includes('endswith')
  const after = modifiers.includes('contains') || modifiers.includes('startswith')
  const parts = [...(before ? ['*' as const] : []), ...wanted, ...(after ? ['*' as const] : [])]
  return (found) => found !== undefined && globMatches(parts, fold(textOf(found)))
}

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
}

/** RE2: linear in the text, whatever the pattern is. */
function regularExpression(field: string, pattern: string, isCased: boolean): Test {
  if (pattern.length > PATTERN_LENGTH_MAX)
    throw new OperatorRuleError(
      `The regular expression of field '${field}' has more than ${PATTERN_LENGTH_MAX} characters.`,
    )
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern, isCased ? 0 : RE2JS.CASE_INSENSITIVE)
  } catch (error) {
    throw new OperatorRuleError(
      `'${pattern}' of field '${field}' is no regular expression: ${(error as Error).message}.`,
    )
  }
  if (compiled.programSize() > PROGRAM_SIZE_MAX)
    throw new OperatorRuleError(
      `The regular expression of field '${field}' is too expensive: it repeats parts too many times.`,
    )
  return (found) => found !== undefined && compiled.matcher(textOf(found).slice(0, TEXT_LENGTH_MAX)).find()
}

type Part = string | '*' | '?'

/** Plain characters one by one; `\` makes a wildcard plain, which is written as two characters here. */
function wildcards(text: string): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < text.length; at++) {
    const isEscape = text[at] === '\\' && /[*?\\]/.test(text[at + 1] ?? '')
    if (isEscape) parts.push(`=${text[++at]}`)
    else parts.push(text[at] === '*' || text[at] === '?' ? text[at]! : `=${text[at]}`)
  }
  return parts
}

/** Greedy with one point of return: at most text × pattern steps. */
function globMatches(parts: readonly Part[], text: string): boolean {
  let [at, part] = [0, 0]
  let [starPart, starAt] = [-1, 0]
  while (at < text.length) {
    const wanted = parts[part]
    if (wanted === '*') {
      ;[starPart, starAt] = [part++, at]
    } else if (wanted !== undefined && (wanted === '?' || wanted[1] === text[at])) {
      at += 1
      part += 1
    } else if (starPart >= 0) {
      part = starPart + 1
      at = ++starAt
    } else return false
  }
  while (parts[part] === '*') part += 1
  return part === parts.length
}

const textOf = (value: Json): string => {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.length > TEXT_LENGTH_MAX ? text.slice(0, TEXT_LENGTH_MAX) : text
}

/** Whether a value of the path passes; lists on the way are gone through. A member may itself have dots in its name. */
function someAt(record: Json, path: readonly string[], test: (value: Json) => boolean, from = 0): boolean {
  if (Array.isArray(record)) return record.some((each) => someAt(each, path, test, from))
  if (from === path.length) return test(record)
  if (from > DEPTH_MAX || !isObject(record)) return false
  const name = path[from]!
  if (Object.hasOwn(record, name)) return someAt(record[name]!, path, test, from + 1)
  if (from === path.length - 1) return false
  const rest = path.slice(from).join('.')
  return Object.hasOwn(record, rest) && someAt(record[rest]!, path, test, path.length)
}

const isAny = (): boolean => true
