/**
 * People and groups of a directory, listed for synchronization. Groups in groups are followed in memory, by what each entry
 * says of its own groups (`memberOf`, which Active Directory keeps and never splits into ranges), or each group of its members.
 */
import type { Entry } from 'ldapts'
import { filterValue, MEMBER_OF_CHAIN } from '../../engines/ldap/filter.ts'
import type { DirectoryListing, ListedGroup, ListedPerson } from '../../kernel/ports/directory-servers.ts'
import { attributeOf, attributesOf, DirectoryTooLargeError, type LdapSession } from './session.ts'

/** Of one listing. Beyond them nothing is synchronized: the operator names groups. */
export const LISTING_MAX = { people: 50_000, groups: 20_000, memberships: 500_000 } as const

const PERSON = [
  'cn',
  'displayName',
  'givenName',
  'sn',
  'initials',
  'mail',
  'sAMAccountName',
  'userPrincipalName',
  'uid',
  'userAccountControl',
  'accountExpires',
  'pwdAccountLockedTime',
  'objectGUID',
  'entryUUID',
  'memberOf',
]
const GROUP = ['cn', 'sAMAccountName', 'objectGUID', 'entryUUID', 'memberOf', 'member', 'uniqueMember', 'memberUid']
/** Without `member`, which Active Directory splits into ranges. */
const GROUP_AD = GROUP.slice(0, 5)
const GUID = { explicitBufferAttributes: ['objectGUID'] }

export interface ListingContext {
  readonly session: LdapSession
  readonly domain: string
  readonly base: string
  readonly isActiveDirectory: boolean
  readonly subjectOf: (entry: Entry) => string | undefined
  readonly isEnabled: (entry: Entry) => boolean
}

/** Names are compared in any case, and servers write them with or without spaces. */
const normalized = (dn: string): string => dn.toLowerCase().replace(/\s*,\s*/g, ',')

interface Node {
  readonly entry: Entry
  readonly subject: string
  readonly name: string
}

/** Throws a `DirectoryTooLargeError`. */
export async function listingOf(at: ListingContext, names: readonly string[]): Promise<DirectoryListing> {
  const { session, base, isActiveDirectory } = at
  const groups = new Map<string, Node>()
  const parents = new Map<string, string[]>()
  const link = (child: string, parent: string): void => {
    const known = parents.get(child)
    if (known) known.push(parent)
    else parents.set(child, [parent])
  }
  const filter = isActiveDirectory
    ? '(objectClass=group)'
    : '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))'
  const attributes = isActiveDirectory ? GROUP_AD : GROUP
  for (const entry of await session.searchAll(base, LISTING_MAX.groups, { filter, attributes, ...GUID })) {
    const subject = at.subjectOf(entry)
    const name = groupName(at, entry)
    if (subject === undefined || name === undefined) continue
    const dn = normalized(entry.dn)
    groups.set(dn, { entry, subject, name })
    if (isActiveDirectory) for (const parent of attributesOf(entry, 'memberOf')) link(dn, normalized(parent))
    else {
      for (const attribute of ['member', 'uniqueMember'])
        for (const member of attributesOf(entry, attribute)) link(normalized(member), dn)
      for (const uid of attributesOf(entry, 'memberUid')) link(`uid ${uid.toLowerCase()}`, dn)
    }
  }
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const inScope = new Map([...groups].filter(([, node]) => wanted.size === 0 || isNamed(node, wanted)))

  const people: ListedPerson[] = []
  const members = new Map<string, string[]>([...inScope.keys()].map((dn) => [dn, []]))
  let memberships = 0
  const listed =
    wanted.size > 0 && inScope.size === 0
      ? []
      : await session.searchAll(base, LISTING_MAX.people, {
          filter: peopleFilter(at, wanted.size === 0 ? [] : [...inScope.values()]),
          attributes: PERSON,
          ...GUID,
        })
  for (const entry of listed) {
    const person = personOf(at, entry)
    if (!person) continue
    const own = isActiveDirectory
      ? attributesOf(entry, 'memberOf').map(normalized)
      : [
          ...(parents.get(normalized(entry.dn)) ?? []),
          ...(parents.get(`uid ${(attributeOf(entry, 'uid') ?? '').toLowerCase()}`) ?? []),
        ]
    const inside = ancestors(own, parents).filter((dn) => members.has(dn))
    if (wanted.size > 0 && inside.length === 0) continue
    people.push(person)
    memberships += inside.length
    if (memberships > LISTING_MAX.memberships)
      throw new DirectoryTooLargeError(`More than ${LISTING_MAX.memberships} memberships.`)
    for (const dn of inside) members.get(dn)!.push(person.subject)
  }
  return {
    people,
    groups: [...inScope].map(([dn, { subject, name }]): ListedGroup => ({ subject, name, members: members.get(dn)! })),
  }
}

/** All groups above, once each, however they are nested. */
function ancestors(direct: readonly string[], parents: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const seen = new Set(direct)
  for (const dn of seen) for (const parent of parents.get(dn) ?? []) seen.add(parent)
  return [...seen]
}

const isNamed = ({ entry, name }: Node, wanted: ReadonlySet<string>): boolean =>
  [name, attributeOf(entry, 'sAMAccountName'), attributeOf(entry, 'cn')].some(
    (each) => each !== undefined && wanted.has(each.toLowerCase()),
  )

/** Active Directory follows nested groups itself, and lists no more people than the groups have. */
function peopleFilter({ isActiveDirectory }: ListingContext, scope: readonly Node[]): string {
  if (!isActiveDirectory) return '(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=person))'
  const inGroups = scope.map(({ entry }) => `(${MEMBER_OF_CHAIN}=${filterValue(entry.dn)})`).join('')
  return `(&(objectCategory=person)(objectClass=user)${inGroups === '' ? '' : `(|${inGroups})`})`
}

const NAME_MAX = 128
const VALUE_MAX = 1_024

const groupName = ({ isActiveDirectory, domain }: ListingContext, entry: Entry): string | undefined => {
  const name = isActiveDirectory ? attributeOf(entry, 'sAMAccountName') : attributeOf(entry, 'cn')
  return name === undefined || name.length > VALUE_MAX - domain.length - 1
    ? undefined
    : isActiveDirectory
      ? `${name}@${domain}`
      : name
}

/** By AWS's default mappings of Active Directory; undefined for an entry without a name or a stable ID. */
function personOf(at: ListingContext, entry: Entry): ListedPerson | undefined {
  const { isActiveDirectory, domain } = at
  const subject = at.subjectOf(entry)
  const account = attributeOf(entry, 'sAMAccountName')
  const userName = isActiveDirectory
    ? (attributeOf(entry, 'userPrincipalName') ?? (account === undefined ? undefined : `${account}@${domain}`))
    : attributeOf(entry, 'uid')
  if (subject === undefined || userName === undefined || userName.length > NAME_MAX) return undefined
  const text = (name: string) => attributeOf(entry, name)?.slice(0, VALUE_MAX)
  const displayName = text('displayName') ?? text('cn')
  const givenName = text('givenName')
  const familyName = text('sn')
  const initials = text('initials')
  const mail = isActiveDirectory ? userName : text('mail')
  return {
    subject,
    userName,
    ...(displayName !== undefined && { displayName }),
    ...(givenName !== undefined && { givenName }),
    ...(familyName !== undefined && { familyName }),
    ...(initials !== undefined && { initials }),
    ...(mail !== undefined && { mail }),
    isEnabled: at.isEnabled(entry),
  }
}
