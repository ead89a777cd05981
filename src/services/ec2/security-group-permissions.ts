/** Permissions of security groups, as requests and answers have them, and the rules that they are stored as. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { fault, invalid, missing, need } from './faults.ts'
import { peering, prefixList, type SecurityGroupRow, type SecurityRule, securityGroup } from './resources.ts'

const PROTOCOLS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp', '58': 'icmpv6' }
const NAMED = new Set(Object.values(PROTOCOLS))

function protocolOf(text: string | undefined): string {
  const given = need(text, 'ipProtocol').toLowerCase()
  if (given === 'all') return '-1'
  const name = PROTOCOLS[given] ?? given
  if (name === '-1' || NAMED.has(name)) return name
  if (!/^\d{1,3}$/.test(name) || Number(name) > 255)
    throw invalid(`Invalid value '${text}' for IP protocol. Unknown protocol.`)
  return name
}

const isPort = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= 65_535

function portsOf(
  protocol: string,
  from: number | undefined,
  to: number | undefined,
): { readonly from: number; readonly to: number } {
  if (protocol === 'tcp' || protocol === 'udp') {
    if (from === undefined || to === undefined)
      throw invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    // Both -1 mean every port.
    if (from === -1 && to === -1) return { from: 0, to: 65_535 }
    if (!isPort(from) || !isPort(to) || from > to) throw invalid(`Invalid TCP/UDP port range (${from}:${to})`)
    return { from, to }
  }
  if (protocol === 'icmp' || protocol === 'icmpv6') {
    const [type, code] = [from ?? -1, to ?? -1]
    if (type < -1 || type > 255 || code < -1 || code > 255 || (type === -1 && code !== -1)) {
      throw invalid(`Invalid ICMP type and code (${type}:${code})`)
    }
    return { from: type, to: code }
  }
  return { from: -1, to: -1 }
}

function blockOf(text: string | undefined, family: 4 | 6): string {
  const block = parseBlock(need(text, family === 4 ? 'cidrIp' : 'cidrIpv6'))
  if (block?.family !== family) throw invalid(`CIDR block ${text} is malformed`)
  return printBlock(block)
}

export interface Permission {
  readonly IpProtocol?: string | undefined
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
  readonly IpRanges?: readonly EC2.IpRange[] | undefined
  readonly Ipv6Ranges?: readonly EC2.Ipv6Range[] | undefined
  readonly PrefixListIds?: readonly EC2.PrefixListId[] | undefined
  readonly UserIdGroupPairs?: readonly EC2.UserIdGroupPair[] | undefined
}

/** The older form names one range by members of the request itself. */
export function permissionsOf(input: LooseInput): readonly Permission[] {
  if (input.IpPermissions?.length) return input.IpPermissions
  const { IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupName, SourceSecurityGroupOwnerId } = input
  if (IpProtocol === undefined && CidrIp === undefined) return []
  return [
    {
      IpProtocol,
      FromPort,
      ToPort,
      IpRanges: CidrIp === undefined ? [] : [{ CidrIp }],
      UserIdGroupPairs:
        SourceSecurityGroupName === undefined
          ? []
          : [{ GroupName: SourceSecurityGroupName, UserId: SourceSecurityGroupOwnerId }],
    },
  ]
}

export type NewRule = Omit<SecurityRule, 'id'>

export async function rulesOf(
  call: Call,
  group: SecurityGroupRow,
  egress: boolean,
  permissions: readonly Permission[],
): Promise<readonly NewRule[]> {
  const rules: NewRule[] = []
  for (const permission of permissions) {
    const protocol = protocolOf(permission.IpProtocol)
    const common = { egress, protocol, ...portsOf(protocol, permission.FromPort, permission.ToPort) }
    const { IpRanges = [], Ipv6Ranges = [], PrefixListIds = [], UserIdGroupPairs = [] } = permission
    const described = (text: string | undefined) =>
      text === undefined || text === '' ? {} : { description: descriptionOf(text) }
    for (const { CidrIp, Description } of IpRanges)
      rules.push({ ...common, cidr: blockOf(CidrIp, 4), ...described(Description) })
    for (const { CidrIpv6, Description } of Ipv6Ranges)
      rules.push({ ...common, cidr6: blockOf(CidrIpv6, 6), ...described(Description) })
    for (const { PrefixListId, Description } of PrefixListIds) {
      const list = await prefixList.require(call, need(PrefixListId, 'prefixListId'))
      rules.push({ ...common, prefixList: list.id, ...described(Description) })
    }
    for (const pair of UserIdGroupPairs) {
      rules.push({ ...common, group: await referenced(call, group, pair), ...described(pair.Description) })
    }
  }
  if (rules.length === 0) throw missing('ipPermissions')
  return rules
}

export function descriptionOf(text: string): string {
  if (text.length > 255 || !/^[\w .\-:/()#,@[\]+=&;{}!$*]*$/.test(text)) {
    throw invalid(
      'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
    )
  }
  return text
}

/** A group of the same VPC, of a peer, or of a VPC that the group is associated with. */
async function referenced(
  call: Call,
  group: SecurityGroupRow,
  pair: EC2.UserIdGroupPair,
): Promise<NonNullable<SecurityRule['group']>> {
  const owner = pair.UserId ?? call.account
  const absent = (text: string) => fault('InvalidGroup.NotFound', `The security group '${text}' does not exist`)
  if (pair.GroupId === undefined) {
    const name = need(pair.GroupName, 'groupId')
    const named = (await securityGroup.all(call)).find(
      ({ data }) => data.GroupName === name && data.VpcId === group.data.VpcId,
    )
    if (!named) throw absent(name)
    return { id: named.id, owner: call.account }
  }
  const found = await securityGroup.type.get(
    call.unit,
    { account: owner, region: call.region },
    { SecurityGroupId: pair.GroupId },
  )
  const peers = (await peering.all(call)).filter(({ data }) => {
    const { RequesterVpcInfo: one, AccepterVpcInfo: other } = data
    const ends = [one?.VpcId, other?.VpcId]
    return data.Status?.Code === 'active' && ends.includes(group.data.VpcId) && ends.includes(found?.data.VpcId)
  })
  const isNear =
    found &&
    owner === call.account &&
    (found.data.VpcId === group.data.VpcId ||
      found.vpcs?.includes(group.data.VpcId!) ||
      group.vpcs?.includes(found.data.VpcId!))
  // Without a connection the caller does not learn whether another account has the group.
  if (!found || (!isNear && peers.length === 0)) throw absent(pair.GroupId)
  return {
    id: pair.GroupId,
    owner,
    ...(!isNear && { vpc: found.data.VpcId!, peering: peers[0]!.id }),
  }
}

export const sourceOf = (rule: NewRule): string =>
  rule.cidr ?? rule.cidr6 ?? rule.prefixList ?? (rule.group ? `${rule.group.owner}/${rule.group.id}` : '')

export const same = (a: NewRule, b: NewRule): boolean =>
  a.egress === b.egress &&
  a.protocol === b.protocol &&
  a.from === b.from &&
  a.to === b.to &&
  sourceOf(a) === sourceOf(b)

export const ruleText = (rule: NewRule): string => {
  const ports = rule.from === -1 ? 'from port: -1, to port: -1' : `from port: ${rule.from}, to port: ${rule.to}`
  return `peer: ${rule.group?.id ?? sourceOf(rule)}, ${rule.protocol === '-1' ? 'ALL' : rule.protocol.toUpperCase()}, ${ports}, ALLOW`
}

/** Rules with the same protocol and ports are one permission. */
export function permissionsIn(rules: readonly SecurityRule[], egress: boolean): EC2.IpPermission[] {
  const grouped = new Map<string, SecurityRule[]>()
  for (const rule of rules) {
    if (rule.egress !== egress) continue
    const name = `${rule.protocol} ${rule.from} ${rule.to}`
    grouped.set(name, [...(grouped.get(name) ?? []), rule])
  }
  const described = ({ description }: SecurityRule) => (description === undefined ? {} : { Description: description })
  return [...grouped.values()].map((each) => {
    const [first] = each
    return {
      IpProtocol: first!.protocol,
      ...(first!.protocol !== '-1' &&
        (NAMED.has(first!.protocol) || first!.from !== -1) && { FromPort: first!.from, ToPort: first!.to }),
      IpRanges: each.flatMap((rule) => (rule.cidr === undefined ? [] : [{ CidrIp: rule.cidr, ...described(rule) }])),
      Ipv6Ranges: each.flatMap((rule) =>
        rule.cidr6 === undefined ? [] : [{ CidrIpv6: rule.cidr6, ...described(rule) }],
      ),
      PrefixListIds: each.flatMap((rule) =>
        rule.prefixList === undefined ? [] : [{ PrefixListId: rule.prefixList, ...described(rule) }],
      ),
      UserIdGroupPairs: each.flatMap((rule) =>
        rule.group
          ? [
              {
                GroupId: rule.group.id,
                UserId: rule.group.owner,
                ...(rule.group.vpc !== undefined && {
                  VpcId: rule.group.vpc,
                  VpcPeeringConnectionId: rule.group.peering,
                  PeeringStatus: 'active',
                }),
                ...described(rule),
              },
            ]
          : [],
      ),
    }
  })
}
