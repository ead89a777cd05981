/** The suite every engine passes. What it asserts is the contract in `store.ts`. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { chainId, linkHash, linkMac } from './chain.ts'
import { ContentionError, type EvidenceRow, key, type LogQuery, type LogRecord, type Store, under } from './store.ts'

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

    test('a unit sees its own writes, and other units only after it commits', async () => {
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

      await Promise.all(Array.from({ length: 100 }, increment))

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

    test('the feed delivers each commit once, in order, before run resolves', async () => {
      const store = await fresh()
      const received: number[] = []
      const keys: string[] = []
      store.subscribe((commit) => {
        received.push(commit.revision)
        keys.push(...commit.changes.map((change) => change.key))
      })

      await Promise.all(Array.from({ length: 20 }, (_, i) => store.run((unit) => unit.put(`f/${i}`, {}))))

      expect(keys.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `f/${i}`).sort())
      expect(received).toEqual([...received].sort((a, b) => a - b))
      expect(new Set(received).size).toBe(20)
    })

    test('the log answers newest first, by time and by attribute, page by page', async () => {
      const store = await fresh()
      for (let i = 0; i < 10; i++) {
        const attributes = [['EventName', i % 2 ? 'Odd' : 'Even']] as const
        await store.run((unit) => unit.append(record(`e${i}`, { timeMs: i, attributes })))
      }
      const ids = (entries: readonly { id: string }[]) => entries.map((entry) => entry.id)
      const query = { account: '111122223333', region: 'us-east-1', limit: 3 }

      const first = await store.log(query)
      const second = await store.log({ ...query, after: first.at(-1)!.position })
      expect(ids([...first, ...second])).toEqual(['e9', 'e8', 'e7', 'e6', 'e5', 'e4'])

      const odd = await store.log({ ...query, attribute: ['EventName', 'Odd'] })
      const more = await store.log({ ...query, attribute: ['EventName', 'Odd'], after: odd.at(-1)!.position })
      expect(ids([...odd, ...more])).toEqual(['e9', 'e7', 'e5', 'e3', 'e1'])
      expect(ids(await store.log({ ...query, fromMs: 2, toMs: 3 }))).toEqual(['e3', 'e2'])
      expect(await store.log({ ...query, account: '999999999999' })).toEqual([])
    })

    test('the log is ordered by time, by attribute too, even where it was written out of order', async () => {
      const store = await fresh()
      for (const [id, timeMs] of [
        ['late', 30],
        ['early', 10],
        ['middle', 20],
        ['also-middle', 20],
      ] as const) {
        await store.run((unit) => unit.append(record(id, { timeMs })))
      }
      const newestFirst = ['late', 'also-middle', 'middle', 'early']

      for (const attribute of [undefined, ['EventName', 'CreateUser']] as const) {
        const pages: string[] = []
        let after: string | undefined
        for (let page = 0; page < newestFirst.length; page++) {
          const entries = await store.log({ account: '111122223333', region: 'us-east-1', attribute, after, limit: 1 })
          pages.push(...entries.map(({ id }) => id))
          after = entries.at(-1)?.position
        }
        expect(pages).toEqual(newestFirst)
      }
    })

    test('a search by attribute finds the same in a log of thousands as reading all of it would', async () => {
      const store = await fresh()
      const rows = Array.from({ length: 5_000 }, (_, i) =>
        record(`e${i}`, {
          timeMs: i % 700,
          region: i % 2 ? 'us-east-1' : 'eu-west-1',
          attributes: [
            ['Group', `${i % 5}`],
            ['Group', `${(i + 1) % 5}`],
            ['Id', `${i}`],
          ],
        }),
      )
      for (let at = 0; at < rows.length; at += 250) {
        await store.run((unit) => {
          for (const row of rows.slice(at, at + 250)) unit.append(row)
        })
      }
      const expected = rows
        .map((row, written) => ({ row, written }))
        .filter(({ row }) => row.attributes.some(([name, value]) => name === 'Group' && value === '3'))
        .filter(({ row }) => row.region === 'us-east-1' && row.timeMs >= 100)
        .sort((a, b) => b.row.timeMs - a.row.timeMs || b.written - a.written)
        .map(({ row }) => row.id)

      const query = { account: '111122223333', region: 'us-east-1', fromMs: 100, attribute: ['Group', '3'] as const }
      const first = await store.log({ ...query, limit: 300 })
      const rest = await store.log({ ...query, limit: 5_000, after: first.at(-1)!.position })

      expect([...first, ...rest].map(({ id }) => id)).toEqual(expected)
      expect(await store.log({ ...query, fromMs: 0, attribute: ['Id', '17'], limit: 2 })).toHaveLength(1)
    })

    test('pages of a search go through hours of a log in order, wherever records were written late', async () => {
      const store = await fresh()
      // Most are a second apart, some come in crowds, and every seventh was begun up to a minute before it was written.
      const written = Array.from({ length: 3_000 }, (_, n) => {
        const timeMs = 1_700_000_000_000 + (n < 1_500 ? n * 1_000 : 1_500_000 + n) - (n % 7 ? 0 : (n * 37) % 60_000)
        return record(`e${n}`, { timeMs, attributes: [['Of', n % 3 ? 'many' : 'few']] })
      })
      for (let at = 0; at < written.length; at += 100) {
        await store.run((unit) => {
          for (const each of written.slice(at, at + 100)) unit.append(each)
        })
      }
      const bounds = { fromMs: written[200]!.timeMs, toMs: written[2_800]!.timeMs }
      for (const [value, limit] of [
        ['many', 199],
        ['few', 40],
      ] as const) {
        const expected = written
          .map(({ id, timeMs, attributes }, position) => ({ id, timeMs, position, is: attributes[0]![1] }))
          .filter(({ is, timeMs }) => is === value && timeMs >= bounds.fromMs && timeMs <= bounds.toMs)
          .sort((a, b) => b.timeMs - a.timeMs || b.position - a.position)
          .map(({ id }) => id)
        const found: string[] = []
        for (let after: string | undefined; ; ) {
          const query = { account: '111122223333', region: 'us-east-1', attribute: ['Of', value] as const, ...bounds }
          const page = await store.log({ ...query, limit, after })
          found.push(...page.map(({ id }) => id))
          if (page.length < limit) break
          after = page.at(-1)!.position
        }
        expect(found).toEqual(expected)
      }
    })

    test('a record is found by its own id, indexed or not, in its account and Region and by no other name', async () => {
      const store = await fresh()
      // UUIDs of version 7: the first is of the record's own time, the second of another.
      const [own, other] = ['018bcfe5-6800-7aaa-8aaa-aaaaaaaaaaaa', '018bcfe5-9999-7aaa-8aaa-aaaaaaaaaaaa']
      const of = (id: string) => record(id, { timeMs: 0x18b_cfe5_6800, attributes: [['EventId', id]] })
      const found = async (id: string, { name = 'EventId', ...more }: Partial<LogQuery> & { name?: string } = {}) => {
        const query = { account: '111122223333', region: 'us-east-1', attribute: [name, id] as const, limit: 10 }
        return (await store.log({ ...query, ...more })).map((entry) => entry.id)
      }
      const matches = async () => {
        for (const id of [own, other]) {
          expect(await found(id)).toEqual([id])
          expect(await found(id, { name: 'EventName' })).toEqual([])
          expect(await found(id, { region: 'eu-west-1' })).toEqual([])
          expect(await found(id, { account: '999999999999' })).toEqual([])
          expect(await found(id, { toMs: 1 })).toEqual([])
        }
      }

      await store.run((unit) => {
        for (const id of [own, other]) unit.append(of(id))
      })
      await matches()
      for (let portion = 0; portion < 15; portion++) {
        await store.run((unit) => {
          for (let i = 0; i < 250; i++) unit.append(record(`e${portion}-${i}`, { attributes: [['Name', `${i}`]] }))
        })
      }
      await matches()
    })

    test('an attribute that is no text everywhere is found by itself, whether it is indexed yet or not', async () => {
      const store = await fresh()
      const odd = 'a\0b \uD800 \\u0000 "c" \u0001'
      const found = async () => {
        const attribute = ['Name', odd] as const
        const entries = await store.log({ account: '111122223333', region: 'us-east-1', attribute, limit: 10 })
        return entries.map(({ id }) => id)
      }

      await store.run((unit) => unit.append(record('odd', { attributes: [['Name', odd]] })))
      expect(await found()).toEqual(['odd'])
      for (let portion = 0; portion < 15; portion++) {
        await store.run((unit) => {
          for (let i = 0; i < 250; i++) unit.append(record(`e${portion}-${i}`, { attributes: [['Name', `${i}`]] }))
        })
      }

      expect(await found()).toEqual(['odd'])
    })

    test('a position that no log gave is refused', async () => {
      const store = await fresh()

      await expect(store.log({ account: '111122223333', after: '1 OR 1', limit: 1 })).rejects.toThrow(TypeError)
    })

    test('a unit that only reads never answers from two different states', async () => {
      const store = await fresh()
      await store.run((unit) => {
        unit.put('left', { n: 1 })
        unit.put('right', { n: 1 })
      })
      let runs = 0

      const seen = await store.run(async (unit) => {
        const left = await unit.get('left')
        if (runs++ === 0) {
          await store.run((other) => {
            other.put('left', { n: 2 })
            other.put('right', { n: 2 })
          })
        }
        return [left, await unit.get('right')]
      })

      expect(seen).toEqual([{ n: 2 }, { n: 2 }])
    })

    test('an error drawn from state that changed meanwhile is not thrown: the body runs again', async () => {
      const store = await fresh()
      let runs = 0

      const answer = await store.run(async (unit) => {
        const found = await unit.get('a')
        if (runs++ === 0) await store.run((other) => other.put('a', {}))
        if (!found) throw new Error('there is no a')
        return 'found'
      })

      expect(answer).toBe('found')
    })

    test('a row behind the page that was read does not disturb the reader, one on the page does', async () => {
      const store = await fresh()
      await store.run((unit) => {
        for (const id of ['b', 'd', 'f']) unit.put(`p/${id}`, {})
      })
      const runsWhenInserting = async (inserted: string) => {
        let runs = 0
        await store.run(async (unit) => {
          await unit.range('p/', { limit: 2 })
          if (runs++ === 0) await store.run((other) => other.put(inserted, {}))
          unit.put('done', {})
        })
        return runs
      }

      expect(await runsWhenInserting('p/e')).toBe(1)
      expect(await runsWhenInserting('p/c')).toBe(2)
    })

    test('a body that always loses gives up, and says that it was contention', async () => {
      const store = await fresh()

      const losing = store.run(async (unit) => {
        await unit.get('contended')
        await store.run((other) => other.put('contended', {}))
        unit.put('contended', {})
      })

      await expect(losing).rejects.toThrow(ContentionError)
    })

    test('a document that is not JSON fails its own unit only', async () => {
      const store = await fresh()
      const circular: { self?: object } = {}
      circular.self = circular

      const outcomes = await Promise.allSettled([
        store.run((unit) => unit.put('a', circular)),
        store.run((unit) => unit.put('b', { n: 10n })),
        store.run((unit) => unit.put('c', { n: 1 })),
      ])

      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
      expect(await store.reader.range('')).toEqual([{ key: 'c', document: { n: 1 } }])
    })

    test('a document cannot be changed in place: neither once it is put nor once it is read', async () => {
      const store = await fresh()
      const document = { list: [1] }

      await store.run((unit) => unit.put('a', document))
      const read = (await store.reader.get<{ list: number[] }>('a'))!

      expect(() => document.list.push(2)).toThrow(TypeError)
      expect(() => read.list.push(2)).toThrow(TypeError)
    })

    test('a name with any characters makes a key of its own, under its own prefix', async () => {
      const store = await fresh()
      const names = ['a', 'a/b', 'a%2Fb', 'a\0b', 'a\0', '\uD800', '\uD801', '\uFFFD', '%', '', '\u{10FFFF}', '\uD7FF']

      await store.run((unit) => {
        for (const [n, name] of names.entries()) unit.put(key('n', name, 'x'), { n })
      })

      for (const [n, name] of names.entries()) {
        expect(await store.reader.range(under('n', name))).toEqual([{ key: key('n', name, 'x'), document: { n } }])
      }
      expect(await store.reader.range(under('n'))).toHaveLength(names.length)
    })

    test('a range ends where its prefix does, whatever the last character', async () => {
      const store = await fresh()
      const prefixes = ['a', '\uD7FF', '\u{10FFFF}', 'z\u{10FFFF}']

      await store.run((unit) => {
        for (const prefix of prefixes) unit.put(`${prefix}1`, { prefix })
      })

      for (const prefix of prefixes) {
        expect(await store.reader.range(prefix)).toEqual([{ key: `${prefix}1`, document: { prefix } }])
      }
      expect(await store.reader.range('')).toHaveLength(prefixes.length)
    })

    test('a raw key or a record that an engine could not distinguish from another is refused', async () => {
      const store = await fresh()

      await expect(store.run((unit) => unit.put('a\0b', {}))).rejects.toThrow(TypeError)
      await expect(store.run((unit) => unit.delete('\uDC00'))).rejects.toThrow(TypeError)
      await expect(store.run((unit) => unit.append(record('e', { body: 'a\0b' })))).rejects.toThrow(TypeError)
    })

    test('records of an account and Region form a chain without gaps, each with a MAC under the key of its time', async () => {
      const store = await fresh()
      const append = (id: string, over: Partial<LogRecord> = {}) =>
        store.run((unit) => unit.append(record(id, { attributes: [['EventId', id]], ...over })))
      const keys = [1, 2].map((epoch) => ({ epoch, key: new Uint8Array(32).fill(epoch) }))

      await append('before')
      store.authenticate(keys[0]!)
      await Promise.all([append('a'), append('b', { region: 'eu-west-1' })])
      await expect(
        store.run((unit) => {
          unit.append(record('never'))
          throw new Error('no')
        }),
      ).rejects.toThrow('no')
      store.authenticate(keys[1]!)
      await append('ü "c"', { body: '{"a":"ü"}' })

      const rows = await store.evidence(0, 100)
      expect(rows.map(({ id, region, sequence, epoch }) => [id, region, sequence, epoch])).toEqual([
        ['before', 'us-east-1', 1, -1],
        ['a', 'us-east-1', 2, 1],
        ['b', 'eu-west-1', 1, 1],
        ['ü "c"', 'us-east-1', 3, 2],
      ])
      const chains = new Map<string, EvidenceRow>()
      for (const row of rows) {
        expect(Buffer.from(row.hash)).toEqual(linkHash(chains.get(chainId(row)), row))
        const { key } = keys[row.epoch - 1] ?? {}
        expect(row.mac && Buffer.from(row.mac)).toEqual(key ? linkMac(key, row.hash) : null)
        chains.set(chainId(row), row)
      }
      const heads = await store.heads()
      expect(heads.map(({ region, sequence, node }) => [region, sequence, node]).sort()).toEqual([
        ['eu-west-1', 1, store.node],
        ['us-east-1', 3, store.node],
      ])
      expect(await store.evidence(rows[1]!.position, 1)).toEqual([rows[2]])
    })

    test('a closed store refuses work, and so does one that closes while a body runs', async () => {
      const store = await open()
      const accepted = store.run((unit) => unit.put('a', {}))
      const late = store.run(async (unit) => {
        unit.put('b', {})
        await new Promise((resolve) => setTimeout(resolve, 50))
      })
      late.catch(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))

      await store.close()

      await accepted
      await expect(late).rejects.toThrow('the store is closed')
      await expect(store.run(() => undefined)).rejects.toThrow('the store is closed')
    })

    test('concurrent transfers and counts: the sum stays', async () => {
      const store = await fresh()
      const accounts = ['m/a', 'm/b', 'm/c', 'm/d']
      await store.run((unit) => {
        for (const at of accounts) unit.put(at, { n: 100 })
      })
      const sum = async () =>
        store.run(async (unit) => {
          let total = 0
          for (const at of accounts) {
            total += (await unit.get<{ n: number }>(at))?.n ?? 0
            await new Promise((resolve) => setImmediate(resolve))
          }
          return total
        })
      const move = (from: string, to: string, n: number) =>
        store.run(async (unit) => {
          const source = (await unit.get<{ n: number }>(from))!
          await new Promise((resolve) => setImmediate(resolve))
          const target = (await unit.get<{ n: number }>(to))!
          if (from === to) return
          unit.put(from, { n: source.n - n })
          unit.put(to, { n: target.n + n })
        })

      const moves = Array.from({ length: 60 }, (_, i) => move(accounts[i % 4]!, accounts[(i * 7 + 1) % 4]!, i))
      const sums = await Promise.all(Array.from({ length: 5 }, sum))
      await Promise.all(moves)

      expect(sums).toEqual([400, 400, 400, 400, 400])
      expect(await sum()).toBe(400)
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
