/** Groups: created, shown, found, changed, listed and deleted. */
import type * as Api from '@aws-sdk/client-identitystore'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { changed } from './attributes.ts'
import { count } from './counts.ts'
import { addGroup, removeGroup, saveGroup } from './directory.ts'
import { badToken, filterOf, invalid } from './lists.ts'
import { type GroupRow, groupKey, groupsIn, idByUnique, identitystore, type StoreRow, type Unique } from './rows.ts'
import { inStore, type Located, theStore } from './target.ts'
import { type AlternateIdentifier, idOf, written } from './users.ts'

export async function locateGroup(
  reader: Pick<Reader, 'get'>,
  { id }: StoreRow,
  groupId: string,
): Promise<Located<GroupRow>> {
  const row = await reader.get<GroupRow>(groupKey(id, groupId.toLowerCase()))
  return {
    on: [{ kind: 'group', id: groupId }],
    row,
    missing: `GROUP ${groupId}`,
    ...(row && { issuers: { group: row.externalIds.map(({ Issuer }) => Issuer) } }),
  }
}

export const groupNamed = inStore(
  (store, { GroupId }: { readonly IdentityStoreId: string; readonly GroupId: string }, call) =>
    locateGroup(call.unit, store, GroupId),
)

const shown = (storeId: string, row: GroupRow) =>
  ({
    IdentityStoreId: storeId,
    GroupId: row.id,
    DisplayName: row.displayName,
    ...(row.description !== undefined && { Description: row.description }),
    ...(row.externalIds.length > 0 && { ExternalIds: [...row.externalIds] }),
    ...written(row),
  }) satisfies Api.Group

export const createGroup = identitystore
  .operation('CreateGroup')
  .on(theStore())
  .run(async (call, { DisplayName, Description }, { store, change }) => {
    if (DisplayName === undefined) throw invalid('displayName is a required attribute')
    await count(call, store.id, 'Groups', 1)
    const row = await addGroup(change, {
      displayName: DisplayName,
      ...(Description !== undefined && { description: Description }),
    })
    return { IdentityStoreId: store.id, GroupId: row.id }
  })

export const describeGroup = identitystore
  .operation('DescribeGroup')
  .on(groupNamed)
  .run((_call, _input, { store, row }) => shown(store.id, row))

const MEMBERS = new Set(['DisplayName', 'Description'])

export const updateGroup = identitystore
  .operation('UpdateGroup')
  .on(groupNamed)
  .run(async (_call, { Operations }, { row, change }) => {
    const before = { DisplayName: row.displayName, Description: row.description }
    const { DisplayName, Description } = changed(before, Operations, MEMBERS)
    if (typeof DisplayName !== 'string') throw invalid('displayName is a required attribute')
    const { description: _before, ...rest } = row
    await saveGroup(change, row, {
      ...rest,
      displayName: DisplayName,
      ...(typeof Description === 'string' && { description: Description }),
    })
    return {}
  })

export const deleteGroup = identitystore
  .operation('DeleteGroup')
  .on(groupNamed)
  .run(async (call, _input, { store, row, change }) => {
    await removeGroup(change, row)
    await count(call, store.id, 'Groups', -1)
    return {}
  })

const UNIQUE: Readonly<Record<string, Unique>> = { displayname: 'group-name' }

export const getGroupId = identitystore
  .operation('GetGroupId')
  .on(
    inStore(
      async (
        store,
        input: { readonly IdentityStoreId: string; readonly AlternateIdentifier: AlternateIdentifier },
        call,
      ): Promise<Located<string>> => {
        const row = await idOf(call, store, input.AlternateIdentifier, UNIQUE, 'group-external')
        return { on: [{ kind: 'group', id: '*' }], row, missing: 'GROUP AlternateIdentifier' }
      },
    ),
  )
  .run((_call, _input, { store, row }) => ({ IdentityStoreId: store.id, GroupId: row }))

export const listGroups = identitystore
  .operation('ListGroups')
  .on(inStore(() => ({ on: [{ kind: 'group', id: '*' }], row: true })))
  .run(async (call, input, { store }) => {
    const filter = filterOf(input.Filters, 'DisplayName')
    if (filter !== undefined) {
      const id = await idByUnique(call.unit, store.id, 'group-name', filter)
      const row = id === undefined ? undefined : await call.unit.get<GroupRow>(groupKey(store.id, id))
      return { Groups: row ? [shown(store.id, row)] : [] }
    }
    const { items, next } = await page<GroupRow>(
      call,
      (after, limit) => call.unit.range(groupsIn(store.id), { after, limit }),
      { token: input.NextToken, size: input.MaxResults ?? 100, query: store.id, bad: badToken },
    )
    return { Groups: items.map((row) => shown(store.id, row)), ...(next !== undefined && { NextToken: next }) }
  })
