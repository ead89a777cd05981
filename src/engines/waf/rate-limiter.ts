/**
 * Counts of requests by key within a sliding window, for rate-based rules: one bucket a second, a bounded number of keys, and what
 * other gateways counted of the same keys.
 */

/** The keys that were seen last are kept, over all rules. */
const KEYS_MAX = 100_000

interface Counts {
  /** Requests by second, oldest first. */
  readonly buckets: Map<number, number>
  /** What other gateways saw in their windows, by gateway. */
  readonly elsewhere: Map<string, { readonly count: number; readonly at: number }>
}

export class RateLimiter {
  readonly #keys = new Map<string, Counts>()
  readonly #keysMax: number

  constructor(keysMax = KEYS_MAX) {
    this.#keysMax = keysMax
  }

  /** Counts a request. Returns the requests of the window, this one included, at all gateways. `now` in milliseconds. */
  hit(key: string, windowSeconds: number, now: number): number {
    const counts = this.#keys.get(key) ?? { buckets: new Map(), elsewhere: new Map() }
    // Again at the end: the order is that of use.
    this.#keys.delete(key)
    this.#keys.set(key, counts)
    if (this.#keys.size > this.#keysMax) this.#keys.delete(this.#keys.keys().next().value!)
    const second = Math.floor(now / 1_000)
    counts.buckets.set(second, (counts.buckets.get(second) ?? 0) + 1)
    return this.#total(counts, windowSeconds, now)
  }

  /** The requests of the window, without counting one. */
  count(key: string, windowSeconds: number, now: number): number {
    const counts = this.#keys.get(key)
    return counts ? this.#total(counts, windowSeconds, now) : 0
  }

  /** What this gateway counted itself: sent to the others. */
  own(windowSeconds: number, now: number, atLeast = 1): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const [key, counts] of this.#keys) {
      const count = this.#own(counts, windowSeconds, now)
      if (count >= atLeast) found.set(key, count)
    }
    return found
  }

  /** What another gateway reported. */
  learn(gateway: string, counted: Iterable<readonly [key: string, count: number]>, now: number): void {
    for (const [key, count] of counted) {
      const counts = this.#keys.get(key) ?? { buckets: new Map(), elsewhere: new Map() }
      counts.elsewhere.set(gateway, { count, at: now })
      if (!this.#keys.has(key) && this.#keys.size < this.#keysMax) this.#keys.set(key, counts)
    }
  }

  #own({ buckets }: Counts, windowSeconds: number, now: number): number {
    const oldest = Math.floor(now / 1_000) - windowSeconds
    let total = 0
    for (const [second, count] of buckets) {
      if (second <= oldest) buckets.delete(second)
      else total += count
    }
    return total
  }

  #total(counts: Counts, windowSeconds: number, now: number): number {
    let total = this.#own(counts, windowSeconds, now)
    for (const [gateway, { count, at }] of counts.elsewhere) {
      if (now - at > windowSeconds * 1_000) counts.elsewhere.delete(gateway)
      else total += count
    }
    return total
  }
}
