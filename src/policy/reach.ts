/**
 * What a principal can reach: every resource an action is allowed on, surely or under conditions, without a request.
 */
import { Budget, BudgetError } from './budget.ts'
import type { CompiledPolicy, CompiledStatement } from './compile.ts'
import { applicable, decide, isFree, setOf } from './decide.ts'
import type { Layer, Layers, Policies, Request, Statement } from './decision.ts'
import type { Condition } from './document.ts'
import { ANY, ANY_BUT_COLON, codes, globCodes, type Pattern } from './glob.ts'
import type { Principal } from './principal.ts'
import { NONE } from './principals.ts'
import { type Extent, extentsOf } from './reach-extent.ts'
import { decided, type Known, meets, type OpenStatement, openStatement, type ResourcePattern } from './reach-known.ts'
import { type Region, regionsOf } from './reach-regions.ts'

export interface ReachQuery {
  readonly principal: Principal
  readonly layers: Layers
  readonly known: Known
  /** Whose the resources are: twelve digits. */
  readonly resourceAccount: string
  /** Shared by all calls of `of`; once it is spent, every answer is unclear. */
  readonly budget?: Budget
}

export interface Access {
  readonly resources: readonly Extent[]
  /** Else it hangs on what is not known: see `doubts`. */
  readonly certain: boolean
  /** That allows it, if it is allowed; none where no policy needs to. */
  readonly by: Statement | undefined
  /** All must turn out well: one Allow of each layer that has no certain one, and no Deny. */
  readonly doubts: readonly Doubt[]
  /** The patterns are too entangled to say more than that there may be access. */
  readonly unclear: boolean
}

/** A statement that may or may not match. */
export interface Doubt {
  readonly layer: Layer
  readonly statement: Statement
  readonly conditions: readonly Condition[]
  /** Resources with a variable whose value is not known. */
  readonly variables: readonly string[]
}

/** Any ARN, and the `*` of actions that have no resource. Parts but the last hold no colon. */
export const EVERY_RESOURCE: readonly Pattern[] = [
  [...codes('arn:'), ...[1, 2, 3, 4].flatMap(() => [ANY_BUT_COLON, ...codes(':')]), ANY],
  codes('*'),
]

interface Applied {
  readonly layer: Layer
  readonly open: OpenStatement
  /** Of which set of the layer: each level of an organization must allow. */
  readonly level: number
}

export class Reach {
  readonly #question: ReachQuery
  readonly #hopeful: Layers
  readonly #fearful: Layers
  readonly #applied: readonly Applied[]
  readonly #budget: Budget
  readonly #remembered = new Map<string, readonly Access[]>()

  constructor(question: ReachQuery) {
    const { layers, known } = question
    this.#question = question
    this.#budget = question.budget ?? new Budget()
    this.#hopeful = mapped(layers, (policy) => decided(policy, known, true))
    this.#fearful = mapped(layers, (policy) => decided(policy, known, false))
    this.#applied = applicable(this.#request('s3:any', '*'), layers).flatMap(({ layer, sets }) =>
      sets.flatMap((set, level) =>
        set.policies
          .flatMap(({ statements }) => statements)
          .filter((statement) => this.#concerns(statement))
          .map((statement) => openStatement(statement, known))
          .filter((open) => open !== undefined)
          .map((open) => ({ layer, level, open })),
      ),
    )
  }

  /** `within`: an ARN, perhaps with wildcards; `*` is every resource, and what has none. Empty: no access. */
  of(action: string, within = '*'): readonly Access[] {
    const lowered = action.toLowerCase()
    const bearing = this.#applied.map(({ open }, i) => (open.statement.action(lowered) ? i : -1)).filter((i) => i >= 0)
    const key = `${within}|${isFree(lowered, this.#question.principal) ? action : ''}|${bearing}`
    let access = this.#remembered.get(key)
    if (!access) {
      access = this.#find(
        action,
        within,
        bearing.map((i) => this.#applied[i]!),
      )
      this.#remembered.set(key, access)
    }
    return access
  }

  #find(action: string, within: string, bearing: readonly Applied[]): readonly Access[] {
    const patterns = patternsOf(bearing.map(({ open }) => open))
    const universe = within === '*' ? EVERY_RESOURCE : [globCodes(within)]
    const regions = this.#regions(
      patterns.map(({ pattern }) => pattern),
      universe,
    )
    if (!regions) {
      const doubts = bearing.map((each) => doubtOf(each))
      return [{ resources: [{ within: [within], except: [] }], certain: false, by: undefined, doubts, unclear: true }]
    }
    const alike = new Map<string, { readonly regions: Region[]; readonly first: Omit<Access, 'resources'> }>()
    for (const region of regions) {
      const found = this.#at(action, region.example, bearing)
      if (!found) continue
      const key = JSON.stringify(
        found.certain || [id(found.by), found.doubts.map(({ statement, variables }) => [id(statement), variables])],
      )
      const group = alike.get(key)
      if (group) group.regions.push(region)
      else alike.set(key, { regions: [region], first: found })
    }
    const texts = patterns.map(({ text }) => text)
    return [...alike.values()].map(({ regions: chosen, first }) => ({
      ...first,
      resources: extentsOf(chosen, regions, texts, within),
    }))
  }

  /** Undefined: too many states, or the budget is spent. */
  #regions(patterns: readonly Pattern[], universe: readonly Pattern[]): readonly Region[] | undefined {
    try {
      return regionsOf(patterns, universe, this.#budget)
    } catch (error) {
      if (error instanceof BudgetError) return undefined
      throw error
    }
  }

  #at(action: string, resource: string, bearing: readonly Applied[]): Omit<Access, 'resources'> | undefined {
    const request = this.#request(action, resource)
    const hoped = decide(request, this.#hopeful)
    if (!hoped.allowed) return undefined
    const feared = decide(request, this.#fearful)
    const by = feared.allowed ? feared.statement : hoped.statement
    const certain = feared.allowed
    return { certain, by, doubts: certain ? [] : this.#doubts(resource, bearing), unclear: false }
  }

  /** Denies that may match, and the Allows that may, of layers in which none surely does. */
  #doubts(resource: string, bearing: readonly Applied[]): readonly Doubt[] {
    const met = bearing
      .map((each) => ({ each, meeting: meets(each.open, resource) }))
      .filter(({ meeting }) => meeting !== 'no')
      .map(({ each, meeting }) => ({ each, sure: meeting === 'yes' && each.open.conditions.length === 0 }))
    const settled = new Set(
      met
        .filter(({ each, sure }) => sure && each.open.statement.effect === 'Allow')
        .map(({ each }) => `${each.layer} ${each.level}`),
    )
    return met
      .filter(
        ({ each, sure }) =>
          !sure && !(each.open.statement.effect === 'Allow' && settled.has(`${each.layer} ${each.level}`)),
      )
      .map(({ each }) => doubtOf(each, resource))
  }

  #concerns({ principal }: CompiledStatement): boolean {
    const { principal: caller, known } = this.#question
    return !principal || principal(caller, known.context) !== NONE
  }

  #request(action: string, resource: string): Request {
    const { principal, known, resourceAccount } = this.#question
    return { principal, action, resource, resourceAccount, context: known.context }
  }
}

function doubtOf({ layer, open }: Applied, resource?: string): Doubt {
  const { statement, conditions, resources } = open
  const surely = resource !== undefined && meets(open, resource) === 'yes'
  const variables = surely ? [] : (resources?.loose ?? []).map(({ text }) => text)
  return { layer, statement, conditions, variables }
}

/** Each pattern once. */
export function patternsOf(statements: readonly OpenStatement[]): readonly ResourcePattern[] {
  const patterns = new Map<string, ResourcePattern>()
  for (const { resources } of statements) {
    for (const each of [...(resources?.exact ?? []), ...(resources?.loose ?? [])]) {
      const key = each.pattern.join()
      if (!patterns.has(key)) patterns.set(key, each)
    }
  }
  return [...patterns.values()]
}

function mapped(layers: Layers, change: (policy: CompiledPolicy) => CompiledPolicy): Layers {
  const all = (policies: Policies) => setOf(policies).policies.map(change)
  const { boundary, session, resource, scps, rcps, endpoint } = layers
  return {
    ...layers,
    identity: all(layers.identity),
    ...(boundary && { boundary: change(boundary) }),
    ...(session && { session: all(session) }),
    ...(resource && { resource: change(resource) }),
    ...(scps && { scps: scps.map(all) }),
    ...(rcps && { rcps: rcps.map(all) }),
    ...(endpoint && { endpoint: change(endpoint) }),
  }
}

const numbers = new WeakMap<object, number>()
let numbered = 0

/** Copies of a statement have its policy and its index. */
function id(statement: Statement | undefined): string {
  if (!statement) return ''
  if (!numbers.has(statement.policy)) numbers.set(statement.policy, numbered++)
  return `${numbers.get(statement.policy)}.${statement.index}`
}
