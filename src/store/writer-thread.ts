/** The thread that owns the writing connection: commits first, then indexing and checkpoints while nothing waits. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch } from './backend.ts'
import { BatchWriter } from './batch.ts'
import type { EpochKey } from './chain.ts'

export type ToWriter =
  | { readonly kind: 'write'; readonly batch: Batch }
  | { readonly kind: 'authenticate'; readonly key: EpochKey }
  | { readonly kind: 'close' }
export type FromWriter =
  | { readonly kind: 'open' }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' }

const IDLE_MS = 50

const port = parentPort!
const say = (message: FromWriter) => port.postMessage(message)

const writer = await BatchWriter.open((workerData as { file: string }).file)
let idle: NodeJS.Timeout | undefined

port.on('message', (message: ToWriter) => {
  if (message.kind === 'authenticate') return writer.authenticate(message.key)
  clearTimeout(idle)
  if (message.kind === 'close') {
    maintain(true)
    writer.close()
    say({ kind: 'closed' })
    port.close()
    return
  }
  try {
    writer.write(message.batch)
    say({ kind: 'written' })
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
  maintain(false)
  idle = setTimeout(whenIdle, IDLE_MS)
})

function whenIdle(): void {
  if (maintain(true)) idle = setTimeout(whenIdle, 0)
}

function maintain(idle: boolean): boolean {
  try {
    return writer.maintain(idle)
  } catch {
    // The next batch will meet the same trouble and report it to whoever waits.
    return false
  }
}

say({ kind: 'open' })
