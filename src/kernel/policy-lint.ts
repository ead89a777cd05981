/** The linter with this server's reference: on the thread of the caller, or on the thread for analyses. */
import { Budget, BudgetError, lint } from '../policy/index.ts'
import type { LintRequest, LintResult } from './analysis.ts'
import { absenceIn } from './condition-keys.ts'
import { policyReference } from './policy-reference.ts'

/** `stepsMax`: a smaller budget than the linter's own. Never throws for what a caller wrote. */
export async function lintPolicy(
  { policy, kind, resourceType, absent }: LintRequest,
  stepsMax?: number,
): Promise<LintResult> {
  const reference = { ...(await policyReference()), absent: absenceIn(absent) }
  try {
    const options = { resourceType, ...(stepsMax !== undefined && { budget: new Budget(stepsMax) }) }
    return { findings: lint(policy, kind, reference, options) }
  } catch (error) {
    if (error instanceof BudgetError) return { tooComplex: true }
    throw error
  }
}
