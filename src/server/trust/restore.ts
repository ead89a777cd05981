/** Reading backups: proving that one is whole, restoring it into an empty folder, and rehearsing that. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CANARIES, type Canary, openCanary } from '../../kernel/service/account-keys.ts'
import { folderBlobs } from '../../planes/objects/folder.ts'
import { openStore, type SqliteStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { readBackup, readBackupHeader } from '../../vault/backup-file.ts'
import { syncDirectory } from '../../vault/durable-file.ts'
import { type Link, rollbackError, writeHead } from '../../vault/head.ts'
import type { Keyring } from '../../vault/keyring.ts'
import { openVault } from '../../vault/sealed.ts'
import { VaultError } from '../../vault/vault.ts'
import { databaseOf, headOf, InstallationError, keyringOf, objectsOf, restoringOf } from '../compose/installation.ts'
import { checkObjects } from '../compose/object-bytes.ts'
import { type Manifest, readContent, type Takers } from './backup-content.ts'
import { allLinks, linkOf } from './rollback-check.ts'

export interface Drill {
  readonly accounts: number
  readonly erased: readonly string[]
  readonly objectsOpened?: number
}

/** Every chunk opened, and the whole as it was when it was made. Throws `MERLON_BACKUP_TAMPERED(n)`. */
export async function verifyBackup(file: string, keyring: Keyring, take: Partial<Takers> = {}): Promise<Manifest> {
  const { installId } = await readBackupHeader(file)
  if (installId !== keyring.installId) throw new VaultError(`${file} and the keyring are of two installations.`)
  return readContent(readBackup(file, keyring.backupKek()), take)
}

/** Restores into a temporary folder, opens a value of every account and every object there, and leaves nothing behind. */
export async function drill(file: string, keyring: Keyring, temporary: string): Promise<Manifest & Drill> {
  const folder = mkdtempSync(join(temporary, 'merlon-drill-'))
  try {
    const manifest = await layOutBackup(file, keyring, folder)
    const store = await openStore({ file: databaseOf(folder) })
    try {
      const checked = await checkCanaries(store, keyring)
      // All of them may be in a bucket elsewhere.
      if (!manifest.objects) return { ...manifest, ...checked }
      return { ...manifest, ...checked, objectsOpened: await checkObjects(store, keyring, folder) }
    } finally {
      await store.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Throws `VaultError` for an account whose key is missing or another; reports erased accounts. */
export async function checkCanaries(store: Pick<SqliteStore, 'reader'>, keyring: Keyring): Promise<Drill> {
  const vault = openVault({ tree: keyring })
  const erased: string[] = []
  let accounts = 0
  for (const { document } of await store.reader.range<Canary>(CANARIES)) {
    if (keyring.isErased(document.account)) erased.push(document.account)
    else if (!keyring.has(document.account))
      throw new VaultError(`the keyring has no key of account ${document.account}: it is older than the backup.`)
    else {
      openCanary(vault, document)
      accounts++
    }
  }
  return { accounts, erased }
}

/**
 * Restores a backup into a directory without an installation. The copy has an epoch of its own and is fenced: it
 * answers, but takes no automatic action until it is activated, so that two of them never rotate the same secret.
 */
export async function restore(
  file: string,
  keyring: Keyring,
  data: string,
  { acceptRollback = false }: { readonly acceptRollback?: boolean },
): Promise<Manifest & Drill> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const restoring = restoringOf(data)
  // What a restore that was cut short has left is overwritten; anything else never.
  const isThere = existsSync(databaseOf(data)) || existsSync(objectsOf(data))
  if (existsSync(keyringOf(data)) || (isThere && !existsSync(restoring)))
    throw new InstallationError(
      `${data} holds an installation. Restore into an empty directory.`,
      'MERLON_DATA_NOT_EMPTY',
    )
  writeFileSync(restoring, '', { mode: 0o600 })
  syncDirectory(data)
  removeData(data)

  const manifest = await layOutBackup(file, keyring, data).catch((error: unknown) => {
    // Data that failed verification is removed.
    removeData(data)
    rmSync(restoring)
    throw error
  })
  const store = await openStore({ file: databaseOf(data) })
  let checked: Drill
  try {
    checked = await checkCanaries(store, keyring)
    const links = await allLinks(store.reader)
    if (links.some((link) => link.keyring > keyring.body.generation) && !acceptRollback)
      throw rollbackError('the keyring is older than the backup')
    const link = await ownLink(store, links)
    const epoch = keyring.body.epoch + 1
    const { installId } = keyring
    const head = { installId, epoch, n: link?.n ?? 0, hash: link?.hash ?? '', revision: store.revision }
    writeHead(headOf(data), head, keyring.purpose('head-mac'))
    await store.close()
    // With the keyring it is an installation.
    keyring.copyTo(keyringOf(data), { epoch, fenced: true })
  } finally {
    await store.close()
  }
  rmSync(restoring)
  return { ...manifest, ...checked }
}

/** Of a backup that some other node made there is none: then this node begins where the data of the others ended. */
async function ownLink(store: Store, links: readonly Link[]): Promise<Link | undefined> {
  const at = linkOf(store.node)
  const own = await store.reader.get<Link>(at)
  const latest = links.reduce<Link | undefined>(
    (last, link) => (link.keyring >= (last?.keyring ?? 0) ? link : last),
    own,
  )
  if (!own && latest) await store.run((unit) => unit.put(at, latest))
  return own ?? latest
}

function removeData(data: string): void {
  for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(databaseOf(data) + suffix, { force: true })
  rmSync(objectsOf(data), { recursive: true, force: true })
}

async function layOutBackup(file: string, keyring: Keyring, folder: string): Promise<Manifest> {
  const blobs = folderBlobs(objectsOf(folder))
  const handle = await open(databaseOf(folder), 'wx', 0o600)
  try {
    const manifest = await verifyBackup(file, keyring, {
      database: async (bytes) => {
        for (let rest = bytes; rest.length > 0; ) rest = rest.subarray((await handle.write(rest)).bytesWritten)
      },
      object: ({ id, bytes }) => blobs.write(id, bytes),
    })
    await handle.sync()
    return manifest
  } finally {
    await handle.close()
  }
}
