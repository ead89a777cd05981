/**
 * A plain load balancer: each request to the next node that is healthy, over connections it keeps; no request is sent
 * twice. A node is out while its /health fails, or its port is closed.
 */
import { once } from 'node:events'
import { Agent, request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const HEALTH_EVERY_MS = 200
const HEALTH_MS_MAX = 1_000

interface Node {
  readonly url: URL
  readonly agent: Agent
  up: boolean
  served: number
}

export class RoundRobin {
  readonly #nodes: Node[]
  readonly #server = createServer((request, response) => this.#pass(request, response))
  readonly #timer: NodeJS.Timeout
  #turn = 0

  private constructor(urls: readonly string[]) {
    this.#nodes = urls.map((url) => ({
      url: new URL(url),
      agent: new Agent({ keepAlive: true, maxFreeSockets: 64 }),
      up: true,
      served: 0,
    }))
    this.#timer = setInterval(() => void this.#nodes.map((node) => this.#look(node)), HEALTH_EVERY_MS)
    this.#timer.unref()
  }

  static async over(urls: readonly string[], port = 0): Promise<RoundRobin> {
    const proxy = new RoundRobin(urls)
    // As long as the nodes': the balancer's own limits are not what is tested.
    proxy.#server.keepAliveTimeout = 75_000
    proxy.#server.requestTimeout = 0
    proxy.#server.listen(port, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Requests answered by each node. */
  get served(): readonly number[] {
    return this.#nodes.map(({ served }) => served)
  }

  get up(): readonly boolean[] {
    return this.#nodes.map(({ up }) => up)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const { agent } of this.#nodes) agent.destroy()
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  async #look(node: Node): Promise<void> {
    const url = new URL('/health', node.url)
    node.up = await fetch(url, { signal: AbortSignal.timeout(HEALTH_MS_MAX) }).then(
      async (answer) => (await answer.arrayBuffer()) && answer.ok,
      () => false,
    )
  }

  /** Of those that are up; when none is, of all: one may have come back since it was looked at. */
  #next(not: ReadonlySet<Node>): Node | undefined {
    const candidates = [this.#nodes.filter(({ up }) => up), this.#nodes]
    for (const among of candidates.map((nodes) => nodes.filter((node) => !not.has(node)))) {
      if (among.length > 0) return among[this.#turn++ % among.length]
    }
    return undefined
  }

  #pass(request: IncomingMessage, response: ServerResponse, refused: ReadonlySet<Node> = new Set()): void {
    const node = this.#next(refused)
    if (!node) {
      unavailable(response)
      return
    }
    const { method, url, rawHeaders } = request
    const { hostname, port } = node.url
    const passed = ask({ agent: node.agent, hostname, port, method, path: url, headers: endToEnd(rawHeaders) })
    passed.on('response', (answer) => {
      node.served++
      response.writeHead(answer.statusCode!, answer.statusMessage, endToEnd(answer.rawHeaders))
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    passed.on('error', (error: NodeJS.ErrnoException) => {
      // The request was not delivered: the next node receives it for the first time.
      if (error.code === 'ECONNREFUSED') {
        node.up = false
        this.#pass(request, response, new Set([...refused, node]))
      } else if (response.headersSent) response.destroy()
      else unavailable(response)
    })
    response.on('close', () => passed.destroy())
    // The body waits until a node has accepted the connection, so that it can still go to another.
    passed.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => request.pipe(passed))
      else request.pipe(passed)
    })
  }
}

function unavailable(response: ServerResponse): void {
  response.writeHead(502, { 'content-type': 'text/plain', 'content-length': 0 }).end()
}

/** Without those that belong to one connection. RFC 9110 §7.6.1. */
function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2)
    if (!/^(connection|keep-alive|proxy-connection|te|upgrade)$/i.test(raw[i]!)) kept.push(raw[i]!, raw[i + 1]!)
  return kept
}
