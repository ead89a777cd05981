/** The network of an account in a Region, as reachability is computed on: read from the rows, with the VPCs of peers. */
import type { AclEntry, GroupRule, Network, Subnet } from '../../engines/network/network.ts'
import { compile, type Snapshot } from '../../engines/network/reachability.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { entriesOf } from './prefix-lists.ts'
import {
  internetGateway,
  natGateway,
  natState,
  networkAcl,
  networkInterface,
  peering,
  prefixList,
  publicAccessExclusion,
  routeTable,
  securityGroup,
  subnet,
} from './resources.ts'
import { publicAccess } from './settings.ts'

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }
const numberOf = (protocol: string | undefined): number => PROTOCOLS[protocol ?? ''] ?? Number(protocol ?? -1)

const GATEWAYS: ReadonlySet<string | undefined> = new Set(['nat_gateway'])

async function networkOf(call: Call): Promise<Network> {
  const [subnets, interfaces, groups, acls, tables, gateways, nats, lists] = await Promise.all([
    subnet.all(call),
    networkInterface.all(call),
    securityGroup.all(call),
    networkAcl.all(call),
    routeTable.all(call),
    internetGateway.all(call),
    natGateway.all(call),
    prefixList.all(call),
  ])
  const blocked = await blockedSubnets(call)
  return {
    subnets: subnets.map(({ id, data }): Subnet => {
      const ofVpc = tables.filter((table) => table.data.VpcId === data.VpcId)
      const own = ofVpc.find((table) => table.data.Associations?.some(({ SubnetId }) => SubnetId === id))
      const main = ofVpc.find((table) => table.data.Associations?.some(({ Main }) => Main))
      const acl = acls.find((each) => each.data.Associations?.some(({ SubnetId }) => SubnetId === id))
      const blocks = blocked(id, data.VpcId ?? '')
      return {
        id,
        vpc: data.VpcId ?? '',
        cidr: data.CidrBlock ?? '',
        routeTable: (own ?? main)?.id ?? '',
        acl: acl?.id ?? '',
        ...(blocks && { blocks }),
      }
    }),
    interfaces: interfaces.map(({ id, data }) => ({
      id,
      subnet: data.SubnetId ?? '',
      vpc: data.VpcId ?? '',
      address: data.PrivateIpAddress ?? '',
      groups: (data.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
      ...(data.Association?.PublicIp !== undefined && { publicAddress: data.Association.PublicIp }),
      ...(GATEWAYS.has(data.InterfaceType) && { isUnfiltered: true }),
      ...(data.Attachment?.InstanceId !== undefined && { instance: data.Attachment.InstanceId }),
    })),
    groups: groups.map(({ id, rules }) => ({
      id,
      rules: rules.map(
        (rule): GroupRule => ({
          id: rule.id,
          egress: rule.egress,
          protocol: numberOf(rule.protocol),
          from: rule.from,
          to: rule.to,
          cidr: rule.cidr ?? rule.cidr6,
          prefixList: rule.prefixList,
          group: rule.group?.id,
        }),
      ),
    })),
    acls: acls.map(({ id, data }) => ({
      id,
      entries: (data.Entries ?? []).map(
        (entry): AclEntry => ({
          number: entry.RuleNumber ?? 0,
          egress: entry.Egress ?? false,
          allow: entry.RuleAction === 'allow',
          protocol: numberOf(entry.Protocol),
          from: entry.PortRange?.From ?? entry.IcmpTypeCode?.Type ?? -1,
          to: entry.PortRange?.To ?? entry.IcmpTypeCode?.Code ?? -1,
          cidr: entry.CidrBlock ?? entry.Ipv6CidrBlock ?? '',
        }),
      ),
    })),
    routeTables: tables.map(({ id, data }) => ({
      id,
      routes: (data.Routes ?? []).map((route) => ({
        destination:
          route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? '',
        target:
          route.GatewayId ??
          route.NatGatewayId ??
          route.VpcPeeringConnectionId ??
          route.NetworkInterfaceId ??
          route.EgressOnlyInternetGatewayId ??
          '',
        isBlackhole: route.State === 'blackhole',
      })),
    })),
    internetGateways: gateways.flatMap(({ id, data }) =>
      (data.Attachments ?? []).map(({ VpcId }) => ({ id, vpc: VpcId ?? '' })),
    ),
    natGateways: nats.map((row) => ({
      id: row.id,
      interface: row.data.NatGatewayAddresses?.[0]?.NetworkInterfaceId ?? '',
      isAvailable: natState(row, call.now) === 'available',
    })),
    peerings: (await peering.all(call)).map(({ id, data }) => ({
      id,
      vpcs: [data.RequesterVpcInfo?.VpcId ?? '', data.AccepterVpcInfo?.VpcId ?? ''] as const,
      isActive: data.Status?.Code === 'active',
    })),
    prefixLists: lists.map((row) => ({ id: row.id, cidrs: entriesOf(row).flatMap(({ Cidr }) => Cidr ?? []) })),
  }
}

/** What VPC Block Public Access stops, subnet by subnet. */
async function blockedSubnets(call: Call): Promise<(subnetId: string, vpcId: string) => Subnet['blocks']> {
  const options = await publicAccess(call)
  if (!options || options.mode === 'off') return () => undefined
  const exclusions = new Map(
    (await publicAccessExclusion.all(call)).map(({ data }) => [data.ResourceArn, data.InternetGatewayExclusionMode]),
  )
  return (subnetId, vpcId) => {
    const modes = [`subnet/${subnetId}`, `vpc/${vpcId}`].flatMap((end) =>
      [...exclusions].filter(([arn]) => arn?.endsWith(`:${end}`)).map(([, mode]) => mode),
    )
    if (modes.includes('allow-bidirectional')) return undefined
    return options.mode === 'block-bidirectional' && !modes.includes('allow-egress') ? 'all' : 'ingress'
  }
}

export const snapshotOf = async (call: Call): Promise<Snapshot> => compile(await networkOf(call))
