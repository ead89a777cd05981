/** From a secret to the key that checks one day's signatures: derivation, and a bounded memory of it. */
import {
  createECDH,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  timingSafeEqual,
  verify as verifyEcdsa,
} from 'node:crypto'

export type Algorithm = 'AWS4-HMAC-SHA256' | 'AWS4-ECDSA-P256-SHA256'

export interface Credential {
  /** A long-term or temporary secret access key. */
  readonly secret: string | Uint8Array
  /** Changes whenever the secret behind the same key id changes. */
  readonly version: string
}

/** What a signature is scoped to. SigV4a names no Region. */
export interface Scope {
  readonly algorithm: Algorithm
  readonly accessKeyId: string
  /** `YYYYMMDD` */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** Checks signatures of one scope. Holds no secret, only what was derived from it. */
export interface VerifyingKey {
  /** `signature` is lower-case hex: a MAC, or a DER signature for SigV4a. Never throws. */
  check(text: string, signature: string): boolean
}

const HEX_MAC = /^[0-9a-f]{64}$/
const HEX_DER = /^(?:[0-9a-f]{2}){8,72}$/

/** The scope as it appears in the string to sign. */
export function scopeText(scope: Scope): string {
  return scope.algorithm === 'AWS4-HMAC-SHA256'
    ? `${scope.date}/${scope.region}/${scope.service}/aws4_request`
    : `${scope.date}/${scope.service}/aws4_request`
}

/** A least-recently-used memory of derived keys. It says nothing about whether a credential is still good. */
export class SigningKeys {
  readonly #max: number
  readonly #held = new Map<string, { readonly secret: string | Uint8Array; readonly key: VerifyingKey }>()

  /** `max`: the number of keys held, one a credential, day, Region and service. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#held.size
  }

  /** The remembered key, or a freshly derived one. */
  get(scope: Scope, credential: Credential): VerifyingKey {
    const name = nameOf(scope, credential)
    const held = this.#held.get(name)
    // A caller that forgot to change the version must not let the old secret in.
    if (!held || !sameSecret(held.secret, credential.secret)) return deriveKey(scope, credential.secret)
    this.#held.delete(name)
    this.#held.set(name, held)
    return held.key
  }

  /**
   * Remembers a key once a signature has passed, so that unauthenticated clients cannot flush the memory with invented
   * Regions.
   */
  keep(scope: Scope, credential: Credential, key: VerifyingKey): void {
    const name = nameOf(scope, credential)
    if (this.#held.get(name)?.key === key) return
    this.#held.delete(name)
    this.#held.set(name, { secret: credential.secret, key })
    if (this.#held.size > this.#max) this.#held.delete(this.#held.keys().next().value!)
  }
}

/** The key of one scope, for signing with HMAC: 32 bytes. */
export function hmacKey(scope: Scope, secret: string | Uint8Array): Buffer {
  const dated = hmac(Buffer.concat([Buffer.from('AWS4'), secretBytes(secret)]), scope.date)
  return hmac(hmac(hmac(dated, scope.region), scope.service), 'aws4_request')
}

/** The P-256 private key that SigV4a derives from a secret (SP 800-108 in counter mode, then rejection sampling). */
export function ecdsaKey(accessKeyId: string, secret: string | Uint8Array): KeyObject {
  const input = Buffer.concat([Buffer.from('AWS4A'), secretBytes(secret)])
  for (let counter = 1; counter < 255; counter++) {
    const label = Buffer.from(`AWS4-ECDSA-P256-SHA256\0${accessKeyId}`)
    const fixed = Buffer.concat([Buffer.from([0, 0, 0, 1]), label, Buffer.from([counter, 0, 0, 1, 0])])
    const candidate = BigInt('0x' + createHmac('sha256', input).update(fixed).digest('hex'))
    if (candidate <= P256_ORDER - 2n) return privateKey(candidate + 1n)
  }
  throw new Error('No SigV4a key: 254 candidates out of range')
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function privateKey(scalar: bigint): KeyObject {
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(d)
  const point = curve.getPublicKey()
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d: d.toString('base64url') }, format: 'jwk' })
}

function deriveKey(scope: Scope, secret: string | Uint8Array): VerifyingKey {
  return scope.algorithm === 'AWS4-HMAC-SHA256'
    ? new HmacVerifier(hmacKey(scope, secret))
    : new EcdsaVerifier(createPublicKey(ecdsaKey(scope.accessKeyId, secret)))
}

/**
 * HMAC-SHA-256 out of its two hashes (RFC 2104), with the key's pads made once: an object of Node's for each MAC costs three
 * times as much, and every request needs one.
 */
class HmacVerifier implements VerifyingKey {
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(key: Uint8Array) {
    this.#inner = padded(key, 0x36, BLOCK_BYTES)
    this.#outer = padded(key, 0x5c, BLOCK_BYTES + MAC_BYTES)
  }

  check(text: string, signature: string): boolean {
    if (!HEX_MAC.test(signature)) return false
    const inner = hash('sha256', Buffer.concat([this.#inner, Buffer.from(text)]), 'hex')
    this.#outer.write(inner, BLOCK_BYTES, 'hex')
    const mac = hash('sha256', this.#outer, 'hex')
    return timingSafeEqual(Buffer.from(mac), Buffer.from(signature))
  }
}

const BLOCK_BYTES = 64
const MAC_BYTES = 32

function padded(key: Uint8Array, pad: number, bytes: number): Buffer {
  const block = Buffer.alloc(bytes, pad)
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad
  return block
}

class EcdsaVerifier implements VerifyingKey {
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.#key = key
  }

  check(text: string, signature: string): boolean {
    if (!HEX_DER.test(signature)) return false
    return verifyEcdsa('sha256', Buffer.from(text), this.#key, Buffer.from(signature, 'hex'))
  }
}

/** No part can hold a line break, so two different scopes never share a name. */
function nameOf(scope: Scope, credential: Credential): string {
  if (scope.algorithm !== 'AWS4-HMAC-SHA256') return `a\n${scope.accessKeyId}\n${credential.version}`
  return `h\n${scope.accessKeyId}\n${scope.date}\n${scope.region}\n${scope.service}\n${credential.version}`
}

function sameSecret(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  return a.length === b.length && timingSafeEqual(a, b)
}

function secretBytes(secret: string | Uint8Array): Uint8Array {
  return typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
