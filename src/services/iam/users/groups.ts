/** Groups, and who is in them. */
import type { Call } from '../../../kernel/gate/call.ts'
import { count } from '../counts.ts'
import { listItems, listRows } from '../lists.ts'
import { moveHoldings, refuseIfHolding } from '../policies/identity-policies.ts'
import { type GroupRow, group, nameIn, underPath, user } from '../resources.ts'
import { alreadyExists, conflict, date, iam, withinQuota } from '../words.ts'
import { joinGroup, leaveGroup, membersOf } from './memberships.ts'
import { shownUser } from './users.ts'

export function shownGroup(call: Call, row: GroupRow) {
  return {
    Path: row.path,
    GroupName: row.name,
    GroupId: row.id,
    Arn: group.arnOf(call, row),
    CreateDate: date(row.createdAt),
  }
}

export const createGroup = iam
  .operation('CreateGroup')
  .on(group.created(nameIn('GroupName')))
  .run(async (call, input, { assertAvailable, create }) => {
    assertAvailable()
    await count(call, 'Groups', 1)

    const row = create({
      name: input.GroupName,
      path: input.Path ?? '/',
      id: call.uniqueId('AGPA'),
      createdAt: call.now,
      attached: [],
      inline: {},
    })
    return { Group: shownGroup(call, row) }
  })

export const getGroup = iam
  .operation('GetGroup')
  .on(group.named('GroupName'))
  .run(async (call, input, { row }) => {
    const { items, rest } = await listItems(call, await membersOf(call, row.name), (name) => name.toLowerCase(), input)
    const members = await Promise.all(items.map((name) => user.require(call, { name })))
    return { Group: shownGroup(call, row), Users: members.map((member) => shownUser(call, member)), ...rest }
  })

export const listGroups = iam
  .operation('ListGroups')
  .on(group.collection(underPath('GroupNameWithPath')))
  .run(async (call, input, groups) => {
    const { items, rest } = await listRows(groups, input)
    return { Groups: items.map((row) => shownGroup(call, row)), ...rest }
  })

export const listGroupsForUser = iam
  .operation('ListGroupsForUser')
  .on(user.named('UserName'))
  .run(async (call, input, { row }) => {
    const { items, rest } = await listItems(call, row.groups, (name) => name.toLowerCase(), input)
    const groups = await Promise.all(items.map((name) => group.require(call, { name })))
    return { Groups: groups.map((found) => shownGroup(call, found)), ...rest }
  })

export const updateGroup = iam
  .operation('UpdateGroup')
  .on(group.named('GroupName'))
  .run(async (call, input, { row, remove }) => {
    const name = input.NewGroupName ?? row.name
    const moves = name.toLowerCase() !== row.name.toLowerCase()
    if (moves && (await group.get(call.unit, call, { name }))) throw alreadyExists('Group', name)

    const renamed: GroupRow = { ...row, name, path: input.NewPath ?? row.path }
    moveHoldings(call, 'group', row, renamed)
    for (const memberName of name === row.name ? [] : await membersOf(call, row.name)) {
      const member = await user.require(call, { name: memberName })
      user.put(call.unit, call, {
        ...member,
        groups: member.groups.map((other) => (other === row.name ? name : other)),
      })
      leaveGroup(call, row.name, memberName)
      joinGroup(call, name, memberName)
    }
    remove()
    group.put(call.unit, call, renamed)
    return {}
  })

export const deleteGroup = iam
  .operation('DeleteGroup')
  .on(group.named('GroupName'))
  .run(async (call, _input, { row, remove }) => {
    refuseIfHolding(row)
    const [member] = await membersOf(call, row.name, 1)
    if (member) throw conflict('Cannot delete entity, must remove users from group first.')

    remove()
    await count(call, 'Groups', -1)
    return {}
  })

export const addUserToGroup = iam
  .operation('AddUserToGroup')
  .on(group.named('GroupName'))
  .run(async (call, input, { row }) => {
    const member = await user.require(call, { name: input.UserName })
    if (member.groups.includes(row.name)) return {}
    withinQuota(call, 'GroupsPerUser', member.groups.length + 1)
    user.put(call.unit, call, { ...member, groups: [...member.groups, row.name] })
    joinGroup(call, row.name, member.name)
    return {}
  })

export const removeUserFromGroup = iam
  .operation('RemoveUserFromGroup')
  .on(group.named('GroupName'))
  .run(async (call, input, { row }) => {
    const member = await user.require(call, { name: input.UserName })
    if (!member.groups.includes(row.name)) {
      throw iam.fail('NoSuchEntityException', `User ${member.name} is not in group ${row.name}.`)
    }
    user.put(call.unit, call, { ...member, groups: member.groups.filter((name) => name !== row.name) })
    leaveGroup(call, row.name, member.name)
    return {}
  })
