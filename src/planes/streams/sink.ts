/** What a stream brings, and what it brings it to. */

/** One event, or one checkpoint. */
export interface Line {
  /** Its position in the source: unique for each line. */
  readonly position: string
  /** Epoch milliseconds. */
  readonly timeMs: number
  readonly name: string
  readonly refused: boolean
  /** JSON. */
  readonly body: string
}

export interface Sink {
  /** Returns when the other end has them, as far as its protocol shows; throws otherwise, and is called again. */
  send(lines: readonly Line[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** The other end said when to retry. */
export class RetryLaterError extends Error {
  override readonly name = 'LaterError'
  readonly waitMs: number

  constructor(message: string, waitMs: number) {
    super(message)
    this.waitMs = waitMs
  }
}
