/** Images of SQLite files, and files made from images. */
import { rmSync } from 'node:fs'
import type { StoredDocument } from './backend.ts'
import { configure, readHeads } from './batch.ts'
import { type Database, openDatabase } from './engine.ts'
import type { Loader, StoreSnapshot } from './image.ts'
import { readEvidence } from './log.ts'
import { migrate } from './schema.ts'
import { sqliteLog } from './sqlite-log.ts'

/** As it is now, whatever is written meanwhile. */
export async function sqliteImage(file: string): Promise<StoreSnapshot> {
  const database = await openDatabase(file)
  database.exec('BEGIN')
  const { value } = database.prepare("SELECT value FROM counters WHERE name = 'revision'").get()!
  const page = database.prepare('SELECT key, document AS json FROM documents WHERE key > ? ORDER BY key LIMIT ?')
  const log = sqliteLog(database)
  return {
    revision: Number(value),
    documents: async (after, limit) => page.all(after ?? '', limit) as unknown as readonly StoredDocument[],
    records: (after, limit) => readEvidence(log, after, limit),
    heads: async () => readHeads(database),
    close: async () => database.close(),
  }
}

/** Into a file that must not exist. */
export async function sqliteLoader(file: string): Promise<Loader> {
  const database = await openDatabase(file, 'new')
  const abandon = async () => {
    database.close()
    for (const each of [file, `${file}-wal`, `${file}-shm`]) rmSync(each, { force: true })
  }
  try {
    configure(database)
    migrate(database)
    database.exec('BEGIN IMMEDIATE')
    return { ...loaderOf(database), abandon }
  } catch (error) {
    await abandon()
    throw error
  }
}

function loaderOf(database: Database): Omit<Loader, 'abandon'> {
  const put = database.prepare('INSERT INTO documents VALUES (?, ?)')
  const append = database.prepare(
    'INSERT INTO log (position, id, account, region, time_ms, attributes, body, node, sequence, hash, epoch, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const head = database.prepare('INSERT INTO chains VALUES (?, ?, ?, ?, ?, ?, ?)')
  return {
    documents: async (rows) => {
      for (const { key, json } of rows) put.run(key, json)
    },
    records: async (rows) => {
      for (const r of rows) {
        append.run(
          ...[r.position, r.id, r.account, r.region, r.timeMs, r.attributes],
          ...[r.body, r.node, r.sequence, r.hash, r.epoch, r.mac],
        )
      }
    },
    finish: async ({ revision, heads }) => {
      for (const h of heads) head.run(h.account, h.region, h.node, h.sequence, h.hash, h.epoch, h.mac)
      database.prepare("UPDATE counters SET value = ? WHERE name = 'revision'").run(revision)
      database.exec('COMMIT')
      // One file, not one and its log.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
    },
  }
}
