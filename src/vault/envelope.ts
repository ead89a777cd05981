/** Envelope encryption with a data key that KMS gave: the key is used for one value, then wiped. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PREFIX = 'me1.'

/**
 * The value under AES-256-GCM, as text; `bound` is authenticated with it, so that it opens nowhere else. Wipes the
 * 32 byte key, whatever happens.
 */
export function sealUnder(dataKey: Uint8Array, bound: readonly string[], plaintext: Uint8Array): string {
  try {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, dataKey, nonce)
    cipher.setAAD(Buffer.from(JSON.stringify(bound)))
    const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    return PREFIX + body.toString('base64url')
  } finally {
    dataKey.fill(0)
  }
}

/** undefined when the value was changed, moved, or sealed under another key. Wipes the key. */
export function openUnder(dataKey: Uint8Array, bound: readonly string[], sealed: string): Buffer | undefined {
  try {
    if (!sealed.startsWith(PREFIX)) return undefined
    const body = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
    const decipher = createDecipheriv(CIPHER, dataKey, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(JSON.stringify(bound)))
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES))
    return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, body.length - TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  } finally {
    dataKey.fill(0)
  }
}
