/** Health checks of targets, by the settings of their groups: each gateway checks for itself. */
import { isDeepStrictEqual } from 'node:util'
import type { PublishedHealth, PublishedTarget, PublishedTargetGroup } from '../../kernel/planes/gateway-content.ts'
import type { Pools } from './upstream.ts'

interface Checked {
  readonly group: PublishedTargetGroup
  readonly target: PublishedTarget
  health: PublishedHealth
  /** Results of the same kind, one after the other. */
  streak: number
  wasGood: boolean | undefined
  timer: NodeJS.Timeout | undefined
  isStopped: boolean
}

/** Bytes of a health check's answer that are read, at most; they are discarded. */
const BODY_BYTES_MAX = 64 * 1024

export class TargetHealth {
  readonly #pools: Pools
  readonly #checked = new Map<string, Checked>()
  #isChanged = true

  constructor(pools: Pools) {
    this.#pools = pools
  }

  /** Begins checks of targets that are new, and ends those of targets that are gone. Results stay. */
  follow(groups: readonly PublishedTargetGroup[]): void {
    const wanted = new Set<string>()
    for (const group of groups)
      for (const target of group.targets) {
        if (target.isDraining) continue
        const id = `${group.arn} ${target.name}`
        wanted.add(id)
        const known = this.#checked.get(id)
        if (known && isDeepStrictEqual([known.group.healthCheck, known.target], [group.healthCheck, target])) continue
        if (known) stop(known)
        const checked: Checked = {
          group,
          target,
          health: known?.health ?? {
            state: 'initial',
            reason: 'Elb.InitialHealthChecking',
            description: 'Initial health checks in progress',
          },
          streak: 0,
          wasGood: known?.wasGood,
          timer: undefined,
          isStopped: false,
        }
        this.#checked.set(id, checked)
        this.#isChanged = true
        void this.#check(checked)
      }
    for (const [id, checked] of this.#checked) {
      if (wanted.has(id)) continue
      stop(checked)
      this.#checked.delete(id)
      this.#isChanged = true
    }
  }

  isHealthy(group: string, target: string): boolean {
    return this.#checked.get(`${group} ${target}`)?.health.state === 'healthy'
  }

  /** What is known, if it changed since the last call. */
  changes(isForced: boolean): Readonly<Record<string, Record<string, PublishedHealth>>> | undefined {
    if (!this.#isChanged && !isForced) return undefined
    this.#isChanged = false
    const groups: Record<string, Record<string, PublishedHealth>> = {}
    for (const { group, target, health } of this.#checked.values()) {
      const known = groups[group.arn] ?? {}
      groups[group.arn] = known
      known[target.name] = health
    }
    return groups
  }

  /** They did not reach the server. */
  notReported(): void {
    this.#isChanged = true
  }

  stop(): void {
    for (const checked of this.#checked.values()) stop(checked)
    this.#checked.clear()
  }

  async #check(checked: Checked): Promise<void> {
    const { healthCheck } = checked.group
    const failure = await this.#failure(checked)
    if (checked.isStopped) return
    this.#take(checked, failure)
    checked.timer = setTimeout(() => void this.#check(checked), healthCheck.intervalSeconds * 1_000)
    checked.timer.unref()
  }

  /** undefined: the target is well. */
  async #failure({ group, target }: Checked): Promise<Pick<PublishedHealth, 'reason' | 'description'> | undefined> {
    const { healthCheck } = group
    const address = target.address.includes(':') ? `[${target.address}]` : target.address
    const port = healthCheck.port ?? target.port
    const limit = AbortSignal.timeout(healthCheck.timeoutSeconds * 1_000)
    try {
      const { statusCode, body } = await this.#pools
        .ofChecks(`${healthCheck.protocol.toLowerCase()}://${address}:${port}`)
        .request({
          method: 'GET',
          path: healthCheck.path,
          headers: { host: `${address}:${port}`, 'user-agent': 'ELB-HealthChecker/2.0', connection: 'close' },
          signal: limit,
        })
      await body.dump({ limit: BODY_BYTES_MAX, signal: limit }).catch(() => undefined)
      if (matchesCodes(healthCheck.codes, statusCode)) return undefined
      return {
        reason: 'Target.ResponseCodeMismatch',
        description: `Health checks failed with these codes: [${statusCode}]`,
      }
    } catch {
      return limit.aborted
        ? { reason: 'Target.Timeout', description: 'Request timed out' }
        : { reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }
    }
  }

  #take(checked: Checked, failure: Pick<PublishedHealth, 'reason' | 'description'> | undefined): void {
    const isGood = failure === undefined
    checked.streak = checked.wasGood === isGood ? checked.streak + 1 : 1
    checked.wasGood = isGood
    const { healthyCount, unhealthyCount } = checked.group.healthCheck
    const { state } = checked.health
    // A new target is healthy with its first good answer.
    const needed = isGood ? (state === 'initial' ? 1 : healthyCount) : unhealthyCount
    if (checked.streak < needed) return
    const health: PublishedHealth = isGood ? { state: 'healthy' } : { state: 'unhealthy', ...failure }
    if (isDeepStrictEqual(health, checked.health)) return
    checked.health = health
    this.#isChanged = true
  }
}

function stop(checked: Checked): void {
  checked.isStopped = true
  clearTimeout(checked.timer)
}

/** `200`, `200,202`, `200-299` */
function matchesCodes(codes: string, status: number): boolean {
  return codes.split(',').some((part) => {
    const [from, to = from] = part.split('-').map(Number)
    return status >= from! && status <= to!
  })
}
