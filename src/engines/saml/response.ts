/**
 * A SAML response as its receiver reads it: verified, decrypted, and reduced to what it says of a person.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-profiles-2.0-os.pdf §4.1.4
 */
import { childrenOf, type XmlElement } from '../xml/xml.ts'
import { descendants, readDocument } from './document.ts'
import { decryptedAssertion, responseAround, type UnwrapKey } from './encryption.ts'
import { ASSERTION, BEARER, PROTOCOL, STATUS } from './names.ts'
import { SamlRefusal } from './refusal.ts'
import { signedContent } from './signature.ts'

/** The provider that a response must come from. */
export interface SamlProvider {
  readonly entityId: string
  /** DER, base64. */
  readonly signingCertificates: readonly string[]
  /** Epoch milliseconds: the end of the metadata. */
  readonly validUntil: number
  /** Whether plain assertions are refused. */
  readonly encryption?: 'Required' | 'Allowed' | undefined
  /** Absent for a provider without private keys: encrypted assertions are refused. */
  readonly unwrap?: UnwrapKey | undefined
}

/** The service that a response must be meant for. */
export interface SamlAudience {
  /** Epoch milliseconds. */
  readonly now: number
  /** Whether an address is one at which this service receives responses: `Recipient`. */
  readonly isRecipient: (url: string) => boolean
  /** A name of the service that may be the audience; each of its addresses may be, too. */
  readonly audience: string
}

export interface SamlIdentity {
  /** Of the assertion. */
  readonly id: string
  /** The request that was answered, where the person began at the service. */
  readonly inResponseTo: string | undefined
  readonly issuer: string
  readonly subject: string
  /** `persistent`, `transient`, or the whole URI of another format. */
  readonly subjectType: string
  /** The URI of the subject's format. */
  readonly subjectFormat: string
  /** The provider's name of its session: needed to end it. */
  readonly sessionIndex: string | undefined
  /** The endpoint the assertion was issued for. */
  readonly recipient: string
  /** Values by name, in order. */
  readonly attributes: ReadonlyMap<string, readonly string[]>
  /** Epoch milliseconds; from then on the assertion is void. */
  readonly endsAt: number
}

const NAME_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:'
/** Tolerance for clocks that differ, and the time in which a response must be used. */
const WINDOW_MS = 5 * 60_000
/** AWS's limit, in characters of base64. */
const ENCODED_MAX = 100_000

const invalid = (message: string) => new SamlRefusal('invalid', message)
const expired = (message: string) => new SamlRefusal('expired', message)

/** Throws a {@link SamlRefusal} for anything that is not a fresh response of this provider for this service. */
export function readSamlResponse(encoded: string, provider: SamlProvider, audience: SamlAudience): SamlIdentity {
  const text = decodedResponse(encoded)
  if (provider.validUntil <= audience.now) throw invalid('The metadata of the specified provider has expired.')
  const assertion = believedAssertion(text, provider)
  checkResponse(text, provider)
  const issuer = textOf(assertion, 'Issuer')
  if (issuer !== provider.entityId) throw invalid('Issuer not present in specified provider')
  checkTimes(assertion, audience)
  return identityOf(assertion, issuer, audience)
}

/** The text of a response, which proves nothing yet. */
export function decodedResponse(encoded: string): string {
  if (encoded.length > ENCODED_MAX) throw new SamlRefusal('unreadable', 'Invalid base64 SAMLResponse')
  // Anyone can send one: blanks go first, so that the check costs no more than the length.
  const base64 = encoded.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new SamlRefusal('unreadable', 'Invalid base64 SAMLResponse')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    throw new SamlRefusal('unreadable', 'Invalid base64 SAMLResponse')
  }
}

/**
 * The values of an attribute of a plain assertion that is not verified: only used for finding the provider that may
 * have signed it.
 */
export function claimedValues(text: string, attribute: string): readonly string[] {
  return [...descendants(readDocument(text))]
    .filter(({ name, attributes }) => name === 'Attribute' && attributes.get('Name') === attribute)
    .flatMap((each) => childrenOf(each, ASSERTION, 'AttributeValue').map(({ text }) => text.trim()))
}

/** The issuer of an assertion that is not verified; undefined where it is encrypted. Only used to skip providers. */
export function claimedIssuer(text: string): string | undefined {
  const assertion = [...descendants(readDocument(text))].find(({ name }) => name === 'Assertion')
  return assertion && childrenOf(assertion, ASSERTION, 'Issuer')[0]?.text.trim()
}

function believedAssertion(text: string, provider: SamlProvider): XmlElement {
  const { content, isSigned, around } = signedContent(text, provider.signingCertificates)
  if (content.name === 'Assertion') {
    if (provider.encryption === 'Required') throw invalid('The provider requires encrypted assertions.')
    return content
  }
  if (!provider.unwrap)
    throw new SamlRefusal('signature', 'the assertion is encrypted, and the provider has no private key')
  const plain = responseAround(decryptedAssertion(content, isSigned, provider.unwrap), [...around, content])
  const root = readDocument(plain)
  const assertions = [...descendants(root)].filter(({ name }) => name === 'Assertion' || name === 'EncryptedAssertion')
  const [assertion] = assertions
  if (
    assertions.length !== 1 ||
    root.children.length !== 1 ||
    assertion !== root.children[0] ||
    assertion?.name !== 'Assertion'
  )
    throw new SamlRefusal('signature', 'not exactly one assertion was encrypted')
  const hasSignature = [...descendants(root)].some(({ name }) => name === 'Signature')
  if (hasSignature || !isSigned) return signedContent(plain, provider.signingCertificates).content
  return assertion
}

function checkResponse(text: string, provider: SamlProvider): void {
  const response = readDocument(text)
  const [issuer] = childrenOf(response, ASSERTION, 'Issuer')
  if (issuer && issuer.text.trim() !== provider.entityId) throw invalid('Issuer not present in specified provider')
  const status = childrenOf(response, PROTOCOL, 'Status')[0]
  const code = status && childrenOf(status, PROTOCOL, 'StatusCode')[0]?.attributes.get('Value')
  if (code !== STATUS.success)
    throw new SamlRefusal('rejected', 'The identity provider reports that the sign-in failed.')
}

function checkTimes(assertion: XmlElement, { now, audience, isRecipient }: SamlAudience): void {
  const issuedAt = time(assertion.attributes.get('IssueInstant'))
  if (issuedAt > now + WINDOW_MS) throw invalid('The assertion is not valid yet.')
  if (issuedAt < now - WINDOW_MS) throw expired('Token must be redeemed within 5 minutes of issuance')
  const conditions = sole(assertion, 'Conditions')
  const [from, until] = [conditions.attributes.get('NotBefore'), conditions.attributes.get('NotOnOrAfter')]
  if (from !== undefined && time(from) > now + WINDOW_MS) throw invalid('The assertion is not valid yet.')
  if (until !== undefined && time(until) <= now) throw expired('The assertion has expired.')
  const audiences = childrenOf(conditions, ASSERTION, 'AudienceRestriction').map((restriction) =>
    childrenOf(restriction, ASSERTION, 'Audience').map(({ text }) => text.trim()),
  )
  // Each restriction must be met: SAML 2.0 core §2.5.1.4.
  const isOurs = (each: string) => each === audience || isRecipient(each)
  if (audiences.length === 0 || !audiences.every((each) => each.some(isOurs))) {
    throw invalid('Response does not contain the required audience.')
  }
}

function identityOf(assertion: XmlElement, issuer: string, { now, isRecipient }: SamlAudience): SamlIdentity {
  if (assertion.attributes.get('Version') !== '2.0') throw invalid('The assertion is not of SAML 2.0.')
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
  if (!isRecipient(recipient)) throw invalid('The assertion is for another recipient.')
  const endsAt = time(data.get('NotOnOrAfter'))
  if (endsAt <= now) throw expired('The assertion has expired.')
  const format = name.attributes.get('Format') ?? `${NAME_FORMAT}unspecified`
  const short = format.slice(NAME_FORMAT.length)
  return {
    id,
    inResponseTo: data.get('InResponseTo'),
    issuer,
    subject: name.text.trim(),
    subjectType: format.startsWith(NAME_FORMAT) && (short === 'persistent' || short === 'transient') ? short : format,
    subjectFormat: format,
    sessionIndex: childrenOf(assertion, ASSERTION, 'AuthnStatement')[0]?.attributes.get('SessionIndex'),
    recipient,
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
