/** The analyses port: analyses of policies that take too long for the thread that answers requests; provided by the server. */
import type { Analysis, AnalysisResult, Finding, PolicyKind } from '../../policy/index.ts'
import type { AbsentKeys } from '../resource/absent-keys.ts'
import { port } from './port.ts'

/** A policy to be checked by the linter. */
export interface LintRequest {
  readonly policy: string
  readonly kind: PolicyKind
  /** What a resource policy is on: `AWS::S3::Bucket`. */
  readonly resourceType?: string | undefined
  /** Condition keys that no request to this server has. */
  readonly absent: readonly AbsentKeys[]
  readonly facts?: LookedUpFacts | undefined
}

/** `AccountFacts` as data, for another thread: what was looked up before. */
export interface LookedUpFacts {
  readonly account: string
  /** By ARN: whether the user, role, provider or policy exists. */
  readonly existing: ReadonlyMap<string, boolean>
  /** By ARN of an OpenID Connect provider: its client IDs. */
  readonly audiences: ReadonlyMap<string, readonly string[]>
}

export type LintResult =
  | { readonly findings: readonly Finding[] }
  /** The budget is spent. */
  | { readonly tooComplex: true }

/** `account`: the caller's, which may have only a few analyses waiting. 'busy': too many are. */
export interface AnalysisPort {
  analyze(account: string, analysis: Analysis): Promise<AnalysisResult | 'busy'>
  lint(account: string, request: LintRequest): Promise<LintResult | 'busy'>
}

export const analyses = port<AnalysisPort>('analyses')
