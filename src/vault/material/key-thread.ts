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
  let told: FromThread
  try {
    told = { id, answer: compute(job) }
  } catch {
    told = { id, failed: true }
  }
  // Bytes move to the other side: a clone would leave them behind here, and once more on the way.
  if (!(told.answer instanceof Uint8Array)) return port.postMessage(told)
  const answer = new Uint8Array(new ArrayBuffer(told.answer.length))
  answer.set(told.answer)
  told.answer.fill(0)
  port.postMessage({ id, answer } satisfies FromThread, [answer.buffer])
})
