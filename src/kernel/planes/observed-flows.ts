/**
 * Connections that a plane has seen, as it reports them: what it knows of each since it last reported it. EC2 looks up the
 * interfaces at their ends; flow logs and threat detection read the result.
 */
import { isIP } from 'node:net'

export interface ObservedFlow {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** IANA's number: 6 is TCP. */
  readonly protocol: number
  /** From the source to the destination: of the contents, where headers cannot be seen. */
  readonly bytes: number
  /** Where it is known. */
  readonly packets?: number
  /** Epoch milliseconds. */
  readonly start: number
  readonly end: number
}

export interface FlowsRecord {
  readonly kind: 'flows'
  readonly account: string
  readonly region: string
  readonly flows: readonly ObservedFlow[]
}

/** Of one record. */
export const FLOWS_MAX = 500

const isCount = (value: unknown, max = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max

function isFlow(value: unknown): value is ObservedFlow {
  const flow = (value ?? {}) as Partial<ObservedFlow>
  return (
    isIP(String(flow.source)) !== 0 &&
    isIP(String(flow.destination)) !== 0 &&
    isCount(flow.sourcePort, 65_535) &&
    isCount(flow.destinationPort, 65_535) &&
    isCount(flow.protocol, 255) &&
    isCount(flow.bytes) &&
    (flow.packets === undefined || isCount(flow.packets)) &&
    isCount(flow.start) &&
    isCount(flow.end)
  )
}

/** undefined for a record of another kind, or one that is not whole. */
export function flowsRecordOf(record: object): FlowsRecord | undefined {
  const { kind, account, region, flows } = record as Partial<FlowsRecord>
  const isWhole =
    kind === 'flows' &&
    /^\d{12}$/.test(account ?? '') &&
    /^[\w-]{1,40}$/.test(region ?? '') &&
    Array.isArray(flows) &&
    flows.length <= FLOWS_MAX &&
    flows.every(isFlow)
  return isWhole ? (record as FlowsRecord) : undefined
}
