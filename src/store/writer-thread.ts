/** The thread that owns the writing connection: commits first, then indexing and checkpoints while nothing waits. */
import { parentPort, workerData } from 'node:worker_threads'
import { BatchWriter, configure, type Moved } from './batch.ts'
import type { EpochKey } from './chain.ts'
import { openDatabase } from './engine.ts'
import { type PackedBatch, unpackBatch } from './packed-batch.ts'
import { reserveWal } from './wal.ts'

export type ToWriter =
  | { readonly kind: 'write'; readonly batch: PackedBatch }
  | { readonly kind: 'touch' }
  /** What was written without the thread. */
  | { readonly kind: 'follow'; readonly moved: Moved }
  | { readonly kind: 'authenticate'; readonly key: EpochKey }
  | { readonly kind: 'close' }
export type FromWriter =
  | { readonly kind: 'open' }
  | { readonly kind: 'written'; readonly moved: Moved }
  | { readonly kind: 'touched' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' }

const IDLE_MS = 50

const port = parentPort!
const say = (message: FromWriter) => port.postMessage(message)

const { file } = workerData as { file: string }
const database = await openDatabase(file)
configure(database)
const writer = new BatchWriter(database)
let idle: NodeJS.Timeout | undefined

port.on('message', (message: ToWriter) => {
  if (message.kind === 'authenticate') return writer.authenticate(message.key)
  clearTimeout(idle)
  if (message.kind === 'close') {
    maintain(true)
    database.close()
    say({ kind: 'closed' })
    port.close()
    return
  }
  if (message.kind === 'write') attempt(() => ({ kind: 'written', moved: writer.write(unpackBatch(message.batch)) }))
  else if (message.kind === 'touch') attempt(touched)
  else writer.follow(message.moved)
  maintain(false)
  idle = setTimeout(whenIdle, IDLE_MS)
})

function touched(): FromWriter {
  writer.touch()
  return { kind: 'touched' }
}

function attempt(work: () => FromWriter): void {
  try {
    say(work())
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

function whenIdle(): void {
  if (maintain(true)) idle = setTimeout(whenIdle, 0)
}

function maintain(idle: boolean): boolean {
  try {
    return writer.maintain(idle)
  } catch {
    // The next batch will meet the same error and report it to its callers.
    return false
  }
}

say({ kind: 'open' })
try {
  reserveWal(database, file)
} catch {
  // Commits wait a little longer for the disk: nothing worth a report.
}
