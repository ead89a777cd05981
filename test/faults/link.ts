/** The wire between one node and the database: a TCP proxy that can be cut, refused, stalled and slowed. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * `pass`: as it comes. `refuse`: no process answers at that port, and what was open is reset. `stall`, `stall-up`,
 * `stall-down`: bytes wait, both ways or one (up is to the database), as a cable that is out makes TCP wait; what is
 * open stays open, and goes on afterwards. `slow`: every byte is late by half a second, each way.
 */
export const LINK_STATES = ['pass', 'refuse', 'stall', 'stall-up', 'stall-down', 'slow'] as const
export type LinkState = (typeof LINK_STATES)[number]

export const SLOW_MS = 500

interface Lane {
  readonly from: Socket
  readonly to: Socket
  readonly up: boolean
  readonly waiting: { readonly bytes: Buffer | 'end' | 'gone'; readonly due: number }[]
}

export class Link {
  #target: number
  readonly #lanes = new Set<Lane>()
  #server: Server | undefined
  #port = 0
  #state: LinkState = 'pass'
  #timer: NodeJS.Timeout

  private constructor(target: number) {
    this.#target = target
    this.#timer = setInterval(() => this.#flush(), 10)
    this.#timer.unref()
  }

  static async to(port: number): Promise<Link> {
    const link = new Link(port)
    await link.#listen()
    return link
  }

  get port(): number {
    return this.#port
  }

  /** Where new connections go from now on; what was open is reset. */
  aim(port: number): void {
    this.#target = port
    this.reset()
  }

  /** How many connections are open through it. */
  get connections(): number {
    return this.#lanes.size / 2
  }

  async set(state: LinkState): Promise<void> {
    this.#state = state
    if (state === 'refuse') {
      this.reset()
      this.#server?.close()
      this.#server = undefined
      return
    }
    if (!this.#server) await this.#listen()
    this.#flush()
  }

  /** Breaks what is open, both ends; new connections are taken. */
  reset(): void {
    for (const { from } of this.#lanes) from.resetAndDestroy()
    this.#lanes.clear()
  }

  close(): void {
    clearInterval(this.#timer)
    this.reset()
    this.#server?.close()
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => this.#join(near))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  #join(near: Socket): void {
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
    this.#carry({ from: near, to: far, up: true, waiting: [] })
    this.#carry({ from: far, to: near, up: false, waiting: [] })
  }

  #carry(lane: Lane): void {
    const { from } = lane
    this.#lanes.add(lane)
    from.setNoDelay(true)
    from.on('data', (bytes) => this.#take(lane, bytes))
    from.on('end', () => this.#take(lane, 'end'))
    from.on('error', () => undefined)
    from.on('close', () => this.#take(lane, 'gone'))
  }

  #take(lane: Lane, bytes: Buffer | 'end' | 'gone'): void {
    lane.waiting.push({ bytes, due: Date.now() + (this.#state === 'slow' ? SLOW_MS : 0) })
    this.#drain(lane)
  }

  #flush(): void {
    for (const lane of this.#lanes) this.#drain(lane)
  }

  #drain(lane: Lane): void {
    const { waiting, to, up } = lane
    if (this.#state === 'stall' || this.#state === (up ? 'stall-up' : 'stall-down')) return
    while (waiting.length > 0 && waiting[0]!.due <= Date.now()) {
      const { bytes } = waiting.shift()!
      if (bytes === 'end') to.end()
      else if (bytes === 'gone') {
        this.#lanes.delete(lane)
        // A peer that has closed its side still receives the response.
        if (!to.writableEnded) to.destroy()
      } else if (!to.destroyed) to.write(bytes)
    }
  }
}
