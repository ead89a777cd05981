/**
 * Space for the write-ahead log. A sync of a file that has grown also writes where its new blocks are, which doubles
 * what a commit waits for the disk; blocks that are there already are only overwritten.
 */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Database } from './engine.ts'

/** What brisk writing takes until the next checkpoint. */
const ROOM_BYTES = 32 * 1024 * 1024
/** What is left of a log that a long reader, or a burst, has let grow. */
const BYTES_MAX = 64 * 1024 * 1024
const PORTION_BYTES = 1024 * 1024

/** Checkpoints are ours to time, so that no commit waits for one; the log's file stays when its content has moved on. */
export function configureWal(database: Database): void {
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${BYTES_MAX}`)
}

/** Fills the log's file up with zeros, which recovery takes for its end. A disk without space stays as it was. */
export function reserveWal(database: Database, file: string): void {
  // No other process may write beyond the end of the file meanwhile.
  database.exec('BEGIN IMMEDIATE')
  try {
    fill(`${file}-wal`)
  } finally {
    database.exec('ROLLBACK')
  }
}

function fill(wal: string): void {
  const descriptor = openSync(wal, 'r+')
  const before = fstatSync(descriptor).size
  try {
    const zeros = Buffer.alloc(PORTION_BYTES)
    for (let at = before; at < ROOM_BYTES; at += PORTION_BYTES) writeSync(descriptor, zeros, 0, PORTION_BYTES, at)
    fdatasyncSync(descriptor)
  } catch {
    ftruncateSync(descriptor, before)
  } finally {
    closeSync(descriptor)
  }
}
