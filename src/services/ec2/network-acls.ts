/** Network ACLs: stateless filters of subnets, whose first matching entry decides. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { parseBlock, printBlock } from '../../engines/network/addresses.ts'
import { createAcl, LAST_RULE } from './defaults.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing } from './faults.ts'
import { networkAcl, subnet, vpc } from './resources.ts'
import { newId } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const ENTRIES_MAX = 20
const ACLS_MAX = 200

export const createNetworkAcl = op(
  'CreateNetworkAcl',
  [networkAcl.created(), vpc.at('VpcId')],
  async (call, input, [{ id, tags }, home]) => {
    const count = (await networkAcl.all(call)).filter(({ data }) => data.VpcId === home.id).length
    if (count >= (call.quotas['ec2/NetworkAclsPerVpc'] ?? ACLS_MAX)) {
      throw fault('NetworkAclLimitExceeded', 'The maximum number of network ACLs has been reached.')
    }
    const hasIpv6 = (home.data.Ipv6CidrBlockAssociationSet ?? []).length > 0
    const row = createAcl(call, { id, vpcId: home.id, isDefault: false, hasIpv6, tags })
    return {
      NetworkAcl: networkAcl.show(row, call.now),
      ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
    }
  },
)

export const deleteNetworkAcl = op(
  'DeleteNetworkAcl',
  [networkAcl.at('NetworkAclId')],
  (_call, _input, [{ id, data, remove }]) => {
    if (data.IsDefault) throw invalid(`cannot delete default network ACL ${id}`)
    if ((data.Associations ?? []).length > 0)
      throw depended(`The networkAcl '${id}' has dependencies and cannot be deleted.`)
    remove()
    return {}
  },
)

export const describeNetworkAcls = describe('DescribeNetworkAcls', networkAcl, {
  ids: 'NetworkAclIds',
  result: 'NetworkAcls',
  filters: `
    association.association-id=Associations.NetworkAclAssociationId association.network-acl-id=Associations.NetworkAclId
    association.subnet-id=Associations.SubnetId default=IsDefault entry.cidr=Entries.CidrBlock
    entry.icmp.code=Entries.IcmpTypeCode.Code entry.icmp.type=Entries.IcmpTypeCode.Type
    entry.ipv6-cidr=Entries.Ipv6CidrBlock entry.port-range.from=Entries.PortRange.From
    entry.port-range.to=Entries.PortRange.To entry.protocol=Entries.Protocol entry.rule-action=Entries.RuleAction
    entry.egress=Entries.Egress entry.rule-number=Entries.RuleNumber network-acl-id owner-id vpc-id`,
})

// ---- Entries

interface EntryInput {
  readonly RuleNumber?: number | undefined
  readonly Protocol?: string | undefined
  readonly RuleAction?: EC2.RuleAction | undefined
  readonly Egress?: boolean | undefined
  readonly CidrBlock?: string | undefined
  readonly Ipv6CidrBlock?: string | undefined
  readonly IcmpTypeCode?: EC2.IcmpTypeCode | undefined
  readonly PortRange?: EC2.PortRange | undefined
}

const NUMBERS: Readonly<Record<string, string>> = { tcp: '6', udp: '17', icmp: '1', icmpv6: '58', all: '-1' }

function entryOf(input: EntryInput): EC2.NetworkAclEntry {
  const { RuleNumber, RuleAction, Egress } = input
  if (RuleNumber === undefined) throw missing('ruleNumber')
  if (RuleNumber < 1 || RuleNumber > 32_766)
    throw invalid(`Value (${RuleNumber}) for parameter ruleNumber is invalid. Rule numbers go from 1 to 32766.`)
  const Protocol = NUMBERS[input.Protocol?.toLowerCase() ?? ''] ?? input.Protocol ?? ''
  if (!/^(-1|\d{1,3})$/.test(Protocol) || Number(Protocol) > 255)
    throw invalid(`Invalid value '${input.Protocol}' for IP protocol. Unknown protocol.`)
  if ((input.CidrBlock === undefined) === (input.Ipv6CidrBlock === undefined)) throw missing('cidrBlock')
  const text = input.CidrBlock ?? input.Ipv6CidrBlock!
  const block = parseBlock(text)
  if (block?.family !== (input.CidrBlock === undefined ? 6 : 4))
    throw invalid(`Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`)
  const hasPorts = Protocol === '6' || Protocol === '17'
  const { From, To } = input.PortRange ?? {}
  if (hasPorts && (From === undefined || To === undefined)) throw missing('portRange')
  if (hasPorts && (From! < 0 || To! > 65_535 || From! > To!))
    throw invalid(`Invalid TCP/UDP port range (${From}:${To})`)
  const isIcmp = Protocol === '1' || Protocol === '58'
  if (isIcmp && input.IcmpTypeCode === undefined) throw missing('icmpTypeCode')
  return {
    RuleNumber,
    Protocol,
    RuleAction,
    Egress,
    ...(input.CidrBlock === undefined ? { Ipv6CidrBlock: printBlock(block) } : { CidrBlock: printBlock(block) }),
    ...(hasPorts && { PortRange: { From, To } }),
    ...(isIcmp && { IcmpTypeCode: input.IcmpTypeCode }),
  }
}

const byNumber = (a: EC2.NetworkAclEntry, b: EC2.NetworkAclEntry): number => a.RuleNumber! - b.RuleNumber!

export const createNetworkAclEntry = op(
  'CreateNetworkAclEntry',
  [networkAcl.at('NetworkAclId')],
  (call, input, [{ id, data, set }]) => {
    const entry = entryOf(input)
    const known = data.Entries ?? []
    const own = known.filter(({ Egress, RuleNumber }) => Egress === entry.Egress && RuleNumber! < LAST_RULE)
    if (own.some(({ RuleNumber }) => RuleNumber === entry.RuleNumber)) {
      throw fault(
        'NetworkAclEntryAlreadyExists',
        `The network acl entry identified by ${entry.RuleNumber} already exists.`,
      )
    }
    if (own.length >= (call.quotas['ec2/EntriesPerNetworkAcl'] ?? ENTRIES_MAX)) {
      throw fault('NetworkAclEntryLimitExceeded', `The network ACL ${id} has as many entries as it may.`)
    }
    set({ Entries: [...known, entry].sort(byNumber) })
    return {}
  },
)

const absentEntry = (number: number | undefined) =>
  fault('InvalidNetworkAclEntry.NotFound', `The specified network ACL entry ${number} does not exist.`)

export const replaceNetworkAclEntry = op(
  'ReplaceNetworkAclEntry',
  [networkAcl.at('NetworkAclId')],
  (_call, input, [{ data, set }]) => {
    const entry = entryOf(input)
    const isIt = (each: EC2.NetworkAclEntry) => each.Egress === entry.Egress && each.RuleNumber === entry.RuleNumber
    if (!data.Entries?.some(isIt)) throw absentEntry(entry.RuleNumber)
    set({ Entries: data.Entries.map((each) => (isIt(each) ? entry : each)) })
    return {}
  },
)

export const deleteNetworkAclEntry = op(
  'DeleteNetworkAclEntry',
  [networkAcl.at('NetworkAclId')],
  (_call, input, [{ data, set }]) => {
    const { RuleNumber, Egress } = input
    const found = data.Entries?.find((each) => each.Egress === Egress && each.RuleNumber === RuleNumber)
    if (!found || RuleNumber >= LAST_RULE) throw absentEntry(RuleNumber)
    set({ Entries: data.Entries!.filter((each) => each !== found) })
    return {}
  },
)

/** A subnet always has one: an association is replaced, never removed. */
export const replaceNetworkAclAssociation = op(
  'ReplaceNetworkAclAssociation',
  [
    networkAcl.at('NetworkAclId'),
    subnet.behind(async ({ AssociationId }, call) => {
      const associations = (await networkAcl.all(call)).flatMap(({ data }) => data.Associations ?? [])
      return [associations.find(({ NetworkAclAssociationId }) => NetworkAclAssociationId === AssociationId)?.SubnetId]
    }),
  ],
  async (call, input, [acl, [place]]) => {
    const before = (await networkAcl.all(call)).find(({ data }) =>
      data.Associations?.some(({ NetworkAclAssociationId }) => NetworkAclAssociationId === input.AssociationId),
    )
    if (!before || !place)
      throw fault('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`)
    if (place.data.VpcId !== acl.data.VpcId) {
      throw invalid(`network ACL ${acl.id} and subnet ${place.id} belong to different networks`)
    }
    const NewAssociationId = newId('aclassoc')
    const kept = (before.data.Associations ?? []).filter(
      ({ NetworkAclAssociationId }) => NetworkAclAssociationId !== input.AssociationId,
    )
    networkAcl.put(call, { ...before, data: { ...before.data, Associations: kept } })
    const association = { NetworkAclAssociationId: NewAssociationId, NetworkAclId: acl.id, SubnetId: place.id }
    const others = before.id === acl.id ? kept : (acl.data.Associations ?? [])
    acl.set({ Associations: [...others, association] })
    return { NewAssociationId }
  },
)
