/** Responses by their code, reported each minute: what an operator sees of a resolver on another machine. */

const EVERY_MS = 60_000

export class ResponseCounts {
  readonly #report: ((record: object) => void) | undefined
  #counts: Record<string, number> = {}
  #timer: NodeJS.Timeout | undefined

  constructor(report: ((record: object) => void) | undefined) {
    this.#report = report
  }

  add(code: string): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1
  }

  start(): void {
    if (this.#report) this.#timer = setInterval(() => this.#send(), EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#send()
  }

  #send(): void {
    if (Object.keys(this.#counts).length > 0) this.#report?.({ kind: 'responses', counts: this.#counts })
    this.#counts = {}
  }
}
