/** Values computed from documents and kept in memory until one of those documents changes. */
import type { Commit, Entry, Key, RangeOptions, Store } from '../../store/store.ts'
import type { Reader } from './reader.ts'

interface Held<V> {
  readonly value: V
  readonly keys: ReadonlySet<Key>
  readonly prefixes: readonly Key[]
}

/**
 * A memo over `compute`, which must read only through the reader that is passed to it. The change feed drops what a
 * commit touched, so a value is never older than the last commit this node has seen.
 */
export class DerivedCache<V> {
  readonly #store: Store
  readonly #compute: (reader: Reader, argument: string) => Promise<V>
  readonly #max: number
  readonly #held = new Map<string, Held<V>>()
  readonly #byKey = new Map<Key, Set<string>>()
  readonly #byPrefix = new Map<Key, Set<string>>()
  #revision = 0

  constructor(store: Store, compute: (reader: Reader, argument: string) => Promise<V>, options: { max?: number } = {}) {
    this.#store = store
    this.#compute = compute
    this.#max = options.max ?? 10_000
    store.subscribe((commit) => this.#forget(commit))
  }

  async get(argument: string): Promise<V> {
    const held = this.#held.get(argument)
    if (held) return held.value

    const keys = new Set<Key>()
    const prefixes: Key[] = []
    const { reader } = this.#store
    const tracking: Reader = {
      get: <T extends object>(key: Key) => {
        keys.add(key)
        return reader.get<T>(key)
      },
      range: <T extends object>(prefix: Key, options?: RangeOptions): Promise<readonly Entry<T>[]> => {
        prefixes.push(prefix)
        return reader.range<T>(prefix, options)
      },
    }
    const before = this.#revision
    const value = await this.#compute(tracking, argument)
    // A commit that arrived meanwhile may have been half seen: use the value once, keep nothing.
    if (before === this.#revision) this.#keep(argument, { value, keys, prefixes })
    return value
  }

  #keep(argument: string, held: Held<V>): void {
    if (this.#held.size >= this.#max) this.#drop(this.#held.keys().next().value!)
    this.#held.set(argument, held)
    for (const key of held.keys) addTo(this.#byKey, key, argument)
    for (const prefix of held.prefixes) addTo(this.#byPrefix, prefix, argument)
  }

  #drop(argument: string): void {
    const held = this.#held.get(argument)
    if (!held) return
    this.#held.delete(argument)
    for (const key of held.keys) removeFrom(this.#byKey, key, argument)
    for (const prefix of held.prefixes) removeFrom(this.#byPrefix, prefix, argument)
  }

  #forget(commit: Commit): void {
    if (commit.changes.length > 0) this.#revision++
    for (const { key } of commit.changes) {
      for (const argument of [...(this.#byKey.get(key) ?? [])]) this.#drop(argument)
      if (this.#byPrefix.size === 0) continue
      for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1)) {
        for (const argument of [...(this.#byPrefix.get(key.slice(0, end + 1)) ?? [])]) this.#drop(argument)
      }
    }
  }
}

function addTo(index: Map<Key, Set<string>>, key: Key, argument: string): void {
  const set = index.get(key)
  if (set) set.add(argument)
  else index.set(key, new Set([argument]))
}

function removeFrom(index: Map<Key, Set<string>>, key: Key, argument: string): void {
  const set = index.get(key)
  set?.delete(argument)
  if (set?.size === 0) index.delete(key)
}
