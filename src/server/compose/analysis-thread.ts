/** The thread on which policies are compared and checked. It keeps nothing but the reference tables. */
import { parentPort } from 'node:worker_threads'
import type { LintRequest, LintResult } from '../../kernel/ports/analyses.ts'
import { lintPolicy } from '../../kernel/resource/policy-lint.ts'
import { actionNames } from '../../kernel/resource/policy-reference.ts'
import { type Analysis, type AnalysisResult, analyze } from '../../policy/index.ts'

export interface ToAnalysisThread {
  readonly id: number
  /** One of the two. */
  readonly analysis?: Analysis
  readonly lint?: LintRequest
}
export interface FromAnalysisThread {
  readonly id: number
  /** Undefined: the analysis failed for a reason of ours. */
  readonly result: AnalysisResult | LintResult | undefined
}

const port = parentPort!

port.on('message', async ({ id, analysis, lint }: ToAnalysisThread) => {
  const work = analysis ? actionNames().then((known) => analyze(analysis, known)) : lintPolicy(lint!)
  const result = await work.catch(() => undefined)
  port.postMessage({ id, result } satisfies FromAnalysisThread)
})
