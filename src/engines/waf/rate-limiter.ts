/**
 * Counts of requests by key within a sliding window, for rate-based rules: one bucket a second, a bounded number of keys, and what
 * other gateways counted of the same keys.
 */
import { createHash } from 'node:crypto'

/** The keys that were seen last are kept, over all rules. */
const KEYS_MAX = 100_000

interface Counts {
  readonly windowSeconds: number
  /** Requests by second, oldest first. */
  readonly buckets: Map<number, number>
  /** What other gateways saw in their windows, by gateway. */
  readonly elsewhere: Map<string, { readonly count: number; readonly at: number }>
}

/** Requests that one gateway counted for a key, as gateways exchange them. The key is a digest: its parts are not passed on. */
export type SharedCount = readonly [key: string, windowSeconds: number, count: number]

export class RateLimiter {
  /** By digests: keys that clients make may be long. */
  readonly #keys = new Map<string, Counts>()
  readonly #keysMax: number

  constructor(keysMax = KEYS_MAX) {
    this.#keysMax = keysMax
  }

  /** Counts a request. Returns the requests of the window, this one included, at all gateways. `now` in milliseconds. */
  hit(key: string, windowSeconds: number, now: number): number {
    const digest = digestOf(key)
    const counts = this.#keys.get(digest) ?? emptyCounts(windowSeconds)
    // Again at the end: the order is that of use.
    this.#keys.delete(digest)
    this.#keys.set(digest, counts)
    if (this.#keys.size > this.#keysMax) this.#keys.delete(this.#keys.keys().next().value!)
    const second = Math.floor(now / 1_000)
    counts.buckets.set(second, (counts.buckets.get(second) ?? 0) + 1)
    return total(counts, windowSeconds, now)
  }

  /** The requests of the window, without counting one. */
  count(key: string, windowSeconds: number, now: number): number {
    const counts = this.#keys.get(digestOf(key))
    return counts ? total(counts, windowSeconds, now) : 0
  }

  /** What this gateway counted itself, the largest counts first: sent to the others. Keys without a request are dropped. */
  own(now: number, limit = Number.POSITIVE_INFINITY): readonly SharedCount[] {
    const found: SharedCount[] = []
    for (const [digest, counts] of this.#keys) {
      const count = own(counts, counts.windowSeconds, now)
      if (count > 0) found.push([digest, counts.windowSeconds, count])
      else if (total(counts, counts.windowSeconds, now) === 0) this.#keys.delete(digest)
    }
    return found.length <= limit ? found : found.sort((a, b) => b[2] - a[2]).slice(0, limit)
  }

  /** What another gateway counted, all of it: keys that are not among them have no requests there any more. */
  learn(gateway: string, counted: readonly SharedCount[], now: number): void {
    const told = new Set(counted.map(([digest]) => digest))
    for (const [digest, counts] of this.#keys) if (!told.has(digest)) counts.elsewhere.delete(gateway)
    for (const [digest, windowSeconds, count] of counted) {
      const counts = this.#keys.get(digest) ?? emptyCounts(windowSeconds)
      counts.elsewhere.set(gateway, { count, at: now })
      if (!this.#keys.has(digest) && this.#keys.size < this.#keysMax) this.#keys.set(digest, counts)
    }
  }
}

const digestOf = (key: string): string => createHash('sha256').update(key).digest('base64url').slice(0, 22)

const emptyCounts = (windowSeconds: number): Counts => ({ windowSeconds, buckets: new Map(), elsewhere: new Map() })

function own({ buckets }: Counts, windowSeconds: number, now: number): number {
  const oldest = Math.floor(now / 1_000) - windowSeconds
  let sum = 0
  for (const [second, count] of buckets) {
    if (second <= oldest) buckets.delete(second)
    else sum += count
  }
  return sum
}

function total(counts: Counts, windowSeconds: number, now: number): number {
  let sum = own(counts, windowSeconds, now)
  for (const [gateway, { count, at }] of counts.elsewhere) {
    if (now - at > windowSeconds * 1_000) counts.elsewhere.delete(gateway)
    else sum += count
  }
  return sum
}
