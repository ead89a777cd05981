/** Which throttled calls go on record: the first of a principal in each minute, and after the minute how many more. */

/** A principal's minute. */
export interface ThrottledMinute {
  readonly account: string
  readonly region: string
  /** Its ARN; of sessions that of whom they are sessions of. */
  readonly principal: string
  readonly since: number
  /** Besides the first, which has an event of its own. */
  calls: number
}

const MINUTE_MS = 60_000
const MINUTES_MAX = 10_000

/** Recording every one would cost what throttling saves. They ran nothing, so nothing runs unrecorded. */
export class ThrottledCalls {
  readonly #open = new Map<string, { readonly minute: ThrottledMinute; readonly timer: NodeJS.Timeout }>()
  readonly #tell: (minute: ThrottledMinute) => Promise<void>
  #telling: Promise<unknown> = Promise.resolve()

  constructor(tell: (minute: ThrottledMinute) => Promise<void>) {
    this.#tell = tell
  }

  /** True for the first of a minute. */
  isFirst(key: string, opened: Omit<ThrottledMinute, 'calls'>): boolean {
    const open = this.#open.get(key)
    if (open) {
      open.minute.calls++
      return false
    }
    // More principals than this are throttled at once: the metrics count them all.
    if (this.#open.size >= MINUTES_MAX) return false
    const minute: ThrottledMinute = { ...opened, calls: 0 }
    this.#open.set(key, { minute, timer: setTimeout(() => this.#end(key), MINUTE_MS).unref() })
    return true
  }

  /** Ends every minute now; returns when all is told. */
  async close(): Promise<void> {
    for (const key of [...this.#open.keys()]) this.#end(key)
    await this.#telling
  }

  #end(key: string): void {
    const { minute, timer } = this.#open.get(key)!
    clearTimeout(timer)
    this.#open.delete(key)
    // A store that takes nothing any more ends the process by itself.
    const told = minute.calls > 0 ? this.#tell(minute).catch(() => undefined) : undefined
    this.#telling = Promise.all([this.#telling, told])
  }
}
