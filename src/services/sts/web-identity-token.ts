/** A token of an OpenID Connect provider: verified against the provider's own keys, and read. */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Call } from '../../kernel/call.ts'
import type { TrustedIssuer } from '../../kernel/ports.ts'
import type { Fault } from '../../wire/fault.ts'
import { keysOf } from './issuer-keys.ts'
import { sts } from './words.ts'

export interface WebIdentity {
  readonly provider: TrustedIssuer
  /** `iss` without its scheme: what condition keys begin with. */
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly claims: JWTPayload
}

/** Signatures by keys that only the issuer has: never `none`, never a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
const TOLERANCE_S = 300

const invalid = (message: string): Fault => sts.fail('InvalidIdentityTokenException', message)

/** Throws AWS's errors for whatever is not a token of a provider of that account, for it, and of now. */
export async function verifiedToken(call: Call, account: string, token: string): Promise<WebIdentity> {
  const { iss, kid } = claimed(token)
  const issuer = iss.replace(/^https:\/\//, '')
  const provider = iss.startsWith('https://')
    ? await call.ports.identity.oidcProvider(call.unit, account, issuer)
    : undefined
  if (!provider) throw invalid(`No OpenIDConnect provider found in your account for ${iss}`)

  const claims = await verified(call, token, iss, kid)
  const { aud, azp, sub } = claims
  const audience = typeof azp === 'string' ? azp : Array.isArray(aud) ? (aud.length === 1 ? aud[0] : undefined) : aud
  if (audience === undefined || !provider.clientIds.includes(audience)) throw invalid('Incorrect token audience')
  if (sub === undefined) throw invalid('Missing a required claim: sub')
  return { provider, issuer, subject: sub, audience, claims }
}

/** What the token says of itself; nothing of it is believed yet. */
function claimed(token: string): { iss: string; kid: string | undefined } {
  try {
    const { iss } = decodeJwt(token)
    const { kid } = decodeProtectedHeader(token)
    if (typeof iss === 'string') return { iss, kid }
  } catch {
    // Falls through: what cannot be read is no token.
  }
  throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)')
}

async function verified(call: Call, token: string, iss: string, kid: string | undefined): Promise<JWTPayload> {
  const keys = await keysOf(call.ports.outbound, iss, kid, call.now)
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer: iss,
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(call.now),
        requiredClaims: ['exp', 'iat'],
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw sts.fail('ExpiredTokenException', 'Token expired: its expiration date lies in the past.')
      if (error instanceof errors.JWTClaimValidationFailed)
        throw invalid(`The token is not acceptable: ${error.claim} ${error.reason}.`)
      // Another key may fit: issuers publish old and new ones side by side.
    }
  }
  throw invalid('The token signature could not be verified with the keys of your identity provider.')
}
