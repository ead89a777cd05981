/** Memberships: the users of each group. */
import type * as Api from '@aws-sdk/client-identitystore'
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import { addMembership, removeMembership } from './directory.ts'
import { groupNamed, locateGroup } from './groups.ts'
import { badToken, invalid } from './lists.ts'
import {
  groupsWith,
  identitystore,
  type MemberIndex,
  type MembershipRow,
  memberKey,
  membershipKey,
  membersIn,
  type StoreRow,
} from './rows.ts'
import { inStore, type Located } from './target.ts'
import { locateUser, written } from './users.ts'

interface Member {
  readonly UserId?: string | undefined
}

function userIdOf({ UserId }: Member): string {
  if (UserId === undefined) throw invalid('A member is named by its UserId.')
  return UserId.toLowerCase()
}

const shown = (storeId: string, row: MembershipRow) =>
  ({
    IdentityStoreId: storeId,
    MembershipId: row.id,
    GroupId: row.groupId,
    MemberId: { UserId: row.userId },
    ...written(row),
  }) satisfies Api.GroupMembership

interface Pair {
  readonly IdentityStoreId: string
  readonly GroupId: string
  readonly MemberId: Member
}

export const createGroupMembership = identitystore
  .operation('CreateGroupMembership')
  .on(
    inStore(async (store, { GroupId, MemberId }: Pair, call): Promise<Located<{ groupId: string; userId: string }>> => {
      const group = await locateGroup(call.unit, store, GroupId)
      const user = await locateUser(call.unit, store, userIdOf(MemberId))
      const missing = group.row ? user.missing! : group.missing!
      const row = group.row && user.row && { groupId: group.row.id, userId: user.row.id }
      return { on: [...user.on, ...group.on], row, missing }
    }),
  )
  .run(async (_call, _input, { store, row, change }) => {
    const { id } = await addMembership(change, row.groupId, row.userId)
    return { IdentityStoreId: store.id, MembershipId: id }
  })

const byId = (store: StoreRow, call: Call, id: string) =>
  call.unit.get<MembershipRow>(membershipKey(store.id, id.toLowerCase()))

const membershipNamed = inStore(
  async (
    store,
    { MembershipId: id }: { readonly IdentityStoreId: string; readonly MembershipId: string },
    call,
  ): Promise<Located<MembershipRow>> => ({
    on: [{ kind: 'membership', id }],
    row: await byId(store, call, id),
    missing: `MEMBERSHIP ${id}`,
  }),
)

export const describeGroupMembership = identitystore
  .operation('DescribeGroupMembership')
  .on(membershipNamed)
  .run(async (call, _input, { store, row }) => {
    await alsoOnBoth(call, row)
    return shown(store.id, row)
  })

export const deleteGroupMembership = identitystore
  .operation('DeleteGroupMembership')
  .on(membershipNamed)
  .run(async (call, _input, { row, change }) => {
    await alsoOnBoth(call, row)
    removeMembership(change, { ...row, membershipId: row.id })
    return {}
  })

/** The reference lists the group and the person as well. */
async function alsoOnBoth(call: Call, { groupId, userId }: MembershipRow): Promise<void> {
  await call.authorize(`identitystore:${call.operation}`, `arn:aws:identitystore:::group/${groupId}`)
  await call.authorize(`identitystore:${call.operation}`, `arn:aws:identitystore:::user/${userId}`)
}

export const getGroupMembershipId = identitystore
  .operation('GetGroupMembershipId')
  .on(
    inStore(async (store, { GroupId, MemberId }: Pair, call): Promise<Located<string>> => {
      const userId = userIdOf(MemberId)
      const index = await call.unit.get<MemberIndex>(memberKey(store.id, GroupId.toLowerCase(), userId))
      return {
        on: [
          { kind: 'user', id: userId },
          { kind: 'membership', id: '*' },
          { kind: 'group', id: GroupId },
        ],
        row: index?.membershipId,
        missing: 'MEMBERSHIP MemberId',
      }
    }),
  )
  .run((_call, _input, { store, row }) => ({ IdentityStoreId: store.id, MembershipId: row }))

export const isMemberInGroups = identitystore
  .operation('IsMemberInGroups')
  .on(
    inStore(
      async (
        store,
        {
          MemberId,
          GroupIds,
        }: { readonly IdentityStoreId: string; readonly MemberId: Member; readonly GroupIds: readonly string[] },
        call,
      ): Promise<Located<string>> => {
        const user = await locateUser(call.unit, store, userIdOf(MemberId))
        const groups = GroupIds.map((id) => ({ kind: 'group' as const, id }))
        return {
          on: [{ kind: 'membership', id: '*' }, ...groups, ...user.on],
          row: user.row?.id,
          missing: user.missing!,
        }
      },
    ),
  )
  .run(async (call, { GroupIds }, { store, row }) => {
    const Results = await Promise.all(
      GroupIds.map(async (GroupId) => ({
        GroupId,
        MemberId: { UserId: row },
        MembershipExists: (await call.unit.get(memberKey(store.id, GroupId.toLowerCase(), row))) !== undefined,
      })),
    )
    return { Results }
  })

async function memberships(
  call: Call,
  store: StoreRow,
  prefix: string,
  input: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
) {
  const { items, next } = await page<MemberIndex>(call, (after, limit) => call.unit.range(prefix, { after, limit }), {
    token: input.NextToken,
    size: input.MaxResults ?? 100,
    query: prefix,
    bad: badToken,
  })
  const rows = await Promise.all(items.map(({ membershipId }) => byId(store, call, membershipId)))
  return {
    GroupMemberships: rows.flatMap((row) => (row ? [shown(store.id, row)] : [])),
    ...(next !== undefined && { NextToken: next }),
  }
}

export const listGroupMemberships = identitystore
  .operation('ListGroupMemberships')
  .on(groupNamed)
  .run(async (call, input, { store, row }) => {
    await call.authorize('identitystore:ListGroupMemberships', 'arn:aws:identitystore:::membership/*')
    return memberships(call, store, membersIn(store.id, row.id), input)
  })

export const listGroupMembershipsForMember = identitystore
  .operation('ListGroupMembershipsForMember')
  .on(
    inStore(async (store, { MemberId }: { readonly IdentityStoreId: string; readonly MemberId: Member }, call) => {
      const user = await locateUser(call.unit, store, userIdOf(MemberId))
      return { ...user, on: [{ kind: 'membership' as const, id: '*' }, ...user.on] }
    }),
  )
  .run((call, input, { store, row }) => memberships(call, store, groupsWith(store.id, row.id), input))
