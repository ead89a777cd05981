/**
 * What is usual: decayed counts of each dimension of behavior, for a principal, its role, its account and the organization.
 * The surprise of a value is −log2 of its probability, which backs off from the narrow baseline to the wider ones.
 */
import { isObject } from './normalize/json.ts'
import type { PartCodec } from './state.ts'
import type { Json, Unusual } from './types.ts'

export const DIMENSIONS = [
  'action',
  'service',
  'tactic',
  'region',
  'network',
  'country',
  'userAgent',
  'hour',
  'errors',
  'resource',
] as const
export type Dimension = (typeof DIMENSIONS)[number]
export type Observed = Readonly<Partial<Record<Dimension, string>>>

/**
 * A hundred thousand principals have one each, so it is one list of small whole numbers and shared texts. Persisted as it is.
 *
 * `counts` begins with the end of the part of each dimension. A part has triples: value, decayed count in 1/256, first seen in
 * minutes since 1970; the frequent ones come first.
 */
export interface Baseline {
  /** First event, and when counts were last decayed, in minutes since 1970. */
  first: number
  decayed: number
  /** Decayed count of events in 1/256. */
  total: number
  counts: (string | number)[]
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const HALF_LIFE_MS = 14 * DAY_MS
/** Of an established baseline, a new value counts only after this time: a slow ramp cannot make itself usual in a few days. */
export const PROBATION_MS = 7 * DAY_MS
/** Before this age, a baseline learns quickly. */
const YOUNG_MS = 14 * DAY_MS
/** Even then, what began within the hour is not usual: it may be the attack. */
const YOUNG_PROBATION_MS = HOUR_MS
/** Before this age, a baseline can say what is usual, and not yet what is unusual. */
const MATURE_MS = DAY_MS
const STRIDE = 3
/** Of one event in `counts`. */
const ONE = 256
/** Pseudo-counts of the wider baseline in the narrower one. */
const BACK_OFF = 5
const VALUES_MAX = { narrow: 24, wide: 256 }
const VALUE_LENGTH_MAX = 80
const EXPECTED_MAX = 5

const HEADER = DIMENSIONS.length
const minuteOf = (time: number): number => Math.floor(time / MINUTE_MS)

export const newBaseline = (time: number): Baseline => ({
  first: minuteOf(time),
  decayed: minuteOf(time),
  total: 0,
  counts: DIMENSIONS.map(() => HEADER),
})

/** Undefined for what is no baseline of this form. */
export const baselineOf = (value: Json): Baseline | undefined =>
  isObject(value) && Array.isArray(value.counts) && typeof value.counts[0] === 'number'
    ? (structuredClone(value) as unknown as Baseline)
    : undefined

export const BASELINE_CODEC: PartCodec<Baseline> = {
  encode: (baseline) => ({ ...baseline, counts: [...baseline.counts] }),
  decode: baselineOf,
}

/** Adds an event. `wide`: of an account or the organization, with room for more values. */
export function learn(baseline: Baseline, observed: Observed, time: number, wide: boolean): void {
  decay(baseline, time)
  const minute = minuteOf(time)
  baseline.total += ONE
  baseline.first = Math.min(baseline.first, minute)
  const max = (wide ? VALUES_MAX.wide : VALUES_MAX.narrow) * STRIDE
  const { counts } = baseline
  let added = 0
  for (let dimension = 0; dimension < HEADER; dimension++) {
    const value = observed[DIMENSIONS[dimension]!]
    if (value !== undefined && !count(counts, dimension, bounded(value), minute, max)) added |= 1 << dimension
  }
  if (added !== 0) baseline.counts = withValues(counts, observed, added, minute)
}

const bounded = (value: string): string => (value.length > VALUE_LENGTH_MAX ? value.slice(0, VALUE_LENGTH_MAX) : value)

const startOf = (counts: Baseline['counts'], dimension: number): number =>
  dimension === 0 ? HEADER : (counts[dimension - 1] as number)

/** False where the value is new and there is room for it. */
function count(counts: Baseline['counts'], dimension: number, value: string, minute: number, max: number): boolean {
  const start = startOf(counts, dimension)
  const end = counts[dimension] as number
  let at = indexOf(counts, start, end, value)
  if (at < 0) {
    if (end - start < max) return false
    // The rarest gives way. Its events stay in the total, so rare values stay improbable.
    at = end - STRIDE
    counts[at] = shared(value)
    counts[at + 1] = 0
    counts[at + 2] = minute
  }
  const times = (counts[at + 1] as number) + ONE
  counts[at + 1] = times
  while (at > start && (counts[at - 2] as number) < times) {
    for (let i = 0; i < STRIDE; i++) {
      const before = counts[at - STRIDE + i]!
      counts[at - STRIDE + i] = counts[at + i]!
      counts[at + i] = before
    }
    at -= STRIDE
  }
  return true
}

/** With a new value of each dimension in `added`, a bit mask. Of exactly its length: an array that grows keeps spare room. */
function withValues(counts: Baseline['counts'], observed: Observed, added: number, minute: number): Baseline['counts'] {
  let length = counts.length
  for (let bits = added; bits !== 0; bits &= bits - 1) length += STRIDE
  const grown: (string | number)[] = new Array(length)
  let to = HEADER
  for (let dimension = 0; dimension < HEADER; dimension++) {
    for (let i = startOf(counts, dimension); i < (counts[dimension] as number); i++) grown[to++] = counts[i]!
    if ((added & (1 << dimension)) !== 0) {
      grown[to++] = shared(bounded(observed[DIMENSIONS[dimension]!]!))
      grown[to++] = ONE
      grown[to++] = minute
    }
    grown[dimension] = to
  }
  return grown
}

const SHARED_MAX = 20_000
const texts = new Map<string, string>()

/** The same text for all baselines: parsed records have one each. What is forgotten is only no longer shared. */
function shared(text: string): string {
  const known = texts.get(text)
  if (known !== undefined) return known
  if (texts.size >= SHARED_MAX) texts.clear()
  texts.set(text, text)
  return text
}

function indexOf(counts: Baseline['counts'], start: number, end: number, value: string): number {
  for (let i = start; i < end; i += STRIDE) if (counts[i] === value) return i
  return -1
}

function decay(baseline: Baseline, time: number): void {
  const elapsed = time - baseline.decayed * MINUTE_MS
  if (elapsed < HOUR_MS) return
  const factor = 2 ** (-elapsed / HALF_LIFE_MS)
  const { counts } = baseline
  baseline.decayed = minuteOf(time)
  baseline.total = Math.round(baseline.total * factor)
  for (let i = HEADER + 1; i < counts.length; i += STRIDE) counts[i] = Math.round((counts[i] as number) * factor)
}

export interface ScopedBaseline {
  readonly scope: Unusual['scope']
  readonly baseline: Baseline | undefined
}

/** Since its first event, in milliseconds. */
export const ageOf = (baseline: Baseline, time: number): number => time - baseline.first * MINUTE_MS

/** Whether a baseline has seen enough time to say that something is unusual. */
export const isMature = (baseline: Baseline | undefined, time: number): boolean =>
  baseline !== undefined && ageOf(baseline, time) >= MATURE_MS

/** What accounts are for differs: what one does often is not usual in another. */
const OF_ACCOUNTS: ReadonlySet<Dimension> = new Set<Dimension>(['tactic', 'resource'])

/** Narrow to wide, the organization last. `prior` is the probability of the value where nothing was ever seen. */
export function surprise(
  dimension: Dimension,
  value: string,
  prior: number,
  scopes: readonly ScopedBaseline[],
  time: number,
): Unusual {
  const text = bounded(value)
  const part = DIMENSIONS.indexOf(dimension)
  // Everything is new in a new account: the organization says what is usual there, too, but not what is unusual.
  const isNewAccount = !isMature(scopes.at(-2)?.baseline, time)
  let probability = prior
  let nearest: ScopedBaseline | undefined
  for (let i = scopes.length - 1; i >= 0; i--) {
    const { scope, baseline } = scopes[i]!
    if (!baseline || startOf(baseline.counts, part) === baseline.counts[part]) continue
    if (scope === 'organization' && OF_ACCOUNTS.has(dimension)) continue
    const here = (countOf(baseline, part, text, time) + BACK_OFF * probability) / (baseline.total / ONE + BACK_OFF)
    const onlyRaises = !isMature(baseline, time) || (scope === 'organization' && isNewAccount)
    if (onlyRaises && here <= probability) continue
    probability = here
    nearest = scopes[i]
  }
  return {
    dimension,
    observed: text,
    expected: nearest ? expectedOf(nearest.baseline!.counts, part) : [],
    surpriseBits: Math.round(-Math.log2(probability) * 10) / 10,
    scope: nearest?.scope ?? 'prior',
  }
}

function countOf({ first, counts }: Baseline, dimension: number, value: string, time: number): number {
  const at = indexOf(counts, startOf(counts, dimension), counts[dimension] as number, value)
  if (at < 0) return 0
  const seen = counts[at + 2] as number
  const probation = (seen - first) * MINUTE_MS > YOUNG_MS ? PROBATION_MS : YOUNG_PROBATION_MS
  return time - seen * MINUTE_MS < probation ? 0 : (counts[at + 1] as number) / ONE
}

function expectedOf(counts: Baseline['counts'], dimension: number): string[] {
  const values: string[] = []
  const end = counts[dimension] as number
  for (let i = startOf(counts, dimension); i < end && values.length < EXPECTED_MAX; i += STRIDE)
    values.push(counts[i] as string)
  return values
}
