/**
 * The memory of the engine: tables of bounded size, whose entries are JSON. What was written longest ago is dropped first, so
 * keys that an attacker chooses cannot grow it. Each change is noted, so that a caller stores only the parts that changed.
 */
import { createHash } from 'node:crypto'
import type { CheckpointChanges, DetectorCheckpoint, Json, StateLimits } from './types.ts'

export const LIMITS: StateLimits = { baselines: 200_000, entries: 50_000, waiting: 20_000 }

const KEY_LENGTH_MAX = 200

/** Longer keys are replaced by their hash. */
const bounded = (key: string): string =>
  key.length <= KEY_LENGTH_MAX ? key : `#${createHash('sha256').update(key).digest('hex')}`

/** Entries are a list, oldest write first: to write one again moves it, and does not touch the map. */
interface Slot<T> {
  readonly key: string
  /** When it was written last, in writes of the whole state. */
  order: number
  value: T
  older: Slot<T> | undefined
  newer: Slot<T> | undefined
}

/** How values of a table are stored, where they are not JSON as they are. */
export interface PartCodec<T> {
  encode(value: T): Json
  /** Undefined for what is of another form: the entry is left out. */
  decode(part: Json): T | undefined
}

const PLAIN: PartCodec<never> = {
  encode: (value) => structuredClone(value) as Json,
  decode: (part) => structuredClone(part) as never,
}

/** The value that `get` returns may be changed in place if `put` follows. */
export class Table<T> {
  readonly #slots = new Map<string, Slot<T>>()
  #oldest: Slot<T> | undefined
  #newest: Slot<T> | undefined
  readonly #name: string
  readonly #max: number
  readonly #state: State
  readonly #codec: PartCodec<T>

  constructor(state: State, name: string, max: number, codec: PartCodec<T> = PLAIN as PartCodec<T>) {
    this.#state = state
    this.#name = name
    this.#max = max
    this.#codec = codec
  }

  get size(): number {
    return this.#slots.size
  }

  get(key: string): T | undefined {
    return this.#slots.get(bounded(key))?.value
  }

  put(key: string, value: T): void {
    const name = bounded(key)
    const slot = this.#slots.get(name)
    if (slot) {
      slot.value = value
      slot.order = this.#state.next()
      if (slot !== this.#newest) {
        this.#unlink(slot)
        this.#append(slot)
      }
    } else {
      if (this.#slots.size >= this.#max) this.#drop(this.#oldest!.key)
      this.#insert(name, this.#state.next(), value)
    }
    this.#changed(name)
  }

  remove(key: string): void {
    this.#drop(bounded(key))
  }

  /** Oldest write first. */
  *entries(): Generator<readonly [key: string, value: T]> {
    for (let slot = this.#oldest; slot; slot = slot.newer) yield [slot.key, slot.value]
  }

  part(key: string): Json | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined ? undefined : [slot.order, this.#codec.encode(slot.value)]
  }

  restore(key: string, order: number, part: Json): void {
    const value = this.#codec.decode(part)
    if (value !== undefined) this.#insert(key, order, value)
  }

  *keys(): Generator<string> {
    for (let slot = this.#oldest; slot; slot = slot.newer) yield slot.key
  }

  #insert(key: string, order: number, value: T): void {
    const slot: Slot<T> = { key, order, value, older: undefined, newer: undefined }
    this.#slots.set(key, slot)
    this.#append(slot)
  }

  #append(slot: Slot<T>): void {
    slot.older = this.#newest
    slot.newer = undefined
    if (this.#newest) this.#newest.newer = slot
    else this.#oldest = slot
    this.#newest = slot
  }

  #unlink(slot: Slot<T>): void {
    if (slot.older) slot.older.newer = slot.newer
    else this.#oldest = slot.newer
    if (slot.newer) slot.newer.older = slot.older
    else this.#newest = slot.older
  }

  #changed(name: string): void {
    if (this.#state.tracksChanges) this.#state.changed(`${this.#name}/${name}`)
  }

  #drop(name: string): void {
    const slot = this.#slots.get(name)
    if (!slot) return
    this.#slots.delete(name)
    this.#unlink(slot)
    this.#changed(name)
  }
}

const TABLE_NAME = /^[a-z-]+$/

/** Tables are opened once, by name; what a checkpoint holds of a table that is no longer opened is left out. */
export class State {
  readonly limits: StateLimits
  readonly tracksChanges: boolean
  readonly #tables = new Map<string, Table<never>>()
  readonly #restored = new Map<string, (readonly [key: string, order: number, value: Json])[]>()
  readonly #changed = new Set<string>()
  #order = 0

  constructor(limits: Partial<StateLimits> = {}, checkpoint?: DetectorCheckpoint, tracksChanges = true) {
    this.tracksChanges = tracksChanges
    this.limits = { ...LIMITS, ...limits }
    for (const [part, entry] of Object.entries(checkpoint?.parts ?? {})) {
      const slash = part.indexOf('/')
      if (!Array.isArray(entry) || typeof entry[0] !== 'number') continue
      const table = part.slice(0, slash)
      const list = this.#restored.get(table) ?? []
      list.push([part.slice(slash + 1), entry[0], entry[1] as Json])
      this.#restored.set(table, list)
      this.#order = Math.max(this.#order, entry[0])
    }
  }

  table<T>(name: string, max: number = this.limits.entries, codec?: PartCodec<T>): Table<T> {
    if (!TABLE_NAME.test(name) || this.#tables.has(name)) throw new Error(`State table '${name}' cannot be opened.`)
    const table = new Table<T>(this, name, max, codec)
    for (const [key, order, value] of (this.#restored.get(name) ?? []).sort((a, b) => a[1] - b[1]))
      table.restore(key, order, value)
    this.#restored.delete(name)
    this.#tables.set(name, table as unknown as Table<never>)
    return table
  }

  next(): number {
    return ++this.#order
  }

  changed(part: string): void {
    this.#changed.add(part)
  }

  checkpoint(): DetectorCheckpoint {
    const parts: Record<string, Json> = {}
    for (const [name, table] of this.#tables) for (const key of table.keys()) parts[`${name}/${key}`] = table.part(key)!
    return { version: 1, parts }
  }

  changes(): CheckpointChanges {
    if (!this.tracksChanges) throw new Error('The detector was created without tracksChanges.')
    const put: Record<string, Json> = {}
    const removed: string[] = []
    for (const part of this.#changed) {
      const slash = part.indexOf('/')
      const value = this.#tables.get(part.slice(0, slash))?.part(part.slice(slash + 1))
      if (value === undefined) removed.push(part)
      else put[part] = value
    }
    this.#changed.clear()
    return { put, removed }
  }
}
