/** Roles: create, read, change, list, delete, and their trusted principals. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../../kernel/gate/call.ts'
import type { ExistingResource } from '../../../kernel/resource/targets.ts'
import { count } from '../counts.ts'
import { roleUse } from '../credentials/last-used.ts'
import { listRows } from '../lists.ts'
import { bounded, shownBoundary, unbind } from '../policies/boundaries.ts'
import { encodeDocument } from '../policies/documents.ts'
import { refuseIfHolding } from '../policies/identity-policies.ts'
import { type NameId, nameIn, type RoleRow, role, underPath } from '../resources.ts'
import { shownTags } from '../tags.ts'
import { conflict, date, iam } from '../words.ts'
import { profilesOf } from './instance-profile-index.ts'
import { isReservedPath, protect, protectReserved } from './service-linked.ts'
import { shownTrust, trusting } from './trust.ts'

const SESSION_SECONDS_DEFAULT = 3600

/** A role as lists show it. */
export async function shownRole(call: Call, row: RoleRow) {
  return {
    Path: row.path,
    RoleName: row.name,
    RoleId: row.id,
    Arn: role.arnOf(call, row),
    CreateDate: date(row.createdAt),
    AssumeRolePolicyDocument: encodeDocument(await shownTrust(call.unit, row)),
    ...(row.description !== undefined && { Description: row.description }),
    MaxSessionDuration: row.maxSessionSeconds,
  } satisfies IAM.Role
}

async function shownRoleInFull(call: Call, row: RoleRow) {
  const use = await roleUse(call.unit, call.account, row.id)
  return {
    ...(await shownRole(call, row)),
    ...shownBoundary(row),
    ...shownTags(row),
    RoleLastUsed: use ? { LastUsedDate: date(use.timeMs), Region: use.region } : {},
  }
}

export const createRole = iam
  .operation('CreateRole')
  .on(role.created(nameIn('RoleName')))
  .run(async (call, input, { tags, assertAvailable, create }) => {
    if (isReservedPath(input.Path ?? '/')) {
      throw iam.fail('InvalidInputException', `Path ${input.Path} is reserved for roles of services.`)
    }
    assertAvailable()
    await count(call, 'Roles', 1)

    const row = create({
      name: input.RoleName,
      path: input.Path ?? '/',
      id: call.uniqueId('AROA'),
      createdAt: call.now,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(await trusting(call, input.AssumeRolePolicyDocument)),
      maxSessionSeconds: input.MaxSessionDuration ?? SESSION_SECONDS_DEFAULT,
      tags,
      attached: [],
      inline: {},
      ...(await bounded(call, 'role', input.RoleName, input.PermissionsBoundary)),
    })
    return { Role: { ...(await createdRole(call, row)), ...shownBoundary(row), ...shownTags(row) } }
  })

/** As the operations that create a role show it. */
export async function createdRole(call: Call, row: RoleRow) {
  const { MaxSessionDuration: _, ...shown } = await shownRole(call, row)
  return shown
}

export const getRole = iam
  .operation('GetRole')
  .on(role.named('RoleName'))
  .run(async (call, _input, { row }) => ({ Role: await shownRoleInFull(call, row) }))

export const listRoles = iam
  .operation('ListRoles')
  .on(role.collection(underPath('RoleNameWithPath')))
  .run(async (call, input, roles) => {
    const { items, rest } = await listRows(roles, input)
    return { Roles: await Promise.all(items.map((row) => shownRole(call, row))), ...rest }
  })

export const updateRole = iam
  .operation('UpdateRole')
  .on(role.named('RoleName'))
  .run((_call, input, { row, save }) => {
    protect(row)
    save({
      ...row,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.MaxSessionDuration !== undefined && { maxSessionSeconds: input.MaxSessionDuration }),
    })
    return {}
  })

/** The one thing that may be changed on a service-linked role. */
export const updateRoleDescription = iam
  .operation('UpdateRoleDescription')
  .on(role.named('RoleName'))
  .run(async (call, input, { row, save }) => {
    protectReserved(row)
    const saved = save({ ...row, description: input.Description })
    return { Role: await shownRole(call, saved) }
  })

export const updateAssumeRolePolicy = iam
  .operation('UpdateAssumeRolePolicy')
  .on(role.named('RoleName'))
  .run(async (call, input, { row, save }) => {
    protect(row)
    save({ ...row, ...(await trusting(call, input.PolicyDocument)) })
    return {}
  })

export const deleteRole = iam
  .operation('DeleteRole')
  .on(role.named('RoleName'))
  .run(async (call, _input, found) => {
    const { row } = found
    protect(row)
    const [profile] = await profilesOf(call, row.name)
    if (profile) throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    refuseIfHolding(row)
    await removeRole(call, found)
    return {}
  })

/** Takes the row and what is kept beside it. */
export async function removeRole(
  call: Pick<Call, 'unit' | 'account' | 'quotas'>,
  { row, remove }: Pick<ExistingResource<NameId, RoleRow>, 'row' | 'remove'>,
): Promise<void> {
  unbind(call, 'role', row)
  remove()
  await count(call, 'Roles', -1)
}
