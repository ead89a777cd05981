/** Gateways: to the internet, for IPv6 outwards, NAT, and private ones. */

import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing, need } from './faults.ts'
import { createInterface, removeInterface } from './interface-rows.ts'
import { dependedOn } from './public-addresses.ts'
import {
  customerGateway,
  egressOnlyGateway,
  elasticIp,
  internetGateway,
  natGateway,
  networkInterface,
  subnet,
  vpc,
  vpnGateway,
} from './resources.ts'
import { blackholeRoutes } from './routes.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const GATEWAYS_MAX = 5
const NAT_GATEWAYS_MAX = 5

// ---- Internet gateways

export const createInternetGateway = op(
  'CreateInternetGateway',
  [internetGateway.created()],
  async (call, _input, [{ id, create }]) => {
    if ((await internetGateway.all(call)).length >= (call.quotas['ec2/InternetGatewaysPerRegion'] ?? GATEWAYS_MAX)) {
      throw fault('InternetGatewayLimitExceeded', 'The maximum number of internet gateways has been reached.')
    }
    const row = create({ InternetGatewayId: id, OwnerId: call.account, Attachments: [] })
    return { InternetGateway: internetGateway.show(row, call.now) }
  },
)

export const attachInternetGateway = op(
  'AttachInternetGateway',
  [internetGateway.at('InternetGatewayId'), vpc.at('VpcId')],
  async (call, _input, [gateway, home]) => {
    const [attached] = gateway.data.Attachments ?? []
    if (attached) {
      throw fault(
        'Resource.AlreadyAssociated',
        `resource ${gateway.id} is already attached to network ${attached.VpcId}`,
      )
    }
    const other = (await internetGateway.all(call)).find(({ data }) =>
      data.Attachments?.some(({ VpcId }) => VpcId === home.id),
    )
    if (other) {
      throw invalid(`Network ${home.id} already has an internet gateway attached`)
    }
    gateway.set({ Attachments: [{ State: 'available' as never, VpcId: home.id }] })
    return {}
  },
)

export const detachInternetGateway = op(
  'DetachInternetGateway',
  [internetGateway.at('InternetGatewayId'), vpc.at('VpcId')],
  async (call, _input, [gateway, home]) => {
    if (!gateway.data.Attachments?.some(({ VpcId }) => VpcId === home.id)) {
      throw fault('Gateway.NotAttached', `resource ${gateway.id} is not attached to network ${home.id}`)
    }
    if (await dependedOn(call, home.id)) {
      throw depended(
        `Network ${home.id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
      )
    }
    gateway.set({ Attachments: [] })
    await blackholeRoutes(call, gateway.id)
    return {}
  },
)

export const deleteInternetGateway = op(
  'DeleteInternetGateway',
  [internetGateway.at('InternetGatewayId')],
  async (call, _input, [{ id, data, remove }]) => {
    if ((data.Attachments ?? []).length > 0) {
      throw depended(`The internetGateway '${id}' has dependencies and cannot be deleted.`)
    }
    await blackholeRoutes(call, id)
    remove()
    return {}
  },
)

export const describeInternetGateways = describe('DescribeInternetGateways', internetGateway, {
  ids: 'InternetGatewayIds',
  result: 'InternetGateways',
  filters: 'attachment.state=Attachments.State attachment.vpc-id=Attachments.VpcId internet-gateway-id owner-id',
})

export const createEgressOnlyInternetGateway = op(
  'CreateEgressOnlyInternetGateway',
  [egressOnlyGateway.created(), vpc.at('VpcId')],
  (call, input, [{ id, create }, home]) => {
    const row = create({ EgressOnlyInternetGatewayId: id, Attachments: [{ State: 'attached', VpcId: home.id }] })
    return {
      EgressOnlyInternetGateway: egressOnlyGateway.show(row, call.now),
      ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
    }
  },
)

export const deleteEgressOnlyInternetGateway = op(
  'DeleteEgressOnlyInternetGateway',
  [egressOnlyGateway.at('EgressOnlyInternetGatewayId')],
  async (call, _input, [{ id, remove }]) => {
    await blackholeRoutes(call, id)
    remove()
    return { ReturnCode: true }
  },
)

export const describeEgressOnlyInternetGateways = describe('DescribeEgressOnlyInternetGateways', egressOnlyGateway, {
  ids: 'EgressOnlyInternetGatewayIds',
  result: 'EgressOnlyInternetGateways',
  filters: '',
})

// ---- NAT gateways

export const createNatGateway = op(
  'CreateNatGateway',
  [natGateway.created(), subnet.maybe('SubnetId'), elasticIp.maybe('AllocationId')],
  async (call, input, [{ id, create }, place, address]) => {
    if (!place) {
      if (input.VpcId !== undefined) throw fault('NotImplemented', 'Merlon does not implement regional NAT gateways.')
      throw missing('subnetId')
    }
    const connectivity = input.ConnectivityType ?? 'public'
    if (connectivity === 'public' && !address) throw missing('allocationId')
    if (connectivity === 'private' && address) throw invalid('AllocationId is not supported for private NAT gateways.')
    if (address?.data.AssociationId !== undefined) {
      throw fault('Resource.AlreadyAssociated', `Elastic IP address [${address.id}] is already associated`)
    }
    const inZone = (await natGateway.all(call)).filter(
      (row) => row.deletedAt === undefined && row.data.SubnetId === place.id,
    )
    if (inZone.length >= (call.quotas['ec2/NatGatewaysPerZone'] ?? NAT_GATEWAYS_MAX)) {
      throw fault(
        'NatGatewayLimitExceeded',
        'The maximum number of NAT gateways in this Availability Zone has been reached.',
      )
    }
    const eni = await createInterface(call, {
      subnet: place.row,
      groups: [],
      address: input.PrivateIpAddress,
      description: `Interface for NAT Gateway ${id}`,
      type: 'nat_gateway' as never,
      requester: 'amazon-aws',
      elasticIp: address?.row,
    })
    const row = create({
      NatGatewayId: id,
      SubnetId: place.id,
      VpcId: place.data.VpcId,
      ConnectivityType: connectivity,
      NatGatewayAddresses: [
        {
          NetworkInterfaceId: eni.id,
          PrivateIp: eni.data.PrivateIpAddress,
          IsPrimary: true,
          Status: 'succeeded',
          ...(address && {
            AllocationId: address.id,
            PublicIp: address.data.PublicIp,
            AssociationId: eni.data.Association?.AssociationId,
          }),
        },
      ],
    })
    return {
      NatGateway: natGateway.show(row, call.now),
      ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
    }
  },
)

export const deleteNatGateway = op(
  'DeleteNatGateway',
  [natGateway.at('NatGatewayId')],
  async (call, _input, [{ id, row, data, set }]) => {
    if (row.deletedAt !== undefined) return { NatGatewayId: id }
    for (const { NetworkInterfaceId } of data.NatGatewayAddresses ?? []) {
      const eni = await networkInterface.get(call, NetworkInterfaceId ?? '')
      if (eni) await removeInterface(call, eni)
    }
    await blackholeRoutes(call, id)
    set({}, { deletedAt: call.now })
    return { NatGatewayId: id }
  },
)

export const describeNatGateways = describe('DescribeNatGateways', natGateway, {
  ids: 'NatGatewayIds',
  result: 'NatGateways',
  filterMember: 'Filter',
  filters: 'nat-gateway-id state subnet-id vpc-id',
})

// ---- Virtual private gateways and customer gateways: records, without VPN connections

export const createVpnGateway = op('CreateVpnGateway', [vpnGateway.created()], (call, input, [{ id, create }]) => {
  need(input.Type, 'type')
  const row = create({
    VpnGatewayId: id,
    State: 'available',
    Type: input.Type,
    VpcAttachments: [],
    AmazonSideAsn: input.AmazonSideAsn ?? 64_512,
    ...(input.AvailabilityZone !== undefined && { AvailabilityZone: input.AvailabilityZone }),
  })
  return { VpnGateway: vpnGateway.show(row, call.now) }
})

export const attachVpnGateway = op(
  'AttachVpnGateway',
  [vpnGateway.at('VpnGatewayId'), vpc.at('VpcId')],
  async (call, _input, [gateway, home]) => {
    const isAttached = ({ State }: { readonly State?: string | undefined }) => State === 'attached'
    const taken = (await vpnGateway.all(call)).some(({ id, data }) =>
      data.VpcAttachments?.some((each) => isAttached(each) && (each.VpcId === home.id || id === gateway.id)),
    )
    if (taken)
      throw fault(
        'InvalidVpnGatewayAttachment.AlreadyExists',
        `The gateway or the VPC ${home.id} has an attachment already.`,
      )
    const VpcAttachment = { State: 'attached' as const, VpcId: home.id }
    gateway.set({ VpcAttachments: [VpcAttachment] })
    return { VpcAttachment: { ...VpcAttachment, State: 'attaching' } }
  },
)

export const detachVpnGateway = op(
  'DetachVpnGateway',
  [vpnGateway.at('VpnGatewayId'), vpc.at('VpcId')],
  async (call, _input, [gateway, home]) => {
    const before = gateway.data.VpcAttachments?.find(({ VpcId, State }) => VpcId === home.id && State === 'attached')
    if (!before) {
      throw fault(
        'InvalidVpnGatewayAttachment.NotFound',
        `The attachment with vpn gateway ID '${gateway.id}' and vpc ID '${home.id}' does not exist`,
      )
    }
    gateway.set({ VpcAttachments: [{ ...before, State: 'detached' }] })
    await blackholeRoutes(call, gateway.id)
    return {}
  },
)

export const deleteVpnGateway = op(
  'DeleteVpnGateway',
  [vpnGateway.at('VpnGatewayId')],
  (_call, _input, [{ data, remove }]) => {
    if (data.VpcAttachments?.some(({ State }) => State === 'attached')) {
      throw fault('IncorrectState', 'The vpnGateway has VPC attachments. Please detach all VPCs before deleting.')
    }
    remove()
    return {}
  },
)

export const describeVpnGateways = describe('DescribeVpnGateways', vpnGateway, {
  ids: 'VpnGatewayIds',
  result: 'VpnGateways',
  filters: `amazon-side-asn=AmazonSideAsn attachment.state=VpcAttachments.State attachment.vpc-id=VpcAttachments.VpcId
    availability-zone state type vpn-gateway-id`,
})

export const createCustomerGateway = op(
  'CreateCustomerGateway',
  [customerGateway.created()],
  (call, input, [{ id, create }]) => {
    const row = create({
      CustomerGatewayId: id,
      State: 'available',
      Type: input.Type,
      BgpAsn: String(input.BgpAsn ?? input.BgpAsnExtended ?? 65_000),
      IpAddress: need(input.IpAddress ?? input.PublicIp, 'ipAddress'),
      ...(input.DeviceName !== undefined && { DeviceName: input.DeviceName }),
    })
    return { CustomerGateway: customerGateway.show(row, call.now) }
  },
)

export const deleteCustomerGateway = op(
  'DeleteCustomerGateway',
  [customerGateway.at('CustomerGatewayId')],
  (_call, _input, [{ remove }]) => {
    remove()
    return {}
  },
)

export const describeCustomerGateways = describe('DescribeCustomerGateways', customerGateway, {
  ids: 'CustomerGatewayIds',
  result: 'CustomerGateways',
  filters: 'bgp-asn=BgpAsn customer-gateway-id ip-address=IpAddress state type',
})
