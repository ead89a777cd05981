/** One call in progress: its caller, Region and time, and what it reads and writes. */
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Signature } from '../../wire/sigv4/index.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import type { EventDraft } from '../events/event.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import type { Absence } from '../resource/absent-keys.ts'
import type { Conditions } from '../resource/conditions.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import type { Api } from '../service/api.ts'
import type { IdPrefix } from '../service/id.ts'
import type { Quotas } from '../service/quota.ts'
import type { CheckSecret } from '../state/failure-budget.ts'
import type { Bearer } from './bearer.ts'
import type { Caller } from './caller.ts'
import type { ActAs } from './service-caller.ts'

export interface Scope {
  readonly partition: string
  readonly region: string
  readonly account: string
}

export interface Call extends Scope {
  readonly caller: Caller
  /** The caller that a token proves, where the operation requires one. */
  readonly bearer?: Bearer<unknown> | undefined
  /** How the request was signed; undefined where no signature came, as with services that call. */
  readonly signature: Signature | undefined
  /** `TLSv1.3`; undefined where the client's connection was not TLS, or a proxy did not say. */
  readonly tlsVersion?: string | undefined
  /** The client's address, as the audit log has it; undefined where a service calls. */
  readonly remoteAddress?: string | undefined
  /** As the client says; undefined where it says nothing. */
  readonly userAgent?: string | undefined
  /** Epoch milliseconds; the same throughout the call. */
  readonly now: number
  readonly requestId: string
  readonly operation: string
  /** How the server is reached from outside, without a path: `https://merlon.example`. */
  readonly origin: string
  /** Services that forwarded the call for its caller, outermost first: `secretsmanager.amazonaws.com`. */
  readonly via: readonly string[]
  readonly unit: Unit
  readonly vault: Vault
  readonly ports: Ports
  /** What other services and planes provide. */
  readonly use: Use
  readonly quotas: Quotas
  /** What the audit trail will say; a handler may add what only it knows. */
  readonly event: EventDraft
  /** Why requests to this server lack a condition key, for the linter. */
  readonly absentKey: Absence
  /** A random UUID, or what `make` returns; the first time in a call, the ID that a seed chose for the new resource. */
  newId(make?: () => string): string
  /** `AIDA…` and its like. */
  uniqueId(prefix: IdPrefix): string
  /**
   * Checks one more permission, such as `iam:PassRole` on a role that enters a request. Throws the denial. An ARN means
   * a resource of the caller's account without a policy of its own; otherwise pass the resource's facts.
   */
  authorize(action: string, resource: string | ResourceFacts, conditions?: Conditions): Promise<void>
  /**
   * Calls another service with the caller's permissions: authorized again, recorded again, in the same commit. In the
   * caller's Region unless another is passed.
   */
  forward<M, N extends OpName<M>>(api: Api<M>, name: N, input: Input<M, N>, region?: string): Promise<Output<M, N>>
  /**
   * An external side effect while a call waits, such as running a function: done once, though the operation is retried
   * when its commit conflicts with another.
   */
  once<T>(effect: () => Promise<T>): Promise<T>
  /** Compares a secret that can be guessed online, within its durable failure budget; once, although a body may be retried. */
  readonly checkSecret: CheckSecret
  /**
   * Commits now, in a transaction of its own, and once: what it writes lasts although the call is refused. For what a
   * refusal must leave behind; callers without an account must not be able to add rows without bound.
   */
  commitNow<T>(write: (unit: Unit) => Promise<T>): Promise<T>
  /** As `secretsmanager.amazonaws.com` and its like, in a commit of its own. */
  readonly actAs: ActAs
  /** Runs after the commit is durable. For this node's memory only; outside effects belong in a job. */
  afterCommit(effect: () => void): void
}
