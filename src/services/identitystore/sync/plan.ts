/** What a synchronization changes: a listing of the directory, compared with the people and groups of the store. */
import type { DirectoryListing, ListedPerson } from '../../../kernel/ports/directory-servers.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key } from '../../../store/store.ts'
import {
  type ExternalId,
  emailOf,
  type GroupRow,
  groupsIn,
  idByUnique,
  type MemberIndex,
  membersIn,
  type UserRow,
  usersIn,
} from '../rows.ts'

/** Of one transaction: the rest follows at once. */
const CHANGES_MAX = 2_000
const PORTION = 1_000
/** Fewer deletions are never held back. */
const DELETIONS_FREE = 10
const SKIPPED_SHOWN = 10

export interface NewUser {
  readonly userName: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly externalIds: readonly ExternalId[]
  readonly isEnabled: boolean
}

export type SyncChange =
  | { readonly kind: 'add-user'; readonly user: NewUser }
  | { readonly kind: 'save-user'; readonly id: string; readonly user: NewUser }
  | { readonly kind: 'remove-user'; readonly id: string }
  | { readonly kind: 'add-group'; readonly displayName: string; readonly externalIds: readonly ExternalId[] }
  | { readonly kind: 'save-group'; readonly id: string; readonly displayName: string }
  | { readonly kind: 'remove-group'; readonly id: string }
  | { readonly kind: 'add-member' | 'remove-member'; readonly groupId: string; readonly userId: string }

export interface SyncPlan {
  readonly changes: readonly SyncChange[]
  /** More is left for the next turn. */
  readonly isMore: boolean
  readonly people: number
  readonly groups: number
  /** Names that another person or group of the store has, or that are beyond the quota: the first ten. */
  readonly skipped: readonly string[]
  readonly skippedCount: number
}

/** The listing would delete most of the people: more likely a mistake of the directory's than the wish of its operator. */
export interface HeldBack {
  readonly deletions: number
  readonly of: number
}

export interface PlanInput {
  readonly reader: Reader
  readonly storeId: string
  /** The issuer of external IDs: the ID of the directory. */
  readonly issuer: string
  readonly listing: DirectoryListing
  readonly isDeletionAllowed: boolean
  readonly quotas: Readonly<Record<string, number>>
}

export async function planOf(input: PlanInput): Promise<SyncPlan | HeldBack> {
  const { reader, storeId, issuer, listing } = input
  const users = await ownedBy<UserRow>(reader, usersIn(storeId), issuer)
  const groups = await ownedBy<GroupRow>(reader, groupsIn(storeId), issuer)
  const listedPeople = new Set(listing.people.map(({ subject }) => subject))
  const listedGroups = new Set(listing.groups.map(({ subject }) => subject))
  const leaving = [...users].filter(([subject]) => !listedPeople.has(subject)).map(([, row]) => row)
  if (!input.isDeletionAllowed && leaving.length > DELETIONS_FREE && leaving.length * 2 > users.size)
    return { deletions: leaving.length, of: users.size }

  const changes: SyncChange[] = []
  const skipped: string[] = []
  let skippedCount = 0
  const skip = (name: string): void => {
    if (skipped.length < SKIPPED_SHOWN) skipped.push(name)
    skippedCount++
  }
  const isFull = () => changes.length >= CHANGES_MAX
  // Those who leave come first: their names are free for others.
  for (const { id } of leaving) changes.push({ kind: 'remove-user', id })
  for (const [subject, { id }] of groups) if (!listedGroups.has(subject)) changes.push({ kind: 'remove-group', id })
  if (isFull()) return cut(changes, listing, skipped, skippedCount)

  const names = new Set<string>()
  const room = async (kind: 'Users' | 'Groups') =>
    (input.quotas[`identitystore/${kind}PerStore`] ?? Number.POSITIVE_INFINITY) -
    ((await reader.get<{ readonly count: number }>(key('identitystore', 'count', storeId, kind)))?.count ?? 0)
  let places = await room('Users')
  for (const person of listing.people) {
    if (isFull()) break
    const before = users.get(person.subject)
    const owner = await idByUnique(reader, storeId, 'user-name', person.userName)
    const name = `user ${person.userName.toLowerCase()}`
    if (names.has(name) || (owner !== undefined && owner !== before?.id) || (!before && places-- <= 0)) {
      skip(person.userName)
      continue
    }
    names.add(name)
    const mail = person.mail?.toLowerCase()
    const mailOwner = mail === undefined ? undefined : await idByUnique(reader, storeId, 'user-email', mail)
    const isMailFree = mail !== undefined && !names.has(`mail ${mail}`) && (mailOwner ?? before?.id) === before?.id
    if (isMailFree) names.add(`mail ${mail}`)
    const user = userFrom(person, issuer, before, isMailFree)
    if (!before) changes.push({ kind: 'add-user', user })
    else if (isDifferent(before, user)) changes.push({ kind: 'save-user', id: before.id, user })
  }
  places = await room('Groups')
  for (const { subject, name } of listing.groups) {
    if (isFull()) break
    const before = groups.get(subject)
    const owner = await idByUnique(reader, storeId, 'group-name', name)
    const at = `group ${name.toLowerCase()}`
    if (names.has(at) || (owner !== undefined && owner !== before?.id) || (!before && places-- <= 0)) {
      skip(name)
      continue
    }
    names.add(at)
    if (!before) changes.push({ kind: 'add-group', displayName: name, externalIds: [{ Issuer: issuer, Id: subject }] })
    else if (before.displayName !== name) changes.push({ kind: 'save-group', id: before.id, displayName: name })
  }
  // Memberships name IDs of the store: those of new people and groups follow in the next turn.
  const isComplete = changes.every(({ kind }) => kind !== 'add-user' && kind !== 'add-group')
  if (isComplete)
    for (const { subject, members } of listing.groups) {
      const group = groups.get(subject)
      if (!group || isFull()) continue
      const wanted = new Set(members.flatMap((member) => users.get(member)?.id ?? []))
      const known = new Set(await membersOf(reader, storeId, group.id))
      for (const userId of known)
        if (!wanted.has(userId)) changes.push({ kind: 'remove-member', groupId: group.id, userId })
      for (const userId of wanted)
        if (!known.has(userId)) changes.push({ kind: 'add-member', groupId: group.id, userId })
    }
  const plan = cut(changes, listing, skipped, skippedCount)
  return { ...plan, isMore: plan.isMore || !isComplete }
}

const cut = (
  changes: readonly SyncChange[],
  { people, groups }: DirectoryListing,
  skipped: readonly string[],
  skippedCount: number,
): SyncPlan => ({
  changes: changes.slice(0, CHANGES_MAX),
  isMore: changes.length >= CHANGES_MAX,
  people: people.length,
  groups: groups.length,
  skipped,
  skippedCount,
})

/** Rows by the ID that the directory gives them. */
async function ownedBy<R extends { readonly externalIds: readonly ExternalId[] }>(
  reader: Reader,
  prefix: Key,
  issuer: string,
): Promise<ReadonlyMap<string, R>> {
  const found = new Map<string, R>()
  for await (const row of rowsUnder<R>(reader, prefix)) {
    const subject = row.externalIds.find(({ Issuer }) => Issuer === issuer)?.Id
    if (subject !== undefined) found.set(subject, row)
  }
  return found
}

async function* rowsUnder<R extends object>(reader: Reader, prefix: Key): AsyncGenerator<R> {
  for (let after: Key | undefined, size = PORTION; size === PORTION; ) {
    const rows = await reader.range<R>(prefix, { after, limit: PORTION })
    for (const { document } of rows) yield document
    after = rows.at(-1)?.key
    size = rows.length
  }
}

async function membersOf(reader: Reader, storeId: string, groupId: string): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { userId } of rowsUnder<MemberIndex>(reader, membersIn(storeId, groupId))) ids.push(userId)
  return ids
}

/** AWS's default mappings. What the directory does not say is removed; attributes that it does not map are kept. */
function userFrom(person: ListedPerson, issuer: string, before: UserRow | undefined, withMail: boolean): NewUser {
  const { Name: _name, DisplayName: _display, Emails: _emails, ...kept } = before?.attributes ?? {}
  const { displayName, givenName, familyName, initials, mail } = person
  const name = {
    ...(displayName !== undefined && { Formatted: displayName }),
    ...(givenName !== undefined && { GivenName: givenName }),
    ...(familyName !== undefined && { FamilyName: familyName }),
    ...(initials !== undefined && { MiddleName: initials }),
  }
  const others = (before?.externalIds ?? []).filter(({ Issuer }) => Issuer !== issuer)
  return {
    userName: person.userName,
    attributes: {
      ...kept,
      ...(Object.keys(name).length > 0 && { Name: name }),
      ...(displayName !== undefined && { DisplayName: displayName }),
      ...(withMail && { Emails: [{ Value: mail, Type: 'work', Primary: true }] }),
    },
    externalIds: [...others, { Issuer: issuer, Id: person.subject }],
    isEnabled: person.isEnabled,
  }
}

const isDifferent = (before: UserRow, after: NewUser): boolean =>
  before.userName !== after.userName ||
  before.isEnabled !== after.isEnabled ||
  emailOf(before) !== emailOf(after) ||
  ['Name', 'DisplayName'].some((name) => textOf(before.attributes[name]) !== textOf(after.attributes[name]))

/** In one order of members, whichever the store keeps. */
const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(Object.entries(value).sort()) : String(value)
