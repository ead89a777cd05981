/** How interfaces are created and deleted, whatever needs one: instances, NAT gateways, endpoints. */
import { randomBytes } from 'node:crypto'
import type * as EC2 from '@aws-sdk/client-ec2'
import { contains, parseAddress, parseBlock, printAddress } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { fault, invalid } from './faults.ts'
import { freeAddress, publicName, takeAddress } from './public-addresses.ts'
import { elasticIp, networkInterface, type SecurityGroupRow, securityGroup, vpc } from './resources.ts'
import { blackholeRoutes } from './routes.ts'
import { type Item, newId } from './words.ts'

type InterfaceRow = Item<EC2.NetworkInterface>
type SubnetRow = Item<EC2.Subnet>

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const GROUPS_MAX = 5

export interface NewInterface {
  readonly id?: string
  readonly subnet: SubnetRow
  /** Default: the default group of the VPC. Empty: none, as gateways have. */
  readonly groups?: readonly string[] | undefined
  readonly address?: string | undefined
  readonly secondary?: readonly string[]
  readonly secondaryCount?: number | undefined
  readonly ipv6?: readonly string[] | undefined
  readonly ipv6Count?: number | undefined
  readonly description: string
  readonly type?: EC2.NetworkInterfaceType
  /** Set for interfaces that AWS manages. */
  readonly requester?: string
  readonly elasticIp?: Item<EC2.Address> | undefined
  /** Whether it gets a public address of its own, which goes with it. */
  readonly publicAddress?: boolean
  readonly attachment?: EC2.NetworkInterfaceAttachment
  readonly tags?: Tags
  readonly sourceDestCheck?: boolean
}

export async function groupsIn(
  call: Call,
  vpcId: string,
  ids: readonly string[] | undefined,
): Promise<readonly SecurityGroupRow[]> {
  if (ids === undefined) {
    const home = (await securityGroup.all(call)).find(
      ({ data }) => data.VpcId === vpcId && data.GroupName === 'default',
    )
    return home ? [home] : []
  }
  if (ids.length > (call.quotas['ec2/GroupsPerInterface'] ?? GROUPS_MAX)) {
    throw fault(
      'SecurityGroupsPerInterfaceLimitExceeded',
      'The maximum number of security groups per interface has been reached.',
    )
  }
  const groups: SecurityGroupRow[] = []
  for (const id of new Set(ids)) {
    const row = await securityGroup.require(call, id)
    if (row.data.VpcId !== vpcId && !row.vpcs?.includes(vpcId)) {
      throw fault('InvalidGroup.NotFound', `The security group '${id}' does not exist in VPC '${vpcId}'`)
    }
    groups.push(row)
  }
  return groups
}

const privateName = (call: Call, address: string): string => {
  const domain = call.region === 'us-east-1' ? 'ec2.internal' : `${call.region}.compute.internal`
  return `ip-${address.replaceAll('.', '-')}.${domain}`
}

/** Addresses that interfaces in the subnet have. */
async function takenIn(call: Call, subnetId: string): Promise<Set<string>> {
  const rows = await networkInterface.all(call)
  return new Set(
    rows
      .filter(({ data }) => data.SubnetId === subnetId)
      .flatMap(({ data }) => [
        ...(data.PrivateIpAddresses ?? []).map(({ PrivateIpAddress }) => PrivateIpAddress!),
        ...(data.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address!),
      ]),
  )
}

/** The requested address, or the first free one. */
function chooseAddress(row: SubnetRow, wanted: string | undefined, taken: Set<string>): string {
  const block = parseBlock(row.data.CidrBlock!)!
  const isReserved = (value: bigint) => value < block.first + 4n || value === block.last
  if (wanted !== undefined) {
    const address = parseAddress(wanted)
    if (address?.family !== 4 || !contains(block, { family: 4, first: address.value, last: address.value })) {
      throw invalid(`Address does not fall within the subnet's address range`)
    }
    if (isReserved(address.value)) throw invalid("Address is in subnet's reserved address range")
    if (taken.has(wanted)) throw fault('InvalidIPAddress.InUse', `Address ${wanted} is in use.`)
    taken.add(wanted)
    return wanted
  }
  for (let value = block.first + 4n; value < block.last; value++) {
    const address = printAddress(4, value)
    if (taken.has(address)) continue
    taken.add(address)
    return address
  }
  throw fault('InsufficientFreeAddressesInSubnet', `The subnet ${row.id} has no free addresses.`)
}

export async function chooseAddresses(
  call: Call,
  row: SubnetRow,
  wanted: readonly (string | undefined)[],
): Promise<readonly string[]> {
  const taken = await takenIn(call, row.id)
  return wanted.map((each) => chooseAddress(row, each, taken))
}

export async function chooseIpv6(
  call: Call,
  row: SubnetRow,
  wanted: readonly string[],
  count: number,
): Promise<readonly string[]> {
  const [association] = row.data.Ipv6CidrBlockAssociationSet ?? []
  if (wanted.length + count === 0) return []
  if (!association?.Ipv6CidrBlock)
    throw invalid(`The subnet '${row.id}' does not have any IPv6 CIDR blocks associated.`)
  const block = parseBlock(association.Ipv6CidrBlock)!
  const taken = await takenIn(call, row.id)
  const chosen: string[] = []
  for (const text of wanted) {
    const address = parseAddress(text)
    if (address?.family !== 6 || !contains(block, { family: 6, first: address.value, last: address.value })) {
      throw invalid(`IPv6 address ${text} does not fall within the subnet's address range`)
    }
    const printed = printAddress(6, address.value)
    if (taken.has(printed)) throw fault('InvalidIPAddress.InUse', `Address ${printed} is in use.`)
    chosen.push(printed)
  }
  while (chosen.length < wanted.length + count) {
    const printed = printAddress(
      6,
      block.first + (BigInt(`0x${randomBytes(8).toString('hex')}`) % (block.last - block.first)),
    )
    if (!taken.has(printed) && !chosen.includes(printed)) chosen.push(printed)
  }
  return chosen
}

export async function createInterface(call: Call, made: NewInterface): Promise<InterfaceRow> {
  const { subnet: place, groups: ids, requester, attachment } = made
  const { data } = place
  const groups = await groupsIn(call, data.VpcId!, ids)
  const secondary = [...(made.secondary ?? []), ...Array<undefined>(made.secondaryCount ?? 0).fill(undefined)]
  const addresses = await chooseAddresses(call, place, [made.address, ...secondary])
  const ipv6Count = made.ipv6Count ?? (data.AssignIpv6AddressOnCreation && !made.ipv6?.length ? 1 : 0)
  const ipv6 = await chooseIpv6(call, place, made.ipv6 ?? [], ipv6Count)
  const id = made.id ?? newId('eni')
  const names = (await vpc.require(call, data.VpcId!)).attributes.enableDnsSupport
  const row: InterfaceRow = {
    id,
    account: call.account,
    createdAt: call.now,
    tags: made.tags ?? {},
    data: {
      NetworkInterfaceId: id,
      SubnetId: place.id,
      VpcId: data.VpcId,
      AvailabilityZone: data.AvailabilityZone,
      OwnerId: call.account,
      Description: made.description,
      InterfaceType: made.type ?? 'interface',
      MacAddress: macAddress(),
      Groups: groups.map((group) => ({ GroupId: group.id, GroupName: group.data.GroupName })),
      PrivateIpAddress: addresses[0],
      ...(names && { PrivateDnsName: privateName(call, addresses[0]!) }),
      PrivateIpAddresses: addresses.map((address, index) => ({
        Primary: index === 0,
        PrivateIpAddress: address,
        ...(names && { PrivateDnsName: privateName(call, address) }),
      })),
      Ipv6Addresses: ipv6.map((Ipv6Address) => ({ Ipv6Address })),
      RequesterManaged: requester !== undefined,
      ...(requester !== undefined && { RequesterId: requester }),
      SourceDestCheck: made.sourceDestCheck ?? requester === undefined,
      Status: attachment || requester !== undefined ? 'in-use' : 'available',
      ...(attachment && { Attachment: attachment }),
    },
  }
  if (made.elasticIp) return associate(call, row, made.elasticIp)
  return networkInterface.put(call, made.publicAddress ? await withPublicAddress(call, row) : row)
}

function macAddress(): string {
  const bytes = randomBytes(6)
  // Locally administered, unicast.
  bytes[0] = (bytes[0]! & 0xfc) | 0x02
  return bytes.toString('hex').match(/../g)!.join(':')
}

async function withPublicAddress(call: Call, row: InterfaceRow): Promise<InterfaceRow> {
  const PublicIp = await takeAddress(call)
  return withAssociation(row, row.data.PrivateIpAddress!, {
    PublicIp,
    PublicDnsName: publicName(call, PublicIp),
    IpOwnerId: 'amazon',
  })
}

/** Undefined removes it. */
export function withAssociation(
  row: InterfaceRow,
  address: string,
  association: EC2.NetworkInterfaceAssociation | undefined,
): InterfaceRow {
  const { Association: _, ...data } = row.data
  const addresses = (data.PrivateIpAddresses ?? []).map((each): EC2.NetworkInterfacePrivateIpAddress => {
    if (each.PrivateIpAddress !== address) return each
    const { Association: _before, ...rest } = each
    return association ? { ...rest, Association: association } : rest
  })
  const first = addresses.find(({ Primary }) => Primary)?.Association
  return { ...row, data: { ...data, PrivateIpAddresses: addresses, ...(first && { Association: first }) } }
}

/** A public address of its own that it had before is released. */
export function associate(
  call: Call,
  row: InterfaceRow,
  address: Item<EC2.Address>,
  private_ = row.data.PrivateIpAddress!,
): InterfaceRow {
  const before = row.data.PrivateIpAddresses?.find((each) => each.PrivateIpAddress === private_)
  if (!before) throw invalid(`The private IP address ${private_} is not assigned to the network interface ${row.id}.`)
  if (before.Association?.IpOwnerId === 'amazon' && before.Association.PublicIp)
    freeAddress(call, before.Association.PublicIp)
  const AssociationId = newId('eipassoc')
  const instanceId = row.data.Attachment?.InstanceId
  elasticIp.put(call, {
    ...address,
    data: {
      ...address.data,
      AssociationId,
      NetworkInterfaceId: row.id,
      NetworkInterfaceOwnerId: row.account,
      PrivateIpAddress: private_,
      ...(instanceId !== undefined && { InstanceId: instanceId }),
    },
  })
  return networkInterface.put(
    call,
    withAssociation(row, private_, {
      AssociationId,
      AllocationId: address.id,
      PublicIp: address.data.PublicIp,
      PublicDnsName: publicName(call, address.data.PublicIp!),
      IpOwnerId: call.account,
    }),
  )
}

export async function disassociate(call: Call, address: Item<EC2.Address>): Promise<void> {
  const {
    AssociationId: _a,
    NetworkInterfaceId: id,
    NetworkInterfaceOwnerId: _o,
    PrivateIpAddress: private_,
    InstanceId: _i,
    ...data
  } = address.data
  const row = id === undefined ? undefined : await networkInterface.get(call, id)
  if (row && private_ !== undefined) networkInterface.put(call, withAssociation(row, private_, undefined))
  elasticIp.put(call, { ...address, data })
}

/** With its public address, or the association of its Elastic IP. */
export async function removeInterface(call: Call, row: InterfaceRow): Promise<void> {
  for (const { Association } of row.data.PrivateIpAddresses ?? []) {
    if (Association?.AllocationId !== undefined) {
      const address = await elasticIp.get(call, Association.AllocationId)
      if (address) await disassociate(call, address)
    } else if (Association?.PublicIp !== undefined) freeAddress(call, Association.PublicIp)
  }
  await blackholeRoutes(call, row.id)
  networkInterface.delete(call, row.id)
}
