/**
 * Flows that planes report, as records of the interfaces at their ends. They go to the flow logs that cover an interface, and to
 * threat detection.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
 */
import { randomUUID } from 'node:crypto'
import type * as EC2 from '@aws-sdk/client-ec2'
import type { FlowEvent } from '../../engines/detect/types.ts'
import type { FlowRecord } from '../../engines/network/flow-format.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type FlowsRecord, flowsRecordOf, type ObservedFlow } from '../../kernel/planes/observed-flows.ts'
import type { RecordHandler } from '../../kernel/planes/records.ts'
import { detectionSources } from '../../kernel/ports/detection-sources.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, type Unit, under } from '../../store/store.ts'
import { type Place, queueRecords } from './flow-queue.ts'
import { flowLog, networkInterface, subnet } from './resources.ts'

/** In documents that wait: never change it. */
export const RECORD_FLOWS = 'ec2.record-flows'
/** Reports of one turn. */
const REPORTS_MAX = 50

const intakeOf = ({ account, region }: Place): Key => under('ec2', 'flow-intake', account, region)

/** Keeps reports as they come; a job reads them. */
export const takeFlows: RecordHandler = (unit, { records, now }) => {
  const places = new Map<string, Place>()
  for (const record of records) {
    const report = flowsRecordOf(record)
    if (!report) continue
    const { account, region } = report
    unit.put(`${intakeOf(report)}${String(now).padStart(15, '0')}-${randomUUID()}`, report)
    places.set(`${account} ${region}`, { account, region })
  }
  for (const place of places.values()) scheduleRecording(unit, place, now)
}

function scheduleRecording(unit: Unit, place: Place, dueAt: number): void {
  scheduleJob(unit, {
    id: `${RECORD_FLOWS}/${place.account}/${place.region}`,
    kind: RECORD_FLOWS,
    dueAt,
    payload: place,
  })
}

export const recordFlows: ServiceJob<Place> = {
  run: async (unit, { now, use }, place) => {
    const reports = await unit.range<FlowsRecord>(intakeOf(place), { limit: REPORTS_MAX })
    for (const { key: at } of reports) unit.delete(at)
    if (reports.length === REPORTS_MAX) scheduleRecording(unit, place, now)
    const flows = reports.flatMap(({ document }) => document.flows)
    if (flows.length === 0) return
    const seen = await seenBy(unit, place, flows)
    await toFlowLogs(unit, place, seen, now)
    await use(detectionSources).add(
      unit,
      place,
      seen.map(({ event }) => event),
      now,
    )
  },
}

/** One flow as one interface has it. */
interface SeenFlow {
  readonly resources: readonly (string | undefined)[]
  readonly record: FlowRecord
  readonly event: FlowEvent
}

async function seenBy(unit: Unit, place: Place, flows: readonly ObservedFlow[]): Promise<readonly SeenFlow[]> {
  const interfaces = (await networkInterface.type.list(unit, place)).map(({ document }) => document.data)
  const byAddress = new Map(
    interfaces.flatMap((eni) =>
      (eni.PrivateIpAddresses ?? []).flatMap(({ PrivateIpAddress, Association }) =>
        [PrivateIpAddress, Association?.PublicIp].flatMap((address) =>
          address === undefined ? [] : [[address, { eni, privateAddress: PrivateIpAddress ?? address }] as const],
        ),
      ),
    ),
  )
  const zones = new Map(
    (await subnet.type.list(unit, place)).map(({ document: { id, data } }) => [id, data.AvailabilityZoneId]),
  )
  return flows.flatMap((flow) => {
    const source = byAddress.get(flow.source)
    const destination = byAddress.get(flow.destination)
    return [
      ...(source ? [seenAt(place, flow, source.eni, 'egress', zones, source.privateAddress)] : []),
      ...(destination ? [seenAt(place, flow, destination.eni, 'ingress', zones, destination.privateAddress)] : []),
    ]
  })
}

/** Of an IPv4 packet on Ethernet: RFC 9293, the default of section 3.7.1 for 1,500 bytes. */
const SEGMENT_BYTES = 1_460

/** For detection, where packets cannot be counted: those that open and close a connection, and its contents. */
const packetsOf = ({ bytes }: ObservedFlow): number => 4 + Math.ceil(bytes / SEGMENT_BYTES)

/** An interface has its own private address in its records, whatever address the other end used. */
function seenAt(
  place: Place,
  flow: ObservedFlow,
  eni: EC2.NetworkInterface,
  direction: 'ingress' | 'egress',
  zones: ReadonlyMap<string, string | undefined>,
  own: string,
): SeenFlow {
  const ends = direction === 'egress' ? [own, flow.destination] : [flow.source, own]
  const [source = '', destination = ''] = ends
  const [start, end] = [Math.floor(flow.start / 1_000), Math.floor(flow.end / 1_000)]
  const { NetworkInterfaceId = '', VpcId = '', SubnetId = '' } = eni
  const instanceId = eni.Attachment?.InstanceId ?? ''
  return {
    resources: [NetworkInterfaceId, SubnetId, VpcId],
    record: {
      'account-id': place.account,
      'interface-id': NetworkInterfaceId,
      srcaddr: source,
      dstaddr: destination,
      srcport: flow.sourcePort,
      dstport: flow.destinationPort,
      protocol: flow.protocol,
      ...(flow.packets !== undefined && { packets: flow.packets }),
      bytes: flow.bytes,
      start,
      end,
      action: 'ACCEPT',
      'log-status': 'OK',
      'vpc-id': VpcId,
      'subnet-id': SubnetId,
      ...(instanceId !== '' && { 'instance-id': instanceId }),
      type: flow.source.includes(':') ? 'IPv6' : 'IPv4',
      'pkt-srcaddr': flow.source,
      'pkt-dstaddr': flow.destination,
      region: place.region,
      ...(zones.get(SubnetId) !== undefined && { 'az-id': zones.get(SubnetId)! }),
      'flow-direction': direction,
    },
    event: {
      id: `flow:${NetworkInterfaceId}:${source}:${flow.sourcePort}:${destination}:${flow.destinationPort}:${flow.protocol}:${flow.start}:ACCEPT`,
      time: flow.end,
      account: place.account,
      region: place.region,
      source: 'flow',
      interfaceId: NetworkInterfaceId,
      instanceId,
      vpcId: VpcId,
      sourceAddress: source,
      destinationAddress: destination,
      sourcePort: flow.sourcePort,
      destinationPort: flow.destinationPort,
      protocol: flow.protocol,
      packets: flow.packets ?? packetsOf(flow),
      bytes: flow.bytes,
      start: flow.start,
      accepted: true,
      direction,
    },
  }
}

async function toFlowLogs(unit: Unit, place: Place, seen: readonly SeenFlow[], now: number): Promise<void> {
  for (const { document: row } of await flowLog.type.list(unit, place)) {
    const { ResourceId, TrafficType, MaxAggregationInterval = 600 } = row.data
    // What planes carry was accepted.
    if (TrafficType === 'REJECT') continue
    const records = seen.filter(({ resources }) => resources.includes(ResourceId)).map(({ record }) => record)
    if (records.length === 0) continue
    await queueRecords(unit, { ...place, flowLog: row.id }, records, { now, everyMs: MaxAggregationInterval * 1_000 })
  }
}
