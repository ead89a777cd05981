/** A service that acts as its own principal: the caller of a rotation, a renewal or an execution. */
import type { Unit } from '../../store/store.ts'
import type { HttpRequest } from '../../wire/http.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import type { Api } from '../service/api.ts'
import type { Session, Subject } from './session.ts'

export interface ServiceCaller {
  /** The principal, as policies name it: `secretsmanager.amazonaws.com`. */
  readonly service: string
  /** Of the customer it works for: `aws:SourceAccount`, and where its calls are recorded. */
  readonly account: string
  readonly region: string
  /** The ARN of what it works for: `aws:SourceArn`. */
  readonly source: string
  /** The service-linked role that it acts as in the account: the role's policies decide, as those of any principal. */
  readonly role?: Extract<Subject, { readonly kind: 'role' }>
  /**
   * The client that an operation of unauthenticated callers is forwarded for: what the input carries proves it, and
   * policies see its address, not the service.
   */
  readonly client?: { readonly remoteAddress: string; readonly userAgent: string; readonly isSecure: boolean }
}

/**
 * Calls an operation as a service. Only a resource's own policy can allow that; like every call it is authorized,
 * committed on its own and recorded. Throws the operation's error.
 */
export type ActAs = <M, N extends OpName<M>>(
  acting: ServiceCaller,
  api: Api<M>,
  name: N,
  input: Input<M, N>,
) => Promise<Output<M, N>>

/** A signed-in person's request, as its calls are decided and recorded. */
export interface SessionRequest {
  readonly session: Session
  readonly accessKeyId: string
  readonly region: string
  readonly request: Pick<HttpRequest, 'remoteAddress' | 'secure' | 'rawHeaders'>
  readonly now: number
  /** Of the transaction that the call is part of. */
  readonly unit: Unit
  /** Runs after the commit. */
  readonly effects: (() => void)[]
  /** What the operation has done once, over all retries of the transaction. */
  readonly done: Promise<unknown>[]
}

/**
 * Calls an operation as a signed-in person: authorized by the person's policies and recorded as theirs, as if they had
 * signed it, in the transaction of the caller. Throws the operation's fault; its event is in the transaction then, too.
 */
export type CallAs = <M, N extends OpName<M>>(
  from: SessionRequest,
  api: Api<M>,
  name: N,
  input: Input<M, N>,
) => Promise<Output<M, N>>

/** Throws the denial unless a signed-in person may do this to a resource of the person's own account. */
export type AuthorizeAs = (from: SessionRequest, action: string, arn: string) => Promise<void>

/** An operator's call as the root user of an account: of seeds and exports. */
export interface RootRequest {
  readonly account: string
  readonly region: string
  /** The ID that the new resource gets, instead of a random one. */
  readonly chosenId?: string | undefined
}

/**
 * Calls an operation as the root user of an account: authorized and recorded like a signed call, in a transaction of its own.
 * For what runs with the operator's authority only. Throws the operation's fault.
 */
export type CallAsRoot = <M, N extends OpName<M>>(
  from: RootRequest,
  api: Api<M>,
  name: N,
  input: Input<M, N>,
) => Promise<Output<M, N>>

/** The same from a web route, which knows the request. In `us-east-1`, where console sign-ins are, unless another is said. */
export type CallAsPerson = <M, N extends OpName<M>>(
  person: Pick<SessionRequest, 'session' | 'accessKeyId'> & { readonly region?: string },
  api: Api<M>,
  name: N,
  input: Input<M, N>,
) => Promise<Output<M, N>>
