/** Lists: what an entry matches, and how many there may be. */
import { expect, test } from 'vitest'
import { compileList, LIST_ENTRIES_MAX, ListTooLongError, listLines } from './lists.ts'

const compile = (...entries: string[]) => compileList({ name: 'list', sha256: '', entries })

test('Addresses and networks of both families match, and say which entry it was', () => {
  const list = compile('192.0.2.7', '198.51.100.0/24', '2001:db8::/32', '2001:DB9::1')

  expect(list.matchAddress('192.0.2.7')).toBe('192.0.2.7')
  expect(list.matchAddress('198.51.100.200')).toBe('198.51.100.0/24')
  expect(list.matchAddress('2001:db8:1::5')).toBe('2001:db8::/32')
  expect(list.matchAddress('2001:db9::1')).toBe('2001:db9::1')
  expect(list.matchAddress('192.0.2.8')).toBeUndefined()
  expect(list.matchAddress('ec2.amazonaws.com')).toBeUndefined()
})

test('A domain matches itself and what is below it', () => {
  const list = compile('Evil.example', '*.bad.example')

  expect(list.matchDomain('evil.example')).toBe('evil.example')
  expect(list.matchDomain('a.b.bad.example')).toBe('bad.example')
  expect(list.matchDomain('notevil.example')).toBeUndefined()
  expect(list.matchDomain('example')).toBeUndefined()
})

test('Comments are left out, and what is no entry is counted', () => {
  const list = compile(...listLines('# feed\n192.0.2.7 ; scanner\n\n999.1.1.1/33\nevil.example # phishing\r\n'))

  expect([list.size, list.invalid]).toEqual([3, 1])
  expect(list.matchDomain('evil.example')).toBe('evil.example')
})

test('250,000 entries are a list, one more is none', () => {
  function* addresses(count: number) {
    for (let i = 0; i < count; i++) yield `${10 + (i >> 24)}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
  }

  expect(compileList({ name: 'l', sha256: '', entries: addresses(LIST_ENTRIES_MAX) }).size).toBe(LIST_ENTRIES_MAX)
  expect(() => compileList({ name: 'l', sha256: '', entries: addresses(LIST_ENTRIES_MAX + 1) })).toThrow(
    ListTooLongError,
  )
})
