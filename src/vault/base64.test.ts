/** The same base64 as other encoders produce. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64, toBase64 } from './base64.ts'

test('is what Node writes and reads, for bytes of any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      expect(toBase64(bytes).toString()).toBe(text)
      expect(fromBase64(Buffer.from(text))).toEqual(Buffer.from(bytes))
    }),
  )
})

test.each(['A', 'AAA', 'AA A', 'AA=A', 'AAA*', 'AAA-'])('%j is not base64', (text) => {
  expect(fromBase64(Buffer.from(text))).toBeUndefined()
})
