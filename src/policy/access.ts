/**
 * The access questions of Access Analyzer, answered soundly: what cannot be excluded counts as access. Exact over
 * resources and wildcards; a condition, a principal or a variable is assumed to be met by some request.
 */
import { Budget } from './budget.ts'
import type { CompiledPolicy } from './compile.ts'
import { Difference, Possibility } from './difference.ts'
import { globCodes, globMatches } from './glob.ts'

/** The access to check: actions, resources, or both; an omitted one means everything. */
export interface AccessQuery {
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

/**
 * The actions of `known` that the changed policy allows where the existing one did not, or may. Throws a `BudgetError`
 * when the policies are too complex.
 */
export function newAccess(
  existing: CompiledPolicy,
  changed: CompiledPolicy,
  known: readonly string[],
  budget: Budget = new Budget(),
): readonly Grant[] {
  const difference = new Difference(existing, changed, budget)
  const granting = new Granting(changed, budget)
  return [...known, ...beyond(changed, known)]
    .filter((action) => difference.of(action).some(({ kind }) => kind !== 'removed' && kind !== 'perhaps removed'))
    .map((action) => granting.of(action, '*'))
}

/** The actions of `known` that the policy may allow within the requested access. Throws a `BudgetError`, too. */
export function accessGranted(
  policy: CompiledPolicy,
  queries: readonly AccessQuery[],
  known: readonly string[],
  budget: Budget = new Budget(),
): readonly Grant[] {
  const all = [...known, ...beyond(policy, known)]
  const possibility = new Possibility(policy, budget)
  const granting = new Granting(policy, budget)
  return queries.flatMap(({ actions, resources = ['*'] }) => {
    const wanted = actions ? named(actions, all, budget) : all
    return wanted.flatMap((action) => {
      const within = resources.find((resource) => possibility.of(action, resource))
      return within === undefined ? [] : [granting.of(action, within)]
    })
  })
}

/** By name or wildcard; a name in no table is used as it is. */
function named(patterns: readonly string[], all: readonly string[], budget: Budget): readonly string[] {
  return patterns.flatMap((pattern) => {
    const lowered = pattern.toLowerCase()
    if (!/[*?]/.test(lowered)) return [pattern]
    const codes = globCodes(lowered)
    budget.spend(all.length)
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

/** Through which statement of a policy an action may be allowed. */
class Granting {
  readonly #statements: readonly {
    readonly index: number
    readonly sid: string | undefined
    possibility: Possibility
  }[]

  constructor({ statements }: CompiledPolicy, budget: Budget) {
    this.#statements = statements
      .filter(({ effect }) => effect === 'Allow')
      .map((statement) => ({
        index: statement.index,
        sid: statement.sid,
        possibility: new Possibility({ statements: [statement] }, budget),
      }))
  }

  of(action: string, within: string): Grant {
    const found = this.#statements.find(({ possibility }) => possibility.of(action, within))
    return { action, statement: found?.index, sid: found?.sid }
  }
}
