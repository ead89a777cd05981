/** Analyses of policies that take too long for the thread that answers requests. */
import type { Analysis, AnalysisResult, Finding, PolicyKind } from '../policy/index.ts'
import type { AbsentKeys } from './condition-keys.ts'

/** A policy to be checked by the linter. */
export interface LintRequest {
  readonly policy: string
  readonly kind: PolicyKind
  /** What a resource policy is on: `AWS::S3::Bucket`. */
  readonly resourceType?: string | undefined
  /** Condition keys that no request to this server has. */
  readonly absent: readonly AbsentKeys[]
  /** What the caller may know of its account. */
  readonly facts?: KnownAccount | undefined
}

/** `AccountFacts` of the linter, as they go to another thread. */
export interface KnownAccount {
  readonly account: string
  /** By ARN. */
  readonly existing: ReadonlyMap<string, boolean>
  readonly audiences: ReadonlyMap<string, readonly string[]>
}

export type LintResult =
  | { readonly findings: readonly Finding[] }
  /** The budget is spent. */
  | { readonly tooComplex: true }

/** Provided by the server. `account`: the caller's, which may have only a few analyses waiting. 'busy': too many are. */
export interface AnalysisPort {
  analyze(account: string, analysis: Analysis): Promise<AnalysisResult | 'busy'>
  lint(account: string, request: LintRequest): Promise<LintResult | 'busy'>
}
