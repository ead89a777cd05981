/**
 * The identity pools port: tokens that identity pools issue, provided by cognito-identity and used by STS.
 *
 * @example
 * const verified = await call.use(identityPools).verifyToken(call.unit, token, call.now)
 * if (verified.outcome === 'verified') keys['cognito-identity.amazonaws.com:aud'] = verified.claims.aud
 */
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

/** `iss` of the tokens, and below it their condition keys. */
export const IDENTITY_POOL_ISSUER = 'cognito-identity.amazonaws.com'

export interface IdentityPoolClaims {
  /** The identity: `REGION:UUID`. */
  readonly sub: string
  /** The identity pool: `REGION:UUID`. */
  readonly aud: string
  /** `['unauthenticated']`, or `authenticated` and the login providers that authenticated the person. */
  readonly amr: readonly string[]
  readonly [claim: string]: unknown
}

export type VerifiedIdentityPoolToken =
  | { readonly outcome: 'verified'; readonly claims: IdentityPoolClaims }
  | { readonly outcome: 'malformed' | 'bad-signature' | 'expired' }

export interface IdentityPoolsPort {
  /** Never throws for what a token says. `now` in epoch milliseconds. */
  verifyToken(reader: Reader, token: string, now: number): Promise<VerifiedIdentityPoolToken>
}

export const identityPools = port<IdentityPoolsPort>('identity-pools')
