/**
 * Finds which of many literals a text contains, in one pass and without regard to the case of ASCII letters: the automaton of Aho and
 * Corasick, complete when it is built, so that no text makes it grow.
 *
 * Source: A. V. Aho, M. J. Corasick, Efficient string matching: an aid to bibliographic search, 1975.
 *
 * @example
 * new LiteralScanner([['select', 0], ['script', 1]]).scan('SELECT 1', (owner) => found.add(owner))
 */

/** A literal in lower case, of ASCII, and what it belongs to. */
export type OwnedLiteral = readonly [literal: string, owner: number]

const NONE: readonly number[] = []

export class LiteralScanner {
  /** Classes of characters: 0 for those that no literal has. */
  readonly #classes = new Uint8Array(256)
  readonly #classCount: number
  /** The next state, by state and class. */
  readonly #next: Int32Array
  /** Owners of the literals that end in a state. */
  readonly #owners: readonly (readonly number[])[]

  constructor(literals: readonly OwnedLiteral[]) {
    let classes = 1
    for (const [literal] of literals)
      for (const c of literal) {
        const code = c.charCodeAt(0)
        if (this.#classes[code] === 0) this.#classes[code] = classes++
      }
    for (let code = 0x41; code <= 0x5a; code++) this.#classes[code] = this.#classes[code + 0x20]!
    this.#classCount = classes
    const states = 1 + literals.reduce((sum, [literal]) => sum + literal.length, 0)
    const next = new Int32Array(states * classes).fill(-1)
    const owners: number[][] = [[]]
    let count = 1
    for (const [literal, owner] of literals) {
      let state = 0
      for (const c of literal) {
        const at = state * classes + this.#classes[c.charCodeAt(0)]!
        if (next[at]! < 0) {
          next[at] = count++
          owners.push([])
        }
        state = next[at]!
      }
      if (!owners[state]!.includes(owner)) owners[state]!.push(owner)
    }
    complete(next, owners, classes, count)
    this.#next = next.slice(0, count * classes)
    this.#owners = owners.map((each) => (each.length === 0 ? NONE : each))
  }

  /** Calls `found` for the owners of the literals in a text, perhaps several times. */
  scan(text: string, found: (owner: number) => void): void {
    const [classes, count, next, owners] = [this.#classes, this.#classCount, this.#next, this.#owners]
    let state = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      state = code > 0xff ? 0 : next[state * count + classes[code]!]!
      const ended = owners[state]!
      if (ended !== NONE) for (let each = 0; each < ended.length; each++) found(ended[each]!)
    }
  }
}

/** Where a literal does not go on, the longest end of what was read that begins one does. By breadth: shorter states first. */
function complete(next: Int32Array, owners: number[][], classes: number, count: number): void {
  const fallback = new Int32Array(count)
  const queue: number[] = []
  for (let each = 0; each < classes; each++) {
    const state = next[each]!
    if (state < 0) next[each] = 0
    else queue.push(state)
  }
  for (let at = 0; at < queue.length; at++) {
    const state = queue[at]!
    const shorter = fallback[state]!
    for (const owner of owners[shorter]!) if (!owners[state]!.includes(owner)) owners[state]!.push(owner)
    for (let each = 0; each < classes; each++) {
      const index = state * classes + each
      const to = next[index]!
      const otherwise = next[shorter * classes + each]!
      if (to < 0) next[index] = otherwise
      else {
        fallback[to] = otherwise
        queue.push(to)
      }
    }
  }
}
