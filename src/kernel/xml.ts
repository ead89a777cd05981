/**
 * A strict reader of namespaced XML without document types: entities of a document's own are how XML parsers get hurt.
 * Source: https://www.w3.org/TR/xml-names/
 */

/** Why a text is no XML that we read. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
}

const DEPTH_MAX = 64

export interface XmlElement {
  readonly namespace: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: XmlElement[]
  text: string
}

/** The children of that name, in order. */
export function childrenOf(element: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.namespace === namespace && child.name === name)
}

type Prefixes = ReadonlyMap<string, string>

/** One token: a comment, a declaration or instruction, CDATA, a tag, or text. */
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?='"]+)((?:\s+[^\s<>/='"]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
const ATTRIBUTE = /([^\s<>/='"]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** The root element. Throws an `XmlError`. Comments and instructions are passed over. */
export function parseXml(document: string): XmlElement {
  const top: XmlElement = { namespace: '', name: '', attributes: new Map(), children: [], text: '' }
  const open: { element: XmlElement; tag: string; prefixes: Prefixes }[] = [
    { element: top, tag: '', prefixes: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]) },
  ]
  const text = document.replace(/^\uFEFF/, '')
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)
    if (!token) throw new XmlError('not well-formed XML')
    at = TOKEN.lastIndex
    const [, cdata, closed, opened, attributes = '', alone, characters] = token
    const { element, tag, prefixes } = open.at(-1)!
    if (cdata !== undefined) element.text += cdata
    else if (characters !== undefined) element.text += unescaped(characters)
    else if (closed !== undefined) {
      if (closed !== tag || open.length === 1) throw new XmlError('tags do not match')
      open.pop()
    } else if (opened !== undefined) {
      if (open.length > DEPTH_MAX) throw new XmlError('too deep')
      const child = elementOf(opened, attributes, prefixes)
      element.children.push(child.element)
      if (!alone) open.push({ ...child, tag: opened })
    }
  }
  if (open.length > 1) throw new XmlError('a tag is not closed')
  if (top.children.length !== 1 || top.text.trim() !== '') throw new XmlError('not one root element')
  return top.children[0]!
}

function elementOf(tag: string, text: string, outer: Prefixes): { element: XmlElement; prefixes: Prefixes } {
  const attributes = new Map<string, string>()
  let prefixes = outer
  for (const [, name = '', double, single] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) throw new XmlError('an attribute appears twice')
    const value = unescaped(double ?? single ?? '')
    attributes.set(name, value)
    if (name === 'xmlns') prefixes = new Map(prefixes).set('', value)
    else if (name.startsWith('xmlns:')) prefixes = new Map(prefixes).set(name.slice('xmlns:'.length), value)
  }
  const [prefix, name] = tag.includes(':')
    ? [tag.slice(0, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)]
    : ['', tag]
  const namespace = prefixes.get(prefix)
  if (namespace === undefined && prefix !== '') throw new XmlError('an unknown namespace prefix')
  return { element: { namespace: namespace ?? '', name, attributes, children: [], text: '' }, prefixes }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const numeric = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name)
    const code = numeric ? Number.parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 10) : undefined
    const character = code === undefined ? ENTITIES[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (character === undefined || !whole.endsWith(';')) throw new XmlError('an unknown entity')
    return character
  })
}
