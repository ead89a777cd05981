/** The XML of SAML messages: read strictly, searched within limits. */
import { childrenOf, parseXml, type XmlElement, XmlError } from '../xml/xml.ts'
import { SamlRefusal, type SamlRefusalKind } from './refusal.ts'

/** Document types bring entities, and instructions bring style sheets. No identity provider sends either. */
export function readDocument(xml: string, kind: SamlRefusalKind = 'signature'): XmlElement {
  if (/<!(?!--|\[CDATA\[)/.test(xml) || /<\?(?!xml\s)/.test(xml))
    throw new SamlRefusal(kind, 'the XML has a document type or a processing instruction')
  try {
    return parseXml(xml)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new SamlRefusal(kind, error.message)
  }
}

export function* descendants(element: XmlElement): Generator<XmlElement> {
  for (const child of element.children) {
    yield child
    yield* descendants(child)
  }
}

/** The one child of that name. */
export function onlyChild(element: XmlElement, namespace: string, name: string): XmlElement {
  const found = childrenOf(element, namespace, name)
  if (found.length !== 1) throw new SamlRefusal('signature', `not exactly one ${name}`)
  return found[0]!
}

export const algorithmOf = (element: XmlElement): string => element.attributes.get('Algorithm') ?? ''
