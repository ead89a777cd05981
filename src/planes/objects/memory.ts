/** Blobs of a world that is gone with its process. */
import type { BlobStore } from './blobs.ts'

export function memoryBlobs(): BlobStore {
  const held = new Map<string, { readonly bytes: Buffer; readonly at: number }>()
  return {
    write: async (id, bytes) => void held.set(id, { bytes: Buffer.from(bytes), at: performance.now() }),
    read: async (id) => held.get(id)?.bytes,
    remove: async (id) => void held.delete(id),
    older: async (ageMs) => [...held].filter(([, { at }]) => performance.now() - at > ageMs).map(([id]) => id),
  }
}
