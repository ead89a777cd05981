/** An error for an operator: what happened, why, what to do, and where the documentation explains it. Never a stack trace. */
import { ApiError } from '../kernel/client/client.ts'
import { asOperatorError, codeOf, explanationOf } from '../server/compose/operator-errors.ts'
import { UsageError } from './command.ts'

/** Set, an error that Merlon does not know is printed with its stack trace, for a report. */
const DEBUG = 'MERLON_DEBUG'

export function errorText(error: unknown): string {
  if (error instanceof UsageError) return error.message
  if (error instanceof ApiError) return `${error.code}: ${error.message}`
  const known = asOperatorError(error)
  if (known) {
    const code = codeOf(known)
    return code === undefined ? known.message : `${known.message}\nSee ${explanationOf(code)}`
  }
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  const report = process.env[DEBUG] ? `\n${stack ?? message}` : ` For a report, run it again with ${DEBUG}=1.`
  return `MERLON_INTERNAL: ${message || 'an unknown error'}. This is a defect of Merlon.${report}\nSee ${explanationOf('MERLON_INTERNAL')}`
}
