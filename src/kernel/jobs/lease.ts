/**
 * A lease: of all nodes on one store, one at a time does a task. Clocks are not compared between nodes: the holder
 * writes a new beat again and again, and a node that has seen the same beat for long enough, by its own clock, takes
 * over.
 */
import { randomUUID } from 'node:crypto'
import { type Key, key, type Store, type Unit } from '../../store/store.ts'

/** A holder that is silent for so long is taken for dead. */
const HELD_MS = 12_000

interface LeaseRow {
  readonly node: string
  /** Which life of the node: names outlive processes. */
  readonly life: string
  readonly beat: number
}

/** Another node has taken over. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

export interface LeaseOptions {
  readonly store: Store
  /** The name of the lease, as segments of its key. */
  readonly of: readonly string[]
  readonly heldMs?: number | undefined
}

export class Lease {
  readonly #store: Store
  readonly #at: Key
  readonly #heldMs: number
  readonly #life = randomUUID()
  /** When the renewal began that succeeded last. */
  #renewedAt: number | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<unknown> = Promise.resolve()
  #watched: { readonly row: LeaseRow; readonly since: number } | undefined
  #wanted = false

  constructor({ store, of, heldMs = HELD_MS }: LeaseOptions) {
    this.#store = store
    this.#at = key('kernel', 'lease', ...of)
    this.#heldMs = heldMs
  }

  /** Takes the lease where it is free; false while another node has it. Call it before each piece of the work. */
  async hold(): Promise<boolean> {
    // A store that is not shared has one process.
    if (!this.#store.shared || this.#fresh()) return true
    this.#wanted = true
    const known = await this.#store.reader.get<LeaseRow>(this.#at)
    return this.#isFree(known) && this.#write(known)
  }

  /** The node that was last seen with it, when that is another one. */
  get elsewhere(): string | undefined {
    return this.#watched?.row.node
  }

  /** In a transaction: throws where another has taken over, so that nothing of a holder that had stalled is written. */
  async require(unit: Pick<Unit, 'get'>): Promise<void> {
    if (!this.#store.shared) return
    const row = await unit.get<LeaseRow>(this.#at)
    if (row?.life !== this.#life) throw new LeaseLostError(`${row?.node ?? 'nobody'} holds ${this.#at}`)
  }

  /** Gives it back, if it is held. */
  async release(): Promise<void> {
    this.#wanted = false
    await this.#writing
    this.#forget()
    if (!this.#store.shared) return
    await this.#store.run(async (unit) => {
      if ((await unit.get<LeaseRow>(this.#at))?.life === this.#life) unit.delete(this.#at)
    })
  }

  #fresh(): boolean {
    return this.#renewedAt !== undefined && performance.now() - this.#renewedAt < this.#heldMs
  }

  #isFree(row: LeaseRow | undefined): boolean {
    // The previous process with this node name has died.
    if (!row || row.node === this.#store.node) return true
    const now = performance.now()
    const { row: before, since } = this.#watched ?? { row: undefined, since: now }
    if (before?.life !== row.life || before.beat !== row.beat) {
      this.#watched = { row, since: now }
      return false
    }
    return now - since >= this.#heldMs
  }

  /** Of several who try at once, one finds the row as it was. */
  #write(expected: LeaseRow | undefined): Promise<boolean> {
    const begun = performance.now()
    const written = this.#store.run(async (unit) => {
      const row = await unit.get<LeaseRow>(this.#at)
      if (row?.life !== expected?.life || row?.beat !== expected?.beat) return undefined
      const next: LeaseRow = { node: this.#store.node, life: this.#life, beat: (row?.beat ?? 0) + 1 }
      unit.put(this.#at, next)
      return next
    })
    const done = written.then((row) => {
      if (!row) this.#forget()
      else this.#held(row, begun)
      return row !== undefined
    })
    this.#writing = done.catch(() => undefined)
    return done
  }

  #held(row: LeaseRow, begun: number): void {
    if (!this.#wanted) return
    this.#watched = undefined
    this.#renewedAt = begun
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#write(row).catch(() => this.#held(row, begun)), this.#heldMs / 3)
    this.#timer.unref()
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#renewedAt = undefined
  }
}
