/**
 * A strict reader of namespaced XML without document types: entities of a document's own are how XML parsers get hurt.
 * Source: https://www.w3.org/TR/xml-names/
 */

/** Why a text is no XML that we read. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
}

const DEPTH_MAX = 64
/** A list of a thousand objects has some ten thousand elements, a federation's metadata fewer. */
const ELEMENTS_MAX = 50_000
const ATTRIBUTES_MAX = 10_000
const ATTRIBUTES_OF_ELEMENT_MAX = 64
/** Some identity providers declare two namespaces on each value. */
const DECLARATIONS_MAX = 2_000
/** In scope at one place: canonicalization compares each element with all of them. */
const SCOPE_MAX = 64

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

/** One token: a comment, a declaration or instruction, CDATA, a tag, or text. */
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?='"]+)((?:\s+[^\s<>/='"]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
const ATTRIBUTE = /([^\s<>/='"]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** The root element. Throws an `XmlError`. Comments and instructions are passed over. */
export function parseXml(document: string): XmlElement {
  const top: XmlElement = { namespace: '', name: '', attributes: new Map(), children: [], text: '' }
  const namespaces = new Namespaces()
  const open: { element: XmlElement; tag: string; declared: readonly string[] }[] = [
    { element: top, tag: '', declared: [] },
  ]
  const text = document.replace(/^\uFEFF/, '')
  let elements = 0
  let attributes = 0
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)
    if (!token) throw new XmlError('not well-formed XML')
    at = TOKEN.lastIndex
    const [, cdata, closed, opened, written = '', alone, characters] = token
    const { element, tag, declared } = open.at(-1)!
    if (cdata !== undefined) element.text += cdata
    else if (characters !== undefined) element.text += unescaped(characters)
    else if (closed !== undefined) {
      if (closed !== tag || open.length === 1) throw new XmlError('tags do not match')
      namespaces.leave(declared)
      open.pop()
    } else if (opened !== undefined) {
      if (open.length > DEPTH_MAX) throw new XmlError('too deep')
      if (++elements > ELEMENTS_MAX) throw new XmlError('too many elements')
      const child = elementOf(opened, written, namespaces)
      attributes += child.element.attributes.size
      if (attributes > ATTRIBUTES_MAX) throw new XmlError('too many attributes')
      element.children.push(child.element)
      if (alone) namespaces.leave(child.declared)
      else open.push({ ...child, tag: opened })
    }
  }
  if (open.length > 1) throw new XmlError('a tag is not closed')
  if (top.children.length !== 1 || top.text.trim() !== '') throw new XmlError('not one root element')
  return top.children[0]!
}

/** The prefixes in scope: entering and leaving an element costs what it declares, however much was declared around it. */
class Namespaces {
  readonly #bound = new Map([['xml', ['http://www.w3.org/XML/1998/namespace']]])
  #declarations = 0
  #inScope = 0

  get(prefix: string): string | undefined {
    return this.#bound.get(prefix)?.at(-1)
  }

  enter(prefix: string, namespace: string): void {
    if (++this.#declarations > DECLARATIONS_MAX || ++this.#inScope > SCOPE_MAX)
      throw new XmlError('too many namespace declarations')
    const bound = this.#bound.get(prefix)
    if (bound) bound.push(namespace)
    else this.#bound.set(prefix, [namespace])
  }

  leave(prefixes: readonly string[]): void {
    this.#inScope -= prefixes.length
    for (const prefix of prefixes) this.#bound.get(prefix)!.pop()
  }
}

const XMLNS = 'xmlns:'

function elementOf(
  tag: string,
  written: string,
  namespaces: Namespaces,
): { readonly element: XmlElement; readonly declared: readonly string[] } {
  const attributes = new Map<string, string>()
  const declared: string[] = []
  // Most elements have none, and a search that finds nothing costs more than the rest.
  for (const [, name = '', double, single] of written === '' ? [] : written.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) throw new XmlError('an attribute appears twice')
    if (attributes.size === ATTRIBUTES_OF_ELEMENT_MAX) throw new XmlError('too many attributes')
    const value = unescaped(double ?? single ?? '')
    attributes.set(name, value)
    if (name !== 'xmlns' && !name.startsWith(XMLNS)) continue
    const prefix = name === 'xmlns' ? '' : name.slice(XMLNS.length)
    namespaces.enter(prefix, value)
    declared.push(prefix)
  }
  const colon = tag.indexOf(':')
  const [prefix, name] = colon < 0 ? ['', tag] : [tag.slice(0, colon), tag.slice(colon + 1)]
  const namespace = namespaces.get(prefix)
  if (namespace === undefined && prefix !== '') throw new XmlError('an unknown namespace prefix')
  return { element: { namespace: namespace ?? '', name, attributes, children: [], text: '' }, declared }
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

function unescaped(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const numeric = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name)
    const code = numeric ? Number.parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 10) : undefined
    const character =
      code === undefined ? ENTITIES.get(name) : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (character === undefined || !whole.endsWith(';')) throw new XmlError('an unknown entity')
    return character
  })
}
