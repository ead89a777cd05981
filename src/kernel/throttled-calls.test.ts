/** Which throttled calls are told of, and that none is lost count of. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ThrottledCalls, type ThrottledMinute } from './throttled-calls.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const opened = { account: '111122223333', region: 'us-east-1', principal: 'arn:aws:iam::111122223333:user/a', since: 5 }

function watched() {
  const told: ThrottledMinute[] = []
  return { told, calls: new ThrottledCalls(async (minute) => void told.push(minute)) }
}

test('the first of a minute is told at once, the others as a number when the minute is over', async () => {
  const { told, calls } = watched()

  expect(Array.from({ length: 1_000 }, () => calls.isFirst('a', opened)).filter(Boolean)).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(59_999)
  expect(told).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(told).toEqual([{ ...opened, calls: 999 }])
  expect(calls.isFirst('a', opened)).toBe(true)
})

test('one call alone has its event and no number', async () => {
  const { told, calls } = watched()
  calls.isFirst('a', opened)
  await vi.advanceTimersByTimeAsync(60_000)

  expect(told).toEqual([])
})

test('the end of the process is the end of every minute', async () => {
  const { told, calls } = watched()
  for (const key of ['a', 'a', 'b', 'b', 'b']) calls.isFirst(key, opened)
  await calls.close()

  expect(told.map((each) => each.calls)).toEqual([1, 2])
})

test('what is remembered has a limit', () => {
  const { calls } = watched()

  expect(Array.from({ length: 10_001 }, (_, i) => calls.isFirst(`key-${i}`, opened)).filter(Boolean)).toHaveLength(
    10_000,
  )
})
