/** One thread that compares and checks policies, with a short queue. Without the bundle the caller's thread does the work. */
import { Worker } from 'node:worker_threads'
import type { AnalysisPort, LintRequest, LintResult } from '../../kernel/ports/analyses.ts'
import { lintPolicy } from '../../kernel/resource/policy-lint.ts'
import { actionNames } from '../../kernel/resource/policy-reference.ts'
import { type Analysis, type AnalysisResult, analyze } from '../../policy/index.ts'
import type { FromAnalysisThread, ToAnalysisThread } from './analysis-thread.ts'

/** An analysis takes two seconds at most: more than this would wait longer than clients do. */
export const WAITING_MAX = 16
/** So that one account cannot keep the thread from all others. */
export const WAITING_PER_ACCOUNT_MAX = 4

interface Waiting {
  readonly account: string
  readonly resolve: (result: AnalysisResult | LintResult) => void
  readonly reject: (error: Error) => void
}

export interface Analyses extends AnalysisPort {
  close(): Promise<void>
}

export function analyses(script: URL | undefined): Analyses {
  return script ? new AnalysisThread(script) : inlineAnalyses
}

const inlineAnalyses: Analyses = {
  analyze: async (_account, analysis) => analyze(analysis, await actionNames()),
  lint: (_account, request) => lintPolicy(request),
  close: async () => undefined,
}

/** The thread starts with the first analysis, and keeps no process alive. */
export class AnalysisThread implements Analyses {
  readonly #script: URL
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0

  constructor(script: URL) {
    this.#script = script
  }

  analyze(account: string, analysis: Analysis): Promise<AnalysisResult | 'busy'> {
    return this.#send<AnalysisResult>(account, { analysis })
  }

  lint(account: string, request: LintRequest): Promise<LintResult | 'busy'> {
    return this.#send<LintResult>(account, { lint: request })
  }

  #send<R>(account: string, work: Omit<ToAnalysisThread, 'id'>): Promise<R | 'busy'> {
    const own = [...this.#waiting.values()].filter((each) => each.account === account).length
    if (this.#waiting.size >= WAITING_MAX || own >= WAITING_PER_ACCOUNT_MAX) return Promise.resolve('busy')
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { account, resolve: resolve as Waiting['resolve'], reject })
      worker.ref()
      worker.postMessage({ id, ...work } satisfies ToAnalysisThread)
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#script)
    const lose = () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#waiting.values()) reject(new Error('the thread that analyzes policies has ended'))
      this.#waiting.clear()
    }
    worker.on('error', lose)
    worker.on('exit', lose)
    worker.on('message', ({ id, result }: FromAnalysisThread) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
      if (result) waiting?.resolve(result)
      else waiting?.reject(new Error('the analysis of a policy failed'))
    })
    worker.unref()
    return worker
  }
}
