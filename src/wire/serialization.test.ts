/** Numbers in text, as AWS's protocols write them. */
import { expect, test } from 'vitest'
import { numberOf } from './serialization.ts'

test.each([
  ['1', 1],
  ['-1.5', -1.5],
  ['1.', 1],
  ['.5', 0.5],
  ['+2e3', 2_000],
  ['1.25E-2', 0.0125],
  ['', undefined],
  ['.', undefined],
  ['0x10', undefined],
  ['1e9999', undefined],
  ['1 ', undefined],
])('%j is %s', (text, number) => {
  expect(numberOf(text)).toBe(number)
})

test('a million digits before a letter are refused at once: anonymous callers send numbers, too', () => {
  // Each digit read in two ways took hours.
  expect(numberOf(`${'0'.repeat(1_000_000)}x`)).toBeUndefined()
})
