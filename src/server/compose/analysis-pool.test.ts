/** The thread for policy analyses: a short queue, a share of it for each account, and what happens when the thread ends. */
import { expect, test } from 'vitest'
import type { Analysis } from '../../policy/index.ts'
import { AnalysisThread, WAITING_MAX, WAITING_PER_ACCOUNT_MAX } from './analysis-pool.ts'

/** A thread that answers when the text it compares with is `now`, ends at `end`, and else never. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ id, analysis, lint }) => {
      if (lint) return parentPort.postMessage({ id, result: { findings: [], of: lint.policy } })
      if (analysis.existing === 'now') parentPort.postMessage({ id, result: { grants: [] } })
      if (analysis.existing === 'end') process.exit(1)
    })`)}`,
)
const analysis = (existing: string): Analysis => ({ question: 'new-access', kind: 'identity', existing, changed: '' })

test('answers, and takes only a few at a time of one account and of all', async () => {
  const thread = new AnalysisThread(script)
  expect(await thread.analyze('a', analysis('now'))).toEqual({ grants: [] })

  const waiting: Promise<unknown>[] = []
  const wait = (account: string) => waiting.push(thread.analyze(account, analysis('later')).catch(() => 'ended'))
  for (let n = 0; n < WAITING_PER_ACCOUNT_MAX; n++) wait('a')
  expect(await thread.analyze('a', analysis('now'))).toBe('busy')
  expect(await thread.analyze('b', analysis('now'))).toEqual({ grants: [] })
  for (let n = WAITING_PER_ACCOUNT_MAX; n < WAITING_MAX; n++) wait(`other-${n}`)
  expect(await thread.analyze('c', analysis('now'))).toBe('busy')

  await thread.close()
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ended']))
})

test('starts again after its thread has ended', async () => {
  const thread = new AnalysisThread(script)
  await expect(thread.analyze('a', analysis('end'))).rejects.toThrow('has ended')
  expect(await thread.analyze('a', analysis('now'))).toEqual({ grants: [] })
  await thread.close()
})

test('validations wait in the same queue as comparisons', async () => {
  const thread = new AnalysisThread(script)
  const lint = () => thread.lint('a', { policy: '{}', kind: 'identity', absent: [] })
  expect(await lint()).toEqual({ findings: [], of: '{}' })

  const waiting = Array.from({ length: WAITING_PER_ACCOUNT_MAX }, () => thread.analyze('a', analysis('later')))
  const ended = Promise.allSettled(waiting)
  expect(await lint()).toBe('busy')
  await thread.close()
  await ended
})
