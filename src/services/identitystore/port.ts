/** What an identity store offers IAM Identity Center, its portal and its sign-in. */
import type { IdentityStorePort, StoreUser } from '../../kernel/ports/identity-store.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { credentials } from './credentials.ts'
import { removeGroup, removeUser, saveUser } from './directory.ts'
import {
  emailOf,
  externalValue,
  type GroupRow,
  groupKey,
  groupsIn,
  groupsWith,
  idByUnique,
  type MemberIndex,
  SCIM_ISSUER,
  type StoreRow,
  signInPersonOf,
  storeKey,
  type UserRow,
  userKey,
  usersIn,
} from './rows.ts'
import { createScimToken, deleteScimToken, scimTokens } from './scim/tokens.ts'
import { scheduleSync, syncStatus } from './sync/job.ts'

/** Members by path: `name.givenName`, `emails[primary eq true].value`, `externalId`, `enterprise.department`. */
function flattened(row: UserRow): Readonly<Record<string, string>> {
  const flat: Record<string, string> = { userName: row.userName, subject: row.userName }
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') flat[path] = value
    else if (Array.isArray(value)) {
      const [first] = value
      if (first !== undefined) {
        walk(first, `${path}[primary eq true]`)
        walk(first, path)
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        const step = name.startsWith('aws:identitystore:') ? name.slice('aws:identitystore:'.length) : lowerFirst(name)
        walk(member, path === '' ? step : `${path}.${step}`)
      }
    }
  }
  const { Extensions, ...own } = row.attributes
  walk(own, '')
  walk(Extensions, '')
  const email = emailOf(row)
  if (email !== undefined) flat['email'] = email
  const [external] = row.externalIds
  if (external) flat['externalId'] = external.Id
  return flat
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)

export const storeUser = (storeId: string, row: UserRow): StoreUser => ({
  id: row.id,
  storeId,
  userName: row.userName,
  displayName: row.attributes['DisplayName'] as string | undefined,
  email: emailOf(row),
  isEnabled: row.isEnabled,
  signInPerson: signInPersonOf(storeId, row.id),
  externalIds: row.externalIds,
  attributes: flattened(row),
})

async function byId(reader: Pick<Reader, 'get'>, storeId: string, id: string | undefined) {
  const row = id === undefined ? undefined : await reader.get<UserRow>(userKey(storeId, id))
  return row && storeUser(storeId, row)
}

export const identityStorePort: IdentityStorePort = {
  ...credentials,
  createScimToken,
  deleteScimToken,
  scimTokens,
  scheduleSync,
  syncStatus,
  create: (unit, { now, ...store }) => unit.put(storeKey(store.id), { ...store, createdAt: now } satisfies StoreRow),
  remove: async (unit, storeId) => {
    const change = { unit, now: 0, storeId, by: '', newId: () => '' }
    for (const { document } of await unit.range<UserRow>(usersIn(storeId))) await removeUser(change, document)
    for (const { document } of await unit.range<GroupRow>(groupsIn(storeId))) await removeGroup(change, document)
    for (const { key: at } of await unit.range(under('identitystore', 'scim-token', storeId))) unit.delete(at)
    unit.delete(storeKey(storeId))
  },
  find: (reader, storeId) => reader.get<StoreRow>(storeKey(storeId)),
  user: byId,
  userByName: async (reader, storeId, name) =>
    byId(reader, storeId, await idByUnique(reader, storeId, 'user-name', name)),
  userByAttribute: async (reader, storeId, path, value) => {
    switch (path) {
      case 'userName':
        return byId(reader, storeId, await idByUnique(reader, storeId, 'user-name', value))
      case 'emails.value':
      case 'email':
        return byId(reader, storeId, await idByUnique(reader, storeId, 'user-email', value))
      case 'externalId':
        return byId(
          reader,
          storeId,
          await idByUnique(reader, storeId, 'user-external', externalValue({ Issuer: SCIM_ISSUER, Id: value })),
        )
      default:
        return undefined
    }
  },
  userByExternalId: async (reader, storeId, Issuer, Id) =>
    byId(reader, storeId, await idByUnique(reader, storeId, 'user-external', externalValue({ Issuer, Id }))),
  disable: async (unit, storeId, userId, { issuer, now }) => {
    const row = await unit.get<UserRow>(userKey(storeId, userId))
    const change = { unit, now, storeId, by: `directory/${issuer}`, newId: () => '' }
    if (row?.isEnabled) await saveUser(change, row, { ...row, isEnabled: false })
  },
  group: async (reader, storeId, id) => {
    const row = await reader.get<GroupRow>(groupKey(storeId, id))
    return row && { id: row.id, displayName: row.displayName }
  },
  groupsOf: async (reader, storeId, userId) =>
    (await reader.range<MemberIndex>(groupsWith(storeId, userId))).map(({ document }) => document.groupId),
}
