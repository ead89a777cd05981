/** The sockets of planes: opened, limited and closed here. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { ListenerSpec, Peer, Plane, Responder } from '../../kernel/planes/plane.ts'

export interface OpenListener {
  readonly name: string
  readonly kind: ListenerSpec['kind']
  readonly port: number
  close(): Promise<void>
  /** Accepts no more, and leaves open connections a while to end by themselves. */
  retire?(): void
}

type Spec<K extends ListenerSpec['kind']> = Extract<ListenerSpec, { kind: K }>

/** `ports` by the listener's name; 0 takes a free one, which the other listeners of that name then share. */
export async function openListeners(
  plane: Pick<Plane, 'listeners'>,
  host: string,
  ports: Readonly<Record<string, number>>,
): Promise<readonly OpenListener[]> {
  const opened: OpenListener[] = []
  try {
    // TCP first: a port that is free there is nearly always free for UDP, too.
    for (const spec of [...plane.listeners].sort(
      (a, b) => Number(a.kind === 'datagram') - Number(b.kind === 'datagram'),
    )) {
      const port = opened.find(({ name }) => name === spec.name)?.port ?? ports[spec.name] ?? 0
      opened.push(await openListener(spec, host, port))
    }
    return opened
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close()))
    throw error
  }
}

function openListener(spec: ListenerSpec, host: string, port: number): Promise<OpenListener> {
  switch (spec.kind) {
    case 'datagram':
      return openDatagram(spec, host, port)
    case 'framed':
      return openTcp(spec, host, port, (socket) => answerFrames(spec, socket))
    case 'stream':
      return openTcp(spec, host, port, (socket) => spec.handle(socket, peerOf(socket)))
  }
}

async function openDatagram(spec: Spec<'datagram'>, host: string, port: number): Promise<OpenListener> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  let running = 0
  socket.on('message', async (message, { address, port: from }) => {
    if (message.length > spec.bytesMax || running >= spec.runningMax) return
    running++
    const response = await respond(spec.respond, message, { address, port: from })
    running--
    if (response) socket.send(response, from, address, () => undefined)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, resolve)
  })
  socket.removeAllListeners('error').on('error', () => undefined)
  return { name: spec.name, kind: spec.kind, port: socket.address().port, close: () => closeDatagram(socket) }
}

const closeDatagram = (socket: DatagramSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.close(() => resolve())
  })

/** A message that makes the plane fail gets no response; the next ones do. */
async function respond(responder: Responder, message: Buffer, peer: Peer): Promise<Buffer | undefined> {
  try {
    return await responder(message, peer)
  } catch {
    return undefined
  }
}

async function openTcp(
  spec: Spec<'framed'> | Spec<'stream'>,
  host: string,
  port: number,
  serve: (socket: Socket) => void,
): Promise<OpenListener> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    serve(socket)
  })
  server.maxConnections = spec.connectionsMax
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    name: spec.name,
    kind: spec.kind,
    port: bound,
    close: () => closeTcp(server, sockets),
    retire: () => {
      server.close()
      setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, RETIRED_MS).unref()
    },
  }
}

/** What a request may still take after its listener is gone. */
const RETIRED_MS = 60_000

const closeTcp = (server: Server, sockets: ReadonlySet<Socket>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })

const peerOf = (socket: Socket): Peer => ({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 })

const LENGTH_BYTES = 2

/** One message at a time, in order: what a client sends ahead waits in the socket. */
function answerFrames(spec: Spec<'framed'>, socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0)
  let isAnswering = false
  socket.setTimeout(spec.idleMs, () => socket.destroy())

  const answerNext = async (): Promise<void> => {
    if (isAnswering) return
    isAnswering = true
    while (pending.length >= LENGTH_BYTES) {
      const length = pending.readUInt16BE(0)
      if (length > spec.bytesMax) return void socket.destroy()
      if (pending.length < LENGTH_BYTES + length) break
      const message = pending.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
      pending = pending.subarray(LENGTH_BYTES + length)
      const response = await respond(spec.respond, message, peerOf(socket))
      if (!response) return void socket.destroy()
      const prefix = Buffer.alloc(LENGTH_BYTES)
      prefix.writeUInt16BE(response.length)
      if (!socket.write(Buffer.concat([prefix, response]))) await drained(socket)
    }
    isAnswering = false
    socket.resume()
  }

  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    socket.pause()
    void answerNext()
  })
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('drain', resolve).once('close', resolve)
  })

/**
 * Opens the listeners of a plane whose snapshot says which there are, and follows it: new ones are opened, and those that are gone
 * stop accepting while their connections end. `portOf` maps the port that the snapshot says to the one that is opened; 0 takes any.
 */
export class FollowedListeners {
  readonly #plane: Plane
  readonly #host: string
  readonly #portOf: (port: number) => number
  readonly #opened = new Map<string, OpenListener>()
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(plane: Plane, host: string, portOf: (port: number) => number = (port) => port) {
    this.#plane = plane
    this.#host = host
    this.#portOf = portOf
  }

  /** By the name of the listener. */
  get opened(): ReadonlyMap<string, OpenListener> {
    return this.#opened
  }

  async start(): Promise<void> {
    this.#plane.onListeners?.(() => void this.#follow())
    await this.#follow()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turn
    await Promise.all([...this.#opened.values()].map((listener) => listener.close()))
    this.#opened.clear()
  }

  #follow(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#reconcile())
    return this.#turn
  }

  async #reconcile(): Promise<void> {
    if (this.#isClosed) return
    const wanted = this.#plane.listeners
    const names = new Set(wanted.map(({ name }) => name))
    for (const [name, listener] of this.#opened) {
      if (names.has(name)) continue
      this.#opened.delete(name)
      if (listener.retire) listener.retire()
      else await listener.close()
    }
    for (const spec of wanted) {
      if (this.#opened.has(spec.name)) continue
      const port = this.#portOf((spec.kind === 'stream' ? spec.port : undefined) ?? 0)
      try {
        this.#opened.set(spec.name, await openListener(spec, this.#host, port))
      } catch (error) {
        this.#plane.onListenError?.(spec.name, error as Error)
      }
    }
  }
}
