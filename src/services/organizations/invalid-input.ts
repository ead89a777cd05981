/**
 * Organizations answers broken constraints by InvalidInputException with a reason.
 * Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html#API_CreatePolicy_Errors
 */
import type { Rule, Violation } from '../../wire/constraints.ts'
import type { Fault } from '../../wire/fault.ts'
import { invalidInput as fault } from './resources.ts'

const ANSWERS = {
  required: ['INPUT_REQUIRED', 'You must include a value for all required parameters.'],
  pattern: ['INVALID_PATTERN', 'You provided a value that does not match the required pattern.'],
  key: ['INVALID_PATTERN', 'You provided a value that does not match the required pattern.'],
  enum: ['INVALID_ENUM', 'You specified an invalid value.'],
  integer: ['INVALID_ENUM', 'You specified an invalid value.'],
  shortest: ['MIN_LENGTH_EXCEEDED', 'You provided a string parameter that is shorter than allowed.'],
  longest: ['MAX_LENGTH_EXCEEDED', 'You provided a string parameter that is longer than allowed.'],
  smallest: ['MIN_VALUE_EXCEEDED', 'You provided a numeric parameter that has a smaller value than allowed.'],
  largest: ['MAX_VALUE_EXCEEDED', 'You provided a numeric parameter that has a larger value than allowed.'],
} as const satisfies Readonly<Record<Rule, readonly [string, string]>>

/** One reason for all that is wrong: the pattern, where one is broken. */
export function invalidInput(violations: readonly Violation[]): Fault | undefined {
  const violation = violations.find(({ rule }) => rule === 'pattern') ?? violations[0]
  if (!violation) return undefined
  const [reason, message] = ANSWERS[violation.rule]
  return fault(reason, message)
}
