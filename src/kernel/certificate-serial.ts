/** Serial numbers of certificates that services issue. */
import { randomBytes } from 'node:crypto'

/** 128 random bits, positive, and of the same length always (RFC 5280 §4.1.2.2). */
export function newSerial(): Buffer {
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return serial
}
