/** What an engine gives the transactions above it: durable documents by key and range, and one write at a time. */
import type { WrittenRecord } from './chain.ts'
import type { Change, Key, RangeOptions } from './store.ts'

/** A batch of commits that becomes durable as one. */
export interface Batch {
  /** The revision it stands on: when the data is at another, and documents change, nothing is written. */
  readonly after: number
  /** The revision of the last commit in the batch. */
  readonly revision: number
  /** Key, new document as JSON (null deletes), revision of its commit. Later entries win. */
  readonly documents: readonly (readonly [key: Key, json: string | null, revision: number])[]
  readonly records: readonly WrittenRecord[]
}

/** What was found, and the data's revision when it was. */
export interface Read<T> {
  readonly found: T
  readonly revision: number
}

export interface StoredDocument {
  readonly key: Key
  readonly json: string
}

/** What has been committed behind a revision, by whomever, in the order of revisions. */
export interface CommittedChanges {
  readonly revision: number
  readonly changes: readonly (Change & { readonly revision: number })[]
}

export interface Backend {
  /** Commits that may go down together. */
  readonly unitsMax: number
  /** A document as JSON. An engine that answers at once does so without a promise. */
  read(key: Key): Read<string | undefined> | Promise<Read<string | undefined>>
  range(prefix: Key, options: RangeOptions): Read<readonly StoredDocument[]> | Promise<Read<readonly StoredDocument[]>>
  /**
   * Resolves once durable, or with 'moved' when another process has written documents since `after`. Rejects when nothing
   * was written, or, with `UnavailableError`, when that is not known. `alone`: nobody else has a unit at work.
   */
  write(batch: Batch, alone: boolean): Promise<'written' | 'moved'>
  /** Writes next to nothing, durably: no document and no record. Rejects as {@link Backend.write} does. */
  touch(after: number): Promise<void>
  /** Only where other processes write, too. */
  news?(after: number): Promise<CommittedChanges>
  /** Whether after this error nobody can tell what is on the disk. */
  isLost(error: Error): boolean
  /** Told of such an error: whoever has the store must end, since it takes nothing more. */
  readonly onLost?: ((error: Error) => void) | undefined
}
