/** What an issuer publishes: its endpoints and its keys. Source: https://openid.net/specs/openid-connect-discovery-1_0.html */
import type { JWK } from 'jose'
import { OidcRefusal } from './refusal.ts'

const KEYS_MAX = 100

export interface IssuerMetadata {
  readonly issuer: string
  readonly jwksUri: string
  readonly authorizationEndpoint?: string
  readonly tokenEndpoint?: string
  readonly userInfoEndpoint?: string
  /** How clients authenticate at the token endpoint. Default of the specification: `client_secret_basic`. */
  readonly clientAuthentication: 'basic' | 'body'
  /** Answers have `iss`: RFC 9207. */
  readonly namesItself: boolean
}

/** Of a provider at which people sign in by authorization code. */
export type SignInMetadata = IssuerMetadata & Required<Pick<IssuerMetadata, 'authorizationEndpoint' | 'tokenEndpoint'>>

export const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** §4.3: the issuer must be exactly the one whose document was requested. */
export function readMetadata(text: string, issuer: string): IssuerMetadata {
  const document = readObject(text)
  if (document['issuer'] !== issuer) throw new OidcRefusal('provider', 'not its own issuer')
  const jwksUri = document['jwks_uri']
  if (typeof jwksUri !== 'string') throw new OidcRefusal('provider', 'no jwks_uri')
  const endpoint = (name: string) => (typeof document[name] === 'string' ? document[name] : undefined)
  const found = {
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
    userInfoEndpoint: endpoint('userinfo_endpoint'),
  }
  const present = Object.entries(found).filter(([, url]) => url !== undefined)
  const methods = document['token_endpoint_auth_methods_supported']
  const isBasic = !Array.isArray(methods) || methods.includes('client_secret_basic')
  return {
    issuer,
    jwksUri,
    ...Object.fromEntries(present),
    clientAuthentication: isBasic ? 'basic' : 'body',
    namesItself: document['authorization_response_iss_parameter_supported'] === true,
  }
}

/** The same, and refuses a provider without the endpoints of a sign-in. */
export function readSignInMetadata(text: string, issuer: string): SignInMetadata {
  const metadata = readMetadata(text, issuer)
  const { authorizationEndpoint, tokenEndpoint } = metadata
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined)
    throw new OidcRefusal('provider', 'the provider does not say where its endpoints are')
  return { ...metadata, authorizationEndpoint, tokenEndpoint }
}

/** The first hundred keys of a key set. */
export function readKeys(text: string): readonly JWK[] {
  const { keys } = readObject(text)
  if (!Array.isArray(keys)) throw new OidcRefusal('provider', 'no keys')
  return keys
    .slice(0, KEYS_MAX)
    .filter((key): key is JWK => typeof key === 'object' && key !== null && typeof key.kty === 'string')
}

export function readObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new OidcRefusal('provider', 'not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OidcRefusal('provider', 'not a JSON object')
  return value as Readonly<Record<string, unknown>>
}
