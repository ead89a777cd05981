/**
 * JSON Web Tokens of OpenID Connect providers: verified with the issuer's own keys, and read.
 * Source: https://openid.net/specs/openid-connect-core-1_0.html §3.1.3.7, RFC 8725
 */
import { decodeJwt, decodeProtectedHeader, errors, type JWK, type JWTPayload, jwtVerify } from 'jose'
import { OidcRefusal } from './refusal.ts'

/** Signatures by keys that only the issuer has: never `none`, never a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
const TOLERANCE_S = 300
/** A token without a key id is compared with so many keys. */
const KEYS_TRIED_MAX = 20

export interface ClaimedToken {
  readonly iss: string
  readonly kid: string | undefined
  readonly alg: string
}

/** What a token says of itself, to find the keys that prove it. Nothing of it is believed yet. */
export function claimedToken(token: string): ClaimedToken {
  try {
    const { iss } = decodeJwt(token)
    const { kid, alg } = decodeProtectedHeader(token)
    if (typeof iss === 'string' && typeof alg === 'string') return { iss, kid, alg }
  } catch {
    // Falls through: what cannot be read is no token.
  }
  throw new OidcRefusal('malformed', 'not a JSON Web Token')
}

/** The claims of a token that one of these keys verifies. Key references inside the token are not followed. */
export async function verifiedClaims(
  token: string,
  keys: readonly JWK[],
  { issuer, now }: { readonly issuer: string; readonly now: number },
): Promise<JWTPayload> {
  const { alg } = claimedToken(token)
  const kty = alg.startsWith('ES') ? 'EC' : 'RSA'
  const fitting = keys.filter(
    (key) => key.kty === kty && key.use !== 'enc' && (key.alg === undefined || key.alg === alg),
  )
  for (const key of fitting.slice(0, KEYS_TRIED_MAX)) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer,
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'iat'],
      })
      if (payload.iat! > now / 1000 + TOLERANCE_S) throw new OidcRefusal('claims', 'iat is in the future')
      return payload
    } catch (error) {
      if (error instanceof OidcRefusal) throw error
      if (error instanceof errors.JWTExpired) throw new OidcRefusal('expired', 'the token has expired')
      if (error instanceof errors.JWTClaimValidationFailed)
        throw new OidcRefusal('claims', `${error.claim} ${error.reason}`)
      // Another key may fit: issuers publish old and new ones beside each other.
    }
  }
  throw new OidcRefusal('signature', 'no key of the issuer verifies the token')
}

/** The one party a token is for: `azp` where the issuer names it, else the only audience. */
export function audienceOf({ aud, azp }: JWTPayload): string | undefined {
  if (typeof azp === 'string') return azp
  if (Array.isArray(aud)) return aud.length === 1 ? aud[0] : undefined
  return aud
}
