/** The values that one request becomes on its way through the gate. */
import type { HttpRequest } from '../../wire/http.ts'
import type { ServiceRow } from '../../wire/services.ts'
import type { OperationShape } from '../../wire/wire.ts'
import { type EventDraft, newDraft } from '../events/event.ts'
import type { Operation } from '../service/service.ts'
import type { Authenticated } from './authenticate.ts'
import type { SetupMistake } from './setup-mistakes.ts'
import type { ThrottleScope } from './throttle.ts'

/** One answered request, as logs and metrics see it. */
export interface RequestOutcome {
  readonly requestId: string
  readonly service: string
  readonly operation: string
  readonly status: number
  /** The fault's code; undefined on success. */
  readonly code: string | undefined
  /** Whose limit it was that refused the call. */
  readonly throttled: ThrottleScope | undefined
  readonly principal: string | undefined
  readonly tookMs: number
  /** The error behind an internal failure. */
  readonly cause: unknown
  /** How the client is set up wrongly, where the refusal of an unknown caller shows it. */
  readonly mistake?: SetupMistake | undefined
}

/** What stays the same while a request, and every operation that it forwards to, is handled; constant over retries. */
export interface RequestInfo {
  readonly request: Pick<HttpRequest, 'remoteAddress' | 'secure' | 'tls' | 'rawHeaders'>
  readonly authenticated: Authenticated
  readonly requestId: string
  readonly now: number
  /** What `call.once` has done, in order. */
  readonly done: Promise<unknown>[]
  /** The ID that the new resource gets: seeds choose it. No client can. */
  readonly chosenId?: string | undefined
}

/** What an event shows of an operation, with the shapes that redact it. */
export interface AuditedOperation {
  readonly row: ServiceRow
  readonly operation: Pick<Operation, 'name' | 'actions' | 'dataEvent'>
  readonly shape: OperationShape
  /** Undefined when it could not be read. */
  readonly input: object | undefined
  /** Services that forwarded it, outermost first. */
  readonly via: readonly string[]
}

/** An operation about to run. */
export interface OperationCall extends AuditedOperation {
  readonly operation: Operation
  readonly input: object
}

/** The account that a call acts in; empty for an anonymous caller. */
export function accountOf({ caller, acting, bearer }: Authenticated): string {
  return 'account' in caller.principal ? caller.principal.account : (acting?.account ?? bearer?.account ?? '')
}

/** A token's caller has a user of its own in the audit log. */
export function draftOf({ now, authenticated: { bearer } }: RequestInfo): EventDraft {
  const draft = newDraft(now)
  if (bearer) draft.userIdentity = bearer.identity
  return draft
}

/** The ARN of the caller, or the kind of a caller without one. */
export function principalName({ caller }: Authenticated): string {
  return 'arn' in caller.principal ? caller.principal.arn : caller.principal.kind
}

/** The principal behind a session. */
export function originalName(authenticated: Authenticated): string {
  const { principal } = authenticated.caller
  if (principal.kind === 'role-session') return principal.roleArn
  return principal.kind === 'federated-user' ? principal.issuerArn : principalName(authenticated)
}
