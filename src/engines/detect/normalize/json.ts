/** Reading members of JSON that others wrote: of the expected type, or nothing. */
import type { Json, JsonObject } from '../types.ts'

export const EMPTY: JsonObject = Object.freeze({})

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : EMPTY)

export const textOf = (value: unknown, max = 2_048): string =>
  typeof value === 'string' ? (value.length > max ? value.slice(0, max) : value) : ''

export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])

/** A member by names, `['ownerInfo', 'id']`. */
export function at(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let current: Json | undefined = value
  for (const name of names) {
    if (!isObject(current) || !Object.hasOwn(current, name)) return undefined
    current = current[name]
  }
  return current
}

/** The elements of EC2's lists, `{ items: […] }`, or of plain ones. */
export const itemsOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : listOf(at(value, 'items'))

/**
 * Whether a value is within `budget` characters and members. Stops counting when it is not, so hostile values cost no more.
 */
export const isWithin = (value: unknown, budget: number): boolean => remaining(value, budget, 0) >= 0

const DEPTH_MAX = 32

function remaining(value: unknown, budget: number, depth: number): number {
  if (typeof value === 'string') return budget - value.length - 2
  if (typeof value !== 'object' || value === null) return budget - 5
  if (depth > DEPTH_MAX) return -1
  let left = budget - 2
  if (Array.isArray(value)) {
    for (const each of value) if ((left = remaining(each, left, depth + 1)) < 0) return -1
    return left
  }
  for (const name in value) {
    left = remaining((value as Record<string, unknown>)[name], left - name.length - 4, depth + 1)
    if (left < 0) return -1
  }
  return left
}
