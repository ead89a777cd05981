/** Identifiers in AWS's own form. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes */
export type IdPrefix =
  | 'AIDA' // user
  | 'AROA' // role
  | 'AGPA' // group
  | 'AIPA' // instance profile
  | 'ANPA' // managed policy
  | 'ANVA' // managed policy version
  | 'APKA' // public key
  | 'ASCA' // certificate
  | 'ACCA' // service-specific credential

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `AIDA` and its like: the prefix and 17 characters of base 32, 85 random bits. */
export function uniqueId(prefix: IdPrefix): string {
  return prefix + base32(randomBytes(17))
}

/**
 * An access key id of 20 characters. Characters 5 to 12 carry the account, so that `sts:GetAccessKeyInfo` can answer
 * for keys that no longer exist; the other 8 are random.
 */
export function accessKeyId(prefix: 'AKIA' | 'ASIA', account: string): string {
  // 10^12 < 2^40 = 32^8; the scramble only keeps neighbouring accounts from looking alike.
  let value = BigInt(account) ^ SCRAMBLE
  let encoded = ''
  for (let i = 0; i < 8; i++) {
    encoded = ALPHABET[Number(value & 31n)]! + encoded
    value >>= 5n
  }
  return prefix + encoded + base32(randomBytes(8))
}

/** The account that an access key id of ours carries; undefined when it carries none. */
export function accountOfAccessKey(id: string): string | undefined {
  if (!/^(AKIA|ASIA)[A-Z2-7]{16}$/.test(id)) return undefined
  let value = 0n
  for (const character of id.slice(4, 12)) value = (value << 5n) | BigInt(ALPHABET.indexOf(character))
  const account = (value ^ SCRAMBLE).toString().padStart(12, '0')
  return account.length === 12 ? account : undefined
}

/** Characters of the alphabet, each as likely as any other. */
export function randomText(alphabet: string | readonly string[], length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]!).join('')
}

/** Forty base64 characters: 30 random bytes. */
export function secretAccessKey(): string {
  return randomBytes(30).toString('base64')
}

/**
 * A UUID that sorts by time, so that indexes of events grow at their end.
 * Source: RFC 9562 §5.7 (version 7).
 */
export function timeOrderedId(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0')
  // Of a random UUID everything but its first 48 bits and its version.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const SCRAMBLE = 0x5a_c3_96_e1_0fn

function base32(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += ALPHABET[byte & 31]!
  return text
}
