/** EC2's faults: its model lists none, the codes are those of its API reference. */
import { Fault } from '../../wire/fault.ts'

export const fault = (code: string, message: string, status?: number): Fault =>
  new Fault(code, message, status === undefined ? {} : { status })

export const invalid = (message: string): Fault => fault('InvalidParameterValue', message)

export const missing = (name: string): Fault =>
  fault('MissingParameter', `The request must contain the parameter ${name}`)

/** Something depends on what is to be removed. */
export const depended = (message: string): Fault => fault('DependencyViolation', message)

/** The member of the request, or the fault for a missing one. */
export function need<T>(value: T | undefined, name: string): T {
  if (value === undefined || value === '') throw missing(name)
  return value
}
