/** Why a SAML response is refused: a kind for the program, a text for the log of the service that received it. */

/**
 * `unreadable`: not a SAML response that we read. `signature`: not signed as the provider signs. `invalid`: signed, and not
 * for us or not complete. `expired`: too late. `rejected`: the provider reports that the person did not sign in.
 */
export type SamlRefusalKind = 'unreadable' | 'signature' | 'invalid' | 'expired' | 'rejected'

export class SamlRefusal extends Error {
  override readonly name = 'SamlRefusal'
  readonly kind: SamlRefusalKind

  constructor(kind: SamlRefusalKind, message: string) {
    super(message)
    this.kind = kind
  }
}
