/**
 * Finding criteria: which findings a list, a filter or a statistic is about. Conditions on fields are all required; fields are
 * paths of the finding's JSON. Source: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_FindingCriteria.html
 *
 * @example
 * matchesCriteria({ Criterion: { severity: { GreaterThanOrEqual: 7 } } }, finding)
 */
import type { Condition, Finding, FindingCriteria } from '@aws-sdk/client-guardduty'
import { globCodes, globMatches } from '../../policy/glob.ts'
import { badRequest, invalidParameter } from './faults.ts'

/** Of one request: what a caller may have evaluated for every finding. */
const FIELDS_MAX = 50
const VALUES_MAX = 200
const PATH_MAX = 300

/** Throws for conditions that say nothing, or too much. */
export function requireCriteria(criteria: FindingCriteria | undefined): FindingCriteria {
  const fields = Object.entries(criteria?.Criterion ?? {})
  if (fields.length > FIELDS_MAX)
    throw badRequest('The request is rejected because the finding criteria have too many fields.')
  for (const [path, condition] of fields) {
    if (path === '' || path.length > PATH_MAX || !/^[A-Za-z0-9.]+$/.test(path))
      throw invalidParameter('findingCriteria')
    const lists = [
      condition.Eq,
      condition.Neq,
      condition.Equals,
      condition.NotEquals,
      condition.Matches,
      condition.NotMatches,
    ]
    if (lists.some((list) => (list?.length ?? 0) > VALUES_MAX))
      throw badRequest(`The request is rejected because the condition on ${path} has more than ${VALUES_MAX} values.`)
  }
  return criteria ?? {}
}

export function matchesCriteria({ Criterion = {} }: FindingCriteria, finding: Finding): boolean {
  return Object.entries(Criterion).every(([path, condition]) => matches(condition, valuesAt(finding, path)))
}

type Scalar = string | number | boolean

function matches(condition: Condition, values: readonly Scalar[]): boolean {
  const texts = values.map(String)
  const isOneOf = (list: readonly string[]) => texts.some((text) => list.includes(text))
  const isLike = (list: readonly string[]) => {
    const patterns = list.map(globCodes)
    return texts.some((text) => patterns.some((pattern) => globMatches(pattern, text)))
  }
  const compares = (bound: number | bigint | undefined, holds: (value: number, bound: number) => boolean) =>
    bound === undefined || values.some((value) => holds(numberOf(value), Number(bound)))
  const { Equals = condition.Eq, NotEquals = condition.Neq, Matches, NotMatches } = condition
  return (
    (!Equals?.length || isOneOf(Equals)) &&
    (!NotEquals?.length || !isOneOf(NotEquals)) &&
    (!Matches?.length || isLike(Matches)) &&
    (!NotMatches?.length || !isLike(NotMatches)) &&
    compares(condition.GreaterThan ?? condition.Gt, (value, bound) => value > bound) &&
    compares(condition.GreaterThanOrEqual ?? condition.Gte, (value, bound) => value >= bound) &&
    compares(condition.LessThan ?? condition.Lt, (value, bound) => value < bound) &&
    compares(condition.LessThanOrEqual ?? condition.Lte, (value, bound) => value <= bound)
  )
}

/** Times are compared in epoch milliseconds. */
function numberOf(value: Scalar): number {
  if (typeof value !== 'string') return Number(value)
  return /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number(value)
}

/**
 * Every value at a path of the finding's JSON; lists are entered. The JSON's members are those of the API in camel case.
 * `service.additionalInfo` is a JSON text: paths go on in it.
 */
export function valuesAt(finding: Finding, path: string): readonly Scalar[] {
  let level: readonly unknown[] = [finding]
  for (const segment of path.split('.')) {
    level = level.flatMap((each) => membersNamed(each, segment))
    if (level.length === 0) return []
  }
  return level.flatMap(scalars)
}

function membersNamed(value: unknown, segment: string): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => membersNamed(each, segment))
  if (typeof value !== 'object' || value === null) return []
  const members = value as Readonly<Record<string, unknown>>
  const name = segment.charAt(0).toUpperCase() + segment.slice(1)
  for (const each of [name, segment]) if (Object.hasOwn(members, each)) return [parsedInfo(each, members[each])]
  return []
}

function parsedInfo(name: string, value: unknown): unknown {
  if (name !== 'AdditionalInfo' || typeof value !== 'object' || value === null) return value
  const { Value, ...rest } = value as { readonly Value?: string }
  try {
    return { ...rest, ...(JSON.parse(Value ?? '{}') as object) }
  } catch {
    return rest
  }
}

function scalars(value: unknown): readonly Scalar[] {
  if (Array.isArray(value)) return value.flatMap(scalars)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [value] : []
}

/** For sorting: undefined values come first. Times and numbers by size, all else as text. */
export function compareAt(path: string): (a: Finding, b: Finding) => number {
  return (a, b) => {
    const [left] = valuesAt(a, path)
    const [right] = valuesAt(b, path)
    if (left === right) return 0
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    if (typeof left === 'number' && typeof right === 'number') return left - right
    return String(left) < String(right) ? -1 : 1
  }
}
