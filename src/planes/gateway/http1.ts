/**
 * HTTP/1.1 at the listeners. Node's strict parser refuses what could be read in two ways (both lengths, bare line feeds, NUL, folded
 * headers); what it lets through and another parser could read otherwise is refused here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, validateHeaderValue } from 'node:http'
import type { Duplex, Readable, Writable } from 'node:stream'
import {
  type ConnectionFacts,
  type GatewayRequest,
  type Header,
  headerOf,
  hostOf,
  type ParsedRequest,
  ReceivedRequest,
  type ResponseHead,
  targetOf,
} from './request.ts'

export const HEADER_BYTES_MAX = 16 * 1024
const HEADERS_MAX = 200
/** Requests of one connection that wait for their responses: one client does not take the place of all others. */
const PIPELINED_MAX = 32
/** Of a whole request head: slow senders hold a connection no longer. */
const HEAD_MS = 20_000
const IDLE_MS = 65_000

export interface Http1Options {
  readonly factsOf: (socket: Duplex) => ConnectionFacts | undefined
  readonly handle: (request: GatewayRequest) => void
  readonly upgrade: (request: GatewayRequest, socket: Duplex, head: Buffer) => void
  /** A request was refused before anything looked at it. */
  readonly refused: (reason: string) => void
}

const REFUSAL =
  'HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\nContent-Length: 122\r\nConnection: close\r\n\r\n'
export const BAD_REQUEST_PAGE =
  '<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n'
export const REFUSAL_TEXT = REFUSAL.replace('122', String(BAD_REQUEST_PAGE.length)) + BAD_REQUEST_PAGE

export function http1Server({ factsOf, handle, upgrade, refused }: Http1Options): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    insecureHTTPParser: false,
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    headersTimeout: HEAD_MS,
    // A request with a large body may take long: only its head has to come soon.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: IDLE_MS,
    noDelay: true,
  })
  // Node leaves out what is above: one more than is accepted, so that it shows.
  server.maxHeadersCount = HEADERS_MAX + 1
  // Sockets come from the listeners of the plane; each is checked for slow heads there, too.
  const refuse = (socket: Duplex, reason: string) => {
    refused(reason)
    if (socket.writable) socket.end(REFUSAL_TEXT)
    else socket.destroy()
  }
  /** The last response of a connection: behind one that closes it, or within one, nothing else may be written. */
  const last = new WeakMap<Duplex, ServerResponse | 'closed'>()
  const waiting = new WeakMap<Duplex, number>()
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    const { socket } = message
    const count = (waiting.get(socket) ?? 0) + 1
    if (count > PIPELINED_MAX) {
      refused('pipelined requests')
      socket.destroy()
      return
    }
    waiting.set(socket, count)
    response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    last.set(message.socket, response)
    const facts = factsOf(message.socket)
    const read = facts ? requestOf(message, facts) : 'unknown connection'
    if (typeof read === 'string') {
      refused(read)
      last.set(message.socket, 'closed')
      response.writeHead(400, { Server: 'awselb/2.0', 'Content-Type': 'text/html', Connection: 'close' })
      response.end(BAD_REQUEST_PAGE)
      return
    }
    handle(new Http1Request(read, response))
  })
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Its answer would come before those of the requests before it.
    if ((waiting.get(socket) ?? 0) > 0) {
      refused('a pipelined upgrade')
      socket.destroy()
      return
    }
    const facts = factsOf(socket)
    const read = facts ? requestOf(message, facts) : 'unknown connection'
    if (typeof read === 'string') return refuse(socket, read)
    const protocol = headerOf(read.headers, 'upgrade')?.toLowerCase()
    if (protocol !== 'websocket') {
      // As RFC 9110 §7.8 permits: clients that offer HTTP/2 this way get an answer of HTTP/1.1.
      socket.unshift(Buffer.concat([headWithoutUpgrade(message), head]))
      server.emit('connection', socket)
      return
    }
    upgrade(new UpgradeRequest(read, socket), socket, head)
  })
  server.on('connect', (_message: IncomingMessage, socket: Duplex) => refuse(socket, 'CONNECT'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET') return socket.destroy()
    const response = last.get(socket)
    if (response === 'closed') return socket.end()
    if (response?.headersSent && !response.writableFinished) return socket.destroy()
    refuse(socket, error.code ?? error.message)
  })
  return server
}

/** The head of a request again, without the header that made Node stop reading HTTP. */
function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** The request, or why it is refused. */
function requestOf(message: IncomingMessage, connection: ConnectionFacts): ParsedRequest | string {
  const { method = '', httpVersion, rawHeaders } = message
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return `version ${httpVersion}`
  const headers: Header[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at]!, rawHeaders[at + 1]!])
  if (headers.length > HEADERS_MAX) return 'too many headers'
  const values = (name: string) => headers.filter(([each]) => each.toLowerCase() === name)
  const hosts = values('host')
  if (hosts.length !== 1) return 'one Host header is required'
  const [[, authority]] = hosts as [Header]
  if (hostOf(authority) === undefined) return 'the Host header is invalid'
  const encodings = values('transfer-encoding')
  if (encodings.length > 1 || (encodings[0] && encodings[0][1].toLowerCase() !== 'chunked')) return 'transfer encoding'
  if (encodings.length > 0 && (httpVersion === '1.0' || values('content-length').length > 0)) return 'two lengths'
  if (method === 'TRACE' || method === 'CONNECT') return method
  const target = targetIn(message.url ?? '', authority)
  if (typeof target === 'string') return target
  const hasBody = encodings.length > 0 || Number(values('content-length')[0]?.[1] ?? 0) > 0
  return { connection, method, ...target, authority, httpVersion, headers, body: hasBody ? message : undefined }
}

/** Absolute targets have to name the host of the Host header (RFC 9112 §3.2.2). */
function targetIn(url: string, authority: string): { path: string; query: string | undefined } | string {
  const [, host, rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? []
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) return 'the target names another host'
  const text = host === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`
  return targetOf(text) ?? 'the target is invalid'
}

class Http1Request extends ReceivedRequest {
  readonly #response: ServerResponse

  constructor(parsed: ParsedRequest, response: ServerResponse) {
    super(parsed)
    this.#response = response
    response.on('close', () => this.departure.leave())
  }

  respond(head: ResponseHead, body?: string | Buffer): void {
    this.begin(head)?.end(body)
  }

  begin({ status, headers }: ResponseHead): Writable | undefined {
    const response = this.#response
    if (response.headersSent || response.destroyed) return undefined
    response.writeHead(status, headers.flat() as string[])
    response.on('error', () => undefined)
    this.onAnswer?.(status)
    // What was not read of the request must not be read as the next one.
    if (this.body && !this.body.readableEnded) endAfter(response, this.body)
    return response
  }

  destroy(): void {
    this.#response.destroy()
  }

  /** Node destroys a socket of its server that is silent for its timeout, and sets another one between requests. */
  idleAfter(milliseconds: number): void {
    this.#response.socket?.setTimeout(milliseconds)
  }
}

/** A client may still be sending: the rest is read, for a while, and then the connection ends. */
function endAfter(response: ServerResponse, body: Readable): void {
  response.on('finish', () => {
    if (body.readableEnded) return
    body.resume()
    setTimeout(() => {
      if (!body.readableEnded) body.destroy()
    }, 5_000).unref()
  })
}

/** A request to be something else than HTTP from here on. */
class UpgradeRequest extends ReceivedRequest {
  readonly #socket: Duplex
  #isAnswered = false

  constructor(parsed: ParsedRequest, socket: Duplex) {
    super(parsed)
    this.#socket = socket
    socket.on('close', () => this.departure.leave())
  }

  respond({ status, headers }: ResponseHead, body: string | Buffer = ''): void {
    const own = headers.filter(([name]) => !/^content-length$/i.test(name))
    this.begin({ status, headers: [...own, ['Content-Length', String(Buffer.byteLength(body))]] })?.end(body)
  }

  /** The connection ends with the response: what the client sent behind its request is not read as another one. */
  begin({ status, headers }: ResponseHead): Writable | undefined {
    if (this.#isAnswered || this.#socket.destroyed) return undefined
    this.#isAnswered = true
    const own = headers.filter(([name]) => !/^(connection|transfer-encoding)$/i.test(name))
    const lines = [...own, ['Connection', 'close']] as const
    for (const [name, value] of lines) validateHeaderValue(name!, value!)
    this.onAnswer?.(status)
    this.#socket.write(
      `HTTP/1.1 ${status} \r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      'latin1',
    )
    return this.#socket
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Its bytes are watched where they are passed on. */
  idleAfter(): void {}
}
