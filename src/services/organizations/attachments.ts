/** Attaching policies to roots, units and accounts, and taking them off. */
import { targetsOf } from './attached.ts'
import { itself, type Organization } from './organization.ts'
import { listed } from './pages.ts'
import { policyNotFound, shownSummary, visiblePolicies } from './policies.ts'
import { type PolicyType, policyTypes, typeOfFullAccess } from './policy-types.ts'
import { invalidInput, organizations, violates } from './resources.ts'

export const targetNotFound = () =>
  organizations.fail(
    'TargetNotFoundException',
    "We can't find a root, OU, account, or policy with the TargetId that you specified.",
  )

/** The type of a policy of this organisation or of AWS's own; throws when there is none. */
async function typeOf(organization: Organization, policyId: string): Promise<PolicyType> {
  const type = typeOfFullAccess(policyId) ?? (await organization.policy(policyId))?.type
  if (!type) throw policyNotFound()
  return type
}

function refuseDisabled(organization: Organization, type: PolicyType): void {
  if (organization.row.enabledTypes.includes(type)) return
  throw organizations.fail(
    'PolicyTypeNotEnabledException',
    "The specified policy type isn't currently enabled in this root.",
  )
}

export const attachPolicy = organizations
  .operation('AttachPolicy')
  .on(itself())
  .run(async (_call, { PolicyId, TargetId }, { organization }) => {
    const type = await typeOf(organization, PolicyId)
    if (!(await organization.node(TargetId))) throw targetNotFound()
    refuseDisabled(organization, type)
    const row = await organization.attachments(TargetId)
    const attached = row.policies[type] ?? []
    if (attached.includes(PolicyId)) {
      throw organizations.fail(
        'DuplicatePolicyAttachmentException',
        'The selected policy is already attached to the specified target.',
      )
    }
    if (attached.length >= policyTypes[type]!.attachmentsMax) {
      throw violates(
        'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
        'You have attached the maximum number of policies of this type to the target.',
      )
    }
    organization.change()
    organization.saveAttachments({ ...row, policies: { ...row.policies, [type]: [...attached, PolicyId] } })
    return {}
  })

export const detachPolicy = organizations
  .operation('DetachPolicy')
  .on(itself())
  .run(async (_call, { PolicyId, TargetId }, { organization }) => {
    const type = await typeOf(organization, PolicyId)
    if (!(await organization.node(TargetId))) throw targetNotFound()
    const row = await organization.attachments(TargetId)
    const attached = row.policies[type] ?? []
    if (!attached.includes(PolicyId)) {
      throw organizations.fail(
        'PolicyNotAttachedException',
        "The policy isn't attached to the specified target in the specified root.",
      )
    }
    const full = policyTypes[type]?.fullAccess
    if (full && !full.detachable && PolicyId === full.id) {
      throw invalidInput('NON_DETACHABLE_POLICY', "You can't detach this Amazon Web Services managed policy.")
    }
    if (full && attached.length === 1) {
      throw violates(
        'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
        'A target must have at least one policy of this type attached.',
      )
    }
    organization.change()
    const kept = attached.filter((id) => id !== PolicyId)
    organization.saveAttachments({ ...row, policies: { ...row.policies, [type]: kept } })
    return {}
  })

export const listPoliciesForTarget = organizations
  .operation('ListPoliciesForTarget')
  .on(itself('administrators'))
  .run(async (call, input, { organization }) => {
    if (!(await organization.node(input.TargetId))) throw targetNotFound()
    const ids = (await organization.attachments(input.TargetId)).policies[input.Filter] ?? []
    const policies = (await visiblePolicies(organization)).filter(({ id }) => ids.includes(id))
    const { items, rest } = await listed(call, policies, ({ id }) => id, input)
    return { Policies: items.map((policy) => shownSummary(organization, policy)), ...rest }
  })

export const listTargetsForPolicy = organizations
  .operation('ListTargetsForPolicy')
  .on(itself('administrators'))
  .run(async (call, input, { organization }) => {
    const type = await typeOf(organization, input.PolicyId)
    const targets = await targetsOf(organization, { id: input.PolicyId, type })
    const { items, rest } = await listed(call, targets, (id) => id, input)
    const nodes = await Promise.all(items.map((id) => organization.node(id)))
    return {
      Targets: nodes
        .filter((node) => node !== undefined)
        .map(({ id, arn, name, type: Type }) => ({ TargetId: id, Arn: arn, Name: name, Type })),
      ...rest,
    }
  })
