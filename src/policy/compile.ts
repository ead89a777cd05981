/** Policies made ready to decide: immutable, and shared by everyone they are attached to. */
import type { Policy, PolicySource } from './document.ts'

export interface CompiledPolicy {
  readonly source: PolicySource
  readonly policy: Policy
}

export interface PolicySet {
  readonly policies: readonly CompiledPolicy[]
}

export function compilePolicy(policy: Policy, source: PolicySource): CompiledPolicy {
  return { source, policy }
}

export function compileSet(policies: readonly CompiledPolicy[]): PolicySet {
  return { policies }
}
