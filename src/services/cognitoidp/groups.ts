/** Groups of a pool, and who is in them. */
import type { GroupType } from '@aws-sdk/client-cognito-identity-provider'
import type { Call } from '../../kernel/gate/call.ts'
import { page, pageOf } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed, SERVICE_PRINCIPAL } from './resources.ts'
import type { GroupRow } from './tokens.ts'
import { requireUser, saveUser, type UserRow } from './user-rows.ts'
import { describedUser } from './users.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const GROUPS_MAX = 10_000
const GROUPS_PER_USER_MAX = 100
const PAGE = 60

const shown = (pool: PoolRow, row: GroupRow): GroupType => ({
  GroupName: row.name,
  UserPoolId: pool.id,
  ...(row.description !== undefined && { Description: row.description }),
  ...(row.roleArn !== undefined && { RoleArn: row.roleArn }),
  ...(row.precedence !== undefined && { Precedence: row.precedence }),
  CreationDate: new Date(row.createdAt),
  LastModifiedDate: new Date(row.modifiedAt),
})

async function requireGroup(reader: Reader, pool: PoolRow, name: string): Promise<GroupRow> {
  const row = await reader.get<GroupRow>(at.group(pool.id, name))
  if (!row) throw notFound('Group not found.')
  return row
}

/** A group's role is delegated to its members: the caller who sets one must be allowed to pass it. */
const authorizeRole = (call: Call, arn: string | undefined): Promise<void> | undefined =>
  arn === undefined ? undefined : call.authorize('iam:PassRole', arn, { 'iam:PassedToService': SERVICE_PRINCIPAL })

const badToken = () => invalidParameter('Invalid pagination token')

export const createGroup = cognito
  .operation('CreateGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    await authorizeRole(call, input.RoleArn)
    const key = at.group(pool.id, input.GroupName)
    if (await call.unit.get(key)) throw cognito.fail('GroupExistsException', 'A group with the name already exists.')
    const groups = await call.unit.range(under('cognito-idp', 'group', pool.id), { limit: GROUPS_MAX })
    if (groups.length >= GROUPS_MAX)
      throw cognito.fail('LimitExceededException', 'The user pool has as many groups as it may.')
    const row: GroupRow = {
      name: input.GroupName,
      description: input.Description,
      roleArn: input.RoleArn,
      precedence: input.Precedence,
      createdAt: call.now,
      modifiedAt: call.now,
    }
    call.unit.put(key, row)
    return { Group: shown(pool, row) }
  })

export const getGroup = cognito
  .operation('GetGroup')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({ Group: shown(row, await requireGroup(call.unit, row, input.GroupName)) }))

export const updateGroup = cognito
  .operation('UpdateGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    await authorizeRole(call, input.RoleArn)
    const before = await requireGroup(call.unit, pool, input.GroupName)
    const row: GroupRow = {
      ...before,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.RoleArn !== undefined && { roleArn: input.RoleArn }),
      ...(input.Precedence !== undefined && { precedence: input.Precedence }),
      modifiedAt: call.now,
    }
    call.unit.put(at.group(pool.id, row.name), row)
    return { Group: shown(pool, row) }
  })

export const deleteGroup = cognito
  .operation('DeleteGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { name } = await requireGroup(call.unit, pool, input.GroupName)
    call.unit.delete(at.group(pool.id, name))
    // Members keep the name in their rows; tokens show only groups that exist, and a later group with the same name
    // starts empty.
    const members = await call.unit.range<{ readonly sub: string }>(under('cognito-idp', 'member', pool.id, name))
    for (const { key, document } of members) {
      call.unit.delete(key)
      const user = await call.unit.get<UserRow>(at.user(pool.id, document.sub))
      if (user)
        call.unit.put(at.user(pool.id, user.sub), { ...user, groups: user.groups.filter((each) => each !== name) })
    }
    return {}
  })

export const listGroups = cognito
  .operation('ListGroups')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { items, next } = await page<GroupRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'group', pool.id), { after, limit }),
      { token: input.NextToken, size: input.Limit || PAGE, query: pool.id, bad: badToken },
    )
    return { Groups: items.map((row) => shown(pool, row)), ...(next !== undefined && { NextToken: next }) }
  })

export const adminAddUserToGroup = cognito
  .operation('AdminAddUserToGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    const { name } = await requireGroup(call.unit, pool, input.GroupName)
    if (user.groups.includes(name)) return {}
    if (user.groups.length >= GROUPS_PER_USER_MAX)
      throw cognito.fail('LimitExceededException', `A user can be in at most ${GROUPS_PER_USER_MAX} groups.`)
    call.unit.put(at.member(pool.id, name, user.sub), { sub: user.sub })
    await saveUser(call.unit, pool, user, { ...user, groups: [...user.groups, name] })
    return {}
  })

export const adminRemoveUserFromGroup = cognito
  .operation('AdminRemoveUserFromGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    const { name } = await requireGroup(call.unit, pool, input.GroupName)
    call.unit.delete(at.member(pool.id, name, user.sub))
    await saveUser(call.unit, pool, user, { ...user, groups: user.groups.filter((each) => each !== name) })
    return {}
  })

export const adminListGroupsForUser = cognito
  .operation('AdminListGroupsForUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    const rows = await Promise.all(user.groups.map((name) => call.unit.get<GroupRow>(at.group(pool.id, name))))
    const { items, next } = await pageOf(
      call,
      rows.filter((row) => row !== undefined),
      ({ name }) => name,
      { token: input.NextToken, size: input.Limit || PAGE, query: [pool.id, user.sub], bad: badToken },
    )
    return { Groups: items.map((row) => shown(pool, row)), ...(next !== undefined && { NextToken: next }) }
  })

export const listUsersInGroup = cognito
  .operation('ListUsersInGroup')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { name } = await requireGroup(call.unit, pool, input.GroupName)
    const { items, next } = await page<{ readonly sub: string }>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'member', pool.id, name), { after, limit }),
      { token: input.NextToken, size: input.Limit || PAGE, query: [pool.id, name], bad: badToken },
    )
    const users = await Promise.all(items.map(({ sub }) => call.unit.get<UserRow>(at.user(pool.id, sub))))
    return {
      Users: users.filter((user) => user !== undefined).map((user) => describedUser(user)),
      ...(next !== undefined && { NextToken: next }),
    }
  })
