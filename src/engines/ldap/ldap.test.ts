/** Filters and names from any text, and the attributes of Active Directory. */
import fc from 'fast-check'
import { EqualityFilter, FilterParser } from 'ldapts'
import { describe, expect, test } from 'vitest'
import { bindOutcome, guidBytes, guidText, isDisabled, isExpired } from './active-directory.ts'
import { anyOf, domainBase, equals, filterValue, nameValue } from './filter.ts'

describe('A filter', () => {
  test('means its value and nothing else, whatever the value', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text).toString()),
        (value) => {
          const parsed = FilterParser.parseString(equals('uid', value))

          expect(parsed).toBeInstanceOf(EqualityFilter)
          expect((parsed as EqualityFilter).value).toBe(value)
        },
      ),
    )
  })

  test.each([
    ['*', '\\2a'],
    ['a)(uid=*', 'a\\29\\28uid=\\2a'],
    ['\\', '\\5c'],
    ['\0', '\\00'],
    ['ü', 'ü'],
    ['\n', '\\0a'],
  ])('escapes %j', (value, escaped) => {
    expect(filterValue(value)).toBe(escaped)
  })

  test('joins alternatives', () => {
    expect(anyOf(equals('a', '1'), equals('b', '2'))).toBe('(|(a=1)(b=2))')
  })
})

test('A name has no separator that its value did not have', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (value) => {
      expect(nameValue(value)).not.toMatch(/[,+="<>;#\0]/)
    }),
  )
  expect(domainBase('corp.example.com')).toBe('dc=corp,dc=example,dc=com')
})

describe('Active Directory', () => {
  test.each([
    ['525', 'refused'],
    ['52e', 'refused'],
    ['530', 'not-permitted'],
    ['531', 'not-permitted'],
    ['532', 'password-expired'],
    ['533', 'disabled'],
    ['701', 'account-expired'],
    ['773', 'must-change-password'],
    ['775', 'locked'],
    ['999', 'refused'],
  ])('code %s means %s', (code, outcome) => {
    expect(
      bindOutcome(`80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data ${code}, v4563`),
    ).toBe(outcome)
  })

  test('reads flags, times and ids', () => {
    expect(bindOutcome('Invalid credentials')).toBe('refused')
    expect([isDisabled('514'), isDisabled('512'), isDisabled(undefined)]).toEqual([true, false, false])
    const now = Date.UTC(2030, 0, 1)
    const ticks = (ms: number) => ((BigInt(ms) + 11_644_473_600_000n) * 10_000n).toString()
    expect(
      [ticks(now - 1), ticks(now + 1), '0', '9223372036854775807', 'x'].map((text) => isExpired(text, now)),
    ).toEqual([true, false, false, false, false])
    const text = '00112233-4455-6677-8899-aabbccddeeff'
    expect(guidText(guidBytes(text)!)).toBe(text)
    expect(Buffer.from(guidBytes(text)!).toString('hex')).toBe('33221100554477668899aabbccddeeff')
    expect(guidBytes('x')).toBeUndefined()
  })
})
