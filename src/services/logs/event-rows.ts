/**
 * Log events as rows. A batch is stored in chunks of one minute each, in the order of their first event; a timeline for each
 * group names the chunks of all its streams in that order. What is read is therefore ordered minute by minute.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type Key, key, type Unit, under } from '../../store/store.ts'

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly message: string
}

/** What is known of a chunk without its messages. */
export interface ChunkFacts {
  readonly stream: string
  readonly streamId: string
  /** Timestamps of the first and the last event. */
  readonly first: number
  readonly last: number
  readonly ingestedAt: number
  /** Of the messages, and 26 for each event, as AWS counts them. */
  readonly bytes: number
}

export interface SealedEvents {
  /** base64 of what KMS calls CiphertextBlob. */
  readonly dataKey: string
  readonly value: string
}

export interface ChunkRow extends ChunkFacts {
  /** Pairs of timestamp and message; or sealed. */
  readonly events?: readonly (readonly [number, string])[]
  /** JSON of the same, under a data key. */
  readonly sealed?: SealedEvents | undefined
}

export const EVENT_OVERHEAD_BYTES = 26
const MINUTE_MS = 60_000

export const bytesOf = (events: readonly LogEvent[]): number =>
  events.reduce((total, { message }) => total + Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES, 0)

const padded = (ms: number): string => String(ms).padStart(15, '0')
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS)

export const chunksOf = (streamId: string): Key => under('logs', 'events', streamId)
export const timelineOf = (groupId: string): Key => under('logs', 'timeline', groupId)
/** The key of a chunk, behind the prefix of its stream. */
export const chunkName = (first: number, now: number): string => `${padded(first)}-${padded(now)}-${randomUUID()}`
export const timeIn = (at: Key): number => Number(/\/(\d{15})-/.exec(at)?.[1])
export const chunkKey = (streamId: string, name: string): Key => chunksOf(streamId) + name
export const timelineKey = (groupId: string, name: string): Key => timelineOf(groupId) + name
export const nameIn = (at: Key): string => at.slice(at.lastIndexOf('/') + 1)
/** In front of every chunk whose minute is not over at this time. */
export const beginOf = (prefix: Key, ms: number): Key => prefix + padded(Math.max(0, minuteOf(ms) * MINUTE_MS))
/** Behind every chunk that begins before this time. */
export const endOf = (prefix: Key, ms: number): Key => prefix + padded(Math.max(0, ms))

/** Events in order, by their minute. */
export function byMinute(events: readonly LogEvent[]): readonly (readonly LogEvent[])[] {
  const chunks: LogEvent[][] = []
  for (const event of events) {
    const open = chunks.at(-1)
    if (open && minuteOf(open[0]!.timestamp) === minuteOf(event.timestamp)) open.push(event)
    else chunks.push([event])
  }
  return chunks
}

/** Writes a chunk and its place in the timeline. */
export function putChunk(unit: Pick<Unit, 'put'>, groupId: string, name: string, row: ChunkRow): void {
  const { events: _events, sealed: _sealed, ...facts } = row
  unit.put(chunkKey(row.streamId, name), row)
  unit.put(timelineKey(groupId, name), facts satisfies ChunkFacts)
}

interface StoredBytes {
  readonly bytes: number
}

/** Several rows, so that the streams of a group seldom write the same one. */
const counterKey = (groupId: string, streamId: string): Key => key('logs', 'stored', groupId, streamId.slice(0, 1))
const countersOf = (groupId: string): Key => under('logs', 'stored', groupId)

export async function addStoredBytes(unit: Unit, groupId: string, streamId: string, bytes: number): Promise<void> {
  const at = counterKey(groupId, streamId)
  const before = (await unit.get<StoredBytes>(at))?.bytes ?? 0
  unit.put(at, { bytes: Math.max(0, before + bytes) } satisfies StoredBytes)
}

export async function storedBytes(unit: Pick<Unit, 'range'>, groupId: string): Promise<number> {
  const rows = await unit.range<StoredBytes>(countersOf(groupId))
  return rows.reduce((total, { document }) => total + document.bytes, 0)
}

/** Of one portion. */
const DELETED_MAX = 500

/** Deletes chunks that the timeline names, oldest first. Returns whether there may be more. */
export async function deleteChunks(
  unit: Unit,
  groupId: string,
  isDeleted: (chunk: ChunkFacts) => boolean,
  after?: Key,
): Promise<Key | undefined> {
  const rows = await unit.range<ChunkFacts>(timelineOf(groupId), { after, limit: DELETED_MAX })
  for (const { key: at, document } of rows) {
    if (!isDeleted(document)) continue
    unit.delete(at)
    unit.delete(chunkKey(document.streamId, nameIn(at)))
    await addStoredBytes(unit, groupId, document.streamId, -document.bytes)
  }
  return rows.length === DELETED_MAX ? rows.at(-1)!.key : undefined
}

export async function deleteCounters(unit: Unit, groupId: string): Promise<void> {
  for (const { key: at } of await unit.range(countersOf(groupId))) unit.delete(at)
}

/** As AWS's: decimal digits, the same for the same event. */
export function eventId(chunkName: string, index: number, timestamp: number): string {
  const digest = createHash('sha256').update(`${chunkName} ${index}`).digest('hex')
  return (
    padded(timestamp).padStart(16, '3') +
    BigInt(`0x${digest.slice(0, 32)}`)
      .toString()
      .padStart(40, '0')
  )
}
