/**
 * Endpoints are probed by one durable job for each account, which repeats itself every ten seconds while the account has health
 * checks: so one node does it, and another one goes on when that dies.
 */

import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { endpointProbes, type ProbeResult } from '../../kernel/ports/endpoint-probes.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit } from '../../store/store.ts'
import { healthChecksOf, type ProbeRow, probeKey, probesOf, setHealth } from './health.ts'
import { endpointOf, isCalculated } from './health-check-settings.ts'
import type { HealthCheckRow } from './resources.ts'

/** In documents that wait: never change it. */
export const PROBE = 'route53.probe-endpoints'
const TURN_MS = 10_000
/** Of one account. */
const AT_ONCE = 20

interface Turn {
  readonly account: string
}

interface Outcome {
  readonly begunAt: number
  readonly probed: readonly { readonly check: HealthCheckRow; readonly result: ProbeResult }[]
}

/** There is one while the account has a job. */
const turnKey = (account: string): Key => key('route53', 'probing', account)

export async function startProbing(unit: Unit, account: string, now: number): Promise<void> {
  if (!(await unit.get(turnKey(account)))) schedule(unit, account, now)
}

function schedule(unit: Unit, account: string, dueAt: number): void {
  unit.put(turnKey(account), { account })
  scheduleJob(unit, { id: `route53 probes ${account}`, kind: PROBE, dueAt, payload: { account } satisfies Turn })
}

const isProbed = ({ config }: HealthCheckRow): boolean => !isCalculated(config) && config.Disabled !== true

export const probing: ServiceJob<Turn, Outcome> = {
  effect: async ({ reader, use, now }, { account }) => {
    const checks = (await reader.range<HealthCheckRow>(healthChecksOf(account))).map(({ document }) => document)
    const known = new Map(
      (await reader.range<ProbeRow>(probesOf(account))).map(({ key: at, document }) => [at, document]),
    )
    const isDue = ({ id, version, config }: HealthCheckRow): boolean => {
      const last = known.get(probeKey(account, id))
      // A turn that begins a little early must not cost one of thirty seconds another turn.
      return last?.version !== version || now - last.checkedAt > config.RequestInterval! * 1_000 - TURN_MS / 2
    }
    const waiting = checks.filter((check) => isProbed(check) && isDue(check))
    const probed: Outcome['probed'][number][] = []
    const work = async (): Promise<void> => {
      for (let check = waiting.shift(); check; check = waiting.shift())
        probed.push({ check, result: await use(endpointProbes).probe(endpointOf(check.id, check.config)) })
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return { begunAt: now, probed }
  },
  run: async (unit, { now }, { account }, { begunAt, probed }) => {
    const checks = (await unit.range<HealthCheckRow>(healthChecksOf(account))).map(({ document }) => document)
    const current = new Map(checks.map((check) => [check.id, check]))
    for (const { check, result } of probed) {
      // Deleted or changed meanwhile: the result is of another endpoint.
      if (current.get(check.id)?.version !== check.version) continue
      const at = probeKey(account, check.id)
      const before = await unit.get<ProbeRow>(at)
      const after = counted(before, check, result, begunAt)
      unit.put(at, after)
      if (after.isHealthy !== (before?.isHealthy ?? true)) setHealth(unit, account, check.id, after.isHealthy)
    }
    if (checks.some(isProbed)) schedule(unit, account, Math.max(now, begunAt + TURN_MS))
    else unit.delete(turnKey(account))
  },
}

/** The threshold holds both ways: so many results in a row change the health. A check begins healthy. */
function counted(
  before: ProbeRow | undefined,
  { version, config }: HealthCheckRow,
  { isGood, status }: ProbeResult,
  checkedAt: number,
): ProbeRow {
  const was = before?.isHealthy ?? true
  // Results of other settings do not count.
  const streak = before?.version === version ? before.against : 0
  const against = isGood === was ? 0 : streak + 1
  const changes = against >= config.FailureThreshold!
  const failure = isGood ? before?.failure : { status, checkedAt }
  return {
    version,
    isHealthy: changes ? isGood : was,
    against: changes ? 0 : against,
    status,
    checkedAt,
    ...(failure && { failure }),
  }
}
