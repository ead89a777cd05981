/** A thread for slow private operations. It keeps nothing: every job brings its key and takes it along. */
import { parentPort } from 'node:worker_threads'
import { compute, type Job } from './slow.ts'

export interface ToThread {
  readonly id: number
  readonly job: Job
}
export interface FromThread {
  readonly id: number
  readonly answer?: unknown
  /** The job could not be done; what it threw stays on this side, for it may speak of keys. */
  readonly failed?: true
}

const port = parentPort!

port.on('message', ({ id, job }: ToThread) => {
  let message: FromThread
  try {
    message = { id, answer: compute(job) }
  } catch {
    message = { id, failed: true }
  }
  // Bytes move to the other side: a clone would leave them behind here, and once more on the way.
  if (!(message.answer instanceof Uint8Array)) return port.postMessage(message)
  const answer = new Uint8Array(new ArrayBuffer(message.answer.length))
  answer.set(message.answer)
  message.answer.fill(0)
  port.postMessage({ id, answer } satisfies FromThread, [answer.buffer])
})
