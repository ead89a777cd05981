/**
 * One-time codes by time: RFC 6238 with SHA-1, six digits and steps of thirty seconds, as AWS's virtual devices. Pure: the
 * caller passes the time and keeps the device's clock.
 *
 * @example
 * codeAt(seed, stepAt(Date.now())) // '287082'
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const STEP_MS = 30_000

/** AWS's seeds: 64 characters of base 32. */
export const SEED_BYTES = 40

/** RFC 6238 §5.2: one step to each side for clocks that differ and codes that travel. */
const TOLERANCE = 1

export const stepAt = (now: number): number => Math.floor(now / STEP_MS)

/** RFC 4226 §5.3. */
export function codeAt(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', seed).update(counter).digest()
  const offset = mac[mac.length - 1]! & 0x0f
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

/** A device's clock: how many steps it is ahead, and the last step whose code was spent. */
export interface DeviceClock {
  readonly drift: number
  readonly spent: number
}

/** The step a code belongs to; undefined when it is wrong, out of time, or spent. */
export function stepOf(seed: Uint8Array, code: string, now: number, clock: DeviceClock): number | undefined {
  const middle = stepAt(now) + clock.drift
  for (let step = middle - TOLERANCE; step <= middle + TOLERANCE; step++) {
    if (step > clock.spent && same(codeAt(seed, step), code)) return step
  }
  return undefined
}

/**
 * The clock of a device that shows these two codes in a row; undefined when it shows others. `reach` is the largest
 * distance of the second code from now, in steps: one to enroll, more to resynchronize.
 */
export function clockOf(
  seed: Uint8Array,
  codes: readonly [string, string],
  now: number,
  reach: number,
): DeviceClock | undefined {
  const middle = stepAt(now)
  for (let distance = 0; distance <= reach; distance++) {
    for (const second of distance === 0 ? [middle] : [middle - distance, middle + distance]) {
      if (!same(codeAt(seed, second), codes[1]) || !same(codeAt(seed, second - 1), codes[0])) continue
      return { drift: distance <= TOLERANCE ? 0 : second - middle, spent: second }
    }
  }
  return undefined
}

export const ENROL_REACH = TOLERANCE
/** A quarter of an hour each way. */
export const RESYNC_REACH = 30

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 §6, for lengths that need no padding (multiples of five bytes). */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(buffer >> bits) & 31]
    }
  }
  return text
}
