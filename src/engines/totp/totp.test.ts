/** One-time codes against the vectors of the RFCs, and the clock of a device. */
import { describe, expect, test } from 'vitest'
import { base32, clockOf, codeAt, ENROL_REACH, RESYNC_REACH, STEP_MS, stepAt, stepOf } from './totp.ts'

const seed = Buffer.from('12345678901234567890')

describe('codes', () => {
  // RFC 6238 appendix B, SHA-1: the last six of eight digits.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at second %d', (seconds, code) => {
    expect(codeAt(seed, stepAt(seconds * 1000))).toBe(code)
  })

  test('one step early and late are correct, two are wrong, and none counts twice', () => {
    const now = 1_000_000 * STEP_MS
    const clock = { drift: 0, spent: 0 }
    for (const step of [999_999, 1_000_000, 1_000_001]) expect(stepOf(seed, codeAt(seed, step), now, clock)).toBe(step)
    for (const step of [999_998, 1_000_002]) expect(stepOf(seed, codeAt(seed, step), now, clock)).toBeUndefined()
    expect(stepOf(seed, codeAt(seed, 1_000_000), now, { drift: 0, spent: 1_000_000 })).toBeUndefined()
  })

  test('two in a row set the clock within the reach, and two that are not in a row never do', () => {
    const now = 1_000_000 * STEP_MS
    const pair = (second: number) => [codeAt(seed, second - 1), codeAt(seed, second)] as const
    expect(clockOf(seed, pair(1_000_020), now, ENROL_REACH)).toBeUndefined()
    expect(clockOf(seed, pair(1_000_020), now, RESYNC_REACH)).toEqual({ drift: 20, spent: 1_000_020 })
    expect(clockOf(seed, [codeAt(seed, 999_998), codeAt(seed, 1_000_000)], now, RESYNC_REACH)).toBeUndefined()
  })
})

// RFC 4648 §10.
test('base 32 is that of RFC 4648', () => {
  expect(base32(Buffer.from('fooba'))).toBe('MZXW6YTB')
  expect(base32(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))).toBe('77777777')
})
