/** Policies: documents of a type, stored as written, that take effect where they are attached. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { PolicyError } from '../../policy/index.ts'
import { targetsOf } from './attachment-rows.ts'
import { type Organization, organizationOf } from './organization.ts'
import { listed } from './pages.ts'
import { availableType, type PolicyType, policyTypes } from './policy-types.ts'
import {
  arns,
  invalidInput,
  newIds,
  organizations,
  type PolicyRow,
  partId,
  policyNotFound,
  policyType,
  violates,
} from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { type AllowedCallers, ownOrganization, within } from './within.ts'

/** AWS's own policies beside the organization's. */
export type AnyPolicy = PolicyRow & { readonly aws?: true }

const awsPolicies: readonly AnyPolicy[] = (Object.keys(policyTypes) as PolicyType[]).flatMap((type) => {
  const full = policyTypes[type].fullAccess
  if (!full) return []
  const { id, name, content } = full
  return [{ id, name, content, type, description: 'Allows access to every operation', aws: true as const }]
})

export async function visiblePolicies(organization: Organization): Promise<readonly AnyPolicy[]> {
  const enabled = awsPolicies.filter(
    ({ type }) => type === 'SERVICE_CONTROL_POLICY' || organization.row.enabledTypes.includes(type),
  )
  return [...enabled, ...(await organization.policies())]
}

export function shownSummary(organization: Organization, policy: AnyPolicy) {
  return {
    Id: policy.id,
    Arn: policy.aws ? arns.awsPolicy(policy.type, policy.id) : arns.policy(organization.row, policy),
    Name: policy.name,
    Description: policy.description,
    Type: policy.type,
    AwsManaged: policy.aws ?? false,
  }
}

const shown = (organization: Organization, policy: AnyPolicy) => ({
  PolicySummary: shownSummary(organization, policy),
  Content: policy.content,
})

interface NamesPolicy {
  readonly PolicyId?: string | undefined
}

export const policyNamed = (callers: AllowedCallers) =>
  within<NamesPolicy, AnyPolicy>(callers, async (organization, { PolicyId: id = '' }) => {
    const row = awsPolicies.find((policy) => policy.id === id) ?? (await organization.policy(id))
    return {
      ...(row && { arn: shownSummary(organization, row).Arn, tags: row.tags }),
      row,
      missing: policyNotFound,
    }
  })

/** `organizations:PolicyType`, where the input names a policy. */
export const policyTypeNamed = ({ PolicyId = '' }: NamesPolicy, call: Call) => policyTypeOf(call, PolicyId)

export async function policyTypeOf(call: Call, id: string): Promise<Conditions> {
  const row = await organizationOf(call.unit, call.account)
  const aws = awsPolicies.find((policy) => policy.id === id)
  const policy = aws ?? (row && (await policyType.get(call.unit, call, partId(row, id))))
  return { 'organizations:PolicyType': policy?.type }
}

function refuseAwsOwn({ aws }: AnyPolicy): void {
  if (aws) throw invalidInput('IMMUTABLE_POLICY', 'You specified a policy that AWS manages: it cannot be changed.')
}

/** Rejects content that is too long or is not a document of the type. */
function checked(type: PolicyType, content: string): string {
  const { lengthMax, check } = policyTypes[type]
  if (content.length > lengthMax) {
    throw violates(
      'POLICY_CONTENT_LIMIT_EXCEEDED',
      `The policy has ${content.length} characters; ${lengthMax} is the most.`,
    )
  }
  try {
    check(content)
    return content
  } catch (error) {
    if (!(error instanceof PolicyError || error instanceof SyntaxError)) throw error
    throw organizations.fail(
      'MalformedPolicyDocumentException',
      'The provided policy document does not meet the requirements of the specified policy type.',
    )
  }
}

async function freeName(organization: Organization, type: PolicyType, name: string): Promise<void> {
  const taken = (await visiblePolicies(organization)).some((policy) => policy.type === type && policy.name === name)
  if (taken) throw organizations.fail('DuplicatePolicyException', 'A policy with the same name already exists.')
}

/** Authorized on the ARN that the policy will have, so that policies can match the type in it. */
const policyToMake = within<{ readonly Type?: PolicyType | undefined }, string>('management', ({ row }, { Type }) => {
  const id = newIds.policy()
  return { arn: arns.policy(row, { type: Type!, id }), row: id }
})

export const createPolicy = organizations
  .operation('CreatePolicy')
  .on(policyToMake)
  .conditions((input) => ({ 'organizations:PolicyType': input.Type }))
  .run(async (call, input, { organization, row: id, alsoOn }) => {
    await mayTag(alsoOn, { arn: arns.policy(organization.row, { type: input.Type, id }) }, input.Tags)
    const content = checked(availableType(organization.row, input.Type), input.Content)
    await freeName(organization, input.Type, input.Name)
    const ofType = (await organization.policies()).filter(({ type }) => type === input.Type)
    if (ofType.length >= call.quotas['organizations/PoliciesPerType']!) {
      throw violates('POLICY_NUMBER_LIMIT_EXCEEDED', 'You have exceeded the number of policies of this type.')
    }
    organization.change()
    const policy = organization.savePolicy({
      id,
      name: input.Name,
      description: input.Description,
      type: input.Type,
      content,
      updatedAt: call.now,
      tags: newTags(input.Tags),
    })
    return { Policy: shown(organization, policy) }
  })

export const describePolicy = organizations
  .operation('DescribePolicy')
  .on(policyNamed('administrators'))
  .conditions(policyTypeNamed)
  .run((_call, _input, { organization, row }) => ({ Policy: shown(organization, row) }))

export const updatePolicy = organizations
  .operation('UpdatePolicy')
  .on(policyNamed('management'))
  .conditions(policyTypeNamed)
  .run(async (call, input, { organization, row }) => {
    refuseAwsOwn(row)
    if (input.Name !== undefined && input.Name !== row.name) await freeName(organization, row.type, input.Name)
    organization.change()
    const policy = organization.savePolicy({
      ...row,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.Content !== undefined && { content: checked(row.type, input.Content) }),
      updatedAt: call.now,
    })
    return { Policy: shown(organization, policy) }
  })

export const deletePolicy = organizations
  .operation('DeletePolicy')
  .on(policyNamed('management'))
  .conditions(policyTypeNamed)
  .run(async (_call, _input, { organization, row }) => {
    refuseAwsOwn(row)
    if ((await targetsOf(organization, row)).length > 0) {
      throw organizations.fail(
        'PolicyInUseException',
        'The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.',
      )
    }
    organization.change()
    organization.removePolicy(row)
    return {}
  })

export const listPolicies = organizations
  .operation('ListPolicies')
  .on(ownOrganization('administrators'))
  .conditions((input) => ({ 'organizations:PolicyType': input.Filter }))
  .run(async (call, input, { organization }) => {
    const policies = (await visiblePolicies(organization)).filter(({ type }) => type === input.Filter)
    const { items, rest } = await listed(call, policies, ({ id }) => id, input)
    return { Policies: items.map((policy) => shownSummary(organization, policy)), ...rest }
  })
