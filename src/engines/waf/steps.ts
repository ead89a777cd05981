/**
 * The budget of one evaluation, in steps. A step is about the work of looking at one character once; what a condition costs is counted
 * before it is done, from the lengths of texts and patterns, so that an evaluation ends at the same place on every machine.
 *
 * Web ACLs within their capacity stay far below the limit on bodies of 8 KB. Where it is reached the request cannot be evaluated, and must
 * not pass.
 *
 * @example
 * const steps = new Steps(1_000)
 * steps.spend(text.length) // throws StepLimitError beyond 1,000
 */

/** All managed groups take 3 million at most for a body of 8 KB; a million take 1 to 40 milliseconds. */
export const STEPS_MAX = 8_000_000

export class StepLimitError extends Error {
  override readonly name = 'StepLimitError'
}

export class Steps {
  readonly #limit: number
  #used = 0

  constructor(limit = STEPS_MAX) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  spend(count: number): void {
    this.#used += count
    if (this.#used > this.#limit)
      throw new StepLimitError(
        `The evaluation takes more than ${this.#limit} steps: its rules cost more than they may.`,
      )
  }
}

/** Steps a character, of conditions that read a text several times. Measured against LOWERCASE. */
export const STEPS_A_CHARACTER = {
  BYTE_MATCH: 1,
  SIZE: 0,
  SQL_INJECTION: 24,
  XSS: 16,
  /** Of an automaton; and so many more for each 1,000 instructions of its patterns. */
  REGEX: 2,
} as const
