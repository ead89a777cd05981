/** Security groups and their rules: stateful, allowing only. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import { listTags, type TagPair } from '../../kernel/resource/tags.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { egressRules } from './defaults.ts'
import { depended, fault, invalid, missing, need } from './faults.ts'
import { parseFilters } from './filters.ts'
import {
  networkInterface,
  peering,
  prefixList,
  type SecurityGroupRow,
  type SecurityRule,
  securityGroup,
  securityGroupRule,
  vpc,
} from './resources.ts'
import { describe, type Existing, mergedEc2Tags, newId, nothing, op, type Part } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const RULES_MAX = 60
const GROUPS_MAX = 2500

// ---- Permissions, as requests and answers have them

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

interface Permission {
  readonly IpProtocol?: string | undefined
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
  readonly IpRanges?: readonly EC2.IpRange[] | undefined
  readonly Ipv6Ranges?: readonly EC2.Ipv6Range[] | undefined
  readonly PrefixListIds?: readonly EC2.PrefixListId[] | undefined
  readonly UserIdGroupPairs?: readonly EC2.UserIdGroupPair[] | undefined
}

/** The older form names one range by members of the request itself. */
function permissionsOf(input: LooseInput): readonly Permission[] {
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

type NewRule = Omit<SecurityRule, 'id'>

async function rulesOf(
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

function descriptionOf(text: string): string {
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

const sourceOf = (rule: NewRule): string =>
  rule.cidr ?? rule.cidr6 ?? rule.prefixList ?? (rule.group ? `${rule.group.owner}/${rule.group.id}` : '')

const same = (a: NewRule, b: NewRule): boolean =>
  a.egress === b.egress &&
  a.protocol === b.protocol &&
  a.from === b.from &&
  a.to === b.to &&
  sourceOf(a) === sourceOf(b)

const ruleText = (rule: NewRule): string => {
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

const shownRule = (call: Call, group: SecurityGroupRow, rule: SecurityRule): EC2.SecurityGroupRule => ({
  SecurityGroupRuleId: rule.id,
  SecurityGroupRuleArn: securityGroupRule.arn(call, rule.id),
  GroupId: group.id,
  GroupOwnerId: group.account,
  IsEgress: rule.egress,
  IpProtocol: rule.protocol,
  FromPort: rule.from,
  ToPort: rule.to,
  ...(rule.cidr !== undefined && { CidrIpv4: rule.cidr }),
  ...(rule.cidr6 !== undefined && { CidrIpv6: rule.cidr6 }),
  ...(rule.prefixList !== undefined && { PrefixListId: rule.prefixList }),
  ...(rule.group && {
    ReferencedGroupInfo: {
      GroupId: rule.group.id,
      UserId: rule.group.owner,
      ...(rule.group.vpc !== undefined && { VpcId: rule.group.vpc, VpcPeeringConnectionId: rule.group.peering }),
    },
  }),
  ...(rule.description !== undefined && { Description: rule.description }),
  Tags: listTags(rule.tags),
})

// ---- Groups

const NAME = /^[\w .\-:/()#,@[\]+=&;{}!$*]{1,255}$/

export const createSecurityGroup = op(
  'CreateSecurityGroup',
  [
    securityGroup.created(),
    vpc.by(async ({ VpcId }, call) => [VpcId ?? (await vpc.all(call)).find(({ data }) => data.IsDefault)?.id]),
  ],
  async (call, input, [{ id, arn, create }, [home]]) => {
    const GroupName = need(input.GroupName, 'groupName')
    const Description = need(input.Description, 'groupDescription')
    if (!home) throw fault('VPCIdNotSpecified', 'No default VPC for this user')
    if (!NAME.test(GroupName) || !NAME.test(Description)) {
      throw invalid(
        'Value for parameter GroupName or GroupDescription is invalid. Character sets beyond ASCII are not supported.',
      )
    }
    if (GroupName.toLowerCase() === 'default' || GroupName.startsWith('sg-')) {
      throw invalid(`Cannot use reserved security group name: ${GroupName}`)
    }
    const rows = await securityGroup.all(call)
    if (rows.some(({ data }) => data.VpcId === home.id && data.GroupName === GroupName)) {
      throw fault('InvalidGroup.Duplicate', `The security group '${GroupName}' already exists for VPC '${home.id}'`)
    }
    if (rows.length >= (call.quotas['ec2/SecurityGroupsPerRegion'] ?? GROUPS_MAX)) {
      throw fault('SecurityGroupLimitExceeded', 'The maximum number of security groups has been reached.')
    }
    const hasIpv6 = (home.data.Ipv6CidrBlockAssociationSet ?? []).length > 0
    const row = create(
      { GroupId: id, GroupName, Description, VpcId: home.id, OwnerId: call.account, SecurityGroupArn: arn },
      { rules: egressRules(hasIpv6) },
    )
    return { GroupId: id, SecurityGroupArn: arn, Tags: listTags(row.tags) }
  },
)

/** By ID, or by name in the default VPC. */
const namedGroup: Part<readonly Existing<EC2.SecurityGroup, SecurityGroupRow>[]> = securityGroup.by(
  async ({ GroupId, GroupName }, call) => {
    if (GroupId !== undefined) return [GroupId]
    const home = (await vpc.all(call)).find(({ data }) => data.IsDefault)
    const rows = await securityGroup.all(call)
    return [rows.find(({ data }) => data.VpcId === home?.id && data.GroupName === GroupName)?.id]
  },
)

const absentGroup = (input: LooseInput) =>
  input.GroupName === undefined
    ? missing('groupId')
    : fault('InvalidGroup.NotFound', `The security group '${input.GroupName}' does not exist in default VPC`)

export const deleteSecurityGroup = op('DeleteSecurityGroup', [namedGroup], async (call, input, [[found]]) => {
  if (!found) throw absentGroup(input)
  const { id, data } = found
  if (data.GroupName === 'default') {
    throw fault('CannotDelete', `the specified group: "${id}" name: "default" cannot be deleted by a user`)
  }
  const isUsed = (await networkInterface.all(call)).some((each) =>
    each.data.Groups?.some(({ GroupId }) => GroupId === id),
  )
  const isReferenced = (await securityGroup.all(call)).some(
    (each) =>
      each.id !== id &&
      each.rules.some(({ group }) => group?.id === id && group.owner === call.account && group.vpc === undefined),
  )
  if (isUsed || isReferenced) throw depended(`resource ${id} has a dependent object`)
  found.remove()
  return { Return: true, GroupId: id }
})

const shownGroup = (row: SecurityGroupRow): EC2.SecurityGroup => ({
  ...row.data,
  IpPermissions: permissionsIn(row.rules, false),
  IpPermissionsEgress: permissionsIn(row.rules, true),
})

const permissionFilters = (prefix: string, member: string): string =>
  `${prefix}.cidr=${member}.IpRanges.CidrIp ${prefix}.from-port=${member}.FromPort ${prefix}.to-port=${member}.ToPort
   ${prefix}.protocol=${member}.IpProtocol ${prefix}.group-id=${member}.UserIdGroupPairs.GroupId
   ${prefix}.group-name=${member}.UserIdGroupPairs.GroupName ${prefix}.user-id=${member}.UserIdGroupPairs.UserId
   ${prefix}.ipv6-cidr=${member}.Ipv6Ranges.CidrIpv6 ${prefix}.prefix-list-id=${member}.PrefixListIds.PrefixListId`

const describing = describe('DescribeSecurityGroups', securityGroup, {
  ids: 'GroupIds',
  result: 'SecurityGroups',
  show: shownGroup,
  filters: `description group-id group-name owner-id vpc-id
    ${permissionFilters('ip-permission', 'IpPermissions')} ${permissionFilters('egress.ip-permission', 'IpPermissionsEgress')}`,
})

export const describeSecurityGroups = {
  ...describing,
  run: async (call, input, row) => {
    const { GroupNames, ...others } = input
    if (!GroupNames?.length) return describing.run(call, input, row)
    const Filters = [...(others.Filters ?? []), { Name: 'group-name', Values: GroupNames }]
    const answer = await describing.run(call, { ...others, Filters }, row)
    const found = new Set(answer.SecurityGroups.map(({ GroupName }: EC2.SecurityGroup) => GroupName))
    for (const name of GroupNames) {
      if (!found.has(name)) throw fault('InvalidGroup.NotFound', `The security group '${name}' does not exist`)
    }
    return answer
  },
} satisfies typeof describing

// ---- Rules

/** The tags of new rules need the permission to tag rules. */
const ruleTags: Part<readonly TagPair[]> = {
  tags: 'security-group-rule',
  find: async (call, input) => {
    const pairs = (input.TagSpecifications ?? []).flatMap(({ Tags = [] }: { Tags?: EC2.Tag[] }) =>
      Tags.map(({ Key = '', Value = '' }) => ({ Key, Value })),
    )
    const tagging = tagAuthorization({ action: 'ec2:CreateTags' }, pairs)
    const acted = await securityGroupRule.facts(call, undefined, input)
    return {
      acted: [],
      value: pairs,
      tagging: tagging && {
        ...tagging,
        conditions: { ...tagging.conditions, 'ec2:CreateAction': call.operation },
        acted,
      },
    }
  },
}

const authorizing = (egress: boolean) =>
  op(
    egress ? 'AuthorizeSecurityGroupEgress' : 'AuthorizeSecurityGroupIngress',
    [namedGroup, ruleTags],
    async (call, input, [[found], pairs]) => {
      if (!found) throw absentGroup(input)
      const { row } = found
      const added = await rulesOf(call, row, egress, permissionsOf(input))
      for (const [index, rule] of added.entries()) {
        if (row.rules.some((each) => same(each, rule)) || added.slice(0, index).some((each) => same(each, rule))) {
          throw fault('InvalidPermission.Duplicate', `the specified rule "${ruleText(rule)}" already exists`)
        }
      }
      const count = row.rules.filter((each) => each.egress === egress).length + added.length
      if (count > (call.quotas['ec2/RulesPerSecurityGroup'] ?? RULES_MAX)) {
        throw fault(
          'RulesPerSecurityGroupLimitExceeded',
          'The maximum number of rules per security group has been reached.',
        )
      }
      const tags = mergedEc2Tags(undefined, pairs)
      const rules = added.map((rule) => ({ ...rule, id: newId('sgr'), ...(pairs.length > 0 && { tags }) }))
      found.set({}, { rules: [...row.rules, ...rules] })
      return { Return: true, SecurityGroupRules: rules.map((rule) => shownRule(call, row, rule)) }
    },
  )

export const authorizeSecurityGroupIngress = authorizing(false)
export const authorizeSecurityGroupEgress = authorizing(true)

const absentRule = (id: string) =>
  fault('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`)

const revoking = (egress: boolean) =>
  op(
    egress ? 'RevokeSecurityGroupEgress' : 'RevokeSecurityGroupIngress',
    [namedGroup],
    async (call, input, [[found]]) => {
      if (!found) throw absentGroup(input)
      const { row } = found
      const ids = input.SecurityGroupRuleIds
      if (ids?.length) {
        for (const id of ids)
          if (!row.rules.some((rule) => rule.id === id && rule.egress === egress)) throw absentRule(id)
        const [gone, kept] = split(row.rules, (rule) => ids.includes(rule.id))
        found.set({}, { rules: kept })
        return { Return: true, RevokedSecurityGroupRules: gone.map((rule) => revoked(row, rule)) }
      }
      const wanted = await rulesOf(call, row, egress, permissionsOf(input))
      const unknown = wanted.filter((rule) => !row.rules.some((each) => same(each, rule)))
      const home = await vpc.get(call, row.data.VpcId!)
      if (unknown.length > 0 && !home?.data.IsDefault) {
        throw fault('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.')
      }
      const [gone, kept] = split(row.rules, (rule) => wanted.some((each) => same(each, rule)))
      found.set({}, { rules: kept })
      return {
        Return: true,
        UnknownIpPermissions: permissionsIn(
          unknown.map((rule) => ({ ...rule, id: '' })),
          egress,
        ),
        RevokedSecurityGroupRules: gone.map((rule) => revoked(row, rule)),
      }
    },
  )

function split<T>(all: readonly T[], test: (each: T) => boolean): readonly [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))]
}

const revoked = (row: SecurityGroupRow, rule: SecurityRule): EC2.RevokedSecurityGroupRule => ({
  SecurityGroupRuleId: rule.id,
  GroupId: row.id,
  IsEgress: rule.egress,
  IpProtocol: rule.protocol,
  FromPort: rule.from,
  ToPort: rule.to,
  ...(rule.cidr !== undefined && { CidrIpv4: rule.cidr }),
  ...(rule.cidr6 !== undefined && { CidrIpv6: rule.cidr6 }),
  ...(rule.prefixList !== undefined && { PrefixListId: rule.prefixList }),
  ...(rule.group && { ReferencedGroupId: rule.group.id }),
  ...(rule.description !== undefined && { Description: rule.description }),
})

export const revokeSecurityGroupIngress = revoking(false)
export const revokeSecurityGroupEgress = revoking(true)

const RULE_FILTERS = parseFilters('group-id security-group-rule-id')
const PAGE_MAX = 1000

export const describeSecurityGroupRules = op('DescribeSecurityGroupRules', nothing, async (call, input) => {
  const { keeps } = RULE_FILTERS(input.Filters ?? [])
  const groups = await securityGroup.all(call)
  const all = groups.flatMap((group) => group.rules.map((rule) => shownRule(call, group, rule)))
  const ids = input.SecurityGroupRuleIds ?? []
  for (const id of ids) if (!all.some(({ SecurityGroupRuleId }) => SecurityGroupRuleId === id)) throw absentRule(id)
  const wanted = all
    .filter((rule) => (ids.length === 0 || ids.includes(rule.SecurityGroupRuleId!)) && keeps(rule))
    .sort((a, b) => (a.SecurityGroupRuleId! < b.SecurityGroupRuleId! ? -1 : 1))
  if (input.MaxResults === undefined && input.NextToken === undefined) return { SecurityGroupRules: wanted }
  const { items, next } = await pageOf(call, wanted, (rule) => rule.SecurityGroupRuleId!, {
    token: input.NextToken,
    size: input.MaxResults ?? PAGE_MAX,
    query: { ids, filters: input.Filters },
    bad: () => fault('InvalidNextToken', 'The token is invalid.'),
  })
  return { SecurityGroupRules: [...items], ...(next !== undefined && { NextToken: next }) }
})

export const modifySecurityGroupRules = op(
  'ModifySecurityGroupRules',
  [securityGroup.at('GroupId')],
  async (call, input, [{ row, set }]) => {
    let rules = row.rules
    for (const { SecurityGroupRuleId: id, SecurityGroupRule: wanted } of input.SecurityGroupRules ?? []) {
      const before = rules.find((rule) => rule.id === id)
      if (!before) throw absentRule(id ?? '')
      if (!wanted) throw missing('securityGroupRule')
      const [changed] = await rulesOf(call, row, before.egress, [
        {
          IpProtocol: wanted.IpProtocol,
          FromPort: wanted.FromPort,
          ToPort: wanted.ToPort,
          IpRanges: wanted.CidrIpv4 === undefined ? [] : [{ CidrIp: wanted.CidrIpv4, Description: wanted.Description }],
          Ipv6Ranges:
            wanted.CidrIpv6 === undefined ? [] : [{ CidrIpv6: wanted.CidrIpv6, Description: wanted.Description }],
          PrefixListIds:
            wanted.PrefixListId === undefined
              ? []
              : [{ PrefixListId: wanted.PrefixListId, Description: wanted.Description }],
          UserIdGroupPairs:
            wanted.ReferencedGroupId === undefined
              ? []
              : [{ GroupId: wanted.ReferencedGroupId, Description: wanted.Description }],
        },
      ])
      const { description: _, ...rest } = changed!
      const description = wanted.Description ?? before.description
      const next = {
        ...rest,
        id: before.id,
        ...(before.tags && { tags: before.tags }),
        ...(description !== undefined && description !== '' && { description }),
      }
      if (rules.some((rule) => rule.id !== id && same(rule, next))) {
        throw fault('InvalidPermission.Duplicate', `the specified rule "${ruleText(next)}" already exists`)
      }
      rules = rules.map((rule) => (rule.id === id ? next : rule))
    }
    set({}, { rules })
    return { Return: true }
  },
)

const describingRules = (egress: boolean) =>
  op(
    egress ? 'UpdateSecurityGroupRuleDescriptionsEgress' : 'UpdateSecurityGroupRuleDescriptionsIngress',
    [namedGroup],
    async (call, input, [[found]]) => {
      if (!found) throw absentGroup(input)
      const { row } = found
      const described = (rule: SecurityRule, text: string | undefined): SecurityRule => {
        const { description: _, ...rest } = rule
        return text === undefined || text === '' ? rest : { ...rest, description: descriptionOf(text) }
      }
      const named = input.SecurityGroupRuleDescriptions ?? []
      const wanted = named.length > 0 ? [] : await rulesOf(call, row, egress, permissionsOf(input))
      for (const rule of wanted) {
        if (!row.rules.some((each) => same(each, rule)))
          throw fault('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.')
      }
      for (const { SecurityGroupRuleId: id } of named)
        if (!row.rules.some((rule) => rule.id === id)) throw absentRule(id ?? '')
      const rules = row.rules.map((rule) => {
        const byId = named.find(({ SecurityGroupRuleId }) => SecurityGroupRuleId === rule.id)
        if (byId) return described(rule, byId.Description)
        const match = wanted.find((each) => same(each, rule))
        return match ? described(rule, match.description) : rule
      })
      found.set({}, { rules })
      return { Return: true }
    },
  )

export const updateSecurityGroupRuleDescriptionsIngress = describingRules(false)
export const updateSecurityGroupRuleDescriptionsEgress = describingRules(true)

// ---- References, and use in other VPCs

export const describeSecurityGroupReferences = op(
  'DescribeSecurityGroupReferences',
  [securityGroup.each('GroupId')],
  async (call, _input, [groups]) => {
    const ids = new Set(groups.map(({ id }) => id))
    const references: EC2.SecurityGroupReference[] = []
    for (const row of await securityGroup.all(call)) {
      for (const { group } of row.rules) {
        if (!group || !ids.has(group.id) || group.peering === undefined) continue
        references.push({ GroupId: group.id, ReferencingVpcId: row.data.VpcId, VpcPeeringConnectionId: group.peering })
      }
    }
    return { SecurityGroupReferenceSet: references }
  },
)

/** Rules that name groups behind a peering connection that is gone. */
export const describeStaleSecurityGroups = op(
  'DescribeStaleSecurityGroups',
  [vpc.at('VpcId')],
  async (call, _input, [home]) => {
    const active = new Set(
      (await peering.all(call)).filter(({ data }) => data.Status?.Code === 'active').map(({ id }) => id),
    )
    const stale = (await securityGroup.all(call))
      .filter(({ data }) => data.VpcId === home.id)
      .map((row) => ({
        row,
        rules: row.rules.filter(({ group }) => group?.peering !== undefined && !active.has(group.peering)),
      }))
      .filter(({ rules }) => rules.length > 0)
    return {
      StaleSecurityGroupSet: stale.map(({ row, rules }) => ({
        GroupId: row.id,
        GroupName: row.data.GroupName,
        Description: row.data.Description,
        VpcId: home.id,
        StaleIpPermissions: staleIn(rules, false),
        StaleIpPermissionsEgress: staleIn(rules, true),
      })),
    }
  },
)

const staleIn = (rules: readonly SecurityRule[], egress: boolean): EC2.StaleIpPermission[] =>
  permissionsIn(rules, egress).map(({ IpProtocol, FromPort, ToPort, UserIdGroupPairs }) => ({
    IpProtocol,
    FromPort,
    ToPort,
    UserIdGroupPairs: UserIdGroupPairs?.map((pair) => ({ ...pair, PeeringStatus: 'deleted' })),
  }))

export const associateSecurityGroupVpc = op(
  'AssociateSecurityGroupVpc',
  [securityGroup.at('GroupId'), vpc.at('VpcId')],
  (_call, _input, [group, home]) => {
    if (group.data.GroupName === 'default')
      throw invalid('Default security groups cannot be associated with other VPCs.')
    if (group.data.VpcId === home.id || group.row.vpcs?.includes(home.id)) {
      throw invalid(`Security group ${group.id} is already associated with VPC ${home.id}.`)
    }
    group.set({}, { vpcs: [...(group.row.vpcs ?? []), home.id] })
    return { State: 'associated' }
  },
)

export const disassociateSecurityGroupVpc = op(
  'DisassociateSecurityGroupVpc',
  [securityGroup.at('GroupId'), vpc.at('VpcId')],
  async (call, _input, [group, home]) => {
    if (!group.row.vpcs?.includes(home.id)) {
      throw fault(
        'InvalidSecurityGroupVpcAssociation.NotFound',
        `Security group ${group.id} is not associated with VPC ${home.id}.`,
      )
    }
    const isUsed = (await networkInterface.all(call)).some(
      ({ data }) => data.VpcId === home.id && data.Groups?.some(({ GroupId }) => GroupId === group.id),
    )
    if (isUsed) throw depended(`resource ${group.id} has a dependent object`)
    group.set({}, { vpcs: group.row.vpcs.filter((id) => id !== home.id) })
    return { State: 'disassociated' }
  },
)

const ASSOCIATION_FILTERS = parseFilters('group-id vpc-id vpc-owner-id state group-owner-id')

export const describeSecurityGroupVpcAssociations = op(
  'DescribeSecurityGroupVpcAssociations',
  nothing,
  async (call, input) => {
    const { keeps } = ASSOCIATION_FILTERS(input.Filters ?? [])
    const all = (await securityGroup.all(call)).flatMap((row) =>
      (row.vpcs ?? []).map((VpcId) => ({
        GroupId: row.id,
        GroupOwnerId: row.account,
        VpcId,
        VpcOwnerId: call.account,
        State: 'associated' as const,
      })),
    )
    return { SecurityGroupVpcAssociations: all.filter(keeps) }
  },
)

export const getSecurityGroupsForVpc = op('GetSecurityGroupsForVpc', [vpc.at('VpcId')], async (call, input, [home]) => {
  const { keeps } = parseFilters('group-id description group-name owner-id primary-vpc-id=PrimaryVpcId')(
    input.Filters ?? [],
  )
  const all = (await securityGroup.all(call))
    .filter((row) => row.data.VpcId === home.id || row.vpcs?.includes(home.id))
    .map((row) => ({
      GroupId: row.id,
      GroupName: row.data.GroupName,
      Description: row.data.Description,
      OwnerId: row.account,
      PrimaryVpcId: row.data.VpcId,
      Tags: listTags(row.tags),
    }))
  return { SecurityGroupForVpcs: all.filter(keeps) }
})
