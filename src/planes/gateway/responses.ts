/** The gateway's own responses, as an application load balancer gives them. */
import type { PublishedAction } from '../../kernel/planes/gateway-content.ts'
import type { TokenAnswer } from '../../kernel/web-acl-tokens/request.ts'
import { type GatewayRequest, type Header, hostOf } from './request.ts'

const SERVER: Header = ['Server', 'awselb/2.0']

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  421: 'Misdirected Request',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** A page like those of AWS's load balancers; `detail` says what an operator can do. */
export function respondStatus(
  request: GatewayRequest,
  status: number,
  detail?: string,
  headers: readonly Header[] = [],
) {
  const title = `${status} ${REASONS[status] ?? ''}`.trim()
  const more = detail === undefined ? '' : `<p>${escaped(detail)}</p>\r\n`
  const page = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n${more}</body>\r\n</html>\r\n`
  respondText(request, status, 'text/html', page, headers)
}

export function respondText(
  request: GatewayRequest,
  status: number,
  contentType: string,
  text: string,
  headers: readonly Header[] = [],
): void {
  respondAnswer(request, { status, headers: [['Content-Type', contentType], ...headers], body: text })
}

export function respondAnswer(request: GatewayRequest, { status, headers, body }: TokenAnswer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const own: readonly Header[] = [
    ['Date', new Date().toUTCString()],
    ['Content-Length', String(bytes.length)],
    ['Connection', 'keep-alive'],
  ]
  const head = { status, headers: [SERVER, ...own, ...headers] }
  request.respond(head, request.method === 'HEAD' ? undefined : bytes)
}

export function respondFixed(
  request: GatewayRequest,
  action: Extract<PublishedAction, { type: 'fixed-response' }>,
): void {
  respondText(request, action.status, `${action.contentType ?? 'text/plain'}; charset=utf-8`, action.body ?? '')
}

export function respondRedirect(request: GatewayRequest, action: Extract<PublishedAction, { type: 'redirect' }>): void {
  const { connection, path, query = '', authority } = request
  const values: Readonly<Record<string, string>> = {
    protocol: connection.tls ? 'https' : 'http',
    port: String(connection.listenerPort),
    host: hostOf(authority) ?? '',
    path: path.replace(/^\//, ''),
    query,
  }
  const filled = (text: string) => text.replace(/#\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
  const protocol = filled(action.protocol).toLowerCase()
  const port = filled(action.port)
  const isUsual = port === (protocol === 'https' ? '443' : '80')
  const search = filled(action.query)
  const location = `${protocol}://${filled(action.host)}${isUsual ? '' : `:${port}`}${filled(action.path)}${search === '' ? '' : `?${search}`}`
  respondText(request, action.status, 'text/html', '', [['Location', location]])
}
