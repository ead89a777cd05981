/** Blobs in a bucket elsewhere: it sees what a folder would, sealed bytes under ids. */
import type { Bucket } from '../../kernel/client/bucket.ts'
import type { BlobStore } from './blobs.ts'

const ID = /^[0-9a-f-]{36}$/

export const bucketBlobs = (bucket: Bucket): BlobStore => ({
  write: (id, bytes) => bucket.put(id, Buffer.from(bytes), 'application/octet-stream'),
  read: (id) => bucket.get(id),
  remove: (id) => bucket.delete(id),
  older: async (ageMs) => {
    const before = Date.now() - ageMs
    const found: string[] = []
    for await (const { name, changedAt } of bucket.list()) if (ID.test(name) && changedAt <= before) found.push(name)
    return found
  },
})
