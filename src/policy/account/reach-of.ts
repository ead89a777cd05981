/** What a user or role can reach, with what is known of its requests. */
import type { CompiledPolicy } from '../compile.ts'
import type { Layers } from '../decision.ts'
import { Reach } from '../reach.ts'
import { Known } from '../reach-known.ts'
import type { Identity } from './identity.ts'
import { addContext, type ContextValues, contextOf } from './principal-context.ts'

/** What limits an identity besides its own policies, and what is known of every request. */
export interface Around {
  readonly scps: readonly (readonly CompiledPolicy[])[] | undefined
  readonly rcps: readonly (readonly CompiledPolicy[])[] | undefined
  readonly context: ContextValues
  readonly without: readonly string[]
}

/** The policy of the resource itself. */
export interface Own {
  readonly policy: CompiledPolicy
  readonly mode: Layers['resourceMode']
}

export function reachOf(identity: Identity, around: Around, resourceAccount: string, own?: Own): Reach {
  const context = contextOf(identity.principal, resourceAccount)
  addContext(context, around.context)
  return new Reach({
    principal: identity.principal,
    layers: layersFor(identity, around, own),
    known: new Known(context, [...absentFor(identity), ...around.without]),
    resourceAccount,
  })
}

export function layersFor(identity: Identity, { scps, rcps }: Pick<Around, 'scps' | 'rcps'>, own?: Own): Layers {
  return {
    identity: identity.policies,
    resourceMode: own?.mode ?? 'optional',
    ...(identity.boundary && { boundary: identity.boundary }),
    ...(own && { resource: own.policy }),
    ...(scps && { scps }),
    ...(rcps && { rcps }),
  }
}

/** A user's tags are all in the file; a session may bring more. A role's session has no user name. */
export function absentFor({ kind }: Pick<Identity, 'kind'>): readonly string[] {
  return kind === 'user' ? ['aws:PrincipalTag/*'] : ['aws:username']
}
