/** JSON (RFC 8259) with the place of every value, and without names said twice: the second would silently win. */
import { PolicyError, type Position } from './error.ts'

export type Json = JsonText | JsonScalar | JsonArray | JsonObject

interface Placed {
  /** UTF-16 offsets: the first character, and the one after the last. */
  readonly start: number
  readonly end: number
}
export interface JsonText extends Placed {
  readonly type: 'string'
  readonly value: string
}
/** Kept as written: `1.0` stays `1.0`. */
export interface JsonScalar extends Placed {
  readonly type: 'number' | 'boolean' | 'null'
  readonly value: string
}
export interface JsonArray extends Placed {
  readonly type: 'array'
  readonly items: readonly Json[]
}
export interface JsonObject extends Placed {
  readonly type: 'object'
  readonly members: ReadonlyMap<string, Json>
}

/** What the API models of IAM allow a caller to send as a policy document. */
export const DOCUMENT_CHARS_MAX = 131_072
/** AWS's own managed policies are longer than a caller may write: ReadOnlyAccess has 141,167 characters as IAM shows it. */
export const SAVED_CHARS_MAX = 1_048_576
/** A policy needs six. */
export const DEPTH_MAX = 32

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const WORD = /true|false|null/y
const SPACE = /[ \t\r\n]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Throws a `PolicyError` with `message` at the first character that does not fit. */
export function parseJson(text: string, message: string, charsMax: number): Json {
  const reader = new Reader(text, message)
  return reader.document(charsMax)
}

class Reader {
  readonly #text: string
  readonly #message: string
  #at = 0

  constructor(text: string, message: string) {
    this.#text = text
    this.#message = message
  }

  document(charsMax: number): Json {
    if (this.#text.length > charsMax) this.#fail(charsMax)
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail()
    return value
  }

  #value(depth: number): Json {
    if (depth > DEPTH_MAX) this.#fail()
    this.#space()
    const start = this.#at
    switch (this.#text[start]) {
      case '{':
        return this.#object(start, depth)
      case '[':
        return this.#array(start, depth)
      case '"': {
        const value = this.#string()
        return { type: 'string', value, start, end: this.#at }
      }
      default:
        return this.#scalar(start)
    }
  }

  #object(start: number, depth: number): JsonObject {
    const members = new Map<string, Json>()
    this.#list('}', () => {
      this.#space()
      const at = this.#at
      const name = this.#string()
      if (members.has(name)) this.#fail(at)
      this.#space()
      this.#expect(':')
      members.set(name, this.#value(depth + 1))
    })
    return { type: 'object', members, start, end: this.#at }
  }

  #array(start: number, depth: number): JsonArray {
    const items: Json[] = []
    this.#list(']', () => items.push(this.#value(depth + 1)))
    return { type: 'array', items, start, end: this.#at }
  }

  #list(close: string, read: () => void): void {
    this.#at++
    this.#space()
    if (this.#text[this.#at] === close) {
      this.#at++
      return
    }
    for (;;) {
      read()
      this.#space()
      const next = this.#text[this.#at]
      if (next !== ',' && next !== close) this.#fail()
      this.#at++
      if (next === close) return
    }
  }

  #string(): string {
    this.#expect('"')
    let value = ''
    for (;;) {
      value += this.#take(PLAIN)
      const next = this.#text[this.#at]
      if (next === '"') {
        this.#at++
        return value
      }
      if (next !== '\\') this.#fail()
      value += this.#escape()
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ''
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail()
      this.#at += 6
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const escaped = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
    if (escaped === undefined) this.#fail()
    this.#at += 2
    return escaped
  }

  #scalar(start: number): JsonScalar {
    const word = this.#take(WORD)
    if (word) return { type: word === 'null' ? 'null' : 'boolean', value: word, start, end: this.#at }
    const value = this.#take(NUMBER)
    if (value === '') this.#fail()
    return { type: 'number', value, start, end: this.#at }
  }

  #space(): void {
    this.#take(SPACE)
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail()
    this.#at++
  }

  #fail(at = this.#at): never {
    throw new PolicyError(this.#message, positions(this.#text)(at))
  }
}

/** From offsets to lines and columns; the lines are counted once. */
export function positions(text: string): (offset: number) => Position {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]!, offset }
  }
}
