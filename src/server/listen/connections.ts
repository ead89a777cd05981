/**
 * The connections of the listener, and which of them ends when there are too many. A connection whose request is being
 * answered never ends for another one; those that hold a place without using it do, the slowest of the address with the
 * most of them first.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Peer } from '../../wire/http.ts'
import { plainAddress } from '../../wire/node-http.ts'
import type { ArrivingBody } from './slow-bodies.ts'

interface Connection {
  readonly socket: Socket
  readonly key: string
  /** The client, as far as the connection shows: the peer, or the address that a proxy named before the first byte. */
  peer: Peer
  /** Opened while there were too many: must bring its head soon. */
  readonly pressed: boolean
  hasServed: boolean
  /** Milliseconds of the monotonic clock: when it was opened, or its last answer was out. */
  since: number
  inFlight: number
  body: ArrivingBody | undefined
  late: NodeJS.Timeout | undefined
}

/** Beyond the maximum: connections for health checks, and for new clients until others have ended. */
export const RESERVED_CONNECTIONS = 64
/** A search costs a pass over all connections, so that it ends several at once. */
const EVICTED_AT_ONCE = 16
/** Of the evictable connections of one address: at most this share ends at once. */
const EVICTED_SHARE = 1 / 8
/** For the head of a request on a connection that was opened while there were too many. */
const PRESSED_HEAD_MS = 1_000
/** To find all idle connections is work: not for each new one. */
const IDLE_SWEEP_MS = 250

export class Connections {
  readonly #max: number
  readonly #onEvicted: () => void
  #sweptAt = Number.NEGATIVE_INFINITY
  readonly #open = new Map<Socket, Connection>()
  /** By both ends: TLS and HTTP/2 wrap a socket into others. */
  readonly #byEnds = new Map<string, Connection>()

  constructor(max: number, onEvicted: () => void) {
    this.#max = max
    this.#onEvicted = onEvicted
  }

  get size(): number {
    return this.#open.size
  }

  add(socket: Socket): void {
    const pressed = this.#open.size >= this.#max
    if (pressed) this.makeRoom()
    const connection: Connection = {
      socket,
      key: endsOf(socket),
      peer: { remoteAddress: plainAddress(socket.remoteAddress ?? ''), secure: false, tls: undefined },
      pressed,
      since: performance.now(),
      inFlight: 0,
      body: undefined,
      late: pressed ? setTimeout(() => this.#evict([connection]), PRESSED_HEAD_MS).unref() : undefined,
      hasServed: false,
    }
    this.#open.set(socket, connection)
    this.#byEnds.set(connection.key, connection)
    socket.once('close', () => {
      clearTimeout(connection.late)
      this.#forget(connection)
    })
  }

  /** A proxy has named the client. */
  proxied(socket: Socket, peer: Peer): void {
    const connection = this.#open.get(socket)
    if (connection) connection.peer = peer
  }

  /** The handshake is over: what came before in the clear was the proxy's. */
  secured(socket: TLSSocket): void {
    const connection = this.#of(socket)
    if (!connection) return
    const tls = { version: socket.getProtocol() ?? '', cipher: socket.getCipher()?.name }
    connection.peer = { ...connection.peer, secure: true, tls }
  }

  /** undefined once the connection has ended. */
  peerOf(socket: Socket): Peer | undefined {
    return this.#of(socket)?.peer
  }

  /** The connection's own socket, which TLS wraps. */
  socketOf(socket: Socket): Socket | undefined {
    return this.#of(socket)?.socket
  }

  destroyAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy()
  }

  /** `socket` may wrap the one that was added. */
  #of(socket: Socket): Connection | undefined {
    return this.#open.get(socket) ?? this.#byEnds.get(endsOf(socket))
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection.socket)
    if (this.#byEnds.get(connection.key) === connection) this.#byEnds.delete(connection.key)
  }

  /** A request has begun, with the body that it will have. {@link end} must follow. */
  begin(socket: Socket, body: ArrivingBody): void {
    const connection = this.#of(socket)
    if (!connection) return
    clearTimeout(connection.late)
    connection.inFlight++
    connection.body = body
  }

  end(socket: Socket): void {
    const connection = this.#of(socket)
    if (!connection) return
    connection.hasServed = true
    connection.inFlight--
    connection.body = undefined
    connection.since = performance.now()
  }

  /** Whether a connection only has a place in the reserve. */
  isReserve(socket: Socket): boolean {
    return this.#open.size > this.#max && this.#of(socket)?.pressed === true
  }

  /** Ends all idle connections; while there are still too many, some of the slow ones. */
  makeRoom(): void {
    const now = performance.now()
    if (now - this.#sweptAt >= IDLE_SWEEP_MS) {
      this.#sweptAt = now
      for (const connection of this.#open.values()) if (isIdle(connection)) this.#end(connection)
    }
    if (this.#open.size >= this.#max) this.#evict(this.#slowest(now))
  }

  /** Of the address that has most connections whose requests have not come. */
  #slowest(now: number): readonly Connection[] {
    const byAddress = new Map<string, Connection[]>()
    for (const connection of this.#open.values()) {
      if (!isEvictable(connection)) continue
      const { remoteAddress } = connection.peer
      const group = byAddress.get(remoteAddress)
      if (group) group.push(connection)
      else byAddress.set(remoteAddress, [connection])
    }
    let largest: Connection[] = []
    for (const group of byAddress.values()) if (group.length > largest.length) largest = group
    largest.sort((a, b) => rateOf(a, now) - rateOf(b, now) || a.since - b.since)
    const count = Math.min(EVICTED_AT_ONCE, Math.ceil(largest.length * EVICTED_SHARE))
    return largest.slice(0, count)
  }

  #evict(connections: readonly Connection[]): void {
    for (const connection of connections) {
      this.#onEvicted()
      this.#end(connection)
    }
  }

  #end(connection: Connection): void {
    connection.socket.destroy()
    this.#forget(connection)
  }
}

const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

/** Kept alive after an answer. To end these harms no client. */
const isIdle = ({ inFlight, hasServed }: Connection): boolean => inFlight === 0 && hasServed

/** Idle, or with a head or a body that has not come yet. */
const isEvictable = ({ inFlight, body }: Connection): boolean =>
  inFlight === 0 || (inFlight === 1 && body !== undefined && !body.isComplete)

/** Bytes of its body a millisecond; nothing of a head, which is small. */
const rateOf = ({ body }: Connection, now: number): number =>
  body === undefined ? 0 : body.bytes / Math.max(1, now - body.startedAt)
