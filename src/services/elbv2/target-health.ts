/** The health of targets as gateways report it: one document a gateway, replaced by each report. */
import type { TargetHealthReasonEnum } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, under } from '../../store/store.ts'

export interface ReportedHealth {
  readonly state: 'initial' | 'healthy' | 'unhealthy'
  /** `Target.ResponseCodeMismatch` */
  readonly reason?: TargetHealthReasonEnum
  readonly description?: string
}

/** Of one gateway. */
export interface HealthReport {
  readonly at: number
  /** Target group ARN → `id:port` → health. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, ReportedHealth>>>>
}

/** A gateway that has not reported for this long is gone: its reports say nothing any more. */
export const REPORT_VALID_MS = 120_000

export const HEALTH = under('elasticloadbalancing', 'gateway-health')
export const healthKey = (node: string): Key => key('elasticloadbalancing', 'gateway-health', node)

const RANK = { unhealthy: 0, initial: 1, healthy: 2 } as const

/** What gateways say of the targets of a group. A target is healthy if one of them can reach it. */
export async function healthOf(
  reader: Pick<Reader, 'range'>,
  groupArn: string,
  now: number,
): Promise<ReadonlyMap<string, ReportedHealth>> {
  const found = new Map<string, ReportedHealth>()
  for (const { document } of await reader.range<HealthReport>(HEALTH)) {
    if (now - document.at > REPORT_VALID_MS) continue
    for (const [target, health] of Object.entries(document.groups[groupArn] ?? {})) {
      const known = found.get(target)
      if (!known || RANK[health.state] > RANK[known.state]) found.set(target, health)
    }
  }
  return found
}
