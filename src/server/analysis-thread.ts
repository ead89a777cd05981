/** The thread on which policies are compared. It keeps nothing but the list of actions. */
import { parentPort } from 'node:worker_threads'
import { actionNames } from '../kernel/policy-reference.ts'
import { type Analysis, type AnalysisResult, analyze } from '../policy/index.ts'

export interface ToAnalysisThread {
  readonly id: number
  readonly analysis: Analysis
}
export interface FromAnalysisThread {
  readonly id: number
  /** Undefined: the analysis failed for a reason of ours. */
  readonly result: AnalysisResult | undefined
}

const port = parentPort!

port.on('message', async ({ id, analysis }: ToAnalysisThread) => {
  const result = await actionNames().then(
    (known) => analyze(analysis, known),
    () => undefined,
  )
  port.postMessage({ id, result } satisfies FromAnalysisThread)
})
