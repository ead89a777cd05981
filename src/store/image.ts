/** Everything a store holds at one moment, page by page: to be written elsewhere, and identified by its hash. */
import { createHash } from 'node:crypto'
import type { StoredDocument } from './backend.ts'
import type { Head } from './chain.ts'
import type { BlobSnapshot, EvidenceRow, Key } from './store.ts'

export interface StoreSnapshot {
  readonly revision: number
  /** In the order of keys. */
  documents(after: Key | undefined, limit: number): Promise<readonly StoredDocument[]>
  /** In the order of writing. */
  records(after: number, limit: number): Promise<readonly EvidenceRow[]>
  heads(): Promise<readonly Head[]>
  /** Where the engine keeps bytes, too. */
  readonly blobs?: BlobSnapshot
  /** Lets go of the moment. */
  close(): Promise<void>
}

/** There is something where the copy would go. */
export class NotEmptyError extends Error {
  override readonly name = 'NotEmptyError'
}

/** Takes an image in: all of it, or nothing. */
export interface Loader {
  documents(rows: readonly StoredDocument[]): Promise<void>
  records(rows: readonly EvidenceRow[]): Promise<void>
  /** Durable when it returns. */
  finish(image: {
    readonly revision: number
    readonly heads: readonly Head[]
    readonly position: number
  }): Promise<void>
  abandon(): Promise<void>
}

const PAGE = 1_000

export async function copyImage(image: StoreSnapshot, loader: Loader): Promise<void> {
  try {
    let position = 0
    for await (const rows of documentsOf(image)) await loader.documents(rows)
    for await (const rows of recordsOf(image)) {
      await loader.records(rows)
      position = rows.at(-1)!.position
    }
    await loader.finish({ revision: image.revision, heads: await image.heads(), position })
  } catch (error) {
    await loader.abandon()
    throw error
  }
}

/** SHA-256 over everything an image holds, hex: the same on every engine. */
export async function contentHash(image: StoreSnapshot): Promise<string> {
  const hash = createHash('sha256')
  const add = (...parts: readonly (string | number | Uint8Array | null)[]) => {
    for (const part of parts) {
      const bytes = part === null ? Buffer.alloc(0) : typeof part === 'object' ? part : Buffer.from(String(part))
      hash.update(`${part === null ? '-' : bytes.length}:`).update(bytes)
    }
  }
  add('revision', image.revision)
  for await (const rows of documentsOf(image)) for (const { key, json } of rows) add('document', key, json)
  for await (const rows of recordsOf(image)) {
    for (const row of rows) {
      add('record', row.position, row.id, row.account, row.region, row.timeMs, row.attributes, row.body)
      add(row.node, row.sequence, row.hash, row.epoch, row.mac)
    }
  }
  const heads = (await image.heads()).map(({ account, region, node, sequence, hash, epoch, mac }) => {
    return [`${account} ${region} ${node}`, sequence, hash, epoch, mac] as const
  })
  for (const head of heads.sort(([a], [b]) => (a < b ? -1 : 1))) add('head', ...head)
  return hash.digest('hex')
}

async function* documentsOf(image: StoreSnapshot): AsyncGenerator<readonly StoredDocument[]> {
  let after: Key | undefined
  for (;;) {
    const rows = await image.documents(after, PAGE)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    after = rows.at(-1)!.key
  }
}

async function* recordsOf(image: StoreSnapshot): AsyncGenerator<readonly EvidenceRow[]> {
  for (let after = 0; ; ) {
    const rows = await image.records(after, PAGE)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    after = rows.at(-1)!.position
  }
}
