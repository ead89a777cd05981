/**
 * Facts about the caller's account for the linter. The caller learns by them which names exist, so each kind of name is looked
 * up only for callers that may list it, and the client IDs of a provider only for callers that may read that provider.
 */
import type { Call } from '../../kernel/gate/call.ts'
import { Denial } from '../../kernel/gate/denial.ts'
import type { LookedUpFacts } from '../../kernel/ports/analyses.ts'
import { arnsToLookUp } from '../../policy/index.ts'

const LISTED: Readonly<Record<string, readonly [action: string, resource: string]>> = {
  user: ['iam:ListUsers', 'user/'],
  role: ['iam:ListRoles', 'role/'],
  'assumed-role': ['iam:ListRoles', 'role/'],
  policy: ['iam:ListPolicies', 'policy/'],
  'oidc-provider': ['iam:ListOpenIDConnectProviders', 'oidc-provider/*'],
  'saml-provider': ['iam:ListSAMLProviders', 'saml-provider/*'],
}

export async function accountFacts(call: Call, text: string): Promise<LookedUpFacts> {
  const arns = arnsToLookUp(text, call.account)
  const kinds = new Set(arns.map(kindOf))
  const listable = new Set<string>()
  for (const kind of kinds) {
    const [action, resource] = LISTED[kind] ?? []
    if (action && (await mayCall(call, action, `arn:aws:iam::${call.account}:${resource}`))) listable.add(kind)
  }
  const existing = new Map<string, boolean>()
  const audiences = new Map<string, readonly string[]>()
  for (const arn of arns) {
    if (!listable.has(kindOf(arn))) continue
    const exists = await call.ports.identity.exists(call.unit, arn)
    if (exists !== undefined) existing.set(arn, exists)
    const clientIds = exists && kindOf(arn) === 'oidc-provider' ? await clientIdsOf(call, arn) : undefined
    if (clientIds) audiences.set(arn, clientIds)
  }
  return { account: call.account, existing, audiences }
}

/** `oidc-provider` */
const kindOf = (arn: string): string => arn.split(':')[5]!.split('/')[0]!

async function clientIdsOf(call: Call, arn: string): Promise<readonly string[] | undefined> {
  const issuer = arn.slice(arn.indexOf('/') + 1)
  const provider = await call.ports.identity.oidcProvider(call.unit, call.account, issuer)
  if (!provider) return undefined
  const resource = { arn: provider.arn, type: 'AWS::IAM::OIDCProvider', account: call.account, tags: provider.tags }
  return (await mayCall(call, 'iam:GetOpenIDConnectProvider', resource)) ? provider.clientIds : undefined
}

async function mayCall(call: Call, action: string, resource: Parameters<Call['authorize']>[1]): Promise<boolean> {
  try {
    await call.authorize(action, resource)
    return true
  } catch (error) {
    if (error instanceof Denial) return false
    throw error
  }
}
