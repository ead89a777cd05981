/** Network interfaces and Elastic IP addresses. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { listTags } from '../../kernel/resource/tags.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid, missing, need } from './faults.ts'
import {
  associate,
  chooseAddresses,
  chooseIpv6,
  createInterface,
  disassociate,
  groupsIn,
  removeInterface,
} from './interface-rows.ts'
import { instance } from './machine-resources.ts'
import { freeAddress, takeAddress } from './public-addresses.ts'
import { elasticIp, networkInterface, securityGroup, subnet } from './resources.ts'
import { type Item, newId } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const ADDRESSES_MAX = 5

type InterfaceRow = Item<EC2.NetworkInterface>

/** Interfaces alone show their tags as `TagSet`. */
export const shownInterface = ({ data, tags }: InterfaceRow): EC2.NetworkInterface => {
  const { Attachment } = data
  const at = (Attachment as { readonly attachedAt?: number } | undefined)?.attachedAt
  return {
    ...data,
    ...(Attachment && { Attachment: { ...Attachment, ...(at !== undefined && { AttachTime: new Date(at) }) } }),
    TagSet: listTags(tags),
  }
}

export const createNetworkInterface = op(
  'CreateNetworkInterface',
  [networkInterface.created(), subnet.at('SubnetId'), securityGroup.each('Groups')],
  async (call, input, [{ id, tags }, place]) => {
    const listed = input.PrivateIpAddresses ?? []
    const row = await createInterface(call, {
      id,
      subnet: place.row,
      groups: input.Groups,
      address: input.PrivateIpAddress ?? listed.find(({ Primary }) => Primary)?.PrivateIpAddress,
      secondary: listed.filter(({ Primary }) => !Primary).flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []),
      secondaryCount: input.SecondaryPrivateIpAddressCount,
      ipv6: input.Ipv6Addresses?.flatMap(({ Ipv6Address }) => Ipv6Address ?? []),
      ipv6Count: input.Ipv6AddressCount,
      description: input.Description ?? '',
      tags,
    })
    return { NetworkInterface: { ...shownInterface(row), Status: 'pending' } }
  },
)

export const deleteNetworkInterface = op(
  'DeleteNetworkInterface',
  [networkInterface.at('NetworkInterfaceId')],
  async (call, _input, [{ id, row, data }]) => {
    if (data.Attachment || data.RequesterManaged) {
      throw invalid(`Network interface '${id}' is currently in use.`)
    }
    await removeInterface(call, row)
    return {}
  },
)

export const describeNetworkInterfaces = describe('DescribeNetworkInterfaces', networkInterface, {
  ids: 'NetworkInterfaceIds',
  result: 'NetworkInterfaces',
  show: shownInterface,
  filters: `
    addresses.private-ip-address=PrivateIpAddresses.PrivateIpAddress addresses.primary=PrivateIpAddresses.Primary
    addresses.association.public-ip=PrivateIpAddresses.Association.PublicIp
    addresses.association.owner-id=PrivateIpAddresses.Association.IpOwnerId
    association.allocation-id=Association.AllocationId association.association-id=Association.AssociationId
    association.ip-owner-id=Association.IpOwnerId association.public-ip=Association.PublicIp
    association.public-dns-name=Association.PublicDnsName
    attachment.attachment-id=Attachment.AttachmentId attachment.delete-on-termination=Attachment.DeleteOnTermination
    attachment.device-index=Attachment.DeviceIndex attachment.instance-id=Attachment.InstanceId
    attachment.instance-owner-id=Attachment.InstanceOwnerId attachment.status=Attachment.Status
    availability-zone description group-id=Groups.GroupId group-name=Groups.GroupName interface-type
    ipv6-addresses.ipv6-address=Ipv6Addresses.Ipv6Address mac-address network-interface-id owner-id private-dns-name
    private-ip-address=PrivateIpAddress requester-id requester-managed source-dest-check status subnet-id vpc-id`,
})

export const attachNetworkInterface = op(
  'AttachNetworkInterface',
  [networkInterface.at('NetworkInterfaceId'), instance.at('InstanceId')],
  (call, input, [found, machine]) => {
    if (found.data.Attachment)
      throw fault('InvalidNetworkInterface.InUse', `Network interface '${found.id}' is currently in use.`)
    if (found.data.AvailabilityZone !== machine.data.Placement?.AvailabilityZone) {
      throw invalid('The network interface and the instance are not in the same Availability Zone.')
    }
    const AttachmentId = newId('eni-attach')
    const attachment = {
      AttachmentId,
      DeviceIndex: input.DeviceIndex,
      InstanceId: machine.id,
      InstanceOwnerId: call.account,
      DeleteOnTermination: false,
      Status: 'attached' as const,
      attachedAt: call.now,
    }
    found.set({ Attachment: attachment, Status: 'in-use' })
    machine.set({}, { interfaces: [...machine.row.interfaces, found.id] })
    return { AttachmentId }
  },
)

const attached = networkInterface.by(async ({ AttachmentId }, call) => [
  (await networkInterface.all(call)).find(({ data }) => data.Attachment?.AttachmentId === AttachmentId)?.id,
])

export const detachNetworkInterface = op('DetachNetworkInterface', [attached], async (call, input, [[found]]) => {
  const attachment = found?.data.Attachment
  if (!found || !attachment) {
    throw fault(
      'InvalidAttachmentID.NotFound',
      `An interface attachment with ID '${input.AttachmentId}' does not exist`,
    )
  }
  if (attachment.DeviceIndex === 0 || found.data.RequesterManaged) {
    throw fault(
      'OperationNotPermitted',
      'The network interface at device index 0 and networkCard index 0 cannot be detached.',
    )
  }
  const { Attachment: _, ...data } = found.data
  networkInterface.put(call, { ...found.row, data: { ...data, Status: 'available' } })
  const machine = await instance.get(call, attachment.InstanceId ?? '')
  if (machine) instance.put(call, { ...machine, interfaces: machine.interfaces.filter((id) => id !== found.id) })
  return {}
})

export const describeNetworkInterfaceAttribute = op(
  'DescribeNetworkInterfaceAttribute',
  [networkInterface.at('NetworkInterfaceId')],
  (_call, input, [{ id, row, data }]) => {
    const shown = shownInterface(row)
    switch (need(input.Attribute, 'attribute')) {
      case 'description':
        return { NetworkInterfaceId: id, Description: { Value: data.Description } }
      case 'groupSet':
        return { NetworkInterfaceId: id, Groups: data.Groups }
      case 'sourceDestCheck':
        return { NetworkInterfaceId: id, SourceDestCheck: { Value: data.SourceDestCheck } }
      case 'attachment':
        return { NetworkInterfaceId: id, Attachment: shown.Attachment }
      default:
        return { NetworkInterfaceId: id, AssociatePublicIpAddress: data.Association !== undefined }
    }
  },
)

export const modifyNetworkInterfaceAttribute = op(
  'ModifyNetworkInterfaceAttribute',
  [networkInterface.at('NetworkInterfaceId'), securityGroup.each('Groups')],
  async (call, input, [{ data, set }]) => {
    const { Description, SourceDestCheck, Groups, Attachment } = input
    const groups = Groups && (await groupsIn(call, data.VpcId!, Groups))
    if (groups?.length === 0) throw invalid('A network interface must have at least one security group.')
    if (Attachment && data.Attachment?.AttachmentId !== Attachment.AttachmentId) {
      throw fault(
        'InvalidAttachmentID.NotFound',
        `An interface attachment with ID '${Attachment.AttachmentId}' does not exist`,
      )
    }
    set({
      ...(Description?.Value !== undefined && { Description: Description.Value }),
      ...(SourceDestCheck?.Value !== undefined && { SourceDestCheck: SourceDestCheck.Value }),
      ...(groups && { Groups: groups.map((group) => ({ GroupId: group.id, GroupName: group.data.GroupName })) }),
      ...(Attachment?.DeleteOnTermination !== undefined && {
        Attachment: { ...data.Attachment, DeleteOnTermination: Attachment.DeleteOnTermination },
      }),
    })
    return {}
  },
)

export const resetNetworkInterfaceAttribute = op(
  'ResetNetworkInterfaceAttribute',
  [networkInterface.at('NetworkInterfaceId')],
  (_call, _input, [{ set }]) => {
    set({ SourceDestCheck: true })
    return {}
  },
)

export const assignPrivateIpAddresses = op(
  'AssignPrivateIpAddresses',
  [networkInterface.at('NetworkInterfaceId')],
  async (call, input, [{ id, data, set }]) => {
    if (input.Ipv4Prefixes?.length || input.Ipv4PrefixCount)
      throw fault('NotImplemented', 'Merlon does not implement prefixes of interfaces.')
    const wanted = [
      ...(input.PrivateIpAddresses ?? []),
      ...Array<undefined>(input.SecondaryPrivateIpAddressCount ?? 0).fill(undefined),
    ]
    if (wanted.length === 0) throw missing('privateIpAddress')
    const addresses = await chooseAddresses(call, await subnet.require(call, data.SubnetId!), wanted)
    const added = addresses.map((PrivateIpAddress) => ({ PrivateIpAddress, Primary: false }))
    set({ PrivateIpAddresses: [...(data.PrivateIpAddresses ?? []), ...added] })
    return {
      NetworkInterfaceId: id,
      AssignedPrivateIpAddresses: added.map(({ PrivateIpAddress }) => ({ PrivateIpAddress })),
    }
  },
)

export const unassignPrivateIpAddresses = op(
  'UnassignPrivateIpAddresses',
  [networkInterface.at('NetworkInterfaceId')],
  (_call, input, [{ data, set }]) => {
    const gone = input.PrivateIpAddresses ?? []
    const known = data.PrivateIpAddresses ?? []
    for (const address of gone) {
      const found = known.find(({ PrivateIpAddress }) => PrivateIpAddress === address)
      if (!found)
        throw invalid(`Some of the specified addresses are not assigned to interface ${data.NetworkInterfaceId}`)
      if (found.Primary) throw invalid(`The primary private IP address of an interface cannot be unassigned.`)
      if (found.Association) throw invalid(`Address ${address} has an association. Disassociate it first.`)
    }
    set({ PrivateIpAddresses: known.filter(({ PrivateIpAddress }) => !gone.includes(PrivateIpAddress!)) })
    return {}
  },
)

export const assignIpv6Addresses = op(
  'AssignIpv6Addresses',
  [networkInterface.at('NetworkInterfaceId')],
  async (call, input, [{ id, data, set }]) => {
    const place = await subnet.require(call, data.SubnetId!)
    const added = await chooseIpv6(call, place, input.Ipv6Addresses ?? [], input.Ipv6AddressCount ?? 0)
    if (added.length === 0) throw missing('ipv6Addresses')
    set({ Ipv6Addresses: [...(data.Ipv6Addresses ?? []), ...added.map((Ipv6Address) => ({ Ipv6Address }))] })
    return { NetworkInterfaceId: id, AssignedIpv6Addresses: [...added] }
  },
)

export const unassignIpv6Addresses = op(
  'UnassignIpv6Addresses',
  [networkInterface.at('NetworkInterfaceId')],
  (_call, input, [{ id, data, set }]) => {
    const gone = input.Ipv6Addresses ?? []
    const known = data.Ipv6Addresses ?? []
    if (gone.some((address) => !known.some(({ Ipv6Address }) => Ipv6Address === address))) {
      throw invalid(`Some of the specified addresses are not assigned to interface ${id}`)
    }
    set({ Ipv6Addresses: known.filter(({ Ipv6Address }) => !gone.includes(Ipv6Address!)) })
    return { NetworkInterfaceId: id, UnassignedIpv6Addresses: [...gone] }
  },
)

// ---- Elastic IP addresses

export const allocateAddress = op('AllocateAddress', [elasticIp.created()], async (call, input, [{ id, create }]) => {
  if ((await elasticIp.all(call)).length >= (call.quotas['ec2/ElasticIpsPerRegion'] ?? ADDRESSES_MAX)) {
    throw fault('AddressLimitExceeded', 'The maximum number of addresses has been reached.')
  }
  if (input.Domain === 'standard') throw invalid('Addresses of EC2-Classic no longer exist.')
  if (input.Address !== undefined)
    throw fault('NotImplemented', 'Merlon does not implement addresses that the customer chooses.')
  const PublicIp = await takeAddress(call)
  const shown = {
    PublicIp,
    AllocationId: id,
    PublicIpv4Pool: 'amazon',
    NetworkBorderGroup: call.region,
    Domain: 'vpc' as const,
  }
  create(shown)
  return shown
})

/** By allocation; by the address for requests in the manner of EC2-Classic. */
const addressBehind = elasticIp.behind(async ({ PublicIp, AssociationId }, call) => {
  const rows = await elasticIp.all(call)
  return [
    rows.find(({ data }) =>
      AssociationId === undefined ? data.PublicIp === PublicIp : data.AssociationId === AssociationId,
    )?.id,
  ]
})

const address: typeof addressBehind = {
  find: (call, input) =>
    (input.AllocationId === undefined ? addressBehind : elasticIp.by(() => [input.AllocationId])).find(call, input),
}

const absentAddress = (text: string | undefined) =>
  text === undefined ? missing('allocationId') : fault('InvalidAddress.NotFound', `Address '${text}' not found.`)

export const releaseAddress = op('ReleaseAddress', [address], (call, input, [[found]]) => {
  if (!found) throw absentAddress(input.PublicIp)
  if (found.data.AssociationId !== undefined) {
    throw fault('InvalidIPAddress.InUse', `Address ${found.data.PublicIp} is in use.`)
  }
  freeAddress(call, found.data.PublicIp!)
  found.remove()
  return {}
})

export const describeAddresses = (() => {
  const shown = describe('DescribeAddresses', elasticIp, {
    ids: 'AllocationIds',
    result: 'Addresses',
    filters: `allocation-id association-id instance-id network-border-group network-interface-id
      network-interface-owner-id private-ip-address public-ip domain`,
  })
  // The operation is older than pages; it names addresses by themselves, too.
  return {
    ...shown,
    run: async (call, input, row) => {
      const { PublicIps, ...others } = input
      if (!PublicIps?.length) return shown.run(call, input, row)
      const answer = await shown.run(
        call,
        { ...others, Filters: [...(others.Filters ?? []), { Name: 'public-ip', Values: PublicIps }] },
        row,
      )
      const found = new Set(answer.Addresses.map(({ PublicIp }: EC2.Address) => PublicIp))
      for (const text of PublicIps) if (!found.has(text)) throw absentAddress(text)
      return answer
    },
  } satisfies typeof shown
})()

export const associateAddress = op(
  'AssociateAddress',
  [address, instance.maybe('InstanceId'), networkInterface.maybe('NetworkInterfaceId')],
  async (call, input, [[found], machine, eni]) => {
    if (!found) throw absentAddress(input.PublicIp)
    if (!machine && !eni) throw missing('instanceId or networkInterfaceId')
    const row = eni?.row ?? (await networkInterface.require(call, machine!.row.interfaces[0] ?? ''))
    if (found.data.AssociationId !== undefined) {
      if (found.data.NetworkInterfaceId === row.id) return { AssociationId: found.data.AssociationId }
      if (input.AllowReassociation === false) {
        throw fault(
          'Resource.AlreadyAssociated',
          `resource ${found.id} is already associated with associate-id ${found.data.AssociationId}`,
        )
      }
      await disassociate(call, found.row)
    }
    const current = (await networkInterface.get(call, row.id))!
    const target = input.PrivateIpAddress ?? current.data.PrivateIpAddress!
    const before = current.data.PrivateIpAddresses?.find(
      ({ PrivateIpAddress }) => PrivateIpAddress === target,
    )?.Association
    if (before?.AllocationId !== undefined) {
      if (input.AllowReassociation !== true) {
        throw fault('Resource.AlreadyAssociated', `resource ${current.id} is already associated with an address`)
      }
      await disassociate(call, await elasticIp.require(call, before.AllocationId))
    }
    const free = (await elasticIp.get(call, found.id))!
    const after = associate(call, (await networkInterface.get(call, row.id))!, free, target)
    const association = after.data.PrivateIpAddresses?.find(
      ({ PrivateIpAddress }) => PrivateIpAddress === target,
    )?.Association
    return { AssociationId: association?.AssociationId }
  },
)

export const disassociateAddress = op('DisassociateAddress', [address], async (call, input, [[found]]) => {
  if (!found || found.data.AssociationId === undefined) {
    if (input.AssociationId !== undefined) {
      throw fault('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`)
    }
    throw absentAddress(input.PublicIp)
  }
  await disassociate(call, found.row)
  return {}
})

/** The names of addresses, which nothing here resolves backwards: always without one. */
export const describeAddressesAttribute = op(
  'DescribeAddressesAttribute',
  [elasticIp.each('AllocationIds')],
  async (call, _input, [named]) => {
    const rows = named.length > 0 ? named.map(({ row }) => row) : await elasticIp.all(call)
    return { Addresses: rows.map(({ data }) => ({ PublicIp: data.PublicIp, AllocationId: data.AllocationId })) }
  },
)
