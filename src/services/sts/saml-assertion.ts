/** A SAML response as AWS reads it: who is meant, for which roles, for how long. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/call.ts'
import type { TrustedIdp } from '../../kernel/ports.ts'
import { childrenOf, parseXml, type XmlElement } from '../../kernel/xml.ts'
import { Fault } from '../../wire/fault.ts'
import type { Brought } from './federated-session.ts'
import { sts } from './resources.ts'
import { ASSERTION, PROTOCOL } from './saml-names.ts'

export interface SamlIdentity {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  /** `persistent`, `transient`, or the whole URI of another format. */
  readonly subjectType: string
  /** The endpoint the assertion was made for. */
  readonly recipient: string
  readonly nameQualifier: string
  /** Values by name, in order. */
  readonly attributes: ReadonlyMap<string, readonly string[]>
  /** Epoch milliseconds; after it the assertion is void. */
  readonly endsAt: number
}

const AUDIENCE = 'urn:amazon:webservices'
const ENDPOINT = /^https:\/\/([a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml$/
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const NAME_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:'
const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/'
/** Both for clocks that differ, and for how soon a response is to be used. */
const WINDOW_MS = 5 * 60_000
const ENCODED_MAX = 100_000

const invalid = (message: string): Fault => sts.fail('InvalidIdentityTokenException', message)
const expired = (message: string): Fault => sts.fail('ExpiredTokenException', message)

/** Throws AWS's errors for whatever is not a fresh response of this provider, for AWS. */
export async function readResponse(call: Call, provider: TrustedIdp, encoded: string): Promise<SamlIdentity> {
  const text = decoded(encoded)
  if (provider.validUntil <= call.now) throw invalid('The metadata of the specified provider has expired.')
  // XML signatures are much code, which few servers ever need.
  const { SamlError, signedAssertion } = await import('./saml-signature.ts')
  let assertion: XmlElement
  try {
    assertion = signedAssertion(text, provider.signingCertificates)
  } catch (error) {
    if (!(error instanceof SamlError)) throw error
    if (error.message === 'the assertion is encrypted') {
      throw new Fault('NotImplemented', 'Merlon does not implement encrypted SAML assertions.', { status: 400 })
    }
    throw new Fault('InvalidIdentityToken', `Response signature invalid (${error.message})`, {
      status: 400,
      cause: error,
    })
  }
  checkStatus(text)
  const issuer = textOf(assertion, 'Issuer')
  if (issuer !== provider.entityId) throw invalid('Issuer not present in specified provider')
  checkTimes(call, assertion)
  return identityOf(call, provider, assertion, issuer)
}

function decoded(encoded: string): string {
  if (encoded.length > ENCODED_MAX || !/^[A-Za-z0-9+/\s]+=*\s*$/.test(encoded)) {
    throw invalid('Invalid base64 SAMLResponse')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'))
  } catch {
    throw invalid('Invalid base64 SAMLResponse')
  }
}

function checkStatus(response: string): void {
  const status = childrenOf(parseXml(response), PROTOCOL, 'Status')[0]
  const code = status && childrenOf(status, PROTOCOL, 'StatusCode')[0]?.attributes.get('Value')
  if (code !== SUCCESS) throw sts.fail('IDPRejectedClaimException', 'The identity provider did not vouch for the user.')
}

function checkTimes(call: Call, assertion: XmlElement): void {
  const issuedAt = time(assertion.attributes.get('IssueInstant'))
  if (issuedAt > call.now + WINDOW_MS) throw invalid('The assertion is not valid yet.')
  if (issuedAt < call.now - WINDOW_MS) throw expired('Token must be redeemed within 5 minutes of issuance')
  const conditions = sole(assertion, 'Conditions')
  const [from, until] = [conditions.attributes.get('NotBefore'), conditions.attributes.get('NotOnOrAfter')]
  if (from !== undefined && time(from) > call.now + WINDOW_MS) throw invalid('The assertion is not valid yet.')
  if (until !== undefined && time(until) <= call.now) throw expired('The assertion has expired.')
  const audiences = childrenOf(conditions, ASSERTION, 'AudienceRestriction').map((restriction) =>
    childrenOf(restriction, ASSERTION, 'Audience').map(({ text }) => text.trim()),
  )
  // Each restriction must be met: SAML 2.0 core §2.5.1.4.
  const meant = (audience: string) => audience === AUDIENCE || ENDPOINT.test(audience)
  if (audiences.length === 0 || !audiences.every((each) => each.some(meant))) {
    throw invalid('Response does not contain the required audience.')
  }
}

function identityOf(call: Call, provider: TrustedIdp, assertion: XmlElement, issuer: string): SamlIdentity {
  const id = assertion.attributes.get('ID')
  if (!id) throw invalid('The assertion has no ID.')
  const subject = sole(assertion, 'Subject')
  const name = sole(subject, 'NameID')
  const confirmations = childrenOf(subject, ASSERTION, 'SubjectConfirmation')
  const [confirmation] = confirmations
  if (confirmations.length !== 1 || confirmation!.attributes.get('Method') !== BEARER) {
    throw invalid('The assertion must have one bearer confirmation of its subject.')
  }
  const data = sole(confirmation!, 'SubjectConfirmationData').attributes
  const recipient = data.get('Recipient') ?? ''
  if (!ENDPOINT.test(recipient)) throw invalid('The assertion is for another recipient.')
  const endsAt = time(data.get('NotOnOrAfter'))
  if (endsAt <= call.now) throw expired('The assertion has expired.')
  const format = name.attributes.get('Format') ?? `${NAME_FORMAT}unspecified`
  const short = format.slice(NAME_FORMAT.length)
  return {
    id,
    issuer,
    subject: name.text.trim(),
    subjectType: format.startsWith(NAME_FORMAT) && (short === 'persistent' || short === 'transient') ? short : format,
    recipient,
    // Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
    nameQualifier: createHash('sha1').update(`${issuer}${provider.account}/${provider.name}`).digest('base64'),
    attributes: attributesOf(assertion),
    endsAt,
  }
}

function attributesOf(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const statement of childrenOf(assertion, ASSERTION, 'AttributeStatement')) {
    for (const attribute of childrenOf(statement, ASSERTION, 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? ''
      const values = childrenOf(attribute, ASSERTION, 'AttributeValue').map(({ text }) => text.trim())
      found.set(name, [...(found.get(name) ?? []), ...values])
    }
  }
  return found
}

function sole(element: XmlElement, name: string): XmlElement {
  const found = childrenOf(element, ASSERTION, name)
  if (found.length !== 1) throw invalid(`The assertion must have one ${name}.`)
  return found[0]!
}

const textOf = (element: XmlElement, name: string) => sole(element, name).text.trim()

/** Epoch milliseconds; SAML's times are UTC. */
function time(text: string | undefined): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text ?? '') ? Date.parse(text!) : Number.NaN
  if (Number.isNaN(ms)) throw invalid('The assertion has a time that cannot be read.')
  return ms
}

/** What AWS's own attributes ask for. */
export interface Asked {
  readonly sessionName: string
  /** Seconds. */
  readonly duration: number | undefined
  readonly brought: Brought
}

/** Throws when the assertion does not name this pair, or is not as AWS wants it. */
export function askedFor({ attributes }: SamlIdentity, roleArn: string, providerArn: string): Asked {
  const values = (name: string) => attributes.get(ATTRIBUTES + name) ?? []
  const pairs = values('Role').map((pair) => pair.split(',').map((arn) => arn.trim()))
  const named = pairs.some((pair) => pair.length === 2 && pair.includes(roleArn) && pair.includes(providerArn))
  if (!named) throw new Fault('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithSAML')

  const [sessionName, ...more] = values('RoleSessionName')
  if (sessionName === undefined || more.length > 0) throw invalid('RoleSessionName is required in AuthnResponse')
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw invalid('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}')
  }
  const [duration] = values('SessionDuration')
  if (duration !== undefined && !(/^\d+$/.test(duration) && Number(duration) >= 900 && Number(duration) <= 43_200)) {
    throw invalid('SessionDuration in AuthnResponse must be between 900 and 43200 seconds')
  }
  const prefix = `${ATTRIBUTES}PrincipalTag:`
  return {
    sessionName,
    duration: duration === undefined ? undefined : Number(duration),
    brought: {
      pairs: [...attributes]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, [Value = '']]) => ({ Key: name.slice(prefix.length), Value })),
      transitive: values('TransitiveTagKeys'),
      sourceIdentity: values('SourceIdentity')[0],
    },
  }
}

/**
 * Attributes that trust policies may ask for, by the names and OIDs that providers send them under.
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
  const { issuer, subject, subjectType, recipient, nameQualifier, attributes } = identity
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
    'saml:namequalifier': nameQualifier,
    'saml:doc': `${provider.account}/${provider.name}`,
    ...more,
  }
}
