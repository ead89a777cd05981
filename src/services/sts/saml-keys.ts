/** The condition keys that a SAML assertion supplies to trust policies. */
import { createHash } from 'node:crypto'
import type { SamlIdentity } from '../../engines/saml/response.ts'
import type { TrustedIdp } from '../../kernel/ports/ports.ts'

/**
 * Distinguishes equal subjects of different issuers, accounts and providers.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
 */
export const nameQualifier = ({ account, name }: TrustedIdp, { issuer }: Pick<SamlIdentity, 'issuer'>): string =>
  createHash('sha1').update(`${issuer}${account}/${name}`).digest('base64')

/**
 * Attributes that trust policies may test, by the names and OIDs that providers send them under.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml
 */
export const KEYS: Readonly<Record<string, string>> = {
  'http://schemas.xmlsoap.org/claims/CommonName': 'commonName',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name': 'name',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname': 'givenName',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname': 'surname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': 'mail',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid': 'primaryGroupSID',
  'urn:oid:2.5.4.3': 'cn',
  'urn:oid:1.2.840.113549.1.9.1': 'mail',
  'urn:oid:0.9.2342.19200300.100.1.3': 'mail',
  'urn:oid:0.9.2342.19200300.100.1.1': 'uid',
  'urn:oid:2.5.4.4': 'surname',
  'urn:oid:2.5.4.42': 'givenName',
  'urn:oid:2.5.4.41': 'name',
  'urn:oid:2.5.4.10': 'organizationStatus',
  'urn:oid:2.5.4.45': 'x500UniqueIdentifier',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': 'eduPersonAffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.2': 'eduPersonNickname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.3': 'eduPersonOrgDN',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.4': 'eduPersonOrgUnitDN',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.5': 'eduPersonPrimaryAffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.6': 'eduPersonPrincipalName',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.7': 'eduPersonEntitlement',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.8': 'eduPersonPrimaryOrgUnitDN',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.9': 'eduPersonScopedAffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.10': 'eduPersonTargetedID',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.11': 'eduPersonAssurance',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.2': 'eduOrgHomePageURI',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.3': 'eduOrgIdentityAuthNPolicyURI',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.4': 'eduOrgLegalName',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.5': 'eduOrgSuperiorURI',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.6': 'eduOrgWhitePagesURI',
}

export function samlKeys(
  provider: TrustedIdp,
  identity: SamlIdentity,
): Readonly<Record<string, string | readonly string[]>> {
  const { issuer, subject, subjectType, recipient, attributes } = identity
  const more: Record<string, string | readonly string[]> = {}
  for (const [name, values] of attributes) {
    const key = KEYS[name]
    // Of several values none is left out: a Deny of the second must hold.
    if (key && values.length > 0) more[`saml:${key}`] = values.length === 1 ? values[0]! : values
  }
  return {
    'aws:FederatedProvider': provider.arn,
    'saml:aud': recipient,
    'saml:iss': issuer,
    'saml:sub': subject,
    'saml:sub_type': subjectType,
    'saml:namequalifier': nameQualifier(provider, identity),
    'saml:doc': `${provider.account}/${provider.name}`,
    ...more,
  }
}
