/** Blobs whose removals can be put off: while they are copied, nothing goes that the copied documents name. */
import type { BlobStore } from './blobs.ts'

export interface DeferredDeletes extends BlobStore {
  /** Until the work is done, removals are only remembered. */
  holding<T>(work: () => Promise<T>): Promise<T>
}

export function heldBlobs(store: BlobStore): DeferredDeletes {
  const putOff = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let holders = 0
  const release = async () => {
    if (--holders > 0) return
    const ids = [...putOff]
    putOff.clear()
    // What cannot be removed now, or is forgotten by a crash, is swept with what no row names.
    for (const id of ids) await store.remove(id).catch(() => undefined)
  }
  return {
    write: (id, bytes) => store.write(id, bytes),
    read: (id) => store.read(id),
    older: (ageMs) => store.older(ageMs),
    remove: async (id) => {
      if (holders > 0) return void putOff.add(id)
      const removal = store.remove(id)
      underWay.add(removal)
      await removal.finally(() => underWay.delete(removal))
    },
    holding: async (work) => {
      holders++
      try {
        await Promise.allSettled(underWay)
        return await work()
      } finally {
        await release()
      }
    },
  }
}
