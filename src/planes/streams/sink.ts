/** What a stream brings, and what it brings it to. */

/** One event, or one checkpoint. */
export interface Line {
  /** Where it stands in its source: two lines never share it. */
  readonly position: string
  /** Epoch milliseconds. */
  readonly timeMs: number
  readonly name: string
  readonly refused: boolean
  /** JSON. */
  readonly body: string
}

export interface Sink {
  /** Returns when the other end has them, as well as its protocol can tell; throws when it does not. Asked again, then. */
  send(lines: readonly Line[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** The other end said when to ask again. */
export class RetryLaterError extends Error {
  override readonly name = 'LaterError'
  readonly waitMs: number

  constructor(message: string, waitMs: number) {
    super(message)
    this.waitMs = waitMs
  }
}
