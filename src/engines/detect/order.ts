/**
 * Events in the order of their time: each waits until the watermark has passed it, so that two orders of arrival within the
 * lateness give the same order here. Also where an event that comes twice is dropped.
 */
import { isObject } from './normalize/json.ts'
import type { Detection } from './rule.ts'
import type { PartCodec, State, Table } from './state.ts'
import type { Json, NormalizedEvent } from './types.ts'

/** An event, and what rules that look at one event alone said of it when it came. */
export interface Arrival {
  readonly event: NormalizedEvent
  readonly detections: readonly Detection[]
}

const ARRIVAL: PartCodec<Arrival> = {
  encode: (arrival) => structuredClone(arrival) as unknown as Json,
  decode: (part) =>
    isObject(part) && isObject(part.event) ? (structuredClone(part) as unknown as Arrival) : undefined,
}

interface Waiting {
  readonly time: number
  readonly id: string
}

const isBefore = (a: Waiting, b: Waiting): boolean => a.time < b.time || (a.time === b.time && a.id < b.id)

export class EventOrder {
  readonly #events: Table<Arrival>
  readonly #seen: Table<0>
  readonly #lateness: number
  readonly #max: number
  /** Of all events so far. The one that had it still waits, or no order matters any more. */
  #latest = Number.NEGATIVE_INFINITY
  /** A binary heap, the earliest first. */
  readonly #heap: Waiting[] = []

  constructor(state: State, latenessMs: number) {
    this.#max = state.limits.waiting
    this.#events = state.table('waiting', this.#max + 1, ARRIVAL)
    this.#seen = state.table('seen', this.#max * 2)
    this.#lateness = latenessMs
    for (const [, { event }] of this.#events.entries()) {
      const { time, id } = event
      this.#latest = Math.max(this.#latest, time)
      this.#push({ time, id })
    }
  }

  /** The events that are due now, in order. With too many waiting, the earliest is due. */
  add(arrival: Arrival): readonly Arrival[] {
    const { id, time } = arrival.event
    if (this.#lateness === 0) return [arrival]
    if (this.#seen.get(id) !== undefined) return []
    this.#seen.put(id, 0)
    this.#events.put(id, arrival)
    this.#push({ time, id })
    this.#latest = Math.max(this.#latest, time)
    const due = this.advance(this.#latest - this.#lateness)
    return this.#heap.length > this.#max ? [...due, this.#pop()] : due
  }

  /** The events before `watermark`, in order. */
  advance(watermark: number): readonly Arrival[] {
    const due: Arrival[] = []
    while (this.#heap.length > 0 && this.#heap[0]!.time < watermark) due.push(this.#pop())
    return due
  }

  #push(entry: Waiting): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): Arrival {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        const left = 2 * at + 1
        if (left >= heap.length) break
        const child = left + 1 < heap.length && isBefore(heap[left + 1]!, heap[left]!) ? left + 1 : left
        if (!isBefore(heap[child]!, last)) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = last
    }
    const arrival = this.#events.get(first.id)!
    this.#events.remove(first.id)
    return arrival
  }
}
