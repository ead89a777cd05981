/**
 * Changes of a directory, once: the API, SCIM and the seed all pass here. Names, addresses and external IDs are unique
 * in any case of letters, and a user who is disabled or deleted is signed out everywhere.
 */
import type { Call } from '../../kernel/gate/call.ts'
import { endSignIns } from '../../kernel/state/sign-in-sessions.ts'
import type { Unit } from '../../store/store.ts'
import { deleteCredentials } from './credentials.ts'
import {
  type ExternalId,
  emailOf,
  externalValue,
  type GroupRow,
  groupKey,
  groupsWith,
  identitystore,
  type MemberIndex,
  type MembershipRow,
  memberKey,
  memberOfKey,
  membershipKey,
  membersIn,
  signInPersonOf,
  type Unique,
  type UserRow,
  uniqueKey,
  userKey,
} from './rows.ts'

export interface Change {
  readonly unit: Unit
  readonly now: number
  readonly storeId: string
  /** ARN of the caller. */
  readonly by: string
  readonly newId: Call['newId']
}

const conflict = (text: string, Reason: string) => identitystore.fail('ConflictException', text, { Reason })

export const notUnique = (what: string) =>
  conflict(`Duplicate ${what}: another resource of the identity store has it.`, 'UNIQUENESS_CONSTRAINT_VIOLATION')

/** Claims values for an ID, and lets go of those it had before. */
async function claim(
  { unit, storeId }: Change,
  id: string,
  before: readonly (readonly [Unique, string])[],
  after: readonly (readonly [Unique, string])[],
): Promise<void> {
  const at = ([kind, value]: readonly [Unique, string]) => uniqueKey(storeId, kind, value)
  const kept = new Set(after.map(at))
  for (const each of before) if (!kept.has(at(each))) unit.delete(at(each))
  for (const each of after) {
    const owner = await unit.get<{ readonly id: string }>(at(each))
    if (owner && owner.id !== id) throw notUnique(WORDS[each[0]])
    if (!owner) unit.put(at(each), { id })
  }
}

const WORDS: Readonly<Record<Unique, string>> = {
  'user-name': 'UserName',
  'user-email': 'email',
  'user-external': 'ExternalId',
  'group-name': 'GroupDisplayName',
  'group-external': 'ExternalId',
}

const external = (kind: Unique, ids: readonly ExternalId[]) => ids.map((each) => [kind, externalValue(each)] as const)

const userClaims = (row: UserRow): readonly (readonly [Unique, string])[] => {
  const email = emailOf(row)
  return [
    ['user-name', row.userName],
    ...(email === undefined ? [] : [['user-email', email] as const]),
    ...external('user-external', row.externalIds),
  ]
}

const groupClaims = (row: GroupRow): readonly (readonly [Unique, string])[] => [
  ['group-name', row.displayName],
  ...external('group-external', row.externalIds),
]

export async function addUser(
  change: Change,
  user: Pick<UserRow, 'userName' | 'attributes'> & Partial<Pick<UserRow, 'externalIds' | 'isEnabled'>>,
): Promise<UserRow> {
  const { unit, now, by, storeId } = change
  const row: UserRow = {
    externalIds: [],
    isEnabled: true,
    ...user,
    id: change.newId(),
    createdAt: now,
    updatedAt: now,
    createdBy: by,
    updatedBy: by,
  }
  await claim(change, row.id, [], userClaims(row))
  unit.put(userKey(storeId, row.id), row)
  return row
}

export async function saveUser(change: Change, before: UserRow, after: UserRow): Promise<UserRow> {
  const { unit, now, by, storeId } = change
  const row = { ...after, updatedAt: now, updatedBy: by }
  await claim(change, row.id, userClaims(before), userClaims(row))
  unit.put(userKey(storeId, row.id), row)
  if (before.isEnabled && !row.isEnabled) await endSignIns(unit, signInPersonOf(storeId, row.id))
  return row
}

export async function removeUser(change: Change, row: UserRow): Promise<void> {
  const { unit, storeId } = change
  await claim(change, row.id, userClaims(row), [])
  for (const { document } of await unit.range<MemberIndex>(groupsWith(storeId, row.id))) {
    removeMembership(change, document)
  }
  unit.delete(userKey(storeId, row.id))
  await deleteCredentials(unit, storeId, row.id)
  await endSignIns(unit, signInPersonOf(storeId, row.id))
}

export async function addGroup(
  change: Change,
  group: Pick<GroupRow, 'displayName'> & Partial<Pick<GroupRow, 'description' | 'externalIds'>>,
): Promise<GroupRow> {
  const { unit, now, by, storeId } = change
  const row: GroupRow = {
    externalIds: [],
    ...group,
    id: change.newId(),
    createdAt: now,
    updatedAt: now,
    createdBy: by,
    updatedBy: by,
  }
  await claim(change, row.id, [], groupClaims(row))
  unit.put(groupKey(storeId, row.id), row)
  return row
}

export async function saveGroup(change: Change, before: GroupRow, after: GroupRow): Promise<GroupRow> {
  const row = { ...after, updatedAt: change.now, updatedBy: change.by }
  await claim(change, row.id, groupClaims(before), groupClaims(row))
  change.unit.put(groupKey(change.storeId, row.id), row)
  return row
}

export async function removeGroup(change: Change, row: GroupRow): Promise<void> {
  const { unit, storeId } = change
  await claim(change, row.id, groupClaims(row), [])
  for (const { document } of await unit.range<MemberIndex>(membersIn(storeId, row.id))) {
    removeMembership(change, document)
  }
  unit.delete(groupKey(storeId, row.id))
}

/** Throws where the person is a member already. */
export async function addMembership(change: Change, groupId: string, userId: string): Promise<MembershipRow> {
  const { unit, now, by, storeId } = change
  if (await unit.get(memberKey(storeId, groupId, userId))) {
    throw conflict('Member and Group relationship already exists.', 'UNIQUENESS_CONSTRAINT_VIOLATION')
  }
  const id = change.newId()
  const row: MembershipRow = { id, groupId, userId, createdAt: now, updatedAt: now, createdBy: by, updatedBy: by }
  const index: MemberIndex = { membershipId: id, groupId, userId }
  unit.put(membershipKey(storeId, id), row)
  unit.put(memberKey(storeId, groupId, userId), index)
  unit.put(memberOfKey(storeId, userId, groupId), index)
  return row
}

export function removeMembership({ unit, storeId }: Change, { membershipId, groupId, userId }: MemberIndex): void {
  unit.delete(membershipKey(storeId, membershipId))
  unit.delete(memberKey(storeId, groupId, userId))
  unit.delete(memberOfKey(storeId, userId, groupId))
}
