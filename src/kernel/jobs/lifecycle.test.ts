/** Lifecycles over a real store and job runner, on a clock that the test moves. */
import { expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { key, under } from '../../store/store.ts'
import type { JobContext } from '../service/service.ts'
import { MovableClock } from '../state/clock.ts'
import { type JobHandler, JobRunner } from './jobs.ts'
import { type LifecycleHooks, lifecycle, type WithProgress } from './lifecycle.ts'

type State = 'PENDING' | 'ISSUED' | 'TIMED_OUT'
interface Certificate extends WithProgress<State> {
  readonly domain: string
  readonly serial?: string
}

const AT = key('test', 'certificate', 'c1')
const MINUTE_MS = 60_000
const DEADLINE_MS = 10 * MINUTE_MS

async function issuing(validated: () => Promise<boolean>, hooks: LifecycleHooks<State, Certificate> = {}) {
  const store = await openStore({ file: ':memory:' })
  const clock = new MovableClock(Date.UTC(2026, 0, 1))
  const issuance = lifecycle<State, Certificate>(
    'test.issue',
    {
      PENDING: {
        everyMs: MINUTE_MS,
        ends: { afterMs: DEADLINE_MS, to: 'TIMED_OUT' },
        step: async () => ((await validated()) ? { to: 'ISSUED', row: { serial: '01' } } : {}),
      },
      ISSUED: 'end',
      TIMED_OUT: 'end',
    },
    hooks,
  )
  const context = (now: number) => ({ now, reader: store.reader }) as JobContext
  const job = issuance.jobs['test.issue']!
  const handler: JobHandler = {
    effect: (each, now) => job.effect!(context(now), each.payload),
    run: (unit, each, now, outcome) => job.run(unit, context(now), each.payload, outcome),
  }
  const errors: unknown[] = []
  const runner = new JobRunner(store, clock, new Map([['test.issue', handler]]), (_job, error) => errors.push(error))
  await store.run((unit) => void issuance.enter(unit, AT, { domain: 'a.test' }, 'PENDING', clock.now()))
  return {
    store,
    clock,
    issuance,
    errors,
    row: async () => (await store.reader.get<Certificate>(AT))!,
    jobs: async () => (await store.reader.range(under('kernel', 'job'))).length,
    pass: (ms: number) => {
      clock.advance(ms)
      return runner.runDue()
    },
  }
}

test('a row changes its state when the world has changed, and then has no more turns', async () => {
  let isValidated = false
  const { row, pass, jobs } = await issuing(async () => isValidated)

  await pass(0)
  expect((await row()).progress).toMatchObject({ state: 'PENDING', turn: 2 })
  isValidated = true
  await pass(MINUTE_MS)

  expect(await row()).toMatchObject({ serial: '01', progress: { state: 'ISSUED' } })
  expect(await jobs()).toBe(0)
})

test.each(['answers no', 'throws'])('a deadline is reached while the world %s', async (how) => {
  const errors: unknown[] = []
  const { row, pass, jobs } = await issuing(
    async () => {
      if (how === 'throws') throw new Error('unreachable')
      return false
    },
    { onStepError: (error) => errors.push(error) },
  )

  for (let minute = 0; minute < 9; minute++) await pass(MINUTE_MS)
  expect((await row()).progress.state).toBe('PENDING')
  await pass(MINUTE_MS)

  expect((await row()).progress.state).toBe('TIMED_OUT')
  expect(await jobs()).toBe(0)
  expect(errors.length).toBe(how === 'throws' ? 10 : 0)
})

test('a change by a caller wins over the turn in progress', async () => {
  const { store, clock, issuance, row, pass } = await issuing(async () => {
    // The caller's change commits while the step is running.
    await store.run(async (unit) => {
      const current = (await unit.get<Certificate>(AT))!
      if (current.domain === 'a.test') issuance.hurry(unit, AT, { ...current, domain: 'b.test' }, clock.now())
    })
    return (await row()).domain === 'b.test' && (await row()).progress.turn > 2
  })

  await pass(0)
  expect(await row()).toMatchObject({ domain: 'b.test', progress: { state: 'PENDING', turn: 2 } })
})

test('a row that is deleted leaves no job, and hurrying leaves one', async () => {
  const { store, clock, issuance, row, jobs } = await issuing(async () => false)
  for (let n = 0; n < 5; n++) {
    const current = await row()
    await store.run((unit) => void issuance.hurry(unit, AT, current, clock.now() + n))
  }
  expect(await jobs()).toBe(1)

  const last = await row()
  await store.run((unit) => issuance.leave(unit, AT, last))
  expect(await jobs()).toBe(0)
})

test('each change of state is announced in its transaction, once', async () => {
  const changes: string[] = []
  const { pass } = await issuing(async () => true, {
    onChange: (_unit, _context, before, after) => void changes.push(`${before.progress.state} ${after.progress.state}`),
  })

  await pass(0)
  await pass(MINUTE_MS)
  expect(changes).toEqual(['PENDING ISSUED'])
})
