/** Network Insights: paths, and their analyses with the component that blocks. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { type Range, TooManyBoxesError } from '../../engines/network/boxes.ts'
import { type FamilyVerdict, reachEither, type Snapshots } from '../../engines/network/families.ts'
import {
  type Block,
  type Hop,
  INTERNET,
  type Question,
  type Snapshot,
  type Verdict,
} from '../../engines/network/reachability.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid, missing } from './faults.ts'
import { snapshotsOf } from './graph.ts'
import { insightsAnalysis, insightsPath } from './insights-resources.ts'
import { instance } from './machine-resources.ts'
import { internetGateway, networkInterface, vpcEndpoint } from './resources.ts'

// ---- Paths

/** An interface, an instance or an internet gateway, by ID or ARN. */
export const idIn = (text: string): string => text.slice(text.lastIndexOf('/') + 1)

async function endOf(call: Call, text: string): Promise<string> {
  const id = idIn(text)
  if (id.startsWith('eni-')) return (await networkInterface.require(call, id)).id
  if (id.startsWith('i-')) {
    const [eni] = (await instance.require(call, id)).interfaces
    if (eni === undefined) throw fault('InvalidParameterValue', `The instance ${id} has no network interface.`)
    return eni
  }
  if (id.startsWith('igw-')) {
    await internetGateway.require(call, id)
    return INTERNET
  }
  if (id.startsWith('vpce-')) return endpointEnd(await vpcEndpoint.require(call, id))
  throw fault('NotImplemented', `Merlon does not analyze paths from or to ${id}.`)
}

/** A gateway endpoint is an end of its own; an interface endpoint is its first interface. */
function endpointEnd({ id, data }: { readonly id: string; readonly data: EC2.VpcEndpoint }): string {
  if (data.VpcEndpointType === 'Gateway') return id
  const [eni] = data.NetworkInterfaceIds ?? []
  if (eni === undefined) throw fault('InvalidParameterValue', `The endpoint ${id} has no network interface.`)
  return eni
}

export const createNetworkInsightsPath = op(
  'CreateNetworkInsightsPath',
  [insightsPath.created()],
  async (call, input, [{ id, arn, create }]) => {
    const {
      Source,
      Destination,
      Protocol,
      DestinationPort,
      SourceIp,
      DestinationIp,
      FilterAtSource,
      FilterAtDestination,
    } = input
    if (Destination === undefined && DestinationIp === undefined && FilterAtSource === undefined)
      throw missing('destination')
    if (SourceIp ?? DestinationIp ?? FilterAtSource ?? FilterAtDestination) {
      throw fault(
        'NotImplemented',
        'Merlon does not implement filters of paths: name a source, a destination, a protocol and a port.',
      )
    }
    await endOf(call, Source)
    if (Destination !== undefined) await endOf(call, Destination)
    const row = create({
      NetworkInsightsPathId: id,
      NetworkInsightsPathArn: arn,
      Source: idIn(Source),
      ...(Destination !== undefined && { Destination: idIn(Destination) }),
      Protocol,
      ...(DestinationPort !== undefined && { DestinationPort }),
    })
    return { NetworkInsightsPath: insightsPath.show(row, call.now) }
  },
)

export const deleteNetworkInsightsPath = op(
  'DeleteNetworkInsightsPath',
  [insightsPath.at('NetworkInsightsPathId')],
  async (call, _input, [{ id, remove }]) => {
    if ((await insightsAnalysis.all(call)).some(({ data }) => data.NetworkInsightsPathId === id)) {
      throw fault('AnalysisExistsForNetworkInsightsPath', `The path ${id} has analyses. Delete them first.`)
    }
    remove()
    return { NetworkInsightsPathId: id }
  },
)

export const describeNetworkInsightsPaths = describe('DescribeNetworkInsightsPaths', insightsPath, {
  ids: 'NetworkInsightsPathIds',
  result: 'NetworkInsightsPaths',
  filters: 'destination source protocol destination-port network-insights-path-id',
})

// ---- Analyses

export const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 }

export const startNetworkInsightsAnalysis = op(
  'StartNetworkInsightsAnalysis',
  [insightsAnalysis.created(), insightsPath.at('NetworkInsightsPathId')],
  async (call, _input, [{ id, arn, create }, path]) => {
    const { Source = '', Destination, Protocol, DestinationPort } = path.data
    if (Destination === undefined) throw invalid('The path has no destination.')
    const question: Question = {
      from: await endOf(call, Source),
      to: await endOf(call, Destination),
      protocol: PROTOCOLS[Protocol ?? ''],
      port: DestinationPort,
    }
    const snapshots = await snapshotsOf(call)
    const made = {
      NetworkInsightsAnalysisId: id,
      NetworkInsightsAnalysisArn: arn,
      NetworkInsightsPathId: path.id,
      StartDate: new Date(call.now),
    }
    const found = verdictOf(snapshots, question)
    if (found === undefined) {
      const row = create({ ...made, Status: 'failed', StatusMessage: TOO_MANY })
      return { NetworkInsightsAnalysis: { ...insightsAnalysis.show(row, call.now), Status: 'running' } }
    }
    const { snapshot, verdict } = found
    const row = create({
      ...made,
      Status: 'succeeded',
      NetworkPathFound: verdict.isReachable,
      ForwardPathComponents: verdict.forward.map((hop, index) => component(call, snapshot, hop, index, verdict)),
      ReturnPathComponents: verdict.back.map((hop, index) => component(call, snapshot, hop, index, verdict)),
      Explanations: verdict.blocked.map((block) => explanation(call, block)),
    })
    return { NetworkInsightsAnalysis: { ...insightsAnalysis.show(row, call.now), Status: 'running' } }
  },
)

export const TOO_MANY = 'The rules on the way are too many to be analyzed.'

/** Undefined where the rules are more than an analysis takes. */
export function verdictOf(snapshots: Snapshots, question: Question): FamilyVerdict | undefined {
  try {
    return reachEither(snapshots, question)
  } catch (error) {
    if (error instanceof TooManyBoxesError) return undefined
    throw error
  }
}

const arnOf = (call: Call, kind: string, id: string): string =>
  `arn:${call.partition}:ec2:${call.region}:${call.account}:${kind}/${id}`

const KINDS: Readonly<Record<Hop['kind'], string>> = {
  interface: 'network-interface',
  'security-group': 'security-group',
  'network-acl': 'network-acl',
  'route-table': 'route-table',
  'internet-gateway': 'internet-gateway',
  'egress-only-internet-gateway': 'egress-only-internet-gateway',
  'vpc-endpoint': 'vpc-endpoint',
  'nat-gateway': 'natgateway',
  'vpc-peering-connection': 'vpc-peering-connection',
  internet: 'internet',
}

export function component(
  call: Call,
  snapshot: Snapshot,
  { component: id, kind, by = [] }: Hop,
  index: number,
  { packets }: Verdict,
): EC2.PathComponent {
  const [first] = packets
  const Component = { Id: id, ...(kind !== 'internet' && { Arn: arnOf(call, KINDS[kind], id) }) }
  return {
    SequenceNumber: index + 1,
    Component,
    ...(kind === 'network-acl' && { AclRule: { RuleNumber: Number(by[0]), RuleAction: 'allow' } }),
    ...(kind === 'security-group' && {
      SecurityGroupRule: groupRule(snapshot, id, by[0]),
    }),
    ...(kind === 'route-table' && { RouteTableRoute: route(snapshot, id, by[0]) }),
    ...(first && {
      OutboundHeader: {
        Protocol: String(first.protocol[0]),
        SourceAddresses: [printRange(snapshot, first.source)],
        DestinationAddresses: [printRange(snapshot, first.destination)],
        SourcePortRanges: [{ From: first.sourcePort[0], To: first.sourcePort[1] }],
        DestinationPortRanges: [{ From: first.destinationPort[0], To: first.destinationPort[1] }],
      },
    }),
  }
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { [-1]: 'all', 1: 'icmp', 6: 'tcp', 17: 'udp' }

/** The shape has no member for the ID of the rule: its content says which one it is. */
function groupRule(snapshot: Snapshot, group: string, id: string | undefined): EC2.AnalysisSecurityGroupRule {
  const rule = snapshot.groups.get(group)?.rules.find((each) => each.id === id)
  if (!rule) return { SecurityGroupId: group }
  const { egress, protocol, from, to, cidr, prefixList } = rule
  return {
    SecurityGroupId: group,
    Direction: egress ? 'egress' : 'ingress',
    Protocol: PROTOCOL_NAMES[protocol] ?? String(protocol),
    ...(cidr !== undefined && { Cidr: cidr }),
    ...(prefixList !== undefined && { PrefixListId: prefixList }),
    ...((protocol === 6 || protocol === 17) && { PortRange: { From: from, To: to } }),
  }
}

function route(snapshot: Snapshot, table: string, destination: string | undefined): EC2.AnalysisRouteTableRoute {
  const target = snapshot.tables.get(table)?.routes.find((each) => each.destination === destination)?.target
  const member = target?.startsWith('nat-')
    ? 'NatGatewayId'
    : target?.startsWith('pcx-')
      ? 'VpcPeeringConnectionId'
      : 'GatewayId'
  return { DestinationCidr: destination, ...(target && { [member]: target }) }
}

function printRange({ space }: Snapshot, range: Range): string {
  const [first, last] = space.print(range)
  if (first === last) return `${first}/${space.family === 4 ? 32 : 128}`
  return `${first}-${last}`
}

const MEMBERS: Readonly<Record<string, keyof EC2.Explanation>> = {
  sg: 'SecurityGroup',
  acl: 'Acl',
  rtb: 'RouteTable',
  igw: 'InternetGateway',
  nat: 'NatGateway',
  pcx: 'VpcPeeringConnection',
  vpce: 'VpcEndpoint',
  subnet: 'Subnet',
  vpc: 'Vpc',
}

function explanation(_call: Call, { code, component: id, direction, by }: Block): EC2.Explanation {
  const member = MEMBERS[id.slice(0, id.indexOf('-'))]
  return {
    ExplanationCode: code,
    Direction: direction === 'forward' ? 'ingress' : 'egress',
    ...(member && { [member]: { Id: id } }),
    ...(code === 'ENI_SG_RULES_MISMATCH' && { SecurityGroups: id.split(' ').map((Id) => ({ Id })) }),
    ...(code === 'SUBNET_ACL_RESTRICTION' &&
      by !== undefined && { AclRule: { RuleNumber: Number(by), RuleAction: 'deny' } }),
    ...(by !== undefined && code !== 'SUBNET_ACL_RESTRICTION' && { RouteTableRoute: { DestinationCidr: by } }),
  }
}

export const deleteNetworkInsightsAnalysis = op(
  'DeleteNetworkInsightsAnalysis',
  [insightsAnalysis.at('NetworkInsightsAnalysisId')],
  (_call, _input, [{ id, remove }]) => {
    remove()
    return { NetworkInsightsAnalysisId: id }
  },
)

/** Analyses that were made before they had a date are in every span. */
export const isBetween = (date: Date | undefined, first: Date | undefined, last: Date | undefined): boolean =>
  !date || ((!first || date >= first) && (!last || date <= last))

export const describeNetworkInsightsAnalyses = describe('DescribeNetworkInsightsAnalyses', insightsAnalysis, {
  ids: 'NetworkInsightsAnalysisIds',
  result: 'NetworkInsightsAnalyses',
  filters: 'path-found=NetworkPathFound status network-insights-path-id',
  narrow: ({ NetworkInsightsPathId, StartDate }, input) =>
    (input.NetworkInsightsPathId === undefined || input.NetworkInsightsPathId === NetworkInsightsPathId) &&
    isBetween(StartDate, input.AnalysisStartTime, input.AnalysisEndTime),
})
