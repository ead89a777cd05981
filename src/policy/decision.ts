/** The question put to the engine, the policies that bear on it, and the answer. */
import type { CompiledPolicy, CompiledStatement, PolicySet } from './compile.ts'
import type { Context } from './context.ts'
import type { PolicySource } from './document.ts'
import type { Position } from './error.ts'
import type { Principal } from './principal.ts'

export interface Request {
  readonly principal: Principal
  /** `s3:GetObject`, in any case. */
  readonly action: string
  /** An ARN, or `*` for actions without one. */
  readonly resource: string
  /** Twelve digits: the account that owns the resource. */
  readonly resourceAccount: string
  readonly context: Context
}

/** Compiled once with `compileSet` and kept, or compiled on the spot from the list. */
export type Policies = PolicySet | readonly CompiledPolicy[]

export interface Layers {
  readonly identity: Policies
  readonly boundary?: CompiledPolicy | undefined
  /** One of them must allow. An empty list grants nothing; a federated user without the layer has no permissions either. */
  readonly session?: Policies | undefined
  readonly resource?: CompiledPolicy | undefined
  /** `required` where the resource policy is the root of authority even within its account: KMS keys, role trust. */
  readonly resourceMode: 'optional' | 'required'
  /**
   * Allows that the resource's owner handed to principals beside its policy (KMS grants). They suffice from any account,
   * within what denials, SCPs, the boundary and the session leave; one for a whole account still needs the account's own
   * policies.
   */
  readonly grants?: readonly CompiledStatement[] | undefined
  /** Root, organizational units, account: every level must allow. */
  readonly scps?: readonly Policies[] | undefined
  /** Every level may deny; `RCPFullAWSAccess` is understood at each. */
  readonly rcps?: readonly Policies[] | undefined
  readonly endpoint?: CompiledPolicy | undefined
}

export type Layer = 'identity' | 'resource' | 'trust' | 'boundary' | 'session' | 'scp' | 'rcp' | 'endpoint'

export interface Decision {
  readonly allowed: boolean
  /** A Deny statement decided, not the lack of an Allow. */
  readonly explicit: boolean
  /** The layer that decided. */
  readonly layer: Layer
  /** The statement that decided; none when the lack of one did, or when root's own authority did. */
  readonly statement?: Statement
  /** The exception because of which the request was denied: a policy or a condition could not be evaluated. */
  readonly error?: unknown
}

export interface Statement {
  readonly policy: PolicySource
  readonly index: number
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  readonly start: Position
  readonly end: Position
}

/** The result of one layer alone. `none`: it does not apply to this request. */
export interface LayerOutcome {
  readonly layer: Layer
  readonly outcome: 'allowed' | 'explicitDeny' | 'implicitDeny' | 'none'
  /** Denying statements first. */
  readonly statements: readonly Statement[]
}

export interface Explanation extends Decision {
  /** In the order of evaluation. */
  readonly layers: readonly LayerOutcome[]
  /** Every statement that matched, denying ones first. */
  readonly statements: readonly Statement[]
  /** Keys of statements that otherwise match, which the request does not carry; as written, sorted. */
  readonly missing: readonly string[]
}
