/** What access a changed policy adds or removes, over all requests at once. */
import { Budget } from './budget.ts'
import type { CompiledPolicy, CompiledStatement } from './compile.ts'
import { Context } from './context.ts'
import type { Choice, Principals } from './document.ts'
import { globCodes } from './glob.ts'
import { EVERY_RESOURCE, patternsOf } from './reach.ts'
import { type Extent, extentsOf } from './reach-extent.ts'
import { Known, meets, type OpenStatement, openStatement } from './reach-known.ts'
import { type Region, regionsOf } from './reach-regions.ts'

/**
 * `added` and `removed` hold for every request; the others hang on conditions, principals or variables. Nothing that may
 * change is left out.
 */
export type ChangeKind = 'added' | 'removed' | 'perhaps added' | 'perhaps removed' | 'perhaps changed'

export interface Change {
  readonly kind: ChangeKind
  readonly resources: readonly Extent[]
}

const NOTHING_KNOWN = new Known(new Context())

export class Difference {
  readonly #before: readonly OpenStatement[]
  readonly #after: readonly OpenStatement[]
  readonly #remembered = new Map<string, readonly Change[]>()

  readonly #budget: Budget

  /** `of` throws a `BudgetError` once the budget is spent. */
  constructor(before: CompiledPolicy, after: CompiledPolicy, budget: Budget = new Budget()) {
    this.#before = opened(before)
    this.#after = opened(after)
    this.#budget = budget
  }

  /** The same answer object for actions that the same statements bear on. */
  of(action: string): readonly Change[] {
    const lowered = action.toLowerCase()
    const [before, after] = [
      bearingOn(lowered, this.#before, this.#budget),
      bearingOn(lowered, this.#after, this.#budget),
    ]
    const key = [...before, '|', ...after].map((each) => (typeof each === 'string' ? each : numberOf(each))).join()
    let changes = this.#remembered.get(key)
    if (!changes) this.#remembered.set(key, (changes = changesOf(before, after, this.#budget)))
    return changes
  }
}

function opened({ statements }: Pick<CompiledPolicy, 'statements'>): readonly OpenStatement[] {
  return statements.map((statement) => openStatement(statement, NOTHING_KNOWN)).filter((open) => open !== undefined)
}

function bearingOn(action: string, all: readonly OpenStatement[], budget: Budget): readonly OpenStatement[] {
  budget.spend(all.reduce((sum, { statement }) => sum + statement.actionCost, 0))
  return all.filter(({ statement }) => statement.action(action))
}

const numbers = new WeakMap<OpenStatement, number>()
let numbered = 0

function numberOf(open: OpenStatement): number {
  let number = numbers.get(open)
  if (number === undefined) numbers.set(open, (number = numbered++))
  return number
}

function changesOf(
  before: readonly OpenStatement[],
  after: readonly OpenStatement[],
  budget: Budget,
): readonly Change[] {
  const patterns = patternsOf([...before, ...after])
  const regions = regionsOf(
    patterns.map(({ pattern }) => pattern),
    EVERY_RESOURCE,
    budget,
  )
  // Too entangled to walk: whatever is not written alike may differ.
  if (!regions) {
    const alike = words(before, undefined) === words(after, undefined)
    return alike ? [] : [{ kind: 'perhaps changed', resources: [{ within: ['*'], except: [] }] }]
  }
  const byKind = new Map<ChangeKind, Region[]>()
  budget.spend(regions.length * (patterns.length + before.length + after.length))
  for (const region of regions) {
    const kind = kindOf(words(before, region.example), words(after, region.example))
    if (kind) byKind.set(kind, [...(byKind.get(kind) ?? []), region])
  }
  const texts = patterns.map(({ text }) => text)
  return [...byKind].map(([kind, chosen]) => ({ kind, resources: extentsOf(chosen, regions, texts, '*') }))
}

/** Whether a policy may allow actions on any resource of a pattern. Errs towards yes. */
export class Possibility {
  readonly #statements: readonly OpenStatement[]
  readonly #budget: Budget
  readonly #remembered = new Map<string, boolean>()

  /** `of` throws a `BudgetError` once the budget is spent. */
  constructor({ statements }: Pick<CompiledPolicy, 'statements'>, budget: Budget = new Budget()) {
    this.#statements = opened({ statements })
    this.#budget = budget
  }

  of(action: string, within: string): boolean {
    const bearing = bearingOn(action.toLowerCase(), this.#statements, this.#budget)
    const key = `${bearing.map(numberOf)}|${within}`
    let possible = this.#remembered.get(key)
    if (possible === undefined) this.#remembered.set(key, (possible = this.#find(bearing, within)))
    return possible
  }

  #find(bearing: readonly OpenStatement[], within: string): boolean {
    if (!bearing.some(({ statement }) => statement.effect === 'Allow')) return false
    const patterns = patternsOf(bearing)
    const universe = within === '*' ? EVERY_RESOURCE : [globCodes(within)]
    const regions = regionsOf(
      patterns.map(({ pattern }) => pattern),
      universe,
      this.#budget,
    )
    if (!regions) return true
    this.#budget.spend(regions.length * (patterns.length + bearing.length))
    return regions.some(({ example }) => words(bearing, example) !== NO)
  }
}

const NO = 'no'
const YES = 'yes'

function kindOf(before: string, after: string): ChangeKind | undefined {
  if (before === after) return undefined
  if (before === NO) return after === YES ? 'added' : 'perhaps added'
  if (after === NO) return before === YES ? 'removed' : 'perhaps removed'
  if (after === YES) return 'perhaps added'
  return before === YES ? 'perhaps removed' : 'perhaps changed'
}

/** What the statements say of a resource: yes, no, or on what it hangs, written so that the same reads the same. */
function words(statements: readonly OpenStatement[], resource: string | undefined): string {
  const bearing = statements
    .map((open) => ({ open, meeting: resource === undefined ? 'perhaps' : meets(open, resource) }))
    .filter(({ meeting }) => meeting !== 'no')
    .map(({ open, meeting }) => {
      const { statement, principal } = open.statement
      const surely = meeting === 'yes' && open.conditions.length === 0 && isEverybody(statement.principal, principal)
      return { effect: statement.effect, surely, text: surely ? '' : doubts(open, meeting === 'yes') }
    })
  const denies = bearing.filter(({ effect }) => effect === 'Deny')
  const allows = bearing.filter(({ effect }) => effect === 'Allow')
  if (allows.length === 0 || denies.some(({ surely }) => surely)) return NO
  const certain = allows.some(({ surely }) => surely)
  if (certain && denies.length === 0) return YES
  const texts = (all: typeof bearing) => [...new Set(all.map(({ text }) => text))].sort()
  return JSON.stringify([certain ? [] : texts(allows), texts(denies)])
}

function isEverybody(written: Choice<Principals> | undefined, compiled: CompiledStatement['principal']): boolean {
  return !compiled || (written !== undefined && !written.negated && written.values.AWS?.includes('*') === true)
}

function doubts({ statement: { statement, version }, conditions, resources }: OpenStatement, met: boolean): string {
  return JSON.stringify([
    // A quoted condition may be a variable in one version of the language and a text in the other.
    version,
    statement.principal ?? null,
    conditions.map(({ operator, key, values }) => [operator, key.toLowerCase(), [...values].sort()]).sort(),
    met
      ? null
      : [resources?.negated, resources?.exact.map(({ text }) => text), resources?.loose.map(({ text }) => text)],
  ])
}
