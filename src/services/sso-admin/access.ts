/** What is assigned to a person: read from the assignments, and kept in memory for lists until one of its rows changes. */
import { accounts } from '../../kernel/ports/accounts.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import type { Use } from '../../kernel/ports/port.ts'
import type { AccountAccess, PortalLookup, SsoInstance } from '../../kernel/ports/sso-instances.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Store } from '../../store/store.ts'
import { permissionSet, SCOPE } from './resources.ts'
import { type AssignmentRow, assignmentsOf } from './rows.ts'

/** Each pair of account and permission set once, however many assignments lead there. */
export async function assigned(
  { reader, people }: PortalLookup,
  { id, storeId }: Pick<SsoInstance, 'id' | 'storeId'>,
  userId: string,
  accountId?: string,
): Promise<readonly AssignmentRow[]> {
  const groups = await people.groupsOf(reader, storeId, userId)
  const prefixes = [assignmentsOf(id, 'USER', userId), ...groups.map((group) => assignmentsOf(id, 'GROUP', group))].map(
    (prefix) => (accountId === undefined ? prefix : `${prefix}${accountId}/`),
  )
  const found = await Promise.all(prefixes.map((prefix) => reader.range<AssignmentRow>(prefix)))
  const once = new Map(
    found.flat().map(({ document }) => [`${document.accountId}/${document.permissionSetId}`, document]),
  )
  return [...once.values()]
}

/** People: an entry of one with five thousand roles has about 100 KB. */
const KEPT_MAX = 200

export function accessByAccount(
  store: Store,
  use: Use,
): (at: SsoInstance, userId: string) => Promise<readonly AccountAccess[]> {
  const cache = new DerivedCache(
    store,
    (reader, argument) => {
      const [id, storeId, userId] = JSON.parse(argument) as [string, string, string]
      return accessOf(reader, use, { id, storeId }, userId)
    },
    { max: KEPT_MAX },
  )
  return ({ id, storeId }, userId) => cache.get(JSON.stringify([id, storeId, userId]))
}

/** Thousands of assignments have a few permission sets: each of them is read once, and no role is. */
async function accessOf(
  reader: Reader,
  use: Use,
  at: Pick<SsoInstance, 'id' | 'storeId'>,
  userId: string,
): Promise<readonly AccountAccess[]> {
  const rows = await assigned({ reader, people: use(identityStore) }, at, userId)
  const names = new Map<string, string>()
  for (const PermissionSetId of new Set(rows.map(({ permissionSetId }) => permissionSetId))) {
    const set = await permissionSet.get(reader, SCOPE, { InstanceId: at.id, PermissionSetId })
    if (set) names.set(PermissionSetId, set.name)
  }
  const found = new Map<string, string[]>()
  for (const { accountId, permissionSetId } of rows) {
    const name = names.get(permissionSetId)
    if (name === undefined) continue
    const known = found.get(accountId)
    if (known) known.push(name)
    else found.set(accountId, [name])
  }
  const ordered = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  return Promise.all(
    ordered.map(async ([id, roles]): Promise<AccountAccess> => {
      const { name, alias } = await use(accounts).describe(reader, id)
      return { id, name, ...(alias !== undefined && { alias }), roles: roles.sort() }
    }),
  )
}
