/** One call in flight: who asks, where, when, and what it reads and writes. */
import type { Principal } from '../../policy/principal.ts'
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Signature } from '../../wire/sigv4/index.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import type { EventDraft } from '../events/event.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import type { Absence } from '../resource/condition-keys.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import type { Bearer } from '../service/bearer.ts'
import type { IdPrefix } from '../service/id.ts'
import type { Quotas } from '../service/quota.ts'
import type { Api } from '../service/service.ts'
import type { CheckSecret } from '../state/failure-budget.ts'
import type { ActAs } from './service-caller.ts'
import type { Session, Subject } from './session.ts'

export interface Scope {
  readonly partition: string
  readonly region: string
  readonly account: string
}

/** The authenticated caller: its principal as policies see it, and the credential it came with. */
export interface Caller {
  readonly principal: Principal
  readonly subject: Subject
  readonly accessKeyId: string
  /** Present for temporary credentials only. */
  readonly session?: Session
}

/** Condition keys and their values, e.g. `{ 'iam:PolicyARN': '…' }`. Undefined values count as absent. */
export type Conditions = Readonly<Record<string, string | readonly string[] | undefined>>

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
   * Asks for one more permission, such as `iam:PassRole` on a role that enters a request. Throws the denial.
   * An ARN stands for a resource of the caller's account without a policy of its own; else say what it is.
   */
  authorize(action: string, resource: string | ResourceFacts, conditions?: Conditions): Promise<void>
  /**
   * Calls another service the way the caller would: authorised again, recorded again, in the same commit. In the
   * caller's Region unless another is said.
   */
  forward<M, N extends OpName<M>>(api: Api<M>, name: N, input: Input<M, N>, region?: string): Promise<Output<M, N>>
  /**
   * What is done to the world while a call waits, such as running a function: once, though the operation itself runs
   * again when its commit meets another.
   */
  once<T>(effect: () => Promise<T>): Promise<T>
  /** Compares a secret that can be guessed online, within its durable failure budget; once, although a body may be retried. */
  readonly checkSecret: CheckSecret
  /** As `secretsmanager.amazonaws.com` and its like, in a commit of its own. */
  readonly actAs: ActAs
  /** Runs after the commit is durable. For this node's memory only; outside effects belong in a job. */
  afterCommit(effect: () => void): void
}
