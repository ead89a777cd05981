/** EC2's kinds of resources: what a row holds, what it is called, which condition keys it has. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { define, type Item } from './words.ts'

export const arn = <const T extends string>(type: T, variable: string, account = '${Account}'): string =>
  `arn:\${Partition}:ec2:\${Region}:${account}:${type}/\${${variable}}`

/** As condition keys name resources: by ARN. */
export const arnIn = (call: Call, type: string, id: string | undefined, account = call.account): string | undefined =>
  id === undefined ? undefined : `arn:${call.partition}:ec2:${call.region}:${account}:${type}/${id}`

/** Deleted resources that AWS shows for a while. Source: the descriptions of DescribeNatGateways and TerminateInstances. */
export const SHOWN_AFTER_DELETION_MS = 3_600_000

/** Real, so that waiters run, and short. */
export const PENDING_MS = 1_000

// ---- VPCs

export interface VpcRow extends Item<EC2.Vpc> {
  readonly attributes: {
    readonly enableDnsSupport: boolean
    readonly enableDnsHostnames: boolean
    readonly enableNetworkAddressUsageMetrics: boolean
  }
}

export const vpc = define<EC2.Vpc, VpcRow>({
  kind: 'vpc',
  type: 'AWS::EC2::VPC',
  arn: arn('vpc', 'VpcId'),
  prefix: 'vpc',
  code: 'InvalidVpcID',
  absent: (id) => `The vpc ID '${id}' does not exist`,
  keys: (row, _call, input) => ({
    'ec2:VpcID': row?.id,
    'ec2:Tenancy': row?.data.InstanceTenancy ?? input.InstanceTenancy ?? (row ? undefined : 'default'),
  }),
})

export const subnet = define<EC2.Subnet>({
  kind: 'subnet',
  type: 'AWS::EC2::Subnet',
  arn: arn('subnet', 'SubnetId'),
  prefix: 'subnet',
  code: 'InvalidSubnetID',
  absent: (id) => `The subnet ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:SubnetID': row?.id,
    'ec2:AvailabilityZone': row?.data.AvailabilityZone ?? input.AvailabilityZone,
    'ec2:AvailabilityZoneId': row?.data.AvailabilityZoneId ?? input.AvailabilityZoneId,
    'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId ?? input.VpcId),
  }),
})

export const dhcpOptions = define<EC2.DhcpOptions>({
  kind: 'dhcp-options',
  type: 'AWS::EC2::DHCPOptions',
  arn: arn('dhcp-options', 'DhcpOptionsId'),
  prefix: 'dopt',
  code: 'InvalidDhcpOptionsID',
  absent: (id) => `The dhcpOptions ID '${id}' does not exist`,
  keys: (row) => ({ 'ec2:DhcpOptionsID': row?.id }),
})

// ---- Gateways

export const internetGateway = define<EC2.InternetGateway>({
  kind: 'internet-gateway',
  type: 'AWS::EC2::InternetGateway',
  arn: arn('internet-gateway', 'InternetGatewayId'),
  prefix: 'igw',
  code: 'InvalidInternetGatewayID',
  absent: (id) => `The internetGateway ID '${id}' does not exist`,
  keys: (row) => ({ 'ec2:InternetGatewayID': row?.id }),
})

export const egressOnlyGateway = define<EC2.EgressOnlyInternetGateway>({
  kind: 'egress-only-internet-gateway',
  type: 'AWS::EC2::EgressOnlyInternetGateway',
  arn: arn('egress-only-internet-gateway', 'EgressOnlyInternetGatewayId'),
  prefix: 'eigw',
  code: 'InvalidGatewayID',
  absent: (id) => `The eigw ID '${id}' does not exist`,
})

export interface NatGatewayRow extends Item<EC2.NatGateway> {
  readonly deletedAt?: number
}

export const natGateway = define<EC2.NatGateway, NatGatewayRow>({
  kind: 'natgateway',
  type: 'AWS::EC2::NatGateway',
  arn: arn('natgateway', 'NatGatewayId'),
  prefix: 'nat',
  code: 'NatGateway',
  notFoundCode: 'NatGatewayNotFound',
  absent: (id) => `The Nat Gateway ${id} was not found`,
  keys: (row, call) => ({ 'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId) }),
  isGone: (row, now) => row.deletedAt !== undefined && now - row.deletedAt >= SHOWN_AFTER_DELETION_MS,
  show: (row, now) => ({
    ...row.data,
    CreateTime: new Date(row.createdAt),
    State: natState(row, now),
    ...(row.deletedAt !== undefined && { DeleteTime: new Date(row.deletedAt) }),
  }),
})

export function natState(row: NatGatewayRow, now: number): EC2.NatGatewayState {
  if (row.deletedAt !== undefined) return now - row.deletedAt < PENDING_MS ? 'deleting' : 'deleted'
  return now - row.createdAt < PENDING_MS ? 'pending' : 'available'
}

export const vpnGateway = define<EC2.VpnGateway>({
  kind: 'vpn-gateway',
  type: 'AWS::EC2::VPNGateway',
  arn: arn('vpn-gateway', 'VpnGatewayId'),
  prefix: 'vgw',
  code: 'InvalidVpnGatewayID',
  absent: (id) => `The vpnGateway ID '${id}' does not exist`,
})

export const customerGateway = define<EC2.CustomerGateway>({
  kind: 'customer-gateway',
  type: 'AWS::EC2::CustomerGateway',
  arn: arn('customer-gateway', 'CustomerGatewayId'),
  prefix: 'cgw',
  code: 'InvalidCustomerGatewayID',
  absent: (id) => `The customerGateway ID '${id}' does not exist`,
})

// ---- Routes and filters

export const routeTable = define<EC2.RouteTable>({
  kind: 'route-table',
  type: 'AWS::EC2::RouteTable',
  arn: arn('route-table', 'RouteTableId'),
  prefix: 'rtb',
  code: 'InvalidRouteTableID',
  absent: (id) => `The routeTable ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:RouteTableID': row?.id,
    'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId ?? input.VpcId),
  }),
})

export const networkAcl = define<EC2.NetworkAcl>({
  kind: 'network-acl',
  type: 'AWS::EC2::NetworkAcl',
  arn: arn('network-acl', 'NaclId'),
  prefix: 'acl',
  code: 'InvalidNetworkAclID',
  absent: (id) => `The networkAcl ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:NetworkAclID': row?.id,
    'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId ?? input.VpcId),
  }),
})

/** One source or destination of a rule. */
export interface SecurityRule {
  readonly id: string
  readonly egress: boolean
  /** `tcp`, `udp`, `icmp`, `icmpv6`, a number, or -1 for all. */
  readonly protocol: string
  readonly from: number
  readonly to: number
  readonly cidr?: string
  readonly cidr6?: string
  readonly prefixList?: string
  readonly group?: { readonly id: string; readonly owner: string; readonly vpc?: string; readonly peering?: string }
  readonly description?: string
  readonly tags?: Tags
}

export interface SecurityGroupRow extends Item<EC2.SecurityGroup> {
  readonly rules: readonly SecurityRule[]
  /** Other VPCs it may be used in. */
  readonly vpcs?: readonly string[]
}

export const securityGroup = define<EC2.SecurityGroup, SecurityGroupRow>({
  kind: 'security-group',
  type: 'AWS::EC2::SecurityGroup',
  arn: arn('security-group', 'SecurityGroupId'),
  prefix: 'sg',
  code: 'InvalidGroup',
  absent: (id) => `The security group '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:SecurityGroupID': row?.id,
    'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId ?? input.VpcId),
  }),
})

/** Its rows are part of those of the groups: this kind is for permissions and tags. */
export const securityGroupRule = define<EC2.SecurityGroupRule>({
  kind: 'security-group-rule',
  type: 'AWS::EC2::SecurityGroupRule',
  arn: arn('security-group-rule', 'SecurityGroupRuleId'),
  prefix: 'sgr',
  code: 'InvalidSecurityGroupRuleId',
  absent: (id) => `The security group rule ID '${id}' does not exist`,
})

export interface PrefixListRow extends Item<EC2.ManagedPrefixList> {
  /** The entries of each version, the last one is in force. */
  readonly versions: readonly { readonly version: number; readonly entries: readonly EC2.PrefixListEntry[] }[]
}

export const prefixList = define<EC2.ManagedPrefixList, PrefixListRow>({
  kind: 'prefix-list',
  type: 'AWS::EC2::PrefixList',
  arn: arn('prefix-list', 'PrefixListId'),
  prefix: 'pl',
  code: 'InvalidPrefixListID',
  absent: (id) => `The prefix list ID '${id}' does not exist`,
})

// ---- Interfaces and addresses

export const networkInterface = define<EC2.NetworkInterface>({
  kind: 'network-interface',
  type: 'AWS::EC2::NetworkInterface',
  arn: arn('network-interface', 'NetworkInterfaceId'),
  prefix: 'eni',
  code: 'InvalidNetworkInterfaceID',
  absent: (id) => `The networkInterface ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:NetworkInterfaceID': row?.id,
    'ec2:AvailabilityZone': row?.data.AvailabilityZone,
    'ec2:Subnet': arnIn(call, 'subnet', row?.data.SubnetId ?? input.SubnetId),
    'ec2:Vpc': arnIn(call, 'vpc', row?.data.VpcId),
    'ec2:AssociatePublicIpAddress': publicAddressRequested(input),
  }),
})

function publicAddressRequested(input: LooseInput): string | undefined {
  const value = input.NetworkInterfaces?.[0]?.AssociatePublicIpAddress
  return value === undefined ? undefined : String(value)
}

export const elasticIp = define<EC2.Address>({
  kind: 'elastic-ip',
  type: 'AWS::EC2::EIP',
  arn: arn('elastic-ip', 'AllocationId'),
  prefix: 'eipalloc',
  code: 'InvalidAllocationID',
  absent: (id) => `The allocation ID '${id}' does not exist`,
  keys: (row) => ({ 'ec2:AllocationId': row?.id, 'ec2:PublicIpAddress': row?.data.PublicIp, 'ec2:Domain': 'vpc' }),
})

// ---- Endpoints, peering, logs

export interface EndpointRow extends Item<EC2.VpcEndpoint> {
  readonly deletedAt?: number
}

export const vpcEndpoint = define<EC2.VpcEndpoint, EndpointRow>({
  kind: 'vpc-endpoint',
  type: 'AWS::EC2::VPCEndpoint',
  arn: arn('vpc-endpoint', 'VpcEndpointId'),
  prefix: 'vpce',
  code: 'InvalidVpcEndpointId',
  absent: (id) => `The Vpc Endpoint Id '${id}' does not exist`,
  keys: (row, _call, input) => ({
    'ec2:VpceServiceName': row?.data.ServiceName ?? input.ServiceName,
    'ec2:VpceServiceOwner': 'amazon',
    'ec2:VpceServiceRegion': row?.data.ServiceRegion ?? input.ServiceRegion,
  }),
  show: (row, now) => ({
    ...row.data,
    CreationTimestamp: new Date(row.createdAt),
    State: (now - row.createdAt < PENDING_MS ? 'pending' : 'available') as EC2.State,
  }),
})

export interface PeeringRow extends Item<EC2.VpcPeeringConnection> {
  readonly endedAt?: number
}

/** An invitation lasts a week. Source: the VPC peering guide, "VPC peering connection lifecycle". */
const PEERING_EXPIRES_MS = 7 * 86_400_000

export const peering = define<EC2.VpcPeeringConnection, PeeringRow>({
  kind: 'vpc-peering-connection',
  type: 'AWS::EC2::VPCPeeringConnection',
  arn: arn('vpc-peering-connection', 'VpcPeeringConnectionId'),
  prefix: 'pcx',
  code: 'InvalidVpcPeeringConnectionID',
  absent: (id) => `The vpcPeeringConnection ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:VpcPeeringConnectionID': row?.id,
    'ec2:RequesterVpc': arnIn(
      call,
      'vpc',
      row?.data.RequesterVpcInfo?.VpcId ?? input.VpcId,
      row?.data.RequesterVpcInfo?.OwnerId,
    ),
    'ec2:AccepterVpc': arnIn(
      call,
      'vpc',
      row?.data.AccepterVpcInfo?.VpcId ?? input.PeerVpcId,
      row?.data.AccepterVpcInfo?.OwnerId ?? input.PeerOwnerId,
    ),
  }),
  isGone: (row, now) => row.endedAt !== undefined && now - row.endedAt >= 2 * SHOWN_AFTER_DELETION_MS,
  show: (row, now) => ({
    ...row.data,
    ...(row.data.Status?.Code === 'pending-acceptance' && {
      ExpirationTime: new Date(row.createdAt + PEERING_EXPIRES_MS),
      Status: peeringStatus(row, now),
    }),
  }),
})

export const peeringStatus = (row: PeeringRow, now: number): EC2.VpcPeeringConnectionStateReason =>
  row.data.Status?.Code === 'pending-acceptance' && now - row.createdAt >= PEERING_EXPIRES_MS
    ? { Code: 'expired', Message: 'Expired' }
    : (row.data.Status ?? {})

export const flowLog = define<EC2.FlowLog>({
  kind: 'vpc-flow-log',
  type: 'AWS::EC2::FlowLog',
  arn: arn('vpc-flow-log', 'VpcFlowLogId'),
  prefix: 'fl',
  code: 'InvalidFlowLogId',
  absent: (id) => `These flow log ids in the input list are not found: [TotalCount: 1] ${id}`,
  show: (row) => ({ ...row.data, CreationTime: new Date(row.createdAt) }),
})

// ---- VPC Block Public Access

export const publicAccessExclusion = define<EC2.VpcBlockPublicAccessExclusion>({
  kind: 'vpc-block-public-access-exclusion',
  type: 'AWS::EC2::VPCBlockPublicAccessExclusion',
  arn: arn('vpc-block-public-access-exclusion', 'VpcBlockPublicAccessExclusionId'),
  prefix: 'vpcbpa-exclude',
  code: 'InvalidVpcBlockPublicAccessExclusionId',
  absent: (id) => `The VPC block public access exclusion ID '${id}' does not exist`,
  show: (row) => ({
    ...row.data,
    CreationTimestamp: new Date(row.createdAt),
    LastUpdateTimestamp: new Date(row.createdAt),
  }),
})
