/** An installation on disk: the data folder with its database and its root key. */
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { createKeyFile, readKeyFile } from '../vault/file-sealer.ts'
import type { Unsealed } from '../vault/sealer.ts'

export interface Installation {
  readonly store: Store
  readonly unsealed: Unsealed
}

/** Something the operator can mend; its message says how. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError'
}

const ACCOUNT_ID = /^\d{12}$/

export const databaseOf = (data: string): string => join(data, 'merlon.db')
export const rootKeyOf = (data: string): string => join(data, 'root.key')

/** True when the folder holds an installation, finished or not. */
export function isInstalled(data: string): boolean {
  return existsSync(rootKeyOf(data)) || existsSync(databaseOf(data))
}

/** Opens what is there, or lays out a new folder (0700) with a new root key. */
export async function openInstallation(data: string, writerScript?: URL): Promise<Installation> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const keyFile = rootKeyOf(data)
  if (!existsSync(keyFile) && existsSync(databaseOf(data))) {
    throw new InstallationError(
      `${keyFile} is missing, and without it ${databaseOf(data)} cannot be read. Put the root key back from where you keep it.`,
    )
  }
  const unsealed = existsSync(keyFile) ? readKeyFile(keyFile) : createKeyFile(keyFile)
  const store = await openStore({ file: databaseOf(data), ...(writerScript && { writerScript }) })
  return { store, unsealed }
}

/** Twelve digits; given, or at random without a leading zero. */
export function chooseAccountId(given: string | undefined): string {
  if (given === undefined) return String(randomInt(100_000, 1_000_000)) + String(randomInt(1_000_000)).padStart(6, '0')
  if (!ACCOUNT_ID.test(given)) throw new InstallationError(`An account id has twelve digits; '${given}' has not.`)
  return given
}
