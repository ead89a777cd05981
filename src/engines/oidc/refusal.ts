/** Why a token or a sign-in by OpenID Connect or OAuth 2.0 is refused. */

/**
 * `malformed`: no token that we read. `signature`: not signed by a key of the issuer. `claims`: signed, and not for us or
 * not now. `expired`: too late. `state`: an answer to no request of this browser. `denied`: the provider or the person
 * refused. `provider`: the provider answered what the standards do not allow.
 */
export type OidcRefusalKind = 'malformed' | 'signature' | 'claims' | 'expired' | 'state' | 'denied' | 'provider'

export class OidcRefusal extends Error {
  override readonly name = 'OidcRefusal'
  readonly kind: OidcRefusalKind

  constructor(kind: OidcRefusalKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
