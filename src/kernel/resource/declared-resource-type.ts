import type { TagRules } from './tag-rules.ts'

/** A resource type as the kernel and its tests see all of them. */
export interface DeclaredResourceType {
  readonly spec: {
    readonly kind: string
    readonly type: string
    readonly arn: string
    readonly storedPer: 'region' | 'account' | 'installation'
    readonly tags?: TagRules
  }
  readonly form: {
    readonly names: readonly string[]
    accepts(name: string, value: string): boolean
  }
}
