/** The directory login port: people of connected directories, for the sign-in pages. */
import type { DirectoryLoginPort, LoginDirectory } from '../../kernel/ports/directory-login.ts'
import { type DirectoryAccount, directoryServers } from '../../kernel/ports/directory-servers.ts'
import type { Use } from '../../kernel/ports/port.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Vault } from '../../vault/vault.ts'
import { type DirectoryRow, passwordPlace, type SignInRow, signInKey } from './resources.ts'
import { mappedRoles } from './role-mapping.ts'

export interface LoginContext {
  readonly reader: Reader
  readonly vault: Vault
  readonly use: Use
  readonly now: () => number
}

/** A disabled person keeps a session no longer than a minute: this, and the time of one question. */
const ACTIVE_MS = 30_000
const REMEMBERED_MAX = 10_000

export function directoryLoginPort({ reader, vault, use, now }: LoginContext): DirectoryLoginPort {
  const active = new Map<string, { readonly isActive: Promise<boolean>; readonly at: number }>()

  const rowOf = async (idOrAlias: string): Promise<DirectoryRow | undefined> => {
    const found = await reader.get<SignInRow>(signInKey(idOrAlias))
    return found && (await reader.get<DirectoryRow>(found.at))
  }

  const withAccount = async <T>(row: DirectoryRow, run: (account: DirectoryAccount) => Promise<T>): Promise<T> => {
    const password = vault.open(passwordPlace(row.account, row.id), row.password)
    try {
      return await run({ domain: row.name, userName: row.userName, password: password.toString('utf8') })
    } finally {
      password.fill(0)
    }
  }

  const isActiveNow = async (directoryId: string, subject: string): Promise<boolean> => {
    const row = await usable(directoryId)
    if (!row) return false
    try {
      return await withAccount(row, (account) => use(directoryServers).isActive(account, subject))
    } catch {
      // A directory that cannot be reached confirms no one: sessions end instead of lasting through an outage.
      return false
    }
  }

  const usable = async (directoryId: string): Promise<DirectoryRow | undefined> => {
    const row = await rowOf(directoryId)
    return row && row.progress.state !== 'Failed' ? row : undefined
  }

  return {
    find: async (idOrAlias): Promise<LoginDirectory | undefined> => {
      const row = await rowOf(idOrAlias)
      if (!row || row.progress.state === 'Failed' || row.progress.state === 'Creating') return undefined
      return { directoryId: row.id, accountId: row.account, name: row.name }
    },
    login: async (directoryId, userName, password) => {
      const row = await rowOf(directoryId)
      if (!row) return { outcome: 'unavailable' }
      const found = await withAccount(row, (account) => use(directoryServers).login(account, userName, password))
      if (found.outcome !== 'accepted') return found
      const { groups, ...person } = found.person
      return { outcome: 'accepted', person: { ...person, roles: mappedRoles(row.account, row.tags, groups) } }
    },
    isActive: (directoryId, subject) => {
      const at = JSON.stringify([directoryId, subject])
      const known = active.get(at)
      if (known && now() - known.at < ACTIVE_MS) return known.isActive
      if (active.size >= REMEMBERED_MAX) active.clear()
      const isActive = isActiveNow(directoryId, subject)
      active.set(at, { isActive, at: now() })
      return isActive
    },
    activeAmong: async (directoryId, subjects) => {
      const row = await usable(directoryId)
      if (!row) throw new Error(`There is no directory ${directoryId} that can be used.`)
      return withAccount(row, (account) => use(directoryServers).activeAmong(account, subjects))
    },
    list: async (directoryId, groups) => {
      const row = await usable(directoryId)
      if (!row) return 'unavailable'
      return withAccount(row, (account) => use(directoryServers).list(account, groups))
    },
  }
}
