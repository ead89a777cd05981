/** From the data key to the keys of one message: HKDF, the commitment, and the tag of the header. */
import { createCipheriv, createDecipheriv, hkdfSync, timingSafeEqual } from 'node:crypto'
import { HeaderAuthFailed, KeyCommitmentMismatch } from '../errors.ts'
import type { Suite } from '../suites.ts'
import { COMMITMENT_BYTES, NONCE_BYTES, TAG_BYTES } from './header.ts'

export interface MessageKeys {
  /** Encrypts header and body. The caller wipes it. */
  readonly key: Buffer
  /** Of suites with key commitment. */
  readonly commitment?: Buffer
}

const KEY_LABEL = Buffer.from('DERIVEKEY')
const COMMITMENT_LABEL = Buffer.from('COMMITKEY')

/** `dataKey` is not changed, and the keys share no memory with it. */
export function deriveKeys(suite: Suite, dataKey: Buffer, messageId: Buffer): MessageKeys {
  const { kdf, keyBytes, version } = suite
  if (!kdf) return { key: Buffer.from(dataKey) }
  const id = Buffer.alloc(2)
  id.writeUInt16BE(suite.id)
  const derive = (salt: Buffer, info: Buffer, bytes: number) => Buffer.from(hkdfSync(kdf, dataKey, salt, info, bytes))
  if (version === 1) return { key: derive(Buffer.alloc(0), Buffer.concat([id, messageId]), keyBytes) }
  return {
    key: derive(messageId, Buffer.concat([id, KEY_LABEL]), keyBytes),
    commitment: derive(messageId, COMMITMENT_LABEL, COMMITMENT_BYTES),
  }
}

/** Throws `KeyCommitmentMismatch`, in constant time. */
export function assertCommitment(expected: Buffer | undefined, found: Buffer | undefined): void {
  if (expected === undefined && found === undefined) return
  if (!expected || !found || !timingSafeEqual(expected, found))
    throw new KeyCommitmentMismatch('The data key is not the one that the message commits to.')
}

const ZERO_NONCE = Buffer.alloc(NONCE_BYTES)

/** `authenticated`: the bytes of the header, and the context that it does not store. */
export function headerTag(suite: Suite, key: Buffer, authenticated: readonly Buffer[]): Buffer {
  const cipher = createCipheriv(suite.cipher, key, ZERO_NONCE, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.concat(authenticated))
  cipher.final()
  return cipher.getAuthTag()
}

/** Throws `HeaderAuthFailed`. */
export function assertHeader(
  suite: Suite,
  key: Buffer,
  nonce: Buffer,
  tag: Buffer,
  authenticated: readonly Buffer[],
): void {
  const decipher = createDecipheriv(suite.cipher, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.concat(authenticated))
  decipher.setAuthTag(tag)
  try {
    decipher.final()
  } catch {
    throw new HeaderAuthFailed('The header of the message was changed, or the required encryption context differs.')
  }
}
