/**
 * Counts the values of a JSON text in one pass over its bytes, so that the limits hold before a tree is built: trees
 * take up to fifty times the memory of their text. Says nothing about whether the text is valid.
 */
import { DEPTH_MAX, NODES_MAX, tooDeep, tooManyNodes } from './serialization.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_MAP = 0x7b
const CLOSE_MAP = 0x7d

/** Strings longer than this are searched for their end natively. */
const LOOPED_BYTES = 256

/** How many values a text holds at most. Throws a `Fault` beyond the limits of depth and number. */
export function countJson(body: Buffer): number {
  const strings = new Strings(body)
  let nodes = 1
  let depth = 0
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE:
        at = strings.endOf(at + 1)
        break
      case OPEN_LIST:
      case OPEN_MAP:
        if (++depth > DEPTH_MAX) throw tooDeep()
        nodes++
        break
      case CLOSE_LIST:
      case CLOSE_MAP:
        depth--
        break
      case COMMA:
        nodes++
        break
    }
    if (nodes > NODES_MAX) throw tooManyNodes()
  }
  return nodes
}

/** Finds the ends of strings. Both cached positions only move forward, so that all searches together read the body once. */
class Strings {
  readonly #body: Buffer
  #quote = -1
  #backslash = -1

  constructor(body: Buffer) {
    this.#body = body
  }

  /** The index of the quote that ends the string which begins at `start`, or the length of the body. */
  endOf(start: number): number {
    const body = this.#body
    for (let at = start; at < body.length; ) {
      for (const end = Math.min(body.length, at + LOOPED_BYTES); at < end; at++) {
        if (body[at] === BACKSLASH) at++
        else if (body[at] === QUOTE) return at
      }
      // `at` is outside any escape. A quote before the next backslash ends the string.
      if (this.#quote < at) this.#quote = this.#next(QUOTE, at)
      if (this.#backslash < at) this.#backslash = this.#next(BACKSLASH, at)
      if (this.#quote < this.#backslash) return this.#quote
    }
    return body.length
  }

  #next(byte: number, at: number): number {
    const found = this.#body.indexOf(byte, at)
    return found < 0 ? this.#body.length : found
  }
}
