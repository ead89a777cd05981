/** Several processes over one backend, in slow motion: what one of them has accepted and another was faster than. */
import { expect, test } from 'vitest'
import type { Backend, Batch, CommittedChanges } from './backend.ts'
import { type Key, key } from './store.ts'
import { Transactions } from './transactions.ts'

/** Documents and revisions that all processes share; a process's writes wait until they are let through. */
class Shared {
  readonly documents = new Map<Key, string | null>()
  readonly history: CommittedChanges['changes'][number][] = []
  revision = 0

  write({ after, revision, documents }: Batch): 'written' | 'moved' {
    if (documents.length > 0 && after !== this.revision) return 'moved'
    for (const [at, json, made] of documents) {
      this.documents.set(at, json)
      this.history.push({ key: at, document: json === null ? undefined : JSON.parse(json), revision: made })
    }
    if (documents.length > 0) this.revision = revision
    return 'written'
  }

  open(gate: () => Promise<void> = async () => {}): Transactions {
    const backend: Backend = {
      unitsMax: 100,
      touch: async () => undefined,
      read: (at) => ({ found: this.documents.get(at) ?? undefined, revision: this.revision }),
      range: () => ({ found: [], revision: this.revision }),
      write: async (batch) => {
        await gate()
        return this.write(batch)
      },
      news: async (after) => ({
        revision: this.revision,
        changes: this.history.filter(({ revision }) => revision > after),
      }),
      isLost: () => false,
    }
    return new Transactions(backend, this.revision)
  }
}

const NAME = key('iam', 'user', 'ann')
const QUOTA = key('iam', 'count')

test('a refusal that rests on what another process prevented is no answer: the body runs again', async () => {
  const shared = new Shared()
  let letThrough = () => {}
  const held = new Promise<void>((resolve) => (letThrough = resolve))
  const slow = shared.open(() => held)
  const fast = shared.open()
  const create = (store: Transactions) =>
    store.run(async (unit) => {
      if (await unit.get(NAME)) throw new Error('EntityAlreadyExists')
      await unit.get(QUOTA)
      unit.put(NAME, { by: 'somebody' })
      return 'created'
    })

  // Accepted, and on its way when the other process changes what it has read.
  let tries = 0
  const first = slow.run(async (unit) => {
    await unit.get(QUOTA)
    if (++tries > 1) throw new Error('over the quota')
    unit.put(NAME, { by: 'first' })
  })
  const settled: string[] = []
  void first.catch(() => settled.push('first'))
  await new Promise((done) => setTimeout(done, 5))
  const second = create(slow)
  void second.then(
    () => settled.push('created'),
    () => settled.push('refused'),
  )
  await new Promise((done) => setTimeout(done, 20))
  expect(settled).toEqual([])

  await fast.run((unit) => unit.put(QUOTA, { full: true }))
  letThrough()

  await expect(first).rejects.toThrow('over the quota')
  expect(await second).toBe('created')
})

test('a refusal that rests on what becomes durable is returned once it is', async () => {
  const shared = new Shared()
  let letThrough = () => {}
  const held = new Promise<void>((resolve) => (letThrough = resolve))
  const store = shared.open(() => held)
  const first = store.run((unit) => unit.put(NAME, { by: 'first' }))
  await new Promise((done) => setTimeout(done, 5))
  let told = false
  const refused = store
    .run(async (unit) => {
      unit.put(QUOTA, { full: true })
      if (await unit.get(NAME)) throw new Error('EntityAlreadyExists')
    })
    .catch((error: Error) => {
      told = true
      return error.message
    })
  await new Promise((done) => setTimeout(done, 20))
  expect(told).toBe(false)

  letThrough()

  expect(await refused).toBe('EntityAlreadyExists')
  await first
  expect(await store.reader.get(QUOTA)).toBeUndefined()
})
