/**
 * Writes a second to a store, printed as one line of JSON: `writes.mjs sqlite <folder> <dist> | postgres <url>
 * <module>`, then the way (`disk`, `bare`, `store`), how many write at once, with how many events each, and for how
 * long.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { configure } from '../../src/store/batch.ts'
import { openDatabase } from '../../src/store/engine.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { key, type Store } from '../../src/store/store.ts'

const [engine = '', at = '', help = '', way = '', lanesText = '1', eventsText = '0', secondsText = '1'] =
  process.argv.slice(2)
const LANES = Number(lanesText)
const EVENTS = Number(eventsText)
const MS = Number(secondsText) * 1000
const ROWS = 10_000
/** 470 bytes as JSON, another each time: SQLite does not write a row that is as it was. */
const document = () => ({ name: 'bench', text: String(n).padStart(445, 'x') })
const EVENT_BYTES = 1_200
const PAGE_BYTES = 4_096

let n = 0
/** Every row in turn, in no order that a tree would like. */
const nextKey = () => key('bench', 'row', String((n++ * 7_919) % ROWS))

async function rate(write: () => Promise<unknown> | unknown, lanes: number): Promise<number> {
  const startedAt = performance.now()
  let done = 0
  const lane = async () => {
    while (performance.now() - startedAt < MS) {
      await write()
      done++
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return done / ((performance.now() - startedAt) / 1000)
}

/** What the disk gives: one page overwritten and synced. */
async function disk(): Promise<number> {
  const descriptor = openSync(join(at, 'page'), 'w')
  const page = Buffer.alloc(PAGE_BYTES, 7)
  const found = await rate(() => {
    writeSync(descriptor, page, 0, PAGE_BYTES, 0)
    fdatasyncSync(descriptor)
  }, 1)
  closeSync(descriptor)
  return found
}

/** The engine without our store: one upsert a transaction, as durable as ours. */
async function bare(): Promise<number> {
  const database = await openDatabase(join(at, 'bare.db'))
  configure(database)
  database.exec('CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID')
  const upsert = database.prepare(
    'INSERT INTO documents VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document',
  )
  const put = () => upsert.run(nextKey(), JSON.stringify(document()))
  database.exec('BEGIN')
  for (let row = 0; row < ROWS; row++) put()
  database.exec('COMMIT')
  const found = await rate(put, 1)
  database.close()
  return found
}

async function open(): Promise<Store> {
  if (engine === 'sqlite') {
    const writerScript = new URL('writer-thread.js', pathToFileURL(`${help}/`))
    return openStore({ file: join(at, 'store.db'), writerScript })
  }
  const { openPostgres } = await import(help)
  return openPostgres({ url: at, node: 'bench' })
}

async function store(): Promise<number> {
  const opened = await open()
  await opened.run((unit) => {
    for (let row = 0; row < ROWS; row++) unit.put(nextKey(), document())
  })
  let sequence = 0
  const found = await rate(
    () =>
      opened.run((unit) => {
        unit.put(nextKey(), document())
        for (let event = 0; event < EVENTS; event++) {
          const id = `${process.pid}-${sequence++}`
          const attributes = [
            ['EventId', id] as const,
            ['EventName', 'Encrypt'] as const,
            ['ReadOnly', 'true'] as const,
          ]
          const body = 'x'.repeat(EVENT_BYTES)
          unit.append({ id, account: '111122223333', region: 'us-east-1', timeMs: Date.now(), attributes, body })
        }
      }),
    LANES,
  )
  await opened.close()
  return found
}

const ways: Readonly<Record<string, () => Promise<number>>> = { disk, bare, store }
console.log(JSON.stringify({ rate: await ways[way]!() }))
