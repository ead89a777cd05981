/**
 * The socket: HTTP in, raw bytes to the handler, bytes out; with TLS, and behind proxies, where those are configured. Every limit
 * on what unauthenticated clients may send is here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import type { RequestHead, Upload } from '../../kernel/service/traits.ts'
import type { Peer } from '../../wire/http.ts'
import {
  answerOverHttp,
  BodyBudgetError,
  closeAfter,
  type Handler,
  NoPlaceError,
  plainAddress,
} from '../../wire/node-http.ts'
import { Admission, type AdmissionLimits, admissionDefaults, type Load, type Refusal } from './admission.ts'
import { Connections, RESERVED_CONNECTIONS } from './connections.ts'
import { type Http2Front, openHttp2 } from './http2.ts'
import { listenPrivately } from './private-socket.ts'
import { awaitProxyHead } from './proxy-head.ts'
import type { ProxiedClient } from './proxy-protocol.ts'
import { refuseBusy, refuseSlow } from './refusal.ts'
import { type MinimumRate, paceDefaults, SlowBodies, SlowBodyError } from './slow-bodies.ts'
import { TLS_OPTIONS, type TlsSource } from './tls.ts'
import type { TrustedProxies } from './trusted-proxies.ts'
import { patienceDefaults, type ReadTimeouts, UnreadAnswers } from './unread-answers.ts'

export type { Handler } from '../../wire/node-http.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /**
   * A Unix socket of the server's user, instead of an address: each connection begins with a head of the PROXY protocol that names
   * the client, or is closed.
   */
  readonly path?: string
  readonly bodyBytesMax?: number
  /** Requests whose bodies may be larger than `bodyBytesMax`. Default: none. */
  readonly uploads?: Iterable<Upload> | undefined
  readonly admission?: AdmissionLimits | undefined
  /** Requests that are answered, a few at a time, when all others are refused: those about the server's own state. */
  readonly isVital?: (request: IncomingMessage) => boolean
  /** Called for every client that is refused or disconnected. */
  readonly onRefused?: (why: Refusal) => void
  readonly pace?: MinimumRate
  readonly patience?: ReadTimeouts
  readonly headersMsMax?: number
  readonly connectionsMax?: number
  /** Default: no TLS. */
  readonly tls?: TlsSource | undefined
  /** Whether HTTP/2 is spoken, too, with clients that prefer it; only over TLS. Default: HTTP/1.1 alone. */
  readonly http2?: boolean
  /** Default: the peer of a connection is the client. */
  readonly proxies?: TrustedProxies | undefined
}

export interface Listener {
  readonly url: string
  readonly port: number
  readonly load: () => Load
  /** From now on every response is the last on its connection: clients that keep connections reconnect elsewhere. */
  leave(): void
  /**
   * Closes the connections without a request in progress, and with them what each remembers of its last response; then
   * overwrites what was read last.
   */
  dismiss(): Promise<void>
  /** Takes no new requests, answers those in progress, then returns. */
  close(): Promise<void>
}

/** Twice what is read at once. */
const READ_BYTES = 128 * 1024
const OVERWRITE_MS_MAX = 500

/** The largest request but for uploads of code: a Lambda invocation. */
const BODY_BYTES_MAX = 6 * 1024 * 1024
/** A package of 50 MB in base64. Source: the sentence Lambda refuses longer ones with. */
const UPLOAD_BYTES_MAX = 70_167_211
const HEADER_BYTES_MAX = 32 * 1024
const HEADERS_MS_MAX = 10_000
const BODY_MS_MAX = 60_000
const UPLOAD_MS_MAX = 300_000
/** How often Node looks for heads that are late. */
const HEADERS_SWEEP_MS = 1_000
/** Longer than the idle time of common load balancers, so that it is never we who close under a request. */
const KEEP_ALIVE_MS = 75_000
const CONNECTIONS_MAX = 4_096
/** Connections that wait to be accepted. With Node's 511 a burst loses others' connections, which clients repeat seconds later. */
const BACKLOG_MAX = 4_096
const DRAIN_MS_MAX = 10_000
const DRAIN_SWEEP_MS = 20

export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const door = new Door(handler, options)
  const { tls, proxies } = options
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEADERS_SWEEP_MS,
  }
  const answer = (request: IncomingMessage, response: ServerResponse) => void door.answer(request, response)
  const server = tls
    ? createTlsServer({ ...limits, ...secureOptions(tls, options) }, answer)
    : createServer(limits, answer)
  const http2 =
    tls && options.http2 ? openHttp2(answer, { headerBytesMax: HEADER_BYTES_MAX, idleMs: KEEP_ALIVE_MS }) : undefined
  if (tls) handshakeBy(server as TlsServer, tls, door.connections, http2)
  // A client that sends `Expect: 100-continue` is answered before it sends the body.
  server.on('checkContinue', (request, response) => void door.answer(request, response, true))
  server.headersTimeout = options.headersMsMax ?? HEADERS_MS_MAX
  server.requestTimeout = UPLOAD_MS_MAX
  server.maxConnections = (options.connectionsMax ?? CONNECTIONS_MAX) + RESERVED_CONNECTIONS
  if (proxies || options.path !== undefined) {
    intercept<Socket>(server, 'connection', (socket, proceed) => {
      if (options.path !== undefined || proxies?.has(plainAddress(socket.remoteAddress ?? '')))
        awaitProxyHead(socket, HEADERS_MS_MAX, (client) => {
          if (client) door.connections.proxied(socket, peerOfProxied(client))
          else if (options.path !== undefined) return void socket.destroy()
          proceed(socket)
          // TLS reads what is left in the socket on its own; HTTP takes it as it flows.
          if (!tls) socket.resume()
        })
      else proceed(socket)
    })
  }
  server.prependListener('connection', (socket) => door.connections.add(socket))
  // Beyond the reserve Node drops new connections.
  server.on('drop', () => {
    door.admission.refuse('connections')
    door.connections.makeRoom()
  })
  const backlog = BACKLOG_MAX
  if (options.path !== undefined) await listenPrivately(server, options.path, { backlog })
  else
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: options.port, host: options.host, backlog }, resolve)
    })
  const address = server.address() as AddressInfo | string
  const port = typeof address === 'string' ? 0 : address.port
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${port}`,
    port,
    load: () => door.load,
    leave: () => {
      door.leave()
      http2?.leave()
    },
    dismiss: () => {
      server.closeIdleConnections()
      return overwriteReads(port, options, tls !== undefined)
    },
    close: async () => {
      await drain(server, door.connections, http2)
      door.close()
    },
  }
}

/** Node reads every request into the same few buffers: overwrite them with zeros. */
async function overwriteReads(
  port: number,
  { host, path }: Pick<ListenOptions, 'host' | 'path'>,
  isSecure: boolean,
): Promise<void> {
  const proxy = path === undefined ? '' : 'PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n'
  const request = `${proxy}POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${READ_BYTES}\r\nconnection: close\r\n\r\n`
  await new Promise<void>((resolve) => {
    const place =
      path === undefined ? { port, host: host === '0.0.0.0' || host === '::' ? 'localhost' : host } : { path }
    // To this very server, with nothing but zeros: its certificate need not be for this name.
    const socket = isSecure ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.end(Buffer.concat([Buffer.from(request), Buffer.alloc(READ_BYTES)]))
    })
    socket.setTimeout(OVERWRITE_MS_MAX, () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.resume()
  })
}

type HttpServer = ReturnType<typeof createServer>
type TlsServer = ReturnType<typeof createTlsServer>

/** For clients that name no server. {@link handshakeBy} keeps it up to date. */
function secureOptions(tls: TlsSource, { http2 }: Pick<ListenOptions, 'http2'>) {
  const { cert, key } = tls.current()
  return {
    ...TLS_OPTIONS,
    cert,
    key,
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeout: HEADERS_MS_MAX,
    SNICallback: (serverName: string, done: (error: Error | null, context?: SecureContext) => void) => {
      const identity = tls.current()
      if (identity.covers(serverName)) return done(null, identity.context)
      const others = tls.named?.(serverName) ?? Promise.resolve(undefined)
      void others.then((other) =>
        other ? done(null, other.context) : done(new Error('the certificate is not for this name')),
      )
    },
  }
}

/** Each handshake has the certificate of its moment, and each connection the protocol that its client chose. */
function handshakeBy(server: TlsServer, tls: TlsSource, connections: Connections, http2: Http2Front | undefined): void {
  let identity = tls.current()
  intercept<Socket>(server, 'connection', (socket, proceed) => {
    const current = tls.current()
    if (current !== identity) server.setSecureContext({ ...TLS_OPTIONS, cert: current.cert, key: current.key })
    identity = current
    proceed(socket)
  })
  intercept<TLSSocket>(server, 'secureConnection', (socket, proceed) => {
    connections.secured(socket)
    if (socket.alpnProtocol !== 'h2' || !http2) return proceed(socket)
    const connection = connections.socketOf(socket)
    http2.take(socket, () => connection?.destroy())
  })
}

/** What Node's server does with an event comes after what `before` does, if it proceeds. */
function intercept<T>(
  server: HttpServer | TlsServer,
  event: 'connection' | 'secureConnection',
  before: (value: T, proceed: (value: T) => void) => void,
): void {
  const listeners = server.listeners(event)
  server.removeAllListeners(event)
  server.on(event, (value: T) =>
    before(value, (proceeding) => {
      for (const listener of listeners) listener.call(server, proceeding)
    }),
  )
}

const peerOfProxied = ({ address, tls }: ProxiedClient): Peer => ({
  remoteAddress: plainAddress(address),
  secure: tls !== undefined,
  tls: tls?.version === undefined ? undefined : { version: tls.version, cipher: tls.cipher },
})

/** Limits on requests: how many, how large, and how slow. */
class Door {
  readonly admission: Admission
  readonly connections: Connections
  readonly #handler: Handler
  readonly #bodyBytesMax: number
  readonly #uploads: Iterable<Upload>
  readonly #isVital: (request: IncomingMessage) => boolean
  readonly #slow: SlowBodies
  readonly #unread: UnreadAnswers
  readonly #proxies: TrustedProxies | undefined
  #leaving = false

  constructor(handler: Handler, options: ListenOptions) {
    const limits = options.admission ?? admissionDefaults
    this.admission = new Admission(limits, options.onRefused)
    this.connections = new Connections(options.connectionsMax ?? CONNECTIONS_MAX, () =>
      this.admission.refuse('connections'),
    )
    this.#handler = handler
    this.#proxies = options.proxies
    this.#bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX
    this.#uploads = options.uploads ?? []
    this.#isVital = options.isVital ?? (() => false)
    this.#slow = new SlowBodies(options.pace ?? paceDefaults, () => this.admission.refuse('slow_body'))
    this.#unread = new UnreadAnswers(limits.answerBytesMax, options.patience ?? patienceDefaults, () => {
      this.admission.refuse('slow_reader')
    })
  }

  leave(): void {
    this.#leaving = true
  }

  get load(): Load {
    return { ...this.admission.load, answerBytes: this.#unread.bytes }
  }

  async answer(request: IncomingMessage, response: ServerResponse, awaitsContinue = false): Promise<void> {
    const peer = this.#peerOf(request)
    // Ended meanwhile: nothing can be answered.
    if (!peer) return void request.socket.destroy()
    if (this.#leaving) closeAfter(response)
    const vital = this.#isVital(request)
    const isReserve = this.connections.isReserve(request.socket)
    if (isReserve) closeAfter(response)
    if ((isReserve && !vital) || !this.admission.arrive(vital)) {
      // Behind another request of the same connection its refusal would wait, and a thousand of them with it.
      if (response.socket === null) request.socket.destroy()
      else refuseBusy(request, response)
      return
    }
    const place = { isTaken: false }
    try {
      await this.#answer(request, response, peer, awaitsContinue, () => {
        place.isTaken = this.admission.enter(vital)
        return place.isTaken
      })
      await this.#unread.read(response)
    } catch (error) {
      if (error instanceof BodyBudgetError || error instanceof NoPlaceError) refuseBusy(request, response)
      else if (error instanceof SlowBodyError) refuseSlow(request, response)
      // A client that hangs up is no news.
      else response.destroy()
    } finally {
      if (place.isTaken) this.admission.leave()
      this.connections.end(request.socket)
    }
  }

  /**
   * Only uploads may send more than other requests, from a budget of their own: unauthenticated clients must not fill
   * the memory, and whether a client is authenticated is known only once a body is read.
   */
  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    awaitsContinue: boolean,
    enter: () => boolean,
  ): Promise<void> {
    const { socket } = request
    const length = request.headers['content-length']
    const announced = length === undefined ? undefined : Number(length)
    const large = (announced ?? 0) > this.#bodyBytesMax ? this.#uploadOf(request) : undefined
    const bytesMax = large ? UPLOAD_BYTES_MAX : this.#bodyBytesMax
    const budget = large ? 'uploads' : 'bodies'
    const body = this.admission.hold(budget, announced, large ? UPLOAD_MS_MAX : BODY_MS_MAX, peer.remoteAddress)
    this.connections.begin(socket, body)
    this.#slow.watch(body)
    let isArriving = true
    const arrived = () => {
      if (isArriving) this.admission.depart()
      isArriving = false
    }
    try {
      if (large?.tooLarge && announced! > UPLOAD_BYTES_MAX) return refuseUpload(response, large.tooLarge)
      if (awaitsContinue && (announced ?? 0) <= bytesMax) response.writeContinue()
      const entered = () => {
        arrived()
        return enter()
      }
      await answerOverHttp(this.#handler, request, response, bytesMax, body, entered, peer)
    } finally {
      arrived()
      this.#slow.forget(body)
      this.admission.release(budget, body)
    }
  }

  #uploadOf(request: IncomingMessage): Upload | undefined {
    const head = headOf(request)
    for (const upload of this.#uploads) if (upload.matches(head)) return upload
    return undefined
  }

  /** undefined once the connection has ended. */
  #peerOf(request: IncomingMessage): Peer | undefined {
    const peer = this.connections.peerOf(request.socket)
    if (!peer || !this.#proxies?.has(peer.remoteAddress)) return peer
    const { remoteAddress } = peer
    const secure = this.#proxies.isSecure(remoteAddress, request)
    return {
      remoteAddress: this.#proxies.clientOf(remoteAddress, request),
      secure: secure ?? peer.secure,
      // That of the connection is between the proxy and this server.
      tls: undefined,
    }
  }

  close(): void {
    this.#slow.close()
  }
}

function refuseUpload(response: ServerResponse, { status, contentType, body }: NonNullable<Upload['tooLarge']>): void {
  closeAfter(response)
  response.writeHead(status, { 'content-type': contentType })
  response.end(body)
}

const headOf = ({ method, url = '', headers: { authorization } }: IncomingMessage): RequestHead => ({
  method,
  url,
  authorization,
})

async function drain(server: Server, connections: Connections, http2: Http2Front | undefined): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection kept alive falls idle only once its answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS)
  http2?.leave()
  const late = setTimeout(() => connections.destroyAll(), DRAIN_MS_MAX)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(late)
}
