/** Shares as people enter them, one at a time, over minutes: a nonce identifies the attempt, and it expires. */
import { randomBytes } from 'node:crypto'
import type { SealerRecord } from '../../vault/sealer.ts'
import { ShareEntry } from '../../vault/sealers/shamir.ts'
import { TrustError } from '../../vault/vault.ts'

export interface Progress {
  readonly sealer: string
  readonly given: number
  readonly threshold: number
  /** To be sent with the next share, so that two attempts never mix. */
  readonly nonce: string
  readonly expiresAt: number
  /** The number of the share just taken. */
  readonly share: number
}

const WITHIN_MS = 10 * 60 * 1000

interface Entry {
  readonly shares: ShareEntry
  readonly nonce: string
  readonly expiresAt: number
  readonly timer: NodeJS.Timeout
}

export class UnsealAttempts {
  readonly #now: () => number
  readonly #begun = new Map<string, Entry>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Returns the seed once there are enough shares. A wrong share is refused and the others stay. */
  async add(
    installId: string,
    sealer: SealerRecord,
    text: string,
    nonce: string | undefined,
  ): Promise<{ readonly progress: Progress; readonly seed?: Buffer }> {
    if (sealer.settings.kind !== 'shamir')
      throw new TrustError('MERLON_SEALER_UNAVAILABLE', `sealer ${sealer.id} is not unlocked by key shares.`)
    const entry = this.#entry(installId, sealer, nonce)
    const share = entry.shares.add(text)
    const progress: Progress = {
      sealer: sealer.id,
      given: entry.shares.given,
      threshold: sealer.settings.threshold,
      nonce: entry.nonce,
      expiresAt: entry.expiresAt,
      share,
    }
    if (!entry.shares.complete) return { progress }
    const seed = await entry.shares.seed()
    this.cancel(sealer.id)
    return { progress, seed }
  }

  progress(): readonly Omit<Progress, 'share' | 'nonce' | 'threshold'>[] {
    this.#expire()
    return [...this.#begun].map(([sealer, { shares, expiresAt }]) => ({ sealer, given: shares.given, expiresAt }))
  }

  cancel(sealer?: string): void {
    for (const [id, entry] of this.#begun) {
      if (sealer !== undefined && id !== sealer) continue
      clearTimeout(entry.timer)
      entry.shares.wipe()
      this.#begun.delete(id)
    }
  }

  #entry(installId: string, { id, settings }: SealerRecord, nonce: string | undefined): Entry {
    this.#expire()
    const begun = this.#begun.get(id)
    if (nonce !== undefined && begun?.nonce !== nonce) {
      throw new TrustError(
        'MERLON_UNSEAL_ENDED',
        'the unseal attempt has ended or run out of time. Start a new one with any share: merlon unseal',
      )
    }
    if (begun) return begun
    if (settings.kind !== 'shamir') throw new Error('not a Shamir sealer')
    const timer = setTimeout(() => this.cancel(id), WITHIN_MS)
    timer.unref()
    const entry: Entry = {
      shares: new ShareEntry(installId, settings),
      nonce: randomBytes(8).toString('hex'),
      expiresAt: this.#now() + WITHIN_MS,
      timer,
    }
    this.#begun.set(id, entry)
    return entry
  }

  #expire(): void {
    for (const [id, { expiresAt }] of this.#begun) if (this.#now() >= expiresAt) this.cancel(id)
  }
}
