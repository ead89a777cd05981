/** An account's users and roles with the policies that bear on each. */
import type { CompiledPolicy } from '../compile.ts'
import type { Principal } from '../principal.ts'

export interface Account {
  /** Twelve digits. */
  readonly id: string
  /** Users and roles, in the order of their source. */
  readonly identities: readonly Identity[]
}

export interface Identity {
  readonly kind: 'user' | 'role'
  readonly name: string
  readonly arn: string
  /** A role means a session of it. */
  readonly principal: Principal
  readonly policies: readonly CompiledPolicy[]
  readonly boundary: CompiledPolicy | undefined
  /** Of a role. */
  readonly trust: CompiledPolicy | undefined
}
