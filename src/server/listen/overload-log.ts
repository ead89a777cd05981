/** Logs that clients were refused: at most once a minute, however many they are. */
import type { Logger } from '../compose/log.ts'

const MINUTE_MS = 60_000

export class OverloadLog {
  readonly #logger: Logger
  #counts: Record<string, number> = {}
  #timer: NodeJS.Timeout | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** The first at once, whatever follows within the minute at its end. */
  count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
    if (this.#timer) return
    this.#report()
    this.#timer = setTimeout(() => this.#minute(), MINUTE_MS).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#report()
  }

  #minute(): void {
    this.#timer = undefined
    if (this.#report()) this.#timer = setTimeout(() => this.#minute(), MINUTE_MS).unref()
  }

  #report(): boolean {
    const turnedAway = this.#counts
    if (Object.keys(turnedAway).length === 0) return false
    this.#counts = {}
    this.#logger.log('warn', 'overload: calls were turned away', { turnedAway })
    return true
  }
}
