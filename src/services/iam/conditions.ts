/**
 * The condition keys of IAM. Operations supply those of a credential, which their target does not find.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */

import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'

export const conditionKeys: ConditionKeyTable = {
  'iam:OrganizationsPolicyId': ({ input }) => input.OrganizationsPolicyId,
  'iam:AWSServiceName': ({ input }) => input.AWSServiceName,
  /** The boundary to be set; else the one that the user or role has. */
  'iam:PermissionsBoundary': ({ input, row }) => input.PermissionsBoundary ?? row?.row?.boundary,
  'iam:PolicyARN': ({ input }) => input.PolicyArn,
  'iam:ServiceSpecificCredentialAgeDays': ({ input }) => input.CredentialAgeDays?.toString(),
}

const NO_SECURITY_KEYS = 'passkeys are registered without attestation: their certification is not known'

export const absentKeys: AbsentKeys = {
  'iam:FIDO-FIPS-140-2-certification': NO_SECURITY_KEYS,
  'iam:FIDO-FIPS-140-3-certification': NO_SECURITY_KEYS,
  'iam:FIDO-certification': NO_SECURITY_KEYS,
  'iam:RegisterSecurityKey': NO_SECURITY_KEYS,
  'iam:RoleTemplateARN': 'role templates are not built',
}
