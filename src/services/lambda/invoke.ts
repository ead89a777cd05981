/** Invoke: now and with the answer, later, or not at all but for the permission. */
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleEvent } from './events.ts'
import { functionNamed, lambda, unbuilt, versionOf } from './resources.ts'
import { invoke, workerOfCall } from './running.ts'

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const PAYLOAD_BYTES_MAX = { RequestResponse: 6_291_456, Event: 1_048_576, DryRun: 6_291_456 } as const

export const invokeFunction = lambda
  .operation('Invoke')
  .on(functionNamed)
  .actions('lambda:InvokeFunction')
  .dataEvent()
  .run(async (call, input, { scope, row }) => {
    const type = input.InvocationType ?? 'RequestResponse'
    if (input.DurableExecutionName ?? input.TenantId) throw unbuilt(call.operation, 'durable executions and tenants')
    const payload = payloadOf(call, input.Payload, PAYLOAD_BYTES_MAX[type])
    if (type === 'DryRun') return { StatusCode: 204, ExecutedVersion: versionOf(row) }
    if (type === 'Event') {
      scheduleEvent(call, scope, row, payload)
      return { StatusCode: 202 }
    }

    const invocation = { scope, row, payload, requestId: call.requestId }
    const { payload: Payload, error, log } = await call.once(() => invoke(workerOfCall(call), invocation))
    return {
      StatusCode: 200,
      ExecutedVersion: versionOf(row),
      Payload: Payload as never,
      ...(error !== undefined && { FunctionError: error }),
      ...(input.LogType === 'Tail' && { LogResult: log.toString('base64') }),
    }
  })

function payloadOf(call: Call, given: unknown, max: number): Buffer {
  const payload = Buffer.from((given as Uint8Array | undefined) ?? [])
  if (payload.length > max) {
    throw lambda.fail(
      'RequestTooLargeException',
      `Request must be smaller than ${max} bytes for the ${call.operation}Function operation`,
    )
  }
  if (payload.length === 0) return Buffer.from('{}')
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    throw lambda.fail(
      'InvalidRequestContentException',
      'Could not parse request body into json: Could not parse payload into json',
    )
  }
  return payload
}
