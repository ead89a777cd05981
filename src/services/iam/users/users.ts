/** Users: create, read, rename, list, delete. */
import type { Call } from '../../../kernel/gate/call.ts'
import { count } from '../counts.ts'
import { hangsOnUser } from '../credentials/subordinates.ts'
import { listRows } from '../lists.ts'
import { bounded, shownBoundary, unbind } from '../policies/boundaries.ts'
import { moveHoldings, refuseIfHolding } from '../policies/identity-policies.ts'
import { nameIn, type UserRow, underPath, user, userIdKey } from '../resources.ts'
import { shownTags } from '../tags.ts'
import { alreadyExists, conflict, date, iam } from '../words.ts'
import { joinGroup, leaveGroup } from './memberships.ts'
import { userNamedOrSelf } from './self.ts'

/** A user as the API shows it. Lists leave tags and boundary out, as AWS does. */
export function shownUser(call: Call, row: UserRow) {
  return {
    Path: row.path,
    UserName: row.name,
    UserId: row.id,
    Arn: user.arnOf(call, row),
    CreateDate: date(row.createdAt),
    ...(row.passwordUsedAt !== undefined && { PasswordLastUsed: date(row.passwordUsedAt) }),
  }
}

export function shownUserInFull(call: Call, row: UserRow) {
  return { ...shownUser(call, row), ...shownTags(row), ...shownBoundary(row) }
}

export const createUser = iam
  .operation('CreateUser')
  .on(user.created(nameIn('UserName')))
  .run(async (call, input, { tags, assertAvailable, create }) => {
    assertAvailable()
    await count(call, 'Users', 1)

    const row = create({
      name: input.UserName,
      path: input.Path ?? '/',
      id: call.uniqueId('AIDA'),
      createdAt: call.now,
      tags,
      attached: [],
      inline: {},
      groups: [],
      ...(await bounded(call, 'user', input.UserName, input.PermissionsBoundary)),
    })
    call.unit.put(userIdKey(call.account, row.id), { name: row.name })
    return { User: shownUserInFull(call, row) }
  })

export const getUser = iam
  .operation('GetUser')
  .on(userNamedOrSelf('UserName'))
  .run((call, _input, self) => ({ User: 'root' in self ? self.root : shownUserInFull(call, self) }))

export const listUsers = iam
  .operation('ListUsers')
  .on(user.collection(underPath('UserNameWithPath')))
  .run(async (call, input, users) => {
    const { items, rest } = await listRows(users, input)
    return { Users: items.map((row) => shownUser(call, row)), ...rest }
  })

export const updateUser = iam
  .operation('UpdateUser')
  .on(user.named('UserName'))
  .run(async (call, input, { row, remove }) => {
    const name = input.NewUserName ?? row.name
    const moves = name.toLowerCase() !== row.name.toLowerCase()
    if (moves && (await user.get(call.unit, call, { name }))) throw alreadyExists('User', name)

    const renamed: UserRow = { ...row, name, path: input.NewPath ?? row.path }
    moveHoldings(call, 'user', row, renamed)
    for (const groupName of row.groups) {
      leaveGroup(call, groupName, row.name)
      joinGroup(call, groupName, name)
    }
    remove()
    user.put(call.unit, call, renamed)
    call.unit.put(userIdKey(call.account, row.id), { name })
    return {}
  })

/** What must be gone first, in the order AWS names it. */
export const deleteUser = iam
  .operation('DeleteUser')
  .on(user.named('UserName'))
  .run(async (call, _input, { row, remove }) => {
    refuseIfHolding(row)
    const hanging = await hangsOnUser(call, row.id)
    if (hanging) throw conflict(`Cannot delete entity, must ${hanging} first.`)
    if (row.groups.length > 0) throw conflict('Cannot delete entity, must remove users from group first.')

    unbind(call, 'user', row)
    call.unit.delete(userIdKey(call.account, row.id))
    remove()
    await count(call, 'Users', -1)
    return {}
  })
