/**
 * The directory login port: people of an Active Directory or LDAP directory, provided by the directory service and used
 * by the sign-in pages. Passwords pass through and are kept nowhere.
 *
 * @example
 * const found = await use(directoryLogin).find('corp')
 * const login = await use(directoryLogin).login(found.directoryId, 'ada', password)
 * if (login.outcome === 'accepted') chooseRole(login.person.roles)
 */
import type { ListOutcome } from './directory-servers.ts'
import { port } from './port.ts'

/** A directory that people may sign in with. */
export interface LoginDirectory {
  readonly directoryId: string
  readonly accountId: string
  readonly name: string
}

export interface DirectoryPerson {
  /** The directory's stable id of the person: `objectGUID` or `entryUUID`. */
  readonly subject: string
  readonly userName: string
  readonly displayName?: string
  readonly mail?: string
  /** ARNs of the roles that the person's groups, nested ones included, are mapped to. */
  readonly roles: readonly string[]
}

export type DirectoryLoginAnswer =
  | { readonly outcome: 'accepted'; readonly person: DirectoryPerson }
  /** `refused` covers the unknown user and the wrong password alike. `unavailable`: no server of the directory answered. */
  | {
      readonly outcome:
        | 'refused'
        | 'not-permitted'
        | 'must-change-password'
        | 'password-expired'
        | 'disabled'
        | 'account-expired'
        | 'locked'
        | 'unavailable'
    }

export interface DirectoryLoginPort {
  /** Finds a directory by its id or its alias (the name in its sign-in address). */
  find(idOrAlias: string): Promise<LoginDirectory | undefined>
  login(directoryId: string, userName: string, password: string): Promise<DirectoryLoginAnswer>
  /** Whether a signed-in person may stay signed in: false at the latest a minute after the directory disabled them. */
  isActive(directoryId: string, subject: string): Promise<boolean>
  /** Which of these people may stay signed in, at this moment. Throws when no server of the directory answers. */
  activeAmong(directoryId: string, subjects: readonly string[]): Promise<ReadonlySet<string>>
  /** People and groups of the directory. With names of groups: these groups, and the people in them. */
  list(directoryId: string, groups: readonly string[]): Promise<ListOutcome>
}

export const directoryLogin = port<DirectoryLoginPort>('directory-login')
