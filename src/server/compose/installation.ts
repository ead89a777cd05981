/** An installation on disk: the data directory, and what must be in it. */
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { holdsKey } from '../../store/sqlite.ts'
import { key, type Store, under } from '../../store/store.ts'
import { takeOver } from '../../vault/aead.ts'
import { createKeyFile, readKeyFile } from '../../vault/file-sealer.ts'
import { firstHead, writeHead } from '../../vault/head.ts'
import { Keyring, type KeyringOptions } from '../../vault/keyring.ts'
import type { NewSealer, SealerRecord } from '../../vault/sealer.ts'
import { TrustError } from '../../vault/vault.ts'
import { InstallationError } from './operator-errors.ts'

export { InstallationError } from './operator-errors.ts'

const ACCOUNT_ID = /^\d{12}$/
/** The first document that an installation with a keyring writes at every opening (openings.ts). */
export const LINK = key('vault', 'link')

export const databaseOf = (data: string): string => join(data, 'merlon.db')
export const rootKeyOf = (data: string): string => join(data, 'root.key')
export const keyringOf = (data: string): string => join(data, 'merlon.keyring')
export const headOf = (data: string): string => join(data, 'merlon.head')
export const socketOf = (data: string): string => join(data, 'merlon.sock')
/** The API, for labs on this machine. */
export const apiSocketOf = (data: string): string => join(data, 'api.sock')
/** The bytes of objects, sealed. */
export const objectsOf = (data: string): string => join(data, 'objects')
export const lockOf = (data: string): string => join(data, 'merlon.lock')

/** True when the folder holds an installation, finished or not. */
export function isInstalled(data: string): boolean {
  return [keyringOf, rootKeyOf, databaseOf].some((file) => existsSync(file(data)))
}

/** A restore that was cut short leaves it. */
export const restoringOf = (data: string): string => join(data, 'merlon.restoring')

/** Refuses a data directory that has lost its database or its keyring: a new one would open nothing. Writes nothing. */
export async function refuseIncomplete(data: string): Promise<void> {
  const [database, keyring] = [databaseOf(data), keyringOf(data)]
  if (existsSync(keyring)) {
    if (existsSync(database)) return
    throw new InstallationError(
      `${database} is missing, and ${keyring} is there. Put the database back, or restore a backup into another directory: merlon restore FILE --data NEW`,
      'MERLON_DATABASE_MISSING',
    )
  }
  if (!wasOpened(headOf(data)) && !(existsSync(database) && (await holdsKey(database, LINK)))) return
  throw new InstallationError(
    existsSync(restoringOf(data))
      ? `${keyring} is missing: a restore into ${data} was cut short. Run it again: merlon restore FILE --data ${data}`
      : `${keyring} is missing, and without it nothing in ${database} can be read. Put it back: the newest copy is beside your latest backup. Nothing was written.`,
    'MERLON_KEYRING_MISSING',
  )
}

/** Whether an installation that has a keyring ever wrote this file. It is not believed for anything else. */
function wasOpened(head: string): boolean {
  try {
    return (JSON.parse(readFileSync(head, 'utf8').split('\n')[0]!) as { n?: unknown }).n !== 0
  } catch {
    return false
  }
}

/** Makes the folder (0700), and clears away what a crash has left half written. */
export function layOut(data: string): void {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const draft = /^merlon\.(keyring|head)\.[0-9a-f-]{36}$|^merlon\.db\.copy-/
  for (const name of readdirSync(data)) if (draft.test(name)) rmSync(join(data, name), { force: true })
}

export const newSealerId = (): string => randomBytes(4).toString('hex')

/** A sealer whose key file is in the data directory, or where `MERLON_KEY_FILE` says. */
export function fileSealer(data: string, environment: Readonly<Record<string, string | undefined>>) {
  const elsewhere = environment['MERLON_KEY_FILE']
  const path = elsewhere === undefined ? 'root.key' : resolve(elsewhere)
  const file = keyFileOf(data, path)
  const { rootKey: seed, installId, isNew } = createOrReadKeyFile(file)
  const sealer: NewSealer = { id: newSealerId(), settings: { kind: 'file', path }, seed }
  return { installId, sealer, file, isNew }
}

/** Two nodes that start at once with one key file may both find it missing: one creates it, the other reads it. */
function createOrReadKeyFile(file: string) {
  try {
    if (!existsSync(file)) return { ...createKeyFile(file), isNew: true }
  } catch (error) {
    if (!(error instanceof TrustError && error.code === 'MERLON_FILE_EXISTS')) throw error
  }
  return { ...readKeyFile(file), isNew: false }
}

export const keyFileOf = (data: string, path: string): string => (isAbsolute(path) ? path : join(data, path))

/** The disk alone yields the keys: such a server listens on loopback only. */
export function keyBesideData(data: string, { settings }: Pick<SealerRecord, 'settings'>): boolean {
  return settings.kind === 'file' && isWithinDirectory(data, keyFileOf(data, settings.path))
}

export const isWithinDirectory = (data: string, file: string): boolean => resolve(file).startsWith(`${resolve(data)}/`)

/**
 * The keyring of a new installation, or of one from before keyrings: that one's root key was what `root.key` holds, and
 * its account keys lay in the database, from where they are taken away once the keyring is on disk.
 */
export async function makeKeyring(
  data: string,
  store: Store,
  { sealer, ...options }: Omit<KeyringOptions, 'sealers' | 'accounts'> & { readonly sealer: NewSealer },
): Promise<Keyring> {
  const earlier = await earlierAccountKeys(store)
  const keyring = await Keyring.create({
    ...options,
    sealers: [sealer],
    ...(earlier.length > 0 && { rootKey: takeOver(Buffer.from(sealer.seed)) }),
    accounts: Object.fromEntries(earlier.map(({ document }) => [document.account, document.wrapped])),
    // A node that shares its data begins without a head, like those that come after it.
    ...(!store.shared && {
      before: (made) => writeHead(headOf(data), firstHead(made.body, store.revision), made.purpose('head-mac')),
    }),
  })
  await forgetEarlierAccountKeys(store)
  return keyring
}

interface EarlierKey {
  readonly account: string
  readonly wrapped: string
}
const EARLIER = under('vault', 'account-key')
const earlierAccountKeys = (store: Store) => store.reader.range<EarlierKey>(EARLIER)

/** A crash may have come between the keyring and this. */
export async function forgetEarlierAccountKeys(store: Store): Promise<void> {
  const earlier = await earlierAccountKeys(store)
  if (earlier.length === 0) return
  await store.run((unit) => {
    for (const { key } of earlier) unit.delete(key)
  })
}

/** Twelve digits; the configured ID, or a random one without a leading zero. */
export function chooseAccountId(given: string | undefined): string {
  if (given === undefined) return String(randomInt(100_000, 1_000_000)) + String(randomInt(1_000_000)).padStart(6, '0')
  if (!ACCOUNT_ID.test(given))
    throw new InstallationError(`An account id has twelve digits; '${given}' has not.`, 'MERLON_ACCOUNT_ID_INVALID')
  return given
}
