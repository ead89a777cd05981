/** The framing of every encryption here: AES-256-GCM under a random nonce, HKDF, and lists encoded with their lengths. */
import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomFillSync } from 'node:crypto'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
/** What {@link encrypt} adds to a plaintext. */
export const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
const CIPHER = 'aes-256-gcm'

/** Nonces are drawn from a supply: one call for many, since each costs more than an encryption. They are no secret. */
const supply = Buffer.alloc(16 * 1024)
let supplied = supply.length

/** Never handed out twice. */
export function randomNonce(bytes: number): Buffer {
  if (supplied + bytes > supply.length) {
    randomFillSync(supply)
    supplied = 0
  }
  const nonce = Buffer.from(supply.subarray(supplied, supplied + bytes))
  supplied += bytes
  return nonce
}

/** nonce ‖ ciphertext ‖ tag. NIST SP 800-38D: a random nonce of 96 bits. */
export function encrypt(key: KeyObject | Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const nonce = randomNonce(NONCE_BYTES)
  return Buffer.concat([nonce, encryptAt(key, nonce, plaintext, aad)])
}

/** ciphertext ‖ tag. The caller answers for the nonce: never twice under one key. */
export function encryptAt(
  key: KeyObject | Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** undefined when it was changed, moved, or made under another key. */
export function decrypt(key: KeyObject | Uint8Array, bytes: Uint8Array, aad: Uint8Array): Buffer | undefined {
  if (bytes.length < OVERHEAD_BYTES) return undefined
  return decryptAt(key, bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES), aad)
}

export function decryptAt(
  key: KeyObject | Uint8Array,
  nonce: Uint8Array,
  bytes: Uint8Array,
  aad: Uint8Array,
): Buffer | undefined {
  if (bytes.length < TAG_BYTES) return undefined
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  const plaintext = wipeable(bytes.length - TAG_BYTES)
  const part = decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES))
  plaintext.set(part)
  part.fill(0)
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}

/**
 * Bytes that stay where they are until they are wiped. Typed arrays of up to 64 bytes live in the heap, where the
 * garbage collector moves them and leaves copies behind; an ArrayBuffer that is allocated explicitly does not.
 */
export function wipeable(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes))
}

/** Key bytes in memory of their own, so that wiping them wipes them. */
export function randomKey(): Buffer {
  return randomFillSync(wipeable(KEY_BYTES))
}

/**
 * HKDF-SHA-256 (RFC 5869), 32 bytes: extract, and one round of expand. Out of HMACs, because Node's own leaves the secret
 * in a key object that lives until the garbage collector comes by.
 */
export function derive(secret: Uint8Array, salt: Uint8Array, label: string): Buffer {
  const extracted = createHmac('sha256', salt).update(secret).digest()
  const expanded = createHmac('sha256', extracted).update(label).update(Buffer.of(1)).digest()
  extracted.fill(0)
  return takeOver(expanded)
}

/** Moves key bytes into memory of their own and wipes where they came from. */
export function takeOver(bytes: Uint8Array): Buffer {
  const own = wipeable(bytes.length)
  own.set(bytes)
  bytes.fill(0)
  return own
}

/** Every part with its length before it: `{a, bc}` and `{ab, c}` must differ. */
export function lengths(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

/** Only the one canonical spelling: otherwise a token could be changed in bits that its bytes do not show. */
export function decodeStrictly(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
