/**
 * How much work one analysis may do, in steps of its innermost loops: comparing policies is exponential in the worst
 * case, and a caller chooses the policies. Steps, not time, so that the same policies always get the same answer.
 */

export class BudgetError extends Error {
  constructor() {
    super('the policies are too complex to analyze')
    this.name = 'BudgetError'
  }
}

/** About a second on a machine of today. */
export const ANALYSIS_STEPS_MAX = 4_000_000

export class Budget {
  #left: number

  constructor(steps: number = ANALYSIS_STEPS_MAX) {
    this.#left = steps
  }

  /** Throws a `BudgetError` once everything is spent. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new BudgetError()
  }
}
