/** How many functions run at once, and how many wait for one to end: both are bounded, so that recursion is harmless. */
import { FunctionsBusy } from '../../kernel/ports/functions.ts'

export interface SlotLimits {
  readonly running: number
  readonly waiting: number
  readonly waitMs: number
}

export class Slots {
  readonly #limits: SlotLimits
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Throws {@link FunctionsBusy} when there is no place to wait, or it was waited for too long. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.running) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // The slot passes on as it is.
      if (next) next()
      else this.#running--
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#limits.waiting) throw new FunctionsBusy('too many functions wait to run')
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        reject(new FunctionsBusy('no function ended in time for this one to begin'))
      }, this.#limits.waitMs)
      this.#waiting.push(begin)
    })
  }
}
