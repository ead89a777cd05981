/** How many bytes are held at a time, and in which order they come. */
import { expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

/** Work that takes until it is ended, and how much of it is going on. */
function watched(max: number) {
  const budget = new ByteBudget(max)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const work = (bytes: number) =>
    budget.during(bytes, () => {
      begun.push(bytes)
      return new Promise<number>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(bytes))))
    })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { begun, ends, work, settle }
}

test('what fits goes on at once, the next when there is room, in the order they came', async () => {
  const { begun, ends, work, settle } = watched(10)
  const all = [work(6), work(4), work(8), work(1)]
  expect(begun).toEqual([6, 4])

  ends[0]!()
  await settle()
  // One would fit, but eight came first.
  expect(begun).toEqual([6, 4])
  ends[1]!()
  await settle()
  expect(begun).toEqual([6, 4, 8, 1])
  ends.slice(2).forEach((end) => void end())
  expect(await Promise.all(all)).toEqual([6, 4, 8, 1])
})

test('what is larger than all there is has it alone', async () => {
  const { begun, ends, work, settle } = watched(10)
  const all = [work(1), work(50), work(1)]
  expect(begun).toEqual([1])

  ends[0]!()
  await settle()
  expect(begun).toEqual([1, 50])
  ends[1]!()
  await settle()
  ends[2]!()
  expect(await Promise.all(all)).toEqual([1, 50, 1])
})

test('what fails makes room like what succeeds', async () => {
  const { begun, ends, work, settle } = watched(10)
  const failing = work(10)
  const next = work(10)
  ends[0]!(new Error('no such blob'))
  await expect(failing).rejects.toThrow('no such blob')
  await settle()

  expect(begun).toEqual([10, 10])
  ends[1]!()
  expect(await next).toBe(10)
})
