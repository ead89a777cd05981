/** The thread that owns the writing connection: commits first, then indexing and checkpoints while nothing waits. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Batch, BatchWriter } from './batch.ts'

export type ToWriter = { readonly kind: 'write'; readonly batch: Batch } | { readonly kind: 'close' }
export type FromWriter =
  | { readonly kind: 'open' }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' }

const IDLE_MS = 50
const CHECKPOINT_MS = 1_000

const port = parentPort!
const say = (message: FromWriter) => port.postMessage(message)

const writer = await BatchWriter.open((workerData as { file: string }).file)
let idle: NodeJS.Timeout | undefined
let checkpointedAt = Date.now()

port.on('message', (message: ToWriter) => {
  clearTimeout(idle)
  if (message.kind === 'close') {
    while (writer.index());
    writer.checkpoint()
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
  if (Date.now() - checkpointedAt > CHECKPOINT_MS) maintain()
  else idle = setTimeout(maintain, IDLE_MS)
})

function maintain(): void {
  try {
    const more = writer.index()
    writer.checkpoint()
    checkpointedAt = Date.now()
    if (more) idle = setTimeout(maintain, 0)
  } catch {
    // The next batch will meet the same trouble and report it to whoever waits.
  }
}

say({ kind: 'open' })
