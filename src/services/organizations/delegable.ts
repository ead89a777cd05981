/**
 * What the delegation policy may open to members, by operation.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
 */
export const DELEGABLE: ReadonlySet<string> = new Set([
  // policies
  'CreatePolicy',
  'UpdatePolicy',
  'DeletePolicy',
  'AttachPolicy',
  'DetachPolicy',
  'EnablePolicyType',
  'DisablePolicyType',
  'TagResource',
  'UntagResource',
  // reading
  'DescribeAccount',
  'DescribeCreateAccountStatus',
  'DescribeEffectivePolicy',
  'DescribeHandshake',
  'DescribeOrganization',
  'DescribeOrganizationalUnit',
  'DescribePolicy',
  'DescribeResourcePolicy',
  'ListAccounts',
  'ListAccountsForParent',
  'ListAccountsWithInvalidEffectivePolicy',
  'ListAWSServiceAccessForOrganization',
  'ListChildren',
  'ListCreateAccountStatus',
  'ListDelegatedAdministrators',
  'ListDelegatedServicesForAccount',
  'ListEffectivePolicyValidationErrors',
  'ListHandshakesForAccount',
  'ListHandshakesForOrganization',
  'ListOrganizationalUnitsForParent',
  'ListParents',
  'ListPolicies',
  'ListPoliciesForTarget',
  'ListRoots',
  'ListTagsForResource',
  'ListTargetsForPolicy',
])

const lower = new Set([...DELEGABLE].map((name) => `organizations:${name.toLowerCase()}`))

/** As a policy writes it. What a wildcard reaches beyond the table stays closed. */
export function isDelegable(action: string): boolean {
  return /[*?]/.test(action) ? /^(\*|organizations:)/i.test(action) : lower.has(action.toLowerCase())
}
