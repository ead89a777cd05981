/**
 * Writers that make batches durable: a thread of its own, the caller's thread for memory and tests, or whichever is
 * quicker.
 */
import { Worker } from 'node:worker_threads'
import type { Batch } from './backend.ts'
import { BatchWriter, type Moved } from './batch.ts'
import { chainId, type EpochKey, type Head } from './chain.ts'
import { type Database, isBusy } from './engine.ts'
import { packBatch } from './packed-batch.ts'
import type { FromWriter, ToWriter } from './writer-thread.ts'

export interface Writer {
  /**
   * Resolves once durable; rejects when nothing of the batch was written. One batch at a time. `alone`: no other unit
   * waits for the caller's thread.
   */
  write(batch: Batch, alone: boolean): Promise<void>
  /** Writes next to nothing, durably; alternating with batches. */
  touch(): Promise<void>
  /** MACs of the records to come. */
  authenticate(key: EpochKey): void
  close(): Promise<void>
}

export interface ThreadWriter extends Omit<Writer, 'write'> {
  write(batch: Batch): Promise<Moved>
  /** Informs the thread, soon, of what was written without it. */
  follow(moved: Moved): void
  /** Set once the thread is gone: nothing may be written without it, since nothing would index or checkpoint. */
  readonly lost: WriterLostError | undefined
}

/** The writer is gone, and the outcome of its last batch is unknown: only a new start can determine it. */
export class WriterLostError extends Error {
  override readonly name = 'WriterLostError'
}

const couldNotWrite = (why: string): Error => new Error(`the store could not write: ${why}`)

/** What is written without the thread in quick succession is one message. */
const GATHER_MS = 20
/**
 * A disk that takes longer than this, again and again, is not written to on the caller's thread for a while; then it is
 * tried once.
 */
const QUICK_MS = 2
const SLOW_MAX = 8
const SLOW_WEIGHT_MAX = 4
const SLOW_FOR_MS = 10_000
/** More than this is work for a thread. */
const HERE_ROWS_MAX = 50

export function inlineWriter(database: Database): Writer {
  const writer = new BatchWriter(database)
  const maintain = (idle: boolean) => {
    try {
      writer.maintain(idle)
    } catch {
      // The batch is durable all the same; the next one will meet the same trouble and report it.
    }
  }
  return {
    write: async (batch) => {
      writer.write(batch)
      maintain(false)
    },
    touch: async () => writer.touch(),
    authenticate: (key) => writer.authenticate(key),
    // The connection is shared: the code that opened it closes it.
    close: async () => maintain(true),
  }
}

export async function threadWriter(file: string, script: URL): Promise<ThreadWriter> {
  const worker = new Worker(script, { workerData: { file } })
  let waiting: { resolve: (message: FromWriter) => void; reject: (error: Error) => void } | undefined
  let lost: WriterLostError | undefined
  const lose = (cause: unknown) => {
    lost ??= new WriterLostError('the thread that writes the store has ended', { cause })
    waiting?.reject(lost)
  }
  worker.on('error', lose)
  worker.on('exit', lose)
  worker.on('message', (message: FromWriter) => waiting?.resolve(message))

  const post = (message: ToWriter) => worker.postMessage(message)
  const answer = () =>
    new Promise<FromWriter>((resolve, reject) => {
      if (lost) reject(lost)
      else waiting = { resolve, reject }
    })
  const sendToThread = (message: ToWriter) => {
    const answered = answer()
    post(message)
    return answered
  }

  const heads = new Map<string, Head>()
  let [records, pages] = [0, 0]
  let timer: NodeJS.Timeout | undefined
  const inform = () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    post({ kind: 'follow', moved: { heads: [...heads.values()], records, pages } })
    heads.clear()
    records = pages = 0
  }

  await answer()
  return {
    get lost() {
      return lost
    },
    write: async (batch) => {
      inform()
      const message = await sendToThread({ kind: 'write', batch: packBatch(batch) })
      if (message.kind === 'written') return message.moved
      throw couldNotWrite(message.kind === 'failed' ? message.message : message.kind)
    },
    touch: async () => {
      const message = await sendToThread({ kind: 'touch' })
      if (message.kind === 'failed') throw couldNotWrite(message.message)
    },
    follow: (moved) => {
      for (const head of moved.heads) heads.set(chainId(head), head)
      records += moved.records
      pages += moved.pages
      timer ??= setTimeout(inform, GATHER_MS)
    },
    authenticate: (key) => post({ kind: 'authenticate', key }),
    close: async () => {
      inform()
      if (!lost) await sendToThread({ kind: 'close' })
      await worker.terminate()
    },
  }
}

/**
 * Where the disk is quick, the way to a thread and back takes as long as the disk: a single unit is written without it.
 */
export function quickerWriter(thread: ThreadWriter, database: Database): Writer {
  const here = new BatchWriter(database)
  // Only the thread waits for the file: readers never have to.
  database.exec('PRAGMA busy_timeout = 0')
  /** Slow writes by how slow they were, less the quick ones since. */
  let slow = 0
  let slowUntil = 0

  const writeHere = (batch: Batch): Moved | undefined => {
    const startedAt = performance.now()
    if (startedAt < slowUntil || batch.documents.length + batch.records.length > HERE_ROWS_MAX) return undefined
    try {
      return here.write(batch)
    } catch (error) {
      // The thread is using the file: it will handle this one next.
      if (isBusy(error)) return undefined
      throw couldNotWrite((error as Error).message)
    } finally {
      const endedAt = performance.now()
      const times = (endedAt - startedAt) / QUICK_MS
      slow = times > 1 ? slow + Math.min(times, SLOW_WEIGHT_MAX) : Math.max(slow - 1, 0)
      if (slow > SLOW_MAX) {
        slowUntil = endedAt + SLOW_FOR_MS
        slow = SLOW_MAX
      }
    }
  }
  return {
    write: async (batch, alone) => {
      if (thread.lost) throw thread.lost
      const moved = alone ? writeHere(batch) : undefined
      if (moved) thread.follow(moved)
      else here.follow(await thread.write(batch))
    },
    touch: async () => {
      if (thread.lost) throw thread.lost
      await thread.touch()
    },
    authenticate: (key) => {
      here.authenticate(key)
      thread.authenticate(key)
    },
    close: () => thread.close(),
  }
}
