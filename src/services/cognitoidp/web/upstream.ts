/** Signing in at another provider: OpenID Connect and the social ones, whose people become users of the pool. */
import { type Connector, type ConnectorId, connectors } from '../../../engines/oidc/connectors.ts'
import { discoveryUrl, readMetadata } from '../../../engines/oidc/discovery.ts'
import { OidcRefusal } from '../../../engines/oidc/refusal.ts'
import type { ClientSettings, PendingSignIn } from '../../../engines/oidc/sign-in.ts'
import { RelyingParty } from '../../../kernel/federation/relying-party.ts'
import { type FederationHttpPort, federationHttp } from '../../../kernel/ports/federation-http.ts'
import type { WebCall } from '../../../kernel/web/site.ts'
import { openDetails, type ProviderRow } from '../providers.ts'
import { at, notAuthorized, type PoolRow } from '../resources.ts'
import { type Attributes, checkAttributes } from '../schema.ts'
import { preSignUp } from '../sign-up.ts'
import { findUser, type LinkedIdentity, linkKey, newUser, saveUser, type UserRow } from '../user-rows.ts'
import { badRequest } from './authorization-request.ts'

type Claims = Readonly<Record<string, unknown>>

/** Providers that pages offer. SAML, and Apple's answer by a form of another site, are not among them. */
export const isOffered = ({ type }: ProviderRow): boolean => type !== 'SAML' && type !== 'SignInWithApple'

const SOCIAL: Readonly<Partial<Record<ProviderRow['type'], ConnectorId>>> = {
  Google: 'google',
  Facebook: 'facebook',
  LoginWithAmazon: 'amazon',
}

/** Where the button of a provider leads, for the content security policy of its page. */
export function upstreamSources({ type, details }: ProviderRow): readonly string[] {
  const social = SOCIAL[type]
  const address = social ? connectors[social].authorizationEndpoint : details['authorize_url'] || details['oidc_issuer']
  return address && URL.canParse(address) ? [new URL(address).origin] : []
}

/** One for each port, so that the keys of issuers are fetched once. */
const parties = new WeakMap<FederationHttpPort, RelyingParty>()

function partyOf(http: FederationHttpPort): RelyingParty {
  const party = parties.get(http) ?? new RelyingParty(http)
  parties.set(http, party)
  return party
}

interface Upstream {
  readonly connector: Connector
  readonly settings: ClientSettings
  /** What the provider said of the person, once it has. */
  readonly claims: () => Claims
}

/** The provider as the federation module knows providers. Endpoints that are not configured are discovered. */
async function upstreamOf(call: WebCall<unknown>, pool: PoolRow, row: ProviderRow): Promise<Upstream> {
  const details = openDetails(call, pool, row)
  let claims: Claims = {}
  const settings: ClientSettings = {
    clientId: details['client_id'] ?? '',
    clientSecret: details['client_secret'] ?? '',
  }
  const scope = details['authorize_scopes'] ?? 'openid'
  const social = SOCIAL[row.type]
  if (social) {
    const connector = connectors[social]
    const person: Connector['person'] = (found) => {
      claims = found
      return connector.person(found)
    }
    return { connector: { ...connector, scope, person }, settings, claims: () => claims }
  }
  const issuer = details['oidc_issuer'] ?? ''
  const isComplete = details['authorize_url'] && details['token_url'] && details['jwks_uri']
  const metadata = isComplete ? undefined : await discovered(call, issuer)
  const connector: Connector = {
    // Of the sealed state alone: there it identifies the pool's provider.
    id: row.name as ConnectorId,
    label: row.name,
    authorizationEndpoint: details['authorize_url'] || metadata!.authorizationEndpoint,
    tokenEndpoint: details['token_url'] || metadata!.tokenEndpoint,
    scope,
    oidc: { issuer, jwksUri: details['jwks_uri'] || metadata!.jwksUri, hasNonce: true },
    hasPkce: true,
    clientAuthentication: settings.clientSecret === '' ? 'body' : 'basic',
    verifiesEmail: true,
    person: (found) => {
      claims = found
      return { subject: typeof found['sub'] === 'string' ? found['sub'] : '', isEmailVerified: false }
    },
  }
  return { connector, settings, claims: () => claims }
}

interface Endpoints {
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
}

async function discovered(call: WebCall<unknown>, issuer: string): Promise<Endpoints> {
  const url = discoveryUrl(issuer)
  const { status, body } = await call.once(() => call.use(federationHttp).send({ method: 'GET', url }))
  if (status !== 200) throw new OidcRefusal('provider', `${new URL(url).host} answered ${status}`)
  const { authorizationEndpoint, tokenEndpoint, jwksUri } = readMetadata(body, issuer)
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined)
    throw new OidcRefusal('provider', 'the provider does not say where its endpoints are')
  return { authorizationEndpoint, tokenEndpoint, jwksUri }
}

const BINDING = 'upstream sign-in'

interface Carried {
  readonly pending: PendingSignIn
  readonly provider: string
  readonly pool: string
  /** The authorization request of the app. */
  readonly query: string
  /** Of the browser that began: another's answer is refused. */
  readonly csrf: string
}

/** Where to send the browser. What must be known when it comes back travels in `state`, sealed. */
export async function beginUpstream(
  call: WebCall<unknown>,
  pool: PoolRow,
  row: ProviderRow,
  of: { readonly redirectUri: string; readonly query: string; readonly csrf: string },
): Promise<string> {
  const { connector, settings } = await upstreamOf(call, pool, row)
  const { url, pending } = partyOf(call.use(federationHttp)).begin(connector, settings, of.redirectUri, call.now)
  const carried: Carried = { pending, provider: row.name, pool: pool.id, query: of.query, csrf: of.csrf }
  const state = call.vault.issue('user-pool', BINDING, Buffer.from(JSON.stringify(carried)))
  const address = new URL(url)
  address.searchParams.set('state', state)
  return address.href
}

/** What an answer belongs to. Throws a page for one that is forged or was begun in another browser. */
export function openUpstream(call: WebCall<unknown>, pool: PoolRow, state: string | undefined, csrf: string): Carried {
  const opened = state ? call.vault.redeem('user-pool', BINDING, state) : undefined
  const carried = opened && (JSON.parse(opened.toString('utf8')) as Carried)
  if (!carried || carried.pool !== pool.id || carried.csrf !== csrf)
    throw badRequest('The sign-in was not begun in this browser.')
  return carried
}

/** The user that the provider's person is. A new person becomes a user; a linked one is the user that it is linked to. */
export async function finishUpstream(
  call: WebCall<unknown>,
  pool: PoolRow,
  row: ProviderRow,
  carried: Carried,
  answer: Readonly<Record<string, string | undefined>>,
  clientId: string,
): Promise<UserRow> {
  const upstream = await upstreamOf(call, pool, row)
  const { connector, settings } = upstream
  const party = partyOf(call.use(federationHttp))
  const { subject, claims } = await call.once(async () => {
    // The state that was sent was the sealed one; inside it is the one that is compared.
    const person = await party.finish(
      connector,
      settings,
      carried.pending,
      { ...answer, state: carried.pending.state },
      call.now,
    )
    return { subject: person.subject, claims: upstream.claims() }
  })
  const attributes = mapped(pool, row, claims)
  const key = linkKey(pool.id, row.name, subject)
  const linked = await call.unit.get<{ readonly sub: string }>(key)
  const known = linked && (await call.unit.get<UserRow>(at.user(pool.id, linked.sub)))
  if (known) {
    if (!known.isEnabled) throw notAuthorized('User is disabled.')
    return saveUser(call.unit, pool, known, {
      ...known,
      attributes: { ...known.attributes, ...attributes },
      modifiedAt: call.now,
    })
  }
  const username = `${row.name}_${subject}`
  if (await findUser(call.unit, pool, username)) throw notAuthorized('A user with this name exists already.')
  await preSignUp(call, pool, {
    source: 'PreSignUp_ExternalProvider',
    userName: username,
    clientId,
    attributes,
    validationData: {},
    clientMetadata: undefined,
  })
  const identity: LinkedIdentity = {
    provider: row.name,
    type: row.type,
    userId: subject,
    issuer: connector.oidc?.issuer,
    isPrimary: true,
    linkedAt: call.now,
  }
  const sub = call.newId()
  call.unit.put(key, { sub })
  return saveUser(call.unit, pool, undefined, {
    ...newUser(sub, username, call.now),
    status: 'EXTERNAL_PROVIDER',
    attributes,
    identities: [identity],
  })
}

/** Attributes by the provider's mapping. An address is unverified unless the mapping says who verified it. */
function mapped(pool: PoolRow, { mapping }: ProviderRow, claims: Claims): Attributes {
  const attributes: Record<string, string> = {}
  for (const [name, claim] of Object.entries(mapping)) {
    const value = name === 'username' ? undefined : claims[claim]
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      attributes[name] = String(value)
  }
  for (const name of ['email', 'phone_number'])
    if (attributes[name] !== undefined) attributes[`${name}_verified`] ??= 'false'
  checkAttributes(pool, attributes, { before: undefined, isAdmin: true })
  return attributes
}
