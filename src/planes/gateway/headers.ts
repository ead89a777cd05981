/** Headers of requests to targets and of responses to clients: what an application load balancer adds, and what ends at a hop. */
import { randomFillSync } from 'node:crypto'
import type { PublishedListener, PublishedLoadBalancer } from '../../kernel/planes/gateway-content.ts'
import { type GatewayRequest, type Header, headerOf } from './request.ts'

/** Hop-by-hop (RFC 9110 §7.6.1); what `Connection` names ends here, too. */
const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
])

function named(headers: readonly Header[]): ReadonlySet<string> {
  const found = headers.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value)
  // A client must not make the gateway drop what the target relies on.
  return new Set(
    found
      .flatMap((value) => value.toLowerCase().split(','))
      .map((name) => name.trim())
      .filter((name) => !/^(host|content-length|content-type|cookie|authorization|x-forwarded-|x-amzn-)/.test(name)),
  )
}

export const endToEnd = (headers: readonly Header[]): readonly Header[] => {
  const dropped = named(headers)
  return headers.filter(([name]) => !HOP.has(name.toLowerCase()) && !dropped.has(name.toLowerCase()))
}

/** What only gateways may say: a client that sends it must not be believed. */
const isReserved = (name: string): boolean =>
  name.startsWith('x-amzn-waf-') ||
  name.startsWith('x-amzn-mtls-') ||
  name.startsWith('x-amzn-oidc-') ||
  name.startsWith('x-amzn-tls-')

/** Traces need to be different, not unpredictable: random bytes are drawn many at a time, which costs a system call each. */
const TRACE_BYTES = 12
const drawn = Buffer.alloc(256 * TRACE_BYTES)
let next = drawn.length
function traceBytes(): string {
  if (next >= drawn.length) {
    randomFillSync(drawn)
    next = 0
  }
  next += TRACE_BYTES
  return drawn.toString('hex', next - TRACE_BYTES, next)
}

const TRACE = /^[\x20-\x7e]{1,500}$/

/** `Root=1-67891233-abcdef012345678912345678`; a trace of the client is continued. */
function traceId(headers: readonly Header[]): string {
  const seconds = Math.floor(Date.now() / 1_000).toString(16)
  const given = headerOf(headers, 'x-amzn-trace-id')
  if (given === undefined || !TRACE.test(given)) return `Root=1-${seconds}-${traceBytes()}`
  return given.includes('Root=')
    ? `Self=1-${seconds}-${traceBytes()};${given}`
    : `Root=1-${seconds}-${traceBytes()};${given}`
}

/** For the target. Attributes: those of the load balancer. */
export function upstreamHeaders(
  request: GatewayRequest,
  { attributes }: PublishedLoadBalancer,
  { attributes: own }: PublishedListener,
  inserted: readonly Header[],
): Header[] {
  const { connection, authority } = request
  const dropsInvalid = attributes['routing.http.drop_invalid_header_fields.enabled'] === 'true'
  const dropped = named(request.headers)
  const headers: Header[] = [['Host', authority]]
  const cookies: Header[] = []
  for (const header of request.headers) {
    const lowered = header[0].toLowerCase()
    if (HOP.has(lowered) || dropped.has(lowered)) continue
    // Servers behind CGI read X_Forwarded_For as X-Forwarded-For.
    const read = lowered.replaceAll('_', '-')
    if (REWRITTEN.has(read) || isReserved(read)) continue
    if (dropsInvalid && !/^[a-z0-9-]+$/.test(lowered)) continue
    if (lowered === 'cookie') cookies.push(header)
    else headers.push(header)
  }
  // HTTP/2 clients send a header for each cookie (RFC 9113 §8.2.3).
  if (cookies.length > 0) headers.push([cookies[0]![0], cookies.map(([, value]) => value).join('; ')])
  headers.push(...forwarded(request, attributes))
  headers.push(['X-Amzn-Trace-Id', traceId(request.headers)])
  if (connection.tls && attributes['routing.http.x_amzn_tls_version_and_cipher_suite.enabled'] === 'true') {
    const prefix = 'routing.http.request.x_amzn_tls_'
    headers.push([own[`${prefix}version.header_name`] ?? 'X-Amzn-Tls-Version', connection.tls.version])
    headers.push([own[`${prefix}cipher_suite.header_name`] ?? 'X-Amzn-Tls-Cipher-Suite', connection.tls.cipher])
  }
  for (const [name, value] of inserted) headers.push([name, value])
  return headers
}

/** What the gateway says itself. */
const REWRITTEN = new Set(['host', 'x-amzn-trace-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-port'])

function forwarded(request: GatewayRequest, attributes: PublishedLoadBalancer['attributes']): readonly Header[] {
  const { connection, headers } = request
  const given = headers.filter(([name]) => name.toLowerCase() === 'x-forwarded-for').map(([, value]) => value)
  const address =
    attributes['routing.http.xff_client_port.enabled'] === 'true'
      ? `${connection.address.includes(':') ? `[${connection.address}]` : connection.address}:${connection.port}`
      : connection.address
  const mode = attributes['routing.http.xff_header_processing.mode'] ?? 'append'
  const list = mode === 'append' ? [...given, address] : mode === 'preserve' ? given : []
  return [
    ...(list.length > 0 ? [['X-Forwarded-For', list.join(', ')] as const] : []),
    ['X-Forwarded-Proto', connection.tls ? 'https' : 'http'],
    ['X-Forwarded-Port', String(connection.listenerPort)],
  ]
}

const RESPONSE = 'routing.http.response.'
/** Attributes of listeners that set a header of the response. */
const RESPONSE_HEADERS: readonly (readonly [attribute: string, header: string])[] = [
  ['strict_transport_security', 'Strict-Transport-Security'],
  ['access_control_allow_origin', 'Access-Control-Allow-Origin'],
  ['access_control_allow_methods', 'Access-Control-Allow-Methods'],
  ['access_control_allow_headers', 'Access-Control-Allow-Headers'],
  ['access_control_allow_credentials', 'Access-Control-Allow-Credentials'],
  ['access_control_expose_headers', 'Access-Control-Expose-Headers'],
  ['access_control_max_age', 'Access-Control-Max-Age'],
  ['content_security_policy', 'Content-Security-Policy'],
  ['x_content_type_options', 'X-Content-Type-Options'],
  ['x_frame_options', 'X-Frame-Options'],
]

/** For the client. */
export function downstreamHeaders(headers: readonly Header[], { attributes }: PublishedListener): Header[] {
  const set = RESPONSE_HEADERS.flatMap(([name, header]): readonly Header[] => {
    const value = attributes[`${RESPONSE}${name}.header_value`]
    return value ? [[header, value]] : []
  })
  const names = new Set(set.map(([name]) => name.toLowerCase()))
  if (attributes[`${RESPONSE}server.enabled`] === 'false') names.add('server')
  return [...endToEnd(headers).filter(([name]) => !names.has(name.toLowerCase())), ...set]
}
