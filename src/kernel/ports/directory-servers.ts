/**
 * The directory servers port: LDAP servers of domains that the operator configured; provided by the directories plane and
 * used by the directory service. Passwords pass through and are kept nowhere.
 */
import type { BindOutcome } from '../../engines/ldap/active-directory.ts'
import { port } from './port.ts'

/** A domain, and the service account that searches it. */
export interface DirectoryAccount {
  /** `corp.example.com` */
  readonly domain: string
  readonly userName: string
  readonly password: string
}

export interface FoundPerson {
  /** `objectGUID` or `entryUUID`: stays when the person is renamed or moved. */
  readonly subject: string
  readonly userName: string
  readonly displayName?: string
  readonly mail?: string
  /** Names of the person's groups, nested ones included, as the directory writes them. */
  readonly groups: readonly string[]
}

export type PersonLogin =
  | { readonly outcome: 'accepted'; readonly person: FoundPerson }
  | { readonly outcome: BindOutcome | 'unavailable' }

/** A person as a listing shows them. */
export interface ListedPerson {
  readonly subject: string
  /** `ann@corp.example.com` in Active Directory, `ann` elsewhere. */
  readonly userName: string
  readonly displayName?: string
  readonly givenName?: string
  readonly familyName?: string
  readonly initials?: string
  readonly mail?: string
  readonly isEnabled: boolean
}

export interface ListedGroup {
  readonly subject: string
  /** `Engineers@corp.example.com` in Active Directory, `engineers` elsewhere. */
  readonly name: string
  /** Subjects of the people, those of nested groups included. */
  readonly members: readonly string[]
}

export interface DirectoryListing {
  readonly people: readonly ListedPerson[]
  readonly groups: readonly ListedGroup[]
}

/** `unavailable`: no server answered. `too-large`: the directory has more than the budget of a listing. */
export type ListOutcome = DirectoryListing | 'unavailable' | 'too-large'

export interface DirectoryServersPort {
  /** `unconfigured`: the operator named no server for the domain. `refused`: the service account cannot bind. */
  check(account: DirectoryAccount): Promise<'accepted' | 'refused' | 'unavailable' | 'unconfigured'>
  login(account: DirectoryAccount, userName: string, password: string): Promise<PersonLogin>
  /** Whether the person exists and is enabled. Throws when no server answers. */
  isActive(account: DirectoryAccount, subject: string): Promise<boolean>
  /** Which of these people exist and are enabled. Throws when no server answers. */
  activeAmong(account: DirectoryAccount, subjects: readonly string[]): Promise<ReadonlySet<string>>
  /** People and groups of the directory. With names of groups: these groups, and the people in them. */
  list(account: DirectoryAccount, groups: readonly string[]): Promise<ListOutcome>
}

export const directoryServers = port<DirectoryServersPort>('directory-servers')
