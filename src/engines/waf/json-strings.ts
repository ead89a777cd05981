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

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d]
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

/**
 * Reads a document in time linear to its length, apart from the paths: at most {@link DEPTH_MAX} keys each. Without `withPaths` all
 * paths are empty.
 */
export function jsonStrings(text: string, withPaths = true): JsonStrings {
  const items: JsonString[] = []
  const levels: Level[] = []
  const { length } = text
  let at = 0
  /** The next character's code behind spaces; NaN at the end. */
  const next = (): number => {
    for (;;) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      at++
    }
  }
  /** At its quote; undefined for one without an end, where `at` stays. */
  const takeString = (): string | undefined => {
    let hasEscapes = false
    for (let end = at + 1; end < length; end++) {
      const code = text.charCodeAt(end)
      if (code === BACKSLASH) {
        hasEscapes = true
        end++
      } else if (code === QUOTE) {
        const raw = text.slice(at + 1, end)
        at = end + 1
        return hasEscapes ? unescaped(raw) : raw
      }
    }
    return undefined
  }
  const takeLiteral = (): string | undefined => {
    LITERAL.lastIndex = at
    const match = LITERAL.exec(text)
    if (match) at = LITERAL.lastIndex
    return match?.[0]
  }
  const invalid = () => ({ items, isValid: false })

  let path = ''
  for (;;) {
    // A value.
    const first = next()
    const isOpened = first === OPEN_BRACE || first === OPEN_BRACKET
    if (isOpened) {
      at++
      if (levels.length >= DEPTH_MAX) return invalid()
      levels.push({ path, index: first === OPEN_BRACKET ? 0 : undefined })
    } else {
      const value = first === QUOTE ? takeString() : takeLiteral()
      if (value === undefined) {
        // What an unfinished string begins with is inspected, too.
        if (first === QUOTE) items.push({ path, value: unescaped(text.slice(at + 1)) })
        return invalid()
      }
      items.push({ path, value })
    }

    // What follows: ends, a comma, a key.
    let isFirst = isOpened
    for (;;) {
      const level = levels.at(-1)
      const code = next()
      if (level === undefined) return { items, isValid: at === length }
      const isArray = level.index !== undefined
      if (code === (isArray ? CLOSE_BRACKET : CLOSE_BRACE)) {
        at++
        levels.pop()
        isFirst = false
        continue
      }
      if (!isFirst) {
        if (code !== COMMA) return invalid()
        at++
      }
      if (isArray) {
        if (withPaths) path = `${level.path}/${level.index}`
        level.index!++
        break
      }
      const key = next() === QUOTE ? takeString() : undefined
      if (key === undefined) return invalid()
      if (withPaths) path = pointer(level.path, key)
      items.push({ path, key })
      if (next() !== COLON) return invalid()
      at++
      break
    }
  }
}
