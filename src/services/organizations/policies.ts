/** Policies: documents of a type, kept verbatim, that bind where they are attached. */
import { PolicyError } from '../../policy/index.ts'
import { targetsOf } from './attached.ts'
import { itself, type Organization, within } from './organization.ts'
import { listed } from './pages.ts'
import { type PolicyType, policyTypes } from './policy-types.ts'
import { arns, newIds, organizations, type PolicyRow, policyKey, violates } from './resources.ts'
import { newTags } from './tags.ts'

export const policyNotFound = () =>
  organizations.fail('PolicyNotFoundException', "We can't find a policy with the PolicyId that you specified.")

/** AWS's own policies beside the organisation's. */
type AnyPolicy = PolicyRow & { readonly aws?: true }

const awsPolicies: readonly AnyPolicy[] = (Object.keys(policyTypes) as PolicyType[]).flatMap((type) => {
  const full = policyTypes[type]?.fullAccess
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

const namedPolicy = within<{ readonly PolicyId?: string | undefined }, AnyPolicy>(
  'administrators',
  async (organization, { PolicyId: id = '' }) => {
    const row = awsPolicies.find((policy) => policy.id === id) ?? (await organization.policy(id))
    return { ...(row && { arn: shownSummary(organization, row).Arn }), row, missing: policyNotFound }
  },
)

const policyToChange = within<{ readonly PolicyId?: string | undefined }, PolicyRow>(
  'management',
  async (organization, { PolicyId: id = '' }) => {
    const row = await organization.policy(id)
    return { ...(row && { arn: arns.policy(organization.row, row) }), row, missing: policyNotFound }
  },
)

/** Refuses what is no document of the type, and what is too long. */
function checked(type: PolicyType, content: string): string {
  const rules = policyTypes[type]
  if (!rules)
    throw organizations.fail(
      'PolicyTypeNotAvailableForOrganizationException',
      `Merlon does not know policies of type ${type}.`,
    )
  if (content.length > rules.lengthMax) {
    throw violates(
      'POLICY_CONTENT_LIMIT_EXCEEDED',
      `The policy has ${content.length} characters; ${rules.lengthMax} is the most.`,
    )
  }
  try {
    rules.check(content)
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

export const createPolicy = organizations
  .operation('CreatePolicy')
  .on(itself())
  .run(async (_call, input, { organization }) => {
    const content = checked(input.Type, input.Content)
    await freeName(organization, input.Type, input.Name)
    organization.change()
    const policy = organization.savePolicy({
      id: newIds.policy(),
      name: input.Name,
      description: input.Description,
      type: input.Type,
      content,
      tags: newTags(input.Tags),
    })
    return { Policy: shown(organization, policy) }
  })

export const describePolicy = organizations
  .operation('DescribePolicy')
  .on(namedPolicy)
  .run((_call, _input, { organization, row }) => ({ Policy: shown(organization, row) }))

export const updatePolicy = organizations
  .operation('UpdatePolicy')
  .on(policyToChange)
  .run(async (_call, input, { organization, row }) => {
    if (input.Name !== undefined && input.Name !== row.name) await freeName(organization, row.type, input.Name)
    organization.change()
    const policy = organization.savePolicy({
      ...row,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.Content !== undefined && { content: checked(row.type, input.Content) }),
    })
    return { Policy: shown(organization, policy) }
  })

export const deletePolicy = organizations
  .operation('DeletePolicy')
  .on(policyToChange)
  .run(async (call, _input, { organization, row }) => {
    if ((await targetsOf(organization, row)).length > 0) {
      throw organizations.fail(
        'PolicyInUseException',
        'The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.',
      )
    }
    organization.change()
    call.unit.delete(policyKey(organization.row.id, row.id))
    return {}
  })

export const listPolicies = organizations
  .operation('ListPolicies')
  .on(itself('administrators'))
  .run(async (call, input, { organization }) => {
    const policies = (await visiblePolicies(organization)).filter(({ type }) => type === input.Filter)
    const { items, rest } = await listed(call, policies, ({ id }) => id, input)
    return { Policies: items.map((policy) => shownSummary(organization, policy)), ...rest }
  })
