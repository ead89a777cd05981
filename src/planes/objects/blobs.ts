/** Objects' bytes, sealed before they go anywhere: every storage sees ciphertext only. */
import type { BlobPlace, BlobsPort } from '../../kernel/ports/ports.ts'
import { openBlob, sealBlob } from '../../vault/blob-file.ts'
import type { SealContext } from '../../vault/sealed-value.ts'
import type { Vault } from '../../vault/vault.ts'
import { ByteBudget } from './byte-budget.ts'

/** A place for sealed bytes. Ids are UUIDs. */
export interface BlobStore {
  /** Durable when it returns. */
  write(id: string, bytes: Uint8Array): Promise<void>
  /** undefined when it is not there. */
  read(id: string): Promise<Buffer | undefined>
  remove(id: string): Promise<void>
  older(ageMs: number): Promise<readonly string[]>
}

const placeOf = ({ id, account }: BlobPlace): SealContext => ({ table: 's3/object', key: id, column: 'bytes', account })

/** Each is in memory twice while it is decrypted; a thousand readers of large objects must not fill it. */
const OPENED_BYTES_MAX = 128 * 1024 * 1024

export function sealedBlobs(vault: Vault, store: BlobStore): BlobsPort {
  const opening = new ByteBudget(OPENED_BYTES_MAX)
  return {
    put: (place, bytes) => store.write(place.id, sealBlob(vault, placeOf(place), bytes)),
    get: (place, bytes) =>
      opening.during(bytes, async () => {
        const sealed = await store.read(place.id)
        if (!sealed) throw new Error(`the bytes of blob ${place.id} are missing`)
        return openBlob(vault, placeOf(place), sealed)
      }),
    delete: (id) => store.remove(id),
    older: (ageMs) => store.older(ageMs),
  }
}
