/** HTTP/2 at the listeners: sessions over TLS, with bounds on streams, headers and resets. */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Writable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { HEADER_BYTES_MAX } from './http1.ts'
import {
  type ConnectionFacts,
  type GatewayRequest,
  type Header,
  hostOf,
  type ParsedRequest,
  ReceivedRequest,
  type ResponseHead,
  targetOf,
} from './request.ts'

const STREAMS_MAX = 100
const HEADER_LIST_BYTES_MAX = HEADER_BYTES_MAX
const IDLE_MS = 65_000
/** A client that resets more streams than this in a second is attacking (CVE-2023-44487). */
const RESETS_BURST = 200
const RESETS_RATE = 33

const OPTIONS = {
  settings: {
    maxConcurrentStreams: STREAMS_MAX,
    maxHeaderListSize: HEADER_LIST_BYTES_MAX,
    enablePush: false,
    initialWindowSize: 256 * 1024,
  },
  maxSessionMemory: 10,
  maxHeaderListPairs: 128,
  maxOutstandingPings: 10,
  maxSettings: 16,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: RESETS_BURST,
  streamResetRate: RESETS_RATE,
}

export interface Http2Options {
  readonly handle: (request: GatewayRequest) => void
  readonly refused: (reason: string) => void
}

export function http2Session(
  socket: TLSSocket,
  facts: ConnectionFacts,
  { handle, refused }: Http2Options,
): ServerHttp2Session {
  const session = performServerHandshake(socket, OPTIONS as Parameters<typeof performServerHandshake>[1])
  session.setTimeout(IDLE_MS, () => session.close())
  session.on('error', () => session.destroy())
  let [resets, since] = [0, Date.now()]
  /** Each stream that a client resets has cost a request: Node's own limit is a thousand at once. */
  const countReset = () => {
    const now = Date.now()
    resets = Math.max(0, resets - ((now - since) / 1_000) * RESETS_RATE) + 1
    since = now
    if (resets <= RESETS_BURST || session.destroyed) return
    refused('reset streams')
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw?: unknown) => {
    stream.on('error', () => undefined)
    stream.once('close', () => {
      // Also where the code says that nothing failed, or this side was made to reset (CVE-2025-8671): the response says what a stream cost.
      const { rstCode } = stream
      const isWhole = stream.headersSent && !stream.aborted && rstCode === constants.NGHTTP2_NO_ERROR
      if (!isWhole && !ended.has(stream)) countReset()
    })
    const request = requestOf(stream, headers, (raw ?? []) as readonly string[], facts)
    if (typeof request === 'string') {
      refused(request)
      stream.respond({ ':status': 400 }, { endStream: true })
      stream.close(constants.NGHTTP2_NO_ERROR)
      return
    }
    handle(new Http2Request(request, stream))
  })
  return session
}

/** Headers that mean nothing in HTTP/2 and something else to an HTTP/1.1 server behind (RFC 9113 §8.2.2). */
const FORBIDDEN = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

function requestOf(
  stream: ServerHttp2Stream,
  parsed: IncomingHttpHeaders,
  raw: readonly string[],
  connection: ConnectionFacts,
): ParsedRequest | string {
  const headers: Header[] = []
  const pseudo = new Map<string, string>()
  for (let at = 0; at < raw.length; at += 2) {
    const [name, value] = [raw[at]!, raw[at + 1]!]
    if (name.startsWith(':')) pseudo.set(name, value)
    else headers.push([name, value])
  }
  if (raw.length === 0)
    for (const [name, value] of Object.entries(parsed)) {
      for (const each of Array.isArray(value) ? value : [value ?? ''])
        if (name.startsWith(':')) pseudo.set(name, each)
        else headers.push([name, each])
    }
  const method = pseudo.get(':method') ?? ''
  if (!/^[A-Z][A-Z-]{0,31}$/.test(method) || method === 'CONNECT' || method === 'TRACE') return `method ${method}`
  // Names and values end up in lines of HTTP/1.1.
  for (const [name, value] of headers) {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || FORBIDDEN.has(name)) return `header ${name}`
    if (/[\0\r\n]/.test(value) || /^[ \t]|[ \t]$/.test(value)) return `the value of ${name}`
    if (name === 'te' && value !== 'trailers') return 'header te'
  }
  const hosts = headers.filter(([name]) => name === 'host').map(([, value]) => value)
  const authority = pseudo.get(':authority') ?? hosts[0] ?? ''
  if (hosts.length > 1 || (hosts[0] ?? authority).toLowerCase() !== authority.toLowerCase()) return 'two hosts'
  if (hostOf(authority) === undefined) return 'the authority is invalid'
  const target = targetOf(pseudo.get(':path') ?? '')
  if (!target) return 'the path is invalid'
  const lengths = headers.filter(([name]) => name === 'content-length')
  if (lengths.length > 1 || (lengths[0] && !/^\d{1,15}$/.test(lengths[0][1]))) return 'content length'
  return {
    connection,
    method,
    ...target,
    authority,
    httpVersion: '2.0',
    headers: hosts.length > 0 ? headers : [['host', authority], ...headers],
    body: stream.endAfterHeaders ? undefined : stream,
  }
}

/** Streams that the gateway ended itself: it says by that that something failed. */
const ended = new WeakSet<ServerHttp2Stream>()

function endStream(stream: ServerHttp2Stream): void {
  ended.add(stream)
  stream.close(constants.NGHTTP2_INTERNAL_ERROR)
}

class Http2Request extends ReceivedRequest {
  readonly #stream: ServerHttp2Stream

  constructor(parsed: ParsedRequest, stream: ServerHttp2Stream) {
    super(parsed)
    this.#stream = stream
    stream.on('close', () => this.departure.leave())
  }

  respond(head: ResponseHead, body?: string | Buffer): void {
    if (this.#send(head, body === undefined) && body !== undefined) this.#stream.end(body)
  }

  begin(head: ResponseHead): Writable | undefined {
    return this.#send(head, false) ? this.#stream : undefined
  }

  #send({ status, headers }: ResponseHead, endStream: boolean): boolean {
    if (this.#stream.headersSent || this.#stream.destroyed) return false
    this.onAnswer?.(status)
    this.#stream.respond({ ':status': status, ...grouped(headers) }, { endStream })
    return true
  }

  destroy(): void {
    endStream(this.#stream)
  }

  idleAfter(milliseconds: number): void {
    this.#stream.setTimeout(milliseconds, () => endStream(this.#stream))
  }
}

function grouped(headers: readonly Header[]): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {}
  for (const [name, value] of headers) {
    const lowered = name.toLowerCase()
    if (FORBIDDEN.has(lowered)) continue
    const known = found[lowered]
    found[lowered] = known === undefined ? value : [known, value].flat()
  }
  return found
}
