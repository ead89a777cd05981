/** What is known of a request before it is made: some keys have values, some are surely absent, the rest may be anything. */
import { resourceTokens, substitute } from './arn-pattern.ts'
import type { CompiledPolicy, CompiledStatement } from './compile.ts'
import { compileConditions } from './condition.ts'
import type { Context } from './context.ts'
import type { Condition } from './document.ts'
import { ANY, ANY_BUT_COLON, globMatches, type Pattern } from './glob.ts'
import { conditionKeys } from './keys.ts'

export class Known {
  readonly context: Context
  readonly #absent: ReadonlySet<string>
  readonly #absentPrefixes: readonly string[]

  /** `absent`: keys that the request surely lacks; `aws:PrincipalTag/*` means all of them that have no value. */
  constructor(context: Context, absent: readonly string[] = []) {
    const lowered = absent.map((key) => key.toLowerCase())
    this.context = context
    this.#absent = new Set(lowered.filter((key) => !key.endsWith('*')))
    this.#absentPrefixes = lowered.filter((key) => key.endsWith('*')).map((key) => key.slice(0, -1))
  }

  decides(key: string): boolean {
    const lowered = key.toLowerCase()
    return (
      this.context.has(key) ||
      this.#absent.has(lowered) ||
      this.#absentPrefixes.some((prefix) => lowered.startsWith(prefix))
    )
  }
}

/** A statement as far as it is known. */
export interface OpenStatement {
  readonly statement: CompiledStatement
  /** Those that are not known to hold. */
  readonly conditions: readonly Condition[]
  /** Undefined: any resource. */
  readonly resources: OpenResources | undefined
}

export interface OpenResources {
  readonly negated: boolean
  /** Known to the last character. */
  readonly exact: readonly ResourcePattern[]
  /** With a variable whose value is not known: every text it could be. */
  readonly loose: readonly ResourcePattern[]
}

export interface ResourcePattern {
  /** As written; a variable whose value is known is replaced. */
  readonly text: string
  readonly pattern: Pattern
}

/** Undefined: one of its conditions surely fails, or none of its resources can be meant. */
export function openStatement(statement: CompiledStatement, known: Known): OpenStatement | undefined {
  const { version, effect } = statement
  const open: Condition[] = []
  for (const condition of statement.statement.conditions) {
    const keys = conditionKeys({ ...statement.statement, conditions: [condition] }, version)
    if (!keys.every((key) => known.decides(key))) open.push(condition)
    else if (!compileConditions([condition], effect, version)!(known.context)) return undefined
  }
  const resources = openResources(statement, known)
  return resources === 'none' ? undefined : { statement, conditions: open, resources }
}

function openResources({ statement, version, effect }: CompiledStatement, known: Known) {
  if (!statement.resource) return undefined
  const { negated, values } = statement.resource
  const exact: ResourcePattern[] = []
  const loose: ResourcePattern[] = []
  for (const text of values) {
    const tokens = resourceTokens(text, version)
    const variables = tokens.filter((token) => typeof token !== 'number')
    if (!variables.every(({ key }) => known.decides(key))) {
      loose.push({ text, pattern: tokens.map((token) => (typeof token === 'number' ? token : ANY)) })
      continue
    }
    const pattern = substitute(tokens, known.context)
    if (pattern) exact.push({ text: text.includes('${') ? textOf(pattern) : text, pattern })
    // As `compileResource` has it: what an Allow would have left out is unknown, and so is not allowed.
    else if (negated && effect === 'Allow') return 'none'
  }
  return { negated, exact, loose }
}

/** As a policy would write it: a tag's value may hold a star that is none. */
function textOf(pattern: Pattern): string {
  return pattern
    .map((code) =>
      code >= 0 ? literal(String.fromCharCode(code)) : code === ANY || code === ANY_BUT_COLON ? '*' : '?',
    )
    .join('')
}

const literal = (character: string) => (/[*?$]/.test(character) ? `\${${character}}` : character)

export type Meeting = 'yes' | 'perhaps' | 'no'

/** Whether the statement means this resource. */
export function meets({ statement, resources }: OpenStatement, resource: string): Meeting {
  if (!resources) return 'yes'
  const { negated, exact, loose } = resources
  const inside = exact.some(({ pattern }) => globMatches(pattern, resource))
  const maybe = loose.some(({ pattern }) => globMatches(pattern, resource))
  if (!negated) return inside ? 'yes' : maybe ? 'perhaps' : 'no'
  if (inside) return 'no'
  // A variable without a value: an Allow that leaves it out allows nothing.
  return maybe || (loose.length > 0 && statement.effect === 'Allow') ? 'perhaps' : 'yes'
}

/**
 * The policy with every doubt decided in favour of access (`hopeful`) or against it; the two decisions enclose the real
 * one, because a decision only ever gains by an Allow and loses by a Deny.
 */
export function decided(policy: CompiledPolicy, known: Known, hopeful: boolean): CompiledPolicy {
  const statements = policy.statements.flatMap((statement) => {
    const open = openStatement(statement, known)
    if (!open) return []
    const wanted = (statement.effect === 'Allow') === hopeful
    if (open.conditions.length > 0 && !wanted) return []
    const resource = (text: string) => {
      const meeting = meets(open, text)
      return meeting === 'yes' || (meeting === 'perhaps' && wanted)
    }
    return [{ ...statement, condition: undefined, prefixes: [], resource }]
  })
  return { ...policy, statements }
}
