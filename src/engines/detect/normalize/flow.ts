/**
 * VPC flow log records, versions 2 to 5, in the order of fields that the first line says.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
 */
import { FIELDS } from '../../network/flow-format.ts'
import type { FlowEvent } from '../types.ts'

const DEFAULT_COLUMNS = Object.keys(FIELDS).filter((name) => FIELDS[name as keyof typeof FIELDS] === 2)

export type FlowColumns = ReadonlyMap<string, number>

const columnsOf = (names: readonly string[]): FlowColumns => new Map(names.map((name, index) => [name, index]))

/** Of files without a header: version 2. */
export const DEFAULT_FLOW_COLUMNS = columnsOf(DEFAULT_COLUMNS)

const FIELDS_MAX = 40

/** The columns that a header names; undefined for a line that is no header. Names that are not known yet are passed over. */
export function flowHeader(line: string): FlowColumns | undefined {
  const names = line.trim().split(/\s+/, FIELDS_MAX)
  const known = names.filter((name) => Object.hasOwn(FIELDS, name)).length
  return known >= 2 && known >= names.length / 2 ? columnsOf(names) : undefined
}

/** Default account and Region: of records whose format has none. */
export interface FlowDefaults {
  readonly account: string
  readonly region: string
}

/** Undefined for a line of another form, and for NODATA and SKIPDATA. */
export function normalizeFlow(line: string, columns: FlowColumns, defaults: FlowDefaults): FlowEvent | undefined {
  const parts = line.trim().split(/\s+/, FIELDS_MAX)
  if (parts.length !== columns.size) return undefined
  const field = (name: string): string => {
    const index = columns.get(name)
    const value = index === undefined ? '' : parts[index]!
    return value === '-' ? '' : value
  }
  const number = (name: string): number => Number(field(name) || Number.NaN)
  const start = number('start') * 1_000
  const end = number('end') * 1_000
  const [sourcePort, destinationPort, protocol] = [number('srcport'), number('dstport'), number('protocol')]
  const source = field('pkt-srcaddr') || field('srcaddr')
  const destination = field('pkt-dstaddr') || field('dstaddr')
  if (!Number.isFinite(start) || source === '' || destination === '' || !Number.isFinite(protocol)) return undefined
  const flags = number('tcp-flags')
  const direction = field('flow-direction')
  return {
    // Flow logs have no ID: records of an interface with the same ends and window are the same record.
    id: `flow:${field('interface-id')}:${source}:${sourcePort || 0}:${destination}:${destinationPort || 0}:${protocol}:${start}:${field('action')}`,
    time: Number.isFinite(end) ? end : start,
    account: field('account-id') || defaults.account,
    region: field('region') || defaults.region,
    source: 'flow',
    interfaceId: field('interface-id'),
    instanceId: field('instance-id'),
    vpcId: field('vpc-id'),
    sourceAddress: source,
    destinationAddress: destination,
    sourcePort: sourcePort || 0,
    destinationPort: destinationPort || 0,
    protocol,
    packets: number('packets') || 0,
    bytes: number('bytes') || 0,
    start,
    accepted: field('action') !== 'REJECT',
    ...(Number.isFinite(flags) && { tcpFlags: flags }),
    ...((direction === 'ingress' || direction === 'egress') && { direction }),
  }
}
