import { afterEach, describe, expect, it } from 'vitest'
import { asNode } from '../../../test/node.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { Lease, LeaseLostError } from './lease.ts'

const HELD_MS = 400
const leases: Lease[] = []
const stores: Store[] = []
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.release().catch(() => undefined)
  for (const store of stores.splice(0)) await store.close()
})

async function installation() {
  const store = await openStore({ file: ':memory:' })
  stores.push(store)
  /** `dies` stops it from writing at all, as a dead process does. */
  const node = (name: string) => {
    let dead = false
    const own = asNode(store, name)
    const mortal = new Proxy(own, {
      get: (target, member) =>
        member === 'run' && dead ? () => Promise.reject(new Error('dead')) : Reflect.get(target, member, target),
    })
    const lease = new Lease({ store: mortal, of: ['work'], heldMs: HELD_MS })
    leases.push(lease)
    return { lease, own, dies: () => void (dead = true) }
  }
  return { store, node }
}

const pass = (ms: number) => new Promise((done) => setTimeout(done, ms))

describe('A lease', () => {
  it('is held by one of all concurrent applicants, for as long as it lives', async () => {
    const { node } = await installation()
    const nodes = ['a', 'b', 'c'].map(node)
    const ask = () => Promise.all(nodes.map(({ lease }) => lease.hold()))
    const first = await ask()
    expect(first.filter(Boolean)).toHaveLength(1)
    for (let n = 0; n < 10; n++) {
      await pass(HELD_MS / 3)
      expect(await ask()).toEqual(first)
    }
    const holder = ['a', 'b', 'c'][first.indexOf(true)]
    expect(nodes.map(({ lease }) => lease.elsewhere)).toEqual(first.map((held) => (held ? undefined : holder)))
  })

  it('passes on when its holder dies, and not before it was silent for long', async () => {
    const { node } = await installation()
    const [one, two] = [node('one'), node('two')]
    expect(await one.lease.hold()).toBe(true)
    expect(await two.lease.hold()).toBe(false)
    one.dies()
    const died = performance.now()
    while (!(await two.lease.hold())) await pass(5)
    expect(performance.now() - died).toBeGreaterThan(HELD_MS / 2)
    expect(performance.now() - died).toBeLessThan(HELD_MS * 4)
    expect(await one.lease.hold()).toBe(false)
  })

  it('lets nothing be written by a holder that stalled and was replaced', async () => {
    const { node, store } = await installation()
    const [one, two] = [node('one'), node('two')]
    await one.lease.hold()
    await store.run((unit) => one.lease.require(unit))
    await two.lease.hold()
    one.dies()
    while (!(await two.lease.hold())) await pass(5)
    await expect(store.run((unit) => one.lease.require(unit))).rejects.toThrow(LeaseLostError)
    await store.run((unit) => two.lease.require(unit))
  })

  it('is free at once when it is released, and for the next life of the node that died', async () => {
    const { node } = await installation()
    const [one, two, again] = [node('one'), node('two'), node('one')]
    await one.lease.hold()
    await one.lease.release()
    expect(await two.lease.hold()).toBe(true)
    await two.lease.release()
    await one.lease.hold()
    one.dies()
    expect(await again.lease.hold()).toBe(true)
    expect(await two.lease.hold()).toBe(false)
  })

  it('of data that is ours alone is ours, and costs no write', async () => {
    const { store } = await installation()
    const lease = new Lease({ store, of: ['work'] })
    expect(await lease.hold()).toBe(true)
    await store.run((unit) => lease.require(unit))
    expect(await store.reader.range('kernel/lease/')).toEqual([])
  })
})
