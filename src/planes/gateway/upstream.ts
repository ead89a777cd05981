/** Targets: one pool of connections each, chosen by the algorithm of their group, among those that are healthy. */
import { randomBytes } from 'node:crypto'
import { Pool } from 'undici'
import type { PublishedTarget, PublishedTargetGroup } from '../../kernel/planes/gateway-content.ts'
import type { FlowRecorder } from './flow-recorder.ts'
import type { TargetHealth } from './health-checks.ts'

const CONNECTIONS_MAX = 256
const CHECKS = 'checks '
const CHECKS_MAX = 2
const CONNECT_MS = 10_000
/** Idle connections are closed before most servers close them. */
const KEEP_ALIVE_MS = 4_000
const HEADER_BYTES_MAX = 64 * 1024

export const originOf = ({ protocol }: PublishedTargetGroup, { address, port }: PublishedTarget): string =>
  `${protocol.toLowerCase()}://${address.includes(':') ? `[${address}]` : address}:${port}`

/** Pools by origin. They outlive snapshots: a change of configuration closes no connection that is still wanted. */
export class Pools {
  readonly #pools = new Map<string, Pool>()
  readonly #flows: FlowRecorder

  constructor(flows: FlowRecorder) {
    this.#flows = flows
  }

  of(origin: string): Pool {
    return this.#named(origin, origin, CONNECTIONS_MAX)
  }

  /** For health checks: they do not wait behind the requests of a busy target, which would make it unhealthy. */
  ofChecks(origin: string): Pool {
    return this.#named(`${CHECKS}${origin}`, origin, CHECKS_MAX)
  }

  #named(name: string, origin: string, connections: number): Pool {
    const known = this.#pools.get(name)
    if (known) return known
    const pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // Application load balancers do not check the certificates of targets.
      connect: this.#flows.connector({ timeout: CONNECT_MS, rejectUnauthorized: false, allowH2: false }),
    })
    this.#pools.set(name, pool)
    return pool
  }

  /** Pools of origins that nothing names any more end with their last request. */
  keep(origins: ReadonlySet<string>): void {
    for (const [name, pool] of this.#pools) {
      if (origins.has(name.replace(CHECKS, ''))) continue
      this.#pools.delete(name)
      void pool.close().catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy().catch(() => undefined)))
    this.#pools.clear()
  }
}

/** How often targets are chosen, and what they work on: of one group, over snapshots. */
interface Choices {
  turn: number
  readonly outstanding: Map<string, number>
}

export class TargetChoice {
  readonly #groups = new Map<string, Choices>()
  readonly #health: TargetHealth

  constructor(health: TargetHealth) {
    this.#health = health
  }

  /** undefined: the group has no targets. Without healthy ones every target is tried, as AWS's load balancers do. */
  choose(
    group: PublishedTargetGroup,
    sticky?: string | undefined,
    except: ReadonlySet<string> = new Set(),
  ): PublishedTarget | undefined {
    const healthy = (target: PublishedTarget) => this.#health.isHealthy(group.arn, target.name)
    // A draining target serves those who stay with it.
    const stays = sticky === undefined ? undefined : group.targets.find(({ name }) => name === sticky)
    if (stays && !except.has(stays.name) && healthy(stays)) return stays
    const open = group.targets.filter(({ name, isDraining }) => !isDraining && !except.has(name))
    const usable = open.filter(healthy)
    const among = usable.length > 0 ? usable : open
    if (among.length === 0) return undefined
    const choices = this.#of(group.arn)
    if (group.algorithm === 'weighted_random') return among[randomBytes(4).readUInt32BE() % among.length]
    const turn = choices.turn++
    if (group.algorithm !== 'least_outstanding_requests') return among[turn % among.length]
    const load = ({ name }: PublishedTarget) => choices.outstanding.get(name) ?? 0
    const least = Math.min(...among.map(load))
    const idle = among.filter((target) => load(target) === least)
    return idle[turn % idle.length]
  }

  /** To be called with the begin of a request; what it returns, with its end. */
  begin(group: PublishedTargetGroup, { name }: PublishedTarget): () => void {
    const { outstanding } = this.#of(group.arn)
    outstanding.set(name, (outstanding.get(name) ?? 0) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (outstanding.get(name) ?? 1) - 1
      if (left > 0) outstanding.set(name, left)
      else outstanding.delete(name)
    }
  }

  #of(arn: string): Choices {
    const known = this.#groups.get(arn) ?? { turn: 0, outstanding: new Map() }
    this.#groups.set(arn, known)
    return known
  }
}
