/** The policy simulator: evaluates hypothetical calls with the engine that decides real ones. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../../kernel/gate/call.ts'
import { parseArn } from '../../../kernel/resource/arn.ts'
import type { Conditions } from '../../../kernel/resource/conditions.ts'
import { anything } from '../../../kernel/resource/target.ts'
import {
  type CompiledPolicy,
  Context,
  compilePolicy,
  compileSet,
  contextKeysOf,
  type Explanation,
  explain,
  type Layers,
  type MatchedStatement,
  PolicyError,
  type PolicyKind,
  type Principal,
  parsePolicy,
  type Statement,
} from '../../../policy/index.ts'
import { listItems } from '../lists.ts'
import { user } from '../resources.ts'
import { iam } from '../words.ts'
import {
  boundaryOf,
  conditionsOf,
  policiesOf,
  policySource,
  principalOf,
  type SourcedPolicy,
  type SourceType,
} from './simulated-principals.ts'

export const simulateCustomPolicy = iam
  .operation('SimulateCustomPolicy')
  .on(anything)
  .run((call, input) => {
    if (input.ResourcePolicy !== undefined && input.CallerArn === undefined) throw callerNeeded()
    const caller = callerNamed(call, input.CallerArn ?? user.arn(call, { name: 'simulated' }))
    return simulate(call, input, {
      policies: givenPolicies(input.PolicyInputList),
      boundary: undefined,
      principal: caller,
      conditions: input.CallerArn === undefined ? {} : conditionsOfCaller(caller),
    })
  })

export const simulatePrincipalPolicy = iam
  .operation('SimulatePrincipalPolicy')
  .on(policySource)
  .run(async (call, input, source) => {
    if (input.ResourcePolicy !== undefined && input.CallerArn === undefined && source.kind !== 'user') {
      throw callerNeeded()
    }
    const principal = input.CallerArn === undefined ? principalOf(call, source) : callerNamed(call, input.CallerArn)
    return simulate(call, input, {
      policies: [...(await policiesOf(call, source)), ...givenPolicies(input.PolicyInputList)],
      boundary: await boundaryOf(call, source),
      principal,
      conditions: input.CallerArn === undefined ? conditionsOf(source, principal) : conditionsOfCaller(principal),
    })
  })

export const getContextKeysForCustomPolicy = iam
  .operation('GetContextKeysForCustomPolicy')
  .on(anything)
  .run((_call, input) => ({ ContextKeyNames: keysOf(givenPolicies(input.PolicyInputList)) }))

export const getContextKeysForPrincipalPolicy = iam
  .operation('GetContextKeysForPrincipalPolicy')
  .on(policySource)
  .run(async (call, input, source) => ({
    ContextKeyNames: keysOf([...(await policiesOf(call, source)), ...givenPolicies(input.PolicyInputList)]),
  }))

/** The input of both simulations. */
interface SimulationInput {
  readonly ActionNames: readonly string[]
  readonly ResourceArns?: readonly string[] | undefined
  readonly ResourcePolicy?: string | undefined
  readonly ResourceOwner?: string | undefined
  readonly PermissionsBoundaryPolicyInputList?: readonly string[] | undefined
  readonly ContextEntries?: readonly Entry[] | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

interface Entry {
  readonly ContextKeyName?: string | undefined
  readonly ContextKeyValues?: readonly string[] | undefined
  readonly ContextKeyType?: string | undefined
}

/** The simulated caller, and its policies. */
interface Simulated {
  readonly policies: readonly SourcedPolicy[]
  readonly boundary: CompiledPolicy | undefined
  readonly principal: Principal
  readonly conditions: Conditions
}

async function simulate(call: Call, input: SimulationInput, simulated: Simulated) {
  const { principal } = simulated
  const boundary = givenBoundary(input.PermissionsBoundaryPolicyInputList) ?? simulated.boundary
  const resource = input.ResourcePolicy === undefined ? undefined : givenResourcePolicy(input.ResourcePolicy)
  const standing =
    'account' in principal && principal.account === call.account
      ? await call.ports.organizations.standing(call.account)
      : undefined
  const layers: Layers = {
    identity: compileSet(simulated.policies.map(({ compiled }) => compiled)),
    ...(boundary && { boundary }),
    ...(resource && { resource }),
    ...(standing?.scps && { scps: standing.scps }),
    resourceMode: 'optional',
  }
  const types = new Map<unknown, SourceType>(simulated.policies.map(({ compiled, type }) => [compiled.source, type]))
  if (resource) types.set(resource.source, 'resource')

  const owner = ownerOf(call, input.ResourceOwner)
  const crossAccount = 'account' in principal && principal.account !== owner
  const context = { ...timeOf(call), ...simulated.conditions }
  const questions = questionsOf(input)
  const { items, rest } = await listItems(call, questions, ({ order }) => order, input)
  requireAffordable(items.length, [
    ...simulated.policies.map(({ compiled }) => compiled),
    ...(boundary ? [boundary] : []),
    ...(resource ? [resource] : []),
  ])
  const results = items.map(({ action, resource: arn }): IAM.EvaluationResult => {
    const request = { principal, action, resource: arn, resourceAccount: owner, context: contextOf(context, input) }
    const explanation = explain(request, layers)
    const result = {
      MatchedStatements: deciding(explanation).map((statement) => shownStatement(statement, types)),
      MissingContextValues: [...explanation.missing],
      ...(boundary && {
        PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allows(explanation, 'boundary') },
      }),
      ...(standing && {
        OrganizationsDecisionDetail: { AllowedByOrganizations: !standing.scps || allows(explanation, 'scp') },
      }),
      EvalDecisionDetails: crossAccount ? bothSides(explanation) : {},
    }
    const decision = decisionOf(explanation)
    return {
      EvalActionName: action,
      EvalResourceName: arn,
      EvalDecision: decision,
      ...result,
      ResourceSpecificResults: input.ResourceArns?.length
        ? [{ EvalResourceName: arn, EvalResourceDecision: decision, ...result }]
        : [],
    }
  })
  return { EvaluationResults: results, ...rest }
}

interface Question {
  /** In the order of the request. */
  readonly order: string
  readonly action: string
  readonly resource: string
}

/** Simulations of one request, on all its pages. */
const SIMULATIONS_MAX = 10_000
/** What the simulations of one page may cost, in statements and their patterns compared. */
const PAGE_STEPS_MAX = 2_000_000

function requireAffordable(simulations: number, policies: readonly CompiledPolicy[]): void {
  const cost = policies
    .flatMap(({ policy }) => policy.statements)
    .reduce((sum, statement) => sum + costOf(statement), 0)
  if (simulations * cost <= PAGE_STEPS_MAX) return
  throw invalid(
    `The policies are too large to simulate ${simulations} actions at once. Use MaxItems, or name fewer actions and resources.`,
  )
}

const costOf = ({ action, resource, conditions }: Statement): number =>
  1 +
  action.values.length +
  (resource?.values.length ?? 0) +
  conditions.reduce((sum, { values }) => sum + values.length, 0)

function questionsOf(input: SimulationInput): readonly Question[] {
  const resources = input.ResourceArns?.length ? input.ResourceArns : ['*']
  if (input.ActionNames.length * resources.length > SIMULATIONS_MAX) {
    throw invalid(`${SIMULATIONS_MAX} pairs of an action and a resource can be simulated at once. Name fewer of them.`)
  }
  for (const arn of resources) if (arn !== '*' && !parseArn(arn)) throw invalid(`Invalid Resource Arn: ${arn}`)
  return input.ActionNames.flatMap((action, i) => {
    if (!/^[a-z0-9-]+:[a-z0-9]+$/i.test(action)) throw invalid(`Invalid Action: ${action}`)
    const order = (k: number) => `${String(i).padStart(6, '0')}/${String(k).padStart(6, '0')}`
    return resources.map((resource, k) => ({ order: order(k), action, resource }))
  })
}

function givenPolicies(texts: readonly string[] | undefined): readonly SourcedPolicy[] {
  return (texts ?? []).map((text, i) => ({
    compiled: given(text, 'identity', `PolicyInputList.${i + 1}`),
    type: 'none',
  }))
}

/** AWS takes one boundary, in a list. */
function givenBoundary(texts: readonly string[] | undefined): CompiledPolicy | undefined {
  if (!texts?.length) return undefined
  if (texts.length > 1) throw invalid('Only one permissions boundary policy can be specified.')
  return given(texts[0]!, 'boundary', 'PermissionsBoundaryPolicyInputList.1')
}

const givenResourcePolicy = (text: string) => given(text, 'resource', 'ResourcePolicy')

function given(text: string, kind: PolicyKind, id: string): CompiledPolicy {
  try {
    return compilePolicy(parsePolicy(text, kind), { id, kind })
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw invalid(`The policy ${id} is malformed: ${error.message} (line ${error.line}, column ${error.column})`)
  }
}

/** A user as the simulator takes it: the account and the name that its ARN says. */
function callerNamed(call: Call, arn: string): Principal {
  const parsed = parseArn(arn)
  const [kind, ...path] = parsed?.service === 'iam' ? parsed.resource.split('/') : []
  const name = path.at(-1)
  if (kind !== 'user' || !name || !/^\d{12}$/.test(parsed?.account ?? '')) {
    throw invalid(`Invalid Caller Arn: ${arn} must be the ARN of an IAM user.`)
  }
  return { kind: 'user', account: parsed?.account ?? call.account, arn, userId: '', name, tags: {} }
}

/** Of a caller that only its ARN is known of. */
function conditionsOfCaller(caller: Principal): Conditions {
  if (caller.kind !== 'user') return {}
  return {
    'aws:PrincipalArn': caller.arn,
    'aws:PrincipalAccount': caller.account,
    'aws:PrincipalType': 'User',
    'aws:PrincipalIsAWSService': 'false',
    'aws:username': caller.name,
  }
}

/** Twelve digits, or an ARN that carries them. */
function ownerOf(call: Call, owner: string | undefined): string {
  if (owner === undefined) return call.account
  const account = parseArn(owner)?.account ?? owner
  if (!/^\d{12}$/.test(account)) throw invalid(`Invalid Resource Owner: ${owner}`)
  return account
}

const timeOf = (call: Call): Conditions => ({
  'aws:CurrentTime': new Date(call.now).toISOString(),
  'aws:EpochTime': String(Math.floor(call.now / 1000)),
})

/** What the question says of itself comes before what we know. */
function contextOf(known: Conditions, input: SimulationInput): Context {
  const context = new Context(known)
  for (const { ContextKeyName: name, ContextKeyValues: values = [], ContextKeyType: type } of input.ContextEntries ??
    []) {
    if (name === undefined || values.length === 0) continue
    const many = type?.endsWith('List') ?? values.length > 1
    if (!many && values.length > 1) throw invalid(`The context key ${name} of type ${type} takes one value.`)
    context.set(name, many ? values : values[0]!)
  }
  return context
}

function decisionOf({ allowed, explicit }: Explanation): IAM.PolicyEvaluationDecisionType {
  return allowed ? 'allowed' : explicit ? 'explicitDeny' : 'implicitDeny'
}

/**
 * AWS: one denying statement is enough, and is then all that is shown; a boundary alone allows nothing, and members may
 * not see the organization's policies.
 */
function deciding({ explicit, layers }: Explanation): readonly MatchedStatement[] {
  const wanted = explicit ? 'Deny' : 'Allow'
  return layers
    .filter(({ layer }) => layer !== 'scp' && (explicit || layer !== 'boundary'))
    .flatMap(({ statements }) => statements.filter(({ effect }) => effect === wanted))
}

function allows({ layers }: Explanation, layer: 'boundary' | 'identity' | 'resource' | 'scp'): boolean {
  return layers.find((each) => each.layer === layer)?.outcome === 'allowed'
}

/** Across accounts each side must allow: the result of each side alone. */
function bothSides({ layers }: Explanation): Record<string, IAM.PolicyEvaluationDecisionType> {
  const said = (layer: 'identity' | 'resource') => {
    const outcome = layers.find((each) => each.layer === layer)?.outcome
    return outcome === undefined || outcome === 'none' ? ('implicitDeny' as const) : outcome
  }
  return { 'IAM Policy': said('identity'), 'Resource Policy': said('resource') }
}

/** AWS answers `IAM Policy` for every policy of an identity, whatever its model's enumeration says. */
function shownType(type: SourceType | undefined): IAM.PolicySourceType {
  return type === 'resource' ? type : ('IAM Policy' as IAM.PolicySourceType)
}

function shownStatement(statement: MatchedStatement, types: ReadonlyMap<unknown, SourceType>): IAM.Statement {
  return {
    SourcePolicyId: statement.policy.id,
    SourcePolicyType: shownType(types.get(statement.policy)),
    // AWS counts a column more than usual, at both ends: measured on policies of one line.
    StartPosition: { Line: statement.start.line, Column: statement.start.column + 2 },
    EndPosition: { Line: statement.end.line, Column: statement.end.column + 1 },
  }
}

/** Each once, whatever its case, as first written; in order. */
function keysOf(policies: readonly SourcedPolicy[]): string[] {
  const keys = new Map<string, string>()
  for (const { compiled } of policies) {
    for (const key of contextKeysOf(compiled)) if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key)
  }
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key)
}

function callerNeeded() {
  return invalid('CallerArn must be specified when ResourcePolicy is present and the source is not a user.')
}

function invalid(message: string) {
  return iam.fail('InvalidInputException', message)
}
