/** A follower's cursor and what it writes with it, over a real store. */
import { afterEach, expect, test, vi } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { key, type Store } from '../../store/store.ts'
import { backOff, Follower, type FollowerOptions } from './follower.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const COUNT = key('test', 'count')
interface Count {
  readonly sum: number
  readonly batches: number
}

/** Numbers from 1 to `last`, in batches of two. */
const numbers = (last: number) => async (after: string | undefined) => {
  const from = Number(after ?? 0)
  const lines = [from + 1, from + 2].filter((number) => number <= last)
  return { lines, next: String(lines.at(-1) ?? from), more: from + 2 < last }
}

async function opened() {
  const store = await openStore({ file: ':memory:' })
  closers.push(() => store.close())
  return store
}

const adding: NonNullable<FollowerOptions<number>['commit']> = async (unit, lines) => {
  const { sum, batches } = (await unit.get<Count>(COUNT)) ?? { sum: 0, batches: 0 }
  unit.put(COUNT, { sum: lines.reduce((total, line) => total + line, sum), batches: batches + 1 })
}

function following(store: Store, options: Partial<FollowerOptions<number>> = {}) {
  const follower = new Follower<number>({
    store,
    name: ['test'],
    read: numbers(7),
    idleMs: 5,
    commit: adding,
    ...options,
  })
  closers.push(() => follower.stop())
  follower.start()
  return follower
}

const count = (store: Store) => store.reader.get<Count>(COUNT)

test('each line is committed once, with the cursor, over restarts', async () => {
  const store = await opened()
  const first = following(store, { read: numbers(3) })
  await vi.waitFor(async () => expect((await count(store))?.sum).toBe(1 + 2 + 3))
  await first.stop()

  following(store)
  await vi.waitFor(async () => expect(await count(store)).toEqual({ sum: 28, batches: 4 }))
})

test('a batch whose commit fails is processed again, with its effect', async () => {
  const store = await opened()
  const effects: number[] = []
  let failures = 0
  following(store, {
    effect: async (lines) => void effects.push(...lines),
    commit: (unit, lines) => {
      if (lines.includes(3) && failures++ < 2) throw new Error('not now')
      return adding(unit, lines)
    },
    onFailure: () => 1,
  })

  await vi.waitFor(async () => expect((await count(store))?.sum).toBe(28))
  expect(effects).toEqual([1, 2, 3, 4, 3, 4, 3, 4, 5, 6, 7])
})

test('stop processes what is left', async () => {
  const store = await opened()
  const follower = following(store, { idleMs: 60_000 })
  await follower.stop()

  expect((await count(store))?.sum).toBe(28)
})

test('the wait between attempts grows to a minute', () => {
  expect(backOff(0)).toBeGreaterThanOrEqual(250)
  expect(backOff(0)).toBeLessThanOrEqual(500)
  expect(backOff(40)).toBeGreaterThanOrEqual(30_000)
  expect(backOff(40)).toBeLessThanOrEqual(60_000)
})
