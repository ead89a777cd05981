/** The life of an object's bytes: written before the row that names them, swept when no row does any more. */
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob, StoredBytes } from '../../kernel/service/service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Unit, under } from '../../store/store.ts'
import { bucketArn } from './resources.ts'
import { at, type BucketRow, type ObjectRow } from './rows.ts'

const MINUTE_MS = 60_000
/** Readers of the row that was replaced may still be on their way. */
const GRACE_MS = 10 * MINUTE_MS
const ORPHAN_AGE_MS = 60 * MINUTE_MS
const ORPHANS_EVERY_MS = 6 * 60 * MINUTE_MS

interface Swept {
  readonly id: string
}

/** Durable when it returns; once, though the commit may be tried again. */
export function keepBytes(call: Call, bucket: BucketRow, bytes: Uint8Array): Promise<string> {
  return call.once(async () => {
    const id = call.newId()
    await call.ports.blobs.put({ id, account: bucket.account }, bytes)
    return id
  })
}

/** In the commit that takes the row away. */
export function dropBytes({ unit, now }: Pick<Call, 'unit' | 'now'>, { blob }: ObjectRow): void {
  const payload: Swept = { id: blob }
  scheduleJob(unit, { id: `blob ${blob}`, kind: 's3.sweep', dueAt: now + GRACE_MS, payload })
}

export const sweepJob: ServiceJob<Swept> = {
  effect: ({ ports }, { id }) => ports.blobs.delete(id),
  run: async (unit, _work, { id }) => unit.delete(at.blob(id)),
}

const PAGE = 1_000

/** Every object of the installation, as its row says. */
export async function* keptObjects(reader: Reader): AsyncGenerator<StoredBytes> {
  for (const { document: bucket } of await reader.range<BucketRow>(under('s3', 'bucket'))) {
    let after: string | undefined
    for (;;) {
      const rows = await reader.range<ObjectRow>(at.objects(bucket.name), { after, limit: PAGE })
      for (const { document: row } of rows) {
        const place = { id: row.blob, account: bucket.account }
        yield { name: `${bucketArn(bucket.name)}/${row.key}`, place, bytes: row.bytes }
      }
      if (rows.length < PAGE) break
      after = rows.at(-1)!.key
    }
  }
}

/** Begins with the first bucket. */
export async function sweepOrphans(unit: Unit, now: number): Promise<void> {
  if (await unit.get(at.orphans)) return
  unit.put(at.orphans, { since: now })
  scheduleJob(unit, { id: 's3 orphans', kind: 's3.orphans', dueAt: now + ORPHANS_EVERY_MS, payload: {} })
}

/** Bytes whose commit never came: the server died, or the change was refused after they were written. */
export const orphansJob: ServiceJob<object> = {
  effect: async ({ ports, reader }) => {
    for (const id of await ports.blobs.older(ORPHAN_AGE_MS)) {
      if (!(await reader.get(at.blob(id)))) await ports.blobs.delete(id)
    }
  },
  run: async (unit, { now }) => {
    scheduleJob(unit, { id: 's3 orphans', kind: 's3.orphans', dueAt: now + ORPHANS_EVERY_MS, payload: {} })
  },
}
