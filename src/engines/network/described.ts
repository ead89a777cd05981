/**
 * A network out of descriptions of EC2: the members of its `Describe…` answers that reachability depends on. Members that are
 * missing are read as EC2 means them.
 */
import type { AclEntry, GroupRule, Network, Route, Subnet } from './network.ts'

type Text = string | undefined
type List<T> = readonly T[] | undefined

export interface DescribedRoute {
  readonly DestinationCidrBlock?: Text
  readonly DestinationIpv6CidrBlock?: Text
  readonly DestinationPrefixListId?: Text
  readonly GatewayId?: Text
  readonly NatGatewayId?: Text
  readonly TransitGatewayId?: Text
  readonly VpcPeeringConnectionId?: Text
  readonly NetworkInterfaceId?: Text
  readonly EgressOnlyInternetGatewayId?: Text
  readonly State?: Text
}

export interface DescribedRouteTable {
  readonly RouteTableId?: Text
  readonly VpcId?: Text
  readonly Routes?: List<DescribedRoute>
  readonly Associations?: List<{ readonly SubnetId?: Text; readonly Main?: boolean | undefined }>
}

export interface DescribedAcl {
  readonly NetworkAclId?: Text
  readonly Entries?: List<{
    readonly RuleNumber?: number | undefined
    readonly Egress?: boolean | undefined
    readonly RuleAction?: Text
    readonly Protocol?: Text
    readonly PortRange?: { readonly From?: number | undefined; readonly To?: number | undefined } | undefined
    readonly IcmpTypeCode?: { readonly Type?: number | undefined; readonly Code?: number | undefined } | undefined
    readonly CidrBlock?: Text
    readonly Ipv6CidrBlock?: Text
  }>
  readonly Associations?: List<{ readonly SubnetId?: Text }>
}

export interface DescribedSubnet {
  readonly SubnetId?: Text
  readonly VpcId?: Text
  readonly CidrBlock?: Text
  readonly Ipv6CidrBlockAssociationSet?: List<{
    readonly Ipv6CidrBlock?: Text
    readonly Ipv6CidrBlockState?: { readonly State?: Text } | undefined
  }>
  readonly DefaultForAz?: boolean | undefined
  readonly MapPublicIpOnLaunch?: boolean | undefined
}

export interface DescribedInterface {
  readonly NetworkInterfaceId?: Text
  readonly SubnetId?: Text
  readonly VpcId?: Text
  readonly PrivateIpAddress?: Text
  readonly Ipv6Addresses?: List<{ readonly Ipv6Address?: Text }>
  readonly InterfaceType?: Text
  readonly Groups?: List<{ readonly GroupId?: Text }>
  readonly Association?: { readonly PublicIp?: Text } | undefined
  readonly Attachment?: { readonly InstanceId?: Text } | undefined
}

export interface Described {
  readonly subnets: readonly DescribedSubnet[]
  readonly interfaces: readonly DescribedInterface[]
  readonly groups: Network['groups']
  readonly acls: readonly DescribedAcl[]
  readonly routeTables: readonly DescribedRouteTable[]
  readonly internetGateways: readonly {
    readonly InternetGatewayId?: Text
    readonly Attachments?: List<{ readonly VpcId?: Text }>
  }[]
  readonly egressOnlyGateways: readonly {
    readonly EgressOnlyInternetGatewayId?: Text
    readonly Attachments?: List<{ readonly VpcId?: Text }>
  }[]
  readonly endpoints: readonly {
    readonly VpcEndpointId?: Text
    readonly VpcEndpointType?: Text
    readonly VpcId?: Text
    readonly State?: Text
  }[]
  readonly natGateways: readonly {
    readonly NatGatewayId?: Text
    readonly State?: Text
    readonly NatGatewayAddresses?: List<{ readonly NetworkInterfaceId?: Text }>
  }[]
  readonly peerings: readonly {
    readonly VpcPeeringConnectionId?: Text
    readonly RequesterVpcInfo?: { readonly VpcId?: Text } | undefined
    readonly AccepterVpcInfo?: { readonly VpcId?: Text } | undefined
    readonly Status?: { readonly Code?: Text } | undefined
  }[]
  readonly prefixLists: Network['prefixLists']
  readonly publicAccess?: PublicAccess | undefined
}

/** VPC Block Public Access: the mode of the Region, and what is excluded from it. */
export interface PublicAccess {
  /** `off`, `block-bidirectional` or `block-ingress`. */
  readonly mode: string
  readonly exclusions: readonly { readonly ResourceArn?: Text; readonly InternetGatewayExclusionMode?: Text }[]
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }

/** `tcp`, or a number; -1 is any. */
export const protocolNumber = (protocol: Text): number => PROTOCOLS[protocol ?? ''] ?? Number(protocol ?? -1)

/** The table that holds for a subnet: its own, or the main one of the VPC. */
export function tableOf(tables: readonly DescribedRouteTable[], subnet: DescribedSubnet): string {
  const own = tables.find((table) => table.Associations?.some(({ SubnetId }) => SubnetId === subnet.SubnetId))
  const main = tables.find(
    (table) => table.VpcId === subnet.VpcId && table.Associations?.some(({ Main }) => Main === true),
  )
  return (own ?? main)?.RouteTableId ?? ''
}

/** What a route leads to. */
const targetOf = (route: DescribedRoute): string =>
  route.GatewayId ??
  route.NatGatewayId ??
  route.VpcPeeringConnectionId ??
  route.NetworkInterfaceId ??
  route.EgressOnlyInternetGatewayId ??
  route.TransitGatewayId ??
  ''

const routeOf = (route: DescribedRoute): Route => ({
  destination: route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? '',
  target: targetOf(route),
  isBlackhole: route.State === 'blackhole',
})

const entriesOf = ({ Entries = [] }: DescribedAcl): readonly AclEntry[] =>
  Entries.map((entry) => ({
    number: entry.RuleNumber ?? 0,
    egress: entry.Egress ?? false,
    allow: entry.RuleAction === 'allow',
    protocol: protocolNumber(entry.Protocol),
    from: entry.PortRange?.From ?? entry.IcmpTypeCode?.Type ?? -1,
    to: entry.PortRange?.To ?? entry.IcmpTypeCode?.Code ?? -1,
    cidr: entry.CidrBlock ?? entry.Ipv6CidrBlock ?? '',
  }))

/** What VPC Block Public Access stops in a subnet. */
function blocksOf({ SubnetId, VpcId }: DescribedSubnet, access: PublicAccess | undefined): Subnet['blocks'] {
  if (!access || access.mode === 'off') return undefined
  const modes = access.exclusions
    .filter(({ ResourceArn = '' }) => [`:subnet/${SubnetId}`, `:vpc/${VpcId}`].some((end) => ResourceArn.endsWith(end)))
    .map(({ InternetGatewayExclusionMode }) => InternetGatewayExclusionMode)
  if (modes.includes('allow-bidirectional')) return undefined
  return access.mode === 'block-bidirectional' && !modes.includes('allow-egress') ? 'all' : 'ingress'
}

/** Interfaces of gateways that AWS manages have no security groups. */
const GATEWAYS: ReadonlySet<Text> = new Set(['nat_gateway'])

const isAssociated = ({
  Ipv6CidrBlockState,
}: {
  readonly Ipv6CidrBlockState?: { readonly State?: Text } | undefined
}) => (Ipv6CidrBlockState?.State ?? 'associated') === 'associated'

/** Descriptions write it with a capital or without. */
const isAvailable = (state: Text): boolean => (state ?? 'available').toLowerCase() === 'available'

export function networkFrom(described: Described): Network {
  const { acls, routeTables, publicAccess } = described
  return {
    subnets: described.subnets.map((subnet) => {
      const acl = acls.find(({ Associations }) => Associations?.some(({ SubnetId }) => SubnetId === subnet.SubnetId))
      const blocks = blocksOf(subnet, publicAccess)
      return {
        id: subnet.SubnetId ?? '',
        vpc: subnet.VpcId ?? '',
        cidr: subnet.CidrBlock ?? '',
        cidr6: (subnet.Ipv6CidrBlockAssociationSet ?? []).find(isAssociated)?.Ipv6CidrBlock,
        routeTable: tableOf(routeTables, subnet),
        acl: acl?.NetworkAclId ?? '',
        ...(blocks && { blocks }),
      }
    }),
    interfaces: described.interfaces.map((eni) => ({
      id: eni.NetworkInterfaceId ?? '',
      subnet: eni.SubnetId ?? '',
      vpc: eni.VpcId ?? '',
      address: eni.PrivateIpAddress ?? '',
      groups: (eni.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
      ...(eni.Association?.PublicIp !== undefined && { publicAddress: eni.Association.PublicIp }),
      ...(eni.Ipv6Addresses?.[0]?.Ipv6Address !== undefined && { address6: eni.Ipv6Addresses[0].Ipv6Address }),
      ...(GATEWAYS.has(eni.InterfaceType) && { isUnfiltered: true }),
      ...(eni.Attachment?.InstanceId !== undefined && { instance: eni.Attachment.InstanceId }),
    })),
    groups: described.groups,
    acls: acls.map((acl) => ({ id: acl.NetworkAclId ?? '', entries: entriesOf(acl) })),
    routeTables: routeTables.map(({ RouteTableId = '', Routes = [] }) => ({
      id: RouteTableId,
      routes: Routes.map(routeOf),
    })),
    internetGateways: described.internetGateways.flatMap(({ InternetGatewayId = '', Attachments = [] }) =>
      Attachments.map(({ VpcId = '' }) => ({ id: InternetGatewayId, vpc: VpcId })),
    ),
    egressOnlyGateways: described.egressOnlyGateways.flatMap(({ EgressOnlyInternetGatewayId = '', Attachments = [] }) =>
      Attachments.map(({ VpcId = '' }) => ({ id: EgressOnlyInternetGatewayId, vpc: VpcId })),
    ),
    gatewayEndpoints: described.endpoints
      .filter(({ VpcEndpointType, State }) => VpcEndpointType === 'Gateway' && isAvailable(State))
      .map(({ VpcEndpointId = '', VpcId = '' }) => ({ id: VpcEndpointId, vpc: VpcId })),
    natGateways: described.natGateways.map(({ NatGatewayId = '', State, NatGatewayAddresses = [] }) => ({
      id: NatGatewayId,
      interface: NatGatewayAddresses[0]?.NetworkInterfaceId ?? '',
      isAvailable: State === 'available',
    })),
    peerings: described.peerings.map(({ VpcPeeringConnectionId = '', RequesterVpcInfo, AccepterVpcInfo, Status }) => ({
      id: VpcPeeringConnectionId,
      vpcs: [RequesterVpcInfo?.VpcId ?? '', AccepterVpcInfo?.VpcId ?? ''] as const,
      isActive: Status?.Code === 'active',
    })),
    prefixLists: described.prefixLists,
  }
}

export interface DescribedPermission {
  readonly IpProtocol?: Text
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
  readonly IpRanges?: List<{ readonly CidrIp?: Text }>
  readonly Ipv6Ranges?: List<{ readonly CidrIpv6?: Text }>
  readonly PrefixListIds?: List<{ readonly PrefixListId?: Text }>
  readonly UserIdGroupPairs?: List<{ readonly GroupId?: Text }>
}

/** Rules of `DescribeSecurityGroups`, which have no IDs: each is named by what it says. */
export function rulesOf(permissions: readonly DescribedPermission[], egress: boolean): readonly GroupRule[] {
  return permissions.flatMap(({ IpProtocol, FromPort = -1, ToPort = -1, ...peers }) => {
    const ports = FromPort < 0 ? '' : FromPort === ToPort ? ` ${FromPort}` : ` ${FromPort}-${ToPort}`
    const rule = (peer: string, part: Partial<GroupRule>): GroupRule => ({
      id: `${IpProtocol === '-1' ? 'all' : IpProtocol}${ports} ${egress ? 'to' : 'from'} ${peer}`,
      egress,
      protocol: protocolNumber(IpProtocol),
      from: FromPort,
      to: ToPort,
      ...part,
    })
    return [
      ...(peers.IpRanges ?? []).map(({ CidrIp: cidr = '' }) => rule(cidr, { cidr })),
      ...(peers.Ipv6Ranges ?? []).map(({ CidrIpv6: cidr = '' }) => rule(cidr, { cidr })),
      ...(peers.PrefixListIds ?? []).map(({ PrefixListId: id = '' }) => rule(id, { prefixList: id })),
      ...(peers.UserIdGroupPairs ?? []).map(({ GroupId: group = '' }) => rule(group, { group })),
    ]
  })
}
