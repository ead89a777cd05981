/**
 * The signatures of a SAML response. What is believed is read from the bytes that were signed and from nothing else, so
 * that a signed assertion cannot be wrapped around another.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf §5
 */
import { DOMParser } from '@xmldom/xmldom'
import { SignedXml } from 'xml-crypto'
import { childrenOf, parseXml, type XmlElement, XmlError } from '../../kernel/xml.ts'
import { ASSERTION, PROTOCOL } from './saml-names.ts'

const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'

const SIGNATURE_METHODS: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
])
const DIGEST_METHODS: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
])
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const TRANSFORMS: ReadonlySet<string> = new Set([`${SIGNATURE}enveloped-signature`, EXCLUSIVE])

/** Why a response is not to be believed. For logs and tests; its sender is told less. */
export class SamlError extends Error {
  override readonly name = 'SamlError'
}

/**
 * The one assertion of a response, as signed with one of these certificates (DER, base64): by itself or by the response
 * around it. Throws a `SamlError`.
 */
export function signedAssertion(response: string, certificates: readonly string[]): XmlElement {
  const root = read(response)
  if (root.namespace !== PROTOCOL || root.name !== 'Response') throw new SamlError('not a SAML response')
  const everything = [...descendants(root)]
  if (everything.some(({ name }) => name === 'EncryptedAssertion')) throw new SamlError('the assertion is encrypted')
  const assertions = everything.filter(({ name }) => name === 'Assertion')
  const [assertion] = assertions
  if (assertions.length !== 1 || !root.children.includes(assertion!) || assertion!.namespace !== ASSERTION) {
    throw new SamlError('not exactly one assertion in the response')
  }
  uniqueIds([root, ...everything])
  const signatures = everything.filter(({ name, namespace }) => name === 'Signature' && namespace === SIGNATURE)
  const own = [root, assertion!].flatMap((parent) =>
    childrenOf(parent, SIGNATURE, 'Signature').map((signature) => ({ parent, signature })),
  )
  if (own.length === 0) throw new SamlError('not signed')
  if (own.length !== signatures.length) throw new SamlError('a signature stands where none belongs')

  const dom = parsedDom(response)
  let believed: XmlElement | undefined
  for (const { parent, signature } of own) {
    checkForm(parent, signature)
    const signed = read(verified(response, signatureNode(dom, parent), certificates))
    if (signed.name !== parent.name || signed.namespace !== parent.namespace) {
      throw new SamlError('the signature is of something else')
    }
    const inside = signed.name === 'Assertion' ? [signed] : childrenOf(signed, ASSERTION, 'Assertion')
    if (inside.length !== 1) throw new SamlError('the signed response has not one assertion')
    believed = inside[0]!
  }
  return believed!
}

function read(xml: string): XmlElement {
  // Document types bring entities, instructions bring stylesheets: no identity provider sends either.
  if (/<!(?!--|\[CDATA\[)/.test(xml) || /<\?(?!xml\s)/.test(xml))
    throw new SamlError('a document type or an instruction')
  try {
    return parseXml(xml)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new SamlError(error.message)
  }
}

function* descendants(element: XmlElement): Generator<XmlElement> {
  for (const child of element.children) {
    yield child
    yield* descendants(child)
  }
}

function uniqueIds(elements: readonly XmlElement[]): void {
  const seen = new Set<string>()
  for (const { attributes } of elements) {
    for (const name of ['ID', 'Id', 'id']) {
      const id = attributes.get(name)
      if (id === undefined) continue
      if (seen.has(id)) throw new SamlError('an ID is used twice')
      seen.add(id)
    }
  }
}

/** One reference, to the element the signature stands in; strong algorithms, and no transform that changes a meaning. */
function checkForm(parent: XmlElement, signature: XmlElement): void {
  const info = only(signature, 'SignedInfo')
  const algorithm = (element: XmlElement) => element.attributes.get('Algorithm') ?? ''
  if (algorithm(only(info, 'CanonicalizationMethod')) !== EXCLUSIVE)
    throw new SamlError('not canonicalised as SAML asks')
  if (!SIGNATURE_METHODS.has(algorithm(only(info, 'SignatureMethod'))))
    throw new SamlError('a weak or unknown signature')
  const reference = only(info, 'Reference')
  if (reference.attributes.get('URI') !== `#${parent.attributes.get('ID')}`)
    throw new SamlError('the signature is of something else')
  if (!DIGEST_METHODS.has(algorithm(only(reference, 'DigestMethod')))) throw new SamlError('a weak or unknown digest')
  const transforms = childrenOf(only(reference, 'Transforms'), SIGNATURE, 'Transform')
  if (transforms.length > 2 || !transforms.every((each) => TRANSFORMS.has(algorithm(each)))) {
    throw new SamlError('a transform that SAML does not allow')
  }
}

function only(element: XmlElement, name: string): XmlElement {
  const found = childrenOf(element, SIGNATURE, name)
  if (found.length !== 1) throw new SamlError(`not one ${name}`)
  return found[0]!
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
  throw new SamlError(`not well-formed XML: ${message.split('\n')[0]}`)
}

/** The node that `parent` is in the other parser's tree: the root, or its one assertion. */
function signatureNode(root: DomElement, parent: XmlElement): DomElement {
  const children = (of: DomElement) =>
    Array.from(of.childNodes as ArrayLike<DomElement>).filter((node) => node.nodeType === 1)
  const element = parent.name === 'Response' ? root : children(root).find(({ localName }) => localName === 'Assertion')
  const signature = element && children(element).find(({ localName }) => localName === 'Signature')
  if (!signature) throw new SamlError('not signed')
  return signature
}

/** The canonical bytes that the signature covers. */
function verified(xml: string, signature: DomElement, certificates: readonly string[]): string {
  for (const certificate of certificates) {
    const lines = certificate.match(/.{1,64}/g)!.join('\n')
    const publicCert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
    // Never the key that the message itself brings.
    const signed = new SignedXml({ publicCert, getCertFromKeyInfo: () => null })
    try {
      signed.loadSignature(signature as never)
      if (!signed.checkSignature(xml)) continue
    } catch {
      // Another certificate may fit: providers announce old and new ones side by side.
      continue
    }
    const [reference, ...more] = signed.getSignedReferences()
    if (reference === undefined || more.length > 0) throw new SamlError('the signature is of something else')
    return reference
  }
  throw new SamlError('the signature does not verify')
}
