/** The HTTP bindings of REST JSON and REST XML: which members travel in the path, the query, the headers and the body. */
import type { Member, OperationShape } from '../../../src/wire/shape.ts'
import { fromJson, toJson } from './json.ts'
import { fromText, toText } from './scalars.ts'
import { fromXml, isOutsideBody, membersFromXml, namespaceOf, toXml, toXmlMembers, type XmlParser } from './xml.ts'

type Tree = Readonly<Record<string, unknown>>

export interface RestRequest {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

/** Throws for an input without a member of the path. */
export function restRequest(operation: OperationShape, input: Tree, xml: boolean): RestRequest {
  const [method, uri] = operation.traits.http!
  const [pathTemplate = '', fixedQuery = ''] = uri.split('?')
  const query: Array<readonly [string, string]> = []
  for (const part of fixedQuery.split('&').filter((each) => each !== '')) {
    const [name = '', value = ''] = part.split('=')
    query.push([name, value])
  }
  const headers: Record<string, string> = {}
  const labels = new Map<string, string>()
  for (const member of operation.input.members) {
    const value = input[member.name]
    const { httpLabel, httpQuery, httpHeader, httpPrefixHeaders, httpQueryParams } = member.traits
    if (value === undefined || value === null) continue
    if (httpLabel) labels.set(member.name, toText(member.shape, value))
    else if (httpQuery) query.push(...pairsOf(httpQuery, member, value))
    else if (httpQueryParams) for (const [name, each] of Object.entries(value)) query.push([name, String(each)])
    else if (httpHeader) headers[httpHeader.toLowerCase()] = headerText(member, value)
    else if (httpPrefixHeaders !== undefined)
      for (const [name, each] of Object.entries(value)) headers[`${httpPrefixHeaders}${name}`] = String(each)
  }
  const path = pathTemplate.replace(/\{(\w+)(\+?)\}/g, (_, name: string, greedy: string) => {
    const value = labels.get(name)
    if (value === undefined || value === '') throw new Error(`${operation.name} needs ${name}.`)
    const encode = (text: string) =>
      encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
    return greedy ? value.split('/').map(encode).join('/') : encode(value)
  })
  // The SDK puts buckets into the host name; here they are the first segment.
  const bucket = pathTemplate.includes('{Bucket}') ? undefined : labels.get('Bucket')
  const body = bodyOf(operation, input, xml)
  if (body !== undefined) headers['content-type'] ??= xml ? 'application/xml' : 'application/json'
  const whole = bucket === undefined ? path : `/${encodeURIComponent(bucket)}${path === '/' ? '' : path}`
  return { method, path: whole, query, headers, body }
}

function bodyOf({ input }: OperationShape, value: Tree, xml: boolean): string | Uint8Array | undefined {
  const payload = input.members.find(({ traits }) => traits.httpPayload)
  if (payload) {
    const content = value[payload.name]
    if (content === undefined) return undefined
    if (payload.shape.kind === 'blob' || payload.shape.kind === 'stream')
      return content instanceof Uint8Array ? content : new TextEncoder().encode(String(content))
    if (payload.shape.kind === 'string') return String(content)
    if (!xml) return JSON.stringify(toJson(payload.shape, content, { rest: true }))
    return toXml(payload, payload.traits.xmlName ?? payload.shape.traits.xmlName ?? payload.shape.name, content)
  }
  const bound = input.members.filter(({ traits }) => !isOutsideBody(traits))
  if (bound.length === 0) return undefined
  if (xml) {
    const tag = input.traits.xmlName ?? input.name
    return `<${tag}${namespaceOf({ traits: {}, shape: input })}>${toXmlMembers(input, value)}</${tag}>`
  }
  const inBody = Object.fromEntries(bound.map(({ name }) => [name, value[name]]))
  return JSON.stringify(toJson(input, inBody, { rest: true }))
}

function pairsOf(name: string, { shape }: Member, value: unknown): ReadonlyArray<readonly [string, string]> {
  const values = shape.kind === 'list' ? (value as readonly unknown[]) : [value]
  const item = shape.kind === 'list' ? shape.value.shape : shape
  return values.map((each) => [name, toText(item, each)])
}

function headerText({ shape }: Member, value: unknown): string {
  if (shape.kind === 'list')
    return (value as readonly unknown[]).map((each) => toText(shape.value.shape, each, 'http-date')).join(', ')
  return toText(shape, value, 'http-date')
}

export interface RestResponse {
  readonly status: number
  readonly headers: Pick<Headers, 'get' | 'forEach'>
  readonly body: Uint8Array
}

export function restOutput({ output }: OperationShape, response: RestResponse, xml: boolean, parse: XmlParser): Tree {
  if (output.kind === 'unit') return {}
  const text = () => new TextDecoder().decode(response.body)
  const payload = output.members.find(({ traits }) => traits.httpPayload)
  const out: Record<string, unknown> = {}
  if (payload) {
    if (payload.shape.kind === 'blob' || payload.shape.kind === 'stream') out[payload.name] = response.body
    else if (payload.shape.kind === 'string') out[payload.name] = text()
    else if (response.body.length > 0)
      out[payload.name] = xml
        ? fromXml(payload.shape, parse(text()))
        : fromJson(payload.shape, JSON.parse(text()), { rest: true })
  } else if (response.body.length > 0) {
    if (xml) Object.assign(out, membersFromXml(output, parse(text())))
    else Object.assign(out, fromJson(output, JSON.parse(text()), { rest: true }))
  }
  for (const { name, shape, traits } of output.members) {
    if (traits.httpHeader) {
      const value = response.headers.get(traits.httpHeader)
      if (value !== null) out[name] = fromText(shape, value)
    } else if (traits.httpPrefixHeaders !== undefined) {
      const prefix = traits.httpPrefixHeaders.toLowerCase()
      const found: Record<string, string> = {}
      response.headers.forEach((value, header) => {
        if (header.startsWith(prefix)) found[header.slice(prefix.length)] = value
      })
      out[name] = found
    } else if (traits.httpResponseCode) out[name] = response.status
  }
  return out
}
