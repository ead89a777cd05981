/**
 * Ciphertext of symmetric keys, version 1:
 * `01 02 02 00 78` ‖ version (1) ‖ key material id (32) ‖ nonce (16) ‖ ciphertext ‖ tag (16).
 *
 * Key and IV come out of the key and the nonce (NIST SP 800-108 in counter mode, HMAC-SHA-512, one block), so that no
 * pair is used twice however many blobs a key makes.
 * Authenticated besides: the header, and the encryption context with every part's length. Neither holds a Region, so
 * the replicas of a multi-Region key open each other's blobs.
 */
import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto'
import { randomNonce } from '../aead.ts'

/** Flat, exact, case-sensitive. */
export type EncryptionContext = Readonly<Record<string, string>>

const MAGIC = Buffer.from('0102020078', 'hex')
const VERSION = 1
const ID_BYTES = 32
const NONCE_BYTES = 16
const TAG_BYTES = 16
const HEADER_BYTES = MAGIC.length + 1 + ID_BYTES
const KEY_BYTES = 32
const IV_BYTES = 12
/** Counter 1, label, a zero byte; the context is followed by the requested length, in bits. */
const LABEL = Buffer.from('\0\0\0\x01merlon-kms-enc-v1\0', 'latin1')
const LENGTH = uint32((KEY_BYTES + IV_BYTES) * 8)
/** All that is counted, with space for the nonce: one update costs less than three. */
const COUNTED = Buffer.concat([LABEL, Buffer.alloc(NONCE_BYTES), LENGTH])

/** What a blob adds to its plaintext. */
export const BLOB_OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES

/** Which key material a blob was made with, as 64 lower hex digits; undefined when it is no blob of ours. */
export function materialIdOf(blob: Uint8Array): string | undefined {
  if (blob.length < BLOB_OVERHEAD_BYTES || blob[MAGIC.length] !== VERSION) return undefined
  if (!MAGIC.equals(blob.subarray(0, MAGIC.length))) return undefined
  return Buffer.from(blob.subarray(MAGIC.length + 1, HEADER_BYTES)).toString('hex')
}

export function sealBlob(key: KeyObject, id: string, plaintext: Uint8Array, context: EncryptionContext): Buffer {
  const header = Buffer.concat([MAGIC, Buffer.of(VERSION), Buffer.from(id, 'hex')])
  const nonce = randomNonce(NONCE_BYTES)
  const { dataKey, iv } = derive(key, nonce)
  const cipher = createCipheriv('aes-256-gcm', dataKey, iv)
  cipher.setAAD(authenticated(header, context))
  const blob = Buffer.concat([header, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  dataKey.fill(0)
  return blob
}

/** undefined when the blob was changed, or made with another key or context. */
export function openBlob(key: KeyObject, id: string, blob: Uint8Array, context: EncryptionContext): Buffer | undefined {
  if (materialIdOf(blob) !== id) return undefined
  const bodyAt = HEADER_BYTES + NONCE_BYTES
  const { dataKey, iv } = derive(key, blob.subarray(HEADER_BYTES, bodyAt))
  const decipher = createDecipheriv('aes-256-gcm', dataKey, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(authenticated(blob.subarray(0, HEADER_BYTES), context))
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(blob.subarray(bodyAt, blob.length - TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  } finally {
    dataKey.fill(0)
  }
}

function derive(key: KeyObject, nonce: Uint8Array): { readonly dataKey: Buffer; readonly iv: Buffer } {
  COUNTED.set(nonce, LABEL.length)
  const block = createHmac('sha512', key).update(COUNTED).digest()
  return { dataKey: block.subarray(0, KEY_BYTES), iv: block.subarray(KEY_BYTES, KEY_BYTES + IV_BYTES) }
}

/** Pairs in the order of their keys' UTF-8 bytes: `{a: 'bc'}` and `{ab: 'c'}` differ, order of writing does not. */
function authenticated(header: Uint8Array, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
  if (pairs.length > 1) pairs.sort(([a], [b]) => Buffer.compare(a, b))
  const parts = [header, uint16(pairs.length)]
  for (const [name, value] of pairs) parts.push(uint16(name.length), name, uint16(value.length), value)
  return Buffer.concat(parts)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
