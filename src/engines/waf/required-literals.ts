/**
 * What a text must contain for a regular expression of RE2 to match it: a few literals, of which one is in every match. Where they are
 * absent, the expression need not run.
 *
 * The idea is that of RE2's prefilters (https://github.com/google/re2/blob/main/re2/prefilter.h).
 *
 * @example
 * requiredLiterals('(?i)union\\s+select') // ['select']
 * requiredLiterals('[a-z]+') // undefined
 */

/** More characters of a literal say little more. */
const LITERAL_MAX = 6
/** Of one expression: beyond it, what is found otherwise is preferred. */
const LITERALS_MAX = 400
const CLASS_MAX = 8
const DEPTH_MAX = 50

/** Texts of which each match contains one. `exact`: all that matches are these texts, completely. */
interface Facts {
  readonly exact: readonly string[] | undefined
  readonly required: readonly string[] | undefined
}

const ANYTHING: Facts = { exact: undefined, required: undefined }
const EMPTY: Facts = { exact: [''], required: undefined }
const exactly = (texts: readonly string[]): Facts => ({ exact: texts, required: texts })

/** What this reader does not know. */
class UnreadableError extends Error {}

/** ASCII in lower case: to be looked for in text of either case. undefined: nothing is known to be required. */
export function requiredLiterals(pattern: string): readonly string[] | undefined {
  try {
    const reader = new Reader(pattern)
    const { required } = reader.alternation(0)
    if (!reader.isAtEnd || !isUseful(required)) return undefined
    const short = [...new Set(required.map((text) => text.slice(0, LITERAL_MAX)))]
    return short.filter((text) => !short.some((other) => other !== text && text.includes(other)))
  } catch (error) {
    if (error instanceof UnreadableError) return undefined
    throw error
  }
}

const isUseful = (texts: readonly string[] | undefined): texts is readonly string[] =>
  texts !== undefined && texts.length > 0 && texts.length <= LITERALS_MAX && texts.every((text) => text !== '')

const shortest = (texts: readonly string[]): number => Math.min(LITERAL_MAX, ...texts.map(({ length }) => length))

/** The one that fewer texts contain. */
function better(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  if (!isUseful(a)) return isUseful(b) ? b : undefined
  if (!isUseful(b)) return a
  const [lengthA, lengthB] = [shortest(a), shortest(b)]
  return lengthA > lengthB || (lengthA === lengthB && a.length <= b.length) ? a : b
}

class Reader {
  readonly #pattern: string
  /** Then bytes beyond ASCII have cases, too. */
  readonly #foldsCase: boolean
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#foldsCase = /\(\?[smU]*i/.test(pattern)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#pattern.length
  }

  alternation(depth: number): Facts {
    if (depth > DEPTH_MAX) throw new UnreadableError()
    const all = [this.#concatenation(depth)]
    while (this.#take('|')) all.push(this.#concatenation(depth))
    if (all.length === 1) return all[0]!
    const exact = all.every((each) => each.exact) ? all.flatMap((each) => each.exact!) : undefined
    const parts = all.map((each) => better(each.exact, each.required))
    const required = parts.every(isUseful) ? parts.flatMap((part) => part!) : undefined
    return { exact: exact && exact.length <= LITERALS_MAX ? exact : undefined, required }
  }

  #concatenation(depth: number): Facts {
    let exact: readonly string[] | undefined = ['']
    let run: readonly string[] = ['']
    let required: readonly string[] | undefined
    while (!this.isAtEnd && this.#pattern[this.#at] !== '|' && this.#pattern[this.#at] !== ')') {
      const next = this.#repeated(depth)
      const joined: readonly string[] | undefined =
        next.exact && run.length * next.exact.length <= LITERALS_MAX
          ? run.flatMap((text) => next.exact!.map((more) => text + more))
          : undefined
      if (joined && shortest(joined) <= LITERAL_MAX && joined.every(({ length }) => length <= 4 * LITERAL_MAX)) {
        run = joined
        if (exact) exact = joined
        continue
      }
      exact = undefined
      required = better(better(required, run), next.required)
      run = next.exact ?? ['']
    }
    return { exact, required: better(required, run) }
  }

  #repeated(depth: number): Facts {
    let facts = this.#atom(depth)
    for (;;) {
      const [min, max] = this.#repetition() ?? []
      if (min === undefined) return facts
      if (min === 0) facts = max === 1 && facts.exact ? { exact: ['', ...facts.exact], required: undefined } : ANYTHING
      else if (max !== 1) facts = { exact: undefined, required: better(facts.exact, facts.required) }
    }
  }

  /** The least and the largest number; undefined without one. */
  #repetition(): readonly [min: number, max: number] | undefined {
    const c = this.#pattern[this.#at]
    const simple =
      c === '*' ? ([0, 2] as const) : c === '+' ? ([1, 2] as const) : c === '?' ? ([0, 1] as const) : undefined
    if (simple) this.#at++
    const counted = simple ? undefined : this.#match(/\{(\d+)(,?)(\d*)\}/y)
    if (!simple && !counted) return undefined
    this.#take('?')
    if (simple) return simple
    const [, min, comma, max] = counted!
    return [Number(min), comma === '' ? Number(min) : max === '' ? 2 : Number(max)]
  }

  #atom(depth: number): Facts {
    const c = this.#pattern[this.#at++]!
    switch (c) {
      case '(': {
        const flags = this.#match(/\?(?:([imsU]*)(:|\))|P?<\w+>)/y)
        if (!flags && this.#pattern[this.#at] === '?') throw new UnreadableError()
        // Flags for the rest: case and lines do not matter here.
        if (flags?.[2] === ')') return EMPTY
        const facts = this.alternation(depth + 1)
        if (!this.#take(')')) throw new UnreadableError()
        return facts
      }
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      case '.':
        return ANYTHING
      case '^':
      case '$':
        return EMPTY
      default:
        return this.#literal(c)
    }
  }

  #literal(c: string): Facts {
    const code = c.charCodeAt(0)
    if (code < 0x80) return exactly([c.toLowerCase()])
    return code > 0xff || this.#foldsCase ? ANYTHING : exactly([c])
  }

  #escape(): Facts {
    const hex = this.#match(/x([0-9a-fA-F]{2})/y)
    if (hex) return this.#literal(String.fromCharCode(Number.parseInt(hex[1]!, 16)))
    const c = this.#pattern[this.#at++]
    if (c === undefined) throw new UnreadableError()
    if ('bBAz'.includes(c)) return EMPTY
    if ('dDsSwW'.includes(c)) return ANYTHING
    if (c === '0' && /[0-7]/.test(this.#pattern[this.#at] ?? '')) throw new UnreadableError()
    if (c in CONTROLS) return this.#literal(CONTROLS[c]!)
    if (/\w/.test(c)) throw new UnreadableError()
    return this.#literal(c)
  }

  /** Behind its bracket. */
  #class(): Facts {
    const isNegated = this.#take('^')
    const members = new Set<string>()
    let isLarge = isNegated
    for (let isFirst = true; ; isFirst = false) {
      const c = this.#pattern[this.#at++]
      if (c === undefined || (c === '[' && this.#pattern[this.#at] === ':')) throw new UnreadableError()
      if (c === ']' && !isFirst) break
      let member = c
      if (c === '\\') {
        const { exact } = this.#escape()
        if (!exact?.[0]) isLarge = true
        else member = exact[0]
      }
      if (this.#pattern[this.#at] === '-' && this.#pattern[this.#at + 1] !== ']') {
        this.#at++
        if (this.#pattern[this.#at++] === '\\') this.#escape()
        isLarge = true
      }
      const { exact } = this.#literal(member)
      if (exact) members.add(exact[0]!)
      else isLarge = true
    }
    return isLarge || members.size > CLASS_MAX ? ANYTHING : exactly([...members])
  }

  #take(c: string): boolean {
    const isNext = this.#pattern[this.#at] === c
    if (isNext) this.#at++
    return isNext
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at
    const match = sticky.exec(this.#pattern)
    if (match) this.#at = sticky.lastIndex
    return match
  }
}

const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', a: '\x07', 0: '\0' }
