/** Values that gateways put into cookies and pages, and read back: AES-256-GCM under keys of the snapshot, the same at all gateways. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const TEXT_MAX = 2_048

/** What a value is for: it opens for nothing else. */
export type CookiePurpose = 'token' | 'challenge' | 'puzzle' | 'target' | 'group'

export class SealedCookies {
  readonly #keys: Readonly<Record<CookiePurpose, Buffer>>

  /** `secret`: 32 bytes, base64. */
  constructor(secret: string) {
    const keyOf = (purpose: CookiePurpose) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64'), '', `merlon gateway ${purpose} 1`, 32))
    this.#keys = {
      token: keyOf('token'),
      challenge: keyOf('challenge'),
      puzzle: keyOf('puzzle'),
      target: keyOf('target'),
      group: keyOf('group'),
    }
  }

  /** base64url. */
  seal(purpose: CookiePurpose, value: object): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#keys[purpose], nonce)
    const text = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()])
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
  }

  /** undefined for a text that was not sealed here for this purpose. */
  open(purpose: CookiePurpose, text: string): unknown {
    if (text.length > TEXT_MAX) return undefined
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#keys[purpose], bytes.subarray(0, NONCE_BYTES))
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
      const opened = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES))
      return JSON.parse(Buffer.concat([opened, decipher.final()]).toString('utf8'))
    } catch {
      return undefined
    }
  }
}

/** The value of a cookie; the first one, where a client sends several of one name. */
export function cookieOf(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  for (const [header, value] of headers) {
    if (header.toLowerCase() !== 'cookie') continue
    for (const pair of value.split(';')) {
      const equals = pair.indexOf('=')
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
    }
  }
  return undefined
}
