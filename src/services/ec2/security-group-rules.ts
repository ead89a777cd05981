/** Rules of security groups: authorized, revoked, changed and described. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import { tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import { listTags, type TagPair } from '../../kernel/resource/tags.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { nothing, op } from './define-operation.ts'
import { fault, missing } from './faults.ts'
import { parseFilters } from './filters.ts'
import {
  prefixList,
  type SecurityGroupRow,
  type SecurityRule,
  securityGroup,
  securityGroupRule,
  vpc,
} from './resources.ts'
import { descriptionOf, permissionsIn, permissionsOf, rulesOf, ruleText, same } from './security-group-permissions.ts'
import { absentGroup, namedGroup } from './security-groups.ts'
import { mergedEc2Tags, newId, type Part } from './words.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const RULES_MAX = 60

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

/**
 * A prefix list counts as many rules as it may have entries.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
 */
async function weightOf(call: Call, rules: readonly Omit<SecurityRule, 'id'>[]): Promise<number> {
  if (!rules.some((rule) => rule.prefixList !== undefined)) return rules.length
  const entries = new Map((await prefixList.all(call)).map(({ id, data }) => [id, data.MaxEntries ?? 1]))
  return rules.reduce((sum, rule) => sum + (entries.get(rule.prefixList ?? '') ?? 1), 0)
}

const authorizing = (egress: boolean) =>
  op(
    egress ? 'AuthorizeSecurityGroupEgress' : 'AuthorizeSecurityGroupIngress',
    [namedGroup, ruleTags],
    async (call, input, [[found], pairs]) => {
      if (!found) throw absentGroup(input)
      const { row } = found
      const added = await rulesOf(call, row, egress, permissionsOf(input))
      const own = row.rules.filter((each) => each.egress === egress)
      if ((await weightOf(call, [...own, ...added])) > (call.quotas['ec2/RulesPerSecurityGroup'] ?? RULES_MAX)) {
        throw fault(
          'RulesPerSecurityGroupLimitExceeded',
          'The maximum number of rules per security group has been reached.',
        )
      }
      for (const [index, rule] of added.entries()) {
        if (row.rules.some((each) => same(each, rule)) || added.slice(0, index).some((each) => same(each, rule))) {
          throw fault('InvalidPermission.Duplicate', `the specified rule "${ruleText(rule)}" already exists`)
        }
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
