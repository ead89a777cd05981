import { describe, expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { MovableClock } from '../state/clock.ts'
import { cancelJob, type Job, type JobHandler, JobRunner, scheduleJob } from './jobs.ts'

const START = Date.UTC(2026, 0, 1)

async function world(run: JobHandler['run'], effect?: JobHandler['effect']) {
  const handler: JobHandler = { run, ...(effect && { effect }) }
  const handlers = new Map([
    ['k', handler],
    ['other', { run }],
  ])
  const store = await openStore({ file: ':memory:' })
  const clock = new MovableClock(START)
  const errors: unknown[] = []
  const runner = () => new JobRunner(store, clock, handlers, (_job, error) => void errors.push(error))
  const schedule = (id: string, inMs: number, kind = 'k') =>
    store.run(async (unit) => scheduleJob(unit, { id, kind, dueAt: clock.now() + inMs, payload: { id } }))
  return { store, clock, errors, runner, schedule }
}

const counting: JobHandler['run'] = async (unit, job) => {
  const { n } = (await unit.get<{ n: number }>(`ran/${job.id}`)) ?? { n: 0 }
  unit.put(`ran/${job.id}`, { n: n + 1 })
}

const leases = async (store: Store) =>
  (await store.reader.range<Job>('kernel/job/')).map(({ document }) => document.leasedUntil)

describe('A job', () => {
  test('runs when it is due, in order, and once', async () => {
    const ran: string[] = []
    const { clock, runner, schedule } = await world(async (_unit, job) => void ran.push(job.id))
    await schedule('late', 2_000)
    await schedule('soon', 1_000)
    const jobs = runner()

    expect(await jobs.runDue()).toBe(0)
    clock.advance(1_000)
    expect(await jobs.runDue()).toBe(1)
    clock.advance(1_000)
    await jobs.runDue()
    await jobs.runDue()

    expect(ran).toEqual(['soon', 'late'])
  })

  test('runs once though several nodes look for it', async () => {
    const { store, runner, schedule } = await world(counting)
    for (let i = 0; i < 20; i++) await schedule(`j${i}`, 0)

    await Promise.all([runner(), runner(), runner()].map((node) => node.runDue()))

    const ran = await store.reader.range<{ n: number }>('ran/')
    expect(ran.map(({ document }) => document.n)).toEqual(Array(20).fill(1))
  })

  test('that fails writes nothing, is reported, and is tried again later and later', async () => {
    let fails = 2
    const { store, clock, errors, runner, schedule } = await world(async (unit, job, now) => {
      unit.put('half', {})
      if (fails-- > 0) throw new Error('not yet')
      await counting(unit, job, now, undefined)
    })
    await schedule('j', 0)
    const jobs = runner()

    expect(await jobs.runDue()).toBe(0)
    expect(await store.reader.get('half')).toBeUndefined()
    expect(await jobs.runDue()).toBe(0)
    clock.advance(1_000)
    expect(await jobs.runDue()).toBe(0)
    clock.advance(1_999)
    expect(await jobs.runDue()).toBe(0)
    clock.advance(1)
    expect(await jobs.runDue()).toBe(1)

    expect(errors).toHaveLength(2)
    expect(await store.reader.get('ran/j')).toEqual({ n: 1 })
  })

  test('of a node that died is taken up by another when its lease is over', async () => {
    let dies = true
    let began = () => {}
    const begun = new Promise<void>((resolve) => (began = resolve))
    const { store, clock, runner, schedule } = await world((unit, job, now) => {
      if (!dies) return counting(unit, job, now, undefined)
      began()
      return new Promise(() => undefined)
    })
    await schedule('j', 0)
    void runner().runDue()
    await begun
    dies = false

    expect(await runner().runDue()).toBe(0)
    clock.advance(60_001)
    expect(await runner().runDue()).toBe(1)
    expect(await store.reader.get('ran/j')).toEqual({ n: 1 })
  })

  test('acts on the world before it commits what came of it, and again when it could not', async () => {
    const done: string[] = []
    let fails = true
    const { store, clock, runner, schedule } = await world(
      async (unit, _job, _now, outcome) => {
        if (fails) throw new Error('the commit failed')
        unit.put('outcome', { outcome })
      },
      async (job) => done.push(job.id),
    )
    await schedule('j', 0)

    await runner().runDue()
    fails = false
    clock.advance(1_000)
    await runner().runDue()

    expect(done).toEqual(['j', 'j'])
    expect(await store.reader.get('outcome')).toEqual({ outcome: 2 })
  })

  test('that waits for the world does not keep the others waiting', async () => {
    let open = () => {}
    const answered = new Promise<void>((resolve) => (open = resolve))
    const { store, runner, schedule } = await world(counting, async (job) => job.id === 'slow' && answered)
    await schedule('slow', 0)
    await schedule('swift', 0)
    const running = runner().runDue()
    await expect.poll(() => store.reader.get('ran/swift')).toEqual({ n: 1 })

    expect(await store.reader.get('ran/slow')).toBeUndefined()
    open()
    expect(await running).toBe(2)
  })

  test('of an account whose jobs are slow does not hold up another account', async () => {
    let end: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      end = resolve
    })
    const ran: string[] = []
    const { store, clock, runner } = await world(
      async (_unit, job) => void ran.push(job.id),
      (job) => ((job.payload as { account: string }).account === 'slow' ? slow : Promise.resolve()),
    )
    const schedule = (id: string, account: string) =>
      store.run(async (unit) => scheduleJob(unit, { id, kind: 'k', dueAt: clock.now(), payload: { account } }))
    for (let i = 0; i < 200; i++) await schedule(`a${i}`, 'slow')
    await schedule('b0', 'quick')
    const jobs = runner()
    const first = jobs.runDue()
    await expect.poll(() => ran).toEqual(['b0'])

    // What falls due meanwhile has its lane, too, whether the account is named or its scope.
    await schedule('b1', 'quick')
    await store.run(async (unit) =>
      scheduleJob(unit, { id: 'c', kind: 'k', dueAt: clock.now(), payload: { scope: { account: 'third' } } }),
    )
    expect(await jobs.runDue()).toBe(2)
    expect(ran.sort()).toEqual(['b0', 'b1', 'c'])
    end()
    expect(await first).toBe(201)
  })

  test('that waits for the world does not keep waiting what falls due meanwhile', async () => {
    let open = () => {}
    const answered = new Promise<void>((resolve) => (open = resolve))
    const { store, runner, schedule } = await world(counting, async (job) => job.id === 'slow' && answered)
    await schedule('slow', 0)
    const jobs = runner()
    jobs.start(5)
    await expect.poll(async () => (await leases(store)).some((until) => until > 0)).toBe(true)

    await schedule('swift', 0)

    await expect.poll(() => store.reader.get('ran/swift')).toEqual({ n: 1 })
    expect(await store.reader.get('ran/slow')).toBeUndefined()
    open()
    await jobs.stop()
    expect(await store.reader.get('ran/slow')).toEqual({ n: 1 })
  })

  test('has its turn though very many of another kind wait for the world before it', async () => {
    let open = () => {}
    const answered = new Promise<void>((resolve) => (open = resolve))
    const { store, runner, schedule } = await world(counting, () => answered)
    await Promise.all(Array.from({ length: 2_500 }, (_, i) => schedule(`slow ${i}`, -1)))
    await schedule('swift', 0, 'other')
    const jobs = runner()
    jobs.start(5)

    await expect.poll(() => store.reader.get('ran/swift')).toEqual({ n: 1 })
    expect((await leases(store)).filter((until) => until > 0)).toHaveLength(8)

    open()
    await expect.poll(() => store.reader.range('kernel/job/')).toEqual([])
    expect(await store.reader.range('ran/slow')).toHaveLength(2_500)
    await jobs.stop()
  })

  test('that waited long for the world is written down, and tried again, by the time it ended', async () => {
    const HOUR_MS = 3_600_000
    const ended: number[] = []
    let fails = true
    const { store, clock, runner, schedule } = await world(
      async (_unit, _job, now) => {
        ended.push(now)
        if (fails) throw new Error('not yet')
      },
      async () => clock.advance(HOUR_MS),
    )
    await schedule('j', 0)

    await runner().runDue()

    const [job] = await store.reader.range<Job>('kernel/job/')
    expect(ended).toEqual([START + HOUR_MS])
    expect(job!.document.dueAt).toBe(START + HOUR_MS + 1_000)
    fails = false
    clock.advance(1_000)
    await runner().runDue()
    expect(ended[1]).toBe(START + 2 * HOUR_MS + 1_000)
  })

  test('that waits for its turn is held from when it begins: no other node does it too', async () => {
    const acted: string[] = []
    const opening: (() => void)[] = []
    const { store, clock, runner, schedule } = await world(counting, async (job) => {
      acted.push(job.id)
      await new Promise<void>((resolve) => opening.push(resolve))
    })
    for (let n = 0; n < 9; n++) await schedule(`j${n}`, n)
    clock.advance(10)
    const first = runner().runDue()
    await expect.poll(() => acted.length).toBe(8)

    clock.advance(61_000)
    opening.shift()!()
    await expect.poll(() => acted).toContain('j8')
    const held = (await store.reader.range<Job>('kernel/job/')).find(({ document }) => document.id === 'j8')!

    expect(held.document.leasedUntil).toBeGreaterThan(clock.now())
    for (const open of opening) open()
    expect(await first).toBe(9)
  })

  test('of an unknown kind is kept and reported', async () => {
    const { store, errors, runner, schedule } = await world(counting)
    await schedule('j', 0, 'unknown')

    expect(await runner().runDue()).toBe(0)

    expect(errors).toEqual([expect.objectContaining({ message: "no handler for jobs of kind 'unknown'" })])
    expect(await store.reader.range('kernel/job/')).toHaveLength(1)
  })

  test('may be cancelled', async () => {
    const { store, runner, schedule } = await world(counting)
    const at = await schedule('j', 0)

    await store.run(async (unit) => cancelJob(unit, at))

    expect(await runner().runDue()).toBe(0)
  })
})
