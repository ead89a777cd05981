/** Who makes batches durable: a thread of its own, or, for memory and tests, the caller's thread. */
import { Worker } from 'node:worker_threads'
import type { Batch } from './backend.ts'
import { BatchWriter } from './batch.ts'
import type { EpochKey } from './chain.ts'
import type { Database } from './engine.ts'
import type { FromWriter, ToWriter } from './writer-thread.ts'

export interface Writer {
  /** Resolves once durable; rejects when nothing of the batch was written. One batch at a time. */
  write(batch: Batch): Promise<void>
  /** MACs of the records to come. */
  authenticate(key: EpochKey): void
  close(): Promise<void>
}

/** The writer is gone, and what became of its last batch is unknown: only a new start can tell. */
export class WriterLostError extends Error {
  override readonly name = 'WriterLostError'
}

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
    authenticate: (key) => writer.authenticate(key),
    // The connection is shared: whoever opened it closes it.
    close: async () => maintain(true),
  }
}

export async function threadWriter(file: string, script: URL): Promise<Writer> {
  const worker = new Worker(script, { workerData: { file } })
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined
  let lost: WriterLostError | undefined
  const lose = (cause: unknown) => {
    lost ??= new WriterLostError('the thread that writes the store has ended', { cause })
    waiting?.reject(lost)
  }
  worker.on('error', lose)
  worker.on('exit', lose)
  worker.on('message', (message: FromWriter) => {
    if (message.kind === 'failed') waiting?.reject(new Error(`the store could not write: ${message.message}`))
    else waiting?.resolve()
  })

  const answer = () =>
    new Promise<void>((resolve, reject) => {
      if (lost) reject(lost)
      else waiting = { resolve, reject }
    })
  const send = (message: ToWriter) => {
    const answered = answer()
    worker.postMessage(message)
    return answered
  }
  await answer()
  return {
    write: (batch) => send({ kind: 'write', batch }),
    authenticate: (key) => worker.postMessage({ kind: 'authenticate', key } satisfies ToWriter),
    close: async () => {
      if (!lost) await send({ kind: 'close' })
      await worker.terminate()
    },
  }
}
