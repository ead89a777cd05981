/** Which types of policies an organization uses. */
import { attachFullAccess } from './attachment-rows.ts'
import type { Organization } from './organization.ts'
import { availableType, type PolicyType } from './policy-types.ts'
import { arns, organizations } from './resources.ts'
import { within } from './within.ts'

const shownRoot = ({ row }: Organization, enabled: readonly PolicyType[]) => ({
  Root: {
    Id: row.rootId,
    Arn: arns.root(row, row.rootId),
    Name: 'Root',
    PolicyTypes: enabled.map((Type) => ({ Type, Status: 'ENABLED' as const })),
  },
})

const rootNamed = within<{ readonly RootId?: string | undefined }, true>('management', ({ row }, { RootId }) => ({
  ...(RootId === row.rootId && { arn: arns.root(row, row.rootId), tags: row.tags }),
  row: RootId === row.rootId || undefined,
  missing: () =>
    organizations.fail('RootNotFoundException', "We can't find a root with the RootId that you specified."),
}))

async function everyNode(organization: Organization): Promise<readonly string[]> {
  const [units, members] = [await organization.units(), await organization.members()]
  return [organization.row.rootId, ...units.map(({ id }) => id), ...members.map(({ id }) => id)]
}

export const enablePolicyType = organizations
  .operation('EnablePolicyType')
  .on(rootNamed)
  .conditions((input) => ({ 'organizations:PolicyType': input.PolicyType }))
  .run(async (_call, { PolicyType }, { organization }) => {
    const { enabledTypes } = organization.row
    availableType(organization.row, PolicyType)
    if (enabledTypes.includes(PolicyType)) {
      throw organizations.fail('PolicyTypeAlreadyEnabledException', 'The specified policy type is already enabled.')
    }
    const changed = organization.change({ enabledTypes: [...enabledTypes, PolicyType] })
    // AWS: enabling again restores the full access only, nothing that was attached before.
    for (const id of await everyNode(organization)) await attachFullAccess(organization, PolicyType, id)
    return shownRoot(organization, changed.enabledTypes)
  })

export const disablePolicyType = organizations
  .operation('DisablePolicyType')
  .on(rootNamed)
  .conditions((input) => ({ 'organizations:PolicyType': input.PolicyType }))
  .run(async (_call, { PolicyType }, { organization }) => {
    const { enabledTypes } = organization.row
    if (!enabledTypes.includes(PolicyType)) {
      throw organizations.fail(
        'PolicyTypeNotEnabledException',
        "The specified policy type isn't currently enabled in this root.",
      )
    }
    const changed = organization.change({ enabledTypes: enabledTypes.filter((type) => type !== PolicyType) })
    for (const row of await organization.allAttachments()) {
      const { [PolicyType]: _gone, ...policies } = row.policies
      organization.saveAttachments({ ...row, policies })
    }
    return shownRoot(organization, changed.enabledTypes)
  })
