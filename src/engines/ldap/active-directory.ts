/**
 * What Active Directory says in a refused bind, and in the attributes of a person.
 * Source: https://learn.microsoft.com/windows/win32/debug/system-error-codes--1300-1699-
 */

export type BindOutcome =
  | 'refused'
  | 'not-permitted'
  | 'must-change-password'
  | 'password-expired'
  | 'disabled'
  | 'account-expired'
  | 'locked'

/** The hexadecimal system error in `80090308: LdapErr: DSID-…, data 52e, v2580`. */
const OUTCOMES: Readonly<Record<string, BindOutcome>> = {
  '525': 'refused',
  '52e': 'refused',
  '530': 'not-permitted',
  '531': 'not-permitted',
  '532': 'password-expired',
  '533': 'disabled',
  '701': 'account-expired',
  '773': 'must-change-password',
  '775': 'locked',
}

/** The outcome of a bind that was refused with invalid credentials; a directory of another kind has no code in its text. */
export function bindOutcome(diagnostic: string): BindOutcome {
  const code = /\bdata ([0-9a-f]{1,8})\b/i.exec(diagnostic)?.[1]?.toLowerCase()
  return (code !== undefined && Object.hasOwn(OUTCOMES, code) && OUTCOMES[code]) || 'refused'
}

const ACCOUNT_DISABLE = 0x2

/** Source: [MS-ADTS] §2.2.16 */
export const isDisabled = (userAccountControl: string | undefined): boolean =>
  (Number(userAccountControl ?? 0) & ACCOUNT_DISABLE) !== 0

/** 100-nanosecond intervals between 1601 and 1970. */
const EPOCH_1601_MS = 11_644_473_600_000n
const NEVER = 0x7fff_ffff_ffff_ffffn

/** Whether `accountExpires` has passed. */
export function isExpired(accountExpires: string | undefined, now: number): boolean {
  if (accountExpires === undefined || !/^\d{1,19}$/.test(accountExpires)) return false
  const ticks = BigInt(accountExpires)
  if (ticks === 0n || ticks >= NEVER) return false
  return ticks / 10_000n - EPOCH_1601_MS <= BigInt(now)
}

/** `objectGUID` as text, as Microsoft's tools print it: the first three fields are little-endian. */
export function guidText(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new Error(`An objectGUID has 16 bytes, not ${bytes.length}.`)
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  const hex = order.map((index) => bytes[index]!.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The bytes of {@link guidText}'s text; undefined for another text. */
export function guidBytes(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  return Uint8Array.from(order, (index) => bytes[index]!)
}
