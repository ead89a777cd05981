/** PostgreSQL passes the contract that SQLite passes, and nodes over one database keep it among themselves. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chainId, linkHash } from '../../src/store/chain.ts'
import { storeContract } from '../../src/store/contract.ts'
import { contentHash, copyImage, type StoreSnapshot } from '../../src/store/image.ts'
import { attributesText } from '../../src/store/log.ts'
import { postgresLoader } from '../../src/store/postgres/image.ts'
import { indexPortion, sweep } from '../../src/store/postgres/maintenance.ts'
import { openPostgres, type PostgresOptions, type PostgresStore } from '../../src/store/postgres/postgres.ts'
import { migrate, steps } from '../../src/store/postgres/schema.ts'
import { PostgresWriter } from '../../src/store/postgres/writer.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { sqliteImage } from '../../src/store/sqlite-image.ts'
import { key, type LogRecord, UnavailableError, under } from '../../src/store/store.ts'
import { Link } from '../faults/link.ts'
import { type Database, postgres } from '../rotation/databases.ts'

let server: Database
let schemas = 0
beforeAll(async () => {
  server = await postgres('SELECT 1')
})
afterAll(() => server.stop())

const url = () => `postgres://boss:boss-password@127.0.0.1:${server.port}/postgres`
const fresh = () => ({ url: url(), schema: `s${schemas++}`, node: 'one' })

storeContract('PostgreSQL', () => openPostgres(fresh()))
storeContract('PostgreSQL, caching nothing', () => openPostgres({ ...fresh(), documentsCachedMax: 0 }))

const ACCOUNT = '111122223333'
const record = (id: string): LogRecord => ({
  id,
  account: ACCOUNT,
  region: 'us-east-1',
  timeMs: 1,
  attributes: [['EventName', 'CreateUser']],
  body: '{}',
})

describe('nodes over one database', () => {
  const opened: PostgresStore[] = []
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })
  const nodes = async (names: readonly string[], more: Partial<PostgresOptions> = {}) => {
    const { schema } = fresh()
    const stores = []
    for (const node of names) stores.push(await openPostgres({ url: url(), schema, node, ...more }))
    opened.push(...stores)
    return { stores, schema }
  }
  const pair = async () => {
    const { stores, schema } = await nodes(['a', 'b'])
    return { a: stores[0]!, b: stores[1]!, schema }
  }
  const queried = async (schema: string, sql: string, values: unknown[] = []) => {
    const client = new pg.Client({ connectionString: url() })
    await client.connect()
    await client.query(`SET search_path = ${schema}`)
    const { rows } = await client.query(sql, values)
    await client.end()
    return rows
  }

  test('what one has acknowledged, another shows after a sync, cached or not', async () => {
    const { a, b } = await pair()
    await a.run((unit) => unit.put('k', { n: 0 }))
    for (let n = 1; n <= 200; n++) {
      await a.run((unit) => unit.put('k', { n }))
      await b.sync()
      expect(await b.reader.get('k')).toEqual({ n })
    }
    await a.run((unit) => unit.delete('k'))
    await b.sync()
    expect(await b.reader.get('k')).toBeUndefined()
    expect(await b.reader.range('k')).toEqual([])
  })

  test('a backup reads the bytes of its own moment, whatever other nodes remove and write meanwhile', async () => {
    const { a, b } = await pair()
    const [kept, later] = [randomUUID(), randomUUID()]
    await a.blobs.write(kept, Buffer.from('named'))
    const file = join(mkdtempSync(join(tmpdir(), 'merlon-moment-')), 'copy.db')

    const found = await a.backup(file, async (blobs) => {
      await b.blobs.remove(kept)
      await b.blobs.write(later, Buffer.from('too late'))
      return { ids: await blobs!.ids(), bytes: await blobs!.read(kept), later: await blobs!.read(later) }
    })

    expect(found).toEqual({ ids: [kept], bytes: Buffer.from('named'), later: undefined })
    expect(await a.blobs.read(kept)).toBeUndefined()
  })

  test('a node that has much to catch up on misses no document, wherever a portion of the news ends', async () => {
    const { a, b } = await pair()
    const held = key('k', '7998')
    await a.run(async (unit) => unit.put(held, { v: 'old' }))
    await b.sync()
    expect(await b.reader.get(held)).toEqual({ v: 'old' })
    const told = new Set<string>()
    b.subscribe(({ changes }) => changes.forEach(({ key }) => void told.add(key)))

    // One commit of more documents than one read returns.
    await a.run(async (unit) => {
      for (let n = 0; n < 8_000; n++) unit.put(key('k', String(n)), { v: 'new' })
    })
    await b.sync()

    expect(await b.reader.get(held)).toEqual({ v: 'new' })
    expect(told.size).toBe(8_000)
  })

  test('the feed of one delivers what the others commit, in order, without a request', async () => {
    const { a, b } = await pair()
    const heard: (readonly [number, string, unknown])[] = []
    b.subscribe(({ revision, changes }) => {
      for (const { key, document } of changes) heard.push([revision, key, document])
    })

    for (let n = 1; n <= 20; n++) await a.run((unit) => unit.put(`k/${n}`, { n }))
    // Of a key that changes twice before another node reads, only the last change is delivered.
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(20)
    await a.run((unit) => unit.delete('k/3'))

    await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(21)
    expect(heard.map(([revision]) => revision)).toEqual([...heard].map(([revision]) => revision).sort((x, y) => x - y))
    expect(heard.slice(0, 20).map(([, key]) => key)).toEqual(Array.from({ length: 20 }, (_, n) => `k/${n + 1}`))
    expect(heard.at(-1)!.slice(1)).toEqual(['k/3', undefined])
  })

  test('three hundred increments over three nodes lose none, and each node ends with the same', async () => {
    const { stores } = await nodes(['a', 'b', 'c'])
    const increment = (store: PostgresStore) =>
      store.run(async (unit) => {
        const n = (await unit.get<{ n: number }>('counter'))?.n ?? 0
        unit.append(record(randomUUID()))
        unit.put('counter', { n: n + 1 })
      })
    const many = async (store: PostgresStore) => {
      for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 5 }, () => increment(store)))
    }

    await Promise.all(stores.map(many))

    for (const store of stores) {
      await store.sync()
      expect(await store.reader.get('counter')).toEqual({ n: 300 })
    }
    expect(await stores[0]!.log({ account: ACCOUNT, limit: 1_000 })).toHaveLength(300)
  })

  test('a unit that read what another node then changed is retried, and so are those that depend on it', async () => {
    const { a, b } = await pair()
    await a.run((unit) => unit.put('x', { n: 1 }))
    await b.sync()
    await b.reader.get('x')
    let runs = 0

    // Accepted on b while a's change is on its way: the first copies x, the second copies that copy.
    const ofA = a.run((unit) => unit.put('x', { n: 2 }))
    await ofA
    const first = b.run(async (unit) => {
      runs++
      unit.put('y', (await unit.get('x'))!)
    })
    const second = b.run(async (unit) => {
      unit.put('z', (await unit.get('y')) ?? {})
    })
    await Promise.all([first, second])

    expect(runs).toBeGreaterThan(1)
    await a.sync()
    expect(await a.reader.get('y')).toEqual({ n: 2 })
    expect([{}, { n: 2 }]).toContainEqual(await a.reader.get('z'))
    expect(await b.reader.get('z')).toEqual(await a.reader.get('z'))
  })

  test('write skew cannot happen between nodes, by key or by range', async () => {
    const { a, b } = await pair()
    for (let round = 0; round < 20; round++) {
      const at = `on-call/${round}/`
      await a.run((unit) => {
        unit.put(`${at}a`, { on: true })
        unit.put(`${at}b`, { on: true })
      })
      const leave = (store: PostgresStore, who: string) =>
        store.run(async (unit) => {
          const on = (await unit.range<{ on: boolean }>(at)).filter(({ document }) => document.on)
          if (on.length > 1) unit.put(`${at}${who}`, { on: false })
        })
      await Promise.all([leave(a, 'a'), leave(b, 'b')])
      await a.sync()
      const left = (await a.reader.range<{ on: boolean }>(at)).filter(({ document }) => document.on)
      expect(left).toHaveLength(1)
    }
  })

  test('each writes chains of its own, and together they are one log without gaps for a client that pages through it', async () => {
    const { stores } = await nodes(['a', 'b', 'c'])
    const seen: string[] = []
    let position = 0
    let writing = true
    const reading = (async () => {
      while (writing || seen.length < 300) {
        const rows = await stores[0]!.evidence(position, 7)
        seen.push(...rows.map(({ id }) => id))
        position = rows.at(-1)?.position ?? position
      }
    })()
    const writes = stores.map(async (store, s) => {
      for (let n = 0; n < 100; n++) await store.run((unit) => unit.append(record(`${s}-${n}`)))
    })
    await Promise.all(writes)
    writing = false
    await reading

    expect(new Set(seen).size).toBe(300)
    const chains = new Map<string, { sequence: number; hash: Uint8Array }>()
    for (const row of await stores[1]!.evidence(0, 1_000)) {
      const before = chains.get(chainId(row))
      expect(row.sequence).toBe((before?.sequence ?? 0) + 1)
      expect(Buffer.from(row.hash)).toEqual(linkHash(before, row))
      chains.set(chainId(row), row)
    }
    expect([...chains.keys()].map((id) => id.split(' ')[2]).sort()).toEqual(['a', 'b', 'c'])
  })

  test('a process whose name is taken writes nothing more; its successor goes on with its chains', async () => {
    const { a, schema } = await pair()
    await a.run((unit) => unit.append(record('before')))
    const again = await openPostgres({ url: url(), schema, node: 'a' })
    opened.push(again)
    // To look is not to take: the first write takes the name.
    await again.reader.get('k')
    await a.run((unit) => unit.append(record('still')))
    await again.run((unit) => unit.append(record('taken')))

    await expect(a.run((unit) => unit.put('k', {}))).rejects.toThrow(/another process/)
    await expect(a.run((unit) => unit.put('k', {}))).rejects.toThrow(/start again/)
    await again.run((unit) => unit.append(record('after')))

    expect((await again.evidence(0, 10)).map(({ id, sequence }) => [id, sequence])).toEqual([
      ['before', 1],
      ['still', 2],
      ['taken', 3],
      ['after', 4],
    ])
    expect(await again.reader.get('k')).toBeUndefined()
  })

  test.each([
    ['a change', 'UPDATE state SET revision = revision - 1'],
    ['a record', 'UPDATE nodes SET batch = batch - 1'],
  ])('a database that has lost %s which it had acknowledged ends its node', async (_what, loss) => {
    const ended: Error[] = []
    const { stores, schema } = await nodes(['a'], { onEnd: (error) => void ended.push(error) })
    const [a] = stores
    await a!.run((unit) => unit.put('k', { n: 1 }))
    await a!.run((unit) => unit.append(record('last')))

    // As a standby that is promoted without the last batch: all connections are new, and the numbers are lower.
    await queried(schema, loss)
    await queried(
      schema,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'merlon' AND pid <> pg_backend_pid()`,
    )

    await expect(a!.run((unit) => unit.put('k', { n: 2 }))).rejects.toThrow(/lost acknowledged commits|start again/)
    await expect.poll(() => ended[0]?.message, { timeout: 20_000 }).toContain('lost acknowledged commits')
  })

  test('a process whose name is taken is asked to end, and does not stay behind to refuse every call', async () => {
    const ended: Error[] = []
    const { stores, schema } = await nodes(['a'], { onEnd: (error) => void ended.push(error) })
    // A node takes its name with its first write.
    await stores[0]!.run((unit) => unit.append(record('first')))
    const again = await openPostgres({ url: url(), schema, node: 'a' })
    opened.push(again)
    await again.run((unit) => unit.append(record('taken')))

    await expect(stores[0]!.run((unit) => unit.put('k', {}))).rejects.toThrow(/another process/)

    expect(ended.map(({ message }) => message)).toEqual([expect.stringContaining("another process writes as node 'a'")])
  })

  test('connections that the server ends cost no acknowledged write, and none is written twice', async () => {
    const { a, b, schema } = await pair()
    const acknowledged: number[] = []
    let working = true
    const work = async (store: PostgresStore, first: number) => {
      for (let n = first; working; n += 2) {
        await store.run((unit) => {
          unit.put(`k/${String(n).padStart(6, '0')}`, { n })
          unit.append(record(`r${n}`))
        })
        acknowledged.push(n)
      }
    }
    const workers = [work(a, 0), work(b, 1)]
    for (let round = 0; round < 15; round++) {
      await new Promise((resolve) => setTimeout(resolve, 60))
      await queried(
        schema,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'merlon' AND pid <> pg_backend_pid()",
      )
    }
    working = false
    await Promise.all(workers)

    const kept = await queried(schema, 'SELECT convert_from(key, $1) AS key FROM documents ORDER BY key', ['UTF8'])
    expect(kept.map(({ key }) => Number(key.slice(2)))).toEqual(acknowledged.sort((x, y) => x - y))
    const records = await queried(schema, 'SELECT id, count(*)::int AS n FROM log GROUP BY id HAVING count(*) > 1')
    expect(records).toEqual([])
    expect(await a.log({ account: ACCOUNT, limit: 100_000 })).toHaveLength(acknowledged.length)
  })

  test('without a database work is refused as unavailable; when it is back, work goes on, and nothing half done shows', async () => {
    const link = await Link.to(server.port)
    const through = `postgres://boss:boss-password@127.0.0.1:${link.port}/postgres`
    const { schema } = fresh()
    const store = await openPostgres({ url: through, schema, node: 'a' })
    const other = await openPostgres({ url: url(), schema, node: 'b' })
    opened.push(store, other)
    await store.run((unit) => unit.put('a', { n: 1 }))

    await link.set('refuse')
    await expect(store.sync()).rejects.toThrow(UnavailableError)
    await expect(store.run((unit) => unit.get('never-read'))).rejects.toThrow(UnavailableError)
    await expect(store.run((unit) => unit.put('a', { n: 2 }))).rejects.toThrow(UnavailableError)
    await other.run((unit) => unit.put('b', { n: 3 }))
    await link.set('pass')

    await expect.poll(() => store.sync().then(() => 'back', String), { timeout: 10_000 }).toBe('back')
    expect(await store.reader.get('a')).toEqual(await other.reader.get('a'))
    expect(await store.reader.get('b')).toEqual({ n: 3 })
    await store.run((unit) => unit.put('a', { n: 4 }))
    await other.sync()
    expect(await other.reader.get('a')).toEqual({ n: 4 })
    await link.close()
  })

  test('a whole store moves to SQLite and back, the same by its hash, but for what is withheld', async () => {
    const { stores } = await nodes(['a', 'b'], { withheld: ['secret/key'] })
    stores[0]!.authenticate({ epoch: 7, key: new Uint8Array(32).fill(7) })
    await stores[0]!.run((unit) => {
      unit.put('secret/key', { wrapped: 'never in a backup' })
      for (let n = 0; n < 2_500; n++) unit.put(key('k', `é\u{1F600}${n}`), { n, text: '"\\\n' })
    })
    await stores[0]!.run((unit) => unit.delete(key('k', 'é\u{1F600}7')))
    for (const store of stores) {
      for (let n = 0; n < 700; n++) await store.run((unit) => unit.append(record(`${store.node}-${n} "ü"`)))
    }
    const hashOf = async (image: StoreSnapshot) => {
      const hash = await contentHash(image)
      await image.close()
      return hash
    }
    const before = await hashOf(await stores[0]!.image())
    const folder = mkdtempSync(join(tmpdir(), 'merlon-move-'))
    const file = join(folder, 'moved.db')

    await stores[0]!.backup(file, async () => undefined)
    expect(readFileSync(file).includes('never in a backup')).toBe(false)
    expect(await hashOf(await sqliteImage(file))).toBe(before)
    await expect(stores[0]!.backup(file, async () => undefined)).rejects.toThrow(/EEXIST/)
    expect(await hashOf(await sqliteImage(file))).toBe(before)

    const there = { url: url(), schema: fresh().schema }
    await copyImage(await sqliteImage(file), await postgresLoader(there))
    const moved = await openPostgres({ ...there, node: 'a' })
    opened.push(moved)
    expect(await hashOf(await moved.image())).toBe(before)
    await moved.run((unit) => {
      unit.append(record('goes on'))
      unit.put('more', {})
    })
    expect((await moved.evidence(1_400, 10)).map(({ id, sequence }) => [id, sequence])).toEqual([['goes on', 701]])
    expect(moved.revision).toBe(stores[0]!.revision + 1)
    await expect(postgresLoader(there)).rejects.toThrow(/holds data already/)

    const sqlite = await openStore({ file })
    expect(await sqlite.reader.range(under('k'))).toHaveLength(2_499)
    const query = {
      account: ACCOUNT,
      region: 'us-east-1',
      attribute: ['EventName', 'CreateUser'] as const,
      limit: 5_000,
    }
    expect(await sqlite.log(query)).toHaveLength(1_400)
    await sqlite.close()
    rmSync(folder, { recursive: true })
  })

  test('attributes are indexed once, by whichever node', async () => {
    const { a, b, schema } = await pair()
    await a.run((unit) => {
      for (let n = 0; n < 300; n++) unit.append(record(`e${n}`))
    })
    const pool = new pg.Pool({ connectionString: url(), options: `-c search_path=${schema}`, types: intTypes })
    await Promise.all([indexPortion(pool), indexPortion(pool), indexPortion(pool)])
    // One list, for all are alike: two numbers for each.
    const lists = () => queried(schema, 'SELECT postings FROM log_postings')
    await expect.poll(async () => (await lists()).map(({ postings }) => postings.split(',').length)).toEqual([600])
    await pool.end()
    const query = {
      account: ACCOUNT,
      region: 'us-east-1',
      attribute: ['EventName', 'CreateUser'] as const,
      limit: 1_000,
    }
    expect(await b.log(query)).toHaveLength(300)
  })

  test('nodes of the build before posting lists and of this one search one log during an upgrade, and miss nothing', async () => {
    const { schema } = fresh()
    const place = { url: url(), schema }
    await migrate(place, steps.slice(0, 1))
    /** What a node of that build does in quiet moments: a row for each attribute, and its own counter. */
    const indexAsBefore = () =>
      queried(
        schema,
        `WITH indexed AS (
           INSERT INTO log_attributes
           SELECT account, region, pair ->> 0, pair ->> 1, time_ms, position
           FROM log, json_array_elements(attributes::json) AS pair
           WHERE position > (SELECT value FROM counters WHERE name = 'indexed'))
         UPDATE counters SET value = (SELECT max(position) FROM log) WHERE name = 'indexed'`,
      )
    /** And how it searches: what is indexed, and what is behind that. */
    const searchAsBefore = async () => {
      const rows = await queried(
        schema,
        `SELECT id FROM log_attributes JOIN log USING (position) WHERE name = 'EventName' AND value = 'CreateUser'
         UNION ALL
         SELECT id FROM log WHERE position > (SELECT value FROM counters WHERE name = 'indexed')
         AND strpos(attributes, '["EventName","CreateUser"]') > 0`,
      )
      return rows.map(({ id }) => id).sort()
    }
    const written: string[] = []
    const ten = () => {
      const ids = Array.from({ length: 10 }, (_, n) => `e${written.length + n}`)
      written.push(...ids)
      return ids.map(record)
    }
    // What is written is the same; only the newer build takes the step.
    const writer = new PostgresWriter(place, 'older')
    const older = async () => {
      const records = ten().map((each) => ({ ...each, attributes: attributesText(each.attributes) }))
      await writer.write({ after: 0, revision: 0, documents: [], records })
    }
    await older()
    await indexAsBefore()
    await older()

    const newer = await openPostgres({ ...place, node: 'newer' })
    opened.push(newer)
    const search = async () => {
      const query = { account: ACCOUNT, region: 'us-east-1', attribute: ['EventName', 'CreateUser'] as const }
      return (await newer.log({ ...query, limit: 1_000 })).map(({ id }) => id).sort()
    }
    const newers = () =>
      newer.run((unit) => {
        for (const each of ten()) unit.append(each)
      })
    for (const write of [newers, older, newers, older]) {
      await write()
      expect(await search()).toEqual(written.toSorted())
      expect(await searchAsBefore()).toEqual(written.toSorted())
      await indexAsBefore()
      expect(await search()).toEqual(written.toSorted())
      expect(await searchAsBefore()).toEqual(written.toSorted())
    }
    await expect
      .poll(async () => (await queried(schema, "SELECT value::int AS n FROM counters WHERE name = 'postings'"))[0].n)
      .toBe(60)
    expect(await search()).toEqual(written.toSorted())
    await writer.close()
  })

  test('deleted documents are swept up, and a node that has not read the deletion by then does not go on', async () => {
    const { a, schema } = await pair()
    const pool = new pg.Pool({ connectionString: url(), options: `-c search_path=${schema}`, types: intTypes })
    // The nodes sweep automatically when it is due, which it is not for an hour from now.
    await sweep(pool, 0)
    await a.run((unit) => unit.put('k', {}))
    await a.run((unit) => unit.delete('k'))
    const count = async () => (await queried(schema, 'SELECT count(*)::int AS n FROM documents'))[0].n
    await sweep(pool, 0)
    expect(await count()).toBe(1)
    await sweep(pool, 0)
    expect(await count()).toBe(0)
    await a.run((unit) => unit.put('l', {}))
    await sweep(pool, 3_600_000)
    expect((await queried(schema, "SELECT value::int AS n FROM counters WHERE name = 'swept'"))[0].n).toBe(2)
    await pool.end()

    const late = await openPostgres({ url: url(), schema, node: 'late' })
    opened.push(late)
    await queried(schema, "UPDATE counters SET value = 1000 WHERE name = 'swept'")
    await expect(late.sync()).rejects.toThrow(/away for so long/)
  })

  test('an older build works beside a newer one as long as steps only add, and not behind one that does not', async () => {
    const { a, schema } = await pair()
    const place = { url: url(), schema }
    const added = { sql: 'CREATE TABLE added (n integer)', additive: true }

    await migrate(place, [...steps, added])
    await a.run((unit) => unit.put('k', { n: 1 }))
    const older = await openPostgres({ ...place, node: 'older' })
    opened.push(older)
    expect(await older.reader.get('k')).toEqual({ n: 1 })

    const breaking = [...steps, added, { sql: 'SELECT 1', additive: false }]
    await Promise.all([migrate(place, breaking), migrate(place, breaking)])
    await expect(openPostgres({ ...place, node: 'other' })).rejects.toThrow(/written by a newer Merlon \(schema 4/)
  })
})

const intTypes = {
  getTypeParser: (oid: number, format?: 'text') => (oid === 20 ? Number : pg.types.getTypeParser(oid, format)),
} as pg.CustomTypesConfig
