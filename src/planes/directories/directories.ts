/** The directories plane: people and groups of Active Directory and LDAP servers, behind the directory servers port. */
import { randomUUID } from 'node:crypto'
import { type Entry, EqualityFilter, type Filter, OrFilter } from 'ldapts'
import { bindOutcome, guidBytes, guidText, isDisabled, isExpired } from '../../engines/ldap/active-directory.ts'
import { allOf, anyOf, domainBase, equals, filterValue, MEMBER_IN_CHAIN, nameValue } from '../../engines/ldap/filter.ts'
import type {
  DirectoryAccount,
  DirectoryServersPort,
  FoundPerson,
  ListOutcome,
  PersonLogin,
} from '../../kernel/ports/directory-servers.ts'
import { type ListingContext, listingOf } from './listing.ts'
import type { DomainServers, LdapServer } from './servers.ts'
import {
  attributeOf,
  DirectoryTooLargeError,
  DirectoryUnavailableError,
  LdapSession,
  type SessionOptions,
} from './session.ts'

export interface DirectoriesOptions extends SessionOptions {
  readonly servers: DomainServers
  readonly now: () => number
  /** Receives why a server was passed over. */
  readonly onUnavailable?: ((server: string, error: unknown) => void) | undefined
}

/** Of groups in groups, where the directory does not follow them itself. */
const DEPTH_MAX = 10
const GROUPS_MAX = 1_000
const NAME_LENGTH_MAX = 256
/** Active Directory announces itself by this capability. Source: [MS-ADTS] §3.1.1.3.4.3 */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800'

interface Tree {
  readonly base: string
  readonly isActiveDirectory: boolean
}

interface Bound {
  readonly session: LdapSession
  readonly server: LdapServer
  readonly tree: Tree
}

const PERSON = ['cn', 'displayName', 'mail', 'userAccountControl', 'accountExpires', 'pwdAccountLockedTime']

export function directories(options: DirectoriesOptions): DirectoryServersPort {
  /** The server that answered last comes first, so that an outage costs one attempt, not one a call. */
  const preferred = new Map<string, string>()

  async function withServer<T>(
    domain: string,
    use: (session: LdapSession, server: LdapServer) => Promise<T>,
  ): Promise<T> {
    const all = options.servers.get(domain.toLowerCase()) ?? []
    const last = preferred.get(domain)
    const ordered = [...all].sort((a, b) => Number(b.url === last) - Number(a.url === last))
    for (const server of ordered) {
      let session: LdapSession | undefined
      try {
        session = await LdapSession.open(server, options)
        const result = await use(session, server)
        preferred.set(domain, server.url)
        return result
      } catch (error) {
        options.onUnavailable?.(server.url, error)
      } finally {
        await session?.close()
      }
    }
    throw new DirectoryUnavailableError(`No LDAP server of ${domain} can be used.`)
  }

  /** Runs with the service account bound; `undefined` when its bind is refused. */
  const asService = <T>(account: DirectoryAccount, use: (bound: Bound) => Promise<T>): Promise<T | undefined> =>
    withServer(account.domain, async (session, server) => {
      const tree = await treeOf(session, account.domain)
      for (const name of serviceNames(account, tree))
        if ((await session.bind(name, account.password)) === undefined) return use({ session, server, tree })
      return undefined
    })

  return {
    check: async (account) => {
      if (!options.servers.has(account.domain.toLowerCase())) return 'unconfigured'
      try {
        return (await asService(account, async () => true)) ? 'accepted' : 'refused'
      } catch (error) {
        if (!(error instanceof DirectoryUnavailableError)) throw error
        return 'unavailable'
      }
    },
    login: async (account, userName, password): Promise<PersonLogin> => {
      if (password === '' || userName === '' || userName.length > NAME_LENGTH_MAX) return { outcome: 'refused' }
      try {
        const found = await asService(account, (bound) => login(bound, options, userName, password))
        // A service account that is refused is the operator's to repair, not a wrong password of the person.
        return found ?? { outcome: 'unavailable' }
      } catch (error) {
        if (!(error instanceof DirectoryUnavailableError)) throw error
        return { outcome: 'unavailable' }
      }
    },
    isActive: async (account, subject) => {
      const active = await asService(account, async ({ session, tree }) => {
        const bytes = tree.isActiveDirectory ? guidBytes(subject) : undefined
        if (tree.isActiveDirectory && bytes === undefined) return false
        const entries = await session.search(tree.base, {
          scope: 'sub',
          sizeLimit: 2,
          filter: bytes
            ? new EqualityFilter({ attribute: 'objectGUID', value: Buffer.from(bytes) })
            : equals('entryUUID', subject),
          attributes: PERSON,
        })
        return entries.length === 1 && isEnabled(entries[0]!, options.now())
      })
      if (active === undefined)
        throw new DirectoryUnavailableError(`The service account of ${account.domain} is refused.`)
      return active
    },
    activeAmong: async (account, subjects) => {
      const active = await asService(account, (bound) => activeAmong(bound, options.now(), subjects))
      if (active === undefined)
        throw new DirectoryUnavailableError(`The service account of ${account.domain} is refused.`)
      return active
    },
    list: async (account, groups): Promise<ListOutcome> => {
      try {
        const listing = await asService(account, async ({ session, tree }) => {
          const at: ListingContext = {
            session,
            ...tree,
            domain: account.domain,
            subjectOf: (entry) => subjectOf(entry, tree),
            isEnabled: (entry) => isEnabled(entry, options.now()),
          }
          try {
            return await listingOf(at, groups)
          } catch (error) {
            // Another server of the domain has as much.
            if (error instanceof DirectoryTooLargeError) return 'too-large' as const
            throw error
          }
        })
        return listing ?? 'unavailable'
      } catch (error) {
        if (!(error instanceof DirectoryUnavailableError)) throw error
        return 'unavailable'
      }
    },
  }
}

/** Subjects in one filter. */
const SUBJECTS = 100

async function activeAmong(
  { session, tree }: Bound,
  now: number,
  subjects: readonly string[],
): Promise<ReadonlySet<string>> {
  const active = new Set<string>()
  for (let from = 0; from < subjects.length; from += SUBJECTS) {
    const filters = subjects.slice(from, from + SUBJECTS).flatMap((subject): readonly Filter[] => {
      if (!tree.isActiveDirectory) return [new EqualityFilter({ attribute: 'entryUUID', value: subject })]
      const bytes = guidBytes(subject)
      return bytes ? [new EqualityFilter({ attribute: 'objectGUID', value: Buffer.from(bytes) })] : []
    })
    if (filters.length === 0) continue
    const entries = await session.search(tree.base, {
      scope: 'sub',
      filter: new OrFilter({ filters: [...filters] }),
      attributes: [...PERSON, 'objectGUID', 'entryUUID'],
      explicitBufferAttributes: ['objectGUID'],
    })
    for (const entry of entries) {
      const subject = isEnabled(entry, now) ? subjectOf(entry, tree) : undefined
      if (subject !== undefined) active.add(subject)
    }
  }
  return active
}

async function treeOf(session: LdapSession, domain: string): Promise<Tree> {
  const attributes = ['defaultNamingContext', 'namingContexts', 'supportedCapabilities']
  const [root] = await session.search('', { scope: 'base', filter: '(objectClass=*)', attributes })
  const capabilities = root?.['supportedCapabilities'] ?? []
  return {
    base:
      (root && (attributeOf(root, 'defaultNamingContext') ?? attributeOf(root, 'namingContexts'))) ??
      domainBase(domain),
    isActiveDirectory: (Array.isArray(capabilities) ? capabilities : [capabilities]).some(
      (capability) => capability.toString() === ACTIVE_DIRECTORY,
    ),
  }
}

/** Names of service accounts have no commas in AWS's API: outside Active Directory they are searched for in usual places. */
function serviceNames({ domain, userName }: DirectoryAccount, { base, isActiveDirectory }: Tree): readonly string[] {
  if (isActiveDirectory) return [`${userName}@${domain}`]
  const name = nameValue(userName)
  return [`cn=${name},${base}`, `uid=${name},ou=people,${base}`, `cn=${name},ou=services,${base}`]
}

async function login(
  { session, server, tree }: Bound,
  options: DirectoriesOptions,
  userName: string,
  password: string,
): Promise<PersonLogin> {
  const entries = await session.search(tree.base, {
    scope: 'sub',
    sizeLimit: 2,
    filter: personFilter(userName, tree),
    attributes: [...PERSON, 'sAMAccountName', 'uid', 'objectGUID', 'entryUUID'],
    explicitBufferAttributes: ['objectGUID'],
  })
  // An unknown name is bound, too, so that it takes as long as a known one.
  const person = entries.length === 1 ? entries[0] : undefined
  const own = await LdapSession.open(server, options)
  try {
    const diagnostic = await own.bind(person?.dn ?? `cn=${randomUUID()},${tree.base}`, password)
    if (!person) return { outcome: 'refused' }
    if (diagnostic !== undefined) return { outcome: bindOutcome(diagnostic) }
  } finally {
    await own.close()
  }
  if (!isEnabled(person, options.now())) return { outcome: 'disabled' }
  const subject = subjectOf(person, tree)
  if (subject === undefined) return { outcome: 'not-permitted' }
  return { outcome: 'accepted', person: await described(session, tree, person, subject, userName) }
}

/** By principal name, account name or mail address; `CORP\ann` means the account name. */
function personFilter(userName: string, { isActiveDirectory }: Tree): string {
  const account = userName.replace(/^[^\\]{1,64}\\/, '')
  return isActiveDirectory
    ? allOf(
        '(objectCategory=person)(objectClass=user)',
        anyOf(equals('userPrincipalName', userName), equals('sAMAccountName', account), equals('mail', userName)),
      )
    : allOf(
        '(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=person))',
        anyOf(equals('uid', account), equals('mail', userName)),
      )
}

function subjectOf(entry: Entry, { isActiveDirectory }: Tree): string | undefined {
  if (!isActiveDirectory) return attributeOf(entry, 'entryUUID')
  const guid = Array.isArray(entry['objectGUID']) ? entry['objectGUID'][0] : entry['objectGUID']
  return guid === undefined || typeof guid === 'string' ? undefined : guidText(guid)
}

const isEnabled = (entry: Entry, now: number): boolean =>
  !isDisabled(attributeOf(entry, 'userAccountControl')) &&
  !isExpired(attributeOf(entry, 'accountExpires'), now) &&
  // Source: draft-behera-ldap-password-policy §5.3.3: this value locks permanently; other locks expire.
  attributeOf(entry, 'pwdAccountLockedTime') !== '000001010000Z'

async function described(
  session: LdapSession,
  tree: Tree,
  entry: Entry,
  subject: string,
  typed: string,
): Promise<FoundPerson> {
  const displayName = attributeOf(entry, 'displayName') ?? attributeOf(entry, 'cn')
  const mail = attributeOf(entry, 'mail')
  const name = attributeOf(entry, 'sAMAccountName') ?? attributeOf(entry, 'uid') ?? typed
  return {
    subject,
    userName: name,
    ...(displayName !== undefined && { displayName }),
    ...(mail !== undefined && { mail }),
    groups: tree.isActiveDirectory
      ? await groupsInChain(session, tree, entry.dn)
      : await groupsByDepth(session, tree, entry.dn, name),
  }
}

const GROUP = ['cn', 'sAMAccountName']
const groupNames = (groups: readonly Entry[]): readonly string[] => [
  ...new Set(
    groups.flatMap((group) =>
      [attributeOf(group, 'sAMAccountName'), attributeOf(group, 'cn')].filter((name) => name !== undefined),
    ),
  ),
]

async function groupsInChain(session: LdapSession, { base }: Tree, dn: string): Promise<readonly string[]> {
  const filter = allOf('(objectClass=group)', `(${MEMBER_IN_CHAIN}=${filterValue(dn)})`)
  const groups = await session.search(base, { scope: 'sub', filter, attributes: GROUP })
  return groupNames(groups.slice(0, GROUPS_MAX))
}

async function groupsByDepth(
  session: LdapSession,
  { base }: Tree,
  dn: string,
  uid: string,
): Promise<readonly string[]> {
  const found = new Map<string, Entry>()
  let members: readonly string[] = [dn]
  for (let depth = 0; depth < DEPTH_MAX && members.length > 0 && found.size < GROUPS_MAX; depth++) {
    const direct = members.flatMap((member) => [equals('member', member), equals('uniqueMember', member)])
    const filter = anyOf(...direct, ...(depth === 0 ? [equals('memberUid', uid)] : []))
    const groups = await session.search(base, { scope: 'sub', filter, attributes: GROUP })
    const added = groups.filter(({ dn: name }) => !found.has(name)).slice(0, GROUPS_MAX - found.size)
    for (const group of added) found.set(group.dn, group)
    members = added.map(({ dn: name }) => name)
  }
  return groupNames([...found.values()])
}
