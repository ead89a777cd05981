/**
 * Regular expressions that look at the same component: in one pass the literals that they require are looked for, and only the
 * expressions whose literals a text contains run, each on RE2's automaton: linear in the text, whatever the patterns and the text are.
 *
 * One automaton for all of them would do with one pass, but texts that begin many patterns at once make it grow without end: each
 * combination of half-read patterns is a state.
 */
import { RE2JS } from 're2js'
import { LiteralScanner, type OwnedLiteral } from './literal-scanner.ts'
import { requiredLiterals } from './required-literals.ts'
import { STEPS_A_CHARACTER, type Steps } from './steps.ts'

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
    return Math.max(0, compiled(pattern).programSize() - pattern.length)
  } catch {
    return undefined
  }
}

/** Managed groups look for one pattern in many components, and every web ACL has the same ones. */
const EXPRESSIONS_MAX = 4_096
const expressions = new Map<string, RE2JS>()

/** Throws on a pattern that RE2 does not take. */
function compiled(pattern: string): RE2JS {
  const known = expressions.get(pattern)
  if (known !== undefined) return known
  const expression = RE2JS.compile(pattern)
  if (expressions.size >= EXPRESSIONS_MAX) expressions.delete(expressions.keys().next().value!)
  expressions.set(pattern, expression)
  return expression
}

/** Of one pattern, and of the patterns of one set together: `[a-z]{1,256}` is within it. */
export const PATTERN_COST_MAX = 600
/** Of all patterns that stand in the rules of one web ACL or rule group. */
export const RULES_COST_MAX = 2_400

interface Scanner {
  readonly literals: LiteralScanner
  /** Patterns that require no literal. */
  readonly always: readonly number[]
}

/** By their patterns: web ACLs that attach the same managed groups share them, and so do the revisions of one web ACL. */
const SCANNERS_MAX = 256
const scanners = new Map<string, Scanner>()

export class PatternBatch {
  readonly #ids = new Map<string, number>()
  readonly #expressions: RE2JS[] = []
  #scanner: Scanner | undefined

  /** The number of a pattern. Throws on a pattern that RE2 does not take. */
  add(pattern: string): number {
    const known = this.#ids.get(pattern)
    if (known !== undefined) return known
    const id = this.#expressions.push(compiled(pattern)) - 1
    this.#ids.set(pattern, id)
    this.#scanner = undefined
    return id
  }

  /** What is known of the patterns in these texts. */
  matches(texts: readonly string[], steps: Steps): PatternMatches {
    const { literals, always } = this.#ready()
    const matches = new PatternMatches(this.#expressions, steps)
    for (const text of texts) matches.scan(text, literals, always)
    return matches
  }

  /** Builds what {@link matches} takes, and matches, a little at a time. */
  *learn(texts: readonly string[], steps: Steps): Generator<void> {
    yield* this.#build()
    const matches = this.matches(texts, steps)
    for (let id = 0; id < this.#expressions.length; id++) {
      matches.has(id)
      yield
    }
  }

  #ready(): Scanner {
    if (!this.#scanner) for (const _ of this.#build());
    return this.#scanner!
  }

  *#build(): Generator<void> {
    if (this.#scanner) return
    const patterns = [...this.#ids.keys()]
    const name = patterns.join('\0')
    const known = scanners.get(name)
    if (known) {
      scanners.delete(name)
      scanners.set(name, known)
      this.#scanner = known
      return
    }
    const literals: OwnedLiteral[] = []
    const always: number[] = []
    for (const [id, pattern] of patterns.entries()) {
      const required = requiredLiterals(pattern)
      if (required) literals.push(...required.map((literal): OwnedLiteral => [literal, id]))
      else always.push(id)
      yield
    }
    this.#scanner = { literals: new LiteralScanner(literals), always }
    scanners.set(name, this.#scanner)
    if (scanners.size > SCANNERS_MAX) scanners.delete(scanners.keys().next().value!)
  }
}

/** The patterns of a batch in some texts: each is matched when it is first looked for, where its literals are. */
export class PatternMatches {
  readonly #expressions: readonly RE2JS[]
  readonly #steps: Steps
  /** Texts that a pattern may match. */
  readonly #candidates = new Map<number, string[]>()
  /** The first text that a pattern matches; undefined for one that matches none. */
  readonly #matched = new Map<number, string | undefined>()

  constructor(expressions: readonly RE2JS[], steps: Steps) {
    this.#expressions = expressions
    this.#steps = steps
  }

  /** To be called with each text, before anything is looked for. */
  scan(text: string, literals: LiteralScanner, always: readonly number[]): void {
    this.#steps.spend(text.length)
    const add = (id: number) => {
      const texts = this.#candidates.get(id)
      if (!texts) this.#candidates.set(id, [text])
      else if (texts[texts.length - 1] !== text) texts.push(text)
    }
    for (const id of always) add(id)
    literals.scan(text, add)
  }

  has(id: number): boolean {
    return this.#candidates.size > 0 && this.textOf(id) !== undefined
  }

  /** The first of the texts that a pattern matches. */
  textOf(id: number): string | undefined {
    const texts = this.#candidates.get(id)
    if (!texts) return undefined
    if (this.#matched.has(id)) return this.#matched.get(id)
    const expression = this.#expressions[id]!
    const cost = STEPS_A_CHARACTER.REGEX + Math.ceil(expression.programSize() / 1_000)
    const found = texts.find((text) => {
      this.#steps.spend(text.length * cost)
      return expression.test(text)
    })
    this.#matched.set(id, found)
    return found
  }
}
