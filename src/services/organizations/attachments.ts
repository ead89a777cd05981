/** Attaching policies to roots, units and accounts, and taking them off. */
import { targetsOf } from './attachment-rows.ts'
import { targetNamed, targetNotFound } from './nodes.ts'
import type { Node } from './organization.ts'
import { listed } from './pages.ts'
import { type AnyPolicy, policyNamed, policyTypeNamed, shownSummary, visiblePolicies } from './policies.ts'
import { policyTypes } from './policy-types.ts'
import { invalidInput, organizations, violates } from './resources.ts'
import type { OrganizationTarget } from './within.ts'

/** The target of the attachment: authorized like the policy. */
async function targetOf({ organization, alsoOn, row }: OrganizationTarget<AnyPolicy>, id: string): Promise<Node> {
  const target = await organization.node(id)
  if (!target) throw targetNotFound()
  await alsoOn(target, { 'organizations:PolicyType': row.type })
  return target
}

export const attachPolicy = organizations
  .operation('AttachPolicy')
  .on(policyNamed('management'))
  .conditions(policyTypeNamed)
  .run(async (_call, input, found) => {
    const { organization, row: policy } = found
    const target = await targetOf(found, input.TargetId)
    if (!organization.row.enabledTypes.includes(policy.type)) {
      throw organizations.fail(
        'PolicyTypeNotEnabledException',
        "The specified policy type isn't currently enabled in this root.",
      )
    }
    const row = await organization.attachments(target.id)
    const attached = row.policies[policy.type] ?? []
    if (attached.includes(policy.id)) {
      throw organizations.fail(
        'DuplicatePolicyAttachmentException',
        'The selected policy is already attached to the specified target.',
      )
    }
    if (attached.length >= policyTypes[policy.type].attachmentsMax) {
      throw violates(
        'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
        'You have attached the maximum number of policies of this type to the target.',
      )
    }
    organization.change()
    organization.saveAttachments({ ...row, policies: { ...row.policies, [policy.type]: [...attached, policy.id] } })
    return {}
  })

export const detachPolicy = organizations
  .operation('DetachPolicy')
  .on(policyNamed('management'))
  .conditions(policyTypeNamed)
  .run(async (_call, input, found) => {
    const { organization, row: policy } = found
    const target = await targetOf(found, input.TargetId)
    const row = await organization.attachments(target.id)
    const attached = row.policies[policy.type] ?? []
    if (!attached.includes(policy.id)) {
      throw organizations.fail(
        'PolicyNotAttachedException',
        "The policy isn't attached to the specified target in the specified root.",
      )
    }
    const full = policyTypes[policy.type].fullAccess
    if (full && !full.detachable && policy.id === full.id) {
      throw invalidInput('NON_DETACHABLE_POLICY', "You can't detach this Amazon Web Services managed policy.")
    }
    if (full && attached.length === 1) {
      throw violates(
        'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
        'A target must have at least one policy of this type attached.',
      )
    }
    organization.change()
    const kept = attached.filter((id) => id !== policy.id)
    organization.saveAttachments({ ...row, policies: { ...row.policies, [policy.type]: kept } })
    return {}
  })

export const listPoliciesForTarget = organizations
  .operation('ListPoliciesForTarget')
  .on(targetNamed)
  .conditions((input) => ({ 'organizations:PolicyType': input.Filter }))
  .run(async (call, input, { organization, row: target }) => {
    const ids = (await organization.attachments(target.id)).policies[input.Filter] ?? []
    const policies = (await visiblePolicies(organization)).filter(({ id }) => ids.includes(id))
    const { items, rest } = await listed(call, policies, ({ id }) => id, input)
    return { Policies: items.map((policy) => shownSummary(organization, policy)), ...rest }
  })

export const listTargetsForPolicy = organizations
  .operation('ListTargetsForPolicy')
  .on(policyNamed('administrators'))
  .conditions(policyTypeNamed)
  .run(async (call, input, { organization, row: policy }) => {
    const { items, rest } = await listed(call, await targetsOf(organization, policy), (id) => id, input)
    const nodes = await Promise.all(items.map((id) => organization.node(id)))
    return {
      Targets: nodes
        .filter((node) => node !== undefined)
        .map(({ id, arn, name, type: Type }) => ({ TargetId: id, Arn: arn, Name: name, Type })),
      ...rest,
    }
  })
