/** What an engine gives the transactions above it: durable documents by key and range, and one write at a time. */
import type { WrittenRecord } from './chain.ts'
import type { Change, Key, RangeOptions } from './store.ts'

/** A batch of commits that becomes durable as one. */
export interface Batch {
  /** The revision it is based on: when the data has another, and documents change, nothing is written. */
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

/** What has been committed after a revision, by any process, in the order of revisions. */
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
   * Resolves once durable, or with 'moved' when another process has written documents since `after`. Rejects when
   * nothing was written, or, with `UnavailableError`, when that is not known. `alone`: no other unit is in progress.
   */
  write(batch: Batch, alone: boolean): Promise<'written' | 'moved'>
  /** Writes next to nothing, durably: no document and no record. Rejects as {@link Backend.write} does. */
  touch(after: number): Promise<void>
  /** Only where other processes write, too. */
  news?(after: number): Promise<CommittedChanges>
  /** Whether after this error the content of the disk is unknown. */
  isLost(error: Error): boolean
  /** Called with such an error: the process must end, since the store accepts nothing more. */
  readonly onLost?: ((error: Error) => void) | undefined
}
