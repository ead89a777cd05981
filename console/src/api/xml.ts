/** XML of the Query, EC2 and REST XML protocols. Answers are read with the DOM's own parser. */
import type { Member, Shape } from '../../../src/wire/shape.ts'
import { fromText, toText } from './scalars.ts'

type Tree = Readonly<Record<string, unknown>>

/** As much of the DOM as is used: unit tests bring another implementation. */
export interface XmlElement {
  readonly localName: string | null
  readonly textContent: string | null
  readonly childNodes: ArrayLike<unknown>
  getAttribute(name: string): string | null
}

export type XmlParser = (text: string) => XmlElement

export const parseWithDom: XmlParser = (text) => {
  const document = new DOMParser().parseFromString(text, 'text/xml')
  if (document.querySelector('parsererror')) throw new Error('The answer is not well-formed XML.')
  return document.documentElement
}

export function childrenOf(element: XmlElement, name?: string): readonly XmlElement[] {
  const elements = Array.from(element.childNodes).filter(
    (node): node is XmlElement => (node as { nodeType: number }).nodeType === 1,
  )
  return name === undefined ? elements : elements.filter(({ localName }) => localName === name)
}

export const childOf = (element: XmlElement, name: string): XmlElement | undefined => childrenOf(element, name)[0]

export function fromXml(shape: Shape, element: XmlElement): unknown {
  switch (shape.kind) {
    case 'list':
      return childrenOf(element, shape.value.traits.xmlName ?? 'member').map((item) => fromXml(shape.value.shape, item))
    case 'map':
      return entriesOf(shape, childrenOf(element, 'entry'))
    case 'struct':
    case 'union':
      return membersFromXml(shape, element)
    default:
      return fromText(shape, element.textContent ?? '')
  }
}

export function membersFromXml(shape: Shape, element: XmlElement): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const member of shape.members) {
    const value = memberFromXml(member, element)
    if (value !== undefined) out[member.name] = value
  }
  return out
}

function memberFromXml(member: Member, element: XmlElement): unknown {
  const { shape, traits } = member
  const name = traits.xmlName ?? member.name
  if (traits.xmlAttribute) return element.getAttribute(name) ?? undefined
  const found = childrenOf(element, name)
  if (found.length === 0) return undefined
  const flat = traits.xmlFlattened || shape.traits.xmlFlattened
  if (flat && shape.kind === 'list') return found.map((item) => fromXml(shape.value.shape, item))
  if (flat && shape.kind === 'map') return entriesOf(shape, found)
  return fromXml(shape, found[0]!)
}

function entriesOf(shape: Shape, entries: readonly XmlElement[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map((entry) => {
      const value = childOf(entry, shape.value.traits.xmlName ?? 'value')
      const key = childOf(entry, shape.key.traits.xmlName ?? 'key')?.textContent ?? ''
      return [key, value && fromXml(shape.value.shape, value)]
    }),
  )
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[&<>"\r]/g, (each) => ESCAPES[each] ?? '&#xd;')

/** One member of a request body. */
export function toXml(member: Member, tag: string, value: unknown): string {
  const { shape, traits } = member
  const flat = traits.xmlFlattened || shape.traits.xmlFlattened
  switch (shape.kind) {
    case 'list': {
      const itemTag = flat ? tag : (shape.value.traits.xmlName ?? 'member')
      const items = (value as readonly unknown[]).map((item) => toXml(shape.value, itemTag, item)).join('')
      return flat ? items : `<${tag}>${items}</${tag}>`
    }
    case 'map': {
      const keyTag = shape.key.traits.xmlName ?? 'key'
      const valueTag = shape.value.traits.xmlName ?? 'value'
      const entryTag = flat ? tag : 'entry'
      const entries = Object.entries(value as Tree)
        .map(([key, item]) => `<${keyTag}>${escaped(key)}</${keyTag}>${toXml(shape.value, valueTag, item)}`)
        .map((inner) => `<${entryTag}>${inner}</${entryTag}>`)
        .join('')
      return flat ? entries : `<${tag}>${entries}</${tag}>`
    }
    case 'struct':
    case 'union':
      return `<${tag}${namespaceOf(member)}${attributesOf(shape, value as Tree)}>${toXmlMembers(shape, value as Tree)}</${tag}>`
    default:
      return `<${tag}>${escaped(toText(shape, value))}</${tag}>`
  }
}

export function toXmlMembers(shape: Shape, value: Tree): string {
  return shape.members
    .filter(({ name, traits }) => value[name] !== undefined && value[name] !== null && !isOutsideBody(traits))
    .map((member) => toXml(member, member.traits.xmlName ?? member.name, value[member.name]))
    .join('')
}

/** Bound to the path, the query or a header. */
export function isOutsideBody(traits: Member['traits']): boolean {
  const { httpLabel, httpQuery, httpHeader, httpPrefixHeaders, httpQueryParams, httpResponseCode, xmlAttribute } =
    traits
  return (
    Boolean(httpLabel || httpQuery || httpHeader || httpQueryParams || httpResponseCode || xmlAttribute) ||
    httpPrefixHeaders !== undefined
  )
}

export function namespaceOf({ traits, shape }: Pick<Member, 'traits' | 'shape'>): string {
  const [prefix, uri] = traits.xmlNamespace ?? shape.traits.xmlNamespace ?? []
  return uri === undefined ? '' : ` xmlns${prefix ? `:${prefix}` : ''}="${escaped(uri)}"`
}

function attributesOf(shape: Shape, value: Tree): string {
  return shape.members
    .filter(({ name, traits }) => traits.xmlAttribute && value[name] !== undefined)
    .map(({ name, traits }) => ` ${traits.xmlName ?? name}="${escaped(String(value[name]))}"`)
    .join('')
}
