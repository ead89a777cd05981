/** What a scrape measures about this process and its store, besides the counters of `metrics.ts`. */
import { statfs } from 'node:fs/promises'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../store/store.ts'

export interface Gauges {
  readonly isSealed: boolean
  /** Since the last scrape. */
  readonly eventLoopDelay: { readonly maxSeconds: number; readonly p99Seconds: number }
  /** Of the data directory; undefined when there is none. */
  readonly diskFreeBytes: number | undefined
  /** Undefined while there is no store. */
  readonly store: StoreGauges | undefined
}

export interface StoreGauges {
  readonly isReachable: boolean
  /** Commits of other nodes that this node had not seen before the scrape. */
  readonly lagRevisions: number
}

const RESOLUTION_MS = 10
const NANOSECONDS = 1e9
/** A database that takes longer counts as unreachable. */
const REACHED_WITHIN_MS = 1_000

export class GaugeReader {
  readonly #data: string | undefined
  readonly #delays: IntervalHistogram

  /** `data`: the data directory. */
  constructor(data?: string) {
    this.#data = data
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delays.enable()
  }

  async read(store: Store | undefined): Promise<Gauges> {
    const eventLoopDelay = this.#delay()
    const [diskFreeBytes, storeGauges] = await Promise.all([this.#free(), store && storeGaugesOf(store)])
    return { isSealed: store === undefined, eventLoopDelay, diskFreeBytes, store: storeGauges }
  }

  close(): void {
    this.#delays.disable()
  }

  #delay(): Gauges['eventLoopDelay'] {
    const { max } = this.#delays
    const p99 = this.#delays.percentile(99)
    this.#delays.reset()
    return { maxSeconds: delayOf(max), p99Seconds: delayOf(p99) }
  }

  async #free(): Promise<number | undefined> {
    if (this.#data === undefined) return undefined
    const found = await statfs(this.#data).catch(() => undefined)
    return found && found.bavail * found.bsize
  }
}

/** The histogram holds whole intervals: what is beyond the interval that was wanted is the delay. */
const delayOf = (nanoseconds: number): number =>
  Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000) : 0

async function storeGaugesOf(store: Store): Promise<StoreGauges> {
  const before = store.revision
  const late = new AbortController()
  const isReachable = await Promise.race([
    store.sync().then(
      () => true,
      () => false,
    ),
    sleep(REACHED_WITHIN_MS, false, { signal: late.signal }).catch(() => false),
  ])
  late.abort()
  return { isReachable, lagRevisions: store.revision - before }
}
