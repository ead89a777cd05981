/** The bytes of objects in an installation's data directory, as they are copied elsewhere: sealed, one at a time. */
import { sealedBlobs } from '../../planes/objects/blobs.ts'
import { folderBlobs } from '../../planes/objects/folder.ts'
import type { BlobSnapshot, Store } from '../../store/store.ts'
import type { Keyring } from '../../vault/keyring.ts'
import { openVault } from '../../vault/sealed.ts'
import { VaultError } from '../../vault/vault.ts'
import type { StoredObject } from '../trust/backup-content.ts'
import { objectsOf } from './installation.ts'

/** Objects in a bucket elsewhere stay there. */
export const bytesBeside = (data: string): BlobSnapshot => folderBlobs(objectsOf(data))

/** Throws when one was removed meanwhile: the copy holds removals back, so another process removed it. */
export async function* bytesOf(blobs: BlobSnapshot, ids: readonly string[]): AsyncGenerator<StoredObject> {
  for (const id of ids) {
    const bytes = await blobs.read(id)
    if (!bytes) throw new VaultError(`the bytes of object ${id} went while they were copied.`)
    yield { id, bytes }
  }
}

/**
 * Every object that the documents name is in the folder and opens, those of erased accounts aside. Throws `VaultError` for
 * the first that does not; returns how many do.
 */
export async function checkObjects(store: Pick<Store, 'reader'>, keyring: Keyring, data: string): Promise<number> {
  const blobs = sealedBlobs(openVault({ tree: keyring }), folderBlobs(objectsOf(data)))
  let opened = 0
  // A start has no need of it.
  const { services } = await import('./services.ts')
  for (const { storedBytes } of services) {
    for await (const { name, place, bytes } of storedBytes?.(store.reader) ?? []) {
      if (keyring.isErased(place.account)) continue
      const found = await blobs.get(place, bytes).catch((error: Error) => {
        throw new VaultError(`${name} does not come back: ${error.message}.`)
      })
      if (found.length !== bytes) throw new VaultError(`${name} does not come back: it has another length.`)
      opened++
    }
  }
  return opened
}
