/**
 * SAML responses as an identity provider issues them: an assertion about a person, or the reason why there is none. Both
 * the assertion and the response around it are signed with RSA and SHA-256.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-profiles-2.0-os.pdf §4.1.4
 *
 * @example
 * const xml = await issueResponse({ issuer, destination, audience, subject, attributes, … }, signer)
 */
import { createHash } from 'node:crypto'
import { EXCLUSIVE } from './algorithms.ts'
import { element, type Markup, text } from './canonical-writer.ts'
import { ASSERTION, BEARER, PROTOCOL, SIGNATURE, STATUS } from './names.ts'

export interface SamlSigner {
  /** DER, base64. */
  readonly certificate: string
  /** RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
}

interface Envelope {
  /** Of the response. */
  readonly id: string
  /** The entity ID of this identity provider. */
  readonly issuer: string
  /** The assertion consumer service. */
  readonly destination: string
  /** The request that is answered; undefined where the person began here. */
  readonly inResponseTo: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

export interface AttributeStatement {
  readonly name: string
  /** The URI of its name format. */
  readonly format: string
  readonly values: readonly string[]
}

export interface AssertionRequest extends Envelope {
  readonly assertionId: string
  /** The entity ID of the service provider. */
  readonly audience: string
  readonly subject: { readonly value: string; readonly format: string }
  readonly attributes: readonly AttributeStatement[]
  readonly session: {
    /** Opaque: names the session and nothing of the person. */
    readonly index: string
    /** Epoch milliseconds: when the person signed in, and when the service provider should end its session. */
    readonly authenticatedAt: number
    readonly endsAt: number
    /** The URI of the authentication context. */
    readonly context: string
  }
}

/** How long a response can be used, and how far the clock of its receiver may be behind. */
const LIFETIME_MS = 5 * 60_000
const SKEW_MS = 60_000

const instant = (ms: number): string => new Date(ms).toISOString()

export async function issueResponse(request: AssertionRequest, signer: SamlSigner): Promise<string> {
  const assertion = await signed(request.assertionId, signer, (signature) => assertionOf(request, signature))
  return signed(request.id, signer, (signature) =>
    responseOf(request, signature, statusOf([STATUS.success]), assertion),
  )
}

/** A response without an assertion. `codes`: the status, and below it the reason. */
export function issueRefusal(
  request: Envelope & { readonly codes: readonly [string, string]; readonly message: string },
  signer: SamlSigner,
): Promise<string> {
  return signed(request.id, signer, (signature) =>
    responseOf(request, signature, statusOf(request.codes, request.message), undefined),
  )
}

const issuerOf = ({ issuer }: Envelope, declaration: Readonly<Record<string, string>>): Markup =>
  element('saml:Issuer', declaration, text(issuer))

function responseOf(
  request: Envelope,
  signature: Markup | undefined,
  status: Markup,
  assertion: Markup | undefined,
): Markup {
  return element(
    'samlp:Response',
    {
      'xmlns:samlp': PROTOCOL,
      ID: request.id,
      Version: '2.0',
      IssueInstant: instant(request.now),
      Destination: request.destination,
      InResponseTo: request.inResponseTo,
    },
    issuerOf(request, { 'xmlns:saml': ASSERTION }),
    signature,
    status,
    assertion,
  )
}

function statusOf([outer, inner]: readonly [string, string?], message?: string): Markup {
  return element(
    'samlp:Status',
    {},
    element(
      'samlp:StatusCode',
      { Value: outer },
      inner === undefined ? undefined : element('samlp:StatusCode', { Value: inner }),
    ),
    message === undefined ? undefined : element('samlp:StatusMessage', {}, text(message)),
  )
}

function assertionOf(request: AssertionRequest, signature: Markup | undefined): Markup {
  const { now, subject, session, attributes } = request
  const until = instant(now + LIFETIME_MS)
  return element(
    'saml:Assertion',
    { 'xmlns:saml': ASSERTION, ID: request.assertionId, Version: '2.0', IssueInstant: instant(now) },
    issuerOf(request, {}),
    signature,
    element(
      'saml:Subject',
      {},
      element('saml:NameID', { Format: subject.format }, text(subject.value)),
      element(
        'saml:SubjectConfirmation',
        { Method: BEARER },
        element('saml:SubjectConfirmationData', {
          InResponseTo: request.inResponseTo,
          NotOnOrAfter: until,
          Recipient: request.destination,
        }),
      ),
    ),
    element(
      'saml:Conditions',
      { NotBefore: instant(now - SKEW_MS), NotOnOrAfter: until },
      element('saml:AudienceRestriction', {}, element('saml:Audience', {}, text(request.audience))),
    ),
    element(
      'saml:AuthnStatement',
      {
        AuthnInstant: instant(session.authenticatedAt),
        SessionIndex: session.index,
        SessionNotOnOrAfter: instant(session.endsAt),
      },
      element('saml:AuthnContext', {}, element('saml:AuthnContextClassRef', {}, text(session.context))),
    ),
    attributes.length === 0
      ? undefined
      : element(
          'saml:AttributeStatement',
          {},
          ...attributes.map(({ name, format, values }) =>
            element(
              'saml:Attribute',
              { Name: name, NameFormat: format },
              ...values.map((value) => element('saml:AttributeValue', {}, text(value))),
            ),
          ),
        ),
  )
}

const DECLARED = { 'xmlns:ds': SIGNATURE }

/** The element with its enveloped signature. `build` writes it without one first: that is what is hashed. */
async function signed(
  id: string,
  { certificate, sign }: SamlSigner,
  build: (signature: Markup | undefined) => Markup,
): Promise<Markup> {
  const digest = createHash('sha256').update(build(undefined), 'utf8').digest('base64')
  const signedInfo = (declaration: Readonly<Record<string, string>>): Markup =>
    element(
      'ds:SignedInfo',
      declaration,
      element('ds:CanonicalizationMethod', { Algorithm: EXCLUSIVE }),
      element('ds:SignatureMethod', { Algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256' }),
      element(
        'ds:Reference',
        { URI: `#${id}` },
        element(
          'ds:Transforms',
          {},
          element('ds:Transform', { Algorithm: `${SIGNATURE}enveloped-signature` }),
          element('ds:Transform', { Algorithm: EXCLUSIVE }),
        ),
        element('ds:DigestMethod', { Algorithm: 'http://www.w3.org/2001/04/xmlenc#sha256' }),
        element('ds:DigestValue', {}, text(digest)),
      ),
    )
  // Canonicalization of the signed part alone shows the declaration, which in the document is one element above.
  const value = await sign(Buffer.from(signedInfo(DECLARED), 'utf8'))
  return build(
    element(
      'ds:Signature',
      DECLARED,
      signedInfo({}),
      element('ds:SignatureValue', {}, text(Buffer.from(value).toString('base64'))),
      element('ds:KeyInfo', {}, element('ds:X509Data', {}, element('ds:X509Certificate', {}, text(certificate)))),
    ),
  )
}
