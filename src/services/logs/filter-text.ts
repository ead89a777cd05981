/** The text of a filter pattern, read from left to right. */
import { invalid } from './faults.ts'

const SPACE = /\s/
/** Other characters need quotes. */
const TERM = /[\p{L}\p{N}_.]/u

export class FilterText {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.skip()
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length
  }

  get next(): string {
    return this.#text[this.#at] ?? ''
  }

  skip(): void {
    while (!this.isOver && SPACE.test(this.next)) this.#at++
  }

  /** Whether the text goes on with this, which is passed then, with the space behind it. */
  take(word: string): boolean {
    if (this.#text.slice(this.#at, this.#at + word.length).toUpperCase() !== word.toUpperCase()) return false
    this.#at += word.length
    this.skip()
    return true
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.wrong(`expected ${word}`)
  }

  /** `"…"`, with `\"` for a quotation mark. */
  quoted(): string {
    let text = ''
    for (this.#at++; this.next !== '"'; this.#at++) {
      if (this.isOver) throw this.wrong('a quotation mark is missing')
      if (this.next === '\\' && this.#at + 1 < this.#text.length) this.#at++
      text += this.next
    }
    this.#at++
    this.skip()
    return text
  }

  term(): string {
    return this.word(TERM, 'terms with special characters need quotation marks')
  }

  /** The longest text of these characters, at least one. */
  word(characters: RegExp, problem: string): string {
    const begin = this.#at
    while (!this.isOver && characters.test(this.next)) this.#at++
    if (this.#at === begin) {
      if (this.next === '%') throw invalid('Merlon does not implement regular expressions (%…%) in filter patterns.')
      throw this.wrong(problem)
    }
    const found = this.#text.slice(begin, this.#at)
    this.skip()
    return found
  }

  wrong(problem: string) {
    return invalid(`Invalid filter pattern: ${problem}, at character ${this.#at + 1}.`)
  }
}
