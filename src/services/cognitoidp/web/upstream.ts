/** Signing in at another provider: OpenID Connect and the social ones, whose people become users of the pool. */
import { type Connector, type ConnectorId, connectors } from '../../../engines/oidc/connectors.ts'
import { discoveryUrl, readSignInMetadata, type SignInMetadata } from '../../../engines/oidc/discovery.ts'
import { OidcRefusal } from '../../../engines/oidc/refusal.ts'
import type { ClientSettings, PendingSignIn } from '../../../engines/oidc/sign-in.ts'
import { RelyingParty } from '../../../kernel/federation/relying-party.ts'
import { type FederationHttpPort, federationHttp } from '../../../kernel/ports/federation-http.ts'
import type { WebCall } from '../../../kernel/web/site.ts'
import { openDetails, type ProviderRow } from '../providers.ts'
import type { PoolRow } from '../resources.ts'
import type { UserRow } from '../user-rows.ts'
import { badRequest } from './authorization-request.ts'
import { type Claims, federatedUser } from './federated-user.ts'

const SOCIAL: Readonly<Partial<Record<ProviderRow['type'], ConnectorId>>> = {
  Google: 'google',
  Facebook: 'facebook',
  LoginWithAmazon: 'amazon',
  SignInWithApple: 'apple',
}

/** Where the button of a provider leads, for the content security policy of its page. */
export function upstreamSources({ type, details, saml }: ProviderRow): readonly string[] {
  const social = SOCIAL[type]
  const address = social
    ? connectors[social].authorizationEndpoint
    : (saml?.signOnByRedirect ?? (details['authorize_url'] || details['oidc_issuer']))
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
  const clientId = details['client_id'] ?? ''
  const clientSecret = details['client_secret'] ?? ''
  const settings: ClientSettings =
    row.type === 'SignInWithApple'
      ? {
          clientId,
          teamId: details['team_id'] ?? '',
          keyId: details['key_id'] ?? '',
          privateKey: pkcs8Pem(details['private_key'] ?? ''),
        }
      : { clientId, clientSecret }
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
    id: row.name,
    label: row.name,
    authorizationEndpoint: details['authorize_url'] || metadata!.authorizationEndpoint,
    tokenEndpoint: details['token_url'] || metadata!.tokenEndpoint,
    scope,
    oidc: { issuer, jwksUri: details['jwks_uri'] || metadata!.jwksUri, hasNonce: true },
    hasPkce: true,
    clientAuthentication: clientSecret === '' ? 'body' : 'basic',
    verifiesEmail: true,
    person: (found) => {
      claims = found
      return { subject: typeof found['sub'] === 'string' ? found['sub'] : '', isEmailVerified: false }
    },
  }
  return { connector, settings, claims: () => claims }
}

/** Apple's key, with or without the lines around it. */
const pkcs8Pem = (key: string): string =>
  key.includes('-----BEGIN') ? key : `-----BEGIN PRIVATE KEY-----\n${key.trim()}\n-----END PRIVATE KEY-----\n`

async function discovered(call: WebCall<unknown>, issuer: string): Promise<SignInMetadata> {
  const url = discoveryUrl(issuer)
  const { status, body } = await call.once(() => call.use(federationHttp).send({ method: 'GET', url }))
  if (status !== 200) throw new OidcRefusal('provider', `${new URL(url).host} answered ${status}`)
  return readSignInMetadata(body, issuer)
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
  return federatedUser(call, pool, row, { subject, claims, issuer: connector.oidc?.issuer, clientId })
}
