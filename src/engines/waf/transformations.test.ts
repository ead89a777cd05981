/** Each transformation byte for byte, and that none fails or grows without bound. */
import type { TextTransformationType } from '@aws-sdk/client-wafv2'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { transform } from './transformations.ts'

test.each<[TextTransformationType, string, string]>([
  ['NONE', 'A b', 'A b'],
  ['LOWERCASE', 'ÄBC', 'Äbc'],
  ['COMPRESS_WHITE_SPACE', 'a\t\n b\xa0\xa0c', 'a b c'],
  ['HTML_ENTITY_DECODE', '&lt;x&#x3e;&#62;&quot;&nbsp;&#x41', '<x>>"\xa0A'],
  ['CMD_LINE', '"C:^M\\d,;/c   DIR (x', 'c:md/c dir(x'],
  ['CMD_LINE_UNIX', 'c\\a"t ^x', 'cat ^x'],
  ['CMD_LINE_WIN', 'c^m"d \\x', 'cmd \\x'],
  ['TRIM', ' a b\t', 'a b'],
  ['TRIM_LEFT', ' a ', 'a '],
  ['TRIM_RIGHT', ' a ', ' a'],
  ['UPPERCASE', 'äbc', 'äBC'],
  ['REMOVE_WHITESPACE', ' a\tb\xa0', 'ab'],
  ['REMOVE_COMMENTS_CHAR', 'a/*b*/c--d#e', 'abcde'],
  ['URL_DECODE', '%27+or%201%3D1%zz', "' or 1=1%zz"],
  ['URL_DECODE_UNI', '%uff1cscript%u003e%3c', '<script><'],
  ['BASE64_DECODE', 'YWI=', 'ab'],
  ['BASE64_DECODE_EXT', 'Y.W\nI=', 'ab'],
  ['HEX_DECODE', '3c78', '<x'],
  ['HEX_DECODE', '3c7', '3c7'],
  ['SQL_HEX_DECODE', 'a=0x414243', 'a=ABC'],
  ['REPLACE_COMMENTS', 'a/*b*/c*/d/*e', 'a c*/d '],
  ['ESCAPE_SEQ_DECODE', '\\x41\\101\\n\\?\\z', 'AA\n?\\z'],
  ['CSS_DECODE', '\\6a\\61 va\\scr\\\nipt', 'javascript'],
  ['JS_DECODE', '\\u003c\\x3e\\uff1e\\/', '<>>/'],
  ['NORMALIZE_PATH', '/a//./b/../../../etc/', '/etc/'],
  ['NORMALIZE_PATH', '../a/..', '../'],
  ['NORMALIZE_PATH_WIN', '\\a\\..\\b', '/b'],
  ['REMOVE_NULLS', 'a\0b', 'ab'],
  ['REPLACE_NULLS', 'a\0b', 'a b'],
  ['UTF8_TO_UNICODE', '\xe2\x82\xac\xff', '%u20ac\xff'],
])('%s of %j', (type, text, expected) => {
  expect(transform(text, [type])).toBe(expected)
})

test('MD5 gives the digest in bytes', () => {
  const digest = transform('', ['MD5'])
  expect(Buffer.from(digest, 'latin1').toString('hex')).toBe('d41d8cd98f00b204e9800998ecf8427e')
})

test('They work one after another', () => {
  expect(transform('%253CSCRIPT%253E', ['URL_DECODE', 'URL_DECODE', 'LOWERCASE'])).toBe('<script>')
})

const TYPES: readonly TextTransformationType[] = [
  'COMPRESS_WHITE_SPACE',
  'HTML_ENTITY_DECODE',
  'LOWERCASE',
  'CMD_LINE',
  'URL_DECODE',
  'BASE64_DECODE',
  'HEX_DECODE',
  'MD5',
  'REPLACE_COMMENTS',
  'ESCAPE_SEQ_DECODE',
  'SQL_HEX_DECODE',
  'CSS_DECODE',
  'JS_DECODE',
  'NORMALIZE_PATH',
  'NORMALIZE_PATH_WIN',
  'REMOVE_NULLS',
  'REPLACE_NULLS',
  'BASE64_DECODE_EXT',
  'URL_DECODE_UNI',
  'UTF8_TO_UNICODE',
]

test('Whatever the bytes, the result is bytes, and at most six times as long', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'))
  const written = fc
    .array(fc.constantFrom('%', '\\', '&#', '/*', '*/', '0x', 'u', '00', 'ff', '/', '..', ';', '\0', 'é', '\xe2\x82'), {
      maxLength: 60,
    })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(bytes, written), fc.constantFrom(...TYPES), (text, type) => {
      const result = transform(text, [type])
      expect(result).toMatch(/^[\x00-\xff]*$/)
      expect(result.length).toBeLessThanOrEqual(Math.max(16, 6 * text.length))
    }),
    { numRuns: 500 },
  )
})
