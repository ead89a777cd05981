/** VPCs: created with their defaults, extended, described and deleted. */

import { randomBytes } from 'node:crypto'
import { type Block, overlaps, parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { createDefaultVpc, createVpcWithDefaults, defaultOptions, ipv6Association } from './defaults.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing, need } from './faults.ts'
import { addIpv6Defaults } from './ipv6-defaults.ts'
import {
  dhcpOptions,
  egressOnlyGateway,
  internetGateway,
  networkAcl,
  networkInterface,
  peering,
  peeringStatus,
  routeTable,
  securityGroup,
  subnet,
  type VpcRow,
  vpc,
  vpcEndpoint,
  vpnGateway,
} from './resources.ts'
import { blackholeRoutes } from './routes.ts'
import { newId } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const VPCS_MAX = 5
const BLOCKS_MAX = 5

export function vpcBlock(text: string): Block {
  const block = parseBlock(text)
  if (block?.family !== 4)
    throw invalid(`Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`)
  if (block.bits < 16 || block.bits > 28) throw fault('InvalidVpc.Range', `The CIDR '${text}' is invalid.`)
  return block
}

/** A /56 in a range of AWS's: which one says nothing. */
export const newIpv6Block = (): string => {
  const bytes = randomBytes(4)
  const group = (at: number) => bytes.readUInt16BE(at).toString(16)
  return printBlock(
    parseBlock(`2600:1f${(bytes[0]! % 90) + 10}:${group(0)}:${(bytes.readUInt16BE(2) & 0xff00).toString(16)}::/56`)!,
  )
}

async function assertRoom(call: Call): Promise<void> {
  if ((await vpc.all(call)).length >= (call.quotas['ec2/VpcsPerRegion'] ?? VPCS_MAX)) {
    throw fault('VpcLimitExceeded', 'The maximum number of VPCs has been reached.')
  }
}

export const createVpc = op('CreateVpc', [vpc.created()], async (call, input, [made]) => {
  const block = vpcBlock(need(input.CidrBlock, 'cidrBlock'))
  if (input.Ipv4IpamPoolId !== undefined || input.Ipv6IpamPoolId !== undefined) throw notBuilt('IPAM pools')
  const { tags } = made
  await assertRoom(call)
  const row = await createVpcWithDefaults(call, {
    id: made.id,
    cidr: printBlock(block),
    isDefault: false,
    tenancy: input.InstanceTenancy ?? 'default',
    tags,
    ipv6: input.AmazonProvidedIpv6CidrBlock ? newIpv6Block() : undefined,
  })
  return { Vpc: { ...vpc.show(row, call.now), State: 'pending' } }
})

export const notBuilt = (what: string) => fault('NotImplemented', `Merlon does not implement ${what}.`)

export const createDefaultVpcOperation = op('CreateDefaultVpc', [vpc.created()], async (call) => {
  const known = (await vpc.all(call)).find(({ data }) => data.IsDefault)
  if (known) {
    throw fault('DefaultVpcAlreadyExists', `A Default VPC already exists for this account in this region.`)
  }
  await assertRoom(call)
  return { Vpc: vpc.show(await createDefaultVpc(call), call.now) }
})

export const deleteVpc = op('DeleteVpc', [vpc.at('VpcId')], async (call, _input, [{ id, remove }]) => {
  const isIn = ({ data }: { readonly data: { readonly VpcId?: string | undefined } }) => data.VpcId === id
  const [subnets, gateways, egressOnly, private_, tables, groups, acls, endpoints, peerings, interfaces] =
    await Promise.all([
      subnet.all(call),
      internetGateway.all(call),
      egressOnlyGateway.all(call),
      vpnGateway.all(call),
      routeTable.all(call),
      securityGroup.all(call),
      networkAcl.all(call),
      vpcEndpoint.all(call),
      peering.all(call),
      networkInterface.all(call),
    ])
  const ownTables = tables.filter(isIn)
  const ownGroups = groups.filter(isIn)
  const ownAcls = acls.filter(isIn)
  const isAttached = ({
    data,
  }: {
    readonly data: { readonly Attachments?: readonly { readonly VpcId?: string | undefined }[] | undefined }
  }) => data.Attachments?.some((each) => each.VpcId === id)
  const isDependedOn =
    subnets.some(isIn) ||
    interfaces.some(isIn) ||
    endpoints.some(isIn) ||
    gateways.some(isAttached) ||
    egressOnly.some(isAttached) ||
    private_.some(({ data }) =>
      data.VpcAttachments?.some(({ VpcId, State }) => VpcId === id && State === 'attached'),
    ) ||
    ownTables.some(({ data }) => !data.Associations?.some(({ Main }) => Main)) ||
    ownGroups.some(({ data }) => data.GroupName !== 'default') ||
    ownAcls.some(({ data }) => !data.IsDefault)
  const isReferenced = groups.some(
    (group) => !isIn(group) && group.rules.some(({ group: other }) => ownGroups.some((own) => own.id === other?.id)),
  )
  if (isDependedOn || isReferenced) throw depended(`The vpc '${id}' has dependencies and cannot be deleted.`)
  for (const each of ownTables) routeTable.delete(call, each.id)
  for (const each of ownGroups) securityGroup.delete(call, each.id)
  for (const each of ownAcls) networkAcl.delete(call, each.id)
  for (const row of peerings) {
    const { RequesterVpcInfo, AccepterVpcInfo } = row.data
    if (RequesterVpcInfo?.VpcId !== id && AccepterVpcInfo?.VpcId !== id) continue
    if (peeringStatus(row, call.now).Code !== 'active') continue
    peering.put(call, {
      ...row,
      endedAt: call.now,
      data: { ...row.data, Status: { Code: 'deleted', Message: 'Deleted' } },
    })
    await blackholeRoutes(call, row.id)
  }
  remove()
  return {}
})

const VPC_FILTERS = `
  cidr=CidrBlock cidr-block=CidrBlock cidrBlock=CidrBlock dhcp-options-id is-default isDefault=IsDefault owner-id state vpc-id
  cidr-block-association.cidr-block=CidrBlockAssociationSet.CidrBlock
  cidr-block-association.association-id=CidrBlockAssociationSet.AssociationId
  cidr-block-association.state=CidrBlockAssociationSet.CidrBlockState.State
  ipv6-cidr-block-association.ipv6-cidr-block=Ipv6CidrBlockAssociationSet.Ipv6CidrBlock
  ipv6-cidr-block-association.association-id=Ipv6CidrBlockAssociationSet.AssociationId
  ipv6-cidr-block-association.state=Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State
  ipv6-cidr-block-association.ipv6-pool=Ipv6CidrBlockAssociationSet.Ipv6Pool`

export const describeVpcs = describe('DescribeVpcs', vpc, { ids: 'VpcIds', result: 'Vpcs', filters: VPC_FILTERS })

const ATTRIBUTES = {
  enableDnsSupport: 'EnableDnsSupport',
  enableDnsHostnames: 'EnableDnsHostnames',
  enableNetworkAddressUsageMetrics: 'EnableNetworkAddressUsageMetrics',
} as const

export const describeVpcAttribute = op('DescribeVpcAttribute', [vpc.at('VpcId')], (_call, input, [{ id, row }]) => {
  const name = need(input.Attribute, 'attribute')
  return { VpcId: id, [ATTRIBUTES[name]]: { Value: row.attributes[name] } }
})

export const modifyVpcAttribute = op('ModifyVpcAttribute', [vpc.at('VpcId')], (_call, input, [{ row, set }]) => {
  const changed = Object.entries(ATTRIBUTES).flatMap(([name, member]) => {
    const value = input[member]?.Value
    return value === undefined ? [] : [[name, value] as const]
  })
  if (changed.length !== 1) {
    throw fault('InvalidParameterCombination', 'Exactly one attribute must be specified.')
  }
  set({}, { attributes: { ...row.attributes, ...Object.fromEntries(changed) } })
  return {}
})

export const modifyVpcTenancy = op('ModifyVpcTenancy', [vpc.at('VpcId')], (_call, _input, [{ set }]) => {
  set({ InstanceTenancy: 'default' })
  return { ReturnValue: true }
})

export const associateVpcCidrBlock = op(
  'AssociateVpcCidrBlock',
  [vpc.at('VpcId')],
  async (call, input, [{ id, row, data, set }]) => {
    if (input.AmazonProvidedIpv6CidrBlock) {
      const association = ipv6Association(call, newIpv6Block())
      set({ Ipv6CidrBlockAssociationSet: [...(data.Ipv6CidrBlockAssociationSet ?? []), association] })
      await changeLocalRoutes(call, row, { add6: association.Ipv6CidrBlock })
      await addIpv6Defaults(call, id)
      return { VpcId: id, Ipv6CidrBlockAssociation: { ...association, Ipv6CidrBlockState: { State: 'associating' } } }
    }
    const block = vpcBlock(need(input.CidrBlock, 'cidrBlock'))
    const known = data.CidrBlockAssociationSet ?? []
    if (known.some(({ CidrBlock }) => overlaps(parseBlock(CidrBlock ?? '')!, block))) {
      throw fault('InvalidVpc.Range', `The CIDR '${input.CidrBlock}' conflicts with another CIDR block of the VPC.`)
    }
    if (known.length >= (call.quotas['ec2/CidrBlocksPerVpc'] ?? BLOCKS_MAX)) {
      throw fault(
        'CidrLimitExceeded',
        `This network '${id}' has met its maximum number of allowed CIDRs: ${BLOCKS_MAX}`,
      )
    }
    const association = {
      AssociationId: newId('vpc-cidr-assoc'),
      CidrBlock: printBlock(block),
      CidrBlockState: { State: 'associated' as const },
    }
    set({ CidrBlockAssociationSet: [...known, association] })
    await changeLocalRoutes(call, row, { add: association.CidrBlock })
    return { VpcId: id, CidrBlockAssociation: { ...association, CidrBlockState: { State: 'associating' } } }
  },
)

/** The local route of each block is in every table of the VPC. */
async function changeLocalRoutes(
  call: Call,
  { id }: VpcRow,
  { add, add6, remove }: { readonly add?: string; readonly add6?: string; readonly remove?: string | undefined },
): Promise<void> {
  const local = { GatewayId: 'local', Origin: 'CreateRouteTable' as const, State: 'active' as const }
  for (const table of await routeTable.all(call)) {
    if (table.data.VpcId !== id) continue
    const kept = (table.data.Routes ?? []).filter(
      (route) =>
        remove === undefined ||
        route.GatewayId !== 'local' ||
        (route.DestinationCidrBlock !== remove && route.DestinationIpv6CidrBlock !== remove),
    )
    const added =
      add !== undefined
        ? [{ DestinationCidrBlock: add, ...local }]
        : add6 !== undefined
          ? [{ DestinationIpv6CidrBlock: add6, ...local }]
          : []
    routeTable.put(call, { ...table, data: { ...table.data, Routes: [...kept, ...added] } })
  }
}

export const disassociateVpcCidrBlock = op(
  'DisassociateVpcCidrBlock',
  [
    vpc.behind(async ({ AssociationId }, call) => {
      const rows = await vpc.all(call)
      return [rows.find((row) => associationOf(row, AssociationId))?.id]
    }),
  ],
  async (call, input, [[found]]) => {
    const association = found && associationOf(found.row, input.AssociationId)
    if (!found || !association) {
      throw fault(
        'InvalidVpcCidrBlockAssociationIdError.NotFound',
        `The vpc CIDR block association ID '${input.AssociationId}' does not exist`,
      )
    }
    const { row, data, id, set } = found
    const text =
      'CidrBlock' in association ? association.CidrBlock : (association as { Ipv6CidrBlock?: string }).Ipv6CidrBlock
    if (text === data.CidrBlock) {
      throw fault(
        'OperationNotPermitted',
        `The vpc CIDR block with association ID ${input.AssociationId} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`,
      )
    }
    const block = parseBlock(text ?? '')!
    const isUsed = (await subnet.all(call)).some(
      (each) =>
        each.data.VpcId === id &&
        [
          each.data.CidrBlock,
          ...(each.data.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => Ipv6CidrBlock),
        ].some((cidr) => {
          const own = cidr === undefined ? undefined : parseBlock(cidr)
          return own !== undefined && overlaps(own, block)
        }),
    )
    if (isUsed)
      throw fault(
        'InvalidCidrBlock.InUse',
        `The vpc CIDR block with association ID ${input.AssociationId} has subnets in it`,
      )
    await changeLocalRoutes(call, row, { remove: text })
    const other = <A extends { AssociationId?: string | undefined }>(each: A) =>
      each.AssociationId !== input.AssociationId
    set({
      CidrBlockAssociationSet: (data.CidrBlockAssociationSet ?? []).filter(other),
      Ipv6CidrBlockAssociationSet: (data.Ipv6CidrBlockAssociationSet ?? []).filter(other),
    })
    return 'CidrBlock' in association
      ? { VpcId: id, CidrBlockAssociation: { ...association, CidrBlockState: { State: 'disassociating' } } }
      : { VpcId: id, Ipv6CidrBlockAssociation: { ...association, Ipv6CidrBlockState: { State: 'disassociating' } } }
  },
)

const associationOf = ({ data }: VpcRow, id: string) =>
  data.CidrBlockAssociationSet?.find(({ AssociationId }) => AssociationId === id) ??
  data.Ipv6CidrBlockAssociationSet?.find(({ AssociationId }) => AssociationId === id)

// ---- DHCP options

const KEYS = [
  'domain-name',
  'domain-name-servers',
  'ntp-servers',
  'netbios-name-servers',
  'netbios-node-type',
  'ipv6-address-preferred-lease-time',
]

export const createDhcpOptions = op('CreateDhcpOptions', [dhcpOptions.created()], (call, input, [{ id, create }]) => {
  const DhcpConfigurations = (input.DhcpConfigurations ?? []).map(({ Key, Values = [] }) => {
    if (Key === undefined || !KEYS.includes(Key)) {
      throw invalid(`Value (${Key}) for parameter name is invalid. Unknown DHCP option`)
    }
    if (Values.length === 0) throw invalid(`DHCP option ${Key} has no values.`)
    return { Key, Values: Values.map((Value) => ({ Value })) }
  })
  if (DhcpConfigurations.length === 0) throw missing('dhcpConfiguration')
  const row = create({ DhcpOptionsId: id, OwnerId: call.account, DhcpConfigurations })
  return { DhcpOptions: dhcpOptions.show(row, call.now) }
})

export const deleteDhcpOptions = op(
  'DeleteDhcpOptions',
  [dhcpOptions.at('DhcpOptionsId')],
  async (call, _input, [{ id, remove }]) => {
    if ((await vpc.all(call)).some(({ data }) => data.DhcpOptionsId === id)) {
      throw depended(`The dhcpOptions '${id}' has dependencies and cannot be deleted.`)
    }
    remove()
    return {}
  },
)

export const describeDhcpOptions = describe('DescribeDhcpOptions', dhcpOptions, {
  ids: 'DhcpOptionsIds',
  result: 'DhcpOptions',
  filters: 'dhcp-options-id key=DhcpConfigurations.Key value=DhcpConfigurations.Values.Value owner-id',
})

export const associateDhcpOptions = op(
  'AssociateDhcpOptions',
  [
    vpc.at('VpcId'),
    dhcpOptions.by(async ({ DhcpOptionsId }, call) => [
      DhcpOptionsId === 'default' ? await defaultOptions(call) : DhcpOptionsId,
    ]),
  ],
  (_call, _input, [{ set }, [options]]) => {
    set({ DhcpOptionsId: options!.id })
    return {}
  },
)
