/**
 * JSON objects out of a text that comes in pieces: one after the other, in an array, or in the `Records` of a CloudTrail file.
 * Holds one object at a time, so a file may be of any length.
 */

/** Characters of one object; CloudTrail's are at most 256 KB. */
export const OBJECT_LENGTH_MAX = 4 * 1024 * 1024

export class ObjectTooLongError extends Error {
  override readonly name = 'ObjectTooLongError'
}

const RECORDS = /\{\s*"Records"\s*:\s*\[/y
/** Enough of an object to see whether it is a file of records. */
const PREFIX_LENGTH = 64

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST] = ['"', '\\', '{', '}', '['].map((each) => each.charCodeAt(0))

export class JsonObjects {
  #text = ''
  /** Where to look on, and where the object in hand begins; -1: between objects. */
  #at = 0
  #start = -1
  #depth = 0
  #inString = false

  /** The texts of the objects that are complete. Throws an `ObjectTooLongError`. */
  push(piece: string): string[] {
    this.#text = this.#text.slice(this.#start < 0 ? this.#at : this.#start) + piece
    this.#at -= this.#start < 0 ? this.#at : this.#start
    if (this.#start >= 0) this.#start = 0
    const objects: string[] = []
    this.#scan(objects, false)
    if (this.#start >= 0 && this.#text.length - this.#start > OBJECT_LENGTH_MAX)
      throw new ObjectTooLongError(`A JSON object has more than ${OBJECT_LENGTH_MAX} characters.`)
    return objects
  }

  /** The end of the text: what is left, and whether an object is incomplete. */
  end(): { readonly objects: readonly string[]; readonly isComplete: boolean } {
    const objects: string[] = []
    this.#scan(objects, true)
    return { objects, isComplete: this.#start < 0 }
  }

  #scan(objects: string[], isEnd: boolean): void {
    const text = this.#text
    let at = this.#at
    while (at < text.length) {
      if (this.#inString) {
        const quote = text.indexOf('"', at)
        if (quote < 0) {
          at = this.#escapedEnd(at)
          break
        }
        let backslashes = 0
        while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1
        this.#inString = backslashes % 2 === 1
        at = quote + 1
        continue
      }
      const code = text.charCodeAt(at)
      if (this.#start < 0) {
        if (code === OPEN) {
          if (!isEnd && text.length - at < PREFIX_LENGTH) break
          RECORDS.lastIndex = at
          if (RECORDS.test(text)) {
            at = RECORDS.lastIndex
            continue
          }
          this.#start = at
          this.#depth = 1
        }
        at += 1
        continue
      }
      if (code === QUOTE) this.#inString = true
      else if (code === OPEN || code === OPEN_LIST) this.#depth += 1
      else if (code === CLOSE || code === 93) {
        this.#depth -= 1
        if (this.#depth === 0) {
          objects.push(text.slice(this.#start, at + 1))
          this.#start = -1
        }
      }
      at += 1
    }
    this.#at = at
  }

  /** Backslashes at the end of a piece must be seen again together with what they escape. */
  #escapedEnd(from: number): number {
    let end = this.#text.length
    while (end > from && this.#text.charCodeAt(end - 1) === BACKSLASH) end -= 1
    return end
  }
}
