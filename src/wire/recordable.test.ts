/** What the audit log keeps of a text. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordable } from './recordable.ts'

describe('user names and passwords in URLs are not kept', () => {
  test.each([
    ['https://user:secret@host/path@x', 'https://host/path@x'],
    ['https://user@host', 'https://host'],
    ['https://a:b@c:d@host:1/', 'https://host:1/'],
    ['see https://user:secret@host and ftp://x:y@z.', 'see https://host and ftp://z.'],
    ['https://host/a?b=c@d', 'https://host/a?b=c@d'],
    ['arn:aws:iam::1:user/a@b', 'arn:aws:iam::1:user/a@b'],
    ['://', '://'],
    ['https://@', 'https://'],
    ['a://b://c:secret@d', 'a://b://d'],
  ])('%s', (text, kept) => {
    expect(recordable(text)).toBe(kept)
  })
  test('in any text', () => {
    const word = fc.stringMatching(/^[a-z0-9.:%+-]{1,20}$/)
    fc.assert(
      fc.property(fc.string(), word, word, (before, user, host) => {
        const text = `${before} https://${user}:hunter2@${host}/x`
        expect(recordable(text)).not.toContain('hunter2')
      }),
    )
  })
})

describe('blanks of documents are not kept', () => {
  const blanks = ' \n\t'.repeat(40_000)
  test('outside strings none, inside strings their number', () => {
    const text = `${blanks}{ "Statement": [${blanks}{"Sid": "a b", "Resource": "x${blanks}y \\" ${blanks}"} ] }${blanks}`
    expect(recordable(text)).toBe('{"Statement":[{"Sid":"a b","Resource":"x…(120000 blanks)…y \\"…(120001 blanks)…"}]}')
  })
  test('a document means the same', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const document = JSON.stringify({ value: JSON.parse(text), long: 'x'.repeat(1024) }, undefined, 8)
        fc.pre(!/ {65}/.test(JSON.stringify(JSON.parse(document))))
        expect(JSON.parse(recordable(document))).toEqual(JSON.parse(document))
      }),
    )
  })
  test('other texts are kept as they are', () => {
    const text = `a ${blanks} b`
    expect(recordable(text)).toBe(text)
  })
})
