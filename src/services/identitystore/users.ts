/** People: created, shown, found, changed, listed and deleted. */
import type * as Api from '@aws-sdk/client-identitystore'
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { changed, MEMBERS_OF_USER } from './attributes.ts'
import { count } from './counts.ts'
import { addUser, removeUser, saveUser } from './directory.ts'
import { badToken, filterOf, invalid } from './lists.ts'
import {
  externalValue,
  idByUnique,
  identitystore,
  type StoreRow,
  type Unique,
  type UserRow,
  userKey,
  usersIn,
  type Written,
} from './rows.ts'
import { inStore, type Located, theStore } from './target.ts'

const NAME_RESERVED = /^(administrator|awsadministrators)$/i

export const issuersOf = ({ externalIds }: Pick<UserRow, 'externalIds'>): readonly string[] =>
  externalIds.map(({ Issuer }) => Issuer)

export async function locateUser(
  reader: Pick<Reader, 'get'>,
  { id }: StoreRow,
  userId: string,
): Promise<Located<UserRow>> {
  const row = await reader.get<UserRow>(userKey(id, userId.toLowerCase()))
  return {
    on: [{ kind: 'user', id: userId }],
    row,
    missing: `USER ${userId}`,
    ...(row && { issuers: { user: issuersOf(row) } }),
  }
}

const userNamed = inStore((store, { UserId }: { readonly IdentityStoreId: string; readonly UserId: string }, call) =>
  locateUser(call.unit, store, UserId),
)

export function shownUser(storeId: string, row: UserRow, extensions: readonly string[] = []) {
  const { Extensions, ...attributes } = row.attributes
  const shown = Object.entries((Extensions ?? {}) as object).filter(([name]) => extensions.includes(name))
  return {
    IdentityStoreId: storeId,
    UserId: row.id,
    UserName: row.userName,
    ...(row.externalIds.length > 0 && { ExternalIds: [...row.externalIds] }),
    ...attributes,
    ...(shown.length > 0 && { Extensions: Object.fromEntries(shown) }),
    UserStatus: row.isEnabled ? ('ENABLED' as const) : ('DISABLED' as const),
    ...written(row),
  } satisfies Api.User
}

/** When, and by which principal. */
export const written = ({ createdAt, createdBy, updatedAt, updatedBy }: Written) => ({
  CreatedAt: new Date(createdAt),
  CreatedBy: createdBy,
  UpdatedAt: new Date(updatedAt),
  UpdatedBy: updatedBy,
})

export const createUser = identitystore
  .operation('CreateUser')
  .on(theStore())
  .run(async (call, input, { store, change }) => {
    const { UserName } = input
    if (UserName === undefined) throw invalid('userName is a required attribute')
    if (NAME_RESERVED.test(UserName)) throw invalid(`The user name ${UserName} is reserved.`)
    const attributes = Object.fromEntries(
      Object.entries(input).filter(([name, value]) => MEMBERS_OF_USER.has(name) && value !== undefined),
    )
    await count(call, store.id, 'Users', 1)
    const row = await addUser(change, { userName: UserName, attributes })
    return { IdentityStoreId: store.id, UserId: row.id }
  })

export const describeUser = identitystore
  .operation('DescribeUser')
  .on(userNamed)
  .run((_call, { Extensions }, { store, row }) => shownUser(store.id, row, Extensions))

export const updateUser = identitystore
  .operation('UpdateUser')
  .on(userNamed)
  .run(async (_call, { Operations }, { row, change }) => {
    const before = { ...row.attributes, UserName: row.userName }
    const { UserName, ...attributes } = changed(before, Operations, MEMBERS_OF_USER)
    if (typeof UserName !== 'string') throw invalid('userName is a required attribute')
    await saveUser(change, row, { ...row, userName: UserName, attributes })
    return {}
  })

export const deleteUser = identitystore
  .operation('DeleteUser')
  .on(userNamed)
  .run(async (call, _input, { store, row, change }) => {
    await removeUser(change, row)
    await count(call, store.id, 'Users', -1)
    return {}
  })

export interface AlternateIdentifier {
  readonly ExternalId?: { readonly Issuer: string; readonly Id: string } | undefined
  readonly UniqueAttribute?: { readonly AttributePath: string; readonly AttributeValue: unknown } | undefined
}

/** Throws for paths whose values are not unique. */
export async function idOf(
  call: Call,
  { id }: StoreRow,
  { ExternalId, UniqueAttribute }: AlternateIdentifier,
  kinds: Readonly<Record<string, Unique>>,
  externalKind: Unique,
): Promise<string | undefined> {
  if (ExternalId) return idByUnique(call.unit, id, externalKind, externalValue(ExternalId))
  const { AttributePath = '', AttributeValue } = UniqueAttribute ?? {}
  const kind = kinds[AttributePath.toLowerCase()]
  if (!kind) throw invalid(`The attribute path ${AttributePath} is not one of a unique attribute.`)
  if (typeof AttributeValue !== 'string' || AttributeValue === '') throw invalid('The attribute value is not a text.')
  return idByUnique(call.unit, id, kind, AttributeValue)
}

const UNIQUE: Readonly<Record<string, Unique>> = { username: 'user-name', 'emails.value': 'user-email' }

export const getUserId = identitystore
  .operation('GetUserId')
  .on(
    inStore(
      async (
        store,
        input: { readonly IdentityStoreId: string; readonly AlternateIdentifier: AlternateIdentifier },
        call,
      ): Promise<Located<string>> => {
        const row = await idOf(call, store, input.AlternateIdentifier, UNIQUE, 'user-external')
        return { on: [{ kind: 'user', id: '*' }], row, missing: 'USER AlternateIdentifier' }
      },
    ),
  )
  .run((_call, _input, { store, row }) => ({ IdentityStoreId: store.id, UserId: row }))

export const listUsers = identitystore
  .operation('ListUsers')
  .on(inStore(() => ({ on: [{ kind: 'user', id: '*' }], row: true })))
  .run(async (call, input, { store }) => {
    const filter = filterOf(input.Filters, 'UserName')
    const show = (row: UserRow) => shownUser(store.id, row, input.Extensions)
    if (filter !== undefined) {
      const id = await idByUnique(call.unit, store.id, 'user-name', filter)
      const row = id === undefined ? undefined : await call.unit.get<UserRow>(userKey(store.id, id))
      return { Users: row ? [show(row)] : [] }
    }
    const { items, next } = await page<UserRow>(
      call,
      (after, limit) => call.unit.range(usersIn(store.id), { after, limit }),
      { token: input.NextToken, size: input.MaxResults ?? 100, query: store.id, bad: badToken },
    )
    return { Users: items.map(show), ...(next !== undefined && { NextToken: next }) }
  })
