/** Analyses of policies that take too long for the thread that answers requests. */
import type { Analysis, AnalysisResult } from '../policy/index.ts'

/** Provided by the server. */
export interface AnalysisPort {
  /** `account`: the caller's, which may have only a few analyses waiting. 'busy': too many are. */
  analyze(account: string, analysis: Analysis): Promise<AnalysisResult | 'busy'>
}
