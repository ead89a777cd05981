/** What an operator can set as limits, and the errors for invalid settings. */
import { describe, expect, test } from 'vitest'
import { rateDefaults } from '../../kernel/gate/throttle.ts'
import { admissionDefaults } from '../listen/admission.ts'
import { readLimits } from './limits.ts'

describe('--limits', () => {
  test('changes what it names and leaves the rest as it was', () => {
    const { rates, admission } = readLimits('account=8000:9000,principal=10 444455556666=100:1,bodies=64')

    expect(rates.account).toEqual({ ...rateDefaults.account, perSecond: 8_000, burst: 9_000 })
    expect(rates.principal).toEqual({ ...rateDefaults.principal, perSecond: 10, burst: 20 })
    expect(rates.accounts.get('444455556666')).toMatchObject({ perSecond: 100, burst: 1 })
    expect(rates.address).toEqual(rateDefaults.address)
    expect(admission).toEqual({ ...admissionDefaults, bodyBytesMax: 64 * 1024 * 1024 })
  })

  test('of nothing is the default', () => {
    expect(readLimits('')).toEqual({ rates: rateDefaults, admission: admissionDefaults })
  })

  test('of fewer requests leaves each account and principal fewer at a time', () => {
    const { account, principal, address, accounts } = readLimits('requests=16,444455556666=7').rates

    expect([account, principal, address, accounts.get('444455556666')].map((each) => each?.runningMax)).toEqual([
      12, 8, 2, 12,
    ])
  })

  test('takes a rate away by none', () => {
    expect(readLimits('account=none').rates.account.perSecond).toBe(Number.POSITIVE_INFINITY)
  })

  test.each([
    ['acount=5', "there is no limit 'acount'"],
    ['account', "'account' says no number"],
    ['account=0', "'account=0' says no number"],
    ['account=-5', "'account=-5' says no number"],
    ['account=5:', "'account=5:' says no number"],
    ['account=5:6:7', "'account=5:6:7' says no number"],
    ['account=1e3', "'account=1e3' says no number"],
    ['requests=none', "'requests=none' says no number"],
    ['bodies=99999999999999999999', 'says no number'],
    ['constructor=5', "there is no limit 'constructor'"],
    ['12345=5', "there is no limit '12345'"],
  ])('%s is refused', (text, complaint) => {
    expect(() => readLimits(text)).toThrow(complaint)
  })
})
