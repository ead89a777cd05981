/**
 * The sockets of one sandbox: a Unix socket for each target, served by the host. Targets without a socket cannot be
 * reached.
 */
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { answerOverHttp, type Handler } from '../../wire/node-http.ts'
import type { Egress } from './egress.ts'
import { INSIDE } from './sandbox.ts'

/** Where the sandbox sees a socket. */
export interface Door {
  readonly address: string
  readonly port: number
  readonly socket: string
}

const BODY_BYTES_MAX = 6 * 1024 * 1024

export class SandboxSockets {
  readonly #io: string
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly doors: Door[] = []

  constructor(io: string) {
    this.#io = io
  }

  http(address: string, port: number, listener: RequestListener): Promise<void> {
    return this.#open(address, port, createHttp({ keepAliveTimeout: 0 }, listener))
  }

  /** Merlon's own API, with the function's signature, like any client. */
  api(address: string, port: number, handle: Handler): Promise<void> {
    return this.http(address, port, (request, response) => {
      answerOverHttp(handle, request, response, BODY_BYTES_MAX).catch(() => response.destroy())
    })
  }

  /** A target of the network, checked anew for each connection. `onRefused` is called with each refusal. */
  target(
    door: { address: string; host: string; port: number },
    egress: Egress,
    onRefused: (line: string) => void,
  ): Promise<void> {
    const { address, host, port } = door
    const ending = new AbortController()
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (inner) => {
      inner.on('error', () => undefined)
      egress.dial(host, port, ending.signal).then(
        (outer) => {
          this.#track(outer)
          outer.on('error', () => inner.destroy())
          outer.on('close', () => inner.destroy())
          inner.on('close', () => outer.destroy())
          inner.pipe(outer).pipe(inner)
        },
        (error: Error) => {
          onRefused(error.message)
          inner.destroy()
        },
      )
    })
    server.on('close', () => ending.abort())
    return this.#open(address, port, server)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  async #open(address: string, port: number, server: Server): Promise<void> {
    const name = `${this.#servers.length}.sock`
    this.#servers.push(server)
    server.on('connection', (socket: Socket) => this.#track(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(join(this.#io, name), resolve)
    })
    this.doors.push({ address, port, socket: `${INSIDE.io}/${name}` })
  }
}
