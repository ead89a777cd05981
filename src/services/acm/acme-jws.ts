/** Signed requests of ACME clients (RFC 8555 §6.2, RFC 7515): one signature by the account's key over a header and a payload. */
import { createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { Fault } from '../../wire/fault.ts'

/** RFC 8555 §6.7: the last part of the problem's URN, and its HTTP status. */
const STATUS = {
  accountDoesNotExist: 400,
  badCSR: 400,
  badNonce: 400,
  badPublicKey: 400,
  badRevocationReason: 400,
  badSignatureAlgorithm: 400,
  alreadyReplaced: 409,
  alreadyRevoked: 400,
  externalAccountRequired: 403,
  invalidContact: 400,
  malformed: 400,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  unauthorized: 403,
  unsupportedContact: 400,
} as const
export type AcmeProblem = keyof typeof STATUS

export const problem = (type: AcmeProblem, detail: string): Fault => new Fault(type, detail, { status: STATUS[type] })

export interface Jws {
  readonly header: {
    readonly alg: string
    readonly nonce?: string
    readonly url: string
    readonly jwk?: Jwk
    readonly kid?: string
  }
  /** Empty for POST-as-GET. */
  readonly payload: Buffer
  readonly signed: Buffer
  readonly signature: Buffer
}

export type Jwk = Readonly<Record<string, string>>

const BASE64URL = /^[\w-]*$/

/** Throws a problem for what is not a flattened JWS. Nothing is verified. */
export function parseJws(bytes: Buffer | string): Jws {
  try {
    const { protected: head, payload, signature } = JSON.parse(String(bytes)) as Readonly<Record<string, string>>
    if (![head, payload, signature].every((part) => typeof part === 'string' && BASE64URL.test(part)))
      throw new Error('a part that is not base64url')
    const header = JSON.parse(Buffer.from(head!, 'base64url').toString('utf8')) as Jws['header']
    if (typeof header.alg !== 'string' || typeof header.url !== 'string') throw new Error('a header without alg or url')
    return {
      header,
      payload: Buffer.from(payload!, 'base64url'),
      signed: Buffer.from(`${head}.${payload}`),
      signature: Buffer.from(signature!, 'base64url'),
    }
  } catch (error) {
    throw problem('malformed', `The request is not a signed message: ${(error as Error).message}.`)
  }
}

const RSA_BITS_MIN = 2048
const RSA_BITS_MAX = 4096
const ALGORITHMS: Readonly<
  Record<string, { readonly kty: string; readonly crv?: string; readonly hash: string | null }>
> = {
  ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256' },
  ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384' },
  RS256: { kty: 'RSA', hash: 'sha256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', hash: null },
}

/** Only the public members, whatever else was sent. Throws a problem. */
export function publicJwk(jwk: Jwk): Jwk {
  const members = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] }[jwk['kty'] as 'EC']
  if (!members?.every((name) => typeof jwk[name] === 'string'))
    throw problem('badPublicKey', 'The key is of no kind that is supported.')
  return Object.fromEntries(members.map((name) => [name, jwk[name]!]))
}

/** RFC 7638. */
export const thumbprintOf = (jwk: Jwk): string =>
  createHash('sha256')
    .update(JSON.stringify(publicJwk(jwk)))
    .digest('base64url')

/** Throws a problem unless the key has signed the message. */
export function verifyJws({ header, signed, signature }: Jws, jwk: Jwk): void {
  const algorithm = Object.hasOwn(ALGORITHMS, header.alg) ? ALGORITHMS[header.alg] : undefined
  if (!algorithm)
    throw problem('badSignatureAlgorithm', `Use one of ${Object.keys(ALGORITHMS).join(', ')} instead of ${header.alg}.`)
  if (jwk['kty'] !== algorithm.kty || (algorithm.crv && jwk['crv'] !== algorithm.crv))
    throw problem('badPublicKey', `The key does not fit the algorithm ${header.alg}.`)
  const key = keyOf(jwk)
  const dsaEncoding = 'ieee-p1363' as const
  if (!verify(algorithm.hash, signed, algorithm.kty === 'EC' ? { key, dsaEncoding } : key, signature))
    throw problem('malformed', 'The signature is not valid.')
}

function keyOf(jwk: Jwk): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: { ...publicJwk(jwk) }, format: 'jwk' })
  } catch {
    throw problem('badPublicKey', 'The key is not valid.')
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
    throw problem('badPublicKey', `RSA keys have ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits.`)
  return key
}

/** RFC 8555 §7.3.4: the account's key, signed by the MAC key of the binding. */
export function verifyBinding(binding: Jws, macKey: Buffer, jwk: Jwk): boolean {
  if (binding.header.alg !== 'HS256') return false
  const expected = createHmac('sha256', macKey).update(binding.signed).digest()
  const isSigned = binding.signature.length === expected.length && timingSafeEqual(expected, binding.signature)
  if (!isSigned) return false
  try {
    return thumbprintOf(JSON.parse(binding.payload.toString('utf8')) as Jwk) === thumbprintOf(jwk)
  } catch {
    return false
  }
}
