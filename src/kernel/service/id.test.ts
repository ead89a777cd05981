import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accessKeyId, accountOfAccessKey, secretAccessKey, timeOrderedId, uniqueId } from './id.ts'

const account = fc.stringMatching(/^\d{12}$/)

describe('Access keys', () => {
  test('contain the account they were made for, whichever it is', () => {
    fc.assert(
      fc.property(account, fc.constantFrom('AKIA' as const, 'ASIA' as const), (number, prefix) => {
        const id = accessKeyId(prefix, number)

        expect(id).toMatch(/^(AKIA|ASIA)[A-Z2-7]{16}$/)
        expect(accountOfAccessKey(id)).toBe(number)
      }),
    )
  })

  test.each([
    'AKIA',
    'AKIAEXAMPLEEXAMPLE0',
    'AKIA0000000000000000',
    'AIDAAAAAAAAAAAAAAAAA',
    'akiaaaaaaaaaaaaaaaaa',
    '',
  ])('that are none (%s) contain none', (id) => {
    expect(accountOfAccessKey(id)).toBeUndefined()
  })

  test('have secrets of forty characters, never the same', () => {
    const secrets = Array.from({ length: 1000 }, secretAccessKey)

    expect(secrets.every((secret) => /^[A-Za-z0-9+/]{40}$/.test(secret))).toBe(true)
    expect(new Set(secrets).size).toBe(1000)
  })
})

test('Unique ids have AWS’s form, and are never the same', () => {
  const ids = Array.from({ length: 1000 }, () => uniqueId('AIDA'))

  expect(ids.every((id) => /^AIDA[A-Z2-7]{17}$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(1000)
})

test('Event ids are UUIDs that sort by time', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 47), fc.integer({ min: 1, max: 1e9 }), (ms, later) => {
      const [one, two] = [timeOrderedId(ms), timeOrderedId(ms + later)]

      expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(one < two).toBe(true)
    }),
  )
})
