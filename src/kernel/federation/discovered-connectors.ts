/**
 * Connectors of OpenID Connect providers that are known by their issuer: Keycloak, Okta, a tenant of Entra ID. Where their
 * endpoints are is discovered with the first sign-in, and again after an hour.
 *
 * @example
 * const connectors = new DiscoveredConnectors(http)
 * const corp = { id: 'corp', label: 'Corp', issuer: 'https://login.corp.example', scope: 'openid email' }
 * const connector = await connectors.of(corp, now)
 */
import { type Connector, standardPerson } from '../../engines/oidc/connectors.ts'
import { discoveryUrl, readSignInMetadata, type SignInMetadata } from '../../engines/oidc/discovery.ts'
import { OidcRefusal } from '../../engines/oidc/refusal.ts'
import type { FederationHttpPort } from '../ports/federation-http.ts'

export interface IssuerConnector {
  readonly id: string
  readonly label: string
  readonly issuer: string
  readonly scope: string
}

const KEPT_MS = 3_600_000
/** Unauthenticated visitors start attempts: after a failed one, the next one is made so much later. */
const RETRY_MS = 5_000

interface Discovered {
  metadata?: SignInMetadata
  failure?: unknown
  /** Of the last attempt. */
  at: number
  /** The attempt in progress: callers share it. */
  fetching?: Promise<void> | undefined
}

export class DiscoveredConnectors {
  readonly #http: FederationHttpPort
  readonly #issuers = new Map<string, Discovered>()

  constructor(http: FederationHttpPort) {
    this.#http = http
  }

  /** Throws an {@link OidcRefusal} while the provider cannot be discovered. What was discovered once stays in use. */
  async of({ id, label, issuer, scope }: IssuerConnector, now: number): Promise<Connector> {
    const { authorizationEndpoint, tokenEndpoint, jwksUri, namesItself, clientAuthentication } = await this.#metadataOf(
      issuer,
      now,
    )
    return {
      id,
      label,
      authorizationEndpoint,
      tokenEndpoint,
      scope,
      oidc: { issuer, jwksUri, hasNonce: true, namesItself },
      hasPkce: true,
      clientAuthentication,
      verifiesEmail: verifiesEmail(issuer),
      person: standardPerson,
    }
  }

  async #metadataOf(issuer: string, now: number): Promise<SignInMetadata> {
    const known = this.#issuers.get(issuer) ?? { at: Number.NEGATIVE_INFINITY }
    this.#issuers.set(issuer, known)
    const isDue = now - known.at >= (known.failure === undefined ? KEPT_MS : RETRY_MS)
    if (isDue) known.fetching ??= this.#discover(issuer, known, now)
    // Without waiting for a refresh: what is known serves meanwhile.
    if (!known.metadata) await known.fetching
    if (known.metadata) return known.metadata
    throw known.failure
  }

  async #discover(issuer: string, known: Discovered, now: number): Promise<void> {
    known.at = now
    try {
      const { status, body } = await this.#http.send({ method: 'GET', url: discoveryUrl(issuer) })
      if (status !== 200) throw new OidcRefusal('provider', `${new URL(issuer).host} answered ${status}`)
      const metadata = readSignInMetadata(body, issuer)
      assertProtected(metadata)
      known.metadata = metadata
      delete known.failure
    } catch (cause) {
      known.failure =
        cause instanceof OidcRefusal ? cause : new OidcRefusal('provider', 'it cannot be reached', { cause })
    } finally {
      known.fetching = undefined
    }
  }
}

/** A code or a secret must not be sent where it can be read on the way; an issuer on loopback may be plain. */
function assertProtected({ issuer, authorizationEndpoint, tokenEndpoint, jwksUri }: SignInMetadata): void {
  const { origin } = new URL(issuer)
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, jwksUri]) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
    if (url?.protocol !== 'https:' && url?.origin !== origin)
      throw new OidcRefusal('provider', `the endpoint ${endpoint.slice(0, 200)} is not https`)
  }
}

/** The administrators of a tenant of Entra ID can set any address: it is never a proof there. */
export const verifiesEmail = (issuer: string): boolean =>
  !/^(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)$/.test(
    new URL(issuer).hostname,
  )
