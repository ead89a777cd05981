/** One attempt: what it read, so that commit can check it, and what it wants written. */
import {
  type Change,
  compareKeys,
  type Entry,
  type Key,
  type LogRecord,
  type RangeOptions,
  type Unit,
} from './store.ts'

/** What a unit reads from: accepted state, by key and by range. What is at hand comes without a promise. */
export interface View {
  /** Grows with every change. */
  readonly tick: number
  get(key: Key): object | undefined | Promise<object | undefined>
  range(prefix: Key, options: RangeOptions): readonly Entry<object>[] | Promise<readonly Entry<object>[]>
}

/** A stretch of keys that was read, with the tick it was read at. Bounds are inclusive; undefined is open. */
interface Stretch {
  readonly prefix: Key
  readonly from: Key | undefined
  readonly to: Key | undefined
  readonly tick: number
}

export class BufferedUnit implements Unit {
  readonly startedAt: number
  readonly writes = new Map<Key, object | undefined>()
  readonly records: LogRecord[] = []
  readonly #view: View
  readonly #reads = new Map<Key, number>()
  readonly #stretches: Stretch[] = []

  constructor(view: View) {
    this.#view = view
    this.startedAt = view.tick
  }

  async get<T extends object>(key: Key): Promise<T | undefined> {
    if (this.writes.has(key)) return this.writes.get(key) as T | undefined
    if (!this.#reads.has(key)) this.#reads.set(key, this.#view.tick)
    return this.#view.get(key) as T | undefined
  }

  async range<T extends object>(prefix: Key, options: RangeOptions = {}): Promise<readonly Entry<T>[]> {
    const { limit, reverse = false, after } = options
    if (limit !== undefined && limit <= 0) return []
    // Own deletes may drop rows from the page, so request as many more.
    const own = [...this.writes.keys()].filter((key) => key.startsWith(prefix))
    const wanted = limit === undefined ? undefined : limit + own.length
    const { tick } = this.#view
    const rows = await this.#view.range(prefix, { ...options, limit: wanted })

    const full = wanted !== undefined && rows.length >= wanted
    const last = full ? rows.at(-1)!.key : undefined
    this.#stretches.push(reverse ? { prefix, from: last, to: after, tick } : { prefix, from: after, to: last, tick })

    if (own.length === 0) return rows as readonly Entry<T>[]
    const merged = new Map<Key, object | undefined>(rows.map((row) => [row.key, row.document]))
    for (const key of own) {
      const behind = after === undefined || (reverse ? compareKeys(key, after) < 0 : compareKeys(key, after) > 0)
      const reached = last === undefined || (reverse ? compareKeys(key, last) >= 0 : compareKeys(key, last) <= 0)
      if (behind && reached) merged.set(key, this.writes.get(key))
    }
    const entries = [...merged]
      .filter(([, document]) => document !== undefined)
      .map(([key, document]) => ({ key, document: document as T }))
      .sort((a, b) => (reverse ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key)))
    return limit === undefined ? entries : entries.slice(0, limit)
  }

  put(key: Key, document: object): void {
    this.writes.set(storable(key), deepFreeze(document))
  }
  delete(key: Key): void {
    this.writes.set(storable(key), undefined)
  }
  append(record: LogRecord): void {
    storable(record.id)
    storable(record.body)
    this.records.push(record)
  }

  /** Whether what happened at a tick changed something this unit had read before it. */
  conflictsWith(tick: number, changes: readonly Change[]): boolean {
    return changes.some(
      ({ key }) =>
        (this.#reads.get(key) ?? tick) < tick ||
        this.#stretches.some(
          (stretch) =>
            stretch.tick < tick &&
            key.startsWith(stretch.prefix) &&
            (stretch.from === undefined || compareKeys(key, stretch.from) >= 0) &&
            (stretch.to === undefined || compareKeys(key, stretch.to) <= 0),
        ),
    )
  }
}

/** Documents are shared by everyone who reads them: a mutation must throw where it happens. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** A document as everyone shares it. */
export function parsed(json: string): object {
  return deepFreeze(JSON.parse(json) as object)
}

/** Two texts that differ only in what an engine cannot hold would be one: `key()` escapes it, anything else is a bug. */
function storable(text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw new TypeError('a key or record holds U+0000 or a lone surrogate')
  return text
}
