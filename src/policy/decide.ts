/**
 * The decision: every layer's denials first, then who must allow.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { type CompiledPolicy, type CompiledStatement, PolicySet } from './compile.ts'
import type { Decision, Layer, Layers, Policies, Request, Statement } from './decision.ts'
import type { Principal } from './principal.ts'
import { ACCOUNT, type Closeness, DIRECT, ENTITY, NONE } from './principals.ts'
import type { ResourceIndex } from './resource-index.ts'

/** Identities authenticate with these; no policy of any kind controls them. */
const FREE: Readonly<Record<string, (principal: Principal) => boolean>> = {
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
  'sts:getcalleridentity': (principal) => 'account' in principal,
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
  'sts:getsessiontoken': (principal) => principal.kind === 'user' || principal.kind === 'root',
}

/** What can't be evaluated is denied. */
export function decide(request: Request, layers: Layers): Decision {
  try {
    return decideOpenly(request, layers)
  } catch (error) {
    return { allowed: false, explicit: false, layer: 'identity', error }
  }
}

function decideOpenly(request: Request, layers: Layers): Decision {
  const action = request.action.toLowerCase()
  if (isFree(action, request.principal)) return { allowed: true, explicit: false, layer: 'identity' }
  const { principal } = request
  const applied = applicable(request, layers)

  for (const { layer, sets } of applied) {
    for (const set of sets) {
      const denied = firstMatch(set.candidates(action).deny, request)
      if (denied) return { allowed: false, explicit: true, layer, statement: denied }
    }
  }

  for (const { layer, sets } of applied) {
    if (layer !== 'scp' && layer !== 'endpoint') continue
    for (const set of sets) if (!firstMatch(set.candidates(action).allow, request)) return refused(layer)
  }

  const granted = applied.find((each) => each.isResource)
  const grant = granted ? closestGrant(granted.sets[0]!.candidates(action).allow.all, request) : undefined
  const closeness = grant?.closeness ?? NONE
  const resourceLayer = granted?.layer ?? 'resource'
  const allowedByResource = (): Decision => ({
    allowed: true,
    explicit: false,
    layer: resourceLayer,
    ...(grant && { statement: grant.statement }),
  })

  const handed = handedGrant(action, request, layers)
  const allowedByGrant = (): Decision => ({
    allowed: true,
    explicit: false,
    layer: 'resource',
    statement: handed!.statement,
  })

  if (principal.kind === 'service' || principal.kind === 'anonymous') {
    if (closeness !== NONE) return allowedByResource()
    return handed ? allowedByGrant() : refused(resourceLayer)
  }
  const sameAccount = principal.account === request.resourceAccount
  if (sameAccount && closeness === DIRECT) return allowedByResource()
  const named = closeness !== NONE || handed !== undefined
  if (!named && layers.resourceMode === 'required') return refused(trustOr(layers))

  let decided: Decision
  if (sameAccount && closeness === ENTITY) {
    decided = allowedByResource()
  } else if (handed && handed.closeness !== ACCOUNT) {
    decided = allowedByGrant()
  } else if (hasRootAuthority(principal)) {
    decided = { allowed: true, explicit: false, layer: 'identity' }
  } else {
    const statement = firstMatch(setOf(layers.identity).candidates(action).allow, request)
    if (!statement) return refused('identity')
    decided = { allowed: true, explicit: false, layer: 'identity', statement }
  }
  for (const layer of ['boundary', 'session'] as const) {
    const limit = applied.find((each) => each.layer === layer)
    if (limit && !limit.sets.some((set) => firstMatch(set.candidates(action).allow, request))) return refused(layer)
  }
  // Refused last: a missing permission of the caller's own side can be added by the caller's administrator, this one by
  // the owner.
  return !sameAccount && !named ? refused(resourceLayer) : decided
}

export interface AppliedLayer {
  readonly layer: Layer
  readonly isResource: boolean
  /** Each level of an organization separately; one set for every other layer, none for a session granted nothing. */
  readonly sets: readonly PolicySet[]
}

/** Which layers bear on this caller, in the order of evaluation. */
export function applicable(request: Request, layers: Layers): readonly AppliedLayer[] {
  const { principal } = request
  const serviceLinked = principal.kind === 'role-session' && principal.serviceLinked
  const identified = principal.kind !== 'service' && principal.kind !== 'anonymous'
  const applied: AppliedLayer[] = []
  const push = (layer: Layer, sets: readonly PolicySet[], isResource = false) =>
    applied.push({ layer, sets, isResource })

  if (layers.rcps && !serviceLinked) push('rcp', layers.rcps.map(setOf))
  if (layers.scps && identified && !serviceLinked) push('scp', layers.scps.map(setOf))
  if (layers.endpoint) push('endpoint', [setOfOne(layers.endpoint)])
  if (layers.resource) push(trustOr(layers), [setOfOne(layers.resource)], true)
  if (identified) {
    push('identity', [setOf(layers.identity)])
    if (layers.boundary && principal.kind !== 'root') push('boundary', [setOfOne(layers.boundary)])
    const session = layers.session ?? sessionWithout(principal)
    if (session) push('session', [setOf(session)])
  }
  return applied
}

const NO_POLICIES: readonly CompiledPolicy[] = []

/**
 * A federated user has the permissions that its session policies grant, and none without them; other sessions are not
 * limited then. Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
 */
const sessionWithout = ({ kind }: Principal): Policies | undefined =>
  kind === 'federated-user' ? NO_POLICIES : undefined

/** Root needs no policy; a federated session it opened starts from the same, and its session policies narrow it. */
function hasRootAuthority(principal: Principal): boolean {
  if (principal.kind === 'federated-user') return principal.issuerArn.endsWith(`::${principal.account}:root`)
  return principal.kind === 'root'
}

function trustOr(layers: Layers): Layer {
  return layers.resource?.source.kind === 'trust' ? 'trust' : 'resource'
}

export function isFree(action: string, principal: Principal): boolean {
  return Object.hasOwn(FREE, action) && FREE[action]!(principal)
}

function refused(layer: Layer): Decision {
  return { allowed: false, explicit: false, layer }
}

function firstMatch(statements: ResourceIndex, request: Request): Statement | undefined {
  return statements.find(
    request.resource,
    (statement) => applies(statement, request) && (!statement.condition || statement.condition(request.context)),
  )
}

/** All but the action, which the index has tested, and the condition. */
export function applies(statement: CompiledStatement, request: Request): boolean {
  const { context } = request
  return (
    (!statement.principal || statement.principal(request.principal, context) !== NONE) &&
    (!statement.resource || statement.resource(request.resource, context) === true)
  )
}

export interface Grant {
  readonly closeness: Closeness
  readonly statement: Statement
}

/** The Allow of a resource policy that names the caller most closely. */
function closestGrant(statements: readonly CompiledStatement[], request: Request): Grant | undefined {
  let best: Grant | undefined
  const { principal, context } = request
  for (const statement of statements) {
    const closeness = statement.principal?.(principal, context) ?? NONE
    if (closeness <= (best?.closeness ?? NONE)) continue
    if (statement.resource && !statement.resource(request.resource, context)) continue
    if (statement.condition && !statement.condition(context)) continue
    best = { closeness, statement }
    if (closeness === DIRECT) break
  }
  return best
}

/** The grant that names the caller most closely. */
function handedGrant(action: string, request: Request, { grants }: Layers): Grant | undefined {
  if (!grants || grants.length === 0) return undefined
  return closestGrant(
    grants.filter((statement) => statement.effect === 'Allow' && statement.action(action)),
    request,
  )
}

const ones = new WeakMap<CompiledPolicy, PolicySet>()
const lists = new WeakMap<readonly CompiledPolicy[], PolicySet>()

function setOfOne(policy: CompiledPolicy): PolicySet {
  let set = ones.get(policy)
  if (!set) ones.set(policy, (set = new PolicySet([policy])))
  return set
}

export function setOf(policies: Policies): PolicySet {
  if (policies instanceof PolicySet) return policies
  let set = lists.get(policies)
  if (!set) lists.set(policies, (set = new PolicySet(policies)))
  return set
}
