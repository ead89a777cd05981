/** Connections of clients: PROXY protocol, the fingerprint of the ClientHello, TLS, and then HTTP/1.1 or HTTP/2. */
import type { Server } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { fingerprints, HELLO_BYTES_MAX, parseClientHello } from '../../engines/tls/client-hello.ts'
import type { IpSet } from '../../engines/waf/ip-set.ts'
import type { Peer } from '../../kernel/planes/plane.ts'
import { type Http1Options, http1Server, REFUSAL_TEXT } from './http1.ts'
import { http2Session } from './http2.ts'
import { type ProxyHeader, parseProxyHeader } from './proxy-protocol.ts'
import type { ConnectionFacts } from './request.ts'
import { contextFor, type PortState } from './state.ts'

/** From accepting to the first byte of a request, TLS included. */
const OPENING_MS = 10_000
const TLS_RECORD = 22

export interface ConnectionsOptions extends Pick<Http1Options, 'handle' | 'upgrade' | 'refused'> {
  readonly portState: (port: number) => PortState | undefined
  /** Addresses whose PROXY protocol is believed. */
  readonly trusted: IpSet | undefined
}

type Opening = { -readonly [K in keyof ConnectionFacts]: ConnectionFacts[K] }

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #facts = new WeakMap<Duplex, ConnectionFacts>()
  readonly #http1: Server
  readonly #sessions = new Set<ServerHttp2Session>()
  #isDraining = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.#http1 = http1Server({ ...options, factsOf: (socket) => this.#facts.get(socket) })
    // The server does not listen itself: with this it watches for heads that come too slowly.
    this.#http1.emit('listening')
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  accept(socket: Socket, peer: Peer, port: number): void {
    const state = this.#options.portState(port)
    if (!state || this.#isDraining) return void socket.destroy()
    const facts: Opening = { address: plainAddress(peer.address), port: peer.port, listenerPort: port }
    let bytes: Buffer = Buffer.alloc(0)
    let isProxied = this.#options.trusted?.has(facts.address) === true
    socket.setNoDelay(true)
    const timer = setTimeout(() => socket.destroy(), OPENING_MS)
    socket.once('close', () => clearTimeout(timer))
    const onData = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      if (isProxied) {
        const header: ProxyHeader | 'more' | undefined = parseProxyHeader(bytes)
        if (header === 'more') return
        isProxied = false
        if (header) {
          bytes = bytes.subarray(header.length)
          if (header.source) {
            facts.address = plainAddress(header.source.address)
            facts.port = header.source.port
          }
        }
      }
      if (bytes.length === 0) return
      let serverName: string | undefined
      const isTls = bytes[0] === TLS_RECORD
      if (isTls) {
        const hello = parseClientHello(bytes)
        if (hello === 'more' && bytes.length < HELLO_BYTES_MAX) return
        if (!hello || hello === 'more') return void socket.destroy()
        Object.assign(facts, fingerprints(hello))
        serverName = hello.serverName
      }
      socket.off('data', onData)
      socket.pause()
      clearTimeout(timer)
      socket.unshift(bytes)
      if (isTls) this.#secure(socket, state, facts, serverName)
      else this.#plain(socket, state, facts)
    }
    socket.on('data', onData)
  }

  #plain(socket: Socket, state: PortState, facts: ConnectionFacts): void {
    if (state.plain.length === 0) {
      this.#options.refused('plain HTTP at an HTTPS listener')
      return void socket.end(REFUSAL_TEXT)
    }
    this.#facts.set(socket, facts)
    this.#http1.emit('connection', socket)
    socket.resume()
  }

  #secure(socket: Socket, state: PortState, facts: Opening, serverName: string | undefined): void {
    const chosen = contextFor(state, serverName)
    if (!chosen) return void socket.destroy()
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: chosen.context,
      ALPNProtocols: chosen.offersHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      requestCert: false,
    })
    const timer = setTimeout(() => tls.destroy(), OPENING_MS)
    tls.on('error', () => tls.destroy())
    tls.once('close', () => {
      clearTimeout(timer)
      socket.destroy()
    })
    tls.once('secure', () => {
      clearTimeout(timer)
      // A server of Node says so itself; HTTP/2 would wait for the handshake otherwise.
      Object.assign(tls, { secureConnecting: false })
      facts.tls = { version: tls.getProtocol() ?? '', cipher: tls.getCipher()?.name ?? '' }
      this.#facts.set(tls, facts)
      if (tls.alpnProtocol !== 'h2') return void this.#http1.emit('connection', tls)
      const session = http2Session(tls, facts, this.#options)
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      if (this.#isDraining) session.close()
    })
  }

  /** New connections are refused; those that are open end with what they are doing. */
  drain(): void {
    this.#isDraining = true
    for (const session of this.#sessions) session.close()
    this.#http1.closeIdleConnections()
  }

  close(): void {
    for (const session of this.#sessions) session.destroy()
    this.#http1.close(() => undefined)
    this.#http1.closeAllConnections()
  }
}

/** `::ffff:192.0.2.7` is an IPv4 client at a socket of both families. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
