/** The passphrase sealer: a seed by scrypt (RFC 7914), 128 MiB and about half a second a guess. */
import { randomBytes, scrypt } from 'node:crypto'
import { KEY_BYTES, takeOver } from '../aead.ts'
import type { PassphraseSettings } from '../sealer.ts'
import { TrustError } from '../vault.ts'

const COST = { N: 2 ** 17, r: 8, p: 1 } as const
const SALT_BYTES = 16
const LENGTH_MIN = 12
/** Twice what scrypt needs: 128 · N · r. */
const MEMORY_MAX = 2 * 128 * COST.N * COST.r

export function newPassphraseSettings(): PassphraseSettings {
  return { kind: 'passphrase', salt: randomBytes(SALT_BYTES).toString('base64url'), ...COST }
}

/** A passphrase that is too short is refused when it is chosen, never when it is entered. */
export function checkPassphrase(passphrase: string): void {
  if ([...passphrase].length < LENGTH_MIN)
    throw new TrustError(
      'MERLON_PASSPHRASE_WEAK',
      `a passphrase has at least ${LENGTH_MIN} characters. Choose a longer one.`,
    )
}

/** Spelt differently by two keyboards, it is the same passphrase (Unicode NFKC, RFC 8265). */
export function passphraseSeed(settings: PassphraseSettings, passphrase: string): Promise<Buffer> {
  const { N, r, p, salt } = settings
  // The record is not authenticated yet: an attacker who wrote it must not choose our memory.
  if (N > COST.N || r > COST.r || p > COST.p) throw new TrustError('MERLON_KEYRING_DAMAGED', 'no such scrypt cost.')
  const bytes = Buffer.from(passphrase.normalize('NFKC'), 'utf8')
  return new Promise((resolve, reject) => {
    scrypt(bytes, Buffer.from(salt, 'base64url'), KEY_BYTES, { N, r, p, maxmem: MEMORY_MAX }, (error, seed) => {
      bytes.fill(0)
      if (error) reject(error)
      else resolve(takeOver(seed))
    })
  })
}
