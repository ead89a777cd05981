/** Clients that register themselves, without a row: an ID carries what was registered, sealed. */
import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import type { OAuthClient } from '../../kernel/ports/sso-grants.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { lengths } from '../../vault/aead.ts'
import type { Vault } from '../../vault/vault.ts'
import { oidc, refuse } from './words.ts'

const DAY_MS = 24 * 60 * 60_000
const REGISTRATION_MS = 90 * DAY_MS
const BINDING = 'sso oidc client'
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const GRANT_TYPES = ['authorization_code', 'refresh_token', DEVICE_CODE]
export const ACCOUNT_ACCESS = 'sso:account:access'
const SCOPE = /^[A-Za-z0-9_]{1,50}(?::[A-Za-z0-9_.]{1,50}){0,2}$/
const NAME_CHARS_MAX = 255
const LIST_MAX = 10
const URI_CHARS_MAX = 512
const ID_CHARS_MAX = 8_192

interface Registered {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly string[]
  readonly storeId?: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export type Client = OAuthClient & Pick<Registered, 'grantTypes'>

/** The directory that a start URL names: in its host or its path. */
export const storeInUrl = (url: string): string | undefined =>
  /(?:^|[/.])(d-[0-9a-f]{10})(?=[./?#]|$)/.exec(url.slice(0, URI_CHARS_MAX))?.[1]

/** Loopback addresses only: what a command line listens on (RFC 8252, section 7.3). */
function isLoopback(text: string): boolean {
  if (text.length > URI_CHARS_MAX || !URL.canParse(text)) return false
  const { protocol, hostname, username, password, hash } = new URL(text)
  const isLocal = hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost'
  return protocol === 'http:' && isLocal && username === '' && password === '' && hash === ''
}

const withoutPort = (text: string): string => {
  const url = new URL(text)
  url.port = ''
  return url.href
}

/** Exactly, but for the port, which a command line gets from its system. */
export const isRegistered = ({ redirectUris }: Pick<OAuthClient, 'redirectUris'>, text: string): boolean =>
  isLoopback(text) && redirectUris.some((each) => withoutPort(each) === withoutPort(text))

const secretOf = (vault: Pick<Vault, 'mac'>, clientId: string): string =>
  vault.mac('web-session', lengths('sso oidc client secret', clientId)).toString('base64url')

export function readClient(vault: Pick<Vault, 'redeem'>, clientId: string, now: number): Client | undefined {
  if (clientId.length > ID_CHARS_MAX) return undefined
  const opened = vault.redeem('web-session', BINDING, clientId)
  const client = opened && (JSON.parse(opened.toString('utf8')) as Registered)
  return client && client.expiresAt > now ? { ...client, storeId: client.storeId } : undefined
}

/** Throws for a client that is unknown, expired, or whose secret is another. */
export function authenticated(
  { vault, now }: Pick<Call, 'vault' | 'now'>,
  { clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string },
): Client {
  const client = readClient(vault, clientId, now)
  const [sent, expected] = [Buffer.from(clientSecret), Buffer.from(secretOf(vault, clientId))]
  if (!client || sent.length !== expected.length || !timingSafeEqual(sent, expected))
    throw refuse('InvalidClientException', 'The client is not registered, or its registration has expired.')
  return client
}

export const registerClient = oidc
  .operation('RegisterClient')
  .anonymous()
  .withoutPermission('Any client may register: it can do nothing before a person consents.')
  .run((call, input) => {
    const { clientName, clientType, scopes = [], redirectUris = [], grantTypes = [DEVICE_CODE], issuerUrl } = input
    if (clientType !== 'public')
      throw refuse('InvalidClientMetadataException', 'Only clients of the type public can register.')
    if (clientName.length > NAME_CHARS_MAX || scopes.length > LIST_MAX || redirectUris.length > LIST_MAX)
      throw refuse('InvalidClientMetadataException', 'The metadata of the client is too long.')
    if (grantTypes.length > LIST_MAX || grantTypes.some((each) => !GRANT_TYPES.includes(each)))
      throw refuse('UnsupportedGrantTypeException', 'A grant type is not supported.')
    if (scopes.some((scope) => !SCOPE.test(scope))) throw refuse('InvalidScopeException', 'A scope is not valid.')
    if (redirectUris.some((each) => !isLoopback(each)))
      throw refuse('InvalidRedirectUriException', 'Redirect URIs must be loopback addresses with the scheme http.')
    if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
      throw refuse('InvalidRedirectUriException', 'The authorization code grant needs a redirect URI.')
    const storeId = issuerUrl === undefined ? undefined : storeInUrl(issuerUrl)
    const expiresAt = call.now + REGISTRATION_MS
    const registered: Registered = {
      id: randomUUID(),
      name: clientName,
      scopes,
      redirectUris,
      grantTypes,
      ...(storeId !== undefined && { storeId }),
      expiresAt,
    }
    const clientId = call.vault.issue('web-session', BINDING, Buffer.from(JSON.stringify(registered)))
    return {
      clientId,
      clientSecret: secretOf(call.vault, clientId),
      clientIdIssuedAt: Math.floor(call.now / 1000),
      clientSecretExpiresAt: Math.floor(expiresAt / 1000),
      authorizationEndpoint: `${call.use(webOrigin).origin() ?? call.origin}/start/authorize`,
      tokenEndpoint: `${call.origin}/token`,
    }
  })
