/** Whoever sends a body more slowly than it could be done in time is cut off, long before the time is over. */

export interface Pace {
  /** Nobody is judged before this. */
  readonly graceMs: number
  readonly sweepMs: number
}

export const paceDefaults: Pace = { graceMs: 10_000, sweepMs: 1_000 }

export interface ArrivingBody {
  readonly startedAt: number
  /** undefined when the sender did not say. */
  readonly announced: number | undefined
  readonly msMax: number
  arrived(): number
  cutOff(): void
}

/** Expected of those who do not say how much they will send. */
const UNANNOUNCED_BYTES = 64 * 1024

/** One timer for all of them: most bodies are there before it would have been set. */
export class SlowBodies {
  readonly #pace: Pace
  readonly #arriving = new Set<ArrivingBody>()
  readonly #timer: NodeJS.Timeout

  constructor(pace: Pace) {
    this.#pace = pace
    this.#timer = setInterval(() => this.sweep(performance.now()), pace.sweepMs).unref()
  }

  /** Returns what must be called when it has come. */
  watch(body: ArrivingBody): () => void {
    this.#arriving.add(body)
    return () => void this.#arriving.delete(body)
  }

  sweep(now: number): void {
    for (const body of this.#arriving) {
      if (!this.#isLate(body, now)) continue
      this.#arriving.delete(body)
      body.cutOff()
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #isLate({ startedAt, announced = UNANNOUNCED_BYTES, msMax, arrived }: ArrivingBody, now: number): boolean {
    const elapsedMs = now - startedAt
    if (elapsedMs >= msMax) return true
    return arrived() < (announced * (elapsedMs - this.#pace.graceMs)) / msMax
  }
}
