/**
 * The signatures of a SAML response. Claims are read from the bytes that were signed and from nothing else, so that a
 * signed assertion cannot be wrapped around another.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf §5
 */
import { DOMParser } from '@xmldom/xmldom'
import { SignedXml } from 'xml-crypto'
import { childrenOf, type XmlElement } from '../xml/xml.ts'
import {
  digestAlgorithms,
  isCanonicalization,
  isDigestAlgorithm,
  isSignatureAlgorithm,
  signatureAlgorithms,
} from './algorithms.ts'
import { algorithmOf, descendants, onlyChild, readDocument } from './document.ts'
import { ASSERTION, PROTOCOL, SIGNATURE } from './names.ts'
import { SamlRefusal } from './refusal.ts'

export interface SignedResponse {
  /** The assertion as signed, plain or encrypted. */
  readonly content: XmlElement
  /** Of the assertion or of the response around it. False only for an encrypted assertion, whose signature is inside. */
  readonly isSigned: boolean
  /** The elements around the content, outermost first: their namespace declarations are in scope. */
  readonly around: readonly XmlElement[]
}

/**
 * The one assertion of a response, as signed with one of these certificates (DER, base64): itself or by the response
 * around it. An encrypted assertion is returned encrypted.
 */
export function signedContent(response: string, certificates: readonly string[]): SignedResponse {
  const root = readDocument(response)
  if (root.namespace !== PROTOCOL || root.name !== 'Response') throw refused('not a SAML response')
  const everything = [...descendants(root)]
  const assertions = everything.filter(({ name }) => name === 'Assertion' || name === 'EncryptedAssertion')
  const [assertion] = assertions
  if (assertions.length !== 1 || !root.children.includes(assertion!) || assertion!.namespace !== ASSERTION) {
    throw refused('not exactly one assertion in the response')
  }
  uniqueIds([root, ...everything])
  const signatures = everything.filter(({ name, namespace }) => name === 'Signature' && namespace === SIGNATURE)
  const isEncrypted = assertion!.name === 'EncryptedAssertion'
  const signed = (isEncrypted ? [root] : [root, assertion!]).flatMap((parent) =>
    childrenOf(parent, SIGNATURE, 'Signature').map((signature) => ({ parent, signature })),
  )
  if (signed.length === 0 && !isEncrypted) throw refused('not signed')
  if (signed.length !== signatures.length) throw refused('a signature is in a place where none is allowed')
  if (signed.length === 0) return { content: assertion!, isSigned: false, around: [root] }

  const dom = parsedDom(response)
  let content: SignedResponse | undefined
  for (const { parent, signature } of signed) {
    checkForm(parent, signature)
    const verified = readDocument(canonicalBytes(response, signatureNode(dom, parent), certificates))
    if (verified.name !== parent.name || verified.namespace !== parent.namespace) {
      throw refused('the signature covers another element')
    }
    const isAssertion = verified.name === 'Assertion'
    const inside = isAssertion ? [verified] : childrenOf(verified, ASSERTION, assertion!.name)
    if (inside.length !== 1) throw refused('the signed response does not have exactly one assertion')
    content = { content: inside[0]!, isSigned: true, around: isAssertion ? [] : [verified] }
  }
  return content!
}

/**
 * The root element of a message as its own signature covers it, by one of these certificates (DER, base64). undefined
 * where nothing is signed.
 */
export function signedRoot(message: string, certificates: readonly string[]): XmlElement | undefined {
  const root = readDocument(message)
  const everything = [...descendants(root)]
  uniqueIds([root, ...everything])
  const signatures = everything.filter(({ name, namespace }) => name === 'Signature' && namespace === SIGNATURE)
  const [signature] = signatures
  if (!signature) return undefined
  if (signatures.length > 1 || !root.children.includes(signature))
    throw refused('a signature is in a place where none is allowed')
  checkForm(root, signature)
  const verified = readDocument(canonicalBytes(message, childSignature(parsedDom(message)), certificates))
  if (verified.name !== root.name || verified.namespace !== root.namespace)
    throw refused('the signature covers another element')
  return verified
}

const refused = (why: string) => new SamlRefusal('signature', why)

function uniqueIds(elements: readonly XmlElement[]): void {
  const seen = new Set<string>()
  for (const { attributes } of elements) {
    for (const name of ['ID', 'Id', 'id']) {
      const id = attributes.get(name)
      if (id === undefined) continue
      if (seen.has(id)) throw refused('an ID is used twice')
      seen.add(id)
    }
  }
}

/** One reference, to the element that contains the signature; strong algorithms, and no transform that changes a meaning. */
function checkForm(parent: XmlElement, signature: XmlElement): void {
  const info = onlyChild(signature, SIGNATURE, 'SignedInfo')
  if (!isCanonicalization(algorithmOf(onlyChild(info, SIGNATURE, 'CanonicalizationMethod'))))
    throw refused('the canonicalization is not the exclusive one')
  if (!isSignatureAlgorithm(algorithmOf(onlyChild(info, SIGNATURE, 'SignatureMethod'))))
    throw refused('a weak or unknown signature algorithm')
  const reference = onlyChild(info, SIGNATURE, 'Reference')
  const id = parent.attributes.get('ID')
  if (!id || reference.attributes.get('URI') !== `#${id}`) throw refused('the signature covers another element')
  if (!isDigestAlgorithm(algorithmOf(onlyChild(reference, SIGNATURE, 'DigestMethod'))))
    throw refused('a weak or unknown digest algorithm')
  const transforms = childrenOf(onlyChild(reference, SIGNATURE, 'Transforms'), SIGNATURE, 'Transform').map(algorithmOf)
  const isAllowed = (uri: string) => uri === `${SIGNATURE}enveloped-signature` || isCanonicalization(uri)
  if (transforms.length > 2 || !transforms.every(isAllowed)) throw refused('a transform that SAML does not allow')
}

/** As much of a DOM element as is needed to find a signature. */
interface DomElement {
  readonly nodeType: number
  readonly localName: string
  readonly childNodes: Iterable<DomElement> | ArrayLike<DomElement>
}

function parsedDom(xml: string): DomElement {
  const parser = new DOMParser({ errorHandler: { warning: () => undefined, error: fail, fatalError: fail } })
  return parser.parseFromString(xml, 'text/xml').documentElement as unknown as DomElement
}

function fail(message: string): never {
  throw refused(`not well-formed XML: ${message.split('\n')[0]}`)
}

/** The signature's node in the other parser's tree: a child of the root, or of its one assertion. */
function signatureNode(root: DomElement, parent: XmlElement): DomElement {
  return childSignature(
    parent.name === 'Response' ? root : children(root).find(({ localName }) => localName === 'Assertion'),
  )
}

const children = (of: DomElement) =>
  Array.from(of.childNodes as ArrayLike<DomElement>).filter((node) => node.nodeType === 1)

function childSignature(element: DomElement | undefined): DomElement {
  const signature = element && children(element).find(({ localName }) => localName === 'Signature')
  if (!signature) throw refused('not signed')
  return signature
}

/** The canonical bytes that the signature covers. */
function canonicalBytes(xml: string, signature: DomElement, certificates: readonly string[]): string {
  for (const certificate of certificates) {
    const lines = certificate.match(/.{1,64}/g)!.join('\n')
    const publicCert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
    // Never the key that the message itself brings.
    const signed = new SignedXml({ publicCert, getCertFromKeyInfo: () => null })
    signed.SignatureAlgorithms = signatureAlgorithms as never
    signed.HashAlgorithms = digestAlgorithms as never
    try {
      signed.loadSignature(signature as never)
      if (!signed.checkSignature(xml)) continue
    } catch {
      // Another certificate may fit: providers publish old and new ones beside each other.
      continue
    }
    const [reference, ...more] = signed.getSignedReferences()
    if (reference === undefined || more.length > 0) throw refused('the signature covers another element')
    return reference
  }
  throw refused('the signature does not match any certificate of its sender')
}
