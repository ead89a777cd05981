/**
 * Identity-provider controls: OpenID Connect providers whose issuer many organizations share. A role that trusts one
 * must require a claim that identifies one organization; otherwise everyone with an account there could take it.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
 */
import type { Policy, Statement } from '../../../policy/index.ts'
import { iam } from '../words.ts'

/** GitHub's claims beside the subject that name one repository, owner or enterprise. */
const OF_GITHUB = [
  'sub',
  'job_workflow_ref',
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'enterprise_id',
]

/** Any one of the claims suffices. */
const CONTROLS: Readonly<Record<string, readonly string[]>> = {
  'token.actions.githubusercontent.com': OF_GITHUB,
  'gitlab.com': ['sub', 'namespace_id', 'project_id'],
  'agent.buildkite.com': ['sub', 'organization_id', 'organization_slug', 'cluster_id', 'pipeline_id'],
  'app.terraform.io': ['sub'],
  'oidc.codefresh.io': ['sub'],
  'proidc.upbound.io': ['sub'],
  'api.pulumi.com/oidc': ['aud'],
  'oidc.vercel.com': ['aud'],
  'cognito-identity.amazonaws.com': ['aud'],
}

const PROVIDER_ARN = /^arn:[\w-]+:iam::\d{12}:oidc-provider\//

/** Throws for a trust policy that opens its role to every organization of a shared provider. */
export function assertIssuerControls({ statements }: Pick<Policy, 'statements'>): void {
  for (const { effect, principal, conditions } of statements) {
    if (effect !== 'Allow') continue
    for (const name of principal?.values.Federated ?? []) {
      const issuer = name.replace(PROVIDER_ARN, '')
      const wanted = Object.hasOwn(CONTROLS, issuer) ? CONTROLS[issuer]! : []
      if (wanted.length === 0 || conditions.some((condition) => isControl(condition, issuer, wanted))) continue
      throw iam.fail(
        'MalformedPolicyDocumentException',
        `The trust policy must evaluate a condition on ${wanted.map((claim) => `${issuer}:${claim}`).join(' or ')}: the provider is shared by many organizations.`,
      )
    }
  }
}

/** A condition that a token without the claim does not meet, and that not every value meets. */
function isControl(
  { operator, key, values }: Statement['conditions'][number],
  issuer: string,
  wanted: readonly string[],
): boolean {
  const isTested = wanted.some((claim) => key.toLowerCase() === `${issuer}:${claim}`)
  const isPositive = /^(ForAnyValue:)?String(Equals|EqualsIgnoreCase|Like)$/i.test(operator)
  return isTested && isPositive && values.length > 0 && values.every((value) => !/^[*?]*$/.test(value))
}
