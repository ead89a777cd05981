/** Time is handed in everywhere, so that tests and users of `--dev` can move it. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** The system clock with an offset, or stopped at an instant. */
export class MovableClock implements Clock {
  #offsetMs = 0
  #stoppedAtMs: number | undefined

  constructor(stoppedAtMs?: number) {
    this.#stoppedAtMs = stoppedAtMs
  }

  now(): number {
    return this.#stoppedAtMs ?? Date.now() + this.#offsetMs
  }

  advance(ms: number): void {
    if (this.#stoppedAtMs === undefined) this.#offsetMs += ms
    else this.#stoppedAtMs += ms
  }
}
