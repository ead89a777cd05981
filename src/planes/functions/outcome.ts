/** How invocations end, with Lambda's error types. */
import type { FunctionOutcome } from '../../kernel/ports/functions.ts'

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const ANSWER_BYTES_MAX = 6_291_456 + 100

interface Failure {
  readonly errorMessage: string
  readonly errorType?: string
}

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'null')

export function succeeded(payload: Buffer, log: Buffer): FunctionOutcome {
  if (payload.length <= ANSWER_BYTES_MAX) return { payload, log }
  return failed(
    {
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: `Response payload size exceeded maximum allowed payload size (${ANSWER_BYTES_MAX} bytes).`,
    },
    log,
  )
}

export function failed(failure: Failure, log: Buffer, error: 'Handled' | 'Unhandled' = 'Unhandled'): FunctionOutcome {
  return { payload: bytes(failure), error, log }
}

export function timedOut(requestId: string, timeoutMs: number, nowMs: number, log: Buffer): FunctionOutcome {
  const sentence = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`
  const line = Buffer.from(`${new Date(nowMs).toISOString()} ${requestId} ${sentence}\n`)
  return failed(
    { errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${requestId} Error: ${sentence}` },
    Buffer.concat([log, line]),
  )
}
