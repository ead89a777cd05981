/** Time is handed in everywhere, so that tests and users of `--dev` can move it. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Where time can be moved: the time that clients' own clocks show, by which requests may be signed as well. */
  real?(): number
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

  /** Stops it at this instant; `advance` and `set` still move it. */
  stop(): void {
    this.#stoppedAtMs = this.now()
  }

  advance(ms: number): void {
    if (this.#stoppedAtMs === undefined) this.#offsetMs += ms
    else this.#stoppedAtMs += ms
  }

  /** Shows this time now, and goes on from there. */
  set(ms: number): void {
    if (this.#stoppedAtMs === undefined) this.#offsetMs = ms - Date.now()
    else this.#stoppedAtMs = ms
  }
}

/** For `--dev`: it can be moved, and requests of clients whose clocks were not moved are still accepted. */
export class DevelopmentClock extends MovableClock {
  real(): number {
    return Date.now()
  }

  reset(): void {
    this.set(Date.now())
  }
}
