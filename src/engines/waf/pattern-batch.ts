/**
 * Regular expressions that look at the same texts, matched together in one pass by RE2's automaton: linear in the text, whatever
 * the patterns and the text are.
 */
import { RE2JS, RE2Set } from 're2js'

/**
 * What a pattern costs beyond its length: steps that counted repetitions add to each character of a text. The time that a text takes
 * grows with it, so that it is bounded before a pattern is stored. undefined for a text that is no regular expression, as AWS WAF
 * knows them: without look-around and back-references.
 *
 * @example
 * patternCost('sqlmap') // 0
 * patternCost('[a-z]{1,100}') // 190
 */
export function patternCost(pattern: string): number | undefined {
  try {
    return Math.max(0, sizeOf(pattern) - pattern.length)
  } catch {
    return undefined
  }
}

/** Managed groups look for one pattern in many components, and every web ACL has the same ones. */
const SIZES_MAX = 4_096
const sizes = new Map<string, number>()

/** Instructions of a pattern's program. Throws on a pattern that RE2 does not take. */
function sizeOf(pattern: string): number {
  const known = sizes.get(pattern)
  if (known !== undefined) return known
  const size = RE2JS.compile(pattern).programSize()
  if (sizes.size >= SIZES_MAX) sizes.delete(sizes.keys().next().value!)
  sizes.set(pattern, size)
  return size
}

/** Of one pattern, and of the patterns of one set together: `[a-z]{1,256}` is within it. */
export const PATTERN_COST_MAX = 600
/** Of all patterns that stand in the rules of one web ACL or rule group. */
export const RULES_COST_MAX = 2_400

/**
 * Sets by their patterns: web ACLs that attach the same managed groups share them, and so do the revisions of one web ACL. A set
 * builds its automaton while it matches, which is what takes long.
 */
const SETS_MAX = 512
const sets = new Map<string, RE2Set>()

/** Characters of a text that automata learn at a time. */
const LEARNED_CHARS = 16

export class PatternBatch {
  readonly #patterns = new Map<string, number>()
  #set: RE2Set | undefined
  #instructions = 0

  /** Of all patterns: what a character costs at most grows with it. */
  get instructions(): number {
    return this.#instructions
  }

  /** The number of a pattern, for {@link matches}. Throws on a pattern that RE2 does not take. */
  add(pattern: string): number {
    const known = this.#patterns.get(pattern)
    if (known !== undefined) return known
    this.#instructions += sizeOf(pattern)
    const id = this.#patterns.size
    this.#patterns.set(pattern, id)
    this.#set = undefined
    return id
  }

  /** The numbers of the patterns that match one of the texts. */
  matches(texts: readonly string[]): ReadonlySet<number> {
    const found = new Set<number>()
    for (const text of texts) for (const id of this.#compiled().match(text)) found.add(id)
    return found
  }

  /** The first of the texts that a pattern matches. */
  textOf(id: number, texts: readonly string[]): string {
    const pattern = RE2JS.compile([...this.#patterns.keys()][id]!)
    return texts.find((text) => pattern.matcher(text).find()) ?? ''
  }

  /** Builds what matching these texts takes, a little at a time: the next step is the caller's to take. */
  *learn(texts: readonly string[]): Generator<void> {
    yield* this.#build()
    for (const text of texts)
      for (let length = LEARNED_CHARS; ; length += LEARNED_CHARS) {
        this.#compiled().match(text.slice(0, length))
        yield
        if (length >= text.length) break
      }
  }

  #compiled(): RE2Set {
    if (!this.#set) for (const _ of this.#build());
    return this.#set!
  }

  *#build(): Generator<void> {
    if (this.#set) return
    const patterns = [...this.#patterns.keys()]
    const id = patterns.join('\0')
    const known = sets.get(id)
    if (known) {
      sets.delete(id)
      sets.set(id, known)
      this.#set = known
      return
    }
    const set = new RE2Set(RE2Set.UNANCHORED)
    for (const pattern of patterns) {
      set.add(pattern)
      yield
    }
    set.compile()
    this.#set = set
    sets.set(id, set)
    if (sets.size > SETS_MAX) sets.delete(sets.keys().next().value!)
  }
}
