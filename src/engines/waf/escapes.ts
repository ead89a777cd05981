/**
 * Escapes with a backslash, as C, JavaScript and CSS write them. Each decoder reads its text once, character by character: texts
 * that consist of escapes cost no more than others.
 */

const BACKSLASH = 0x5c

/** Values of hexadecimal digits by code; -1 for other characters. */
const HEX = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}
/** The value of a hexadecimal digit; below 0 for another character, and at the end. */
export const hexAt = (text: string, at: number): number => HEX[text.charCodeAt(at)] ?? -1
const octalAt = (text: string, at: number): number => {
  const value = text.charCodeAt(at) - 0x30
  return value >= 0 && value < 8 ? value : -1
}

/** U+FF01 to U+FF5E are the wide forms of the characters of ASCII. */
export const byteOfCodePoint = (code: number): number =>
  code >= 0xff01 && code <= 0xff5e ? ((code & 0xff) + 0x20) & 0xff : code & 0xff

const LETTERS: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }
const letterCodes = new Int8Array(256).fill(-1)
for (const [letter, code] of Object.entries(LETTERS)) letterCodes[letter.charCodeAt(0)] = code

/** What an escape is: its byte (-1: none), and where the text goes on. */
interface Escape {
  byte: number
  end: number
}

/** Sets `found` to the escape whose backslash is at `at`; a backslash that begins none stays. */
type Decode = (text: string, at: number, found: Escape) => void

function replaced(text: string, decode: Decode): string {
  if (!text.includes('\\')) return text
  const bytes = Buffer.allocUnsafe(text.length)
  const found: Escape = { byte: -1, end: 0 }
  let length = 0
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code !== BACKSLASH) {
      bytes[length++] = code
      at++
      continue
    }
    found.byte = BACKSLASH
    found.end = at + 1
    if (at + 1 < text.length) decode(text, at, found)
    if (found.byte >= 0) bytes[length++] = found.byte
    at = found.end
  }
  return bytes.toString('latin1', 0, length)
}

/** `\x41`, at the backslash; false for another escape. */
function takeHexByte(text: string, at: number, found: Escape): boolean {
  const [high, low] = [hexAt(text, at + 2), hexAt(text, at + 3)]
  if (text[at + 1] !== 'x' || high < 0 || low < 0) return false
  found.byte = high * 16 + low
  found.end = at + 4
  return true
}

/** `\101`: up to three digits. */
function takeOctal(text: string, at: number, found: Escape): boolean {
  let [value, end] = [0, at + 1]
  for (; end < at + 4; end++) {
    const digit = octalAt(text, end)
    if (digit < 0) break
    value = value * 8 + digit
  }
  if (end === at + 1) return false
  found.byte = value & 0xff
  found.end = end
  return true
}

/** The code of hexadecimal digits from `at` on, of which there are `min` to `max`; -1 otherwise. `found.end` is behind them. */
function takeHex(text: string, at: number, min: number, max: number, found: Escape): number {
  let [value, end] = [0, at]
  for (; end < at + max; end++) {
    const digit = hexAt(text, end)
    if (digit < 0) break
    value = value * 16 + digit
  }
  if (end - at < min) return -1
  found.end = end
  return value
}

/** ANSI C: unknown escapes stay. */
export const cDecoded = (text: string): string =>
  replaced(text, (_, at, found) => {
    if (takeHexByte(text, at, found) || takeOctal(text, at, found)) return
    const code = text.charCodeAt(at + 1)
    const letter = letterCodes[code] ?? -1
    if (letter < 0 && !'\\?\'"'.includes(text[at + 1]!)) return
    found.byte = letter < 0 ? code : letter
    found.end = at + 2
  })

/** JavaScript: unknown escapes are their character. */
export const javaScriptDecoded = (text: string): string =>
  replaced(text, (_, at, found) => {
    if (text[at + 1] === 'u') {
      const isBraced = text[at + 2] === '{'
      const code = isBraced ? takeHex(text, at + 3, 1, 6, found) : takeHex(text, at + 2, 4, 4, found)
      if (code >= 0 && (!isBraced || text[found.end] === '}')) {
        found.byte = byteOfCodePoint(code)
        if (isBraced) found.end++
        return
      }
    }
    if (takeHexByte(text, at, found) || takeOctal(text, at, found)) return
    const code = text.charCodeAt(at + 1)
    const letter = letterCodes[code] ?? -1
    found.byte = letter < 0 ? code : letter
    found.end = at + 2
  })

/** CSS 2: up to six digits and a space after them; a newline that is escaped continues the line. */
export const cssDecoded = (text: string): string =>
  replaced(text, (_, at, found) => {
    const code = takeHex(text, at + 1, 1, 6, found)
    if (code >= 0) {
      found.byte = byteOfCodePoint(code)
      if (' \t\n\r\f'.includes(text[found.end] ?? '-')) found.end++
      return
    }
    const next = text.charCodeAt(at + 1)
    const isNewline = next === 0x0a || next === 0x0d || next === 0x0c
    found.byte = isNewline ? -1 : next
    found.end = at + (next === 0x0d && text.charCodeAt(at + 2) === 0x0a ? 3 : 2)
  })
