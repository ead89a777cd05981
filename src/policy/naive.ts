/**
 * The same decisions, computed as plainly as possible: no index, no cache, no early stop. Property tests compare the
 * engine with it. Never used to decide: it builds regular expressions from policies.
 */
import type { CompiledPolicy, CompiledStatement } from './compile.ts'
import type { Layers, Policies, Request } from './decision.ts'
import type { Condition, Policy, Principals, Statement } from './document.ts'
import { parseOperator } from './operators.ts'
import { isVariable, pieces, resolve } from './variables.ts'

export type NaiveDecision = 'allowed' | 'explicitDeny' | 'implicitDeny'

export function naive(request: Request, layers: Layers): NaiveDecision {
  const { principal } = request
  if (free(request)) return 'allowed'
  const identified = principal.kind !== 'service' && principal.kind !== 'anonymous'
  const serviceLinked = principal.kind === 'role-session' && principal.serviceLinked
  const identity = identified ? [layers.identity] : []
  const boundary = identified && principal.kind !== 'root' && layers.boundary ? [[layers.boundary]] : []
  const sessionPolicies = layers.session ?? (principal.kind === 'federated-user' ? [] : undefined)
  const session = identified && sessionPolicies ? [sessionPolicies] : []
  const scps = identified && !serviceLinked ? (layers.scps ?? []) : []
  const rcps = serviceLinked ? [] : (layers.rcps ?? [])
  const endpoint = layers.endpoint ? [[layers.endpoint]] : []
  const resource = layers.resource ? [[layers.resource]] : []
  const handed = Math.max(0, ...(layers.grants ?? []).map((grant) => matchGrant(grant, request)))

  const everything = [identity, boundary, session, scps, rcps, endpoint, resource].flat()
  if (everything.some((policies) => matching('Deny', policies, request).length > 0)) return 'explicitDeny'

  const allow = (levels: readonly Policies[]) => levels.every((level) => matching('Allow', level, request).length > 0)
  const closeness = Math.max(0, ...resource.flatMap((policies) => matching('Allow', policies, request)))
  const sameAccount = identified && principal.account === request.resourceAccount
  const root =
    principal.kind === 'root' || (principal.kind === 'federated-user' && principal.issuerArn.endsWith(':root'))
  const own = (root || allow(identity)) && allow(boundary) && allow(session)

  let granted: boolean
  if (!identified) granted = closeness > 0 || handed > 0
  else if (sameAccount && closeness === 3) granted = true
  else if (sameAccount && closeness === 2) granted = allow(boundary) && allow(session)
  else if (handed > 1) granted = allow(boundary) && allow(session)
  else granted = own && (closeness > 0 || handed > 0 || (sameAccount && layers.resourceMode === 'optional'))
  return granted && allow(scps) && allow(endpoint) ? 'allowed' : 'implicitDeny'
}

function free({ action, principal }: Request): boolean {
  if (/^sts:GetCallerIdentity$/i.test(action)) return 'account' in principal
  return /^sts:GetSessionToken$/i.test(action) && (principal.kind === 'user' || principal.kind === 'root')
}

/** The closeness of every statement that matches; 3 where there are no principals. */
function matching(effect: 'Allow' | 'Deny', policies: Policies, request: Request): readonly number[] {
  const list: readonly CompiledPolicy[] = 'policies' in policies ? policies.policies : policies
  return list
    .flatMap(({ policy }) => policy.statements.map((statement) => matchStatement(statement, policy, request)))
    .filter((found) => found.closeness > 0 && found.effect === effect)
    .map((found) => found.closeness)
}

function matchStatement(statement: Statement, policy: Policy, request: Request) {
  const { effect, action, resource, conditions } = statement
  const actions = action.values.some((value) => regexp(value, 'i').test(request.action))
  const found = (resource?.values ?? ['*']).map((value) => matchResource(value, policy, request))
  const unknown = resource?.negated && effect === 'Allow' && found.includes(undefined)
  const matched =
    actions !== action.negated &&
    !unknown &&
    found.includes(true) !== (resource?.negated ?? false) &&
    conditions.every((condition) => holds(condition, effect, policy, request))
  const withPrincipal = ['resource', 'trust', 'rcp', 'endpoint'].includes(policy.kind)
  return { effect, closeness: matched ? (withPrincipal ? closeness(statement, request) : 3) : 0 }
}

function matchGrant({ statement, version }: CompiledStatement, request: Request): number {
  const policy: Policy = { kind: 'resource', version, id: undefined, statements: [statement] }
  const found = matchStatement(statement, policy, request)
  return found.effect === 'Allow' ? found.closeness : 0
}

function regexp(pattern: string, flags: string): RegExp {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, flags + 's')
}

function matchResource(pattern: string, policy: Policy, { resource, context }: Request): boolean | undefined {
  if (pattern === '*') return true
  let source = ''
  let colons = 0
  for (const piece of pieces(pattern, policy.version)) {
    if (isVariable(piece)) {
      const value = colons < 5 ? '${' + piece.name + '}' : resolve(piece, context)
      if (value === undefined) return undefined
      source += escaped(value)
    } else if (typeof piece === 'object') {
      source += escaped(piece.literal)
    } else {
      for (const [index, character] of [...piece].entries()) {
        const next = piece[index + 1]
        if (character === ':') colons++
        const inside = colons < 5
        const endsPart = next === ':' || (next === undefined && pattern.endsWith(piece))
        if (character === '*') source += inside && !endsPart ? '[^:]*' : '.*'
        else if (character === '?') source += inside ? '[^:]' : '.'
        else source += escaped(character)
      }
    }
  }
  if (colons < 5 && !pattern.endsWith('*')) source += ':.*'
  return new RegExp(`^${source}$`, 's').test(resource)
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function holds(condition: Condition, effect: string, { version }: Policy, { context }: Request): boolean {
  const parsed = parseOperator(condition.operator)
  if (!parsed) return effect === 'Deny'
  const value = context.get(condition.key)
  const values = value === undefined ? [] : typeof value === 'string' ? [value] : value
  const { compile, negated } = parsed.operator
  if (!compile) return condition.values.some((each) => each.toLowerCase() === String(values.length === 0))

  const absent = parsed.ifExists || parsed.quantifier === 'forallvalues' || (negated && !parsed.quantifier)
  if (values.length === 0) return absent
  if (values.length > 1 && !parsed.quantifier) return effect === 'Deny'
  const outcomes = values.map((each) => {
    const met = compile(condition.values, version)(each, context)
    return met === undefined ? effect === 'Deny' && absent : met !== negated
  })
  return parsed.quantifier === 'forallvalues' ? outcomes.every(Boolean) : outcomes.some(Boolean)
}

function closeness({ principal: choice, effect }: Statement, { principal, context }: Request): number {
  if (!choice) return 0
  const listed: Principals = choice.values
  const aws = listed.AWS ?? []
  const lists = (...names: string[]) => names.some((name) => aws.includes(name))
  let parts: readonly (readonly [closeness: number, listed: boolean])[]
  if (principal.kind === 'service') parts = [[3, listed.Service?.includes(principal.name) ?? false]]
  else if (principal.kind === 'anonymous') {
    parts = [[3, (listed.Federated ?? []).includes(String(context.get('aws:FederatedProvider')))]]
  } else {
    const root = aws.some(
      (name) => name === principal.account || regexp(`arn:*:iam::${principal.account}:root`, '').test(name),
    )
    parts = [[1, root]]
    if (principal.kind === 'user') parts = [...parts, [3, lists(principal.arn, principal.userId)]]
    if (principal.kind === 'role-session') {
      parts = [...parts, [2, lists(principal.roleArn, principal.roleId)], [3, lists(principal.arn)]]
    }
    if (principal.kind === 'federated-user') {
      parts = [...parts, [2, lists(principal.issuerArn, principal.issuerId)], [3, lists(principal.arn)]]
    }
  }
  const named = parts.filter((part) => part[1])
  if (!choice.negated) return lists('*') ? 3 : Math.max(0, ...named.map((part) => part[0]))
  const spared = lists('*') || (effect === 'Deny' ? named.length === parts.length : named.length > 0)
  return spared ? 0 : 3
}
