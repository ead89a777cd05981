/** Subnets: ranges of a VPC in one Availability Zone. */
import { contains, overlaps, parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { createSubnetRow } from './defaults.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, need } from './faults.ts'
import { networkAcl, networkInterface, routeTable, subnet, type VpcRow, vpc } from './resources.ts'
import { newId } from './words.ts'
import { type Zone, zoneNamed } from './zones.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const SUBNETS_MAX = 200

/** The first four addresses and the last one of a subnet are AWS's. */
export const RESERVED = 5

function subnetBlock(text: string, { data }: VpcRow): string {
  const block = parseBlock(text)
  if (block?.family !== 4) {
    throw invalid(`Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`)
  }
  const isInside = data.CidrBlockAssociationSet?.some(({ CidrBlock }) => contains(parseBlock(CidrBlock ?? '')!, block))
  if (!isInside || block.bits < 16 || block.bits > 28) {
    throw fault('InvalidSubnet.Range', `The CIDR '${text}' is invalid.`)
  }
  return printBlock(block)
}

function ipv6Block(text: string, { data }: VpcRow): string {
  const block = parseBlock(text)
  const isInside =
    block &&
    data.Ipv6CidrBlockAssociationSet?.some(({ Ipv6CidrBlock }) => contains(parseBlock(Ipv6CidrBlock ?? '')!, block))
  if (block?.family !== 6 || !isInside || block.bits < 44 || block.bits > 64 || block.bits % 4 !== 0) {
    throw fault('InvalidSubnet.Range', `The CIDR '${text}' is invalid.`)
  }
  return printBlock(block)
}

async function assertFree(call: Call, vpcId: string, text: string): Promise<void> {
  const block = parseBlock(text)!
  const others = (await subnet.all(call)).filter(({ data }) => data.VpcId === vpcId)
  if (others.length >= (call.quotas['ec2/SubnetsPerVpc'] ?? SUBNETS_MAX)) {
    throw fault('SubnetLimitExceeded', 'The maximum number of subnets has been reached.')
  }
  const taken = others.some(({ data }) => {
    const own = [data.CidrBlock, ...(data.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => Ipv6CidrBlock)]
    return own.some((cidr) => cidr !== undefined && overlaps(parseBlock(cidr)!, block))
  })
  if (taken) throw fault('InvalidSubnet.Conflict', `The CIDR '${text}' conflicts with another subnet`)
}

export const createSubnet = op(
  'CreateSubnet',
  [subnet.created(), vpc.at('VpcId')],
  async (call, input, [{ id, tags }, found]) => {
    const zone = zoneNamed(call.region, input.AvailabilityZone, input.AvailabilityZoneId)
    if (input.Ipv6Native) throw fault('NotImplemented', 'Merlon does not implement subnets of IPv6 alone.')
    const cidr = subnetBlock(need(input.CidrBlock, 'cidrBlock'), found.row)
    await assertFree(call, found.id, cidr)
    const ipv6 = input.Ipv6CidrBlock === undefined ? undefined : ipv6Block(input.Ipv6CidrBlock, found.row)
    if (ipv6 !== undefined) await assertFree(call, found.id, ipv6)
    const row = await createSubnetRow(call, { id, vpcId: found.id, cidr, zone, isDefault: false, tags, ipv6 })
    return { Subnet: { ...shownSubnet(row.data, 0), Tags: subnet.show(row, call.now).Tags } }
  },
)

export const createDefaultSubnet = op('CreateDefaultSubnet', [subnet.created()], async (call, input, [{ id }]) => {
  const zone = zoneNamed(call.region, need(input.AvailabilityZone, 'availabilityZone'), undefined)
  const home = (await vpc.all(call)).find(({ data }) => data.IsDefault)
  if (!home) throw fault('DefaultVpcDoesNotExist', 'No default VPC exists for this account in this region.')
  const rows = (await subnet.all(call)).filter(({ data }) => data.VpcId === home.id)
  if (rows.some(({ data }) => data.DefaultForAz && data.AvailabilityZone === zone.name)) {
    throw fault('DefaultSubnetAlreadyExistsInAvailabilityZone', `'${zone.name}' already has a default subnet.`)
  }
  const cidr = freeDefault(rows.map(({ data }) => data.CidrBlock!))
  const row = await createSubnetRow(call, { id, vpcId: home.id, cidr, zone, isDefault: true })
  return { Subnet: shownSubnet(row.data, 0) }
})

function freeDefault(taken: readonly string[]): string {
  for (let third = 0; third < 256; third += 16) {
    const text = `172.31.${third}.0/20`
    if (!taken.some((cidr) => overlaps(parseBlock(cidr)!, parseBlock(text)!))) return text
  }
  throw fault('InsufficientAddressCapacity', 'The default VPC has no free range of addresses for a default subnet.')
}

export const deleteSubnet = op('DeleteSubnet', [subnet.at('SubnetId')], async (call, _input, [{ id, remove }]) => {
  if ((await networkInterface.all(call)).some(({ data }) => data.SubnetId === id)) {
    throw depended(`The subnet '${id}' has dependencies and cannot be deleted.`)
  }
  const leaves = <A extends { readonly SubnetId?: string | undefined }>(associations: readonly A[] = []) =>
    associations.filter(({ SubnetId }) => SubnetId !== id)
  for (const table of await routeTable.all(call)) {
    const kept = leaves(table.data.Associations)
    if (kept.length !== (table.data.Associations?.length ?? 0)) {
      routeTable.put(call, { ...table, data: { ...table.data, Associations: kept } })
    }
  }
  for (const acl of await networkAcl.all(call)) {
    const kept = leaves(acl.data.Associations)
    if (kept.length !== (acl.data.Associations?.length ?? 0)) {
      networkAcl.put(call, { ...acl, data: { ...acl.data, Associations: kept } })
    }
  }
  remove()
  return {}
})

/** How many addresses the interfaces of each subnet have. */
async function usedAddresses(call: Call): Promise<ReadonlyMap<string, number>> {
  const used = new Map<string, number>()
  for (const { data } of await networkInterface.all(call)) {
    const count = data.PrivateIpAddresses?.length ?? 1
    used.set(data.SubnetId!, (used.get(data.SubnetId!) ?? 0) + count)
  }
  return used
}

const shownSubnet = <S extends { readonly CidrBlock?: string | undefined }>(data: S, used: number) => {
  const { bits } = parseBlock(data.CidrBlock ?? '')!
  return { ...data, AvailableIpAddressCount: 2 ** (32 - bits) - RESERVED - used }
}

export const describeSubnets = describe('DescribeSubnets', subnet, {
  ids: 'SubnetIds',
  result: 'Subnets',
  load: usedAddresses,
  show: (row, _call, used: ReadonlyMap<string, number>) => shownSubnet(row.data, used.get(row.id) ?? 0),
  filters: `
    availability-zone availabilityZone=AvailabilityZone availability-zone-id availabilityZoneId=AvailabilityZoneId
    available-ip-address-count cidr=CidrBlock cidr-block=CidrBlock cidrBlock=CidrBlock default-for-az defaultForAz=DefaultForAz
    map-public-ip-on-launch owner-id state subnet-arn subnet-id vpc-id ipv6-native enable-dns64=EnableDns64
    assign-ipv6-address-on-creation=AssignIpv6AddressOnCreation
    ipv6-cidr-block-association.ipv6-cidr-block=Ipv6CidrBlockAssociationSet.Ipv6CidrBlock
    ipv6-cidr-block-association.association-id=Ipv6CidrBlockAssociationSet.AssociationId
    ipv6-cidr-block-association.state=Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State`,
})

export const modifySubnetAttribute = op(
  'ModifySubnetAttribute',
  [subnet.at('SubnetId')],
  (_call, input, [{ data, set }]) => {
    const options = data.PrivateDnsNameOptionsOnLaunch
    const {
      AssignIpv6AddressOnCreation: assign,
      MapPublicIpOnLaunch: map,
      EnableDns64: dns64,
      PrivateDnsHostnameTypeOnLaunch: HostnameType,
      EnableResourceNameDnsARecordOnLaunch: a,
      EnableResourceNameDnsAAAARecordOnLaunch: aaaa,
    } = input
    if (assign?.Value && (data.Ipv6CidrBlockAssociationSet ?? []).length === 0) {
      throw invalid('Invalid value for parameter assignIpv6AddressOnCreation. The subnet has no IPv6 CIDR block.')
    }
    set({
      ...(assign?.Value !== undefined && { AssignIpv6AddressOnCreation: assign.Value }),
      ...(map?.Value !== undefined && { MapPublicIpOnLaunch: map.Value }),
      ...(dns64?.Value !== undefined && { EnableDns64: dns64.Value }),
      PrivateDnsNameOptionsOnLaunch: {
        ...options,
        ...(HostnameType !== undefined && { HostnameType }),
        ...(a?.Value !== undefined && { EnableResourceNameDnsARecord: a.Value }),
        ...(aaaa?.Value !== undefined && { EnableResourceNameDnsAAAARecord: aaaa.Value }),
      },
    })
    return {}
  },
)

export const associateSubnetCidrBlock = op(
  'AssociateSubnetCidrBlock',
  [subnet.at('SubnetId')],
  async (call, input, [{ id, data, set }]) => {
    const text = need(input.Ipv6CidrBlock, 'ipv6CidrBlock')
    const block = ipv6Block(text, await vpc.require(call, data.VpcId!))
    await assertFree(call, data.VpcId!, block)
    const association = {
      AssociationId: newId('subnet-cidr-assoc'),
      Ipv6CidrBlock: block,
      Ipv6CidrBlockState: { State: 'associated' as const },
      Ipv6AddressAttribute: 'public' as const,
      IpSource: 'amazon' as const,
    }
    set({ Ipv6CidrBlockAssociationSet: [...(data.Ipv6CidrBlockAssociationSet ?? []), association] })
    return { SubnetId: id, Ipv6CidrBlockAssociation: { ...association, Ipv6CidrBlockState: { State: 'associating' } } }
  },
)

export const disassociateSubnetCidrBlock = op(
  'DisassociateSubnetCidrBlock',
  [
    subnet.behind(async ({ AssociationId }, call) => [
      (await subnet.all(call)).find(({ data }) =>
        data.Ipv6CidrBlockAssociationSet?.some((each) => each.AssociationId === AssociationId),
      )?.id,
    ]),
  ],
  (_call, input, [[found]]) => {
    const known = found?.data.Ipv6CidrBlockAssociationSet ?? []
    const association = known.find(({ AssociationId }) => AssociationId === input.AssociationId)
    if (!found || !association) {
      throw fault(
        'InvalidSubnetCidrBlockAssociationID.NotFound',
        `The subnet CIDR block association ID '${input.AssociationId}' does not exist`,
      )
    }
    found.set({ Ipv6CidrBlockAssociationSet: known.filter((each) => each !== association) })
    return {
      SubnetId: found.id,
      Ipv6CidrBlockAssociation: { ...association, Ipv6CidrBlockState: { State: 'disassociating' } },
    }
  },
)

export type { Zone }
