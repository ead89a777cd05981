/** The Shamir sealer: the seed in n shares, of which any k restore it, and k − 1 reveal nothing. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { combine, split } from 'shamir-secret-sharing'
import { lengths, takeOver } from '../aead.ts'
import type { ShamirSettings } from '../sealer.ts'
import { TrustError } from '../vault.ts'
import { readShare, type Share, shareText } from './share-text.ts'

export const SHARES_MAX = 64
/** One share that is enough alone is no secret sharing, and the scheme has none. */
export const THRESHOLD_MIN = 2

/** Splits a seed. The texts are the only copies of the shares: show them once, keep none. */
export async function splitSeed(
  installId: string,
  seed: Uint8Array,
  { shares, threshold }: { readonly shares: number; readonly threshold: number },
): Promise<{ readonly settings: ShamirSettings; readonly texts: readonly string[] }> {
  const possible = Number.isInteger(shares) && Number.isInteger(threshold)
  if (!possible || threshold < THRESHOLD_MIN || threshold > shares || shares > SHARES_MAX) {
    throw new TrustError(
      'MERLON_SHARES_COUNT',
      `there are at most ${SHARES_MAX} shares, and the threshold is from ${THRESHOLD_MIN} to their number. Choose others.`,
    )
  }
  const set = randomBytes(4).toString('hex')
  const parts = (await split(new Uint8Array(seed), shares, threshold)).map(takeOver)
  try {
    const all = parts.map((bytes, at): Share => ({ set, index: at + 1, threshold, bytes }))
    return {
      settings: {
        kind: 'shamir',
        shares,
        threshold,
        set,
        commitments: all.map((share) => commitment(installId, share)),
      },
      texts: all.map(shareText),
    }
  } finally {
    for (const bytes of parts) bytes.fill(0)
  }
}

/** Shares as they come in, each checked alone: a wrong one is named, and does not affect the others. */
export class ShareEntry {
  readonly #installId: string
  readonly #settings: ShamirSettings
  readonly #given = new Map<number, Uint8Array>()

  constructor(installId: string, settings: ShamirSettings) {
    this.#installId = installId
    this.#settings = settings
  }

  get given(): number {
    return this.#given.size
  }
  get complete(): boolean {
    return this.#given.size >= this.#settings.threshold
  }

  /** Returns its number. Throws `MERLON_SHARE_INVALID` or `MERLON_SHARE_DUPLICATE`. */
  add(text: string): number {
    const share = readShare(text, `share ${this.#given.size + 1} of this entry`)
    try {
      this.#check(share)
      // The library takes plain arrays only.
      this.#given.set(share.index, new Uint8Array(share.bytes))
      return share.index
    } finally {
      share.bytes.fill(0)
    }
  }

  #check(share: Share): void {
    const { set, commitments } = this.#settings
    if (share.set !== set) {
      throw new TrustError(
        'MERLON_SHARE_INVALID',
        `share ${share.index} belongs to another set of shares (${share.set}); this sealer's set is ${set}.`,
      )
    }
    const expected = commitments[share.index - 1]
    const given = commitment(this.#installId, share)
    if (expected === undefined || !timingSafeEqual(Buffer.from(expected), Buffer.from(given)))
      throw new TrustError(
        'MERLON_SHARE_INVALID',
        `share ${share.index} of set ${set} is not the one that was handed out.`,
      )
    if (this.#given.has(share.index))
      throw new TrustError(
        'MERLON_SHARE_DUPLICATE',
        `share ${share.index} has been entered already. Enter another one.`,
      )
  }

  /** The seed; wipes the shares. Only when complete. */
  async seed(): Promise<Buffer> {
    try {
      return takeOver(await combine([...this.#given.values()]))
    } finally {
      this.wipe()
    }
  }

  wipe(): void {
    for (const bytes of this.#given.values()) bytes.fill(0)
    this.#given.clear()
  }
}

const commitment = (installId: string, { set, index, bytes }: Share): string =>
  createHash('sha256')
    .update(lengths('merlon/v1/share', installId, set, String(index), bytes))
    .digest('base64url')
