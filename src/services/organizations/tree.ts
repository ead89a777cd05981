/** The tree: one root, units below it five deep, accounts in any of them; each with exactly one parent. */
import { attachDefaults, detachAll } from './attachment-rows.ts'
import { childNamed, parentNamed } from './nodes.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import { arns, newIds, organizations, type UnitRow, unitType, violates } from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { type AllowedCallers, ownOrganization, partNamed, within } from './within.ts'

const DEPTH_MAX = 5

const namedUnit = (callers: AllowedCallers) =>
  within<{ readonly OrganizationalUnitId?: string | undefined }, UnitRow>(callers, (organization, input, call) =>
    partNamed(call, organization, unitType, input.OrganizationalUnitId),
  )

/** IDs from the root down to the node, which must exist. */
export async function pathTo(organization: Organization, id: string): Promise<readonly string[]> {
  const path = [id]
  for (let node = await organization.node(id); node?.parent; node = await organization.node(node.parent))
    path.unshift(node.parent)
  return path
}

const shownUnit = (organization: Organization, { id, name }: UnitRow) => ({
  Id: id,
  Arn: arns.unit(organization.row, id),
  Name: name,
})

async function freeName(organization: Organization, parent: string, name: string): Promise<void> {
  if ((await organization.units()).some((unit) => unit.parent === parent && unit.name === name)) {
    throw organizations.fail('DuplicateOrganizationalUnitException', 'An OU with the same name already exists.')
  }
}

export const listRoots = organizations
  .operation('ListRoots')
  .on(ownOrganization('administrators'))
  .run((_call, _input, { organization: { row } }) => ({
    Roots: [
      {
        Id: row.rootId,
        Arn: arns.root(row, row.rootId),
        Name: 'Root',
        PolicyTypes: row.enabledTypes.map((Type) => ({ Type, Status: 'ENABLED' as const })),
      },
    ],
  }))

export const createOrganizationalUnit = organizations
  .operation('CreateOrganizationalUnit')
  .on(parentNamed('management'))
  .run(async (call, input, { organization, row: parent, alsoOn }) => {
    await mayTag(alsoOn, parent, input.Tags)
    // The root is not a unit: five units can be nested.
    if ((await pathTo(organization, parent.id)).length > DEPTH_MAX) {
      throw violates('OU_DEPTH_LIMIT_EXCEEDED', 'You have exceeded the number of levels that an organization can have.')
    }
    await freeName(organization, parent.id, input.Name)
    if ((await organization.units()).length >= call.quotas['organizations/UnitsPerOrganization']!) {
      throw violates(
        'OU_NUMBER_LIMIT_EXCEEDED',
        'You have exceeded the number of organizational units that an organization can have.',
      )
    }
    organization.change()
    const unit = organization.saveUnit({
      id: newIds.unit(organization.row.rootId),
      name: input.Name,
      parent: parent.id,
      tags: newTags(input.Tags),
    })
    await attachDefaults(organization, unit.id)
    return { OrganizationalUnit: shownUnit(organization, unit) }
  })

export const describeOrganizationalUnit = organizations
  .operation('DescribeOrganizationalUnit')
  .on(namedUnit('administrators'))
  .run((_call, _input, { organization, row }) => ({ OrganizationalUnit: shownUnit(organization, row) }))

export const updateOrganizationalUnit = organizations
  .operation('UpdateOrganizationalUnit')
  .on(namedUnit('management'))
  .run(async (_call, input, { organization, row }) => {
    if (input.Name === undefined || input.Name === row.name) return { OrganizationalUnit: shownUnit(organization, row) }
    await freeName(organization, row.parent, input.Name)
    organization.change()
    return { OrganizationalUnit: shownUnit(organization, organization.saveUnit({ ...row, name: input.Name })) }
  })

export const deleteOrganizationalUnit = organizations
  .operation('DeleteOrganizationalUnit')
  .on(namedUnit('management'))
  .run(async (call, _input, { organization, row }) => {
    const members = (await organization.members()).filter(({ parent }) => parent === row.id)
    const below = (await organization.units()).some(({ parent }) => parent === row.id)
    if (below || members.some(({ state }) => state === 'ACTIVE')) {
      throw organizations.fail(
        'OrganizationalUnitNotEmptyException',
        'The organizational unit is not empty. Move all accounts to another root or OU, remove all child OUs, and try the operation again.',
      )
    }
    // Closed accounts do not block the deletion: they move below the root until their rows are deleted.
    for (const closed of members) organization.saveMember({ ...closed, parent: organization.row.rootId })
    organization.change()
    detachAll(call, organization, row.id)
    organization.removeUnit(row)
    return {}
  })

export const listOrganizationalUnitsForParent = organizations
  .operation('ListOrganizationalUnitsForParent')
  .on(parentNamed('administrators'))
  .run(async (call, input, { organization }) => {
    const units = (await organization.units()).filter((unit) => unit.parent === input.ParentId)
    const { items, rest } = await listed(call, units, ({ id }) => id, input)
    return { OrganizationalUnits: items.map((unit) => shownUnit(organization, unit)), ...rest }
  })

export const listChildren = organizations
  .operation('ListChildren')
  .on(parentNamed('administrators'))
  .run(async (call, input, { organization }) => {
    const all = input.ChildType === 'ACCOUNT' ? await organization.members() : await organization.units()
    const children = all.filter((child) => child.parent === input.ParentId)
    const { items, rest } = await listed(call, children, ({ id }) => id, input)
    return { Children: items.map(({ id }) => ({ Id: id, Type: input.ChildType })), ...rest }
  })

export const listParents = organizations
  .operation('ListParents')
  .on(childNamed)
  .run((_call, _input, { organization, row: { parent } }) => {
    const Type = parent === organization.row.rootId ? ('ROOT' as const) : ('ORGANIZATIONAL_UNIT' as const)
    return { Parents: [{ Id: parent!, Type }] }
  })
