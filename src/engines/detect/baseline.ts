/**
 * What is usual: decayed counts of each dimension of behavior, for a principal, its role, its account and the organization.
 * The surprise of a value is −log2 of its probability, which backs off from the narrow baseline to the wider ones.
 */
import type { Unusual } from './types.ts'

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
 * Persisted as JSON. `counts` are flat triples: value, decayed count in 1/256, first seen in minutes since 1970; the frequent
 * ones come first. Small whole numbers and shared texts: a hundred thousand principals have one each.
 */
export interface Baseline {
  /** First and last event, and when counts were last decayed, in milliseconds. */
  first: number
  last: number
  decayed: number
  total: number
  counts: Partial<Record<Dimension, (string | number)[]>>
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

export const newBaseline = (time: number): Baseline => ({
  first: time,
  last: time,
  decayed: time,
  total: 0,
  counts: {},
})

/** Adds an event. `wide`: of an account or the organization, with room for more values. */
export function learn(baseline: Baseline, observed: Observed, time: number, wide: boolean): void {
  decay(baseline, time)
  baseline.total += 1
  baseline.first = Math.min(baseline.first, time)
  baseline.last = Math.max(baseline.last, time)
  for (const dimension of DIMENSIONS) {
    const value = observed[dimension]
    if (value === undefined) continue
    const counts = baseline.counts[dimension] ?? []
    const max = (wide ? VALUES_MAX.wide : VALUES_MAX.narrow) * STRIDE
    baseline.counts[dimension] = counted(counts, value.slice(0, VALUE_LENGTH_MAX), time, max)
  }
}

/** Changes `counts`, or returns a longer list, of exactly its length. */
function counted(counts: (string | number)[], value: string, time: number, max: number): (string | number)[] {
  let at = indexOf(counts, value)
  if (at < 0) {
    const first = Math.floor(time / MINUTE_MS)
    if (counts.length < max) return [...counts, shared(value), ONE, first]
    // The rarest gives way. Its events stay in the total, so rare values stay improbable.
    at = counts.length - STRIDE
    counts[at] = shared(value)
    counts[at + 1] = 0
    counts[at + 2] = first
  }
  const count = (counts[at + 1] as number) + ONE
  counts[at + 1] = count
  while (at > 0 && (counts[at - 2] as number) < count) {
    for (let i = 0; i < STRIDE; i++) {
      const before = counts[at - STRIDE + i]!
      counts[at - STRIDE + i] = counts[at + i]!
      counts[at + i] = before
    }
    at -= STRIDE
  }
  return counts
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

function indexOf(counts: readonly (string | number)[], value: string): number {
  for (let i = 0; i < counts.length; i += STRIDE) if (counts[i] === value) return i
  return -1
}

function decay(baseline: Baseline, time: number): void {
  const elapsed = time - baseline.decayed
  if (elapsed < HOUR_MS) return
  const factor = 2 ** (-elapsed / HALF_LIFE_MS)
  baseline.decayed = time
  baseline.total *= factor
  for (const counts of Object.values(baseline.counts))
    for (let i = 1; i < counts.length; i += STRIDE) counts[i] = Math.round((counts[i] as number) * factor)
}

export interface ScopedBaseline {
  readonly scope: Unusual['scope']
  readonly baseline: Baseline | undefined
}

/** Whether a baseline has seen enough time to say that something is unusual. */
export const isMature = (baseline: Baseline | undefined, time: number): boolean =>
  baseline !== undefined && time - baseline.first >= MATURE_MS

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
  const text = value.slice(0, VALUE_LENGTH_MAX)
  // Everything is new in a new account: the organization says what is usual there, too, but not what is unusual.
  const isNewAccount = !isMature(scopes.at(-2)?.baseline, time)
  let probability = prior
  let nearest: ScopedBaseline | undefined
  for (let i = scopes.length - 1; i >= 0; i--) {
    const { scope, baseline } = scopes[i]!
    const counts = baseline?.counts[dimension]
    if (!baseline || !counts || (scope === 'organization' && OF_ACCOUNTS.has(dimension))) continue
    const here = (countOf(baseline, counts, text, time) + BACK_OFF * probability) / (baseline.total + BACK_OFF)
    const onlyRaises = !isMature(baseline, time) || (scope === 'organization' && isNewAccount)
    if (onlyRaises && here <= probability) continue
    probability = here
    nearest = scopes[i]
  }
  return {
    dimension,
    observed: text,
    expected: nearest ? expectedOf(nearest.baseline!.counts[dimension]!) : [],
    surpriseBits: Math.round(-Math.log2(probability) * 10) / 10,
    scope: nearest?.scope ?? 'prior',
  }
}

function countOf(baseline: Baseline, counts: readonly (string | number)[], value: string, time: number): number {
  const at = indexOf(counts, value)
  if (at < 0) return 0
  const seen = (counts[at + 2] as number) * MINUTE_MS
  const probation = seen - baseline.first > YOUNG_MS ? PROBATION_MS : YOUNG_PROBATION_MS
  return time - seen < probation ? 0 : (counts[at + 1] as number) / ONE
}

function expectedOf(counts: readonly (string | number)[]): string[] {
  const values: string[] = []
  for (let i = 0; i < counts.length && values.length < EXPECTED_MAX; i += STRIDE) values.push(counts[i] as string)
  return values
}
