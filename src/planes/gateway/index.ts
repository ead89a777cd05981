/**
 * The gateway: serves the application load balancers of its snapshot. It filters requests by their web ACL, routes them by the rules
 * of their listener, and forwards them to healthy targets. Without a snapshot it has no listeners; what it cannot evaluate, it refuses.
 */
import type { Socket } from 'node:net'
import { IpSet } from '../../engines/waf/ip-set.ts'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import { TrafficRecorder } from '../../engines/waf/traffic-recorder.ts'
import { type AddressFiles, openAddressData } from '../../kernel/addresses/address-data.ts'
import { CompiledWebAcls } from '../../kernel/planes/compiled-web-acls.ts'
import type { Exchange } from '../../kernel/planes/exchange.ts'
import {
  GATEWAY,
  GATEWAY_VERSION,
  type GatewayAnswer,
  type GatewayContent,
  type GatewayMessage,
} from '../../kernel/planes/gateway-content.ts'
import { Mirror, type MirrorOptions } from '../../kernel/planes/mirror.ts'
import type { ListenerSpec, Plane } from '../../kernel/planes/plane.ts'
import type { OpenSecrets } from '../../kernel/planes/sealed-secrets.ts'
import { Challenges } from '../../kernel/web-acl-tokens/challenge.ts'
import { Connections } from './connections.ts'
import { FlowRecorder } from './flow-recorder.ts'
import { GatewayMetrics } from './gateway-metrics.ts'
import { TargetHealth } from './health-checks.ts'
import { RequestHandler } from './request-handler.ts'
import { type GatewayState, openState, type ReportError } from './state.ts'
import { Pools, TargetChoice } from './upstream.ts'

/** What the operator configures. */
export interface GatewaySettings {
  /** Ranges of proxies in front: their PROXY protocol is believed, and with `hops` their X-Forwarded-For. */
  readonly trusted?: readonly string[] | undefined
  /** Proxies in front that add to X-Forwarded-For: the client is so many addresses from its end. Default: 0, the connection's own. */
  readonly hops?: number | undefined
  /** What is known about addresses. */
  readonly addresses?: AddressFiles | undefined
}

export interface GatewayOptions
  extends Pick<MirrorOptions<GatewayState>, 'feed' | 'publicKey' | 'file' | 'onRefused' | 'waitMs'> {
  readonly onRecord?: ((record: object) => void) | undefined
  readonly openSecrets: OpenSecrets
  readonly exchange: Exchange
  readonly onError: ReportError
  readonly gateway?: GatewaySettings | undefined
}

const CONNECTIONS_MAX = 10_000
const EXCHANGE_MS = 1_000
/** Health goes up when it changes, and so often besides. */
const HEALTH_EVERY_MS = 60_000
/** Keys of rate-based rules that are sent each second. */
const SHARED_MAX = 1_000
const DRAIN_MS = 10_000

export function gateway(options: GatewayOptions): Plane {
  const { onError, onRecord, exchange } = options
  let groupsByTarget: ReadonlyMap<string, readonly string[]> = new Map()
  const flows = new FlowRecorder({
    onRecord,
    groupsOf: (address, port) => groupsByTarget.get(`${address} ${port}`) ?? [],
  })
  const pools = new Pools(flows)
  const health = new TargetHealth(pools)
  const rates = new RateLimiter()
  const acls = new CompiledWebAcls(Number.POSITIVE_INFINITY)
  const recorder = new TrafficRecorder((record) => onRecord?.(record))
  let listenersChanged: () => void = () => undefined

  const mirror = new Mirror<GatewayState>({
    ...options,
    plane: GATEWAY,
    version: GATEWAY_VERSION,
    read: (content) => openState(content as GatewayContent, options.openSecrets, onError),
    onTaken: (state) => {
      acls.follow(state.webAcls, ({ arn: webAcl }, error) =>
        onError('web ACL cannot be evaluated: its load balancers refuse requests', { webAcl, error }),
      )
      groupsByTarget = targetsOf(state)
      const origins = [...state.groups.values()].flatMap((group) => originsOf(group))
      pools.keep(new Set(origins))
      health.follow([...state.groups.values()].filter(({ arn }) => isUsed(state, arn)))
      listenersChanged()
    },
  })
  const metrics = new GatewayMetrics()
  const addresses = openAddressData(options.gateway?.addresses ?? {}, (file, error) =>
    onError('a list of addresses cannot be read: the one before counts', { file, error: error.message }),
  )
  const challenges = new Challenges(() => mirror.content!.cookies)
  const trusted = options.gateway?.trusted?.length ? new IpSet(options.gateway.trusted) : undefined
  const handler = new RequestHandler({
    state: () => mirror.content,
    acls,
    pools,
    choice: new TargetChoice(health),
    filter: { rates, recorder, challenges, metrics, addresses: addresses.facts, onError },
    metrics,
    trusted,
    hops: options.gateway?.hops ?? 0,
    onError,
  })
  const connections = new Connections({
    portState: (port) => mirror.content?.ports.get(port),
    trusted,
    handle: (request) => handler.handle(request),
    upgrade: (request, socket, head) => handler.upgrade(request, socket, head),
    refused: () => metrics.refused(),
  })

  const talk = talking({ exchange, rates, health, recorder })
  return {
    name: GATEWAY,
    get listeners(): readonly ListenerSpec[] {
      return [...(mirror.content?.ports.keys() ?? [])].map((port) => ({
        kind: 'stream',
        name: `port-${port}`,
        port,
        connectionsMax: CONNECTIONS_MAX,
        handle: (socket, peer) => connections.accept(socket as Socket, peer, port),
      }))
    },
    onListeners: (changed) => {
      listenersChanged = changed
    },
    onListenError: (name, error) => onError('the listener cannot be opened', { listener: name, error: error.message }),
    start: async () => {
      await mirror.start()
      addresses.start()
      flows.start()
      talk.start()
    },
    health: () => (mirror.content ? 'open' : 'closed'),
    snapshotNumber: () => mirror.number,
    metrics: () => metrics.lines(handler.inFlight),
    drain: async () => {
      connections.drain()
      const end = performance.now() + DRAIN_MS
      while (handler.inFlight > 0 && performance.now() < end) await new Promise((done) => setTimeout(done, 50))
    },
    close: async () => {
      await talk.stop()
      await addresses.stop()
      connections.close()
      health.stop()
      await mirror.stop()
      await pools.close()
      flows.stop()
    },
  }
}

/** The target groups of each address and port. */
function targetsOf({ groups }: GatewayState): ReadonlyMap<string, readonly string[]> {
  const arns = new Map<string, string[]>()
  for (const { arn, targets } of groups.values())
    for (const { address, port } of targets) {
      const name = `${address} ${port}`
      const known = arns.get(name)
      if (known) known.push(arn)
      else arns.set(name, [arn])
    }
  return arns
}

function isUsed({ ports }: GatewayState, arn: string): boolean {
  return [...ports.values()].some(({ plain, secure }) =>
    [...plain, ...secure].some(({ rules }) =>
      rules.some(({ action }) => action.type === 'forward' && action.groups.some((group) => group.arn === arn)),
    ),
  )
}

const originsOf = (group: GatewayContent['targetGroups'][number]): readonly string[] =>
  group.targets.flatMap(({ address, port }) => {
    const host = address.includes(':') ? `[${address}]` : address
    const { healthCheck } = group
    return [
      `${group.protocol.toLowerCase()}://${host}:${port}`,
      `${healthCheck.protocol.toLowerCase()}://${host}:${healthCheck.port ?? port}`,
    ]
  })

interface Talk {
  start(): void
  stop(): Promise<void>
}

/** Each second: what this gateway counted and found goes to the others, and comes from them. */
function talking({
  exchange,
  rates,
  health,
  recorder,
}: {
  readonly exchange: Exchange
  readonly rates: RateLimiter
  readonly health: TargetHealth
  readonly recorder: TrafficRecorder
}): Talk {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let toldHealthAt = 0
  let isStopped = false
  const turn = async () => {
    const now = Date.now()
    recorder.flush(now)
    const changed = health.changes(now - toldHealthAt > HEALTH_EVERY_MS)
    const message: GatewayMessage = { rates: rates.own(now, SHARED_MAX), ...(changed && { health: changed }) }
    try {
      const { rates: others = {} } = (await exchange(message)) as Partial<GatewayAnswer>
      if (changed) toldHealthAt = now
      for (const [node, counts] of Object.entries(others)) rates.learn(node, counts, Date.now())
    } catch {
      // The server is away: each gateway goes on with what it counts itself.
      if (changed) health.notReported()
    }
  }
  const next = () => {
    if (isStopped) return
    timer = setTimeout(() => {
      running = turn().finally(next)
    }, EXCHANGE_MS)
    timer.unref()
  }
  return {
    start: next,
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
      recorder.flush(Date.now())
    },
  }
}
