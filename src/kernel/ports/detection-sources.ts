/**
 * The detection sources port: events of the network for threat detection, beside those of the audit log; provided by GuardDuty.
 *
 * @example
 * await use(detectionSources).add(unit, { account, region }, flows, now)
 */
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import type { Unit } from '../../store/store.ts'
import { port } from './port.ts'

export interface DetectionSourcesPort {
  /**
   * Queues events in the caller's transaction: threat detection reads each once. What waits is bounded; beyond that events are
   * dropped. Returns how many were queued, the first ones; undefined where no detector is enabled.
   */
  add(
    unit: Unit,
    place: { readonly account: string; readonly region: string },
    events: readonly (FlowEvent | DnsEvent)[],
    now: number,
  ): Promise<number | undefined>
}

export const detectionSources = port<DetectionSourcesPort>('detection-sources')
