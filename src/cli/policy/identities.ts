/** What an account's users and roles can reach, each with what is known of its requests. */
import type { CompiledPolicy, Layers, PolicyKind } from '../../policy/index.ts'
import { Reach } from '../../policy/reach.ts'
import { Known } from '../../policy/reach-known.ts'
import type { Option } from '../command.ts'
import type { Given } from '../words.ts'
import type { Identity } from './account.ts'
import { loadPolicy } from './files.ts'
import { addContext, contextOf } from './principal.ts'

export const aroundOptions = {
  scp: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'service control policies: one level each time, several files of a level with commas',
  },
  rcp: { type: 'string', value: 'FILE', multiple: true, about: 'resource control policies, in the same way' },
  context: {
    type: 'string',
    value: 'KEY=VALUE',
    multiple: true,
    about: 'a condition key of every request; may be repeated',
  },
  without: {
    type: 'string',
    value: 'KEY',
    multiple: true,
    about: 'a condition key that no request has; may be repeated',
  },
} as const satisfies Record<string, Option>

/** What stands around an identity's own policies. */
export interface Around {
  readonly scps: readonly (readonly CompiledPolicy[])[] | undefined
  readonly rcps: readonly (readonly CompiledPolicy[])[] | undefined
  readonly context: readonly string[]
  readonly without: readonly string[]
}

export function aroundOf(given: Given<typeof aroundOptions>): Around {
  return {
    scps: levelsOf(given.scp, 'scp'),
    rcps: levelsOf(given.rcp, 'rcp'),
    context: given.context,
    without: given.without,
  }
}

export function levelsOf(names: readonly string[], kind: PolicyKind): CompiledPolicy[][] | undefined {
  if (names.length === 0) return undefined
  return names.map((level) => level.split(',').map((name) => loadPolicy(name, kind)))
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
