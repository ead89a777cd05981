import { expect, test } from 'vitest'
import { plain, plainly } from './plain.ts'

test.each([
  ['an escape sequence', 'a\u001b[2Jb', 'a\\u{1b}[2Jb'],
  ['a line of its own', 'ok\n2026  iam:CreateUser', 'ok\\u{a}2026  iam:CreateUser'],
  ['a carriage return', 'denied\rok', 'denied\\u{d}ok'],
  ['the other direction', 'user\u202eresu', 'user\\u{202e}resu'],
  ['a control character of one byte in eight', '\u009b31m', '\\u{9b}31m'],
])('%s is shown and does nothing', (_what, text, shown) => {
  expect(plain(text)).toBe(shown)
  expect(plainly({ told: [{ text }] })).toEqual({ told: [{ text: shown }] })
})

test('what people write is left as it is', () => {
  expect(plain('Ünïcode, 日本語, 🙂 arn:aws:iam::111122223333:user/ann')).toBe(
    'Ünïcode, 日本語, 🙂 arn:aws:iam::111122223333:user/ann',
  )
})
