/** Copies an installation from one engine to the other, and checks by its hash that the copy is the same. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { folderBlobs } from '../../planes/objects/folder.ts'
import { contentHash, copyImage, type Loader, NotEmptyError, type StoreSnapshot } from '../../store/image.ts'
import { postgresBlobs } from '../../store/postgres/blobs.ts'
import { type ConnectionSettings, openPool } from '../../store/postgres/connection.ts'
import { postgresImage, postgresLoader } from '../../store/postgres/image.ts'
import { sqliteImage, sqliteLoader } from '../../store/sqlite-image.ts'
import type { BlobSnapshot, Blobs } from '../../store/store.ts'
import { firstHead, type Link, writeHead } from '../../vault/head.ts'
import type { Keyring } from '../../vault/keyring.ts'
import { keyringText } from '../../vault/keyring-file.ts'
import { KEYRING, type KeyringRow, WITHHELD } from '../trust/keyring-in-store.ts'
import { linkOf } from '../trust/rollback-check.ts'
import type { SealManager } from '../trust/seal-manager.ts'
import { databaseOf, headOf, InstallationError, isInstalled, keyringOf, objectsOf } from './installation.ts'
import { bytesBeside, bytesOf } from './object-bytes.ts'
import { asOperatorError } from './operator-errors.ts'
import { shownStore } from './storage.ts'

export type Destination = { readonly data: string } | { readonly store: ConnectionSettings }

export interface Copied {
  readonly revision: number
  /** SHA-256 of all documents, events and chains, hex: read back from where they are now. */
  readonly sha256: string
  readonly objects: number
}

/** What is written after this begins is not in the copy: stop what writes before you move. */
export function copyInstallation(custody: SealManager, to: Destination): Promise<Copied> {
  return custody.unsealed().cloud.holdingObjects(() => copied(custody, to))
}

async function copied(custody: SealManager, to: Destination): Promise<Copied> {
  const { store, keyring } = custody.unsealed()
  const place = 'data' in to ? intoFolder(to.data, keyring) : intoDatabase(to.store, keyring)
  const image = await store.image()
  try {
    const link = await store.reader.get<Link>(linkOf('main'))
    const expected = await contentHash(image)
    const loader = await place.loader()
    // Bytes before the rows that name them.
    const objects = await copyBlobs(image.blobs ?? bytesBeside(custody.data), place.blobs).catch(async (error) => {
      await loader.abandon()
      throw error
    })
    await copyImage(image, loader)
    const found = await hashOf(await place.image())
    if (found !== expected)
      throw new InstallationError(
        'the copy differs from the original. Do not use it; copy again.',
        'MERLON_COPY_FAILED',
      )
    await place.finish(link, image.revision)
    return { revision: image.revision, sha256: found, objects }
  } catch (error) {
    await place.abandon()
    const store = 'store' in to ? shownStore(to.store.url) : undefined
    throw (store === undefined ? undefined : asOperatorError(error, { store })) ?? error
  } finally {
    await image.close()
    await place.close()
  }
}

interface Target {
  loader(): Promise<Loader>
  image(): Promise<StoreSnapshot>
  readonly blobs: Blobs
  /** Makes an installation of it. */
  finish(link: Link | undefined, revision: number): Promise<void>
  abandon(): Promise<void>
  close(): Promise<void>
}

function intoFolder(data: string, keyring: Keyring): Target {
  if (isInstalled(data))
    throw new InstallationError(`${data} holds an installation. Copy into an empty directory.`, 'MERLON_DATA_NOT_EMPTY')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  return {
    loader: () => sqliteLoader(databaseOf(data)),
    image: () => sqliteImage(databaseOf(data)),
    blobs: folderBlobs(objectsOf(data)),
    finish: async (link, revision) => {
      const head = firstHead(keyring.body, revision)
      writeHead(headOf(data), link ? { ...head, n: link.n, hash: link.hash } : head, keyring.purpose('head-mac'))
      // With the keyring it is an installation.
      keyring.copyTo(keyringOf(data))
    },
    abandon: async () => {
      if (existsSync(keyringOf(data))) return
      for (const suffix of ['', '-wal', '-shm']) rmSync(databaseOf(data) + suffix, { force: true })
      rmSync(objectsOf(data), { recursive: true, force: true })
    },
    close: async () => undefined,
  }
}

function intoDatabase(place: ConnectionSettings, keyring: Keyring): Target {
  const pool = openPool(place, 2)
  return {
    loader: async () => {
      const loader = await postgresLoader(place).catch((error: unknown) => {
        throw error instanceof NotEmptyError ? new InstallationError(error.message, 'MERLON_DATA_NOT_EMPTY') : error
      })
      return {
        ...loader,
        finish: async (facts) => {
          const row: KeyringRow = { text: keyringText(keyring.body, keyring.purpose('keyring-mac')) }
          await loader.documents([{ key: KEYRING, json: JSON.stringify(row) }])
          await loader.finish(facts)
        },
      }
    },
    image: () => postgresImage(place, WITHHELD),
    blobs: postgresBlobs(pool),
    finish: async () => undefined,
    // One transaction: there is nothing, or all of it; bytes that no row names are swept.
    abandon: async () => undefined,
    close: () => pool.end(),
  }
}

async function hashOf(image: StoreSnapshot): Promise<string> {
  try {
    return await contentHash(image)
  } finally {
    await image.close()
  }
}

/** Sealed bytes, which open where their account's key is. */
async function copyBlobs(from: BlobSnapshot, to: Blobs): Promise<number> {
  const ids = await from.ids()
  const sum = (bytes: Uint8Array | undefined) => bytes && createHash('sha256').update(bytes).digest('hex')
  for await (const { id, bytes } of bytesOf(from, ids)) {
    await to.write(id, bytes)
    if (sum(await to.read(id)) !== sum(bytes))
      throw new InstallationError(`object ${id} is not the same after copying`, 'MERLON_COPY_FAILED')
  }
  return ids.length
}
