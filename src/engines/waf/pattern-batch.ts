/**
 * Regular expressions that look at the same texts, matched together in one pass by RE2's automaton: linear in the text, whatever
 * the patterns and the text are.
 */
import { RE2JS, RE2Set } from 're2js'

/** As AWS WAF's: it has no look-around and no back-references. */
export const isRegularExpression = (pattern: string): boolean => {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}

export class PatternBatch {
  readonly #patterns = new Map<string, number>()
  #set: RE2Set | undefined

  /** The number of a pattern, for {@link matches}. Throws on a pattern that RE2 does not take. */
  add(pattern: string): number {
    const known = this.#patterns.get(pattern)
    if (known !== undefined) return known
    RE2JS.compile(pattern)
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

  #compiled(): RE2Set {
    if (this.#set) return this.#set
    const set = new RE2Set(RE2Set.UNANCHORED)
    for (const pattern of this.#patterns.keys()) set.add(pattern)
    set.compile()
    this.#set = set
    return set
  }
}
