/**
 * The contract of a store: ordered JSON documents with transactions, an append-only event log and a change feed.
 *
 * Every engine passes the same suite (`contract.ts`). What an engine promises:
 * - `run` is serializable: at commit everything the unit read (documents, absent documents, ranges) must be unchanged,
 *   else nothing is written and the body is retried.
 * - When `run` resolves, what it wrote survives `kill -9` and power loss.
 * - What a unit reads may not be durable yet, but then its own commit waits behind it: no caller receives a result that
 *   a crash could undo.
 * - The feed speaks once per commit, in revision order, after durability and before `run` resolves.
 */
import type { Chained, EpochKey, Head, Link } from './chain.ts'
import type { StoreSnapshot } from './image.ts'

/** A JSON value; documents are plain JSON objects. Times are epoch milliseconds, bytes are base64 or sealed strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json | undefined }

/** Segments joined by `/`; build keys with {@link key} so that a name can never reach into another's rows. */
export type Key = string

/**
 * Joins segments into a key. `/` and `%` inside a segment are escaped, so keys are injective and sort by segment; so is
 * what no engine can hold in a text (U+0000, lone surrogates).
 */
export function key(...segments: readonly string[]): Key {
  return segments.map(escapeSegment).join('/')
}
/** The prefix of all keys that begin with these segments. */
export function under(...segments: readonly string[]): Key {
  return `${key(...segments)}/`
}
const unsafe = /[/%\0\p{Surrogate}]/gu
/** Nearly all segments match this, which is checked in a fraction of the time. */
const plain = /^[\w.:+=@,-]*$/
const escapeSegment = (segment: string): string =>
  plain.test(segment)
    ? segment
    : segment.replace(unsafe, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)

export interface Entry<T> {
  readonly key: Key
  readonly document: T
}

export interface RangeOptions {
  /** Starts behind this key (exclusive; in front of it when reversed). It need not exist. */
  readonly after?: Key | undefined
  readonly limit?: number | undefined
  readonly reverse?: boolean | undefined
}

/** One attempt at a piece of work. Documents are shared and must never be mutated: write a new one. */
export interface Unit {
  get<T extends object>(key: Key): Promise<T | undefined>
  /** The documents whose keys begin with `prefix`, in UTF-8 byte order of their keys, own writes included. */
  range<T extends object>(prefix: Key, options?: RangeOptions): Promise<readonly Entry<T>[]>
  put(key: Key, document: object): void
  delete(key: Key): void
  /** Adds a record to the event log, in the same transaction. */
  append(record: LogRecord): void
}

/** A row of the event log. `body` is stored as it is; `attributes` can be searched. */
export interface LogRecord {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly timeMs: number
  /** Searchable name/value pairs; a name may repeat. */
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export interface LogQuery {
  readonly account: string
  readonly region?: string | undefined
  /** Inclusive bounds. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  /** Only records that carry this attribute; only together with a Region, by which they are indexed. */
  readonly attribute?: readonly [name: string, value: string] | undefined
  /** Continues behind a record an earlier page ended with (`LogEntry.position`). */
  readonly after?: string | undefined
  readonly limit: number
  /** In the order of writing, which `after` then goes by; newest first when not said. Not with an attribute. */
  readonly order?: 'ascending'
}

export interface LogEntry extends LogRecord {
  /** Opaque, stable: the position of this record. */
  readonly position: string
}

/** A row of the log as evidence: in the order of writing, with its link. */
export interface EvidenceRow extends Chained, Link {
  readonly position: number
}

export interface Change {
  readonly key: Key
  /** The new document, or undefined when it was deleted. */
  readonly document: object | undefined
}

export interface Commit {
  /** Strictly increasing, also over restarts. */
  readonly revision: number
  readonly changes: readonly Change[]
}

/** Bytes by id: what a document is too small for. Ids are UUIDs. */
export interface Blobs {
  /** Durable when it returns. */
  write(id: string, bytes: Uint8Array): Promise<void>
  /** undefined when it is not there. */
  read(id: string): Promise<Buffer | undefined>
  remove(id: string): Promise<void>
  /** Those that were written longer ago than that. */
  older(ageMs: number): Promise<readonly string[]>
}

/** Bytes as they lay at one moment: whatever its documents name is among them. */
export interface BlobSnapshot {
  ids(): Promise<readonly string[]>
  /** undefined when it is not there. */
  read(id: string): Promise<Buffer | undefined>
}

export interface Store {
  /** Runs `body` until a commit succeeds; throws what the body throws, writing nothing. Bodies may run more than once. */
  run<T>(body: (unit: Unit) => Promise<T> | T): Promise<T>
  /** Reads without a transaction: what is durable. For caches that the feed invalidates. */
  readonly reader: Pick<Unit, 'get' | 'range'>
  /** What this process is called in the chains it writes. */
  readonly node: string
  /** Whether other processes write to the same data. */
  readonly shared: boolean
  /** Of the last durable commit that is known here; grows with every commit that changes documents, over all nodes. */
  readonly revision: number
  /**
   * Resolves once what this process shows is no older than the moment of the call: the feed has delivered what others
   * had committed by then. Rejects with `UnavailableError` when the database cannot be reached.
   */
  sync(): Promise<void>
  /** Resolves when something became durable within the last second, or something does now; rejects with the reason. */
  probe(): Promise<void>
  /** From now on records carry MACs under this key. */
  authenticate(key: EpochKey): void
  /** The last links of all chains of all nodes, as they are on disk. */
  heads(): Promise<readonly Head[]>
  /** The log of all accounts in the order of writing, behind a position. */
  evidence(after: number, limit: number): Promise<readonly EvidenceRow[]>
  /** Newest first, unless the query says otherwise. */
  log(query: LogQuery): Promise<readonly LogEntry[]>
  /** Returns the function that ends the subscription. */
  subscribe(listener: (commit: Commit) => void): () => void
  /**
   * The listener is called, before the process is asked to end, when the database turns out to have lost commits that
   * were acknowledged. Engines without a network between never do.
   */
  onLostCommits?(listener: () => void): void
  /**
   * Storage of bytes that all nodes must see; an engine of one process has none, since a directory is better for it.
   */
  readonly blobs?: Blobs
  /** What is durable now, for copying elsewhere while work goes on. */
  image(): Promise<StoreSnapshot>
  /**
   * A consistent copy to a new file while work goes on. `then` receives the blobs of the same moment, where the store
   * holds them.
   */
  backup<T>(file: string, then: (blobs: BlobSnapshot | undefined) => Promise<T>): Promise<T>
  /** Waits for what was accepted, then closes. */
  close(): Promise<void>
}

/** UTF-8 byte order, which is the order of keys in every engine. UTF-16 order differs only above the surrogates. */
export function compareKeys(a: Key, b: Key): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The data cannot be reached; the outcome of a commit in progress is not known. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}

/** Thrown by `run` after too many attempts lost to other writers. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError'
}
