/**
 * Social identity providers as data: where they are, how they differ, and where their answers keep the person.
 * Endpoints can be replaced, so that tests and offline work use an imitation.
 */

export type ConnectorId = 'google' | 'apple' | 'facebook' | 'amazon' | 'linkedin' | 'x' | 'microsoft'

export interface Person {
  /** Stable at this provider, and for this client only at some. */
  readonly subject: string
  readonly email?: string
  /** Only what the provider itself verified: an unverified address proves nothing. */
  readonly isEmailVerified: boolean
  readonly name?: string
}

type Claims = Readonly<Record<string, unknown>>

export interface Connector {
  /** A {@link ConnectorId}, or the name that an operator or a user pool chose for another provider. */
  readonly id: string
  readonly label: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly scope: string
  /** An OpenID Connect provider: its ID token names the person. */
  readonly oidc?: {
    /** `{tid}` is replaced by the claim, where tenants share an endpoint. */
    readonly issuer: string
    readonly jwksUri: string
    /** Whether the provider returns the nonce: one that does not is bound by state and PKCE alone. */
    readonly hasNonce: boolean
    /** The provider names itself in each answer: one that does not is of another provider (RFC 9207, section 2.4). */
    readonly namesItself?: boolean
  }
  /** A profile that is read with the access token, where there is no ID token. */
  readonly profileEndpoint?: string
  readonly hasPkce: boolean
  readonly responseMode?: 'form_post'
  readonly clientAuthentication: 'body' | 'basic' | 'apple'
  /** Facebook: an access token is sent with a MAC by the client's secret. */
  readonly hasAppSecretProof?: boolean
  /** Whether the provider says of an address that it verified it: only then can a rule name a person by e-mail address. */
  readonly verifiesEmail: boolean
  readonly person: (claims: Claims) => Person
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

function person(subject: unknown, email: unknown, isEmailVerified: unknown, name: unknown): Person {
  const [mail, shown] = [text(email), text(name)]
  return {
    subject: typeof subject === 'number' ? String(subject) : (text(subject) ?? ''),
    ...(mail !== undefined && { email: mail }),
    // Apple sends the flag as text.
    isEmailVerified: mail !== undefined && (isEmailVerified === true || isEmailVerified === 'true'),
    ...(shown !== undefined && { name: shown }),
  }
}
/** The person of the standard claims (OpenID Connect Core 1.0, section 5.1). */
export const standardPerson = ({ sub, email, email_verified, name }: Claims) => person(sub, email, email_verified, name)

export const connectors: Readonly<Record<ConnectorId, Connector>> = {
  google: {
    id: 'google',
    label: 'Google',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    scope: 'openid email profile',
    oidc: {
      issuer: 'https://accounts.google.com',
      jwksUri: 'https://www.googleapis.com/oauth2/v3/certs',
      hasNonce: true,
    },
    hasPkce: true,
    verifiesEmail: true,
    clientAuthentication: 'body',
    person: standardPerson,
  },
  apple: {
    id: 'apple',
    label: 'Apple',
    authorizationEndpoint: 'https://appleid.apple.com/auth/authorize',
    tokenEndpoint: 'https://appleid.apple.com/auth/token',
    scope: 'openid name email',
    oidc: {
      issuer: 'https://appleid.apple.com',
      jwksUri: 'https://appleid.apple.com/auth/keys',
      hasNonce: true,
    },
    hasPkce: false,
    responseMode: 'form_post',
    verifiesEmail: true,
    clientAuthentication: 'apple',
    person: standardPerson,
  },
  facebook: {
    id: 'facebook',
    label: 'Facebook',
    authorizationEndpoint: 'https://www.facebook.com/v21.0/dialog/oauth',
    tokenEndpoint: 'https://graph.facebook.com/v21.0/oauth/access_token',
    profileEndpoint: 'https://graph.facebook.com/v21.0/me?fields=id,name,email',
    scope: 'public_profile,email',
    hasPkce: false,
    verifiesEmail: false,
    clientAuthentication: 'body',
    hasAppSecretProof: true,
    // Facebook does not say whether it verified the address.
    person: ({ id, email, name }) => person(id, email, false, name),
  },
  amazon: {
    id: 'amazon',
    label: 'Amazon',
    authorizationEndpoint: 'https://www.amazon.com/ap/oa',
    tokenEndpoint: 'https://api.amazon.com/auth/o2/token',
    profileEndpoint: 'https://api.amazon.com/user/profile',
    scope: 'profile',
    hasPkce: true,
    verifiesEmail: false,
    clientAuthentication: 'body',
    person: ({ user_id, email, name }) => person(user_id, email, false, name),
  },
  linkedin: {
    id: 'linkedin',
    label: 'LinkedIn',
    authorizationEndpoint: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenEndpoint: 'https://www.linkedin.com/oauth/v2/accessToken',
    scope: 'openid profile email',
    oidc: {
      issuer: 'https://www.linkedin.com/oauth',
      jwksUri: 'https://www.linkedin.com/oauth/openid/jwks',
      hasNonce: false,
    },
    hasPkce: false,
    verifiesEmail: true,
    clientAuthentication: 'body',
    person: standardPerson,
  },
  x: {
    id: 'x',
    label: 'X',
    authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
    tokenEndpoint: 'https://api.x.com/2/oauth2/token',
    profileEndpoint: 'https://api.x.com/2/users/me',
    scope: 'users.read tweet.read',
    hasPkce: true,
    verifiesEmail: false,
    clientAuthentication: 'basic',
    person: ({ data }) => {
      const { id, name } = (data ?? {}) as Claims
      return person(id, undefined, false, name)
    },
  },
  microsoft: {
    id: 'microsoft',
    label: 'Microsoft',
    authorizationEndpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenEndpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scope: 'openid email profile',
    oidc: {
      issuer: 'https://login.microsoftonline.com/{tid}/v2.0',
      jwksUri: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
      hasNonce: true,
    },
    hasPkce: true,
    verifiesEmail: false,
    clientAuthentication: 'body',
    // A tenant's administrator can set any address: it is never a proof.
    person: ({ sub, email, name }) => person(sub, email, false, name),
  },
}

/** The connector with all endpoints below one address: `merlon dev social-idp` and tests. */
export function connectorAt(connector: Connector, base: string): Connector {
  const at = `${base}/${connector.id}`
  const { oidc, profileEndpoint } = connector
  return {
    ...connector,
    authorizationEndpoint: `${at}/authorize`,
    tokenEndpoint: `${at}/token`,
    ...(profileEndpoint !== undefined && { profileEndpoint: `${at}/profile` }),
    ...(oidc && {
      oidc: { ...oidc, issuer: oidc.issuer.includes('{tid}') ? `${at}/{tid}/v2.0` : at, jwksUri: `${at}/keys` },
    }),
  }
}
