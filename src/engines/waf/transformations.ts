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
import { byteOfCodePoint, cDecoded, cssDecoded, javaScriptDecoded } from './escapes.ts'

const bytes = (text: string, encoding: BufferEncoding): string => Buffer.from(text, encoding).toString('latin1')
const char = (code: number): string => String.fromCharCode(code & 0xff)

const percentDecoded = (text: string): string =>
  text.includes('%') || text.includes('+')
    ? text.replaceAll('+', ' ').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => char(Number.parseInt(hex, 16)))
    : text

const unicodePercentDecoded = (text: string): string =>
  text.includes('%') || text.includes('+')
    ? text
        .replaceAll('+', ' ')
        .replace(/%(?:u([0-9a-fA-F]{4})|([0-9a-fA-F]{2}))/gi, (_, wide?: string, hex?: string) =>
          wide === undefined ? char(Number.parseInt(hex!, 16)) : char(byteOfCodePoint(Number.parseInt(wide, 16))),
        )
    : text

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

/** UTF-8 sequences as %uHHHH; bytes that are none stay. */
const utf8ToUnicode = (text: string): string =>
  /^[\x00-\x7f]*$/.test(text)
    ? text
    : text.replace(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g, (sequence) => {
        const point = Buffer.from(sequence, 'latin1').toString('utf8').codePointAt(0)!
        return point === 0xfffd ? sequence : `%u${point.toString(16).padStart(4, '0')}`
      })

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text, 'latin1').digest().toString('latin1')

const unquotedCommand = (text: string, escapes: RegExp): string =>
  text
    .replace(escapes, '')
    .replace(/[,;\s]+/g, ' ')
    .replace(/ (?=[/(])/g, '')
    .replace(/[A-Z]+/g, (upper) => upper.toLowerCase())

const BASE64_START = /^[A-Za-z0-9+/]*={0,2}/

const TRANSFORMATIONS: Readonly<Record<TextTransformationType, (text: string) => string>> = {
  NONE: (text) => text,
  LOWERCASE: (text) => text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()),
  COMPRESS_WHITE_SPACE: (text) => text.replace(/[\t\n\v\f\r \xa0]+/g, ' '),
  HTML_ENTITY_DECODE: htmlDecoded,
  CMD_LINE: (text) => unquotedCommand(text, /[\\"'^]/g),
  CMD_LINE_UNIX: (text) => unquotedCommand(text, /[\\"']/g),
  CMD_LINE_WIN: (text) => unquotedCommand(text, /["^]/g),
  URL_DECODE: percentDecoded,
  URL_DECODE_UNI: unicodePercentDecoded,
  BASE64_DECODE: (text) => bytes(BASE64_START.exec(text)![0], 'base64'),
  BASE64_DECODE_EXT: (text) => bytes(text.replace(/[^A-Za-z0-9+/]+/g, ''), 'base64'),
  HEX_DECODE: (text) => (/^(?:[0-9a-fA-F]{2})+$/.test(text) ? bytes(text, 'hex') : text),
  SQL_HEX_DECODE: (text) => text.replace(/0[xX]((?:[0-9a-fA-F]{2})+)/g, (_, digits: string) => bytes(digits, 'hex')),
  TRIM: (text) => text.replace(/^[\t\n\v\f\r ]+/, '').replace(/(?<![\t\n\v\f\r ])[\t\n\v\f\r ]+$/, ''),
  TRIM_LEFT: (text) => text.replace(/^[\t\n\v\f\r ]+/, ''),
  TRIM_RIGHT: (text) => text.replace(/(?<![\t\n\v\f\r ])[\t\n\v\f\r ]+$/, ''),
  UPPERCASE: (text) => text.replace(/[a-z]+/g, (lower) => lower.toUpperCase()),
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
