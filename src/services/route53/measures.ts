/** Health checks by state, in the Prometheus text format. */
import type { Reader } from '../../kernel/state/reader.ts'
import { allHealthChecks, unhealthyChecks } from './health.ts'
import type { HealthCheckRow } from './resources.ts'

/** No lines while there are no health checks. */
export async function healthCheckLines(reader: Pick<Reader, 'range'>): Promise<readonly string[]> {
  const checks = await reader.range<HealthCheckRow>(allHealthChecks)
  if (checks.length === 0) return []
  const unhealthy = (await unhealthyChecks(reader)).size
  return [
    '# HELP merlon_health_checks Health checks of Route 53 by state.',
    '# TYPE merlon_health_checks gauge',
    `merlon_health_checks{state="healthy"} ${checks.length - unhealthy}`,
    `merlon_health_checks{state="unhealthy"} ${unhealthy}`,
  ]
}
