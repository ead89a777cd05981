/** Who makes batches durable: a thread of its own, or, for memory and tests, the caller's thread. */
import { Worker } from 'node:worker_threads'
import { type Batch, BatchWriter } from './batch.ts'
import type { Database } from './engine.ts'
import type { FromWriter, ToWriter } from './writer-thread.ts'

export interface Writer {
  /** Resolves once durable. One batch at a time. */
  write(batch: Batch): Promise<void>
  close(): Promise<void>
}

export function inlineWriter(database: Database): Writer {
  const writer = new BatchWriter(database)
  return {
    write: async (batch) => {
      writer.write(batch)
      while (writer.index());
    },
    // The connection is shared: whoever opened it closes it.
    close: async () => undefined,
  }
}

export async function threadWriter(file: string, script: URL): Promise<Writer> {
  const worker = new Worker(script, { workerData: { file } })
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined
  const next = () =>
    new Promise<void>((resolve, reject) => {
      settle = { resolve, reject }
    })
  worker.on('message', (message: FromWriter) => {
    if (message.kind === 'failed') settle?.reject(new Error(`the store could not write: ${message.message}`))
    else settle?.resolve()
  })
  worker.on('error', (error) => settle?.reject(error))

  const opened = next()
  const send = (message: ToWriter) => {
    const answered = next()
    worker.postMessage(message)
    return answered
  }
  await opened
  return {
    write: (batch) => send({ kind: 'write', batch }),
    close: async () => {
      await send({ kind: 'close' })
      await worker.terminate()
    },
  }
}
