/** A service at work by itself: what a rotation, a renewal or an execution is done as. */
import type { Input, OpName, Output } from '../wire/typed.ts'
import type { Api } from './service.ts'

export interface Acting {
  /** The principal, as policies name it: `secretsmanager.amazonaws.com`. */
  readonly service: string
  /** Of the customer it works for: `aws:SourceAccount`, and where its calls are recorded. */
  readonly account: string
  readonly region: string
  /** The ARN of what it works for: `aws:SourceArn`. */
  readonly source: string
  /**
   * The client that an operation of unauthenticated callers is forwarded for: what the input carries proves it, and
   * policies see its address, not the service.
   */
  readonly client?: { readonly remoteAddress: string; readonly userAgent: string; readonly isSecure: boolean }
}

/**
 * Calls an operation as a service. Only a resource's own policy can allow that; like every call it is authorised,
 * committed by itself and recorded. Throws what the operation answers.
 */
export type Act = <M, N extends OpName<M>>(
  acting: Acting,
  api: Api<M>,
  name: N,
  input: Input<M, N>,
) => Promise<Output<M, N>>
