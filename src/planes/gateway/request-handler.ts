/** What happens with a request: its load balancer, its web ACL, its rule, its target. */
import type { Duplex } from 'node:stream'
import { addressBytes, type IpSet } from '../../engines/waf/ip-set.ts'
import { type PublishedWebAcl, readsBots } from '../../engines/waf/published.ts'
import type { CompiledWebAcls, ReadyWebAcl } from '../../kernel/planes/compiled-web-acls.ts'
import { Challenges, SOLUTION_BYTES_MAX } from '../../kernel/web-acl-tokens/challenge.ts'
import { bodyLimit, type FilterParts, filtered } from './filter.ts'
import { forward, forwardUpgrade, idleMs } from './forward.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import { type GatewayRequest, type Header, headerOf } from './request.ts'
import { startOf } from './request-body.ts'
import { respondAnswer, respondFixed, respondRedirect, respondStatus } from './responses.ts'
import { actionFor, type Route, routeOf } from './routing.ts'
import type { GatewayState, ReportError } from './state.ts'
import type { Pools, TargetChoice } from './upstream.ts'

const IDLE_MORE_MS = 3_000
/** Requests at a time; more are refused, before anything is evaluated. */
const IN_FLIGHT_MAX = 10_000

export interface RequestHandlerParts {
  readonly state: () => GatewayState | undefined
  readonly acls: CompiledWebAcls
  readonly pools: Pools
  readonly choice: TargetChoice
  readonly filter: FilterParts
  readonly metrics: GatewayMetrics
  readonly trusted: IpSet | undefined
  readonly hops: number
  readonly onError: ReportError
}

interface Accepted {
  readonly route: Route
  readonly inserted: readonly Header[]
  readonly body: Buffer | GatewayRequest['body']
}

export class RequestHandler {
  readonly #parts: RequestHandlerParts
  /** Of requests that were routed. */
  readonly #loadBalancers = new WeakMap<GatewayRequest, string>()
  #inFlight = 0

  constructor(parts: RequestHandlerParts) {
    this.#parts = parts
  }

  get inFlight(): number {
    return this.#inFlight
  }

  handle(received: GatewayRequest): void {
    this.#during(received, async (state, request) => {
      const accepted = await this.#accepted(request, state)
      if (!accepted) return
      const { route, inserted, body } = accepted
      const action = actionFor(route, request)
      if (!action) return respondStatus(request, 404)
      if (action.type === 'fixed-response') return respondFixed(request, action)
      if (action.type === 'redirect') return respondRedirect(request, action)
      await forward(request, route, action, body, inserted, { ...this.#parts, ...state })
    })
  }

  upgrade(received: GatewayRequest, socket: Duplex, head: Buffer): void {
    this.#during(received, async (state, request) => {
      if (request.method !== 'GET' || request.body)
        return respondStatus(request, 400, 'A WebSocket is opened by GET, without a body.')
      const accepted = await this.#accepted(request, state)
      if (!accepted) return
      const action = actionFor(accepted.route, request)
      if (action?.type !== 'forward') return respondStatus(request, 400)
      const { route, inserted } = accepted
      await forwardUpgrade(request, { socket, head }, route, action, inserted, { ...this.#parts, ...state })
    })
  }

  #during(request: GatewayRequest, work: (state: GatewayState, request: GatewayRequest) => Promise<void>): void {
    const begun = performance.now()
    request.client = this.#clientOf(request)
    request.onAnswer = (status) =>
      this.#parts.metrics.answered(this.#loadBalancers.get(request), status, performance.now() - begun)
    const state = this.#parts.state()
    if (!state || this.#inFlight >= IN_FLIGHT_MAX) {
      respondStatus(request, 503)
      return
    }
    this.#inFlight++
    let isOver = false
    const over = () => {
      if (!isOver) this.#inFlight--
      isOver = true
    }
    if (request.departure.isGone) over()
    else request.departure.once('gone', over)
    work(state, request).catch((error: unknown) => {
      this.#parts.onError('a request failed', { error })
      respondStatus(request, 500)
      over()
    })
  }

  /** undefined: it was answered. */
  async #accepted(request: GatewayRequest, state: GatewayState): Promise<Accepted | undefined> {
    const { connection } = request
    const port = state.ports.get(connection.listenerPort)
    const route = routeOf((connection.tls ? port?.secure : port?.plain) ?? [], request.authority)
    if (!route) {
      respondStatus(request, 421, 'Several load balancers share this port. Use the DNS name of one as the host.')
      return undefined
    }
    this.#loadBalancers.set(request, route.balancer.arn)
    // A little later than the target's: a silent target is answered for with 504.
    request.idleAfter(idleMs(route) + IDLE_MORE_MS)
    const { webAcl } = route.balancer
    if (!webAcl) return { route, inserted: [], body: request.body }
    if (await this.#isAboutToken(request, webAcl)) return undefined
    const start = request.body && (await startOf(request.body, bodyLimit(webAcl)))
    if (request.body && !start) {
      respondStatus(request, 400)
      return undefined
    }
    const ready = await this.#readyAcl(webAcl)
    if (!ready) {
      respondStatus(request, 503)
      return undefined
    }
    const learning = readsBots(ready.acl) && this.#learned(request)
    if (learning) await learning
    const inserted = filtered(request, route.balancer, ready, start, this.#parts.filter)
    return inserted && { route, inserted, body: start?.isWhole ? start.bytes : request.body }
  }

  /** undefined: there is nothing to wait for. */
  #learned({ client, headers }: GatewayRequest): Promise<void> | undefined {
    return this.#parts.filter.addresses.learn?.(client, headerOf(headers, 'user-agent') ?? '')
  }

  /** undefined for a web ACL that cannot be evaluated, which was reported when it came: its requests are refused. */
  async #readyAcl(acl: PublishedWebAcl): Promise<ReadyWebAcl | undefined> {
    try {
      return await this.#parts.acls.current(acl)
    } catch {
      return undefined
    }
  }

  /** Answers the requests of the pages that give tokens. They are below `/.well-known/`, and pass no web ACL. */
  async #isAboutToken(request: GatewayRequest, webAcl: PublishedWebAcl): Promise<boolean> {
    if (!Challenges.isAboutToken(request)) return false
    const start = request.body && (await startOf(request.body, SOLUTION_BYTES_MAX))
    if (request.method === 'POST' && !start?.isWhole) respondStatus(request, 400)
    else {
      const body = start?.bytes.toString('utf8') ?? ''
      respondAnswer(request, this.#parts.filter.challenges.answer(request, webAcl, body, Date.now()))
    }
    return true
  }

  /** Behind trusted proxies, the address that the outermost of them saw. */
  #clientOf({ connection, headers }: GatewayRequest): string {
    const { trusted, hops } = this.#parts
    if (hops === 0 || !trusted?.has(connection.address)) return connection.address
    const addresses = headers
      .filter(([name]) => name.toLowerCase() === 'x-forwarded-for')
      .flatMap(([, value]) => value.split(','))
      .map((address) => address.trim())
    const client = addresses.at(-hops)
    return client !== undefined && addressBytes(client) ? client : connection.address
  }
}
