/** XML: answers of query, ec2 and restXml, and restXml request bodies. */
import { parseXML } from '@aws-sdk/xml-builder'
import { base64 } from './json.ts'
import {
  bytesOf,
  DEPTH_MAX,
  keyOfMap,
  numberOf,
  parseText,
  serializationFault,
  timestampOf,
  tooDeep,
} from './serialization.ts'
import type { Member, Shape } from './shape.ts'
import { countXml } from './xml-scan.ts'

type Tree = Readonly<Record<string, unknown>>

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const SPECIAL = /[&<>"\r\u0085\u2028]/
// Characters XML 1.0 cannot carry in any form.
const FORBIDDEN = /[\0-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g

export function escapeXml(text: string): string {
  const clean = text.replace(FORBIDDEN, '\uFFFD')
  if (!SPECIAL.test(clean)) return clean
  return clean.replace(/[&<>"\r\u0085\u2028]/g, (c) => escapes[c] ?? `&#x${c.charCodeAt(0).toString(16)};`)
}

/** XML 1.0 §3.3.3: bare tabs and line ends of an attribute are read as blanks. */
const escapeAttribute = (text: string): string =>
  escapeXml(text).replace(/[\t\n]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`)

/** The members of a structure, without its own element. Those that travel in headers are left out. */
export function xmlMembers(shape: Shape, value: unknown): string {
  let out = ''
  for (const member of shape.members) {
    const item = (value as Tree)[member.name]
    const { httpHeader, httpResponseCode, httpPrefixHeaders, xmlAttribute, xmlName } = member.traits
    if (
      item === undefined ||
      item === null ||
      httpHeader ||
      httpResponseCode ||
      xmlAttribute ||
      httpPrefixHeaders !== undefined
    )
      continue
    out += xmlElement(member, xmlName ?? member.name, item)
  }
  return out
}

export function xmlElement(member: Member, tag: string, value: unknown): string {
  const { shape } = member
  switch (shape.kind) {
    case 'struct':
    case 'union':
      return `<${tag}${attributes(member, value)}>${xmlMembers(shape, value)}</${tag}>`
    case 'list': {
      const item = shape.value
      const flat = member.traits.xmlFlattened || shape.traits.xmlFlattened
      const itemTag = flat ? tag : (item.traits.xmlName ?? 'member')
      let out = ''
      for (const one of value as unknown[])
        out += one === null || one === undefined ? `<${itemTag}/>` : xmlElement(item, itemTag, one)
      return flat ? out : `<${tag}${attributes(member, value)}>${out}</${tag}>`
    }
    case 'map': {
      const flat = member.traits.xmlFlattened || shape.traits.xmlFlattened
      const keyTag = shape.key.traits.xmlName ?? 'key'
      const valueTag = shape.value.traits.xmlName ?? 'value'
      let out = ''
      for (const [name, item] of Object.entries(value as Tree)) {
        const inner = `<${keyTag}>${escapeXml(name)}</${keyTag}>${xmlElement(shape.value, valueTag, item)}`
        out += flat ? `<${tag}>${inner}</${tag}>` : `<entry>${inner}</entry>`
      }
      return flat ? out : `<${tag}>${out}</${tag}>`
    }
    default:
      return `<${tag}${attributes(member, value)}>${scalar(shape, value)}</${tag}>`
  }
}

function scalar(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'timestamp': {
      const date = value as Date
      if (shape.format === 'epoch-seconds') return String(date.getTime() / 1000)
      return shape.format === 'http-date' ? date.toUTCString() : date.toISOString().replace('.000Z', 'Z')
    }
    case 'blob':
    case 'stream':
      return base64(value)
    case 'string':
      return escapeXml(String(value))
    default:
      return String(value)
  }
}

function attributes({ traits, shape }: Member, value: unknown): string {
  let out = ''
  const { xmlNamespace } = traits
  if (xmlNamespace) out += ` xmlns${xmlNamespace[0] ? `:${xmlNamespace[0]}` : ''}="${xmlNamespace[1]}"`
  if (shape.kind !== 'struct') return out
  for (const member of shape.members) {
    const item = (value as Tree)[member.name]
    if (member.traits.xmlAttribute && item !== undefined && item !== null) {
      out += ` ${member.traits.xmlName ?? member.name}="${escapeAttribute(String(item))}"`
    }
  }
  return out
}

/** The content of a document's root element, as `@aws-sdk/xml-builder` parses it. Counted before: see {@link countXml}. */
export function parseXmlRoot(body: Buffer): unknown {
  countXml(body)
  const text = parseText(body)
  try {
    const parsed = parseXML(text) as Tree
    const root = Object.keys(parsed).find((name) => !name.startsWith('?'))
    if (root === undefined) throw new Error('no root element')
    return parsed[root]
  } catch {
    throw serializationFault('Unable to parse request body as XML')
  }
}

export function fromXml(shape: Shape, value: unknown, member?: Member, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw tooDeep()
  switch (shape.kind) {
    case 'list': {
      const flat = member?.traits.xmlFlattened || shape.traits.xmlFlattened
      const source = flat ? value : child(value, shape.value.traits.xmlName ?? 'member')
      return many(source).map((item) => fromXml(shape.value.shape, item, shape.value, depth + 1))
    }
    case 'map': {
      const flat = member?.traits.xmlFlattened || shape.traits.xmlFlattened
      const out: Record<string, unknown> = {}
      for (const entry of many(flat ? value : child(value, 'entry'))) {
        const name = String(child(entry, shape.key.traits.xmlName ?? 'key') ?? '')
        const item = child(entry, shape.value.traits.xmlName ?? 'value')
        out[keyOfMap(name)] = fromXml(shape.value.shape, item, shape.value, depth + 1)
      }
      return out
    }
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      if (typeof value === 'string' && value.trim() !== '')
        throw serializationFault('Text found where a structure was expected')
      if (Array.isArray(value)) throw serializationFault('A structure was given more than once')
      for (const each of shape.members) {
        const item = child(value, each.traits.xmlName ?? each.name)
        if (item !== undefined) out[each.name] = fromXml(each.shape, item, each, depth + 1)
      }
      return out
    }
    default:
      if (Array.isArray(value)) throw serializationFault('A value was given more than once')
      return fromText(shape, textOf(value))
  }
}

/** A scalar from its text: XML elements, labels, query parameters and headers alike. */
export function fromText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'number':
    case 'bigdecimal': {
      const number = numberOf(text)
      if (number === undefined) throw serializationFault(`'${shown(text)}' is not a number`)
      return number
    }
    case 'bigint':
      if (!/^-?\d{1,40}$/.test(text)) throw serializationFault(`'${shown(text)}' is not an integer`)
      return BigInt(text)
    case 'boolean':
      if (text !== 'true' && text !== 'false')
        throw serializationFault(`'${shown(text)}' is not a boolean: use true or false`)
      return text === 'true'
    case 'timestamp': {
      const date = timestampOf(text)
      if (!date) throw serializationFault(`'${shown(text)}' is not a timestamp`)
      return date
    }
    case 'blob':
    case 'stream': {
      const bytes = bytesOf(text)
      if (!bytes) throw serializationFault('A blob is not valid base64')
      return bytes
    }
    default:
      return text
  }
}

const SHOWN_MAX = 64

/** Enough of a wrong value to recognize it by. */
function shown(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}

function child(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined
  return (value as Tree)[name]
}

function many(value: unknown): readonly unknown[] {
  if (value === undefined || value === '') return []
  return Array.isArray(value) ? value : [value]
}

function textOf(value: unknown): string {
  if (value !== null && typeof value === 'object') return String((value as Tree)['#text'] ?? '')
  return String(value ?? '')
}
