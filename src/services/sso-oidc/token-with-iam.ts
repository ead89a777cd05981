/** CreateTokenWithIAM: an application exchanges the token of a trusted issuer for a context of the person that it names. */
import { randomUUID } from 'node:crypto'
import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import { claimedToken, verifiedClaims } from '../../engines/oidc/token.ts'
import { IssuerKeys } from '../../kernel/federation/issuer-keys.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { issueAccessToken, issueIdentityContext, type PortalSession } from '../../kernel/portal-sessions.ts'
import { identityStore, type StoreUser } from '../../kernel/ports/identity-store.ts'
import type { OutboundPort } from '../../kernel/ports/ports.ts'
import { type SsoApplication, type SsoTokenIssuer, ssoInstances } from '../../kernel/ports/sso-instances.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { signInGeneration } from '../../kernel/state/sign-in-sessions.ts'
import { type CompiledPolicy, compilePolicy, readPolicy } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { oidc, refuse } from './words.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const OTHER_GRANTS = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange']
const HOUR_MS = 60 * 60_000
/** The purpose of every token of an application; with it come the scopes that the application has. */
const OWN_SCOPE = 'sts:identity_context'

/** Without an actor policy no principal may call for an application. */
const NO_ACTORS: CompiledPolicy = {
  source: { id: 'actor-policy', kind: 'resource' },
  policy: { version: '2012-10-17', id: undefined, kind: 'resource', statements: [] },
  statements: [],
}

const compiled = (text: string | undefined): CompiledPolicy =>
  text === undefined ? NO_ACTORS : compilePolicy(readPolicy(text, 'resource'), { id: 'actor-policy', kind: 'resource' })

/** The actor policy is the root of authority, for the application's own account, too. */
const application: Target<{ readonly clientId: string }, SsoApplication> = {
  find: async (call, { clientId: arn }) => {
    const found = /^arn:aws:sso::\d{12}:application\/[\w.-]+\/[\w.-]+$/.test(arn)
      ? await call.use(ssoInstances).application(call.unit, arn)
      : undefined
    return {
      acted: {
        arn,
        type: 'AWS::SSO::Application',
        account: found?.account ?? call.account,
        policy: compiled(found?.actorPolicy),
        policyMode: 'required',
        claimed: found === undefined,
      },
      row: found?.isEnabled ? found : undefined,
      missing: () => refuse('InvalidClientException', 'There is no such application, or it is disabled.'),
    }
  },
}

/** One for each outbound port, so that tests do not share keys. */
const caches = new WeakMap<OutboundPort, IssuerKeys>()

function keysOf(outbound: OutboundPort): IssuerKeys {
  const cache = caches.get(outbound) ?? new IssuerKeys((url) => outbound.get(url))
  caches.set(outbound, cache)
  return cache
}

interface JwtBearer {
  readonly AuthorizedTokenIssuers?: readonly {
    readonly TrustedTokenIssuerArn?: string
    readonly AuthorizedAudiences?: readonly string[]
  }[]
}

const invalidGrant = (text: string) => refuse('InvalidGrantException', text)

interface Trusted {
  readonly issuer: SsoTokenIssuer
  readonly audiences: readonly string[]
}

/** The issuer that the token claims, if the application's grant names it. */
async function trusted(call: Call, { grants }: SsoApplication, iss: string): Promise<Trusted> {
  const { AuthorizedTokenIssuers = [] } = (grants[JWT_BEARER] ?? {}) as JwtBearer
  for (const { TrustedTokenIssuerArn = '', AuthorizedAudiences = [] } of AuthorizedTokenIssuers) {
    const issuer = await call.use(ssoInstances).tokenIssuer(call.unit, TrustedTokenIssuerArn)
    if (issuer?.issuerUrl === iss) return { issuer, audiences: AuthorizedAudiences }
  }
  throw invalidGrant('The issuer of the assertion is not one that the application trusts.')
}

async function claimsOf(call: Call, app: SsoApplication, assertion: string) {
  try {
    const { iss, kid } = claimedToken(assertion)
    const { issuer, audiences } = await trusted(call, app, iss)
    const keys = await keysOf(call.ports.outbound)
      .of({ issuer: iss }, kid, call.now)
      .catch(() => {
        throw invalidGrant('The keys of the issuer cannot be fetched.')
      })
    const claims = await verifiedClaims(assertion, keys, { issuer: iss, now: call.now })
    const sent = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
    if (!sent.some((each) => each !== undefined && audiences.includes(each)))
      throw invalidGrant('The audience of the assertion is not one that the application accepts.')
    return { claims, issuer }
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error
    throw invalidGrant(`The assertion is not valid: ${error.message}.`)
  }
}

function claimAt(claims: Readonly<Record<string, unknown>>, path: string): string | undefined {
  let value: unknown = Object.hasOwn(claims, path) ? claims[path] : undefined
  if (value === undefined)
    value = path
      .split('.')
      .reduce<unknown>(
        (at, name) =>
          typeof at === 'object' && at !== null && Object.hasOwn(at, name)
            ? (at as Record<string, unknown>)[name]
            : undefined,
        claims,
      )
  return typeof value === 'string' && value !== '' ? value : undefined
}

async function personOf(call: Call, app: SsoApplication, assertion: string): Promise<StoreUser> {
  const { claims, issuer } = await claimsOf(call, app, assertion)
  const people = call.use(identityStore)
  const value = claimAt(claims, issuer.claimPath)
  const { storeId } = app.instance
  const user =
    value === undefined ? undefined : await people.userByAttribute(call.unit, storeId, issuer.attributePath, value)
  if (!user?.isEnabled) throw invalidGrant('The assertion names no user of the directory.')
  if (!(await call.use(ssoInstances).mayUse({ reader: call.unit, people }, app.arn, user.id)))
    throw refuse('AccessDeniedException', 'The person is not assigned to the application.')
  return user
}

export const createTokenWithIam = oidc
  .operation('CreateTokenWithIAM')
  .on(application)
  .run(async (call, input, app) => {
    if (OTHER_GRANTS.includes(input.grantType))
      throw new Fault(
        'NotImplemented',
        `Merlon does not implement sso-oauth:CreateTokenWithIAM by ${input.grantType}.`,
        {
          status: 400,
        },
      )
    if (input.grantType !== JWT_BEARER)
      throw refuse('UnsupportedGrantTypeException', 'The grant type is not supported.')
    if (!app.grants[JWT_BEARER])
      throw refuse('UnauthorizedClientException', 'The application has no grant of this type.')
    if (input.assertion === undefined) throw refuse('InvalidRequestException', 'assertion is missing.')
    const user = await personOf(call, app, input.assertion)

    const { instance } = app
    const generation = await signInGeneration(call.unit, user.signInPerson)
    const signIn = { person: user.signInPerson, generation, id: randomUUID() }
    const expiresAt = call.now + HOUR_MS
    const { account, region, id: instanceId, storeId } = instance
    const session: PortalSession = {
      account,
      region,
      instanceId,
      storeId,
      userId: user.id,
      userName: user.userName,
      signIn,
      startedAt: call.now,
      expiresAt,
    }
    const allowed = [OWN_SCOPE, ...app.scopes]
    const scope = input.scope && input.scope.length > 0 ? input.scope : allowed
    if (scope.some((each) => !allowed.includes(each)))
      throw refuse('InvalidScopeException', 'A scope is not one of the application.')
    call.event.additionalEventData = { userId: user.id }
    const { userId } = session
    const context = { account, storeId, instanceId, userId, applicationArn: app.arn, signIn, expiresAt }
    return {
      accessToken: issueAccessToken(call.vault, { session, scopes: scope, expiresAt }),
      tokenType: 'Bearer',
      expiresIn: HOUR_MS / 1000,
      scope: [...scope],
      awsAdditionalDetails: { identityContext: issueIdentityContext(call.vault, context) },
    }
  })
