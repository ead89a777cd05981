/** The kinds of policies an organization may hold, and what each demands of its documents. */
import type * as Organizations from '@aws-sdk/client-organizations'
import { checkRcp, checkScp } from './control-policy.ts'
import { checkManagementPolicy } from './management-policy.ts'
import { type OrganizationRow, organizations } from './resources.ts'

export type PolicyType = Organizations.PolicyType

interface TypeRules {
  /** Characters, white space included. */
  readonly lengthMax: number
  readonly attachmentsMax: number
  /** Of management policies, the member that contains the whole document. */
  readonly topic?: string
  /** Allowed everywhere by a policy of AWS's own, without which nothing passes. */
  readonly fullAccess?: {
    readonly id: string
    readonly name: string
    readonly content: string
    readonly detachable: boolean
  }
  /** Throws a `PolicyError` or `SyntaxError` when the document is none of its kind. */
  readonly check: (content: string) => void
}

const FULL = (principal: boolean): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', ...(principal && { Principal: '*' }), Action: '*', Resource: '*' }],
  })

/** Management policies are JSON below one name of their own. */
const management = (name: string, lengthMax = 10_000): TypeRules => ({
  lengthMax,
  attachmentsMax: 10,
  topic: name,
  check: (content) => checkManagementPolicy(content, name),
})

/** Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
export const policyTypes: Readonly<Record<PolicyType, TypeRules>> = {
  SERVICE_CONTROL_POLICY: {
    lengthMax: 5_120,
    attachmentsMax: 5,
    fullAccess: { id: 'p-FullAWSAccess', name: 'FullAWSAccess', content: FULL(false), detachable: true },
    check: checkScp,
  },
  RESOURCE_CONTROL_POLICY: {
    lengthMax: 5_120,
    attachmentsMax: 5,
    fullAccess: { id: 'p-RCPFullAWSAccess', name: 'RCPFullAWSAccess', content: FULL(true), detachable: false },
    check: checkRcp,
  },
  TAG_POLICY: management('tags'),
  BACKUP_POLICY: management('plans'),
  AISERVICES_OPT_OUT_POLICY: management('services', 2_500),
  CHATBOT_POLICY: management('chatbot'),
  DECLARATIVE_POLICY_EC2: management('ec2_attributes'),
  SECURITYHUB_POLICY: management('securityhub'),
  INSPECTOR_POLICY: management('inspector'),
  UPGRADE_ROLLOUT_POLICY: management('upgrade_rollout'),
  BEDROCK_POLICY: management('bedrock'),
  S3_POLICY: management('s3_attributes'),
  NETWORK_SECURITY_DIRECTOR_POLICY: management('network_security_director'),
  GUARDDUTY_POLICY: management('guardduty'),
  SECURITYHUB_CSPM_POLICY: management('securityhub_cspm'),
}

/** The type, when the organization may have policies of it. */
export function availableType({ features }: Pick<OrganizationRow, 'features'>, type: PolicyType): PolicyType {
  if (features === 'ALL') return type
  throw organizations.fail(
    'PolicyTypeNotAvailableForOrganizationException',
    'Policies need an organization with all features enabled.',
  )
}

/** The type whose full-access policy bears this id. */
export function typeOfFullAccess(policyId: string): PolicyType | undefined {
  return (Object.keys(policyTypes) as PolicyType[]).find((type) => policyTypes[type].fullAccess?.id === policyId)
}
