/**
 * A denial with AWS's text.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
import type { Decision, Layer, Request } from './decision.ts'
import type { Principal } from './principal.ts'

export interface DenialOptions {
  /** Of the caller with the owner of the resource. Callers outside it do not learn the reason. Default: true. */
  readonly sameOrganization?: boolean
}

interface Words {
  readonly explicit: string
  readonly implicit: string
  /** The policy is named by its ARN. */
  readonly named: boolean
}

const WORDS: Readonly<Record<Layer, Words>> = {
  scp: words('a service control policy', 'no service control policy allows', true),
  rcp: words('a resource control policy', 'no resource control policy allows', true),
  endpoint: words('a VPC endpoint policy', 'no VPC endpoint policy allows', false),
  boundary: words('a permissions boundary', 'no permissions boundary allows', true),
  session: words('a session policy', 'no session policy allows', true),
  identity: words('an identity-based policy', 'no identity-based policy allows', true),
  resource: words('a resource-based policy', 'no resource-based policy allows', false),
  trust: words('the role trust policy', 'no role trust policy allows', false),
}

function words(explicit: string, implicit: string, named: boolean): Words {
  return { explicit, implicit, named }
}

export function denialMessage(request: Request, decision: Decision, options: DenialOptions = {}): string {
  const { action, resource, principal } = request
  if (principal.kind === 'anonymous') return `Not authorized to perform ${action}`
  const on = resource === '*' ? '' : ` on resource: ${resource}`
  const sentence = `User: ${nameOf(principal)} is not authorized to perform: ${action}${on}`
  if (options.sameOrganization === false) return sentence

  const { explicit, implicit, named } = WORDS[decision.layer]
  if (!decision.explicit) return `${sentence} because ${implicit} the ${action} action`
  const arn = named ? decision.statement?.policy.arn : undefined
  return `${sentence} with an explicit deny in ${explicit}${arn ? `: ${arn}` : ''}`
}

function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case 'service':
      return principal.name
    case 'anonymous':
      return 'anonymous'
    default:
      return principal.arn
  }
}
