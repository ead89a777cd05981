/**
 * The browser's part of a sign-in at another provider: what is sent, and which answer belongs to it. Pure.
 * Source: RFC 6749 §4.1, RFC 7636 (PKCE), RFC 9207 (`iss`), RFC 9700
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { importPKCS8, type JWTPayload, SignJWT } from 'jose'
import type { Connector } from './connectors.ts'
import { OidcRefusal } from './refusal.ts'

/** What an account has registered at the provider. */
export type ClientSettings =
  | { readonly clientId: string; readonly clientSecret: string }
  /** Apple: the secret is a token, signed with a key of the developer's team. PKCS #8, PEM. */
  | { readonly clientId: string; readonly teamId: string; readonly keyId: string; readonly privateKey: string }

/** Known to the browser alone until the answer comes: kept sealed, or derived again from its `state`. */
export interface PendingSignIn {
  /** The `id` of its {@link Connector}. */
  readonly connector: string
  readonly state: string
  /** 256 bits in base64url, as is the verifier. */
  readonly nonce: string
  /** PKCE's: it never leaves the server before the code is exchanged. */
  readonly verifier: string
  readonly redirectUri: string
  /** Epoch milliseconds. */
  readonly startedAt: number
}

const ANSWER_MS_MAX = 10 * 60_000

/** Where to send the browser. Each connector needs a redirect address of its own (RFC 9700 §4.4). */
export function authorizationAddress(
  connector: Connector,
  { clientId }: ClientSettings,
  pending: PendingSignIn,
): string {
  const url = new URL(connector.authorizationEndpoint)
  const query: Readonly<Record<string, string | undefined>> = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: pending.redirectUri,
    scope: connector.scope,
    state: pending.state,
    nonce: connector.oidc?.hasNonce ? pending.nonce : undefined,
    code_challenge: connector.hasPkce ? createHash('sha256').update(pending.verifier).digest('base64url') : undefined,
    code_challenge_method: connector.hasPkce ? 'S256' : undefined,
    response_mode: connector.responseMode,
  }
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

/** The code of an answer to this request; refuses answers to others, and of other providers. */
export function answeredCode(
  connector: Connector,
  pending: PendingSignIn | undefined,
  answer: Readonly<Record<string, string | undefined>>,
  now: number,
): string {
  const { state, code, error, iss } = answer
  if (!pending || pending.connector !== connector.id || state === undefined || !isSame(state, pending.state))
    throw new OidcRefusal('state', 'the answer belongs to no sign-in of this browser')
  if (now - pending.startedAt > ANSWER_MS_MAX) throw new OidcRefusal('expired', 'the sign-in took too long')
  const { issuer, namesItself } = connector.oidc ?? {}
  if (iss !== undefined && issuer !== undefined && !issuer.includes('{tid}') && iss !== issuer)
    throw new OidcRefusal('state', 'the answer is of another provider')
  if (namesItself && iss === undefined) throw new OidcRefusal('state', 'the answer does not name its provider')
  if (error !== undefined) throw new OidcRefusal('denied', error.slice(0, 100))
  if (code === undefined || code === '') throw new OidcRefusal('provider', 'the answer has no code')
  return code
}

function isSame(one: string, other: string): boolean {
  const hash = (of: string) => createHash('sha256').update(of).digest()
  return timingSafeEqual(hash(one), hash(other))
}

/** The request that exchanges a code for tokens. */
export async function tokenRequest(
  connector: Connector,
  settings: ClientSettings,
  pending: PendingSignIn,
  code: string,
  now: number,
): Promise<{ readonly url: string; readonly headers: Record<string, string>; readonly form: Record<string, string> }> {
  const secret = 'clientSecret' in settings ? settings.clientSecret : await appleSecret(settings, connector, now)
  const isBasic = connector.clientAuthentication === 'basic'
  const encoded = (value: string) => encodeURIComponent(value)
  return {
    url: connector.tokenEndpoint,
    headers: isBasic
      ? { authorization: `Basic ${Buffer.from(`${encoded(settings.clientId)}:${encoded(secret)}`).toString('base64')}` }
      : {},
    form: {
      grant_type: 'authorization_code',
      code,
      redirect_uri: pending.redirectUri,
      ...(connector.hasPkce && { code_verifier: pending.verifier }),
      ...(!isBasic && { client_id: settings.clientId, client_secret: secret }),
    },
  }
}

/** Source: https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret */
async function appleSecret(
  settings: Extract<ClientSettings, { privateKey: string }>,
  connector: Connector,
  now: number,
): Promise<string> {
  const seconds = Math.floor(now / 1000)
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: settings.keyId })
    .setIssuer(settings.teamId)
    .setSubject(settings.clientId)
    .setAudience(connector.oidc!.issuer)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 300)
    .sign(await importPKCS8(settings.privateKey, 'ES256'))
}

/** Source: https://developers.facebook.com/docs/graph-api/guides/secure-requests */
export const appSecretProof = (accessToken: string, secret: string): string =>
  createHmac('sha256', secret).update(accessToken).digest('hex')

/** Whether the ID token answers this sign-in: the issuer, the audience and the nonce. Its signature is verified before. */
export function assertAnswers(
  connector: Connector,
  { clientId }: ClientSettings,
  pending: PendingSignIn,
  claims: JWTPayload,
): void {
  const audiences = [claims.aud ?? []].flat()
  if (!audiences.includes(clientId) || (audiences.length > 1 && claims['azp'] !== clientId))
    throw new OidcRefusal('claims', 'the ID token is for another client')
  if (connector.oidc?.hasNonce && claims['nonce'] !== pending.nonce)
    throw new OidcRefusal('claims', 'the ID token answers another sign-in')
}

/** The issuer that a token must have: exact, but for the tenant that its own claim names. */
export function issuerOf({ oidc }: Connector, tid: unknown): string {
  const isTenant = typeof tid === 'string' && /^[0-9a-f-]{36}$/.test(tid)
  return oidc!.issuer.replace('{tid}', isTenant ? tid : 'none')
}
