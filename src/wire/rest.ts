/** REST bindings: what travels in the path, the query and the headers, for restJson1 and restXml alike. */
import { XML_DECLARATION } from './content.ts'
import { type HttpRequest, header } from './http.ts'
import { fromJson, type JsonNames, parseJson, toJson } from './json.ts'
import { isPoison, parseText, serializationFault } from './serialization.ts'
import type { Member, OperationShape, Shape } from './shape.ts'
import { fromText, fromXml, parseXmlRoot, xmlElement, xmlMembers } from './xml.ts'

export interface Route {
  readonly operation: OperationShape
  readonly method: string
  readonly pattern: RegExp
  readonly labels: readonly string[]
  /** Query parameters that must be there; with a value where the model gives one. */
  readonly query: readonly (readonly [name: string, value: string | undefined])[]
  /** S3's clients may say which operation they mean where paths are alike (`x-id`). */
  readonly id: string | undefined
  /** Headers that must be present: S3 distinguishes CopyObject from PutObject by one. */
  readonly headers: readonly string[]
  /** True when the request must name a bucket, in its host or its path. */
  readonly bucket: boolean
  /** Lower is more specific. */
  readonly rank: number
  readonly status: number
}

const JSON_NAMES = { jsonName: true }
const GREEDY_RANK = 100
const LABEL_RANK = 10

/** Most specific first. */
export function routesOf(operations: Iterable<OperationShape>): readonly Route[] {
  const routes: Route[] = []
  for (const operation of operations) if (operation.traits.http) routes.push(routeOf(operation, operation.traits.http))
  return routes.sort((a, b) => a.rank - b.rank)
}

function routeOf(operation: OperationShape, [method, uri, status]: readonly [string, string, number]): Route {
  const [path = '', query] = uri.split('?')
  const labels: string[] = []
  let rank = 0
  const source = path
    .replace(/\/$/, '')
    .split('/')
    .map((segment) =>
      segment.replace(/\{([^}+]+)(\+)?\}|[.*+?^$()|[\]\\]/g, (special, label, greedy) => {
        if (label === undefined) return `\\${special}`
        labels.push(label)
        rank += greedy ? GREEDY_RANK : LABEL_RANK
        return greedy ? '(.+)' : '([^/]+)'
      }),
    )
    .join('/')
  const written = (query?.split('&') ?? []).map((pair) => {
    const [name = '', value] = pair.split('=')
    return [name, value || undefined] as const
  })
  const bucket =
    !path.includes('{Bucket}') &&
    operation.input.members.some(({ name, traits }) => name === 'Bucket' && traits.httpLabel)
  // S3's operations share paths: their required members distinguish them.
  const required = bucket ? operation.input.members.filter((member) => member.required) : []
  const headers = required.flatMap(({ traits }) => (traits.httpHeader ? [traits.httpHeader.toLowerCase()] : []))
  const parameters = [
    ...written.filter(([name]) => name !== 'x-id'),
    ...required.flatMap(({ traits }) => (traits.httpQuery ? [[traits.httpQuery, undefined] as const] : [])),
  ]
  return {
    operation,
    method,
    pattern: new RegExp(`^${source}/?$`),
    labels,
    query: parameters,
    id: written.find(([name]) => name === 'x-id')?.[1],
    headers,
    bucket,
    rank: rank - parameters.length - headers.length,
    status,
  }
}

export interface RouteMatch {
  readonly route: Route
  readonly labels: Readonly<Record<string, string>>
}

/** `bucket` is what S3's addressing found; every other service passes none. */
export function matchRoute(
  routes: readonly Route[],
  request: HttpRequest,
  path = request.path,
  bucket?: string,
): RouteMatch | undefined {
  const query = new URLSearchParams(request.query)
  const id = query.get('x-id')
  for (const route of routes) {
    if (route.method !== request.method || route.bucket !== (bucket !== undefined)) continue
    const match = route.pattern.exec(path)
    if (!match) continue
    if (!route.query.every(([name, value]) => query.has(name) && (value === undefined || query.get(name) === value)))
      continue
    if (id !== null && route.id !== undefined && id !== route.id) continue
    if (!route.headers.every((name) => header(request, name) !== undefined)) continue
    const labels = Object.fromEntries(route.labels.map((label, i) => [label, decodeLabel(match[i + 1]!)]))
    return { route, labels: bucket === undefined ? labels : { ...labels, Bucket: decodeLabel(bucket) } }
  }
  return undefined
}

export function restInput(
  { route, labels }: RouteMatch,
  request: HttpRequest,
  body: Buffer,
  xml: boolean,
  strings?: JsonNames['strings'],
): object {
  const { input } = route.operation
  const query = new URLSearchParams(request.query)
  const bound = new Set<string>()
  const out: Record<string, unknown> = {}
  let payload: Member | undefined
  let hasBody = false
  for (const member of input.members) {
    const { traits, shape, name } = member
    if (traits.httpLabel) {
      if (labels[name] !== undefined) out[name] = fromText(shape, labels[name])
    } else if (traits.httpQuery) {
      bound.add(traits.httpQuery)
      const values = query.getAll(traits.httpQuery)
      if (values.length > 0) {
        out[name] =
          shape.kind === 'list'
            ? values.map((value) => fromText(shape.value.shape, value))
            : fromText(shape, values[0]!)
      }
    } else if (traits.httpHeader) {
      const value = header(request, traits.httpHeader.toLowerCase())
      if (value !== undefined) out[name] = fromHeader(shape, value)
    } else if (traits.httpPrefixHeaders !== undefined) {
      const found = prefixed(request, traits.httpPrefixHeaders.toLowerCase())
      if (Object.keys(found).length > 0) out[name] = found
    } else if (traits.httpPayload) payload = member
    else if (!traits.httpQueryParams) hasBody = true
  }
  const rest = input.members.find((member) => member.traits.httpQueryParams)
  if (rest) {
    const values = new Map<string, string[]>()
    for (const [name, value] of query) {
      if (bound.has(name) || isPoison(name)) continue
      const known = values.get(name)
      if (known) known.push(value)
      else values.set(name, [value])
    }
    const many = rest.shape.value.shape.kind === 'list'
    if (values.size > 0)
      out[rest.name] = Object.fromEntries([...values].map(([name, all]) => [name, many ? all : all[0]]))
  }
  if (payload) readPayload(out, payload, body, xml)
  else if (hasBody && body.length > 0) {
    const read = (
      xml ? fromXml(input, parseXmlRoot(body)) : fromJson(input, parseJson(body), { ...JSON_NAMES, strings })
    ) as Record<string, unknown>
    for (const { name, traits } of input.members) {
      if (!traits.httpLabel && !traits.httpQuery && !traits.httpHeader && read[name] !== undefined)
        out[name] = read[name]
    }
  }
  return out
}

export interface RestAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array
}

export function restOutput(
  operation: OperationShape,
  output: object,
  xml: boolean,
  xmlns: string | undefined,
): RestAnswer {
  const shape = operation.output
  const values = output as Readonly<Record<string, unknown>>
  const headers: Record<string, string> = {}
  let status = operation.traits.http?.[2] ?? 200
  let payload: Member | undefined
  let hasBody = false
  for (const member of shape.members) {
    const value = values[member.name]
    const { traits } = member
    if (traits.httpHeader) {
      if (value !== undefined && value !== null)
        headers[traits.httpHeader.toLowerCase()] = toHeader(member.shape, value)
    } else if (traits.httpPrefixHeaders !== undefined) {
      for (const [name, text] of Object.entries((value ?? {}) as Record<string, string>)) {
        headers[(traits.httpPrefixHeaders + name).toLowerCase()] = toHeader(member.shape.value.shape, text)
      }
    } else if (traits.httpResponseCode) {
      if (value !== undefined) status = Number(value)
    } else if (traits.httpPayload) payload = member
    else hasBody = true
  }
  if (payload) return { status, headers, body: writePayload(headers, payload, values[payload.name], xml) }
  if (xml) {
    if (!hasBody) return { status, headers, body: '' }
    headers['content-type'] = 'application/xml'
    const tag = shape.traits.xmlName ?? shape.name
    const body = `${XML_DECLARATION}<${tag}${xmlns ? ` xmlns="${xmlns}"` : ''}>${xmlMembers(shape, output)}</${tag}>`
    return { status, headers, body }
  }
  headers['content-type'] = 'application/json'
  return { status, headers, body: JSON.stringify(shape.kind === 'unit' ? {} : toJson(shape, output, JSON_NAMES)) }
}

function readPayload(out: Record<string, unknown>, { name, shape }: Member, body: Buffer, xml: boolean): void {
  if (shape.kind === 'stream') out[name] = body
  else if (body.length === 0) return
  else if (shape.kind === 'blob') out[name] = body
  else if (shape.kind === 'string') out[name] = parseText(body)
  else out[name] = xml ? fromXml(shape, parseXmlRoot(body)) : fromJson(shape, parseJson(body), JSON_NAMES)
}

function writePayload(
  headers: Record<string, string>,
  member: Member,
  value: unknown,
  xml: boolean,
): string | Uint8Array {
  const { shape, traits } = member
  if (value === undefined || value === null) return ''
  if (shape.kind === 'blob' || shape.kind === 'stream' || shape.kind === 'string') return value as string | Uint8Array
  headers['content-type'] ??= xml ? 'application/xml' : 'application/json'
  if (!xml) return JSON.stringify(toJson(shape, value, JSON_NAMES))
  return XML_DECLARATION + xmlElement(member, traits.xmlName ?? shape.traits.xmlName ?? shape.name, value)
}

function fromHeader(shape: Shape, text: string): unknown {
  if (shape.kind === 'list') return text.split(',').map((item) => fromText(shape.value.shape, item.trim()))
  if (shape.kind === 'string' && shape.traits.mediaType) return Buffer.from(text, 'base64').toString('utf8')
  return fromText(shape, text)
}

/** Header values hold one line of Latin-1; what does not fit becomes `?` rather than an error of the socket's. */
export function toHeader(shape: Shape, value: unknown): string {
  return headerText(shape, value).replace(NOT_IN_HEADERS, '?')
}

const NOT_IN_HEADERS = /[^\t\x20-\x7e\x80-\xff]/g

function headerText(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'timestamp': {
      const date = value as Date
      if (shape.format === 'date-time') return date.toISOString()
      return shape.format === 'epoch-seconds' ? String(date.getTime() / 1000) : date.toUTCString()
    }
    case 'list':
      return (value as unknown[]).map((item) => toHeader(shape.value.shape, item)).join(', ')
    case 'blob':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'string':
      return shape.traits.mediaType ? Buffer.from(String(value)).toString('base64') : String(value)
    default:
      return String(value)
  }
}

function prefixed(request: HttpRequest, prefix: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase()
    if (name.startsWith(prefix) && !isPoison(name.slice(prefix.length)))
      found[name.slice(prefix.length)] = request.rawHeaders[i + 1]!
  }
  return found
}

function decodeLabel(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw serializationFault(`The path contains a broken percent encoding`)
  }
}
