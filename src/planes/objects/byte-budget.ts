/** So many bytes at a time, first come, first served. A request beyond that waits, and holds nothing meanwhile. */

interface Waiting {
  readonly bytes: number
  readonly go: () => void
}

export class ByteBudget {
  readonly #max: number
  readonly #waiting: Waiting[] = []
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  async during<T>(wanted: number, work: () => Promise<T>): Promise<T> {
    // What is larger than all there is has it alone.
    const bytes = Math.min(wanted, this.#max)
    if (this.#waiting.length === 0 && this.#held + bytes <= this.#max) this.#held += bytes
    else await new Promise<void>((go) => this.#waiting.push({ bytes, go }))
    try {
      return await work()
    } finally {
      this.#held -= bytes
      this.#next()
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#held + first.bytes <= this.#max; first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#held += first.bytes
      first.go()
    }
  }
}
