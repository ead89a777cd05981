/**
 * The keys and values of a JSON document, for inspection. Unlike `JSON.parse` it keeps every one of several equal keys,
 * returns what precedes an error, and needs no stack for depth.
 *
 * @example
 * jsonStrings('{"a":["b",1]}') // { isValid: true, items: [{ path: '/a', key: 'a' }, { path: '/a/0', value: 'b' }, …] }
 */

export interface JsonString {
  /** JSON pointer (RFC 6901) of the value; of a key, of its value. */
  readonly path: string
  readonly key?: string
  /** Numbers and the three literals are in their text. */
  readonly value?: string
}

export interface JsonStrings {
  readonly items: readonly JsonString[]
  readonly isValid: boolean
}

/** Deeper documents are invalid here. */
const DEPTH_MAX = 512

const SPACE = /[ \t\r\n]*/y
const STRING = /"((?:[^"\\]|\\[\s\S])*)"/y
const LITERAL = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Characters above U+00FF become their UTF-8 bytes, as in what was not escaped. */
const unescaped = (text: string): string =>
  text.includes('\\')
    ? text.replace(ESCAPE, (_, hex?: string, c?: string) =>
        hex === undefined
          ? (ESCAPES[c!] ?? c!)
          : Buffer.from(String.fromCharCode(Number.parseInt(hex, 16)), 'utf8').toString('latin1'),
      )
    : text

const pointer = (parent: string, key: string): string => `${parent}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`

interface Level {
  readonly path: string
  /** Index of the next element; undefined in objects. */
  index: number | undefined
}

/** Reads a document in time linear to its length, apart from the paths: at most {@link DEPTH_MAX} keys each. */
export function jsonStrings(text: string): JsonStrings {
  const items: JsonString[] = []
  const levels: Level[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  const takeCharacter = (...wanted: string[]): string | undefined => {
    take(SPACE)
    const c = text[at]
    if (c === undefined || !wanted.includes(c)) return undefined
    at++
    return c
  }
  const invalid = () => ({ items, isValid: false })

  let path = ''
  for (;;) {
    // A value.
    const opened = takeCharacter('{', '[')
    if (opened) {
      if (levels.length >= DEPTH_MAX) return invalid()
      levels.push({ path, index: opened === '[' ? 0 : undefined })
    } else {
      const string = take(STRING)
      const value = string ? unescaped(string[1]!) : take(LITERAL)?.[0]
      if (value === undefined) {
        // What an unfinished string begins with is inspected, too.
        if (text[at] === '"') items.push({ path, value: unescaped(text.slice(at + 1)) })
        return invalid()
      }
      items.push({ path, value })
    }

    // What follows: ends, a comma, a key.
    let isFirst = opened !== undefined
    for (;;) {
      const level = levels.at(-1)
      if (level === undefined) {
        take(SPACE)
        return { items, isValid: at === text.length }
      }
      const isArray = level.index !== undefined
      if (takeCharacter(isArray ? ']' : '}')) {
        levels.pop()
        isFirst = false
        continue
      }
      if (!isFirst && !takeCharacter(',')) return invalid()
      if (isArray) {
        path = `${level.path}/${level.index}`
        level.index!++
        break
      }
      take(SPACE)
      const string = take(STRING)
      if (!string) return invalid()
      const key = unescaped(string[1]!)
      path = pointer(level.path, key)
      items.push({ path, key })
      if (!takeCharacter(':')) return invalid()
      break
    }
  }
}
