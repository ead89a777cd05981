/**
 * Events in the order of their time, read in portions: the chunks of one minute, sorted together. What one call reads and
 * returns is bounded; a position says where the next one goes on.
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { Key } from '../../store/store.ts'
import { Unsealer } from './event-keys.ts'
import { beginOf, type ChunkFacts, type ChunkRow, chunkKey, endOf, minuteOf, nameIn, timeIn } from './event-rows.ts'

/** AWS's page. */
const PAGE_BYTES_MAX = 1_048_576
/** Read in one call, of what is sought in: a call that finds little returns early, with a position. */
const READ_BYTES_MAX = 16 * 1_048_576
/** Of one portion; a minute that has more is sorted in parts. */
const PORTION_BYTES_MAX = 8 * 1_048_576
const ROWS_MAX = 100
/** Passed over in one call, because they are of other streams. */
const PASSED_MAX = 20_000
const MINUTE_MS = 60_000

export interface FoundEvent {
  readonly timestamp: number
  readonly message: string
  readonly ingestedAt: number
  readonly stream: string
  /** The chunk, and the place in it. */
  readonly chunk: string
  readonly index: number
}

/** Behind (or, reversed, in front of) an event of a portion that begins behind a key. */
export interface Position {
  readonly after?: Key | undefined
  readonly last?: readonly [timestamp: number, ingestedAt: number, chunk: string, index: number] | undefined
}

export interface ReadRequest {
  /** Of the chunks of a stream, or of the timeline of a group. */
  readonly prefix: Key
  readonly group: string
  /** In milliseconds; `to` is not included. */
  readonly from: number
  readonly to: number
  readonly isReversed: boolean
  readonly limit: number
  readonly at: Position | undefined
  readonly isWanted: (chunk: ChunkFacts) => boolean
  readonly matches: (message: string) => boolean
}

export interface ReadResult {
  readonly events: readonly FoundEvent[]
  readonly at: Position
  /** There was nothing behind it. */
  readonly isOver: boolean
}

const placeOf = ({ timestamp, ingestedAt, chunk, index }: FoundEvent) => [timestamp, ingestedAt, chunk, index] as const

function compared(a: NonNullable<Position['last']>, b: NonNullable<Position['last']>): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1
}

/** Where reading begins without a position. */
export const startOf = ({
  prefix,
  from,
  to,
  isReversed,
}: Pick<ReadRequest, 'prefix' | 'from' | 'to' | 'isReversed'>) =>
  isReversed ? (Number.isFinite(to) ? endOf(prefix, to) : undefined) : beginOf(prefix, from)

/** Next to an event, in either direction. */
export const positionAt = (prefix: Key, event: FoundEvent, isReversed: boolean): Position => ({
  after: isReversed ? endOf(prefix, (minuteOf(event.timestamp) + 1) * MINUTE_MS) : beginOf(prefix, event.timestamp),
  last: placeOf(event),
})

export async function readEvents(call: Call, request: ReadRequest): Promise<ReadResult> {
  const unsealer = new Unsealer(call, request.group)
  try {
    return await new Reading(call, request, unsealer).read()
  } finally {
    await unsealer.close()
  }
}

interface Portion {
  readonly chunks: readonly { readonly key: Key; readonly facts: ChunkFacts }[]
  readonly end: Key
}

class Reading {
  readonly #call: Call
  readonly #request: ReadRequest
  readonly #unsealer: Unsealer
  readonly #events: FoundEvent[] = []
  #pageBytes = 0
  #readBytes = 0
  #passed = 0

  constructor(call: Call, request: ReadRequest, unsealer: Unsealer) {
    this.#call = call
    this.#request = request
    this.#unsealer = unsealer
  }

  async read(): Promise<ReadResult> {
    let at: Position = this.#request.at ?? { after: startOf(this.#request) }
    let after = at.after
    for (let last = at.last; ; last = undefined) {
      if (this.#readBytes > READ_BYTES_MAX || this.#passed > PASSED_MAX)
        return { events: this.#events, at: { after }, isOver: false }
      const portion = await this.#portion(after)
      if (!portion) return { events: this.#events, at, isOver: true }
      for (const event of await this.#sorted(portion)) {
        if (last && !this.#isBehind(event, last)) continue
        if (this.#isWanted(event)) {
          if (this.#isFull(event)) return { events: this.#events, at: { after, last }, isOver: false }
          this.#events.push(event)
        }
        last = placeOf(event)
      }
      at = { after, last }
      after = portion.end
    }
  }

  #isBehind(event: FoundEvent, last: NonNullable<Position['last']>): boolean {
    const order = compared(placeOf(event), last)
    return this.#request.isReversed ? order < 0 : order > 0
  }

  #isWanted({ timestamp, message }: FoundEvent): boolean {
    const { from, to, matches } = this.#request
    return timestamp >= from && timestamp < to && matches(message)
  }

  #isFull({ message }: FoundEvent): boolean {
    this.#pageBytes += Buffer.byteLength(message)
    return this.#events.length >= this.#request.limit || (this.#events.length > 0 && this.#pageBytes > PAGE_BYTES_MAX)
  }

  /** The next chunks of one minute; undefined behind the last one of the time that is sought. */
  async #portion(after: Key | undefined): Promise<Portion | undefined> {
    const { prefix, isReversed: reverse, from, to } = this.#request
    const chunks: { readonly key: Key; readonly facts: ChunkFacts }[] = []
    let end = after
    let minute: number | undefined
    for (let bytes = 0; bytes < PORTION_BYTES_MAX; ) {
      const rows = await this.#call.unit.range<ChunkFacts>(prefix, { after: end, limit: ROWS_MAX, reverse })
      for (const { key, document: facts } of rows) {
        const time = timeIn(key)
        if (reverse ? minuteOf(time) < minuteOf(from) : time >= to)
          return minute === undefined ? undefined : { chunks, end: end! }
        if (minuteOf(time) !== (minute ?? minuteOf(time)) || bytes >= PORTION_BYTES_MAX) return { chunks, end: end! }
        minute = minuteOf(time)
        end = key
        if (facts.last >= from && facts.first < to && this.#request.isWanted(facts)) {
          chunks.push({ key, facts })
          bytes += facts.bytes
          this.#readBytes += facts.bytes
        } else this.#passed++
      }
      if (rows.length < ROWS_MAX) break
      if (this.#passed > PASSED_MAX) break
    }
    return minute === undefined ? undefined : { chunks, end: end! }
  }

  async #sorted({ chunks }: Portion): Promise<readonly FoundEvent[]> {
    const events: FoundEvent[] = []
    for (const { key, facts } of chunks) {
      const chunk = nameIn(key)
      const row = await this.#call.unit.get<ChunkRow>(chunkKey(facts.streamId, chunk))
      if (!row) continue
      const { stream, ingestedAt } = row
      for (const [index, [timestamp, message]] of (await this.#unsealer.events(chunk, row)).entries())
        events.push({ timestamp, message, ingestedAt, stream, chunk, index })
    }
    const sign = this.#request.isReversed ? -1 : 1
    return events.sort((a, b) => sign * compared(placeOf(a), placeOf(b)))
  }
}
