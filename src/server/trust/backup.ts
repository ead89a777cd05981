/**
 * Backups of a running server: a copy of the database at one moment and the bytes of the objects it names, encrypted,
 * and in the same directory the keyring, without which no backup can be decrypted. The database holds no key, so a
 * backup holds none; the keyring is replaced with every backup, so that there is one, and a key destroyed in it is
 * destroyed for all backups (docs/decisions/0005).
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CANARIES, type Canary } from '../../kernel/service/account-keys.ts'
import { ONLY_NODE } from '../../store/schema.ts'
import { type BlobSnapshot, type Key, key, type Unit, under } from '../../store/store.ts'
import { writeBackup } from '../../vault/backup-file.ts'
import { syncDirectory } from '../../vault/durable-file.ts'
import { readKeyring } from '../../vault/keyring-file.ts'
import { TrustError, VaultError } from '../../vault/vault.ts'
import { databaseOf } from '../compose/installation.ts'
import { bytesBeside, bytesOf } from '../compose/object-bytes.ts'
import { type Manifest, writeContent } from './backup-content.ts'
import type { SealManager } from './seal-manager.ts'

/** What the installation remembers of the backups that one node has made. */
export interface BackupsRow {
  readonly lastAt: number
  readonly lastFile: string
  readonly lastDrillAt?: number
  /**
   * Directories of backups with a keyring, on that node's machine: erasing an account replaces all of these keyrings.
   */
  readonly keyrings: readonly string[]
}

const BACKUPS = key('vault', 'backups')
export const backupsOf = (node: string): Key => (node === ONLY_NODE ? BACKUPS : key('vault', 'backups', node))

/** By the node that made them. */
export async function allBackups(reader: Pick<Unit, 'get' | 'range'>): Promise<ReadonlyMap<string, BackupsRow>> {
  const prefix = under('vault', 'backups')
  const only = await reader.get<BackupsRow>(BACKUPS)
  const others = await reader.range<BackupsRow>(prefix)
  return new Map([
    ...(only ? [[ONLY_NODE, only] as const] : []),
    ...others.map(({ key, document }) => [key.slice(prefix.length), document] as const),
  ])
}
export const besideBackup = (file: string): string => join(dirname(resolve(file)), 'merlon.keyring')

export async function makeBackup(
  custody: SealManager,
  { file, keyring: place = besideBackup(file) }: { readonly file: string; readonly keyring?: string },
): Promise<object> {
  const { store, keyring, cloud } = custody.unsealed()
  if (existsSync(file)) throw exists(file)
  const there = readKeyring(place)
  if (there && there.body.installId !== keyring.installId)
    throw new VaultError(`${place} is the keyring of another installation. Back up into a folder of its own.`)

  const copy = `${databaseOf(custody.data)}.copy-${randomUUID()}`
  // Two backups to one file at the same time must not share it; the first that ends has the name.
  const partial = `${file}.${randomUUID()}.partial`
  try {
    const now = custody.clock.now()
    const manifest = await cloud.holdingObjects(() =>
      store.backup(copy, (blobs = bytesBeside(custody.data)) => written(custody, { copy, partial, now }, blobs)),
    )
    // The keyring first: a backup that cannot be opened is none.
    keyring.copyTo(place)
    nameOnce(partial, file)
    syncDirectory(dirname(file))
    await store.run(async (unit) => {
      const at = backupsOf(store.node)
      const row = await unit.get<BackupsRow>(at)
      const keyrings = [...new Set([...(row?.keyrings ?? []), place])]
      unit.put(at, { ...row, lastAt: now, lastFile: file, keyrings } satisfies BackupsRow)
    })
    await custody.record('Backup', { file, keyring: place, sha256: manifest.sha256, objects: manifest.objects })
    return { file, keyring: place, ...manifest }
  } finally {
    rmSync(copy, { force: true })
    rmSync(partial, { force: true })
  }
}

/**
 * Throws `MERLON_FILE_EXISTS` when another backup has taken this name meanwhile. A link, unlike a rename, never
 * replaces.
 */
function nameOnce(partial: string, file: string): void {
  try {
    linkSync(partial, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(file)
    // A file system without links: the moment between is all that remains.
    if (existsSync(file)) throw exists(file)
    renameSync(partial, file)
  }
}

const exists = (file: string): TrustError =>
  new TrustError('MERLON_FILE_EXISTS', `${file} exists, and a backup is never overwritten. Choose another name.`)

export interface Replaced {
  readonly file: string
  /** The node whose machine has it, when it is not this one: that node replaces it as soon as it runs. */
  readonly node?: string
  /** False when no keyring of ours is there any more, or it cannot be written: it is the operator's to destroy. */
  readonly replaced: boolean
}

/** After a change to the keyring that must not be undone by an old copy of it. */
export async function replaceKeyrings(custody: SealManager): Promise<readonly Replaced[]> {
  const { store, keyring } = custody.unsealed()
  const backups = await allBackups(store.reader)
  const elsewhere = [...backups].filter(([node]) => node !== store.node && store.shared)
  const replaced = (backups.get(store.node)?.keyrings ?? []).map((file): Replaced => {
    try {
      if (readKeyring(file)?.body.installId !== keyring.installId) return { file, replaced: false }
      keyring.copyTo(file)
      return { file, replaced: true }
    } catch {
      return { file, replaced: false }
    }
  })
  return [
    ...replaced,
    ...elsewhere.flatMap(([node, { keyrings }]) => keyrings.map((file) => ({ file, node, replaced: false }))),
  ]
}

/** The bytes are listed after the database was copied: what it names was on disk before it did. */
async function written(
  custody: SealManager,
  { copy, partial, now }: { readonly copy: string; readonly partial: string; readonly now: number },
  blobs: BlobSnapshot,
): Promise<Manifest> {
  const { store, keyring } = custody.unsealed()
  const ids = await blobs.ids()
  const manifest: Manifest = {
    installId: keyring.installId,
    epoch: keyring.body.epoch,
    createdAt: new Date(now).toISOString(),
    bytes: statSync(copy).size,
    sha256: await sha256(copy),
    accounts: (await store.reader.range<Canary>(CANARIES)).length,
    objects: ids.length,
  }
  const content = writeContent(manifest, createReadStream(copy) as AsyncIterable<Buffer>, bytesOf(blobs, ids))
  await writeBackup(partial, { ...manifest, kek: keyring.backupKek() }, content)
  return manifest
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}
