/** A flood must not flood the log. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OverloadLog } from './overload-log.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched() {
  const lines: unknown[] = []
  const log = new OverloadLog({ log: (level, _message, fields) => void lines.push([level, fields?.['turnedAway']]) })
  return { lines, log }
}

test('the first is logged at once, all others of the minute as numbers when it is over', () => {
  const { lines, log } = watched()
  for (let i = 0; i < 1_000; i++) log.count('requests')
  for (let i = 0; i < 5; i++) log.count('slow_body')
  expect(lines).toEqual([['warn', { requests: 1 }]])

  vi.advanceTimersByTime(60_000)
  expect(lines.slice(1)).toEqual([['warn', { requests: 999, slow_body: 5 }]])
})

test('while it goes on it is logged once a minute, and not at all when it is over', () => {
  const { lines, log } = watched()
  for (let second = 0; second < 180; second++) {
    log.count('requests')
    vi.advanceTimersByTime(1_000)
  }
  expect(lines).toHaveLength(4)

  vi.advanceTimersByTime(600_000)
  expect(lines).toHaveLength(4)
  log.count('requests')
  expect(lines).toHaveLength(5)
})

test('what was not logged yet is logged at the end', () => {
  const { lines, log } = watched()
  for (let i = 0; i < 3; i++) log.count('requests')
  log.close()

  expect(lines).toEqual([
    ['warn', { requests: 1 }],
    ['warn', { requests: 2 }],
  ])
})
