/** A client that sends its body too slowly to finish in time is disconnected long before the time limit. */

export interface MinimumRate {
  /** No client is disconnected before this. */
  readonly graceMs: number
  readonly sweepMs: number
}

export const paceDefaults: MinimumRate = { graceMs: 10_000, sweepMs: 1_000 }

export interface ArrivingBody {
  readonly startedAt: number
  /** undefined when the sender did not say. */
  readonly announced: number | undefined
  readonly msMax: number
  readonly bytes: number
  readonly isComplete: boolean
  abort?: (error: Error) => void
}

export class SlowBodyError extends Error {
  override readonly name = 'SlowBodyError'
}

/** Expected of those who do not say how much they will send. */
const UNANNOUNCED_BYTES = 64 * 1024

/** One timer for all of them: most bodies are there before it would have been set. */
export class SlowBodies {
  readonly #pace: MinimumRate
  readonly #onCutOff: () => void
  readonly #arriving = new Set<ArrivingBody>()
  readonly #timer: NodeJS.Timeout

  constructor(pace: MinimumRate, onCutOff: () => void) {
    this.#pace = pace
    this.#onCutOff = onCutOff
    this.#timer = setInterval(() => this.sweep(performance.now()), pace.sweepMs).unref()
  }

  /** Until {@link forget}. */
  watch(body: ArrivingBody): void {
    this.#arriving.add(body)
  }

  forget(body: ArrivingBody): void {
    this.#arriving.delete(body)
  }

  sweep(now: number): void {
    for (const body of this.#arriving) {
      if (!this.#isLate(body, now)) continue
      this.#arriving.delete(body)
      this.#onCutOff()
      body.abort?.(new SlowBodyError())
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #isLate({ startedAt, announced = UNANNOUNCED_BYTES, msMax, bytes, isComplete }: ArrivingBody, now: number): boolean {
    if (isComplete) return false
    const elapsedMs = now - startedAt
    if (elapsedMs >= msMax) return true
    return bytes < (announced * (elapsedMs - this.#pace.graceMs)) / msMax
  }
}
