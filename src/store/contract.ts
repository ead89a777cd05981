/** The suite every engine passes. What it asserts is the contract in `store.ts`. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { key, type LogRecord, type Store, under } from './store.ts'

const record = (id: string, over: Partial<LogRecord> = {}): LogRecord => ({
  id,
  account: '111122223333',
  region: 'us-east-1',
  timeMs: 1,
  attributes: [['EventName', 'CreateUser']],
  body: '{}',
  ...over,
})

export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`the store contract: ${name}`, () => {
    let opened: Store[] = []
    const fresh = async () => {
      const store = await open()
      opened.push(store)
      return store
    }
    afterEach(async () => {
      for (const store of opened) await store.close()
      opened = []
    })

    test('a unit sees its own writes and nobody else does until it commits', async () => {
      const store = await fresh()

      await store.run(async (unit) => {
        unit.put('a/1', { n: 1 })
        expect(await unit.get('a/1')).toEqual({ n: 1 })
        expect(await store.reader.get('a/1')).toBeUndefined()
      })

      expect(await store.reader.get('a/1')).toEqual({ n: 1 })
    })

    test('a body that throws leaves nothing behind, neither documents nor log records', async () => {
      const store = await fresh()

      const failed = store.run((unit) => {
        unit.put('a/1', {})
        unit.append(record('e1'))
        throw new Error('no')
      })

      await expect(failed).rejects.toThrow('no')
      expect(await store.reader.get('a/1')).toBeUndefined()
      expect(await store.log({ account: '111122223333', limit: 10 })).toEqual([])
    })

    test('a hundred concurrent increments lose none', async () => {
      const store = await fresh()
      const increment = () =>
        store.run(async (unit) => {
          const n = (await unit.get<{ n: number }>('counter'))?.n ?? 0
          await new Promise((resolve) => setImmediate(resolve))
          unit.put('counter', { n: n + 1 })
        })

      await Promise.all(Array.from({ length: 100 }, increment).map((one) => one))

      expect(await store.reader.get('counter')).toEqual({ n: 100 })
    })

    test('write skew cannot happen: two units that each read what the other writes do not both commit blindly', async () => {
      const store = await fresh()
      await store.run((unit) => {
        unit.put('on-call/a', { on: true })
        unit.put('on-call/b', { on: true })
      })
      const leave = (who: string) =>
        store.run(async (unit) => {
          const on = (await unit.range<{ on: boolean }>('on-call/')).filter(({ document }) => document.on)
          await new Promise((resolve) => setTimeout(resolve, 5))
          if (on.length > 1) unit.put(`on-call/${who}`, { on: false })
        })

      await Promise.all([leave('a'), leave('b')])

      const left = (await store.reader.range<{ on: boolean }>('on-call/')).filter(({ document }) => document.on)
      expect(left).toHaveLength(1)
    })

    test('a row that appears in a range that was read makes the reader run again', async () => {
      const store = await fresh()
      let runs = 0
      const counting = store.run(async (unit) => {
        runs++
        const rows = await unit.range('r/')
        if (runs === 1) await store.run((other) => other.put('r/new', {}))
        unit.put('count', { rows: rows.length })
      })

      await counting

      expect(runs).toBe(2)
      expect(await store.reader.get('count')).toEqual({ rows: 1 })
    })

    test('keys list in byte order, behind a cursor, backwards, with own writes merged in', async () => {
      const store = await fresh()
      await store.run((unit) => {
        for (const id of ['b', 'a', 'é', 'c/x', 'Z', '\u{1F600}', '\uFFFD']) unit.put(key('k', id), { id })
      })
      const all = ['Z', 'a', 'b', 'c/x', 'é', '\uFFFD', '\u{1F600}']

      await store.run(async (unit) => {
        const ids = (rows: readonly { document: { id: string } }[]) => rows.map((row) => row.document.id)
        expect(ids(await unit.range(under('k')))).toEqual(all)
        expect(ids(await unit.range(under('k'), { limit: 2, after: key('k', 'a') }))).toEqual(['b', 'c/x'])
        expect(ids(await unit.range(under('k'), { limit: 2, reverse: true }))).toEqual(['\u{1F600}', '\uFFFD'])
        expect(ids(await unit.range(under('k'), { limit: 2, reverse: true, after: key('k', 'b') }))).toEqual(['a', 'Z'])
        unit.put(key('k', 'aa'), { id: 'aa' })
        unit.delete(key('k', 'b'))
        expect(ids(await unit.range(under('k'), { limit: 3 }))).toEqual(['Z', 'a', 'aa'])
      })
    })

    test('the feed tells each commit once, in order, before run resolves', async () => {
      const store = await fresh()
      const heard: number[] = []
      const keys: string[] = []
      store.subscribe((commit) => {
        heard.push(commit.revision)
        keys.push(...commit.changes.map((change) => change.key))
      })

      await Promise.all(Array.from({ length: 20 }, (_, i) => store.run((unit) => unit.put(`f/${i}`, {}))))

      expect(keys.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `f/${i}`).sort())
      expect(heard).toEqual([...heard].sort((a, b) => a - b))
      expect(new Set(heard).size).toBe(20)
    })

    test('the log answers newest first, by time and by attribute, page by page', async () => {
      const store = await fresh()
      for (let i = 0; i < 10; i++) {
        const attributes = [['EventName', i % 2 ? 'Odd' : 'Even']] as const
        await store.run((unit) => unit.append(record(`e${i}`, { timeMs: i, attributes })))
      }
      const ids = (entries: readonly { id: string }[]) => entries.map((entry) => entry.id)
      const query = { account: '111122223333', limit: 3 }

      const first = await store.log(query)
      const second = await store.log({ ...query, after: first.at(-1)!.position })
      expect(ids([...first, ...second])).toEqual(['e9', 'e8', 'e7', 'e6', 'e5', 'e4'])

      const odd = await store.log({ ...query, attribute: ['EventName', 'Odd'] })
      const more = await store.log({ ...query, attribute: ['EventName', 'Odd'], after: odd.at(-1)!.position })
      expect(ids([...odd, ...more])).toEqual(['e9', 'e7', 'e5', 'e3', 'e1'])
      expect(ids(await store.log({ ...query, fromMs: 2, toMs: 3 }))).toEqual(['e3', 'e2'])
      expect(await store.log({ ...query, account: '999999999999' })).toEqual([])
    })

    test('whatever is written and deleted, the store holds what a map would', async () => {
      const step = fc.record({
        key: fc.constantFrom('m/a', 'm/b', 'm/c', 'n/a'),
        n: fc.option(fc.nat(9), { nil: undefined }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 8 }), async (commits) => {
          const store = await open()
          const model = new Map<string, object>()
          for (const steps of commits) {
            await store.run((unit) => {
              for (const { key: at, n } of steps) n === undefined ? unit.delete(at) : unit.put(at, { n })
            })
            for (const { key: at, n } of steps) n === undefined ? model.delete(at) : model.set(at, { n })
          }
          const rows = await store.reader.range('m/')
          await store.close()
          const expected = [...model].filter(([at]) => at.startsWith('m/')).sort(([a], [b]) => (a < b ? -1 : 1))
          expect(rows).toEqual(expected.map(([at, document]) => ({ key: at, document })))
        }),
        { numRuns: 50 },
      )
    })
  })
}
