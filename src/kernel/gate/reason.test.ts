import { expect, test } from 'vitest'
import { reasonOf } from './reason.ts'

const reason = (value: string) => reasonOf({ rawHeaders: ['Host', 'x', 'X-Amz-Merlon-Reason', value] })

test('a reason is decoded, without control characters, and at most 256 characters long', () => {
  expect(reason('Incident%207')).toBe('Incident 7')
  expect(reason('a%0Ab%E2%80%AEc')).toBe('a b c')
  expect(reason('%F0%9F%98%80'.repeat(150))).toBe('😀'.repeat(150))
  expect(reason('x'.repeat(300))).toBe('x'.repeat(256))
})

test('none, an empty one, a broken one and one that is too long are no reason', () => {
  expect(reasonOf({ rawHeaders: [] })).toBeUndefined()
  expect(reason('%20')).toBeUndefined()
  expect(reason('%C3%28')).toBeUndefined()
  expect(reason('x'.repeat(3_000))).toBeUndefined()
})
