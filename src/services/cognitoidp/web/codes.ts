/** Authorization codes: sealed, bound to client, address and PKCE, good once within five minutes. */
import { createHash, randomUUID } from 'node:crypto'
import { isSame } from '../codes.ts'
import { at, type Flow, type PoolClient } from '../resources.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

const LIFETIME_MS = 5 * 60_000
const BINDING = 'authorization code'

export interface CodeClaims {
  readonly id: string
  readonly client: string
  readonly pool: string
  readonly sub: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly nonce?: string | undefined
  readonly codeChallenge?: string | undefined
  readonly authTime: number
  readonly expiresAt: number
}

export function issueCode(
  call: Pick<Flow, 'vault' | 'now'>,
  request: AuthorizationRequest,
  sub: string,
  authTime: number,
): string {
  const claims: CodeClaims = {
    id: randomUUID(),
    client: request.client.id,
    pool: request.pool.id,
    sub,
    redirectUri: request.redirectUri,
    scopes: request.scopes,
    nonce: request.nonce,
    codeChallenge: request.codeChallenge,
    authTime,
    expiresAt: call.now + LIFETIME_MS,
  }
  return call.vault.issue('user-pool', BINDING, Buffer.from(JSON.stringify(claims)))
}

interface Exchange {
  readonly code: string
  readonly redirectUri: string | undefined
  readonly verifier: string | undefined
}

/** The code's claims, and the code spent; undefined for one that is not good, or not for this client. */
export async function redeemCode(
  call: Pick<Flow, 'vault' | 'now' | 'unit'>,
  { pool, client }: PoolClient,
  { code, redirectUri, verifier }: Exchange,
): Promise<CodeClaims | undefined> {
  const opened = call.vault.redeem('user-pool', BINDING, code)
  const claims = opened && (JSON.parse(opened.toString('utf8')) as CodeClaims)
  if (!claims || claims.pool !== pool.id || claims.client !== client.id || claims.expiresAt <= call.now)
    return undefined
  if (claims.redirectUri !== redirectUri) return undefined
  // RFC 7636 section 4.6; without a challenge a verifier is an attack on it: RFC 9700 section 4.8.2.
  if (claims.codeChallenge === undefined ? verifier !== undefined : !isVerifier(verifier, claims.codeChallenge))
    return undefined
  const spent = at.spent(pool.id, claims.sub, claims.id)
  if (await call.unit.get(spent)) return undefined
  call.unit.put(spent, { endsAt: claims.expiresAt })
  return claims
}

const isVerifier = (verifier: string | undefined, challenge: string): boolean =>
  verifier !== undefined &&
  /^[\w.~-]{43,128}$/.test(verifier) &&
  isSame(createHash('sha256').update(verifier).digest('base64url'), challenge)
