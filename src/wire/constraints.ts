/** Constraints on input: tables generated out of botocore's models, and AWS's wording of what breaks them. */
import { readFile } from 'node:fs/promises'
import { Fault } from './fault.ts'
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
}

/** Structure → member → constraint. */
export type Constraints = Readonly<Record<string, Readonly<Record<string, Constraint>>>>

const VIOLATIONS_MAX = 10

/** The table of a service; empty when its models say nothing. Found beside the bundle, or in the source tree. */
export async function constraintsOf(id: string): Promise<Constraints> {
  for (const place of [`./models/constraints/${id}.json`, `../../models/constraints/${id}.json`]) {
    try {
      return JSON.parse(await readFile(new URL(place, import.meta.url), 'utf8')).structs
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`models/constraints/${id}.json is missing: run tools/gen-models.py`)
}

/** Throws every violation in one sentence, as AWS's older services word it. */
export function validateInput(constraints: Constraints, shape: Shape, input: object, code: string): void {
  const found: string[] = []
  structure(constraints, shape, input, '', found, false)
  if (found.length === 0) return
  const plural = found.length > 1 ? 's' : ''
  throw new Fault(code, `${found.length} validation error${plural} detected: ${found.join('; ')}`, { status: 400 })
}

function structure(
  all: Constraints,
  shape: Shape,
  value: object,
  path: string,
  found: string[],
  hidden: boolean,
): void {
  const own = Object.hasOwn(all, shape.name) ? all[shape.name] : undefined
  for (const member of shape.members) {
    if (found.length >= VIOLATIONS_MAX) return
    const item = (value as Record<string, unknown>)[member.name]
    const at = path === '' ? lowerFirst(member.name) : `${path}.${lowerFirst(member.name)}`
    if (item === undefined || item === null) {
      if (member.required) found.push(`Value null at '${at}' failed to satisfy constraint: Member must not be null`)
      continue
    }
    check(all, member, own?.[member.name], item, at, found, hidden || Boolean(member.traits.sensitive))
  }
}

function check(
  all: Constraints,
  { shape }: Pick<Member, 'shape'>,
  constraint: Constraint | undefined,
  value: unknown,
  at: string,
  found: string[],
  hidden: boolean,
): void {
  const broken = constraint && violation(constraint, value)
  if (broken)
    found.push(
      `Value ${hidden || shape.traits.sensitive ? "'***'" : `'${shown(value)}'`} at '${at}' failed to satisfy constraint: ${broken}`,
    )
  switch (shape.kind) {
    case 'list':
      for (const [i, item] of (value as unknown[]).entries()) {
        if (found.length >= VIOLATIONS_MAX) return
        if (item !== null) check(all, shape.value, constraint?.m, item, `${at}.${i + 1}.member`, found, hidden)
      }
      return
    case 'map':
      for (const [name, item] of Object.entries(value as object)) {
        if (found.length >= VIOLATIONS_MAX) return
        const badKey = constraint?.k && violation(constraint.k, name)
        if (badKey)
          found.push(
            `Value '${shown(name)}' at '${at}' failed to satisfy constraint: Map keys must satisfy constraint: [${badKey}]`,
          )
        check(all, shape.value, constraint?.v, item, `${at}.${name}.member`, found, hidden)
      }
      return
    case 'struct':
    case 'union':
      structure(all, shape, value as object, at, found, hidden)
  }
}

function violation(constraint: Constraint, value: unknown): string | undefined {
  const { e, n, x, p } = constraint
  if (e)
    return typeof value === 'string' && !e.includes(value)
      ? `Member must satisfy enum value set: [${e.join(', ')}]`
      : undefined
  if (typeof value === 'number') {
    if (constraint.i && !Number.isInteger(value)) return 'Member must be an integer'
    if (x !== undefined && value > x) return `Member must have value less than or equal to ${x}`
    return n !== undefined && value < n ? `Member must have value greater than or equal to ${n}` : undefined
  }
  const length = lengthOf(value)
  if (length !== undefined && x !== undefined && length > x) return `Member must have length less than or equal to ${x}`
  if (length !== undefined && n !== undefined && length < n)
    return `Member must have length greater than or equal to ${n}`
  return p !== undefined && typeof value === 'string' && !patternOf(p).test(value)
    ? `Member must satisfy regular expression pattern: ${p}`
    : undefined
}

/** Characters are code points; bytes, items and entries count as they are. */
function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string') {
    let length = 0
    for (const _ of value) length++
    return length
  }
  if (value instanceof Uint8Array) return value.byteLength
  if (Array.isArray(value)) return value.length
  return value !== null && typeof value === 'object' && !(value instanceof Date) ? Object.keys(value).length : undefined
}

const patterns = new Map<string, RegExp>()

/** The models' patterns are Java's; all but a few are JavaScript's too. They come from AWS, never from a caller. */
function patternOf(source: string): RegExp {
  let pattern = patterns.get(source)
  if (!pattern) {
    const dotAll = source.startsWith('(?s)')
    const body = `^(?:${dotAll ? source.slice(4) : source})$`
    try {
      pattern = new RegExp(body, dotAll ? 'us' : 'u')
    } catch {
      pattern = new RegExp(body, dotAll ? 's' : '')
    }
    patterns.set(source, pattern)
  }
  return pattern
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return 'java.nio.HeapByteBuffer'
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}=${shown(item)}`)
      .join(', ')}}`
  }
  return String(value)
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
