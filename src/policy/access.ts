/**
 * The access questions of Access Analyzer, answered soundly: what cannot be excluded counts as access.
 * Exact over resources and wildcards; a condition, a principal or a variable is taken as met by somebody.
 */
import type { CompiledPolicy } from './compile.ts'
import { Difference, mayAllow } from './difference.ts'
import { globCodes, globMatches } from './glob.ts'

/** Access somebody asks about: actions, resources, or both; what is left out is everything. */
export interface AccessAsked {
  readonly actions?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
}

/** What was found, and through which statement of the policy. */
export interface Grant {
  readonly action: string
  /** Place in the document, from 0; undefined when no single statement is to blame. */
  readonly statement: number | undefined
  readonly sid: string | undefined
}

/** The actions of `known` that the changed policy allows where the existing one did not, or may. */
export function newAccess(
  existing: CompiledPolicy,
  changed: CompiledPolicy,
  known: readonly string[],
): readonly Grant[] {
  const difference = new Difference(existing, changed)
  return [...known, ...beyond(changed, known)]
    .filter((action) => difference.of(action).some(({ kind }) => kind !== 'removed' && kind !== 'perhaps removed'))
    .map((action) => grantOf(changed, action, '*'))
}

/** The actions of `known` that the policy may allow within what is asked. */
export function accessGranted(
  policy: CompiledPolicy,
  asked: readonly AccessAsked[],
  known: readonly string[],
): readonly Grant[] {
  const all = [...known, ...beyond(policy, known)]
  return asked.flatMap(({ actions, resources = ['*'] }) => {
    const wanted = actions ? named(actions, all) : all
    return wanted.flatMap((action) => {
      const within = resources.find((resource) => mayAllow(policy, action, resource))
      return within === undefined ? [] : [grantOf(policy, action, within)]
    })
  })
}

/** By name or wildcard; a name no table holds stands for itself. */
function named(patterns: readonly string[], all: readonly string[]): readonly string[] {
  return patterns.flatMap((pattern) => {
    const lowered = pattern.toLowerCase()
    if (!/[*?]/.test(lowered)) return [pattern]
    const codes = globCodes(lowered)
    return all.filter((action) => globMatches(codes, action.toLowerCase()))
  })
}

/** Actions that only the policy speaks of: services come faster than tables of them. */
function beyond({ policy }: CompiledPolicy, known: readonly string[]): readonly string[] {
  const lowered = new Set(known.map((name) => name.toLowerCase()))
  const written = policy.statements.flatMap(({ action }) => action.values)
  const examples = written.map((name) =>
    name === '*' ? 'anything:Else' : name.replaceAll('*', 'Any').replaceAll('?', 'x'),
  )
  return [...new Set(examples)].filter((name) => !lowered.has(name.toLowerCase()))
}

function grantOf(policy: CompiledPolicy, action: string, within: string): Grant {
  const blamed = policy.statements.find(
    (statement) => statement.effect === 'Allow' && mayAllow({ ...policy, statements: [statement] }, action, within),
  )
  return { action, statement: blamed?.index, sid: blamed?.sid }
}
