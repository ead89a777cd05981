/** What other services read of a network: they place resources in its subnets. */
import type { NetworkPort } from '../../kernel/ports/network.ts'
import { instance, instanceState } from './machine-resources.ts'
import { placeManagedInterfaces } from './managed-interfaces.ts'
import { networkInterface, securityGroup, subnet, vpc } from './resources.ts'

export const networkPort = (now: () => number): NetworkPort => ({
  vpc: async (reader, place, id) => {
    const row = await vpc.type.get(reader, place, { VpcId: id })
    return row && { cidrs: (row.data.CidrBlockAssociationSet ?? []).flatMap(({ CidrBlock }) => CidrBlock ?? []) }
  },
  subnet: async (reader, place, id) => {
    const data = (await subnet.type.get(reader, place, { SubnetId: id }))?.data
    return data && { id, vpcId: data.VpcId ?? '', zone: data.AvailabilityZone ?? '', cidr: data.CidrBlock ?? '' }
  },
  securityGroup: async (reader, place, id) => {
    const data = (await securityGroup.type.get(reader, place, { SecurityGroupId: id }))?.data
    return data && { vpcId: data.VpcId ?? '' }
  },
  defaultSecurityGroup: async (reader, place, vpcId) => {
    const rows = await securityGroup.type.list(reader, place)
    return rows.find(({ document: { data } }) => data.VpcId === vpcId && data.GroupName === 'default')?.document.id
  },
  placeInterfaces: placeManagedInterfaces,
  interfaces: async (reader, place) =>
    (await networkInterface.type.list(reader, place)).map(({ document: { data } }) => ({
      vpcId: data.VpcId ?? '',
      instanceId: data.Attachment?.InstanceId ?? '',
      addresses: [
        ...(data.PrivateIpAddresses ?? []).flatMap((each) => [each.PrivateIpAddress, each.Association?.PublicIp]),
        ...(data.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address),
      ].filter((address) => address !== undefined),
    })),
  machines: async (reader, place) => {
    const addresses = new Map(
      (await networkInterface.type.list(reader, place)).map(({ document: { id, data } }) => [
        id,
        (data.PrivateIpAddresses ?? []).flatMap(({ PrivateIpAddress, Association }) =>
          [PrivateIpAddress, Association?.PublicIp].filter((address) => address !== undefined),
        ),
      ]),
    )
    return (await instance.type.list(reader, place))
      .map(({ document }) => document)
      .filter(({ goal }) => goal !== 'terminated')
      .map(({ id, interfaces }) => ({
        instanceId: id,
        account: place.account,
        interfaceIds: interfaces,
        addresses: interfaces.flatMap((eni) => addresses.get(eni) ?? []),
      }))
  },
  machine: async (reader, place, id) => {
    const row = await instance.type.get(reader, place, { InstanceId: id })
    if (!row) return undefined
    const { VpcId = '', PrivateIpAddress = '', Placement } = row.data
    const isRunning = instanceState(row, now()) === 'running'
    return { vpcId: VpcId, address: PrivateIpAddress, zone: Placement?.AvailabilityZone ?? '', isRunning }
  },
})
