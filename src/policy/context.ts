/** The condition keys of one request: names in any case, one value or several, absent when absent. */

/** A value, several values, or how to find out: called at most once, and only when a policy needs it. */
export type ContextValue = string | readonly string[] | (() => string | readonly string[] | undefined)

export class Context {
  /** By the key in lower case. Made on first use, too. */
  #values: Map<string, ContextValue> | undefined
  /** The keys as they were written, for explanations. */
  #written: string[] | undefined
  #fill: ((context: Context) => void) | undefined

  /** A function fills the context on first use: for most requests no policy uses it. */
  constructor(values?: Readonly<Record<string, ContextValue | undefined>> | ((context: Context) => void)) {
    if (typeof values === 'function') {
      this.#fill = values
      return
    }
    if (!values) return
    for (const name of Object.keys(values)) {
      const value = values[name]
      if (value !== undefined) this.set(name, value)
    }
  }

  set(key: string, value: ContextValue): void {
    this.#entries.set(lowerKey(key), value)
    this.#written ??= []
    this.#written.push(key)
  }

  get #entries(): Map<string, ContextValue> {
    this.#values ??= new Map()
    const fill = this.#fill
    if (fill) {
      this.#fill = undefined
      fill(this)
    }
    return this.#values
  }

  has(key: string): boolean {
    return this.lookup(lowerKey(key)) !== undefined
  }

  get(key: string): string | readonly string[] | undefined {
    return this.lookup(lowerKey(key))
  }

  /** For compiled policies, whose keys are already in lower case. */
  lookup(lowered: string): string | readonly string[] | undefined {
    const value = this.#entries.get(lowered)
    if (typeof value !== 'function') return value
    const found = value()
    if (found === undefined) this.#entries.delete(lowered)
    else this.#entries.set(lowered, found)
    return found
  }

  *entries(): Generator<[key: string, values: readonly string[]]> {
    const lowered = [...this.#entries.keys()]
    const names = new Map((this.#written ?? []).map((name) => [lowerKey(name), name]))
    for (const key of lowered) {
      const found = this.lookup(key)
      if (found !== undefined) yield [names.get(key)!, typeof found === 'string' ? [found] : found]
    }
  }
}

const LOWERED_MAX = 4096
const lowered = new Map<string, string>()

/** Lower-casing every key of every request costs more than the decision; the keys of requests are few. */
function lowerKey(key: string): string {
  const known = lowered.get(key)
  if (known !== undefined) return known
  const result = key.toLowerCase()
  if (lowered.size >= LOWERED_MAX) lowered.clear()
  lowered.set(key, result)
  return result
}
