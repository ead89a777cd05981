/** Route tables, their routes and their associations. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { contains, parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { createRouteTable as createTable } from './defaults.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing } from './faults.ts'
import { instance } from './machine-resources.ts'
import {
  egressOnlyGateway,
  internetGateway,
  natGateway,
  networkInterface,
  peering,
  prefixList,
  routeTable,
  subnet,
  vpc,
  vpcEndpoint,
  vpnGateway,
} from './resources.ts'
import { newId } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const ROUTES_MAX = 500
const TABLES_MAX = 200

type Route = EC2.Route

export const createRouteTable = op(
  'CreateRouteTable',
  [routeTable.created(), vpc.at('VpcId')],
  async (call, _input, [{ id, tags }, home]) => {
    const count = (await routeTable.all(call)).filter(({ data }) => data.VpcId === home.id).length
    if (count >= (call.quotas['ec2/RouteTablesPerVpc'] ?? TABLES_MAX)) {
      throw fault('RouteTableLimitExceeded', 'The maximum number of route tables has been reached.')
    }
    const row = createTable(call, { id, vpc: home.row, isMain: false, tags })
    return { RouteTable: routeTable.show(row, call.now) }
  },
)

export const deleteRouteTable = op(
  'DeleteRouteTable',
  [routeTable.at('RouteTableId')],
  async (_call, _input, [{ id, data, remove }]) => {
    if ((data.Associations ?? []).length > 0)
      throw depended(`The routeTable '${id}' has dependencies and cannot be deleted.`)
    remove()
    return {}
  },
)

export const describeRouteTables = describe('DescribeRouteTables', routeTable, {
  ids: 'RouteTableIds',
  result: 'RouteTables',
  filters: `
    association.gateway-id=Associations.GatewayId association.main=Associations.Main
    association.route-table-association-id=Associations.RouteTableAssociationId
    association.route-table-id=Associations.RouteTableId association.subnet-id=Associations.SubnetId owner-id route-table-id
    route.destination-cidr-block=Routes.DestinationCidrBlock
    route.destination-ipv6-cidr-block=Routes.DestinationIpv6CidrBlock
    route.destination-prefix-list-id=Routes.DestinationPrefixListId
    route.egress-only-internet-gateway-id=Routes.EgressOnlyInternetGatewayId route.gateway-id=Routes.GatewayId
    route.instance-id=Routes.InstanceId route.nat-gateway-id=Routes.NatGatewayId
    route.transit-gateway-id=Routes.TransitGatewayId route.network-interface-id=Routes.NetworkInterfaceId
    route.origin=Routes.Origin route.state=Routes.State
    route.vpc-peering-connection-id=Routes.VpcPeeringConnectionId vpc-id`,
})

// ---- Routes

interface RouteInput {
  readonly DestinationCidrBlock?: string | undefined
  readonly DestinationIpv6CidrBlock?: string | undefined
  readonly DestinationPrefixListId?: string | undefined
  readonly GatewayId?: string | undefined
  readonly NatGatewayId?: string | undefined
  readonly NetworkInterfaceId?: string | undefined
  readonly InstanceId?: string | undefined
  readonly VpcPeeringConnectionId?: string | undefined
  readonly EgressOnlyInternetGatewayId?: string | undefined
  readonly VpcEndpointId?: string | undefined
  readonly TransitGatewayId?: string | undefined
  readonly LocalGatewayId?: string | undefined
  readonly CarrierGatewayId?: string | undefined
  readonly CoreNetworkArn?: string | undefined
  readonly OdbNetworkArn?: string | undefined
  readonly LocalTarget?: boolean | undefined
}

type Destination = Pick<Route, 'DestinationCidrBlock' | 'DestinationIpv6CidrBlock' | 'DestinationPrefixListId'>

function destinationOf(input: RouteInput): Destination {
  const { DestinationCidrBlock: v4, DestinationIpv6CidrBlock: v6, DestinationPrefixListId: list } = input
  if ([v4, v6, list].filter((each) => each !== undefined).length !== 1) {
    throw fault(
      'InvalidParameterCombination',
      'Exactly one of destinationCidrBlock, destinationIpv6CidrBlock and destinationPrefixListId must be specified.',
    )
  }
  if (list !== undefined) return { DestinationPrefixListId: list }
  const block = parseBlock(v4 ?? v6 ?? '')
  if (block?.family !== (v4 === undefined ? 6 : 4)) {
    throw invalid(`Value (${v4 ?? v6}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.`)
  }
  return v4 === undefined
    ? { DestinationIpv6CidrBlock: printBlock(block) }
    : { DestinationCidrBlock: printBlock(block) }
}

const destinationText = (route: Destination): string =>
  route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? ''

/** What routes lead to: exactly one. Each exists, and belongs to the VPC. */
async function targetOf(call: Call, input: RouteInput, vpcId: string): Promise<Route> {
  const named = Object.entries({
    GatewayId: input.GatewayId,
    NatGatewayId: input.NatGatewayId,
    NetworkInterfaceId: input.NetworkInterfaceId,
    InstanceId: input.InstanceId,
    VpcPeeringConnectionId: input.VpcPeeringConnectionId,
    EgressOnlyInternetGatewayId: input.EgressOnlyInternetGatewayId,
    VpcEndpointId: input.VpcEndpointId,
    TransitGatewayId: input.TransitGatewayId,
    LocalGatewayId: input.LocalGatewayId,
    CarrierGatewayId: input.CarrierGatewayId,
    CoreNetworkArn: input.CoreNetworkArn,
    OdbNetworkArn: input.OdbNetworkArn,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const [first, ...more] = named
  if (input.LocalTarget && first === undefined) return { GatewayId: 'local' }
  if (!first || more.length > 0) {
    throw fault('InvalidParameterCombination', 'Exactly one target of the route must be specified.')
  }
  const [member, id] = first
  const foreign = (kind: string) => invalid(`route table and ${kind} ${id} belong to different networks`)
  switch (member) {
    case 'GatewayId': {
      if (id === 'local') return { GatewayId: 'local' }
      if (id.startsWith('vgw-')) {
        const gateway = await vpnGateway.require(call, id)
        if (!gateway.data.VpcAttachments?.some(({ VpcId }) => VpcId === vpcId)) throw foreign('network gateway')
        return { GatewayId: id }
      }
      if (id.startsWith('vpce-')) {
        const endpoint = await vpcEndpoint.require(call, id)
        if (endpoint.data.VpcId !== vpcId) throw foreign('VPC endpoint')
        return { GatewayId: id }
      }
      const gateway = await internetGateway.require(call, id)
      if (!gateway.data.Attachments?.some(({ VpcId }) => VpcId === vpcId)) throw foreign('network gateway')
      return { GatewayId: id }
    }
    case 'NatGatewayId': {
      const gateway = await natGateway.require(call, id)
      if (gateway.data.VpcId !== vpcId) throw foreign('NAT gateway')
      return { NatGatewayId: id }
    }
    case 'NetworkInterfaceId': {
      const found = await networkInterface.require(call, id)
      if (found.data.VpcId !== vpcId) throw foreign('interface')
      return {
        NetworkInterfaceId: id,
        ...(found.data.Attachment?.InstanceId !== undefined && { InstanceId: found.data.Attachment.InstanceId }),
      }
    }
    case 'InstanceId': {
      const found = await instance.require(call, id)
      if (found.data.VpcId !== vpcId) throw foreign('instance')
      if (found.interfaces.length !== 1) {
        throw fault(
          'InvalidInstanceID',
          `There are multiple interfaces attached to instance '${id}'. Please specify an interface ID for the operation instead.`,
        )
      }
      return { InstanceId: id, NetworkInterfaceId: found.interfaces[0] }
    }
    case 'VpcPeeringConnectionId': {
      const found = await peering.require(call, id)
      const { RequesterVpcInfo, AccepterVpcInfo } = found.data
      if (RequesterVpcInfo?.VpcId !== vpcId && AccepterVpcInfo?.VpcId !== vpcId) throw foreign('VPC peering connection')
      return { VpcPeeringConnectionId: id }
    }
    case 'EgressOnlyInternetGatewayId': {
      const found = await egressOnlyGateway.require(call, id)
      if (!found.data.Attachments?.some(({ VpcId }) => VpcId === vpcId)) throw foreign('egress-only internet gateway')
      return { EgressOnlyInternetGatewayId: id }
    }
    case 'VpcEndpointId': {
      const found = await vpcEndpoint.require(call, id)
      if (found.data.VpcId !== vpcId) throw foreign('VPC endpoint')
      return { GatewayId: id }
    }
    default:
      throw fault('NotImplemented', `Merlon does not implement routes to ${member}.`)
  }
}

const withinVpc = async (call: Call, vpcId: string, destination: Destination): Promise<string | undefined> => {
  const text = destination.DestinationCidrBlock
  if (text === undefined) return undefined
  const { data } = await vpc.require(call, vpcId)
  const block = parseBlock(text)!
  return data.CidrBlockAssociationSet?.find(({ CidrBlock }) => contains(parseBlock(CidrBlock!)!, block))?.CidrBlock
}

export const createRoute = op('CreateRoute', [routeTable.at('RouteTableId')], async (call, input, [{ data, set }]) => {
  const destination = destinationOf(input)
  const text = destinationText(destination)
  if (destination.DestinationPrefixListId !== undefined)
    await prefixList.require(call, destination.DestinationPrefixListId)
  const target = await targetOf(call, input, data.VpcId!)
  const known = data.Routes ?? []
  if (known.some((route) => destinationText(route) === text)) {
    throw fault('RouteAlreadyExists', `The route identified by ${text} already exists.`)
  }
  if (
    (await withinVpc(call, data.VpcId!, destination)) !== undefined &&
    (target.GatewayId?.startsWith('igw-') || target.VpcPeeringConnectionId)
  ) {
    throw invalid(
      `The destination CIDR block ${text} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.`,
    )
  }
  if (known.length >= (call.quotas['ec2/RoutesPerTable'] ?? ROUTES_MAX)) {
    throw fault('RouteLimitExceeded', 'The maximum number of routes has been reached.')
  }
  set({ Routes: [...known, { ...destination, ...target, Origin: 'CreateRoute', State: 'active' }] })
  return { Return: true }
})

const absentRoute = (text: string, table: string) =>
  fault('InvalidRoute.NotFound', `no route with destination-cidr-block ${text} in route table ${table}`)

export const replaceRoute = op(
  'ReplaceRoute',
  [routeTable.at('RouteTableId')],
  async (call, input, [{ id, data, set }]) => {
    const destination = destinationOf(input)
    const text = destinationText(destination)
    const known = data.Routes ?? []
    const before = known.find((route) => destinationText(route) === text)
    if (!before) {
      throw invalid(`There is no route defined for '${text}' in the route table. Use CreateRoute instead.`)
    }
    const target = await targetOf(call, input, data.VpcId!)
    if (before.Origin === 'EnableVgwRoutePropagation')
      throw invalid(`cannot replace propagated route ${text} in route table ${id}`)
    const Origin = before.Origin ?? 'CreateRoute'
    set({
      Routes: known.map((route) =>
        route === before ? { ...destination, ...target, Origin, State: 'active' as const } : route,
      ),
    })
    return {}
  },
)

export const deleteRoute = op(
  'DeleteRoute',
  [routeTable.at('RouteTableId')],
  async (_call, input, [{ id, data, set }]) => {
    const text = destinationText(destinationOf(input))
    const known = data.Routes ?? []
    const found = known.find((route) => destinationText(route) === text)
    if (!found) throw absentRoute(text, id)
    if (found.GatewayId === 'local' && found.Origin === 'CreateRouteTable') {
      throw invalid(`cannot remove local route ${text} in route table ${id}`)
    }
    set({ Routes: known.filter((route) => route !== found) })
    return {}
  },
)

/** Routes to what is gone stay, and lead nowhere. */
export async function blackholeRoutes(call: Call, target: string): Promise<void> {
  const leadsThere = (route: Route): boolean =>
    [
      route.GatewayId,
      route.NatGatewayId,
      route.NetworkInterfaceId,
      route.VpcPeeringConnectionId,
      route.EgressOnlyInternetGatewayId,
    ].includes(target)
  for (const table of await routeTable.all(call)) {
    const routes = table.data.Routes ?? []
    if (!routes.some(leadsThere)) continue
    const Routes = routes.map((route) => (leadsThere(route) ? { ...route, State: 'blackhole' as const } : route))
    routeTable.put(call, { ...table, data: { ...table.data, Routes } })
  }
}

// ---- Associations

export const associateRouteTable = op(
  'AssociateRouteTable',
  [routeTable.at('RouteTableId'), subnet.maybe('SubnetId'), internetGateway.maybe('GatewayId')],
  async (call, input, [table, place, gateway]) => {
    if (!place && !gateway) throw missing('subnetId or gatewayId')
    const vpcId = place?.data.VpcId ?? gateway?.data.Attachments?.[0]?.VpcId
    if (vpcId !== table.data.VpcId) {
      throw invalid(
        `route table ${table.id} and ${place ? 'subnet' : 'gateway'} ${input.SubnetId ?? input.GatewayId} belong to different networks`,
      )
    }
    const isSame = (each: EC2.RouteTableAssociation) =>
      place ? each.SubnetId === place.id : each.GatewayId === gateway!.id
    for (const other of await routeTable.all(call)) {
      const before = other.data.Associations?.find(isSame)
      if (before && other.id === table.id)
        return { AssociationId: before.RouteTableAssociationId, AssociationState: { State: 'associated' } }
      if (before) {
        throw fault(
          'Resource.AlreadyAssociated',
          `the specified association for route table ${table.id} conflicts with an existing association`,
        )
      }
    }
    const association: EC2.RouteTableAssociation = {
      Main: false,
      RouteTableAssociationId: newId('rtbassoc'),
      RouteTableId: table.id,
      ...(place ? { SubnetId: place.id } : { GatewayId: gateway!.id }),
      AssociationState: { State: 'associated' },
    }
    table.set({ Associations: [...(table.data.Associations ?? []), association] })
    return { AssociationId: association.RouteTableAssociationId, AssociationState: { State: 'associated' } }
  },
)

const holding = routeTable.behind(async ({ AssociationId }, call) => [
  (await routeTable.all(call)).find(({ data }) =>
    data.Associations?.some((each) => each.RouteTableAssociationId === AssociationId),
  )?.id,
])

const absentAssociation = (id: string) =>
  fault('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`)

export const disassociateRouteTable = op('DisassociateRouteTable', [holding], (_call, input, [[table]]) => {
  const known = table?.data.Associations ?? []
  const found = known.find((each) => each.RouteTableAssociationId === input.AssociationId)
  if (!table || !found) throw absentAssociation(input.AssociationId)
  if (found.Main) throw invalid(`cannot disassociate the main route table association ${input.AssociationId}`)
  table.set({ Associations: known.filter((each) => each !== found) })
  return {}
})

export const replaceRouteTableAssociation = op(
  'ReplaceRouteTableAssociation',
  [routeTable.at('RouteTableId'), holding],
  (_call, input, [table, [before]]) => {
    const known = before?.data.Associations ?? []
    const found = known.find((each) => each.RouteTableAssociationId === input.AssociationId)
    if (!before || !found) throw absentAssociation(input.AssociationId)
    if (before.data.VpcId !== table.data.VpcId) {
      throw invalid(`route table ${table.id} and route table ${before.id} belong to different networks`)
    }
    const moved = { ...found, RouteTableAssociationId: newId('rtbassoc'), RouteTableId: table.id }
    before.set({ Associations: known.filter((each) => each !== found) })
    table.set({ Associations: [...(table.data.Associations ?? []).filter((each) => each !== found), moved] })
    return { NewAssociationId: moved.RouteTableAssociationId, AssociationState: { State: 'associated' } }
  },
)

// ---- Propagation from virtual private gateways

export const enableVgwRoutePropagation = op(
  'EnableVgwRoutePropagation',
  [routeTable.at('RouteTableId'), vpnGateway.at('GatewayId')],
  (_call, _input, [table, gateway]) => {
    if (!gateway.data.VpcAttachments?.some(({ VpcId, State }) => VpcId === table.data.VpcId && State === 'attached')) {
      throw fault(
        'Gateway.NotAttached',
        `The gateway ${gateway.id} is not attached to the VPC of route table ${table.id}`,
      )
    }
    const known = (table.data.PropagatingVgws ?? []).filter(({ GatewayId }) => GatewayId !== gateway.id)
    table.set({ PropagatingVgws: [...known, { GatewayId: gateway.id }] })
    return {}
  },
)

export const disableVgwRoutePropagation = op(
  'DisableVgwRoutePropagation',
  [routeTable.at('RouteTableId'), vpnGateway.at('GatewayId')],
  (_call, _input, [table, gateway]) => {
    table.set({
      PropagatingVgws: (table.data.PropagatingVgws ?? []).filter(({ GatewayId }) => GatewayId !== gateway.id),
    })
    return {}
  },
)
