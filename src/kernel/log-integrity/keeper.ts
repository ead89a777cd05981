/** Keeps a node's log provable while it runs: a MAC key for each hour, a checkpoint a minute; and the end of nodes that are gone. */
import { type EpochKey, type Head, linkMac } from '../../store/chain.ts'
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Clock } from '../state/clock.ts'
import { makeCheckpoint } from './checkpoint.ts'

const EPOCH_MS = 3_600_000
const BEAT_MS = 5_000
/** A checkpoint is made when so much time has passed, or so many records have come. */
const CHECKPOINT_MS = 60_000
const CHECKPOINT_RECORDS = 1_000
/** A running node would have recorded the ends of its chains long before. */
const QUIET_MS = 3 * CHECKPOINT_MS

export class ChainBrokenError extends Error {
  override readonly name = 'ChainBrokenError'

  constructor(sequence: number, what: string) {
    super(`MERLON_CHAIN_BROKEN(${sequence}): ${what}. Run: merlon audit verify`)
  }
}

export class CheckpointService {
  readonly #store: Store
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #key: EpochKey | undefined
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #last = { atMs: 0, records: 0 }
  readonly #watch: () => number
  /** How many records other nodes had, since when by this node's clock, and whether a checkpoint covers them. */
  readonly #others = new Map<string, { readonly records: number; readonly since: number; readonly covered: boolean }>()

  constructor(
    store: Store,
    vault: Vault,
    clock: Clock,
    onError: (error: unknown) => void,
    watch = () => performance.now(),
  ) {
    this.#watch = watch
    this.#store = store
    this.#vault = vault
    this.#clock = clock
    this.#onError = onError
  }

  /** From here on records carry MACs. A chain whose last record carries a wrong one was changed while no server ran. */
  async start(): Promise<void> {
    for (const { account, region, node, sequence, epoch, hash, mac } of await this.#store.heads()) {
      if (mac === null) continue
      const key = this.#vault.chainKey(node, epoch)
      if (!Buffer.from(linkMac(key, hash)).equals(mac))
        this.#onError(new ChainBrokenError(sequence, `the events of ${account} in ${region} were changed`))
      key.fill(0)
    }
    this.#turn()
    this.#timer = setInterval(() => void this.beat(), BEAT_MS)
    this.#timer.unref()
  }

  /** The epoch never goes back, whatever the clock does. */
  #turn(): void {
    const epoch = Math.max(Math.floor(this.#clock.now() / EPOCH_MS), this.#key?.epoch ?? 0)
    if (epoch === this.#key?.epoch) return
    const before = this.#key
    this.#key = { epoch, key: this.#vault.chainKey(this.#store.node, epoch) }
    this.#store.authenticate(this.#key)
    // The writer may still be using the old one: it is erased a beat later.
    if (before) setTimeout(() => before.key.fill(0), BEAT_MS).unref()
  }

  /** What falls due every few seconds. */
  beat(): Promise<void> {
    this.#turn()
    return this.checkpoint(false)
  }

  /** Writes a checkpoint when one is due or, with `now`, when there is anything new. */
  checkpoint(now = true): Promise<void> {
    this.#working = this.#working.then(() => this.#checkpoint(now)).catch(this.#onError)
    return this.#working
  }

  async #checkpoint(isForced: boolean): Promise<void> {
    const heads = await this.#store.heads()
    const { node } = this.#store
    const records = recordsOf(heads)
    await this.#own(heads, records.get(node) ?? 0, isForced)
    records.delete(node)
    for (const [other, count] of records) await this.#other(other, heads, count)
  }

  async #own(heads: readonly Head[], records: number, isForced: boolean): Promise<void> {
    const now = this.#watch()
    if (records === this.#last.records) return
    if (!isForced && now - this.#last.atMs < CHECKPOINT_MS && records - this.#last.records < CHECKPOINT_RECORDS) return
    await makeCheckpoint(this.#store, this.#vault, { node: this.#store.node, heads, nowMs: this.#clock.now() })
    this.#last = { atMs: now, records }
  }

  /** When a node was killed, only the other nodes can record where its chains ended. */
  async #other(node: string, heads: readonly Head[], records: number): Promise<void> {
    const now = this.#watch()
    const known = this.#others.get(node)
    if (known?.records !== records) this.#others.set(node, { records, since: now, covered: false })
    else if (!known.covered && now - known.since >= QUIET_MS) {
      await makeCheckpoint(this.#store, this.#vault, { node, heads, nowMs: this.#clock.now() })
      this.#others.set(node, { ...known, covered: true })
    }
  }

  /** Ends with a checkpoint, and without the key. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.checkpoint()
    this.#key?.key.fill(0)
  }
}

function recordsOf(heads: readonly Head[]): Map<string, number> {
  const records = new Map<string, number>()
  for (const { node, sequence } of heads) records.set(node, (records.get(node) ?? 0) + sequence)
  return records
}
