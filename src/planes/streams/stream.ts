/**
 * A stream sends every line of a source to a target outside: a follower whose effect is the target's sink. However far
 * behind its target is, it holds no more than one batch.
 */
import { backOff, Follower } from '../../kernel/events/follower.ts'
import type { Store } from '../../store/store.ts'
import { type Line, RetryLaterError, type Sink } from './sink.ts'
import type { Source } from './source.ts'
import type { Target } from './target.ts'

/** A failing target is reported this often, not at each attempt. */
const REPORT_EVERY_MS = 60_000

export interface StreamStatus {
  readonly target: string
  readonly kind: Source['kind']
  /** Lines taken since the server started. */
  readonly sent: number
  /** ISO 8601, of the last line the target took. */
  readonly through?: string
  /** Why it takes nothing at the moment. */
  readonly error?: string
  /** ISO 8601. */
  readonly failingSince?: string
  /** The node that sends at present, when it is another one. */
  readonly elsewhere?: string
}

export interface StreamOptions {
  readonly store: Store
  readonly source: Source
  readonly target: Target
  readonly report: (level: 'warn' | 'info', message: string, facts: Readonly<Record<string, unknown>>) => void
  readonly retryMs?: number
  /** After how long a silent node is taken for dead. */
  readonly heldMs?: number | undefined
}

export class Stream {
  readonly #options: StreamOptions
  readonly #follower: Follower<Line>
  readonly #sink: Sink
  #sent = 0
  #through: number | undefined
  #failure: { readonly error: string; readonly since: number } | undefined
  #reportedAt = 0

  constructor(options: StreamOptions) {
    const { store, source, target, report, heldMs } = options
    this.#options = options
    const sink = target.open((message) => report('warn', 'stream', { target: target.name, message }))
    this.#sink = sink
    this.#follower = new Follower<Line>({
      store,
      name: ['stream', source.kind, target.name],
      heldMs,
      read: (after, limit) => source.read(after, limit),
      effect: (lines, signal) => sink.send(lines, signal),
      onProcessed: (lines) => this.#delivered(lines),
      onFailure: (error, failures) => this.#failed(error, failures),
    })
  }

  start(): void {
    this.#follower.start()
  }

  /** Sends what is left, if its target accepts it soon. */
  async stop(): Promise<void> {
    await this.#follower.stop()
    await this.#sink.close()
  }

  status(): StreamStatus {
    const { source, target } = this.#options
    const { elsewhere } = this.#follower
    return {
      target: target.name,
      kind: source.kind,
      sent: this.#sent,
      ...(this.#through !== undefined && { through: new Date(this.#through).toISOString() }),
      ...(elsewhere !== undefined && { elsewhere }),
      ...(this.#failure && { error: this.#failure.error, failingSince: new Date(this.#failure.since).toISOString() }),
    }
  }

  #delivered(lines: readonly Line[]): void {
    const { target, report } = this.#options
    this.#sent += lines.length
    this.#through = lines.at(-1)!.timeMs
    if (this.#failure) report('info', 'stream goes on', { target: target.name })
    this.#failure = undefined
    this.#reportedAt = 0
  }

  /** Returns how long to wait. */
  #failed(error: unknown, failures: number): number {
    const { target, report, retryMs } = this.#options
    const reason = reasonOf(error)
    const now = Date.now()
    this.#failure = { error: reason, since: this.#failure?.since ?? now }
    if (now - this.#reportedAt >= REPORT_EVERY_MS) {
      this.#reportedAt = now
      report('warn', 'stream waits', { target: target.name, error: reason })
    }
    const waitMs = backOff(failures, retryMs)
    return error instanceof RetryLaterError ? Math.max(error.waitMs, waitMs) : waitMs
  }
}

/** `fetch` keeps the reason one level down. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
