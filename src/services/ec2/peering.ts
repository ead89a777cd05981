/**
 * Peering of VPCs, within an account or across two: each side has a row of its own, and what happens to one happens to
 * the other in the same transaction.
 */
import type * as EC2 from '@aws-sdk/client-ec2'
import { overlaps, parseBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, need } from './faults.ts'
import { type PeeringRow, peering, peeringStatus, routeTable, type VpcRow, vpc } from './resources.ts'
import { blackholeRoutes } from './routes.ts'

/** Writes both sides. Tags are each side's own. */
async function save(call: Call, row: PeeringRow): Promise<PeeringRow> {
  const accounts = new Set([row.data.RequesterVpcInfo!.OwnerId!, row.data.AccepterVpcInfo!.OwnerId!])
  for (const account of accounts) {
    const place = { account, region: call.region }
    const identity = { VpcPeeringConnectionId: row.id }
    const before: PeeringRow | undefined = await peering.type.get(call.unit, place, identity)
    const { tags: _, ...shared } = row
    const tags = account === call.account ? row.tags : before?.tags
    call.unit.put(peering.type.key(place, identity), { ...shared, account, ...(tags && { tags }) })
  }
  return row
}

const infoOf = ({ data }: VpcRow, call: Call): EC2.VpcPeeringConnectionVpcInfo => ({
  VpcId: data.VpcId,
  OwnerId: data.OwnerId,
  Region: call.region,
  CidrBlock: data.CidrBlock,
  CidrBlockSet: (data.CidrBlockAssociationSet ?? []).map(({ CidrBlock }) => ({ CidrBlock })),
  Ipv6CidrBlockSet: (data.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => ({ Ipv6CidrBlock })),
  PeeringOptions: {
    AllowDnsResolutionFromRemoteVpc: false,
    AllowEgressFromLocalClassicLinkToRemoteVpc: false,
    AllowEgressFromLocalVpcToRemoteClassicLink: false,
  },
})

const vpcOf = (call: Call, account: string, id: string): Promise<VpcRow | undefined> =>
  vpc.type.get(call.unit, { account, region: call.region }, { VpcId: id })

export const createVpcPeeringConnection = op(
  'CreateVpcPeeringConnection',
  [peering.created(), vpc.at('VpcId')],
  async (call, input, [made, home]) => {
    const peerId = need(input.PeerVpcId, 'peerVpcId')
    const owner = input.PeerOwnerId ?? call.account
    if (input.PeerRegion !== undefined && input.PeerRegion !== call.region) {
      throw fault('NotImplemented', 'Merlon does not implement peering across Regions.')
    }
    if (peerId === home.id && owner === call.account)
      throw fault('InvalidParameterValue', 'A VPC cannot be peered with itself.')
    const peer = await vpcOf(call, owner, peerId)
    // As AWS: a wrong guess makes a connection that fails, and says nothing about another account.
    const isOverlapping =
      peer !== undefined &&
      (home.data.CidrBlockAssociationSet ?? []).some(({ CidrBlock: own }) =>
        (peer.data.CidrBlockAssociationSet ?? []).some(({ CidrBlock: other }) =>
          overlaps(parseBlock(own!)!, parseBlock(other!)!),
        ),
      )
    if (!peer && owner === call.account) throw fault('InvalidVpcID.NotFound', vpc.spec.absent(peerId))
    const isFailed = !peer || isOverlapping
    const row: PeeringRow = {
      id: made.id,
      account: call.account,
      createdAt: call.now,
      tags: made.tags,
      ...(isFailed && { endedAt: call.now }),
      data: {
        VpcPeeringConnectionId: made.id,
        RequesterVpcInfo: infoOf(home.row, call),
        AccepterVpcInfo: { VpcId: peerId, OwnerId: owner, Region: call.region },
        Status: isFailed
          ? { Code: 'failed', Message: 'Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range' }
          : { Code: 'pending-acceptance', Message: `Pending Acceptance by ${owner}` },
      },
    }
    if (isFailed) peering.put(call, row)
    else await save(call, row)
    call.event.resources = call.event.resources.map((each) =>
      each.arn.endsWith('/*') ? { ...each, arn: made.arn } : each,
    )
    const shown = peering.show(row, call.now)
    return {
      VpcPeeringConnection: isFailed
        ? shown
        : { ...shown, Status: { Code: 'initiating-request', Message: `Initiating Request to ${owner}` } },
    }
  },
)

const wrongState = (row: PeeringRow, call: Call, verb: string) =>
  fault(
    'InvalidStateTransition',
    `VPC peering connection ${row.id} cannot be ${verb}: its state is ${peeringStatus(row, call.now).Code}.`,
  )

export const acceptVpcPeeringConnection = op(
  'AcceptVpcPeeringConnection',
  [peering.at('VpcPeeringConnectionId')],
  async (call, _input, [{ id, row }]) => {
    const { AccepterVpcInfo, RequesterVpcInfo } = row.data
    if (AccepterVpcInfo?.OwnerId !== call.account) {
      throw fault('OperationNotPermitted', `User ${call.account} cannot accept peering ${id}`)
    }
    if (peeringStatus(row, call.now).Code !== 'pending-acceptance') throw wrongState(row, call, 'accepted')
    const own = await vpc.require(call, AccepterVpcInfo.VpcId!)
    const requester = await vpcOf(call, RequesterVpcInfo!.OwnerId!, RequesterVpcInfo!.VpcId!)
    if (!requester) throw wrongState(row, call, 'accepted')
    const accepted = await save(call, {
      ...row,
      data: {
        ...row.data,
        RequesterVpcInfo: infoOf(requester, call),
        AccepterVpcInfo: infoOf(own, call),
        Status: { Code: 'active', Message: 'Active' },
      },
    })
    return {
      VpcPeeringConnection: {
        ...peering.show(accepted, call.now),
        Status: { Code: 'provisioning', Message: 'Provisioning' },
      },
    }
  },
)

async function end(call: Call, row: PeeringRow, Status: EC2.VpcPeeringConnectionStateReason): Promise<void> {
  await save(call, { ...row, endedAt: call.now, data: { ...row.data, Status } })
}

export const rejectVpcPeeringConnection = op(
  'RejectVpcPeeringConnection',
  [peering.at('VpcPeeringConnectionId')],
  async (call, _input, [{ id, row }]) => {
    if (row.data.AccepterVpcInfo?.OwnerId !== call.account)
      throw fault('OperationNotPermitted', `User ${call.account} cannot reject peering ${id}`)
    if (peeringStatus(row, call.now).Code !== 'pending-acceptance') throw wrongState(row, call, 'rejected')
    await end(call, row, { Code: 'rejected', Message: 'Inactive' })
    return { Return: true }
  },
)

export const deleteVpcPeeringConnection = op(
  'DeleteVpcPeeringConnection',
  [peering.at('VpcPeeringConnectionId')],
  async (call, _input, [{ id, row }]) => {
    const { Code } = peeringStatus(row, call.now)
    if (Code === 'deleted') return { Return: true }
    if (Code !== 'active' && Code !== 'pending-acceptance') throw wrongState(row, call, 'deleted')
    await end(call, row, { Code: 'deleted', Message: `Deleted by ${call.account}` })
    await blackholeRoutes(call, id)
    await blackholeOther(call, row)
    return { Return: true }
  },
)

/** In the tables of the other account. */
async function blackholeOther(call: Call, row: PeeringRow): Promise<void> {
  const { RequesterVpcInfo, AccepterVpcInfo } = row.data
  const other = [RequesterVpcInfo?.OwnerId, AccepterVpcInfo?.OwnerId].find((owner) => owner !== call.account)
  if (other === undefined) return
  for (const { key, document } of await routeTable.type.list(call.unit, { account: other, region: call.region })) {
    const routes = document.data.Routes ?? []
    if (!routes.some(({ VpcPeeringConnectionId }) => VpcPeeringConnectionId === row.id)) continue
    const Routes = routes.map((route) =>
      route.VpcPeeringConnectionId === row.id ? { ...route, State: 'blackhole' as const } : route,
    )
    call.unit.put(key, { ...document, data: { ...document.data, Routes } })
  }
}

export const modifyVpcPeeringConnectionOptions = op(
  'ModifyVpcPeeringConnectionOptions',
  [peering.at('VpcPeeringConnectionId')],
  async (call, input, [{ row }]) => {
    if (peeringStatus(row, call.now).Code !== 'active') throw wrongState(row, call, 'modified')
    const { RequesterVpcInfo, AccepterVpcInfo } = row.data
    const changed = (
      info: EC2.VpcPeeringConnectionVpcInfo | undefined,
      options: EC2.PeeringConnectionOptionsRequest | undefined,
    ) => {
      if (!options) return info
      if (info?.OwnerId !== call.account)
        throw fault('OperationNotPermitted', 'The options of the other account cannot be modified.')
      return { ...info, PeeringOptions: { ...info?.PeeringOptions, ...options } }
    }
    const after = await save(call, {
      ...row,
      data: {
        ...row.data,
        RequesterVpcInfo: changed(RequesterVpcInfo, input.RequesterPeeringConnectionOptions),
        AccepterVpcInfo: changed(AccepterVpcInfo, input.AccepterPeeringConnectionOptions),
      },
    })
    return {
      ...(input.RequesterPeeringConnectionOptions && {
        RequesterPeeringConnectionOptions: after.data.RequesterVpcInfo?.PeeringOptions,
      }),
      ...(input.AccepterPeeringConnectionOptions && {
        AccepterPeeringConnectionOptions: after.data.AccepterVpcInfo?.PeeringOptions,
      }),
    }
  },
)

export const describeVpcPeeringConnections = describe('DescribeVpcPeeringConnections', peering, {
  ids: 'VpcPeeringConnectionIds',
  result: 'VpcPeeringConnections',
  filters: `accepter-vpc-info.cidr-block=AccepterVpcInfo.CidrBlock accepter-vpc-info.owner-id=AccepterVpcInfo.OwnerId
    accepter-vpc-info.vpc-id=AccepterVpcInfo.VpcId requester-vpc-info.cidr-block=RequesterVpcInfo.CidrBlock
    requester-vpc-info.owner-id=RequesterVpcInfo.OwnerId requester-vpc-info.vpc-id=RequesterVpcInfo.VpcId
    status-code=Status.Code status-message=Status.Message vpc-peering-connection-id expiration-time`,
})
