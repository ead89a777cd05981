/**
 * Slow operations run here: on a few threads, or, where there is no bundle to start them from, on the caller's own
 * thread.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { VaultError } from '../vault.ts'
import type { FromThread, ToThread } from './key-thread.ts'
import type { Answer, Job } from './slow.ts'

export interface Pool {
  run<J extends Job>(job: J): Promise<Answer<J['job']>>
  close(): Promise<void>
}

export const inlinePool: Pool = {
  // Only here does the server's own thread load the libraries that the others work with.
  run: async (job) => (await import('./slow.ts')).compute(job) as Answer<(typeof job)['job']>,
  close: async () => undefined,
}

const THREADS_MAX = 4
/** More are refused: a caller behind so many would have timed out. */
const WAITING_MAX = 1_000

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
}

/** Threads start when they are first needed, and keep no process alive. */
export class ThreadPool implements Pool {
  readonly #script: URL
  readonly #max = Math.max(1, Math.min(THREADS_MAX, availableParallelism() - 1))
  readonly #threads: Thread[] = []
  #lastId = 0

  constructor(script: URL) {
    this.#script = script
  }

  run<J extends Job>(job: J): Promise<Answer<J['job']>> {
    const thread = this.#idlest()
    if (thread.waiting.size >= WAITING_MAX) return Promise.reject(new VaultError('too many key operations are waiting'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      thread.worker.ref()
      thread.worker.postMessage({ id, job } satisfies ToThread)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()))
  }

  #idlest(): Thread {
    const [first, ...others] = this.#threads
    if (!first) return this.#start()
    const idlest = others.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a), first)
    return idlest.waiting.size > 0 && this.#threads.length < this.#max ? this.#start() : idlest
  }

  #start(): Thread {
    const worker = new Worker(this.#script)
    const thread: Thread = { worker, waiting: new Map() }
    const lose = () => {
      const at = this.#threads.indexOf(thread)
      if (at >= 0) this.#threads.splice(at, 1)
      for (const { reject } of thread.waiting.values()) reject(new VaultError('a thread for key operations has ended'))
      thread.waiting.clear()
    }
    worker.on('error', lose)
    worker.on('exit', lose)
    worker.on('message', ({ id, answer, failed }: FromThread) => {
      const waiting = thread.waiting.get(id)
      thread.waiting.delete(id)
      if (thread.waiting.size === 0) worker.unref()
      if (failed) waiting?.reject(new VaultError('a key operation failed'))
      else waiting?.resolve(answer)
    })
    worker.unref()
    this.#threads.push(thread)
    return thread
  }
}
