/**
 * Whether health checks are healthy. Probes are stored when they end; a row besides says that a check is unhealthy, so that
 * resolvers get a new snapshot when that changes, and not with each probe.
 */
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { isCalculated } from './health-check-settings.ts'
import type { HealthCheckRow } from './resources.ts'

/** The last probe of an endpoint. */
export interface ProbeRow {
  /** Of the settings that were probed. */
  readonly version: number
  readonly isHealthy: boolean
  /** Probes in a row whose result differs from `isHealthy`. */
  readonly against: number
  readonly status: string
  /** Epoch milliseconds. */
  readonly checkedAt: number
  /** The last one that failed. */
  readonly failure?: { readonly status: string; readonly checkedAt: number }
}

export const probeKey = (account: string, id: string): Key => key('route53', 'health-probe', account, id)
export const probesOf = (account: string): Key => under('route53', 'health-probe', account)

export const allHealthChecks: Key = under('route53', 'health-check')
export const healthChecksOf = (account: string): Key => under('route53', 'health-check', account)

/** Rows of endpoints that failed. */
export const allUnhealthy: Key = under('route53', 'unhealthy')
const unhealthyOf = (account: string): Key => under('route53', 'unhealthy', account)
const unhealthyKey = (account: string, id: string): Key => key('route53', 'unhealthy', account, id)

export function setHealth(unit: Unit, account: string, id: string, isHealthy: boolean): void {
  if (isHealthy) unit.delete(unhealthyKey(account, id))
  else unit.put(unhealthyKey(account, id), { id })
}

/** The health checks by which resolvers leave records out; without `account`, of all accounts. */
export async function unhealthyChecks(reader: Pick<Reader, 'range'>, account?: string): Promise<ReadonlySet<string>> {
  const [rows, failed] = await Promise.all([
    reader.range<HealthCheckRow>(account === undefined ? allHealthChecks : healthChecksOf(account)),
    reader.range<{ readonly id: string }>(account === undefined ? allUnhealthy : unhealthyOf(account)),
  ])
  const down = new Set(failed.map(({ document }) => document.id))
  const checks = rows.map(({ document }) => document)
  const endpoints = checks.filter(({ config }) => !isCalculated(config))
  const unhealthy = new Set(endpoints.filter((check) => !isHealthy(check, !down.has(check.id))).map(({ id }) => id))
  // Calculated ones have no calculated children.
  const calculated = checks.filter(({ config }) => isCalculated(config))
  const failing = calculated.filter((check) => {
    const { ChildHealthChecks = [], HealthThreshold = 0 } = check.config
    return !isHealthy(check, ChildHealthChecks.filter((id) => !unhealthy.has(id)).length >= HealthThreshold)
  })
  return new Set([...unhealthy, ...failing.map(({ id }) => id)])
}

/** A disabled check counts as healthy; inverting comes last, so a disabled inverted one is unhealthy. */
const isHealthy = ({ config }: HealthCheckRow, isWell: boolean): boolean =>
  (config.Disabled === true || isWell) !== (config.Inverted === true)
