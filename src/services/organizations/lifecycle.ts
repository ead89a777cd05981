/** The organization itself: created by the account that then manages it, described to its members, deleted when empty. */
import type * as Organizations from '@aws-sdk/client-organizations'
import { anything } from '../../kernel/resource/target.ts'
import { attachDefaults } from './attachment-rows.ts'
import { cancelAll } from './handshakes.ts'
import { addressOf } from './membership.ts'
import { Organization, organizationOf } from './organization.ts'
import { all, arns, membershipKey, newIds, type OrganizationRow, organizations, organizationType } from './resources.ts'
import { ownOrganization } from './within.ts'

function shown(row: OrganizationRow, email: string) {
  return {
    Id: row.id,
    Arn: arns.organization(row),
    FeatureSet: row.features,
    MasterAccountArn: arns.account(row, row.management),
    MasterAccountId: row.management,
    MasterAccountEmail: email,
    // As AWS answers. ListRoots returns the types that are enabled.
    AvailablePolicyTypes: row.features === 'ALL' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  } satisfies Organizations.Organization
}

const emailOf = async (organization: Organization) =>
  (await organization.member(organization.row.management))?.email ?? ''

export const createOrganization = organizations
  .operation('CreateOrganization')
  .on(anything)
  .run(async (call, input) => {
    if (await organizationOf(call.unit, call.account)) {
      throw organizations.fail(
        'AlreadyInOrganizationException',
        'The AWS account is already a member of an organization.',
      )
    }
    const row: OrganizationRow = {
      id: newIds.organization(),
      management: call.account,
      rootId: newIds.root(),
      features: input.FeatureSet ?? 'ALL',
      // SCPs too are to be enabled: https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
      enabledTypes: [],
      trusted: {},
      version: 0,
    }
    const organization = new Organization(call, row)
    organization.change()
    const { name } = await call.ports.accounts.describe(call.unit, call.account)
    const email = await addressOf(call.unit, call.account)
    organization.saveMember({
      id: call.account,
      name,
      email,
      parent: row.rootId,
      joined: 'INVITED',
      joinedAt: call.now,
      state: 'ACTIVE',
      administers: {},
    })
    for (const target of [row.rootId, call.account]) await attachDefaults(organization, target)
    return { Organization: shown(row, email) }
  })

export const describeOrganization = organizations
  .operation('DescribeOrganization')
  .on(ownOrganization('members'))
  .run(async (_call, _input, { organization }) => ({
    Organization: shown(organization.row, await emailOf(organization)),
  }))

export const deleteOrganization = organizations
  .operation('DeleteOrganization')
  .on(ownOrganization())
  .run(async (call, _input, { organization }) => {
    const { row } = organization
    const others = (await organization.members()).some(({ id, state }) => id !== row.management && state === 'ACTIVE')
    if (others || (await organization.units()).length > 0 || (await organization.policies()).length > 0) {
      throw organizations.fail(
        'OrganizationNotEmptyException',
        'The organization still holds accounts, organizational units or policies. Remove them first.',
      )
    }
    organization.change()
    await cancelAll(call, organization)
    for (const kind of ['unit', 'member', 'policy', 'attached', 'creation'] as const) {
      for (const entry of await call.unit.range(all(kind, row.id))) call.unit.delete(entry.key)
    }
    call.unit.delete(membershipKey(row.management))
    call.unit.delete(organizationType.key(call, row))
    return {}
  })
