/**
 * Authentication requests of service providers (`AuthnRequest`), as an identity provider reads them: by a redirect, with
 * the signature beside the message, or by a form, with the signature inside it.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf §3.4, §3.5
 */
import { createVerify, X509Certificate } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { childrenOf, type XmlElement } from '../xml/xml.ts'
import { hashOfSignature } from './algorithms.ts'
import { readDocument } from './document.ts'
import { ASSERTION, PROTOCOL } from './names.ts'
import { SamlRefusal } from './refusal.ts'
import { signedRoot } from './signature.ts'

export interface AuthnRequest {
  readonly id: string
  /** The entity ID of the service provider. */
  readonly issuer: string
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly destination: string | undefined
  /** Where the response should go: by address, or by the index in the metadata. */
  readonly acsUrl: string | undefined
  readonly acsIndex: number | undefined
  readonly protocolBinding: string | undefined
  /** The person must sign in again. */
  readonly isForced: boolean
  /** The person must not be prompted. */
  readonly isPassive: boolean
  /** Whether a certificate of the service provider verified it. */
  readonly isSigned: boolean
}

/** A request by redirect. `rawQuery` is the query as it came: the signature covers its bytes. */
export interface RedirectMessage {
  readonly binding: 'redirect'
  readonly message: string
  readonly rawQuery: string
}

export interface PostMessage {
  readonly binding: 'post'
  readonly message: string
}

/** In characters of base64; requests have a thousand. */
const ENCODED_MAX = 32_768
const XML_BYTES_MAX = 64 * 1024
const ID_CHARS_MAX = 256
const LESS_THAN = 0x3c

const unreadable = (why: string) => new SamlRefusal('unreadable', why)

/**
 * Reads a request. Where the service provider has certificates (DER, base64), a signature on the request must be one of
 * theirs; without certificates signatures prove nothing and are passed over. Throws a {@link SamlRefusal}.
 */
export function readAuthnRequest(sent: RedirectMessage | PostMessage, certificates: readonly string[]): AuthnRequest {
  const bytes = decoded(sent.message)
  // By form the message is plain, but node-saml compresses it there, too.
  const xml = sent.binding === 'post' && bytes[0] === LESS_THAN ? bytes.toString('utf8') : inflated(bytes)
  const root = readDocument(xml, 'unreadable')
  if (root.namespace !== PROTOCOL || root.name !== 'AuthnRequest') throw unreadable('not an authentication request')
  if (certificates.length === 0) return requestOf(root, false)
  if (sent.binding === 'redirect') return requestOf(root, isQuerySigned(sent.rawQuery, certificates))
  const verified = signedRoot(xml, certificates)
  return requestOf(verified ?? root, verified !== undefined)
}

function decoded(message: string): Buffer {
  if (message.length > ENCODED_MAX) throw unreadable('the request is too long')
  const base64 = message.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw unreadable('the request is not base64')
  return Buffer.from(base64, 'base64')
}

function inflated(compressed: Buffer): string {
  try {
    return inflateRawSync(compressed, { maxOutputLength: XML_BYTES_MAX }).toString('utf8')
  } catch {
    throw unreadable('the request cannot be inflated')
  }
}

/** The signature beside a redirected message covers three parameters in this order, as they were encoded. */
function isQuerySigned(rawQuery: string, certificates: readonly string[]): boolean {
  const raw = new Map<string, string>()
  for (const part of rawQuery.split('&')) {
    const [name = '', value = ''] = part.split(/=(.*)/s)
    if (raw.has(name)) throw new SamlRefusal('signature', 'a parameter of the request appears twice')
    raw.set(name, value)
  }
  const signature = raw.get('Signature')
  if (signature === undefined) return false
  const hash = hashOfSignature(decodedValue(raw.get('SigAlg')))
  if (hash === undefined) throw new SamlRefusal('signature', 'a weak or unknown signature algorithm')
  const names = ['SAMLRequest', 'RelayState', 'SigAlg'].filter((name) => raw.has(name))
  const covered = (valueIn: (name: string) => string) => names.map((name) => `${name}=${valueIn(name)}`).join('&')
  // node-saml signs spaces as %20 and sends them as +: the values are the same.
  const texts = new Set([
    covered((name) => raw.get(name)!),
    covered((name) => encodeURIComponent(decodedValue(raw.get(name)))),
  ])
  const bytes = Buffer.from(decodedValue(signature), 'base64')
  const keys = certificates.map((certificate) => new X509Certificate(Buffer.from(certificate, 'base64')).publicKey)
  const isRight = keys.some((key) =>
    [...texts].some((text) => createVerify(hash).update(text).verify({ key, dsaEncoding: 'ieee-p1363' }, bytes)),
  )
  if (!isRight)
    throw new SamlRefusal('signature', 'the signature does not match any certificate of the service provider')
  return true
}

function decodedValue(raw: string | undefined): string {
  try {
    return decodeURIComponent((raw ?? '').replaceAll('+', ' '))
  } catch {
    throw unreadable('the request cannot be decoded')
  }
}

function requestOf(root: XmlElement, isSigned: boolean): AuthnRequest {
  const { attributes } = root
  const id = attributes.get('ID') ?? ''
  if (!/^[A-Za-z_][\w.-]*$/.test(id) || id.length > ID_CHARS_MAX) throw unreadable('the request has no usable ID')
  if (attributes.get('Version') !== '2.0') throw unreadable('the request is not of SAML 2.0')
  const [issuer, ...more] = childrenOf(root, ASSERTION, 'Issuer')
  if (!issuer || more.length > 0) throw unreadable('the request must have one Issuer')
  const at = attributes.get('IssueInstant') ?? ''
  const issuedAt = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(at) ? Date.parse(at) : Number.NaN
  if (Number.isNaN(issuedAt)) throw unreadable('the request has no time that can be read')
  const index = attributes.get('AssertionConsumerServiceIndex')
  if (index !== undefined && !/^\d{1,5}$/.test(index)) throw unreadable('AssertionConsumerServiceIndex is no number')
  return {
    id,
    issuer: issuer.text.trim(),
    issuedAt,
    destination: attributes.get('Destination'),
    acsUrl: attributes.get('AssertionConsumerServiceURL'),
    acsIndex: index === undefined ? undefined : Number(index),
    protocolBinding: attributes.get('ProtocolBinding'),
    isForced: isTrue(attributes.get('ForceAuthn')),
    isPassive: isTrue(attributes.get('IsPassive')),
    isSigned,
  }
}

/** `xs:boolean` */
const isTrue = (value: string | undefined): boolean => value === 'true' || value === '1'
