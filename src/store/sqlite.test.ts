/** SQLite passes the contract in memory, in a file and with a writer thread, and keeps its word when the disk does not. */
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configure } from './batch.ts'
import { bundled } from './bundle.fixture.ts'
import { linkHash, linkMac } from './chain.ts'
import { storeContract } from './contract.ts'
import { openDatabase } from './engine.ts'
import { migrate } from './schema.ts'
import { openStore, SqliteStore } from './sqlite.ts'
import type { LogRecord } from './store.ts'
import { inlineWriter, quickerWriter, threadWriter, WriterLostError } from './writers.ts'

const directory = mkdtempSync(join(tmpdir(), 'merlon-store-'))
let files = 0
const newFile = () => join(directory, `${files++}.db`)

let writerScript: URL
beforeAll(async () => {
  writerScript = await bundled(new URL('./writer-thread.ts', import.meta.url), 'writer-thread')
})
afterAll(() => {
  rmSync(directory, { recursive: true })
  rmSync(fileURLToPath(writerScript))
})

const record = (id: string): LogRecord => ({
  id,
  account: '111122223333',
  region: 'us-east-1',
  timeMs: 1,
  attributes: [['EventName', 'CreateUser']],
  body: '{}',
})

storeContract('SQLite in memory', () => openStore({ file: ':memory:' }))
storeContract('SQLite in a file', () => openStore({ file: newFile() }))
storeContract('SQLite in a file, caching nothing', () => openStore({ file: newFile(), documentsCachedMax: 0 }))
storeContract('SQLite in a file, with a writer thread', () => openStore({ file: newFile(), writerScript }))

test('documents, log and revision are there after closing and opening', async () => {
  const file = newFile()
  const store = await openStore({ file })
  await store.run((unit) => {
    unit.put('a', { n: 1 })
    unit.append(record('e1'))
  })
  const { revision } = store
  await store.close()

  const again = await openStore({ file })

  expect(await again.reader.get('a')).toEqual({ n: 1 })
  expect(await again.log({ account: '111122223333', limit: 9 })).toMatchObject([{ id: 'e1' }])
  const heard: number[] = []
  again.subscribe((commit) => heard.push(commit.revision))
  await again.run((unit) => unit.put('a', { n: 2 }))
  expect(heard[0]).toBeGreaterThan(revision)
  await again.close()
})

test('a second store on the same data is refused, and welcome once the first has closed', async () => {
  const file = newFile()
  const first = await openStore({ file })

  await expect(openStore({ file })).rejects.toThrow(/Another Merlon is using this data/)

  await first.close()
  await (await openStore({ file })).close()
})

test('data of a newer schema is refused, and left as it was', async () => {
  const file = newFile()
  await (await openStore({ file })).close()
  const database = await openDatabase(file)
  database.exec('PRAGMA user_version = 99')
  database.close()

  await expect(openStore({ file })).rejects.toThrow(/written by a newer Merlon \(schema 99/)
  await expect(openStore({ file })).rejects.toThrow(/written by a newer Merlon/)
})

test('events of a schema before Regions were indexed are found after it as before it', async () => {
  const file = newFile()
  const store = await openStore({ file })
  const event = { account: '111122223333', region: 'us-east-1', timeMs: 5, body: '{}' }
  const attributes = [['EventName', 'CreateUser']] as const
  await store.run((unit) => unit.append({ ...event, id: 'old', attributes }))
  await store.close()
  const database = await openDatabase(file)
  database.exec(`DROP TABLE log_attributes; CREATE TABLE log_attributes (
    account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, time_ms INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (account, name, value, time_ms, position)) WITHOUT ROWID, STRICT;
    DROP TABLE log_postings; DELETE FROM counters WHERE name LIKE 'postings%'; PRAGMA user_version = 2;`)
  database.close()

  const opened = await openStore({ file })
  const query = { account: '111122223333', region: 'us-east-1', limit: 10 }
  for (const attribute of [
    ['EventName', 'CreateUser'],
    ['EventCategory', 'Management'],
  ] as const)
    expect((await opened.log({ ...query, attribute })).map(({ id }) => id)).toEqual(['old'])
  expect(await opened.log({ ...query, region: 'eu-west-1', attribute: ['EventName', 'CreateUser'] })).toEqual([])
  await opened.close()
})

test('a log that an earlier schema has indexed in part is searched as one, and indexed from there on', async () => {
  const file = newFile()
  const store = await openStore({ file })
  const event = (n: number): LogRecord => {
    const id = `${(0x18b_0000_0000 + n).toString(16).padStart(12, '0').replace(/.{8}/, '$&-')}-7000-8000-000000000000`
    return {
      ...record(id),
      timeMs: 0x18b_0000_0000 + n,
      attributes: [
        ['EventId', id],
        ['Even', String(n % 2 === 0)],
      ],
    }
  }
  const [indexed, unindexed, later] = [0, 1, 2].map((of) => Array.from({ length: 20 }, (_, n) => event(of * 20 + n)))
  await store.run((unit) => {
    for (const each of [...indexed!, ...unindexed!]) unit.append(each)
  })
  await store.close()
  const database = await openDatabase(file)
  // As schema 3 left it: the attributes of the first twenty are indexed, each in a row.
  database.exec(`
    DROP TABLE log_postings; DELETE FROM counters WHERE name LIKE 'postings%'; PRAGMA user_version = 3;
    INSERT INTO log_attributes
      SELECT account, region, json_extract(pair.value, '$[0]'), json_extract(pair.value, '$[1]'), time_ms, position
      FROM log, json_each(log.attributes) AS pair WHERE position <= 20;
    UPDATE counters SET value = 20 WHERE name = 'indexed';`)
  database.close()

  const opened = await openStore({ file })
  const all = [...indexed!, ...unindexed!, ...later!].reverse()
  const pages = async (attribute: readonly [string, string], limit: number) => {
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const query = { account: '111122223333', region: 'us-east-1', attribute, limit, after }
      const page = await opened.log(query)
      found.push(...page.map(({ id }) => id))
      if (page.length < limit) return found
      after = page.at(-1)!.position
    }
  }
  const matches = async (records: readonly LogRecord[]) => {
    for (const value of ['true', 'false']) {
      const expected = records.filter(({ attributes }) => attributes[1]![1] === value).map(({ id }) => id)
      expect(await pages(['Even', value], 7)).toEqual(expected)
    }
    for (const { id } of records) expect(await pages(['EventId', id], 2)).toEqual([id])
  }
  await matches(all.slice(20))
  await opened.run((unit) => {
    for (const each of later!) unit.append(each)
  })
  await matches(all)
  // Closing indexes what is left.
  await opened.close()
  const again = await openDatabase(file)
  const [counts] = again
    .prepare('SELECT count(*) AS n, (SELECT count(*) FROM log_attributes) AS old FROM log_postings')
    .all()
  expect(counts).toEqual({ n: 2, old: 40 })
  again.close()
})

test('only the owner can read the data, its write-ahead log or its backup', async () => {
  const file = newFile()
  const store = await openStore({ file })
  await store.run((unit) => unit.put('a', {}))
  const copy = newFile()
  await store.backup(copy, async () => undefined)

  for (const path of [file, `${file}-wal`, copy]) expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600])
  await store.close()
})

test('a backup taken while work goes on holds a prefix of it: whole commits, none skipped', async () => {
  const store = await openStore({ file: newFile(), writerScript })
  let working = true
  const work = async () => {
    for (let n = 0; working; n++) {
      await store.run((unit) => {
        unit.put('a', { n })
        unit.put('b', { n })
      })
    }
  }
  const worked = work()
  const copy = newFile()
  await store.run((unit) => unit.put('before', {}))

  await store.backup(copy, async () => undefined)

  working = false
  await worked
  await store.close()
  const restored = await openStore({ file: copy })
  expect(await restored.reader.get('before')).toEqual({})
  expect(await restored.reader.get('a')).toEqual(await restored.reader.get('b'))
  await restored.close()
})

test('a backup never overwrites a file', async () => {
  const store = await openStore({ file: newFile() })
  const copy = newFile()
  writeFileSync(copy, 'precious')

  await expect(store.backup(copy, async () => undefined)).rejects.toThrow(/EEXIST/)

  expect(statSync(copy).size).toBe(8)
  await store.close()
})

describe('when the disk is full', () => {
  /** A store on a database whose disk ends where `fill` is called: SQLite's own limit of pages. */
  async function smallDisk() {
    const file = newFile()
    const database = await openDatabase(file)
    configure(database)
    migrate(database)
    return {
      store: new SqliteStore({ file }, database, inlineWriter(database), undefined),
      fill: () => database.exec('PRAGMA max_page_count = 1'),
      free: () => database.exec('PRAGMA max_page_count = 1000000'),
    }
  }
  const large = { text: 'x'.repeat(100_000) }

  test('everything that waited is refused and undone, and once there is room work goes on', async () => {
    const { store, fill, free } = await smallDisk()
    await store.run((unit) => unit.put('a', { n: 1 }))
    fill()

    const outcomes = await Promise.allSettled([
      store.run((unit) => {
        unit.put('a', large)
        unit.append(record('lost'))
      }),
      store.run((unit) => unit.put('b', large)),
    ])

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(String((outcomes[0] as PromiseRejectedResult).reason)).toMatch(/full/)
    expect(await store.reader.get('a')).toEqual({ n: 1 })
    expect(await store.reader.range('b')).toEqual([])
    free()
    await store.run((unit) => unit.put('b', { n: 2 }))
    expect(await store.reader.get('b')).toEqual({ n: 2 })
    expect(await store.log({ account: '111122223333', limit: 9 })).toEqual([])
    await store.close()
  })

  test('a unit that only read what was never written down is not answered', async () => {
    const { store, fill } = await smallDisk()
    fill()

    const writing = store.run((unit) => unit.put('a', large))
    // A turn of the microtask queue: the write is accepted, and not on the disk.
    const told = Promise.resolve().then(() => store.run((unit) => unit.get('a')))

    await expect(writing).rejects.toThrow(/full/)
    await expect(told).rejects.toThrow(/full/)
    await store.close()
  })

  test('a unit that has read what was then undone runs again, on what the disk holds', async () => {
    const { store, fill, free } = await smallDisk()
    await store.run((unit) => unit.put('a', { n: 1 }))
    fill()
    const writing = store.run((unit) => unit.put('a', large))
    writing.catch(() => undefined)
    await Promise.resolve()
    const read: (object | undefined)[] = []

    await store.run(async (unit) => {
      const a = (await unit.get('a'))!
      read.push(a)
      await writing.catch(free)
      unit.put('copy', a)
    })

    expect(read).toEqual([large, { n: 1 }])
    expect(await store.reader.get('copy')).toEqual({ n: 1 })
    await store.close()
  })

  test('what was accepted and then undone is shown to no cache, before or after', async () => {
    const { store, fill } = await smallDisk()
    await store.run((unit) => unit.put('a', { n: 1 }))
    fill()

    const writing = store.run((unit) => {
      unit.put('a', large)
      unit.put('b', large)
    })
    await Promise.resolve()
    expect(await store.reader.get('a')).toEqual({ n: 1 })
    expect(await store.reader.range('')).toEqual([{ key: 'a', document: { n: 1 } }])
    await expect(writing).rejects.toThrow(/full/)

    expect(await store.reader.get('a')).toEqual({ n: 1 })
    expect(await store.reader.get('b')).toBeUndefined()
    await store.close()
  })
})

describe('with a writer thread', () => {
  test('single and concurrent units write into the same chain, and what each wrote is found', async () => {
    const file = newFile()
    const store = await openStore({ file, writerScript })
    store.authenticate({ epoch: 1, key: Buffer.alloc(32, 7) })
    const write = (id: string) =>
      store.run((unit) => {
        unit.put(`k/${id}`, { id })
        unit.append(record(id))
      })
    const ids: string[] = []
    for (let round = 0; round < 30; round++) {
      const together = [`${round}-a`, `${round}-b`, `${round}-c`]
      await write(`${round}-alone`)
      await Promise.all(together.map(write))
      ids.push(`${round}-alone`, ...together)
    }
    await store.close()

    const again = await openStore({ file, writerScript })
    const rows = await again.evidence(0, 1_000)
    expect(rows.map(({ id }) => id)).toEqual(ids)
    rows.forEach((row, n) => {
      expect(row.sequence).toBe(n + 1)
      expect(Buffer.from(row.hash)).toEqual(Buffer.from(linkHash(rows[n - 1], row)))
      expect(row.mac && Buffer.from(row.mac)).toEqual(linkMac(Buffer.alloc(32, 7), row.hash))
    })
    expect(await again.reader.range('k/')).toHaveLength(ids.length)
    const [name, value] = ['EventName', 'CreateUser']
    const query = { account: '111122223333', region: 'us-east-1', attribute: [name, value], limit: 1_000 } as const
    expect(await again.log(query)).toHaveLength(ids.length)
    await again.close()
  })

  test('a single unit waits only for the file: held by another connection, the thread writes when it is released', async () => {
    const file = newFile()
    const store = await openStore({ file, writerScript })
    const other = await openDatabase(file)
    configure(other)
    other.exec('BEGIN IMMEDIATE')

    const written = store.run((unit) => unit.put('a', { n: 1 }))
    let done = false
    written.finally(() => (done = true))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(done).toBe(false)
    other.exec('COMMIT')
    await written

    expect(await store.reader.get('a')).toEqual({ n: 1 })
    other.close()
    await store.close()
  })

  test('the log of what is yet to be moved into the file keeps its room, and what is in it survives', async () => {
    const file = newFile()
    const store = await openStore({ file, writerScript })
    await expect.poll(() => statSync(`${file}-wal`).size).toBeGreaterThanOrEqual(32 * 1024 * 1024)
    for (let n = 0; n < 100; n++) await store.run((unit) => unit.put(`k/${n}`, { n }))
    const copies = ['', '-wal'].map((suffix) => [file + suffix, `${file}.copy${suffix}`] as const)
    for (const [from, to] of copies) copyFileSync(from, to)
    await store.close()

    const copy = await openStore({ file: `${file}.copy` })
    expect(await copy.reader.range('k/')).toHaveLength(100)
    await copy.close()
  })
})

/** A store whose thread ends at the first message, and the errors its process received. */
async function storeOfDyingThread() {
  const ended: Error[] = []
  const file = newFile()
  const script = new URL(
    `data:text/javascript,import{parentPort as p}from'node:worker_threads';p.on('message',()=>process.exit(1));p.postMessage({kind:'open'})`,
  )
  const database = await openDatabase(file)
  configure(database)
  migrate(database)
  const writer = quickerWriter(await threadWriter(file, script), database)
  const options = { file, onEnd: (error: Error) => void ended.push(error) }
  return { store: new SqliteStore(options, database, writer, undefined), ended }
}

test('when the writer thread dies, what waits is refused, and so is all later work; the process is asked to end', async () => {
  const { store, ended } = await storeOfDyingThread()

  const both = ['a', 'b'].map((key) => store.run((unit) => unit.put(key, {})))
  for (const one of both) await expect(one).rejects.toThrow(WriterLostError)
  await expect(store.run((unit) => unit.put('a', {}))).rejects.toThrow(/start again/)
  expect(ended).toEqual([expect.any(WriterLostError)])
  await store.close()
})

test('when the writer thread dies, no unit goes on without it, though nothing else is in progress', async () => {
  const { store, ended } = await storeOfDyingThread()

  await store.run((unit) => unit.put('a', {}))
  await expect
    .poll(() => store.run((unit) => unit.put('b', {})).catch((error) => error))
    .toBeInstanceOf(WriterLostError)
  expect(ended).toEqual([expect.any(WriterLostError)])
  await store.close()
})
