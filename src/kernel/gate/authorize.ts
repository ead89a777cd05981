/** The authorization stage: one decision for every call, by one engine, from every policy that applies. */
import type { CompiledPolicy } from '../../policy/index.ts'
import { type Decision, decide, denialMessage, type Layers, type Request } from '../../policy/index.ts'
import type { Identity } from '../ports/ports.ts'
import type { LazyConditions } from '../resource/condition-keys.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import { isUnderControlPolicies } from './actions.ts'
import { type RequestFacts, requestContext } from './context.ts'
import type { DecisionRecord } from './decisions.ts'
import { type AuthorizationMessage, Denial } from './denial.ts'

export interface AuthorizationRequest {
  readonly action: string
  /** The resource of the permission check; undefined is `*`. */
  readonly acted: ResourceFacts | undefined
  readonly input: object | undefined
  readonly conditions: LazyConditions
}

export interface AuthorizeFacts extends RequestFacts {
  readonly identity: Identity
  readonly sessionPolicies: readonly CompiledPolicy[] | undefined
  /** Actions that no resource control policy takes away, in lower case. */
  readonly exemptFromRcps?: ReadonlySet<string>
}

/** The input of one policy evaluation. */
export interface EvaluationInput {
  readonly request: Request
  readonly layers: Layers
}

export function evaluationInput(check: AuthorizationRequest, facts: AuthorizeFacts): EvaluationInput {
  const { acted, action } = check
  const { identity, sessionPolicies, caller } = facts
  const { principal } = caller
  const callerAccount = 'account' in principal ? principal.account : ''
  const request: Request = {
    principal,
    action,
    resource: acted?.arn ?? '*',
    // What AWS itself owns (`arn:aws:iam::aws:policy/…`) is open to every account: only the caller's own policies are
    // evaluated.
    resourceAccount: acted === undefined || acted.account === 'aws' ? callerAccount : acted.account,
    context: requestContext(facts, acted, check.input, check.conditions),
  }
  // The place of the layer to come: the policy of a VPC endpoint.
  const layers: Layers = {
    identity: identity.policies,
    boundary: identity.boundary,
    session: sessionPolicies,
    scps: facts.standing?.scps,
    rcps:
      facts.ownerStanding?.rcps && isUnderRcps(action, acted, facts.exemptFromRcps)
        ? facts.ownerStanding.rcps
        : undefined,
    resource: acted?.policy,
    grants: acted?.grants,
    resourceMode: acted?.policyMode ?? 'optional',
  }
  return { request, layers }
}

/** Returns what allowed it; throws the denial, with AWS's sentence and what decided. */
export function authorize(check: AuthorizationRequest, facts: AuthorizeFacts): DecisionRecord {
  const { acted } = check
  const { request, layers } = evaluationInput(check, facts)
  const decision = decide(request, layers)
  // A denial names what the caller wrote: the ARN may say more, and would show that the resource exists.
  const named = acted?.concealed !== undefined ? '*' : (acted?.requested ?? request.resource)
  const decided: DecisionRecord = {
    action: request.action,
    resource: decision.allowed ? request.resource : named,
    owner: request.resourceAccount,
    decision,
    context: request.context,
  }
  if (decision.allowed) return decided

  // A caller outside the owner's organization does not learn which of the owner's policies denied the call.
  const { standing, ownerStanding } = facts
  const callerAccount = 'account' in request.principal ? request.principal.account : ''
  const sameOrganization =
    request.resourceAccount === callerAccount ||
    request.resourceAccount === 'aws' ||
    (standing !== undefined && standing.organization === ownerStanding?.organization)
  const shown = { ...request, resource: named }
  const sentence = acted?.concealed ?? denialMessage(shown, decision, { sameOrganization })
  throw new Denial(sentence, explanation(shown, decision), decided)
}

function isUnderRcps(
  action: string,
  acted: ResourceFacts | undefined,
  exempt: ReadonlySet<string> | undefined,
): boolean {
  const name = action.toLowerCase()
  return isUnderControlPolicies(name.slice(0, name.indexOf(':'))) && !exempt?.has(name) && !acted?.aboveRcps
}

function explanation(request: Request, decision: Decision): AuthorizationMessage {
  const { principal, context } = request
  const { statement } = decision
  return {
    allowed: false,
    explicitDeny: decision.explicit,
    matchedStatements: {
      items: statement
        ? [
            {
              statementId: statement.sid ?? '',
              effect: 'DENY',
              sourcePolicyId: statement.policy.arn ?? statement.policy.id,
              sourcePolicyType: decision.layer,
            },
          ]
        : [],
    },
    failures: { items: [] },
    context: {
      principal: {
        id: 'userId' in principal ? principal.userId : principal.kind,
        ...('name' in principal && { name: principal.name }),
        arn: 'arn' in principal ? principal.arn : principal.kind,
      },
      action: request.action,
      resource: request.resource,
      conditions: {
        items: [...context.entries()].map(([key, values]) => ({
          key,
          values: { items: values.map((value) => ({ value })) },
        })),
      },
    },
  }
}
