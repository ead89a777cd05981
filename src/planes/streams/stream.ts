/**
 * A stream: reads a source behind a durable cursor, sends, moves the cursor. In order, at least once, one batch at a time:
 * however far behind its target is, it holds no more than that batch, and goes on where it was after a crash. Of several
 * nodes one sends, and another goes on where it was when it dies.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Lease } from '../../kernel/lease.ts'
import { type Key, key, type Store } from '../../store/store.ts'
import { LaterError, type Sink } from './sink.ts'
import type { Batch, Source } from './source.ts'
import type { Target } from './target.ts'

const BATCH = 500
const NOTHING = { lines: [], more: false } as const
const QUIET_MS = 1_000
const LEAVE_MS_MAX = 2_000
const RETRY_MS_FIRST = 500
const RETRY_MS_MAX = 60_000
/** Targets that take nothing for long are heard of again and again, not at every attempt. */
const TELL_EVERY_MS = 60_000

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

interface CursorRow {
  readonly position: string
}

export interface StreamOptions {
  readonly store: Store
  readonly source: Source
  readonly target: Target
  readonly tell: (level: 'warn' | 'info', message: string, facts: Readonly<Record<string, unknown>>) => void
  readonly retryMs?: number
  /** After how long a silent node is taken for dead. */
  readonly heldMs?: number | undefined
}

export class Stream {
  readonly #options: StreamOptions
  readonly #cursor: Key
  readonly #lease: Lease
  readonly #sink: Sink
  /** Nothing new is waited for. */
  readonly #leaving = new AbortController()
  readonly #stopped = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #sent = 0
  #through: number | undefined
  #failure: { readonly error: string; readonly since: number } | undefined
  #toldAt = 0

  constructor(options: StreamOptions) {
    const { source, target, tell, store } = options
    this.#options = options
    this.#cursor = key('kernel', 'stream', source.kind, target.name)
    this.#lease = new Lease({ store, of: ['stream', source.kind, target.name], heldMs: options.heldMs })
    this.#sink = target.open((message) => tell('warn', 'stream', { target: target.name, message }))
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Sends what is left, if its target takes it soon. */
  async stop(): Promise<void> {
    this.#leaving.abort()
    await Promise.race([this.#running, sleep(this.#failure ? 0 : LEAVE_MS_MAX)])
    this.#stopped.abort()
    await this.#running
    await this.#lease.release().catch(() => undefined)
    await this.#sink.close()
  }

  status(): StreamStatus {
    const { source, target } = this.#options
    return {
      target: target.name,
      kind: source.kind,
      sent: this.#sent,
      ...(this.#through !== undefined && { through: new Date(this.#through).toISOString() }),
      ...(this.#lease.elsewhere !== undefined && { elsewhere: this.#lease.elsewhere }),
      ...(this.#failure && { error: this.#failure.error, failingSince: new Date(this.#failure.since).toISOString() }),
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    let failures = 0
    while (!signal.aborted) {
      try {
        const { lines, more } = (await this.#lease.hold()) ? await this.#send() : NOTHING
        failures = 0
        if (lines.length === 0 && this.#leaving.signal.aborted) return
        if (!more) await this.#pause(QUIET_MS, this.#leaving.signal)
      } catch (error) {
        if (signal.aborted || this.#leaving.signal.aborted) return
        await this.#failed(error, failures++)
      }
    }
  }

  async #send(): Promise<Pick<Batch, 'lines' | 'more'>> {
    const { store, source } = this.#options
    const { signal } = this.#stopped
    const after = (await store.reader.get<CursorRow>(this.#cursor))?.position
    const batch = await source.read(after, BATCH)
    if (batch.lines.length === 0) return NOTHING
    await this.#sink.send(batch.lines, signal)
    if (!signal.aborted) await this.#taken(batch)
    return batch
  }

  async #taken({ lines, next }: Batch): Promise<void> {
    const { store, target, tell } = this.#options
    await store.run(async (unit) => {
      // Who took over while we waited for the target has sent these, and more.
      await this.#lease.require(unit)
      unit.put(this.#cursor, { position: next } satisfies CursorRow)
    })
    this.#sent += lines.length
    this.#through = lines.at(-1)!.timeMs
    if (this.#failure) tell('info', 'stream goes on', { target: target.name })
    this.#failure = undefined
    this.#toldAt = 0
  }

  async #failed(error: unknown, failures: number): Promise<void> {
    const { target, tell, retryMs = RETRY_MS_FIRST } = this.#options
    const reason = reasonOf(error)
    const now = Date.now()
    this.#failure = { error: reason, since: this.#failure?.since ?? now }
    if (now - this.#toldAt >= TELL_EVERY_MS) {
      this.#toldAt = now
      tell('warn', 'stream waits', { target: target.name, error: reason })
    }
    const backOff = Math.min(retryMs * 2 ** failures, RETRY_MS_MAX)
    const jittered = backOff * (0.5 + Math.random() / 2)
    await this.#pause(error instanceof LaterError ? Math.max(error.waitMs, jittered) : jittered)
  }

  async #pause(ms: number, signal = this.#stopped.signal): Promise<void> {
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** `fetch` keeps the reason one level down. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
