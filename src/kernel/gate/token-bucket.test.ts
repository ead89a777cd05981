/** What a bucket lets through, whatever its callers and its clock do. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Buckets, type Rate, waitMs } from './token-bucket.ts'

const rate: Rate = { perSecond: 10, burst: 20, runningMax: 5 }

/** As a caller does: spends one token, or learns how long to wait. */
function take(buckets: Buckets, key: string, nowMs: number): number {
  const bucket = buckets.at(key, nowMs)
  const wait = waitMs(bucket, 1)
  if (wait === 0) bucket.tokens--
  return wait
}

const takes = (buckets: Buckets, key: string, nowMs: number, times: number): number =>
  Array.from({ length: times }, () => take(buckets, key, nowMs)).filter((wait) => wait === 0).length

describe('A bucket', () => {
  test('never gives more than its burst and what flowed in, in any window of time', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(steps, (elapsed) => {
        const buckets = new Buckets(rate, 10)
        let now = 0
        const taken: number[] = []
        for (const ms of elapsed) {
          now += ms
          if (take(buckets, 'a', now) === 0) taken.push(now)
        }

        taken.forEach((from, i) => {
          for (let j = i; j < taken.length; j++) {
            const allowed = rate.burst + (rate.perSecond * (taken[j]! - from)) / 1000
            expect(j - i + 1).toBeLessThanOrEqual(allowed + 1e-6)
          }
        })
      }),
    )
  })

  test('gives its burst and not one more, and one more when a token has flowed in', () => {
    const buckets = new Buckets(rate, 10)

    expect(takes(buckets, 'a', 0, 25)).toBe(20)
    expect(take(buckets, 'a', 50)).toBe(50)
    expect(take(buckets, 'a', 100)).toBe(0)
    expect(take(buckets, 'a', 100)).toBe(100)
  })

  test('admits a waiting caller at the time it named', () => {
    const buckets = new Buckets(rate, 10)
    takes(buckets, 'a', 0, 20)
    const bucket = buckets.at('a', 30)

    const wait = waitMs(bucket, 7)
    expect(waitMs(buckets.at('a', 30 + wait - 1), 7)).toBeGreaterThan(0)
    expect(waitMs(buckets.at('a', 30 + wait), 7)).toBe(0)
  })

  test('belongs to one key only', () => {
    const buckets = new Buckets(rate, 10)
    takes(buckets, 'a', 0, 100)

    expect(takes(buckets, 'b', 0, 100)).toBe(20)
  })

  test('gains nothing when the clock is put back, and fills on from there', () => {
    const buckets = new Buckets(rate, 10)
    takes(buckets, 'a', 10_000, 20)

    expect(take(buckets, 'a', 4_000)).toBe(100)
    expect(takes(buckets, 'a', 5_000, 20)).toBe(10)
  })

  test('of an endless rate never ends', () => {
    const endless = new Buckets(
      { perSecond: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY, runningMax: 1 },
      10,
    )

    expect(takes(endless, 'a', 0, 1000) + takes(endless, 'a', 0, 1000) + takes(endless, 'a', 5, 1000)).toBe(3000)
  })
})

describe('When there are as many as there may be', () => {
  test('only those are forgotten of which nothing is to be remembered', () => {
    const buckets = new Buckets(rate, 3)
    takes(buckets, 'flood', 0, 100)
    takes(buckets, 'at rest', 0, 1)
    buckets.at('busy', 0).running = 1

    // `at rest` has filled up by now, and can be replaced.
    expect(take(buckets, 'newcomer', 200)).toBe(0)
    expect(buckets.size).toBe(3)
    expect(buckets.at('busy', 200).running).toBe(1)
    expect(takes(buckets, 'flood', 200, 100)).toBe(2)
  })

  test('a caller gets no fresh bucket by filling the table with names: newcomers share one', () => {
    const buckets = new Buckets(rate, 100)
    takes(buckets, 'flood', 0, 20)
    for (let i = 0; i < 100_000; i++) take(buckets, `made-up-${i}`, 0)

    expect(buckets.size).toBe(100)
    expect(take(buckets, 'flood', 0)).toBe(100)
    expect(take(buckets, 'another made-up', 0)).toBeGreaterThan(0)
    // And they are their own again once the others are at rest.
    expect(takes(buckets, 'honest', 5_000, 20)).toBe(20)
  })
})
