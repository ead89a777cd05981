/**
 * The metadata document of an identity provider, for its service providers.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf §2.4.3
 */
import { element, text } from './canonical-writer.ts'
import { BINDING, METADATA, PROTOCOL, SIGNATURE } from './names.ts'

export interface IdentityProvider {
  readonly entityId: string
  /** DER, base64: those that sign now, and those that will. */
  readonly certificates: readonly string[]
  readonly nameIdFormat: string
  /** Receives requests by redirect and by form. */
  readonly signOnUrl: string
  readonly isSignedRequestRequired: boolean
}

export function identityProviderMetadata(provider: IdentityProvider): string {
  const { entityId, certificates, nameIdFormat, signOnUrl, isSignedRequestRequired } = provider
  return element(
    'md:EntityDescriptor',
    { 'xmlns:md': METADATA, entityID: entityId },
    element(
      'md:IDPSSODescriptor',
      { WantAuthnRequestsSigned: String(isSignedRequestRequired), protocolSupportEnumeration: PROTOCOL },
      ...certificates.map((certificate) =>
        element(
          'md:KeyDescriptor',
          { use: 'signing' },
          element(
            'ds:KeyInfo',
            { 'xmlns:ds': SIGNATURE },
            element('ds:X509Data', {}, element('ds:X509Certificate', {}, text(certificate))),
          ),
        ),
      ),
      element('md:NameIDFormat', {}, text(nameIdFormat)),
      element('md:SingleSignOnService', { Binding: BINDING.redirect, Location: signOnUrl }),
      element('md:SingleSignOnService', { Binding: BINDING.post, Location: signOnUrl }),
    ),
  )
}
