/** Names of SAML 2.0 and of the XML standards that it builds on. */

/** Source: https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf §1.1 */
export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'
/** Source: https://www.w3.org/TR/xmldsig-core1/ */
export const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'
/** Source: https://www.w3.org/TR/xmlenc-core1/ */
export const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#'
export const ENCRYPTION_1_1 = 'http://www.w3.org/2009/xmlenc11#'

export const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'

export const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'

/** Source: https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf */
export const BINDING = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
} as const

/** Source: saml-core-2.0-os §3.2.2.2 */
export const STATUS = {
  success: 'urn:oasis:names:tc:SAML:2.0:status:Success',
  responder: 'urn:oasis:names:tc:SAML:2.0:status:Responder',
  noPassive: 'urn:oasis:names:tc:SAML:2.0:status:NoPassive',
} as const
