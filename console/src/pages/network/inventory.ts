/** VPCs with what of them is public: read from the inventory, without an analysis of packets. */
import type { Client } from '../../api/client.ts'
import type { Output } from '../../api/sdk.ts'

export type Vpc = NonNullable<Output<'ec2', 'DescribeVpcs'>['Vpcs']>[number]
export type Subnet = NonNullable<Output<'ec2', 'DescribeSubnets'>['Subnets']>[number]
type RouteTable = NonNullable<Output<'ec2', 'DescribeRouteTables'>['RouteTables']>[number]
export type Interface = NonNullable<Output<'ec2', 'DescribeNetworkInterfaces'>['NetworkInterfaces']>[number]
export type GroupRule = NonNullable<Output<'ec2', 'DescribeSecurityGroupRules'>['SecurityGroupRules']>[number]

export interface Inventory {
  readonly vpcs: readonly Vpc[]
  readonly subnets: readonly Subnet[]
  readonly tables: readonly RouteTable[]
  readonly interfaces: readonly Interface[]
  readonly rules: readonly GroupRule[]
}

/** `vpc`: of one VPC alone. */
export async function loadInventory(client: Client, vpc?: string): Promise<Inventory> {
  const input = vpc === undefined ? {} : { Filters: [{ Name: 'vpc-id', Values: [vpc] }] }
  const [vpcs, subnets, tables, interfaces, rules] = await Promise.all([
    client.list('ec2', 'DescribeVpcs', input, 'Vpcs'),
    client.list('ec2', 'DescribeSubnets', input, 'Subnets'),
    client.list('ec2', 'DescribeRouteTables', input, 'RouteTables'),
    client.list('ec2', 'DescribeNetworkInterfaces', input, 'NetworkInterfaces'),
    client.list('ec2', 'DescribeSecurityGroupRules', {}, 'SecurityGroupRules'),
  ])
  return { vpcs, subnets, tables, interfaces, rules }
}

type Tags = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined

/** The tag `Name`, as every tool of EC2 shows it. */
export const nameTag = (tags: Tags): string | undefined => tags?.find(({ Key }) => Key === 'Name')?.Value || undefined

/** Its own route table, or the main one of the VPC. */
export function tableOf({ tables }: Inventory, { SubnetId, VpcId }: Subnet): RouteTable | undefined {
  const ofVpc = tables.filter((table) => table.VpcId === VpcId)
  return (
    ofVpc.find(({ Associations }) => Associations?.some((each) => each.SubnetId === SubnetId)) ??
    ofVpc.find(({ Associations }) => Associations?.some(({ Main }) => Main))
  )
}

export interface WayOut {
  readonly kind: 'public' | 'private' | 'isolated'
  /** The gateway to which the rest of the world is routed. */
  readonly gateway?: string | undefined
}

const isEverywhere = (cidr: string | undefined): boolean => cidr === '0.0.0.0/0' || cidr === '::/0'

/** Public: there is a route to an internet gateway. Private: to a NAT gateway, which lets nothing in. */
export function wayOut(inventory: Inventory, subnet: Subnet): WayOut {
  const routes = (tableOf(inventory, subnet)?.Routes ?? []).filter(({ State }) => State !== 'blackhole')
  const open = routes.find(({ GatewayId }) => GatewayId?.startsWith('igw-'))
  if (open) return { kind: 'public', gateway: open.GatewayId }
  const nat = routes.find(({ NatGatewayId }) => NatGatewayId !== undefined)
  return nat ? { kind: 'private', gateway: nat.NatGatewayId } : { kind: 'isolated' }
}

/** Ports that the security groups of an interface open to every address: `tcp 443`, `all traffic`. */
export function openPorts({ rules }: Inventory, { Groups }: Interface): readonly string[] {
  const groups = new Set((Groups ?? []).map(({ GroupId }) => GroupId))
  return rules
    .filter(({ GroupId, IsEgress }) => !IsEgress && groups.has(GroupId))
    .filter(({ CidrIpv4, CidrIpv6 }) => isEverywhere(CidrIpv4) || isEverywhere(CidrIpv6))
    .map(portsText)
}

export function portsText({ IpProtocol, FromPort, ToPort }: GroupRule): string {
  if (IpProtocol === '-1') return 'all traffic'
  if (FromPort === undefined || FromPort === -1) return String(IpProtocol)
  return FromPort === ToPort ? `${IpProtocol} ${FromPort}` : `${IpProtocol} ${FromPort}–${ToPort}`
}

/** `tcp 443 from 0.0.0.0/0` */
export function ruleText(rule: GroupRule): string {
  const end = rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.PrefixListId ?? rule.ReferencedGroupInfo?.GroupId ?? 'nowhere'
  return `${portsText(rule)} ${rule.IsEgress ? 'to' : 'from'} ${end}`
}

/** It has a public address, and its subnet a route to an internet gateway. */
export function isExposed(inventory: Inventory, each: Interface): boolean {
  const subnet = inventory.subnets.find(({ SubnetId }) => SubnetId === each.SubnetId)
  return each.Association?.PublicIp !== undefined && subnet !== undefined && wayOut(inventory, subnet).kind === 'public'
}
