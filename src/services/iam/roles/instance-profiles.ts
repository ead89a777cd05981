/** Instance profiles: how a role reaches a machine. One role at most. */
import type { Call } from '../../../kernel/gate/call.ts'
import { count } from '../counts.ts'
import { listItems, listRows } from '../lists.ts'
import { type InstanceProfileRow, instanceProfile, nameIn, role, underPath } from '../resources.ts'
import { shownTags } from '../tags.ts'
import { conflict, date, iam, noSuchEntity } from '../words.ts'
import { carriedKey, profilesOf } from './instance-profile-index.ts'
import { shownRole } from './roles.ts'

const EC2 = 'ec2.amazonaws.com'

async function shownProfile(call: Call, row: InstanceProfileRow) {
  return {
    Path: row.path,
    InstanceProfileName: row.name,
    InstanceProfileId: row.id,
    Arn: instanceProfile.arnOf(call, row),
    CreateDate: date(row.createdAt),
    Roles: row.role === undefined ? [] : [await shownRole(call, await role.require(call, { name: row.role }))],
  }
}

const inFull = async (call: Call, row: InstanceProfileRow) => ({
  ...(await shownProfile(call, row)),
  ...shownTags(row),
})

export const createInstanceProfile = iam
  .operation('CreateInstanceProfile')
  .on(instanceProfile.created(nameIn('InstanceProfileName')))
  .run(async (call, input, { tags, assertAvailable, create }) => {
    assertAvailable()
    await count(call, 'InstanceProfiles', 1)

    const row = create({
      name: input.InstanceProfileName,
      path: input.Path ?? '/',
      id: call.uniqueId('AIPA'),
      createdAt: call.now,
      tags,
    })
    return { InstanceProfile: await inFull(call, row) }
  })

export const getInstanceProfile = iam
  .operation('GetInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, _input, { row }) => ({ InstanceProfile: await inFull(call, row) }))

export const listInstanceProfiles = iam
  .operation('ListInstanceProfiles')
  .on(instanceProfile.collection(underPath('InstanceProfileNameWithPath')))
  .run(async (call, input, profiles) => {
    const { items, rest } = await listRows(profiles, input)
    return { InstanceProfiles: await Promise.all(items.map((row) => shownProfile(call, row))), ...rest }
  })

export const listInstanceProfilesForRole = iam
  .operation('ListInstanceProfilesForRole')
  .on(role.named('RoleName'))
  .run(async (call, input, { row }) => {
    const { items, rest } = await listItems(call, await profilesOf(call, row.name), (name) => name.toLowerCase(), input)
    const rows = await Promise.all(items.map((name) => instanceProfile.require(call, { name })))
    return { InstanceProfiles: await Promise.all(rows.map((profile) => shownProfile(call, profile))), ...rest }
  })

export const deleteInstanceProfile = iam
  .operation('DeleteInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, _input, { row, remove }) => {
    if (row.role !== undefined) throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    remove()
    await count(call, 'InstanceProfiles', -1)
    return {}
  })

/** A caller that gives a machine a role gives it the role's permissions: AWS requires `iam:PassRole` on the role. */
export const addRoleToInstanceProfile = iam
  .operation('AddRoleToInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, input, { row, save }) => {
    const { acted, row: passed, missing } = await role.find(call, input.RoleName)
    await call.authorize('iam:PassRole', acted!, { 'iam:PassedToService': EC2 })
    if (!passed) throw missing!()
    if (row.role !== undefined) {
      throw iam.fail('LimitExceededException', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1')
    }
    save({ ...row, role: passed.row.name })
    call.unit.put(carriedKey(call, passed.row.name, row.name), { name: row.name })
    return {}
  })

export const removeRoleFromInstanceProfile = iam
  .operation('RemoveRoleFromInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, input, { row, save }) => {
    if (row.role?.toLowerCase() !== input.RoleName.toLowerCase()) throw noSuchEntity('role', input.RoleName)
    const { role: carried, ...rest } = row
    save(rest)
    call.unit.delete(carriedKey(call, carried!, row.name))
    return {}
  })
