/** So many at once, so many in the queue, and no more. */
import { expect, test } from 'vitest'
import { FunctionsBusy } from '../../kernel/ports/functions.ts'
import { Slots } from './slots.ts'

function gated() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), work: () => opened }
}

test('as many run as there are slots, the next wait, and the one after that is refused', async () => {
  const slots = new Slots({ running: 1, waiting: 1, waitMs: 60_000 })
  const [first, second] = [gated(), gated()]
  const order: string[] = []
  const one = slots.during(async () => {
    order.push('one begins')
    await first.work()
  })
  const two = slots.during(async () => {
    order.push('two begins')
    await second.work()
  })

  await expect(slots.during(async () => undefined)).rejects.toThrow(FunctionsBusy)
  expect(order).toEqual(['one begins'])
  first.open()
  await one
  await Promise.resolve()
  expect(order).toEqual(['one begins', 'two begins'])
  second.open()
  await two
})

test('one that fails gives its slot back', async () => {
  const slots = new Slots({ running: 1, waiting: 0, waitMs: 60_000 })

  await expect(slots.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no')

  await expect(slots.during(async () => 'yes')).resolves.toBe('yes')
})

test('a waiting call that times out gets an error, and leaves the queue', async () => {
  const slots = new Slots({ running: 1, waiting: 1, waitMs: 1 })
  const first = gated()
  const one = slots.during(first.work)

  await expect(slots.during(async () => undefined)).rejects.toThrow('no function ended in time')
  await expect(slots.during(async () => undefined)).rejects.toThrow('no function ended in time')
  first.open()
  await one
  await expect(slots.during(async () => 'yes')).resolves.toBe('yes')
})
