/** The socket: HTTP/1.1 in, raw bytes to whoever answers, bytes out. Every limit on what strangers may send is here. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpRequest, HttpResponse } from '../wire/http.ts'

export type Handler = (request: HttpRequest) => Promise<HttpResponse>

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly bodyBytesMax?: number
}

export interface Listener {
  readonly url: string
  readonly port: number
  /** Takes no new requests, answers those under way, then returns. */
  close(): Promise<void>
}

/** The largest request of any API served: a Lambda invocation. */
const BODY_BYTES_MAX = 6 * 1024 * 1024
const HEADER_BYTES_MAX = 32 * 1024
const HEADERS_MS_MAX = 10_000
const REQUEST_MS_MAX = 60_000
/** Longer than the idle time of common load balancers, so that it is never we who close under a request. */
const KEEP_ALIVE_MS = 75_000
const CONNECTIONS_MAX = 4_096
const DRAIN_MS_MAX = 10_000
const DRAIN_SWEEP_MS = 20

export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      // A client that hangs up is no news.
      answer(handler, request, response, bodyBytesMax).catch(() => response.destroy())
    },
  )
  server.headersTimeout = HEADERS_MS_MAX
  server.requestTimeout = REQUEST_MS_MAX
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `http://${host}:${port}`, port, close: () => drain(server) }
}

async function answer(handler: Handler, request: IncomingMessage, response: ServerResponse, bodyBytesMax: number) {
  const body = await read(request, bodyBytesMax)
  if (!body) {
    // The rest of the body is not read: the connection cannot be used again.
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
    response.end('{"__type":"RequestEntityTooLargeException","message":"Request body is too large."}')
    return
  }
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  const {
    status,
    headers,
    body: answered,
  } = await handler({
    method: request.method ?? 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    rawHeaders: request.rawHeaders,
    body,
    remoteAddress: plainAddress(request.socket.remoteAddress ?? ''),
    secure: false,
  })
  const bytes = typeof answered === 'string' ? Buffer.from(answered) : answered
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** undefined when it is longer than allowed. */
async function read(request: IncomingMessage, max: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > max) return undefined
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > max) return undefined
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** `127.0.0.1` for `::ffff:127.0.0.1`: policies compare addresses. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection kept alive falls idle only once its answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS)
  const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS_MAX)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(late)
}
