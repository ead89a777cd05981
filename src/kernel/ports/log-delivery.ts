/**
 * The log delivery port: logs that a service delivers for its customer, to a log group or a bucket, as AWS's log delivery service
 * (`delivery.logs.amazonaws.com`). The resource policies of the destination decide; provided by CloudWatch Logs.
 *
 * @example
 * const cause = await call.use(logDelivery).prepare(call, delivery)
 * if (cause !== undefined) throw invalid(cause)
 * await use(logDelivery).write(actAs, delivery, [{ timestamp: now, message: '{}' }])
 */
import type { LogEvent } from '../client/log-batches.ts'
import type { Call } from '../gate/call.ts'
import type { ActAs } from '../gate/service-caller.ts'
import { port } from './port.ts'

export type LogDestination =
  | { readonly logGroup: string; readonly stream: string }
  | {
      readonly bucket: string
      /** Below which the delivery may write: `AWSLogs/111122223333/`. */
      readonly folder: string
      /** Of the object that a delivery writes, below the folder; `first` is the time of its first event. */
      readonly objectKey: (first: number) => string
    }

export interface LogDelivery {
  readonly account: string
  readonly region: string
  /** Of the policy for log groups that is added where the delivery is not allowed yet. */
  readonly policyName: string
  readonly destination: LogDestination
}

export interface LogDeliveryPort {
  /**
   * Whether logs can be delivered. Where the destination does not allow it yet, the statements are added to its policy with the
   * permissions of the caller, as AWS does. Returns why nothing can be delivered; undefined once it can.
   */
  prepare(call: Call, delivery: LogDelivery): Promise<string | undefined>
  /** Writes events in the order of their time; into a bucket as lines of one compressed object. Throws the refusal. */
  write(act: ActAs, delivery: LogDelivery, events: readonly LogEvent[]): Promise<void>
}

export const logDelivery = port<LogDeliveryPort>('log-delivery')
