/** Token buckets by key: one holds a burst at most, is refilled steadily, and every call spends from it. */

export interface Rate {
  /** Tokens a second; Infinity for no limit. */
  readonly perSecond: number
  /** Tokens a full bucket holds. */
  readonly burst: number
  /** Calls in progress at the same time: those that take long would get past a rate. */
  readonly runningMax: number
}

export interface Bucket {
  readonly rate: Rate
  tokens: number
  filledAt: number
  running: number
}

/** How many of the oldest a new bucket looks at for one that may go. */
const LOOKED_AT = 8

/**
 * A full bucket holds no more than a new one would: only full ones are forgotten, so that a caller cannot get a fresh
 * bucket by evicting its own. When none is full, newcomers share a bucket.
 */
export class Buckets {
  readonly #rateOf: (key: string) => Rate
  readonly #max: number
  readonly #held = new Map<string, Bucket>()
  readonly #shared: Bucket

  constructor(rate: Rate, max: number, rateOf: (key: string) => Rate = () => rate) {
    this.#rateOf = rateOf
    this.#max = max
    this.#shared = full(rate, 0)
  }

  get size(): number {
    return this.#held.size
  }

  /** The bucket of a key, refilled until `nowMs`. */
  at(key: string, nowMs: number): Bucket {
    const held = this.#held.get(key)
    if (held) return refilled(held, nowMs)
    if (this.#held.size >= this.#max && !this.#forgetOne(nowMs)) return refilled(this.#shared, nowMs)
    const fresh = full(this.#rateOf(key), nowMs)
    this.#held.set(key, fresh)
    return fresh
  }

  #forgetOne(nowMs: number): boolean {
    let looked = 0
    for (const [key, bucket] of this.#held) {
      this.#held.delete(key)
      if (bucket.running === 0 && refilled(bucket, nowMs).tokens >= bucket.rate.burst) return true
      // After all others, so that the next new caller looks further.
      this.#held.set(key, bucket)
      if (++looked === LOOKED_AT) return false
    }
    return false
  }
}

const full = (rate: Rate, nowMs: number): Bucket => ({ rate, tokens: rate.burst, filledAt: nowMs, running: 0 })

function refilled(bucket: Bucket, nowMs: number): Bucket {
  const elapsedMs = nowMs - bucket.filledAt
  // A clock that was put back gives nothing, and starts over from where it is.
  if (elapsedMs > 0) {
    const { perSecond, burst } = bucket.rate
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1000)
  }
  bucket.filledAt = nowMs
  return bucket
}

/** How long until a bucket holds so many tokens. 0: it does. */
export const waitMs = ({ tokens, rate }: Bucket, wanted: number): number =>
  tokens >= wanted ? 0 : Math.ceil(((wanted - tokens) * 1000) / rate.perSecond)
