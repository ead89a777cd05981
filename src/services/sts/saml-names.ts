/** XML namespaces of SAML 2.0. Source: https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf §1.1 */
export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'
