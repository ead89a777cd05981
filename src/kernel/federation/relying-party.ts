/**
 * The relying party: signs people in at another provider, and returns who they are there. For sign-in pages, user pools
 * and identity sources; each keeps the pending sign-in in a sealed cookie.
 *
 * @example
 * const { url, pending } = party.begin(connectors.google, settings, 'https://merlon.example/oidc/callback/google', now)
 * // after the redirect back, with the query or the form that arrived:
 * const person = await party.finish(connectors.google, settings, pending, answer, now)
 */
import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import type { Connector, Person } from '../../engines/oidc/connectors.ts'
import { readObject } from '../../engines/oidc/discovery.ts'
import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import {
  answeredCode,
  appSecretProof,
  assertAnswers,
  authorizationAddress,
  type ClientSettings,
  issuerOf,
  type PendingSignIn,
  tokenRequest,
} from '../../engines/oidc/sign-in.ts'
import { claimedToken, verifiedClaims } from '../../engines/oidc/token.ts'
import type { FederationHttpPort, FederationRequest } from '../ports/federation-http.ts'
import { IssuerKeys } from './issuer-keys.ts'

export type SignInAnswer = Readonly<Record<string, string | undefined>>

export class RelyingParty {
  readonly #http: FederationHttpPort
  readonly #keys: IssuerKeys

  constructor(http: FederationHttpPort) {
    this.#http = http
    this.#keys = new IssuerKeys((url) => http.send({ method: 'GET', url }))
  }

  /** Where to send the browser, and what to keep until it comes back. */
  begin(
    connector: Connector,
    settings: ClientSettings,
    redirectUri: string,
    now: number,
  ): { readonly url: string; readonly pending: PendingSignIn } {
    const random = () => randomBytes(32).toString('base64url')
    const secrets = { state: random(), nonce: random(), verifier: random() }
    const pending = { connector: connector.id, ...secrets, redirectUri, startedAt: now }
    return { url: authorizationAddress(connector, settings, pending), pending }
  }

  /** Throws an {@link OidcRefusal} for every answer that does not prove a person. */
  async finish(
    connector: Connector,
    settings: ClientSettings,
    pending: PendingSignIn | undefined,
    answer: SignInAnswer,
    now: number,
  ): Promise<Person> {
    const code = answeredCode(connector, pending, answer, now)
    const tokens = await this.#object({
      method: 'POST',
      ...(await tokenRequest(connector, settings, pending!, code, now)),
    })
    const person = connector.oidc
      ? await this.#ofIdToken(connector, settings, pending!, tokens['id_token'], now)
      : await this.#ofProfile(connector, settings, tokens['access_token'])
    if (person.subject === '') throw new OidcRefusal('provider', 'the provider does not identify the person')
    // Apple sends the name once, beside the code, and unsigned: it is shown, and nothing depends on it.
    const name = person.name ?? nameOf(answer['user'])
    return name === undefined ? person : { ...person, name }
  }

  async #ofIdToken(
    connector: Connector,
    settings: ClientSettings,
    pending: PendingSignIn,
    token: unknown,
    now: number,
  ): Promise<Person> {
    if (typeof token !== 'string') throw new OidcRefusal('provider', 'the provider sent no ID token')
    const { kid } = claimedToken(token)
    const issuer = issuerOf(connector, decodeJwt(token)['tid'])
    const keys = await this.#reached(() => this.#keys.of({ issuer, jwksUri: connector.oidc!.jwksUri }, kid, now))
    const claims = await verifiedClaims(token, keys, { issuer, now })
    assertAnswers(connector, settings, pending, claims)
    return connector.person(claims)
  }

  async #ofProfile(connector: Connector, settings: ClientSettings, token: unknown): Promise<Person> {
    if (typeof token !== 'string') throw new OidcRefusal('provider', 'the provider sent no access token')
    const url = new URL(connector.profileEndpoint!)
    if (connector.hasAppSecretProof && 'clientSecret' in settings)
      url.searchParams.set('appsecret_proof', appSecretProof(token, settings.clientSecret))
    const headers = { authorization: `Bearer ${token}` }
    return connector.person(await this.#object({ method: 'GET', url: url.href, headers }))
  }

  async #object(request: FederationRequest): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await this.#reached(() => this.#http.send(request))
    if (status !== 200) throw new OidcRefusal('provider', `${new URL(request.url).host} answered ${status}`)
    return readObject(body)
  }

  async #reached<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (cause) {
      throw new OidcRefusal('provider', 'the provider cannot be reached', { cause })
    }
  }
}

function nameOf(user: string | undefined): string | undefined {
  if (user === undefined || user.length > 2_000) return undefined
  try {
    const { name } = JSON.parse(user) as { name?: { firstName?: unknown; lastName?: unknown } }
    const parts = [name?.firstName, name?.lastName].filter((part): part is string => typeof part === 'string')
    return parts.length > 0 ? parts.join(' ').slice(0, 200) : undefined
  } catch {
    return undefined
  }
}
