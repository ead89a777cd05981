/**
 * Thumbprints of OpenID Connect providers: SHA-1 of the top certificate of a chain that no trusted authority has
 * signed.
 */

/** No trusted authority signed the certificate, and the provider lists another one. */
export class ThumbprintMismatchError extends Error {
  override readonly name = 'ThumbprintMismatchError'

  constructor() {
    super("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint")
  }
}
