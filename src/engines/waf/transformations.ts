/**
 * The text transformations of AWS WAF, byte for byte: each takes and returns bytes as a Latin-1 string, is linear in its input,
 * and never fails; what cannot be decoded stays as it is.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-transformation.html
 *
 * @example
 * transform('%3CSCRIPT%3E', ['URL_DECODE', 'LOWERCASE']) // '<script>'
 */
import { createHash } from 'node:crypto'
import type { TextTransformationType } from '@aws-sdk/client-wafv2'
import { byteOfCodePoint, cDecoded, cssDecoded, hexAt, javaScriptDecoded } from './escapes.ts'

const bytes = (text: string, encoding: BufferEncoding): string => Buffer.from(text, encoding).toString('latin1')
const char = (code: number): string => String.fromCharCode(code & 0xff)

/** Texts that consist of what is replaced cost no more than others: each byte is read once, without a call for a match. */
const percentDecoded = (text: string, knowsWide = false): string => {
  if (!text.includes('%') && !text.includes('+')) return text
  const decoded = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === PLUS) decoded[length++] = 0x20
    else if (code !== PERCENT) decoded[length++] = code
    else {
      const high = hexAt(text, at + 1)
      const low = hexAt(text, at + 2)
      const wide = knowsWide && isLetterU(text.charCodeAt(at + 1)) ? wideAt(text, at + 2) : -1
      if (high >= 0 && low >= 0) {
        decoded[length++] = high * 16 + low
        at += 2
      } else if (wide >= 0) {
        decoded[length++] = byteOfCodePoint(wide)
        at += 5
      } else decoded[length++] = code
    }
  }
  return decoded.toString('latin1', 0, length)
}
const [PERCENT, PLUS] = [0x25, 0x2b]
const isLetterU = (code: number): boolean => (code | 0x20) === 0x75
/** Of four hexadecimal digits; below 0 otherwise. */
const wideAt = (text: string, at: number): number => {
  let value = 0
  for (let digit = at; digit < at + 4; digit++) {
    const next = hexAt(text, digit)
    if (next < 0) return -1
    value = value * 16 + next
  }
  return value
}

const unicodePercentDecoded = (text: string): string => percentDecoded(text, true)

/** ASCII letters only: bytes beyond have no case here. */
const inCase = (text: string, isLower: boolean): string => {
  if (/^[\x00-\x7f]*$/.test(text)) return isLower ? text.toLowerCase() : text.toUpperCase()
  const folded = Buffer.from(text, 'latin1')
  const first = isLower ? 0x41 : 0x61
  for (let at = 0; at < folded.length; at++) {
    const code = folded[at]!
    if (code >= first && code < first + 26) folded[at] = code ^ 0x20
  }
  return folded.toString('latin1')
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', nbsp: '\xa0', lt: '<', gt: '>', amp: '&', apos: "'" }

/** Longer numbers are no characters; browsers accept leading zeros and no semicolon. */
const htmlDecoded = (text: string): string =>
  text.includes('&')
    ? text.replace(
        /&(?:#[xX]([0-9a-fA-F]{1,16})|#([0-9]{1,16})|(quot|nbsp|lt|gt|amp|apos));?/gi,
        (_, hex?: string, decimal?: string, name?: string) =>
          name === undefined
            ? char(hex === undefined ? Number(decimal) : Number.parseInt(hex.slice(-8), 16))
            : ENTITIES[name.toLowerCase()]!,
      )
    : text

/** Replaces each comment by a space, an unfinished one too; a lone end of a comment stays. */
const withoutComments = (text: string): string => {
  let result = ''
  let from = 0
  for (;;) {
    const begin = text.indexOf('/*', from)
    if (begin < 0) return result + text.slice(from)
    result += `${text.slice(from, begin)} `
    const end = text.indexOf('*/', begin + 2)
    if (end < 0) return result
    from = end + 2
  }
}

const normalizedPath = (text: string): string => {
  const isAbsolute = text.startsWith('/')
  const parts: string[] = []
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !isAbsolute) parts.push(part)
  }
  const isDirectory = /\/\.{0,2}$/.test(text) && parts.length > 0
  return `${isAbsolute ? '/' : ''}${parts.join('/')}${isDirectory ? '/' : ''}`
}

/** Of a sequence of UTF-8 that has the right form; below 0 for one that is longer than it needs to be, or names no character. */
const codePointOf = (sequence: string): number => {
  const { length } = sequence
  let point = sequence.charCodeAt(0) & (0xff >> (length + 1))
  for (let at = 1; at < length; at++) point = point * 64 + (sequence.charCodeAt(at) & 0x3f)
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000
  return point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? -1 : point
}

/** UTF-8 sequences as %uHHHH; bytes that are none stay. */
const utf8ToUnicode = (text: string): string =>
  /^[\x00-\x7f]*$/.test(text)
    ? text
    : text.replace(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g, (sequence) => {
        const point = codePointOf(sequence)
        return point < 0 || point === 0xfffd ? sequence : `%u${point.toString(16).padStart(4, '0')}`
      })

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text, 'latin1').digest().toString('latin1')

const unquotedCommand = (text: string, escapes: RegExp): string =>
  inCase(
    text
      .replace(escapes, '')
      .replace(/[,;\s]+/g, ' ')
      .replace(/ (?=[/(])/g, ''),
    true,
  )

const BASE64_START = /^[A-Za-z0-9+/]*={0,2}/

const TRANSFORMATIONS: Readonly<Record<TextTransformationType, (text: string) => string>> = {
  NONE: (text) => text,
  LOWERCASE: (text) => inCase(text, true),
  COMPRESS_WHITE_SPACE: (text) => text.replace(/[\t\n\v\f\r \xa0]+/g, ' '),
  HTML_ENTITY_DECODE: htmlDecoded,
  CMD_LINE: (text) => unquotedCommand(text, /[\\"'^]/g),
  CMD_LINE_UNIX: (text) => unquotedCommand(text, /[\\"']/g),
  CMD_LINE_WIN: (text) => unquotedCommand(text, /["^]/g),
  URL_DECODE: (text) => percentDecoded(text),
  URL_DECODE_UNI: unicodePercentDecoded,
  BASE64_DECODE: (text) => bytes(BASE64_START.exec(text)![0], 'base64'),
  BASE64_DECODE_EXT: (text) => bytes(text.replace(/[^A-Za-z0-9+/]+/g, ''), 'base64'),
  HEX_DECODE: (text) => (/^(?:[0-9a-fA-F]{2})+$/.test(text) ? bytes(text, 'hex') : text),
  SQL_HEX_DECODE: (text) => text.replace(/0[xX]((?:[0-9a-fA-F]{2})+)/g, (_, digits: string) => bytes(digits, 'hex')),
  TRIM: (text) => text.replace(/^[\t\n\v\f\r ]+/, '').replace(/(?<![\t\n\v\f\r ])[\t\n\v\f\r ]+$/, ''),
  TRIM_LEFT: (text) => text.replace(/^[\t\n\v\f\r ]+/, ''),
  TRIM_RIGHT: (text) => text.replace(/(?<![\t\n\v\f\r ])[\t\n\v\f\r ]+$/, ''),
  UPPERCASE: (text) => inCase(text, false),
  REMOVE_WHITESPACE: (text) => text.replace(/[\t\n\v\f\r \xa0]+/g, ''),
  REMOVE_COMMENTS_CHAR: (text) => text.replace(/\/\*|\*\/|--|#/g, ''),
  SHA256: (text) => digest('sha256', text),
  MD5: (text) => digest('md5', text),
  REPLACE_COMMENTS: withoutComments,
  ESCAPE_SEQ_DECODE: cDecoded,
  CSS_DECODE: cssDecoded,
  JS_DECODE: javaScriptDecoded,
  // Its difference to JS_DECODE, of which ours knows \u{…} already, is not documented.
  JS_DECODE_EXT: javaScriptDecoded,
  NORMALIZE_PATH: normalizedPath,
  NORMALIZE_PATH_WIN: (text) => normalizedPath(text.replaceAll('\\', '/')),
  REMOVE_NULLS: (text) => text.replaceAll('\0', ''),
  REPLACE_NULLS: (text) => text.replaceAll('\0', ' '),
  UTF8_TO_UNICODE: utf8ToUnicode,
}

/** Kinds of characters, as bits: what of a text a transformation can change. */
const MARK = { percent: 1, ampersand: 2, backslash: 4, nul: 8, upper: 16, lower: 32, high: 64, command: 128 } as const
const markOf = new Uint8Array(256)
const mark = (characters: string, bit: number) => {
  for (const c of characters) markOf[c.charCodeAt(0)]! |= bit
}
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
mark('%+', MARK.percent)
mark('&', MARK.ampersand)
mark('\\', MARK.backslash)
mark('\0', MARK.nul)
mark(LETTERS.toUpperCase(), MARK.upper)
mark(LETTERS, MARK.lower)
markOf.fill(MARK.high, 0x80)
mark('\\"\'^,; \t\n\v\f\r\xa0', MARK.command)

/** Which kinds of characters a text has. */
export function marksOf(text: string): number {
  let marks = 0
  for (let at = 0; at < text.length; at++) marks |= markOf[text.charCodeAt(at)]!
  return marks
}

/** Without one of these characters a transformation changes nothing; others may change every text. */
const CHANGED: Readonly<Partial<Record<TextTransformationType, number>>> = {
  LOWERCASE: MARK.upper,
  UPPERCASE: MARK.lower,
  URL_DECODE: MARK.percent,
  URL_DECODE_UNI: MARK.percent,
  HTML_ENTITY_DECODE: MARK.ampersand,
  ESCAPE_SEQ_DECODE: MARK.backslash,
  JS_DECODE: MARK.backslash,
  JS_DECODE_EXT: MARK.backslash,
  CSS_DECODE: MARK.backslash,
  REMOVE_NULLS: MARK.nul,
  REPLACE_NULLS: MARK.nul,
  UTF8_TO_UNICODE: MARK.high,
  CMD_LINE: MARK.command | MARK.upper,
  CMD_LINE_UNIX: MARK.command | MARK.upper,
  CMD_LINE_WIN: MARK.command | MARK.upper,
}

/** Whether a transformation can change a text with these marks. */
export const canChange = (type: TextTransformationType, marks: number): boolean =>
  CHANGED[type] === undefined || (marks & CHANGED[type]) !== 0

/** Applies one transformation. */
export const transformed = (text: string, type: TextTransformationType): string => TRANSFORMATIONS[type](text)

/** Applies transformations one after another. */
export const transform = (text: string, transformations: readonly TextTransformationType[]): string =>
  transformations.reduce((value, type) => TRANSFORMATIONS[type](value), text)
