/**
 * The user pools port: ID tokens of Cognito user pools, provided by cognito-idp and used by identity pools.
 *
 * @example
 * const verified = await call.use(userPools).verifyIdToken(call.unit, {
 *   issuer: 'cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E', token, now: call.now, checkSignOut: true,
 * })
 * if (verified.outcome === 'verified') subject = verified.claims.sub
 */

import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface IdTokenRequest {
  /**
   * The name of the pool as a login provider: `cognito-idp.REGION.amazonaws.com/POOL_ID`, without a scheme, also where
   * the installation's tokens name another issuer.
   */
  readonly issuer: string
  /** A JSON Web Token, compact. RFC 7519. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly now: number
  /**
   * `ServerSideTokenCheck` of an identity pool: also refuse tokens of users who have signed out globally, are disabled
   * or deleted, and tokens that were revoked.
   */
  readonly checkSignOut: boolean
}

/** The claims of an ID token that identity pools read; the others are there too. */
export interface IdTokenClaims {
  readonly sub: string
  /** The app client. */
  readonly aud: string
  readonly token_use: 'id'
  readonly 'cognito:roles'?: readonly string[]
  readonly 'cognito:preferred_role'?: string
  readonly [claim: string]: unknown
}

export type VerifiedIdToken =
  | { readonly outcome: 'verified'; readonly claims: IdTokenClaims }
  /** `unknown-issuer`: no such pool. `malformed` also covers access tokens. `revoked`: by `checkSignOut` alone. */
  | { readonly outcome: 'unknown-issuer' | 'malformed' | 'bad-signature' | 'expired' | 'revoked' }

export interface UserPoolsPort {
  /** Never throws for what a token says. Pools of other accounts are verified too: trust is the identity pool's to give. */
  verifyIdToken(reader: Reader, request: IdTokenRequest): Promise<VerifiedIdToken>
}

export const userPools = port<UserPoolsPort>('user-pools')
