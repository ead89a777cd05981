/**
 * Ciphertext of symmetric keys, version 1:
 * `01 02 02 00 78` ‖ version (1) ‖ key material id (32) ‖ nonce (16) ‖ ciphertext ‖ tag (16).
 *
 * Key and IV come out of HKDF with the nonce as salt, so that no pair is used twice however many blobs a key makes.
 * Authenticated besides: the header, and the encryption context with every part's length. Neither holds a Region, so
 * the replicas of a multi-Region key open each other's blobs.
 */
import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

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
const INFO = 'merlon-kms-enc-v1'

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
  const nonce = randomBytes(NONCE_BYTES)
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
  const bytes = Buffer.from(hkdfSync('sha256', key, nonce, INFO, KEY_BYTES + IV_BYTES))
  return { dataKey: bytes.subarray(0, KEY_BYTES), iv: bytes.subarray(KEY_BYTES) }
}

/** Pairs in the order of their keys' UTF-8 bytes: `{a: 'bc'}` and `{ab: 'c'}` differ, order of writing does not. */
function authenticated(header: Uint8Array, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context)
    .map(([name, value]) => [Buffer.from(name, 'utf8'), Buffer.from(value, 'utf8')] as const)
    .sort(([a], [b]) => Buffer.compare(a, b))
  return Buffer.concat([header, uint16(pairs.length), ...pairs.flat().flatMap((part) => [uint16(part.length), part])])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
