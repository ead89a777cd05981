/**
 * Events in the order of their time: each waits until the watermark has passed it, so that two orders of arrival within the
 * lateness give the same order here. Also where an event that comes twice is dropped.
 */
import type { State, Table } from './state.ts'
import type { NormalizedEvent } from './types.ts'

interface Waiting {
  readonly time: number
  readonly id: string
}

const isBefore = (a: Waiting, b: Waiting): boolean => a.time < b.time || (a.time === b.time && a.id < b.id)

export class EventOrder {
  readonly #events: Table<NormalizedEvent>
  readonly #seen: Table<0>
  readonly #lateness: number
  readonly #max: number
  /** Of all events so far. The one that had it still waits, or no order matters any more. */
  #latest = Number.NEGATIVE_INFINITY
  /** A binary heap, the earliest first. */
  readonly #heap: Waiting[] = []

  constructor(state: State, latenessMs: number) {
    this.#max = state.limits.waiting
    this.#events = state.table('waiting', this.#max + 1)
    this.#seen = state.table('seen', this.#max * 2)
    this.#lateness = latenessMs
    for (const [, { time, id }] of this.#events.entries()) {
      this.#latest = Math.max(this.#latest, time)
      this.#push({ time, id })
    }
  }

  /** The events that are due now, in order. With too many waiting, the earliest is due. */
  add(event: NormalizedEvent): readonly NormalizedEvent[] {
    if (this.#lateness === 0) return [event]
    if (this.#seen.get(event.id) !== undefined) return []
    this.#seen.put(event.id, 0)
    this.#events.put(event.id, event)
    this.#push({ time: event.time, id: event.id })
    this.#latest = Math.max(this.#latest, event.time)
    const due = this.advance(this.#latest - this.#lateness)
    return this.#heap.length > this.#max ? [...due, this.#pop()] : due
  }

  /** The events before `watermark`, in order. */
  advance(watermark: number): readonly NormalizedEvent[] {
    const due: NormalizedEvent[] = []
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

  #pop(): NormalizedEvent {
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
    const event = this.#events.get(first.id)!
    this.#events.remove(first.id)
    return event
  }
}
