/** EC2's own errors for input that violates its model. */
import type { Violation } from '../../wire/constraints.ts'
import type { Fault } from '../../wire/fault.ts'
import { fault, missing } from './faults.ts'

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/** A missing member has a code of its own: AWS, "Error codes for the Amazon EC2 API". */
export function invalidInput(violations: readonly Violation[]): Fault | undefined {
  const absent = violations.find(({ rule }) => rule === 'required')
  if (absent) return missing(absent.at.split('.').map(lower).join('.'))
  const [first] = violations
  return first && fault('InvalidParameterValue', first.text)
}
