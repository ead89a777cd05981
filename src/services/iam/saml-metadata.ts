/**
 * What IAM needs of a SAML identity provider's metadata: who it is, which certificates sign for it, how long it holds.
 *
 * A strict reader of namespaced XML without document types: entities of a document's own are how XML parsers get hurt.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
 */
import { X509Certificate } from 'node:crypto'

export interface SamlMetadata {
  readonly entityId: string
  /** DER, base64, in the document's order. */
  readonly signingCertificates: readonly string[]
  /** Epoch milliseconds. */
  readonly validUntil?: number
}

const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'

const DEPTH_MAX = 64

/** Why a document is no usable metadata. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
}

export function parseSamlMetadata(document: string): SamlMetadata {
  const root = parseXml(document)
  if (root.namespace !== METADATA || root.name !== 'EntityDescriptor') throw new MetadataError('no EntityDescriptor')
  const entityId = root.attributes.get('entityID')
  if (!entityId) throw new MetadataError('no entityID')
  const provider = children(root, METADATA, 'IDPSSODescriptor')
  if (provider.length === 0) throw new MetadataError('no IDPSSODescriptor')

  const signingCertificates = provider
    .flatMap((descriptor) => children(descriptor, METADATA, 'KeyDescriptor'))
    .filter((key) => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => children(key, SIGNATURE, 'KeyInfo'))
    .flatMap((info) => children(info, SIGNATURE, 'X509Data'))
    .flatMap((data) => children(data, SIGNATURE, 'X509Certificate'))
    .map((certificate) => derOf(certificate.text))
  if (signingCertificates.length === 0) throw new MetadataError('no signing certificate')

  const validUntil = root.attributes.get('validUntil')
  if (validUntil === undefined) return { entityId, signingCertificates }
  const at = Date.parse(validUntil)
  if (Number.isNaN(at)) throw new MetadataError('validUntil is no date')
  return { entityId, signingCertificates, validUntil: at }
}

function derOf(text: string): string {
  const der = text.replace(/\s/g, '')
  try {
    new X509Certificate(Buffer.from(der, 'base64'))
  } catch {
    throw new MetadataError('a certificate cannot be read')
  }
  return der
}

interface Element {
  readonly namespace: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  text: string
}

function children(element: Element, namespace: string, name: string): readonly Element[] {
  return element.children.filter((child) => child.namespace === namespace && child.name === name)
}

type Prefixes = ReadonlyMap<string, string>

/** One token: a comment, a declaration or instruction, CDATA, a tag, or text. */
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?='"]+)((?:\s+[^\s<>/='"]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
const ATTRIBUTE = /([^\s<>/='"]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

function parseXml(document: string): Element {
  const top: Element = { namespace: '', name: '', attributes: new Map(), children: [], text: '' }
  const open: { element: Element; tag: string; prefixes: Prefixes }[] = [
    { element: top, tag: '', prefixes: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]) },
  ]
  const text = document.replace(/^\uFEFF/, '')
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)
    if (!token) throw new MetadataError('not well-formed XML')
    at = TOKEN.lastIndex
    const [, cdata, closed, opened, attributes = '', alone, characters] = token
    const { element, tag, prefixes } = open.at(-1)!
    if (cdata !== undefined) element.text += cdata
    else if (characters !== undefined) element.text += unescaped(characters)
    else if (closed !== undefined) {
      if (closed !== tag || open.length === 1) throw new MetadataError('tags do not match')
      open.pop()
    } else if (opened !== undefined) {
      if (open.length > DEPTH_MAX) throw new MetadataError('too deep')
      const child = elementOf(opened, attributes, prefixes)
      element.children.push(child.element)
      if (!alone) open.push({ ...child, tag: opened })
    }
  }
  if (open.length > 1) throw new MetadataError('a tag is not closed')
  if (top.children.length !== 1 || top.text.trim() !== '') throw new MetadataError('not one root element')
  return top.children[0]!
}

function elementOf(tag: string, text: string, outer: Prefixes): { element: Element; prefixes: Prefixes } {
  const attributes = new Map<string, string>()
  let prefixes = outer
  for (const [, name = '', double, single] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) throw new MetadataError('an attribute appears twice')
    const value = unescaped(double ?? single ?? '')
    attributes.set(name, value)
    if (name === 'xmlns') prefixes = new Map(prefixes).set('', value)
    else if (name.startsWith('xmlns:')) prefixes = new Map(prefixes).set(name.slice('xmlns:'.length), value)
  }
  const [prefix, name] = tag.includes(':')
    ? [tag.slice(0, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)]
    : ['', tag]
  const namespace = prefixes.get(prefix)
  if (namespace === undefined && prefix !== '') throw new MetadataError('an unknown namespace prefix')
  return { element: { namespace: namespace ?? '', name, attributes, children: [], text: '' }, prefixes }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const numeric = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name)
    const code = numeric ? Number.parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 10) : undefined
    const character = code === undefined ? ENTITIES[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (character === undefined || !whole.endsWith(';')) throw new MetadataError('an unknown entity')
    return character
  })
}
