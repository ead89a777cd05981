/** Base64 (RFC 4648 §4) from bytes to bytes: a string that has held a key cannot be wiped. */
import { wipeable } from './aead.ts'

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PADDING = '='.charCodeAt(0)

export function toBase64(bytes: Uint8Array): Buffer {
  const text = wipeable(Math.ceil(bytes.length / 3) * 4).fill(PADDING)
  for (let bit = 0, at = 0; bit < bytes.length * 8; bit += 6) {
    const pair = (bytes[bit >> 3]! << 8) | (bytes[(bit >> 3) + 1] ?? 0)
    text[at++] = ALPHABET[(pair >> (10 - (bit & 7))) & 63]!
  }
  return text
}

/** undefined when it is not base64, padded. */
export function fromBase64(text: Uint8Array): Buffer | undefined {
  const padding = text.at(-1) !== PADDING ? 0 : text.at(-2) === PADDING ? 2 : 1
  if (text.length % 4 !== 0) return undefined
  const bytes = wipeable((text.length / 4) * 3 - padding)
  let bits = 0
  let count = 0
  let at = 0
  for (const letter of text.subarray(0, text.length - padding)) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xffff
    count += 6
    if (count >= 8) {
      count -= 8
      bytes[at++] = (bits >> count) & 255
    }
  }
  return bytes
}
