/** Which throttled calls are recorded, and that every one is counted. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ThrottledCalls, type ThrottledMinute } from './throttled-calls.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const opened = (id: string) => ({
  account: '111122223333',
  subject: { kind: 'user', name: id, id } as const,
  region: 'us-east-1',
  principal: `arn:aws:iam::111122223333:user/${id}`,
  since: 5,
})

function watched() {
  const told: ThrottledMinute[] = []
  return { told, calls: new ThrottledCalls(async (minute) => void told.push(minute)) }
}

test('the first of a minute is recorded at once, the others as a number when the minute is over', async () => {
  const { told, calls } = watched()

  expect(Array.from({ length: 1_000 }, () => calls.isFirst('AKIAA', opened('a'))).filter(Boolean)).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(59_999)
  expect(told).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(told).toEqual([{ ...opened('a'), calls: 999, unproven: 0 }])
  expect(calls.isFirst('AKIAA', opened('a'))).toBe(true)
})

test('one call alone has its event and no number', async () => {
  const { told, calls } = watched()
  calls.isFirst('AKIAA', opened('a'))
  await vi.advanceTimersByTimeAsync(60_000)

  expect(told).toEqual([])
})

test('the minute of a principal is known by all their keys while it lasts, and not by those of others', async () => {
  const { told, calls } = watched()
  calls.isFirst('AKIAONE', opened('a'))
  calls.isFirst('AKIATWO', opened('a'))

  expect(calls.minuteOf('AKIAONE')).toBe(calls.minuteOf('AKIATWO'))
  expect(calls.minuteOf('AKIATHREE')).toBeUndefined()
  calls.minuteOf('AKIAONE')!.unproven += 7
  await vi.advanceTimersByTimeAsync(60_000)
  expect(calls.minuteOf('AKIAONE')).toBeUndefined()
  expect(told).toEqual([{ ...opened('a'), calls: 1, unproven: 7 }])
})

test('the end of the process is the end of every minute', async () => {
  const { told, calls } = watched()
  for (const id of ['a', 'a', 'b', 'b', 'b']) calls.isFirst(`AKIA${id}`, opened(id))
  await calls.close()

  expect(told.map((each) => each.calls)).toEqual([1, 2])
})

test('what is remembered has a limit', () => {
  const { calls } = watched()

  expect(
    Array.from({ length: 10_001 }, (_, i) => calls.isFirst('AKIA', opened(`user-${i}`))).filter(Boolean),
  ).toHaveLength(10_000)
})
