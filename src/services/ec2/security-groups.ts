/** Security groups: stateful, allowing only; their references, and their use in other VPCs. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { listTags } from '../../kernel/resource/tags.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { egressRules } from './defaults.ts'
import { nothing, op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing, need } from './faults.ts'
import { parseFilters } from './filters.ts'
import { networkInterface, peering, type SecurityGroupRow, type SecurityRule, securityGroup, vpc } from './resources.ts'
import { permissionsIn } from './security-group-permissions.ts'
import type { Existing, Part } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const GROUPS_MAX = 2500

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
export const namedGroup: Part<readonly Existing<EC2.SecurityGroup, SecurityGroupRow>[]> = securityGroup.by(
  async ({ GroupId, GroupName }, call) => {
    if (GroupId !== undefined) return [GroupId]
    const home = (await vpc.all(call)).find(({ data }) => data.IsDefault)
    const rows = await securityGroup.all(call)
    return [rows.find(({ data }) => data.VpcId === home?.id && data.GroupName === GroupName)?.id]
  },
)

export const absentGroup = (input: LooseInput) =>
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
