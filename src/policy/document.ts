/** A policy document as parsed: every list a list, every element with its place in the text. */
import type { Position } from './error.ts'

export type PolicyKind = 'identity' | 'resource' | 'trust' | 'session' | 'boundary' | 'scp' | 'rcp' | 'endpoint'

/** `2008-10-17` is what a document without a version means: policy variables are plain text there. */
export type Version = '2008-10-17' | '2012-10-17'

export interface Policy {
  readonly kind: PolicyKind
  readonly version: Version
  readonly id: string | undefined
  readonly statements: readonly Statement[]
}

export interface Statement {
  /** Place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  readonly action: Choice<readonly string[]>
  /** Undefined where the kind of policy has none (trust policies): the policy's own resource is meant. */
  readonly resource: Choice<readonly string[]> | undefined
  /** Undefined where the kind of policy has none: everyone the policy is attached to is meant. */
  readonly principal: Choice<Principals> | undefined
  /** All of them must hold. */
  readonly conditions: readonly Condition[]
  readonly start: Position
  readonly end: Position
}

/** `Action` or `NotAction`, and so on: what is listed, and whether it is what is left out. */
export interface Choice<T> {
  readonly negated: boolean
  readonly values: T
}

export const PRINCIPAL_TYPES = ['AWS', 'Federated', 'Service', 'CanonicalUser'] as const
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number]

/** `"*"` is `{ AWS: ['*'] }`. */
export type Principals = Readonly<Partial<Record<PrincipalType, readonly string[]>>>

export interface Condition {
  /** As written: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
}

/** Where a compiled policy came from: what an explanation names. */
export interface PolicySource {
  readonly id: string
  readonly kind: PolicyKind
  readonly arn?: string
  readonly name?: string
}
