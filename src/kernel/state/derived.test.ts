import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { DerivedCache } from './derived.ts'

async function world(max?: number) {
  const store = await openStore({ file: ':memory:' })
  let computed = 0
  const sum = new DerivedCache<number>(
    store,
    async (reader, prefix) => {
      computed++
      const rows = await reader.range<{ n: number }>(`${prefix}/`)
      const bonus = await reader.get<{ n: number }>('bonus')
      return rows.reduce((total, { document }) => total + document.n, bonus?.n ?? 0)
    },
    max === undefined ? {} : { max },
  )
  const put = (key: string, n: number) => store.run(async (unit) => unit.put(key, { n }))
  return { store, sum, put, computed: () => computed }
}

test('A derived value is computed once, and again after what it read has changed', async () => {
  const { store, sum, put, computed } = await world()
  await put('a/x', 1)

  expect([await sum.get('a'), await sum.get('a'), computed()]).toEqual([1, 1, 1])
  await put('a/y', 2)
  expect([await sum.get('a'), computed()]).toEqual([3, 2])
  await put('bonus', 10)
  expect(await sum.get('a')).toBe(13)
  await store.run(async (unit) => unit.delete('a/x'))
  expect(await sum.get('a')).toBe(12)
})

test('A derived value is not computed again for what it has not read', async () => {
  const { sum, put, computed } = await world()
  await sum.get('a')

  await put('ab/x', 1)
  await put('b/a/x', 1)

  expect([await sum.get('a'), computed()]).toEqual([0, 1])
})

test('No more values are kept than allowed', async () => {
  const { sum, computed } = await world(2)

  for (const name of ['a', 'b', 'c', 'c', 'b']) await sum.get(name)
  expect(computed()).toBe(3)
  await sum.get('a')
  expect(computed()).toBe(4)
})

test('A derived value equals a fresh one, whatever is written while it is computed', async () => {
  const step = fc.record({ key: fc.constantFrom('a/x', 'a/y', 'b/x', 'bonus'), n: fc.nat(9), read: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { store, sum, put } = await world()
      const pending: Promise<unknown>[] = []
      for (const { key, n, read } of steps) {
        pending.push(put(key, n))
        if (read) pending.push(sum.get('a'), sum.get('b'))
      }
      await Promise.all(pending)

      for (const prefix of ['a', 'b']) {
        const rows = await store.reader.range<{ n: number }>(`${prefix}/`)
        const bonus = (await store.reader.get<{ n: number }>('bonus'))?.n ?? 0
        expect(await sum.get(prefix)).toBe(rows.reduce((total, { document }) => total + document.n, bonus))
      }
    }),
    { numRuns: 200 },
  )
})
