/** The logins that a request presents: each token is verified with its provider, and says who it is about. */

import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import { audienceOf, claimedToken, verifiedClaims } from '../../engines/oidc/token.ts'
import { IssuerKeys } from '../../kernel/federation/issuer-keys.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { identity } from '../../kernel/ports/identity.ts'
import { IDENTITY_POOL_ISSUER } from '../../kernel/ports/identity-pools.ts'
import { type OutboundPort, outbound } from '../../kernel/ports/outbound.ts'
import { userPools } from '../../kernel/ports/user-pools.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { type Login, subjectHash } from './identity-rows.ts'
import { spend } from './rates.ts'
import { cognitoIdentity, notAuthorized, type PoolRow } from './resources.ts'
import { identityPoolsPort } from './tokens.ts'

export interface VerifiedLogin extends Login {
  /** As the request names it: the key of role mappings and tag mappings. */
  readonly provider: string
  /** The entry of role mappings: user pools are named with their client there. */
  readonly mappingKey: string
  /** For `amr`: `PROVIDER:AUDIENCE:SUBJECT`. */
  readonly reference: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** What a developer's backend asserted: an identity of this pool, by a token of this service. */
export interface VouchedIdentity {
  readonly identityId: string
  /** Developer users that the token is about. */
  readonly users: readonly string[]
  /** Epoch seconds: what is issued for the token ends with it. */
  readonly expiresAt: number
  readonly amr: readonly string[]
  readonly principalTags: Readonly<Record<string, string>>
}

export interface Presented {
  readonly logins: readonly VerifiedLogin[]
  readonly vouched: VouchedIdentity | undefined
}

type Logins = Readonly<Record<string, string>> | undefined

const refused = () => notAuthorized('Invalid login token.')
const GOOGLE = 'accounts.google.com'
const APPLE = 'appleid.apple.com'
const FACEBOOK = 'graph.facebook.com'
const AMAZON = 'www.amazon.com'

/** Throws for the first login that is not one of this pool. */
export async function presentedLogins(call: Call, pool: PoolRow, given: Logins): Promise<Presented> {
  const logins: VerifiedLogin[] = []
  let vouched: VouchedIdentity | undefined
  for (const [provider, token] of Object.entries(given ?? {})) {
    if (provider === IDENTITY_POOL_ISSUER) vouched = await vouchedIdentity(call, pool, token)
    else logins.push(await verifiedLogin(call, pool, provider, token))
  }
  return { logins, vouched }
}

/**
 * Only tokens that a backend was issued for a developer user are proof. The basic flow issues tokens of the same issuer to guests, and to
 * people whose sign-in at another provider they must not outlive.
 */
async function vouchedIdentity(call: Call, pool: PoolRow, token: string): Promise<VouchedIdentity> {
  const verified = await identityPoolsPort.verifyToken(call.unit, token, call.now)
  if (verified.outcome === 'expired') throw notAuthorized('Invalid login token. Token expired.')
  if (verified.outcome !== 'verified' || verified.claims.aud !== pool.id) throw refused()
  const { sub, amr, 'https://aws.amazon.com/tags': tags } = verified.claims
  const { principal_tags: values = {} } = (tags ?? {}) as {
    principal_tags?: Readonly<Record<string, readonly string[]>>
  }
  const principalTags = Object.fromEntries(Object.entries(values).map(([name, [value = '']]) => [name, value]))
  const reference = `${pool.settings.DeveloperProviderName}:${pool.id}:`
  const users = amr.flatMap((each) => (each.startsWith(reference) ? [each.slice(reference.length)] : []))
  if (!amr.includes('authenticated') || users.length === 0) throw refused()
  return { identityId: sub, users, expiresAt: Number(verified.claims['exp']), amr, principalTags }
}

async function verifiedLogin(call: Call, pool: PoolRow, provider: string, token: string): Promise<VerifiedLogin> {
  const { settings } = pool
  const userPool = settings.CognitoIdentityProviders?.filter((each) => each.ProviderName === provider) ?? []
  if (userPool.length > 0) return ofUserPool(call, userPool, provider, token)
  const application = settings.SupportedLoginProviders?.[provider]
  if (application !== undefined) return ofSocial(call, pool.account, provider, application, token)
  if (settings.SamlProviderARNs?.includes(provider)) return ofSaml(call, provider, token)
  const issuer = settings.OpenIdConnectProviderARNs?.find((arn) => arn.endsWith(`:oidc-provider/${provider}`))
  if (issuer !== undefined) return ofOpenId(call, pool, { provider, arn: issuer, token })
  throw notAuthorized('Token is not from a supported provider of this identity pool.')
}

interface Subject {
  readonly subject: string
  readonly audience: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly mappingKey?: string
}

/** In the place of the audience in `amr`. */
const SIGN_IN = 'CognitoSignIn'

const login = (provider: string, { subject, audience, claims, mappingKey = provider }: Subject): VerifiedLogin => ({
  provider,
  subjectHash: subjectHash(subject),
  mappingKey,
  reference: `${provider}:${audience}:${subject}`,
  claims,
})

type UserPoolProviders = NonNullable<PoolRow['settings']['CognitoIdentityProviders']>

async function ofUserPool(
  call: Call,
  providers: UserPoolProviders,
  provider: string,
  token: string,
): Promise<VerifiedLogin> {
  const verify = (checkSignOut: boolean) =>
    call.use(userPools).verifyIdToken(call.unit, { issuer: provider, token, now: call.now, checkSignOut })
  let verified = await verify(false)
  if (verified.outcome === 'expired') throw notAuthorized('Invalid login token. Token expired.')
  if (verified.outcome !== 'verified') throw refused()
  const { claims } = verified
  const client = providers.find(({ ClientId }) => ClientId === claims.aud)
  if (!client) throw notAuthorized('Invalid login token. Incorrect audience.')
  if (client.ServerSideTokenCheck) verified = await verify(true)
  if (verified.outcome !== 'verified') throw notAuthorized('Invalid login token. Token has been revoked.')
  return login(provider, {
    subject: claims.sub,
    audience: SIGN_IN,
    claims,
    mappingKey: `${provider}:${claims.aud}`,
  })
}

/** One for each outbound port, so that tests do not share keys. */
const caches = new WeakMap<OutboundPort, IssuerKeys>()

async function openIdClaims(call: Call, issuer: string, token: string, thumbprints: readonly string[] = []) {
  const port = call.use(outbound)
  const cache = caches.get(port) ?? new IssuerKeys((url, prints) => port.get(url, prints))
  caches.set(port, cache)
  try {
    const { iss, kid } = claimedToken(token)
    if (iss !== issuer) throw refused()
    const source = { issuer, ...(thumbprints.length > 0 && { thumbprints }) }
    const keys = await cache.of(source, kid, call.now).catch((cause: Error) => {
      throw cognitoIdentity.fail(
        'ExternalServiceException',
        `The keys of ${issuer} cannot be fetched (${cause.message}).`,
      )
    })
    return await verifiedClaims(token, keys, { issuer, now: call.now })
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error
    throw error.kind === 'expired' ? notAuthorized('Invalid login token. Token expired.') : refused()
  }
}

interface OpenIdLogin {
  readonly provider: string
  readonly arn: string
  readonly token: string
}

async function ofOpenId(call: Call, pool: PoolRow, { provider, token }: OpenIdLogin): Promise<VerifiedLogin> {
  const trusted = await call.use(identity).oidcProvider(call.unit, pool.account, provider)
  if (!trusted) throw refused()
  const claims = await openIdClaims(call, `https://${provider}`, token, trusted.thumbprints)
  const audience = audienceOf(claims)
  if (audience === undefined || !trusted.clientIds.includes(audience) || claims.sub === undefined)
    throw notAuthorized('Invalid login token. Incorrect audience.')
  return login(provider, { subject: claims.sub, audience, claims })
}

async function ofSocial(
  call: Call,
  account: string,
  provider: string,
  application: string,
  token: string,
): Promise<VerifiedLogin> {
  switch (provider) {
    case GOOGLE:
    case APPLE: {
      const claims = await openIdClaims(call, `https://${provider}`, token)
      const audience = audienceOf(claims)
      // Several clients of one app are separated by semicolons.
      if (audience === undefined || !application.split(';').includes(audience) || claims.sub === undefined)
        throw notAuthorized('Invalid login token. Incorrect audience.')
      return login(provider, { subject: claims.sub, audience, claims })
    }
    case FACEBOOK: {
      const base = `https://${FACEBOOK}/v21.0`
      const app = await introspected(call, account, `${base}/app`, token)
      if (app['id'] !== application) throw notAuthorized('Invalid login token. Incorrect audience.')
      const me = await introspected(call, account, `${base}/me`, token)
      return opaque(provider, application, me['id'])
    }
    case AMAZON: {
      const tokenInfo = await introspected(call, account, 'https://api.amazon.com/auth/o2/tokeninfo', token)
      if (tokenInfo['aud'] !== application) throw notAuthorized('Invalid login token. Incorrect audience.')
      return opaque(provider, application, tokenInfo['user_id'])
    }
    default:
      throw refused()
  }
}

function opaque(provider: string, audience: string, subject: unknown): VerifiedLogin {
  if (typeof subject !== 'string' || subject === '') throw refused()
  return login(provider, { subject, audience, claims: { sub: subject, aud: audience } })
}

/** What the provider says of an access token that only it can read. */
async function introspected(
  call: Call,
  account: string,
  url: string,
  token: string,
): Promise<Readonly<Record<string, unknown>>> {
  spend(call, 'token-lookups-per-second', account)
  const answer = await call
    .use(outbound)
    .get(`${url}?access_token=${encodeURIComponent(token)}`)
    .catch(() => {
      throw cognitoIdentity.fail('ExternalServiceException', `${new URL(url).hostname} does not answer.`)
    })
  if (answer.status !== 200) throw refused()
  try {
    return JSON.parse(answer.body) as Readonly<Record<string, unknown>>
  } catch {
    throw refused()
  }
}

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/saml-identity-provider.html */
const SAML_AUDIENCE = 'urn:amazon:webservices'
const SAML_ENDPOINT = /^https:\/\/([a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml(\/acs\/[\w-]{1,128})?$/

async function ofSaml(call: Call, arn: string, response: string): Promise<VerifiedLogin> {
  const provider = await call.use(identity).samlProvider(call.unit, arn)
  if (!provider) throw refused()
  const { readSamlResponse } = await import('../../engines/saml/response.ts')
  const origins = call.use(webOrigin).origins()
  try {
    const read = readSamlResponse(response, provider, {
      now: call.now,
      audience: SAML_AUDIENCE,
      isRecipient: (url) => SAML_ENDPOINT.test(url) || origins.some((origin) => url === `${origin}/saml`),
    })
    const attributes = [...read.attributes].map(([name, values]) => [name, values.length === 1 ? values[0] : values])
    return login(arn, {
      subject: read.subject,
      audience: SAML_AUDIENCE,
      claims: { ...Object.fromEntries(attributes), sub: read.subject },
    })
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SamlRefusal')) throw error
    throw refused()
  }
}
