/** Unwrapping what a customer brings: RSA-OAEP, or an AES key under it and the material under AES-KWP (RFC 5649). */
import type { KeyObject } from 'node:crypto'
import { createDecipheriv } from 'node:crypto'
import { takeOver, wipeable } from '../aead.ts'
import type { Wrapping } from './materials.ts'
import type { Pool } from './pool.ts'

/** RFC 5649 §3. */
const KWP_IV = Buffer.from('a65959a6', 'hex')
const KWP_CIPHERS: Readonly<Record<number, string>> = {
  16: 'id-aes128-wrap-pad',
  24: 'id-aes192-wrap-pad',
  32: 'id-aes256-wrap-pad',
}

export async function unwrap(
  key: KeyObject,
  { scheme, hash, bits }: Wrapping,
  wrapped: Uint8Array,
  pool: Pool,
): Promise<Buffer | undefined> {
  const outer = scheme === 'oaep' ? wrapped : wrapped.subarray(0, bits / 8)
  const opened = await pool.run({ job: 'rsaDecrypt', key, hash, ciphertext: outer })
  if (!opened) return undefined
  const bytes = takeOver(opened)
  if (scheme === 'oaep') return bytes
  try {
    return unwrapAes(bytes, wrapped.subarray(bits / 8))
  } finally {
    bytes.fill(0)
  }
}

export function unwrapAes(key: Uint8Array, wrapped: Uint8Array): Buffer | undefined {
  const cipher = KWP_CIPHERS[key.length]
  if (!cipher) return undefined
  try {
    const decipher = createDecipheriv(cipher, key, KWP_IV)
    const [part, rest] = [decipher.update(wrapped), decipher.final()]
    const bytes = wipeable(part.length + rest.length)
    bytes.set(part)
    bytes.set(rest, part.length)
    part.fill(0)
    rest.fill(0)
    return bytes
  } catch {
    return undefined
  }
}
