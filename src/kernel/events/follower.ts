/**
 * A follower reads a source behind a durable cursor, processes each batch and moves the cursor: in order, one batch at a
 * time, on one node at a time (a lease), and from where it was after a crash. Streams, detectors and deliveries are
 * followers.
 *
 * - `effect` runs before the cursor moves: at least once per batch.
 * - `commit` runs in the transaction that moves the cursor: exactly once per batch.
 *
 * @example
 * new Follower({
 *   store,
 *   name: ['detector', 'guardduty'],
 *   read: (after, limit) => source.read(after, limit),
 *   commit: (unit, lines) => { for (const finding of detect(lines)) putFinding(unit, finding) },
 * })
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Key, key, type Store, type Unit } from '../../store/store.ts'
import { Lease } from '../jobs/lease.ts'

/** What a source returns behind a position. */
export interface SourceBatch<L> {
  readonly lines: readonly L[]
  /** The cursor once these lines are processed. Opaque to the follower. */
  readonly next: string
  /** There may be more to read at once. */
  readonly more: boolean
}

export interface FollowerOptions<L> {
  readonly store: Store
  /** Names the cursor and the lease in the store: never change it after release. */
  readonly name: readonly string[]
  /** Reads behind a cursor; from the beginning for undefined. */
  readonly read: (after: string | undefined, limit: number) => Promise<SourceBatch<L>>
  /** An external side effect; repeated when the cursor could not be moved. `signal` aborts when the follower stops. */
  readonly effect?: (lines: readonly L[], signal: AbortSignal) => Promise<void>
  /** Writes that belong to these lines, in the transaction that moves the cursor. */
  readonly commit?: (unit: Unit, lines: readonly L[]) => Promise<void> | void
  /** Called after the cursor moved. */
  readonly onProcessed?: (lines: readonly L[]) => void
  /** Called for each failed attempt; returns milliseconds to wait before the next. Default: {@link backOff}. */
  readonly onFailure?: (error: unknown, failures: number) => number
  /** Milliseconds after which a silent node is considered dead. Default: that of {@link Lease}. */
  readonly heldMs?: number | undefined
  /** Milliseconds between two reads of a source that had nothing. Default: 1,000. */
  readonly idleMs?: number
}

interface CursorRow {
  readonly position: string
}

const BATCH_MAX = 500
const IDLE_MS = 1_000
/** How long `stop` waits for the batch in progress. */
const STOP_MS_MAX = 2_000
const RETRY_MS_FIRST = 500
const RETRY_MS_MAX = 60_000

/** Exponential, with jitter: half to all of 0.5 s, 1 s, 2 s … 60 s. `failures` counts from 0. */
export function backOff(failures: number, firstMs = RETRY_MS_FIRST): number {
  return Math.min(firstMs * 2 ** failures, RETRY_MS_MAX) * (0.5 + Math.random() / 2)
}

export class Follower<L> {
  readonly #options: FollowerOptions<L>
  readonly #cursor: Key
  readonly #lease: Lease
  /** `stop` was called: process what is left, do not wait for more. */
  readonly #draining = new AbortController()
  readonly #stopped = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #failing = false

  constructor(options: FollowerOptions<L>) {
    const { store, name, heldMs } = options
    this.#options = options
    this.#cursor = key('kernel', ...name)
    this.#lease = new Lease({ store, of: name, heldMs })
  }

  start(): void {
    this.#running = this.#run()
  }

  /** The node that holds the lease, when it is another one. */
  get elsewhere(): string | undefined {
    return this.#lease.elsewhere
  }

  /** Processes what is left for at most two seconds, then gives the lease back. */
  async stop(): Promise<void> {
    this.#draining.abort()
    await Promise.race([this.#running, sleep(this.#failing ? 0 : STOP_MS_MAX, undefined, { ref: false })])
    this.#stopped.abort()
    await this.#running
    await this.#lease.release().catch(() => undefined)
  }

  async #run(): Promise<void> {
    const stopped = this.#stopped.signal
    const draining = this.#draining.signal
    let failures = 0
    while (!stopped.aborted) {
      try {
        const batch = (await this.#lease.hold()) ? await this.#processNext() : undefined
        failures = 0
        this.#failing = false
        if (!batch && draining.aborted) return
        if (!batch?.more) await pause(this.#options.idleMs ?? IDLE_MS, draining)
      } catch (error) {
        if (stopped.aborted || draining.aborted) return
        this.#failing = true
        const waitMs = this.#options.onFailure?.(error, failures) ?? backOff(failures)
        failures++
        await pause(waitMs, stopped)
      }
    }
  }

  /** undefined when the source has nothing. */
  async #processNext(): Promise<SourceBatch<L> | undefined> {
    const { store, read, effect, commit, onProcessed } = this.#options
    const { signal } = this.#stopped
    const after = (await store.reader.get<CursorRow>(this.#cursor))?.position
    const batch = await read(after, BATCH_MAX)
    if (batch.lines.length === 0) return undefined
    await effect?.(batch.lines, signal)
    if (signal.aborted) return batch
    await store.run(async (unit) => {
      // A node that took the lease over meanwhile has processed these lines, and more.
      await this.#lease.require(unit)
      await commit?.(unit, batch.lines)
      unit.put(this.#cursor, { position: batch.next } satisfies CursorRow)
    })
    onProcessed?.(batch.lines)
    return batch
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
