/** Constraints on input: tables generated out of botocore's models, and AWS's wording of what breaks them. */
import { readFile } from 'node:fs/promises'
import { Fault } from './fault.ts'
import { installedFile } from './installed-file.ts'
import { type OwnAnswer, withOwnAnswers } from './own-answers.ts'
import { isSecret } from './redact.ts'
import type { Member, Shape } from './shape.ts'

/** What may be said of a value: bounds, a pattern, an enumeration; of its items; of its keys. Short names keep the tables small. */
export interface Constraint {
  /** Smallest length, size or value. */
  readonly n?: number
  readonly x?: number
  readonly p?: string
  readonly e?: readonly string[]
  /** Of a list's items, a map's keys, a map's values. */
  readonly m?: Constraint
  readonly k?: Constraint
  readonly v?: Constraint
  /** Whole numbers only. */
  readonly i?: 1
  /** Instead of the sentence that all violations share; never in a table's file. */
  readonly answer?: OwnAnswer
}

/** Structure → member → constraint. */
export type Constraints = Readonly<Record<string, Readonly<Record<string, Constraint>>>>

export type Rule = 'required' | 'pattern' | 'enum' | 'shortest' | 'longest' | 'smallest' | 'largest' | 'integer' | 'key'

/** One broken constraint. */
export interface Violation {
  /** The member as the caller names it: `tags.1.member.key`. */
  readonly at: string
  readonly rule: Rule
  /** The pattern, where that is the rule. */
  readonly pattern?: string | undefined
  readonly text: string
}

/** Input that violates its model, with AWS's general error text. A service may use its own: `Service.invalidInput`. */
export class InvalidInputFault extends Fault {
  readonly violations: readonly Violation[]

  constructor(code: string, violations: readonly Violation[]) {
    const plural = violations.length > 1 ? 's' : ''
    const text = violations.map((each) => each.text).join('; ')
    super(code, `${violations.length} validation error${plural} detected: ${text}`, { status: 400 })
    this.violations = violations
  }
}

/** More would not help a caller. */
const VIOLATIONS_MAX = 10

export interface ModelTable {
  readonly structs: Constraints
  /** Operations that clients call without a signature. */
  readonly unsigned: readonly string[]
}

/** The table of a service; empty when its models say nothing. */
export async function tableOf(id: string): Promise<ModelTable> {
  const file = installedFile(`models/constraints/${id}.json`)
  if (file) {
    const table = JSON.parse(await readFile(file, 'utf8')) as ModelTable
    return { ...table, structs: withOwnAnswers(id, table.structs) }
  }
  throw new Error(`models/constraints/${id}.json is missing: run tools/gen-models.py`)
}

/** Throws every violation in one sentence, as AWS's older services word it. */
export function validateInput(constraints: Constraints, shape: Shape, input: object, code: string): void {
  const found: Violation[] = []
  structure(constraints, shape, input, '', found, false)
  if (found.length > 0) throw new InvalidInputFault(code, found)
}

function structure(
  all: Constraints,
  shape: Shape,
  value: object,
  path: string,
  found: Violation[],
  hidden: boolean,
): void {
  const own = Object.hasOwn(all, shape.name) ? all[shape.name] : undefined
  for (const member of shape.members) {
    if (found.length >= VIOLATIONS_MAX) return
    const item = (value as Record<string, unknown>)[member.name]
    const absent = item === undefined || item === null
    if (absent && !member.required) continue
    const at = path === '' ? member.awsName : `${path}.${member.awsName}`
    if (absent) {
      found.push(absentAt(at))
      continue
    }
    const constraint = own?.[member.name]
    if (constraint?.answer && violations(constraint, item).length > 0)
      throw constraint.answer(shown(member.shape, item), constraint.e ?? [])
    check(all, member, constraint, item, at, found, hidden || isSecret(member, shape))
  }
}

function check(
  all: Constraints,
  { shape }: Pick<Member, 'shape'>,
  constraint: Constraint | undefined,
  value: unknown,
  at: string,
  found: Violation[],
  hidden: boolean,
): void {
  const secret = hidden || shape.traits.sensitive
  if (constraint) {
    for (const { rule, text: broken } of violations(constraint, value)) {
      const text = `Value ${secret ? '' : `'${shown(shape, value)}' `}at '${at}' failed to satisfy constraint: ${broken}`
      found.push({ at, rule, pattern: rule === 'pattern' ? constraint.p : undefined, text })
    }
  }
  switch (shape.kind) {
    case 'list':
      for (const [i, item] of (value as unknown[]).entries()) {
        if (found.length >= VIOLATIONS_MAX) return
        const itemAt = `${at}.${i + 1}.member`
        // No list of these services is sparse.
        if (item === null) found.push(absentAt(itemAt))
        else check(all, shape.value, constraint?.m, item, itemAt, found, hidden)
      }
      return
    case 'map':
      for (const [name, item] of Object.entries(value as object)) {
        if (found.length >= VIOLATIONS_MAX) return
        const broken = constraint?.k ? violations(constraint.k, name) : []
        if (broken.length > 0) {
          const rules = `Map keys must satisfy constraint: [${broken.map((each) => each.text).join(', ')}]`
          const text = `Value ${secret ? '' : `'${shown(shape, value)}' `}at '${at}' failed to satisfy constraint: ${rules}`
          found.push({ at, rule: 'key', text })
        }
        check(all, shape.value, constraint?.v, item, `${at}.${shown(shape.key.shape, name)}.member`, found, hidden)
      }
      return
    case 'struct':
    case 'union':
      structure(all, shape, value as object, at, found, hidden)
  }
}

const absentAt = (at: string): Violation => ({
  at,
  rule: 'required',
  text: `Value null at '${at}' failed to satisfy constraint: Member must not be null`,
})

type Broken = Pick<Violation, 'rule' | 'text'>
const NONE: readonly Broken[] = []

/** Every constraint that the value violates: AWS lists them all. */
function violations({ e, n, x, p, i }: Constraint, value: unknown): readonly Broken[] {
  if (typeof value === 'number') {
    if (i && !Number.isInteger(value)) return [{ rule: 'integer', text: 'Member must be an integer' }]
    if (x !== undefined && value > x)
      return [{ rule: 'largest', text: `Member must have value less than or equal to ${x}` }]
    return n !== undefined && value < n
      ? [{ rule: 'smallest', text: `Member must have value greater than or equal to ${n}` }]
      : NONE
  }
  if (e) {
    return typeof value === 'string' && !e.includes(value)
      ? [{ rule: 'enum', text: `Member must satisfy enum value set: [${e.join(', ')}]` }]
      : NONE
  }
  const length = typeof value === 'string' && fits(value.length, n, x) ? value.length : lengthOf(value)
  // No pattern is tried on a text that is longer than any valid one: some take their time.
  if (x !== undefined && length > x)
    return [{ rule: 'longest', text: `Member must have length less than or equal to ${x}` }]
  const short = n !== undefined && length < n
  const unlike = p !== undefined && typeof value === 'string' && !patternOf(p).test(value)
  if (!short && !unlike) return NONE
  return [
    ...(short ? ([{ rule: 'shortest', text: `Member must have length greater than or equal to ${n}` }] as const) : []),
    ...(unlike ? ([{ rule: 'pattern', text: `Member must satisfy regular expression pattern: ${p}` }] as const) : []),
  ]
}

/** Whether a text's length is within bounds however many of its units make a character each. */
const fits = (units: number, n = 0, x = Number.POSITIVE_INFINITY) => units <= x && units >= 2 * n

/** Characters are code points; bytes, items and entries count as they are. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') {
    let length = 0
    for (const _ of value) length++
    return length
  }
  if (value instanceof Uint8Array) return value.byteLength
  if (Array.isArray(value)) return value.length
  return value !== null && typeof value === 'object' && !(value instanceof Date) ? Object.keys(value).length : 0
}

const patterns = new Map<string, RegExp>()

/** Classes of Java that JavaScript lacks: letters and digits, and ASCII punctuation. */
const JAVA_CLASSES: readonly (readonly [string, string])[] = [
  ['\\p{LD}', '[\\p{L}\\p{Nd}]'],
  ['\\p{Punct}', '[!-\\/:-@\\[-`\\{-~]'],
]

/** Java lets every sign be escaped; with the flag `u` JavaScript does not: `\_` is `_`. */
const withoutNeedlessEscapes = (text: string): string =>
  text.replace(/\\(.)/g, (escaped, sign: string) => (/[_&#%@=~"',;:<>!]/.test(sign) ? sign : escaped))

/** The models' patterns are Java's; all but a few are JavaScript's too. They come from AWS, never from a caller. */
function patternOf(source: string): RegExp {
  let pattern = patterns.get(source)
  if (!pattern) {
    const dotAll = source.startsWith('(?s)')
    const read = withoutNeedlessEscapes(source)
    const text = JAVA_CLASSES.reduce((found, [java, ours]) => found.replaceAll(java, ours), read)
    const body = `^(?:${dotAll ? text.slice(4) : text})$`
    try {
      pattern = new RegExp(body, dotAll ? 'us' : 'u')
    } catch {
      pattern = new RegExp(body, dotAll ? 's' : '')
    }
    patterns.set(source, pattern)
  }
  return pattern
}

const SHOWN_MAX = 1000

/**
 * A value as AWS prints it, up to a length: the response must not grow with the request, nor leak a secret to the audit
 * log.
 */
function shown(shape: Shape, value: unknown): string {
  const text = printed(shape, value)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}

function printed(shape: Shape, value: unknown): string {
  if (shape.traits.sensitive) return '***'
  if (value === null || value === undefined) return 'null'
  switch (shape.kind) {
    case 'blob':
      return 'java.nio.HeapByteBuffer'
    case 'list':
      return `[${(value as unknown[])
        .slice(0, SHOWN_MAX)
        .map((item) => member(shape, shape.value, item))
        .join(', ')}]`
    case 'map': {
      const entries = Object.entries(value).slice(0, SHOWN_MAX)
      return `{${entries.map(([name, item]) => `${name}=${member(shape, shape.value, item)}`).join(', ')}}`
    }
    case 'struct':
    case 'union': {
      const given = shape.members.filter(({ name }) => (value as Record<string, unknown>)[name] !== undefined)
      const parts = given.map(
        (each) => `${each.name}=${member(shape, each, (value as Record<string, unknown>)[each.name])}`,
      )
      return `${shape.name}(${parts.join(', ')})`
    }
    default:
      return String(value)
  }

  function member(owner: Shape, { name, shape: inner, traits }: Member, item: unknown): string {
    return isSecret({ name, traits }, owner) ? '***' : printed(inner, item)
  }
}
