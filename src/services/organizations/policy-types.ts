/** The kinds of policies an organisation may hold, and what each demands of its documents. */
import type * as Organizations from '@aws-sdk/client-organizations'
import { parsePolicy } from '../../policy/index.ts'

export type PolicyType = Organizations.PolicyType

interface TypeRules {
  /** Characters, white space included. */
  readonly lengthMax: number
  readonly attachmentsMax: number
  /** Allowed everywhere by a policy of AWS's own, without which nothing passes. */
  readonly fullAccess?: {
    readonly id: string
    readonly name: string
    readonly content: string
    readonly detachable: boolean
  }
  /** Throws a sentence when the document is none of its kind. */
  readonly check: (content: string) => void
}

const FULL = (principal: boolean): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', ...(principal && { Principal: '*' }), Action: '*', Resource: '*' }],
  })

const authorisation = (kind: 'scp' | 'rcp') => (content: string) => void parsePolicy(content, kind)

/** Management policies are JSON objects below one name of their own. */
const management =
  (...names: readonly string[]) =>
  (content: string) => {
    const document: unknown = JSON.parse(content)
    const given =
      typeof document === 'object' && document !== null && !Array.isArray(document) ? Object.keys(document) : []
    if (given.length === 0 || given.some((name) => !names.includes(name))) throw new SyntaxError('not of this type')
  }

const plain = (...names: readonly string[]): TypeRules => ({
  lengthMax: 10_000,
  attachmentsMax: 10,
  check: management(...names),
})

/** Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
export const policyTypes: Readonly<Partial<Record<PolicyType, TypeRules>>> = {
  SERVICE_CONTROL_POLICY: {
    lengthMax: 5_120,
    attachmentsMax: 5,
    fullAccess: { id: 'p-FullAWSAccess', name: 'FullAWSAccess', content: FULL(false), detachable: true },
    check: authorisation('scp'),
  },
  RESOURCE_CONTROL_POLICY: {
    lengthMax: 5_120,
    attachmentsMax: 5,
    fullAccess: { id: 'p-RCPFullAWSAccess', name: 'RCPFullAWSAccess', content: FULL(true), detachable: false },
    check: authorisation('rcp'),
  },
  TAG_POLICY: plain('tags'),
  BACKUP_POLICY: plain('plans'),
  AISERVICES_OPT_OUT_POLICY: { ...plain('services'), lengthMax: 2_500 },
  CHATBOT_POLICY: plain('chatbot'),
  DECLARATIVE_POLICY_EC2: plain('ec2_attributes'),
}

/** The type whose full-access policy bears this id. */
export function typeOfFullAccess(policyId: string): PolicyType | undefined {
  return (Object.keys(policyTypes) as PolicyType[]).find((type) => policyTypes[type]?.fullAccess?.id === policyId)
}
