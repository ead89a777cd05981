/** The linter with this server's reference: on the thread of the caller, or on the thread for analyses. */
import { type AccountFacts, Budget, BudgetError, lint } from '../../policy/index.ts'
import type { LintRequest, LintResult, LookedUpFacts } from '../ports/analyses.ts'
import { absenceIn } from './absent-keys.ts'
import { policyReference } from './policy-reference.ts'

/** `stepsMax`: a smaller budget than the linter's own. Never throws for what a caller wrote. */
export async function lintPolicy(
  { policy, kind, resourceType, absent, facts }: LintRequest,
  stepsMax?: number,
): Promise<LintResult> {
  const reference = { ...(await policyReference()), absent: absenceIn(absent) }
  try {
    const options = {
      resourceType,
      facts: facts && accountFacts(facts),
      ...(stepsMax !== undefined && { budget: new Budget(stepsMax) }),
    }
    return { findings: lint(policy, kind, reference, options) }
  } catch (error) {
    if (error instanceof BudgetError) return { tooComplex: true }
    throw error
  }
}

const accountFacts = ({ account, existing, audiences }: LookedUpFacts): AccountFacts => ({
  account,
  exists: (arn) => existing.get(arn),
  audiences: (arn) => audiences.get(arn),
})
