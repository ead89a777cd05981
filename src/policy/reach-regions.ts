/**
 * A set of patterns divides all texts into regions: in these patterns, outside those. Found by walking all patterns at
 * once, as automata, so that what is said of a region is said of every text in it.
 */
import { Budget } from './budget.ts'
import { ANY, ANY_BUT_COLON, ONE, ONE_BUT_COLON, type Pattern } from './glob.ts'

export interface Region {
  /** Which patterns hold every text of the region; all others hold none. */
  readonly inside: ReadonlySet<number>
  /** One of its texts, a shortest. */
  readonly example: string
}

/** Beyond this the patterns are too entangled to say anything of. */
export const REGION_STATES_MAX = 5_000

const COLON = 58
/** Letters before signs, so that an example reads well. */
const OTHERS = [...'xyzwvutsrqponmlkjihgfedcba0123456789'].map((letter) => letter.charCodeAt(0))

/**
 * Of the texts that one of `universe` matches. Undefined: there are too many states to visit. Throws a `BudgetError` when
 * the analysis it is part of has spent all its steps.
 */
export function regionsOf(
  patterns: readonly Pattern[],
  universe: readonly Pattern[],
  budget: Budget = new Budget(),
  statesMax: number = REGION_STATES_MAX,
): readonly Region[] | undefined {
  const all = [...universe, ...patterns]
  const start = all.map((pattern) => reachable(pattern, [0]))
  const seen = new Set([keyOf(start)])
  const regions = new Map<string, Region>()
  let frontier: { readonly at: readonly Positions[]; readonly text: string }[] = [{ at: start, text: '' }]

  while (frontier.length > 0) {
    const next: typeof frontier = []
    for (const { at, text } of frontier) {
      note(at, text)
      const codes = tellingCodes(all, at)
      budget.spend(codes.length * at.reduce((sum, positions) => sum + positions.length + 1, 0))
      for (const code of codes) {
        const after = at.map((positions, i) => step(all[i]!, positions, code))
        if (universe.every((_, i) => after[i]!.length === 0)) continue
        const key = keyOf(after)
        if (seen.has(key)) continue
        if (seen.size >= statesMax) return undefined
        seen.add(key)
        next.push({ at: after, text: text + String.fromCharCode(code) })
      }
    }
    frontier = next
  }
  return [...regions.values()]

  function note(at: readonly Positions[], example: string): void {
    const ended = (i: number) => at[i]!.at(-1) === all[i]!.length
    if (!universe.some((_, i) => ended(i))) return
    const inside = patterns.map((_, i) => i).filter((i) => ended(i + universe.length))
    const key = inside.join()
    if (!regions.has(key)) regions.set(key, { inside: new Set(inside), example })
  }
}

/** Rising; the length of the pattern is its end. */
type Positions = readonly number[]

/** A star may match nothing. Before a free star nothing matters: it takes whatever is between. */
function reachable(pattern: Pattern, positions: Iterable<number>): Positions {
  const found = new Set<number>()
  let freeStar = 0
  for (let at of positions) {
    found.add(at)
    while (pattern[at] === ANY || pattern[at] === ANY_BUT_COLON) {
      if (pattern[at] === ANY) freeStar = Math.max(freeStar, at)
      found.add(++at)
    }
  }
  return [...found].filter((at) => at >= freeStar).sort((a, b) => a - b)
}

function step(pattern: Pattern, positions: Positions, code: number): Positions {
  const after: number[] = []
  for (const at of positions) {
    const wanted = pattern[at]
    if (wanted === ANY || (wanted === ANY_BUT_COLON && code !== COLON)) after.push(at)
    else if (wanted === code || wanted === ONE || (wanted === ONE_BUT_COLON && code !== COLON)) after.push(at + 1)
  }
  return reachable(pattern, after)
}

/** One of each kind of character that the patterns distinguish here. */
function tellingCodes(patterns: readonly Pattern[], at: readonly Positions[]): readonly number[] {
  const literals = new Set([COLON])
  for (const [i, positions] of at.entries()) {
    for (const position of positions) {
      const code = patterns[i]![position]
      if (code !== undefined && code >= 0) literals.add(code)
    }
  }
  let other = OTHERS.find((code) => !literals.has(code))
  for (let code = 0x100; other === undefined; code++) if (!literals.has(code)) other = code
  return [other, ...literals]
}

function keyOf(at: readonly Positions[]): string {
  return at.join('|')
}
