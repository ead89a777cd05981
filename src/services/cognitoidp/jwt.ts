/** JSON Web Tokens of a pool: signed by the vault's keys, verified by the pool's public ones. */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import type { Vault } from '../../vault/vault.ts'
import type { PoolKey, PoolRow } from './resources.ts'

export type Claims = Readonly<Record<string, unknown>>

const TOKEN_LENGTH_MAX = 64 * 1024

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export async function signJwt(
  vault: Pick<Vault, 'materials'>,
  { kid, held }: PoolKey,
  claims: Claims,
): Promise<string> {
  const signed = `${part({ kid, alg: 'RS256' })}.${part(claims)}`
  const signature = await vault.materials.use(held, {
    do: 'sign',
    algorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
    type: 'RAW',
    message: Buffer.from(signed),
  })
  return `${signed}.${signature.toString('base64url')}`
}

export interface ReadJwt {
  readonly kid: string
  readonly claims: Claims
  readonly signed: string
  readonly signature: Buffer
}

/** Nothing is verified. undefined for what is no token of RS256. */
export function readJwt(token: string): ReadJwt | undefined {
  if (token.length > TOKEN_LENGTH_MAX) return undefined
  const [header, payload, signature, more] = token.split('.')
  if (!header || !payload || !signature || more !== undefined) return undefined
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as Record<string, unknown>
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (alg !== 'RS256' || typeof kid !== 'string' || typeof claims !== 'object' || claims === null) return undefined
    return {
      kid,
      claims: claims as Claims,
      signed: `${header}.${payload}`,
      signature: Buffer.from(signature, 'base64url'),
    }
  } catch {
    return undefined
  }
}

/** Public keys by pool key, so that each is read once. */
const opened = new WeakMap<PoolKey, KeyObject>()

function publicKeyOf(key: PoolKey): KeyObject {
  const known = opened.get(key) ?? createPublicKey({ key: key.jwk as JsonWebKey, format: 'jwk' })
  opened.set(key, known)
  return known
}

/** By the key of that use alone: an ID token is never taken for an access token. */
export function isSigned(pool: PoolRow, use: 'id' | 'access', { kid, signed, signature }: ReadJwt): boolean {
  const key = pool.keys[use === 'id' ? 0 : 1]
  return key.kid === kid && verify('sha256', Buffer.from(signed), publicKeyOf(key), signature)
}

/** RFC 7517. */
export const jwksOf = (pool: PoolRow): object => ({ keys: pool.keys.map(({ jwk }) => jwk) })
