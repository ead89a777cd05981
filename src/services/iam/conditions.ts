/**
 * The condition keys of IAM that a request or its resource holds; operations supply the rest by `given`.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
import type { AbsentKeys, ConditionKeyTable } from '../../kernel/condition-keys.ts'

export const conditionKeys: ConditionKeyTable = {
  'iam:OrganizationsPolicyId': ({ input }) => input.OrganizationsPolicyId,
  'iam:PermissionsBoundary': ({ row }) => row?.boundary,
}

const NO_SECURITY_KEYS = 'FIDO security keys are not built: MFA devices are virtual'

export const absentKeys: AbsentKeys = {
  'iam:FIDO-FIPS-140-2-certification': NO_SECURITY_KEYS,
  'iam:FIDO-FIPS-140-3-certification': NO_SECURITY_KEYS,
  'iam:FIDO-certification': NO_SECURITY_KEYS,
  'iam:RegisterSecurityKey': NO_SECURITY_KEYS,
  'iam:RoleTemplateARN': 'role templates are not built',
}
