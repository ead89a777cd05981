/** Instance profiles: how a role reaches a machine. One role at most. */
import type { Call } from '../../kernel/call.ts'
import { carriedKey, profilesOf } from './carriers.ts'
import { count } from './counts.ts'
import { listItems, listRows } from './lists.ts'
import { below, conflict, date, type InstanceProfileRow, iam, instanceProfile, role } from './resources.ts'
import { shownRole } from './roles.ts'
import { newTags, shownTags } from './tags.ts'

const EC2 = 'ec2.amazonaws.com'

async function shownProfile(call: Call, row: InstanceProfileRow) {
  return {
    Path: row.path,
    InstanceProfileName: row.name,
    InstanceProfileId: row.id,
    Arn: instanceProfile.arnOf(call, row),
    CreateDate: date(row.createdAt),
    Roles: row.role === undefined ? [] : [await shownRole(call, await role.require(call, row.role))],
  }
}

const inFull = async (call: Call, row: InstanceProfileRow) => ({
  ...(await shownProfile(call, row)),
  ...shownTags(row),
})

export const createInstanceProfile = iam
  .operation('CreateInstanceProfile')
  .on(instanceProfile.made((input) => ({ name: input.InstanceProfileName, path: input.Path ?? '/' })))
  .run(async (call, input) => {
    const { InstanceProfileName: name } = input
    if (await instanceProfile.get(call, name)) {
      throw iam.fail('EntityAlreadyExistsException', `Instance Profile ${name} already exists.`)
    }
    await count(call, 'InstanceProfiles', 1)

    const row = instanceProfile.save(call, {
      name,
      path: input.Path ?? '/',
      id: call.uniqueId('AIPA'),
      createdAt: call.now,
      tags: newTags(input.Tags),
    })
    return { InstanceProfile: await inFull(call, row) }
  })

export const getInstanceProfile = iam
  .operation('GetInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, _input, row) => ({ InstanceProfile: await inFull(call, row) }))

export const listInstanceProfiles = iam
  .operation('ListInstanceProfiles')
  .on(instanceProfile.below(below('instance-profile')))
  .run(async (call, input) => {
    const { items, rest } = await listRows(call, instanceProfile, input)
    return { InstanceProfiles: await Promise.all(items.map((row) => shownProfile(call, row))), ...rest }
  })

export const listInstanceProfilesForRole = iam
  .operation('ListInstanceProfilesForRole')
  .on(role.named('RoleName'))
  .run(async (call, input, row) => {
    const { items, rest } = await listItems(call, await profilesOf(call, row.name), (name) => name.toLowerCase(), input)
    const rows = await Promise.all(items.map((name) => instanceProfile.require(call, name)))
    return { InstanceProfiles: await Promise.all(rows.map((profile) => shownProfile(call, profile))), ...rest }
  })

export const deleteInstanceProfile = iam
  .operation('DeleteInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, _input, row) => {
    if (row.role !== undefined) throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    instanceProfile.remove(call, row)
    await count(call, 'InstanceProfiles', -1)
    return {}
  })

/** Whoever puts a role on a machine hands over its rights: AWS asks `iam:PassRole` for the role. */
export const addRoleToInstanceProfile = iam
  .operation('AddRoleToInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, input, row) => {
    const passed = await role.find(call, input.RoleName)
    await call.authorize('iam:PassRole', passed.acted!, { 'iam:PassedToService': EC2 })
    const carried = await role.require(call, input.RoleName)
    if (row.role !== undefined) {
      throw iam.fail('LimitExceededException', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1')
    }
    instanceProfile.save(call, { ...row, role: carried.name })
    call.unit.put(carriedKey(call, carried.name, row.name), { name: row.name })
    return {}
  })

export const removeRoleFromInstanceProfile = iam
  .operation('RemoveRoleFromInstanceProfile')
  .on(instanceProfile.named('InstanceProfileName'))
  .run(async (call, input, row) => {
    if (row.role?.toLowerCase() !== input.RoleName.toLowerCase()) {
      throw role.definition.missing(input.RoleName, role.arn(call, input.RoleName))
    }
    const { role: carried, ...rest } = row
    instanceProfile.save(call, rest)
    call.unit.delete(carriedKey(call, carried!, row.name))
    return {}
  })
