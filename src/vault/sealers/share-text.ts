/** A share as people keep it: letters and digits that cannot be taken for one another, in fives, with a checksum. */
import { createHash } from 'node:crypto'
import { wipeable } from '../aead.ts'
import { TrustError } from '../vault.ts'

export interface Share {
  /** 8 hex digits: which splitting it comes from. */
  readonly set: string
  /** From 1. */
  readonly index: number
  readonly threshold: number
  /** 33 bytes. The caller wipes them. */
  readonly bytes: Buffer
}

/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const VERSION = 1
const SET_BYTES = 4
const SHARE_BYTES = 33
const CHECKSUM_BYTES = 5
const HEAD_BYTES = 1 + SET_BYTES + 2
/** 45: a whole number of fives of bits. */
const LENGTH = HEAD_BYTES + SHARE_BYTES + CHECKSUM_BYTES
const GROUP = 6

export function shareText({ set, index, threshold, bytes }: Share): string {
  const body = Buffer.concat([Buffer.of(VERSION), Buffer.from(set, 'hex'), Buffer.of(index, threshold), bytes])
  const whole = Buffer.concat([body, checksum(body)])
  const letters = toLetters(whole)
  body.fill(0)
  whole.fill(0)
  return (letters.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-')
}

/** Throws `MERLON_SHARE_INVALID`, never quoting what was typed. `which` names it in the message: `the 2nd share`. */
export function readShare(text: string, which: string): Share {
  const bytes = fromLetters(text)
  const whole = bytes?.length === LENGTH && bytes[0] === VERSION
  const body = bytes?.subarray(0, LENGTH - CHECKSUM_BYTES)
  if (!whole || !body || !checksum(body).equals(bytes.subarray(LENGTH - CHECKSUM_BYTES))) {
    bytes?.fill(0)
    throw new TrustError(
      'MERLON_SHARE_INVALID',
      `${which} is mistyped or cut: its checksum does not agree. Type it again.`,
    )
  }
  const share = {
    set: body.subarray(1, 1 + SET_BYTES).toString('hex'),
    index: body[1 + SET_BYTES]!,
    threshold: body[2 + SET_BYTES]!,
    bytes: wipeable(SHARE_BYTES),
  }
  body.copy(share.bytes, 0, HEAD_BYTES)
  bytes.fill(0)
  return share
}

/** Which set a share says it belongs to; undefined when it cannot be read. */
export function setOf(text: string): string | undefined {
  try {
    const { set, bytes } = readShare(text, 'this share')
    bytes.fill(0)
    return set
  } catch {
    return undefined
  }
}

const checksum = (body: Uint8Array): Buffer =>
  createHash('sha256').update('merlon/v1/share').update(body).digest().subarray(0, CHECKSUM_BYTES)

function toLetters(bytes: Uint8Array): string {
  let letters = ''
  let bits = 0
  let count = 0
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    count += 8
    while (count >= 5) {
      count -= 5
      letters += ALPHABET[(bits >> count) & 31]
    }
    bits &= (1 << count) - 1
  }
  return count > 0 ? letters + ALPHABET[(bits << (5 - count)) & 31] : letters
}

/** Small letters, blanks and dashes do not matter; O is 0, I and L are 1. */
function fromLetters(text: string): Buffer | undefined {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  const bytes = wipeable(Math.floor((letters.length * 5) / 8))
  let bits = 0
  let count = 0
  let at = 0
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) return undefined
    bits = (bits << 5) | value
    count += 5
    if (count >= 8) {
      count -= 8
      bytes[at++] = (bits >> count) & 255
    }
    bits &= (1 << count) - 1
  }
  return bits === 0 ? bytes : undefined
}
