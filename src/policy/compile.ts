/** Policies made ready to decide: immutable, indexed by action, and shared by everyone they are attached to. */
import { compileResource, resourcePrefix, type TextTest } from './arn-pattern.ts'
import { type ConditionTest, compileConditions } from './condition.ts'
import type { Choice, Policy, PolicyKind, PolicySource, Statement, Version } from './document.ts'
import type { Position } from './error.ts'
import { compileGlob, globCodes } from './glob.ts'
import { compilePrincipal, type PrincipalTest } from './principals.ts'
import { ResourceIndex } from './resource-index.ts'

export interface CompiledPolicy {
  readonly source: PolicySource
  readonly policy: Policy
  readonly statements: readonly CompiledStatement[]
}

export interface CompiledStatement {
  /** As AWS numbers them: place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  readonly start: Position
  readonly end: Position
  readonly policy: PolicySource
  /** On the action in lower case. */
  readonly action: (action: string) => boolean
  /** What that test costs at most, in patterns compared. */
  readonly actionCost: number
  /** Undefined: any. */
  readonly resource: TextTest | undefined
  /** What the resources it matches begin with; none: anything. */
  readonly prefixes: readonly string[]
  /** Undefined: the kind of policy has no principals. */
  readonly principal: PrincipalTest | undefined
  /** Undefined: none. */
  readonly condition: ConditionTest | undefined
  /** For the context keys that the condition tests: see `contextKeysOf`. */
  readonly statement: Statement
  readonly version: Version
}

/** The statements of several policies that could bear on one action. */
export interface Candidates {
  readonly deny: ResourceIndex
  readonly allow: ResourceIndex
}

/** Kinds in which a statement has a principal. */
const WITH_PRINCIPAL: ReadonlySet<PolicyKind> = new Set(['resource', 'trust', 'rcp', 'endpoint'])

export function compilePolicy(policy: Policy, source: PolicySource): CompiledPolicy {
  const statements = policy.statements.map((statement) => compileStatement(statement, policy, source))
  return { source, policy, statements }
}

function compileStatement(statement: Statement, policy: Policy, source: PolicySource): CompiledStatement {
  const { effect, sid, index, start, end } = statement
  const actions = compileActions(statement.action)
  return {
    index,
    sid,
    effect,
    start,
    end,
    policy: source,
    action: actions.test,
    actionCost: actions.cost,
    resource: statement.resource && compileResources(statement.resource, effect, policy.version),
    prefixes: prefixesOf(statement, policy.version),
    principal: WITH_PRINCIPAL.has(policy.kind) ? compilePrincipal(statement.principal, effect) : undefined,
    condition: compileConditions(statement.conditions, effect, policy.version),
    statement,
    version: policy.version,
  }
}

interface ActionTest {
  readonly test: (action: string) => boolean
  readonly cost: number
}

/** Names are looked up; only patterns of the action's own service, and of any service, are compared. */
function compileActions({ values, negated }: Choice<readonly string[]>): ActionTest {
  const names = new Set<string>()
  const byService = new Map<string, ((action: string) => boolean)[]>()
  const anyService: ((action: string) => boolean)[] = []
  for (const value of values) {
    const lowered = value.toLowerCase()
    const wild = lowered.search(/[*?]/)
    const colon = lowered.indexOf(':')
    if (wild < 0) names.add(lowered)
    else if (colon >= 0 && colon < wild) add(byService, lowered.slice(0, colon), compileGlob(globCodes(lowered)))
    else anyService.push(compileGlob(globCodes(lowered)))
  }
  const test = (action: string): boolean => {
    if (names.has(action)) return !negated
    for (let i = 0; i < anyService.length; i++) if (anyService[i]!(action)) return !negated
    const own = byService.size > 0 ? byService.get(action.slice(0, action.indexOf(':'))) : undefined
    if (own) for (let i = 0; i < own.length; i++) if (own[i]!(action)) return !negated
    return negated
  }
  const longest = Math.max(0, ...[...byService.values()].map((tests) => tests.length))
  return { test, cost: 1 + anyService.length + longest }
}

function compileResources(
  { values, negated }: Choice<readonly string[]>,
  effect: 'Allow' | 'Deny',
  version: Version,
): TextTest | undefined {
  if (values.includes('*')) return negated ? () => false : undefined
  const tests = values.map((value) => compileResource(value, version))
  if (negated) {
    // What a variable without a value would have left out is unknown, and so is not allowed.
    const left = (met: boolean | undefined) => (met === undefined ? effect === 'Allow' : met)
    return (resource, context) => !tests.some((test) => left(test(resource, context)))
  }
  if (tests.length === 1) return tests[0]!
  return (resource, context) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(resource, context)) return true
    return false
  }
}

function prefixesOf({ resource }: Statement, version: Version): readonly string[] {
  if (!resource || resource.negated) return []
  const prefixes = resource.values.map((value) => (value === '*' ? '' : resourcePrefix(value, version)))
  return prefixes.includes('') ? [] : prefixes
}

/** Bounded, because callers of the policy simulator choose the actions. */
const ACTIONS_REMEMBERED_MAX = 5000

/** Several policies as one: all of a principal's, or all of one level of an organization. Compile once, keep. */
export class PolicySet {
  readonly policies: readonly CompiledPolicy[]
  readonly #exact = new Map<string, CompiledStatement[]>()
  readonly #byService = new Map<string, CompiledStatement[]>()
  readonly #anyService: CompiledStatement[] = []
  readonly #remembered = new Map<string, Candidates>()

  constructor(policies: readonly CompiledPolicy[]) {
    this.policies = policies
    for (const policy of policies) for (const statement of policy.statements) this.#index(statement)
  }

  /** The action in lower case. */
  candidates(action: string): Candidates {
    const remembered = this.#remembered.get(action)
    if (remembered) return remembered
    const found = new Set(this.#exact.get(action))
    const service = action.slice(0, action.indexOf(':'))
    for (const list of [this.#byService.get(service), this.#anyService]) {
      for (const statement of list ?? []) if (statement.action(action)) found.add(statement)
    }
    // The cheapest to test come first: the outcome does not depend on the order.
    const ordered = [...found].sort((a, b) => cost(a) - cost(b))
    const candidates = {
      deny: new ResourceIndex(ordered.filter((statement) => statement.effect === 'Deny')),
      allow: new ResourceIndex(ordered.filter((statement) => statement.effect === 'Allow')),
    }
    if (this.#remembered.size >= ACTIONS_REMEMBERED_MAX) this.#remembered.clear()
    this.#remembered.set(action, candidates)
    return candidates
  }

  #index(statement: CompiledStatement): void {
    const { negated, values } = statement.statement.action
    if (negated) {
      this.#anyService.push(statement)
      return
    }
    for (const value of values) {
      const pattern = globCodes(value.toLowerCase())
      const wild = pattern.findIndex((code) => code < 0)
      const colon = pattern.indexOf(58)
      if (wild < 0) add(this.#exact, value.toLowerCase(), statement)
      else if (colon >= 0 && colon < wild) add(this.#byService, value.slice(0, colon).toLowerCase(), statement)
      else this.#anyService.push(statement)
    }
  }
}

export function compileSet(policies: readonly CompiledPolicy[]): PolicySet {
  return new PolicySet(policies)
}

function add<T>(index: Map<string, T[]>, key: string, item: T): void {
  const list = index.get(key)
  if (list) list.push(item)
  else index.set(key, [item])
}

function cost(statement: CompiledStatement): number {
  return (statement.condition ? 2 : 0) + (statement.resource ? 1 : 0)
}
