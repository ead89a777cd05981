/** A token of an OpenID Connect provider: verified against the provider's own keys, and read. */
import type { JWTPayload } from 'jose'
import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import { audienceOf, claimedToken, verifiedClaims } from '../../engines/oidc/token.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { IDENTITY_POOL_ISSUER, identityPools } from '../../kernel/ports/identity-pools.ts'
import type { TrustedIssuer } from '../../kernel/ports/ports.ts'
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

const invalid = (message: string): Fault => sts.fail('InvalidIdentityTokenException', message)

/** Throws AWS's errors for whatever is not a token of a provider of that account, for it, and of now. */
export async function verifiedToken(call: Call, account: string, token: string): Promise<WebIdentity> {
  const { iss, kid } = await inOurWords(() => claimedToken(token))
  if (iss === `https://${IDENTITY_POOL_ISSUER}`) return ofIdentityPool(call, token)
  const issuer = iss.replace(/^https:\/\//, '')
  const provider = iss.startsWith('https://')
    ? await call.ports.identity.oidcProvider(call.unit, account, issuer)
    : undefined
  if (!provider) throw invalid(`No OpenIDConnect provider found in your account for ${iss}`)

  const keys = await keysOf(call.ports.outbound, { issuer: iss, thumbprints: provider.thumbprints }, kid, call.now)
  const claims = await inOurWords(() => verifiedClaims(token, keys, { issuer: iss, now: call.now }))
  const { sub } = claims
  const audience = audienceOf(claims)
  if (audience === undefined || !provider.clientIds.includes(audience)) throw invalid('Incorrect token audience')
  if (sub === undefined) throw invalid('Missing a required claim: sub')
  return { provider, issuer, subject: sub, audience, claims }
}

/** Of a Cognito identity pool of this installation: IAM has no provider for it. */
async function ofIdentityPool(call: Call, token: string): Promise<WebIdentity> {
  const verified = await call.use(identityPools).verifyToken(call.unit, token, call.now)
  if (verified.outcome === 'expired')
    throw sts.fail('ExpiredTokenException', 'Token expired: its expiration date lies in the past.')
  if (verified.outcome !== 'verified')
    throw invalid('The token signature could not be verified with the keys of your identity provider.')
  const { claims } = verified
  return {
    provider: { arn: IDENTITY_POOL_ISSUER, clientIds: [claims.aud], tags: {}, thumbprints: [] },
    issuer: IDENTITY_POOL_ISSUER,
    subject: claims.sub,
    audience: claims.aud,
    claims: { ...claims, amr: [...claims.amr] },
  }
}

/** Runs code that throws the engine's errors; throws STS's. */
async function inOurWords<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error
    switch (error.kind) {
      case 'malformed':
        throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)')
      case 'expired':
        throw sts.fail('ExpiredTokenException', 'Token expired: its expiration date lies in the past.')
      case 'claims':
        throw invalid(`The token is not acceptable: ${error.message}.`)
      default:
        throw invalid('The token signature could not be verified with the keys of your identity provider.')
    }
  }
}
