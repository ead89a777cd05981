/** One path analyzed by Network Insights, with the rules that its verdict names, in words. */
import type { Client } from '../../api/client.ts'
import type { Input, Output } from '../../api/sdk.ts'
import { ruleText } from './inventory.ts'

type Analysis = NonNullable<Output<'ec2', 'DescribeNetworkInsightsAnalyses'>['NetworkInsightsAnalyses']>[number]
type Component = NonNullable<Analysis['ForwardPathComponents']>[number]
type Explanation = NonNullable<Analysis['Explanations']>[number]

export interface Hop {
  readonly id: string
  /** The rule, entry or route that let it pass. */
  readonly by?: string | undefined
}

export interface Obstacle {
  readonly text: string
  readonly component: string | undefined
  /** The rules that there are, or the entry that denied. */
  readonly rules: readonly string[]
}

export interface PathAnswer {
  readonly isReachable: boolean
  readonly forward: readonly Hop[]
  readonly back: readonly Hop[]
  readonly obstacles: readonly Obstacle[]
}

const POLL_MS = 300

export async function analyze(client: Client, path: Input<'ec2', 'CreateNetworkInsightsPath'>): Promise<PathAnswer> {
  const { NetworkInsightsPath } = await client.call('ec2', 'CreateNetworkInsightsPath', path)
  const NetworkInsightsPathId = NetworkInsightsPath!.NetworkInsightsPathId!
  const started = await client.call('ec2', 'StartNetworkInsightsAnalysis', { NetworkInsightsPathId })
  const NetworkInsightsAnalysisId = started.NetworkInsightsAnalysis!.NetworkInsightsAnalysisId!
  for (;;) {
    const found = await client.call('ec2', 'DescribeNetworkInsightsAnalyses', {
      NetworkInsightsAnalysisIds: [NetworkInsightsAnalysisId],
    })
    const analysis = found.NetworkInsightsAnalyses![0]!
    if (analysis.Status === 'running') await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    else {
      const answer = await answerOf(client, analysis)
      // The page shows the answer once. Without the permission to delete, path and analysis stay in the account.
      await client
        .call('ec2', 'DeleteNetworkInsightsAnalysis', { NetworkInsightsAnalysisId })
        .then(() => client.call('ec2', 'DeleteNetworkInsightsPath', { NetworkInsightsPathId }))
        .catch(() => undefined)
      if (analysis.Status === 'failed') throw new Error(analysis.StatusMessage ?? 'The analysis failed.')
      return answer
    }
  }
}

async function answerOf(client: Client, analysis: Analysis): Promise<PathAnswer> {
  const groups = new Set(
    (analysis.Explanations ?? []).flatMap(({ SecurityGroups }) => (SecurityGroups ?? []).map(({ Id }) => Id!)),
  )
  const rules =
    groups.size === 0
      ? []
      : await client.list(
          'ec2',
          'DescribeSecurityGroupRules',
          { Filters: [{ Name: 'group-id', Values: [...groups] }] },
          'SecurityGroupRules',
        )
  const hopOf = ({ Component: component, AclRule, SecurityGroupRule, RouteTableRoute }: Component): Hop => {
    const by = SecurityGroupRule?.Protocol
      ? analyzedRuleText(SecurityGroupRule)
      : AclRule
        ? `entry ${AclRule.RuleNumber}`
        : RouteTableRoute && `route ${RouteTableRoute.DestinationCidr} to ${targetOf(RouteTableRoute)}`
    return { id: component?.Id ?? 'unknown', by }
  }
  return {
    isReachable: analysis.NetworkPathFound ?? false,
    forward: (analysis.ForwardPathComponents ?? []).map(hopOf),
    back: (analysis.ReturnPathComponents ?? []).map(hopOf),
    obstacles: (analysis.Explanations ?? []).map((explanation) => obstacleOf(explanation, rules)),
  }
}

/** `tcp 443 from 0.0.0.0/0` */
function analyzedRuleText(rule: NonNullable<Component['SecurityGroupRule']>): string {
  const { Direction, Protocol, PortRange, Cidr, PrefixListId } = rule
  const ports = PortRange ? ` ${[...new Set([PortRange.From, PortRange.To])].join('–')}` : ''
  return `${Protocol}${ports} ${Direction === 'egress' ? 'to' : 'from'} ${Cidr ?? PrefixListId ?? 'the members of a group'}`
}

const targetOf = (route: NonNullable<Component['RouteTableRoute']>): string =>
  route.GatewayId ?? route.NatGatewayId ?? route.VpcPeeringConnectionId ?? 'its target'

const REASONS: Readonly<Record<string, string>> = {
  ENI_SG_RULES_MISMATCH: 'No rule of the security groups lets it pass.',
  SUBNET_ACL_RESTRICTION: 'The network ACL of the subnet does not let it pass.',
  NO_ROUTE_TO_DESTINATION: 'The route table has no route to the destination.',
  BAD_STATE_ROUTE: 'The route leads to something that no longer exists.',
  IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS: 'The destination has no public address.',
  IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS: 'The source has no public address.',
  IGW_NOT_ATTACHED_TO_VPC: 'The internet gateway is not attached to the VPC.',
  IGW_SUBNET_BLOCKED_BY_VPC_BPA: 'VPC Block Public Access stops it.',
  BAD_STATE_PCX: 'The peering connection is not active.',
  UNSUPPORTED_COMPONENT: 'A component on the way is not analyzed.',
}

function obstacleOf(
  explanation: Explanation,
  rules: Output<'ec2', 'DescribeSecurityGroupRules'>['SecurityGroupRules'],
): Obstacle {
  const { ExplanationCode: code = '', Direction, SecurityGroups, AclRule, RouteTableRoute } = explanation
  const groups = (SecurityGroups ?? []).map(({ Id }) => Id)
  const { Acl, RouteTable, InternetGateway, NatGateway, VpcPeeringConnection, Subnet, Vpc } = explanation
  const component = Acl ?? RouteTable ?? InternetGateway ?? NatGateway ?? VpcPeeringConnection ?? Subnet ?? Vpc
  const ofGroups = (rules ?? []).filter(({ GroupId }) => groups.includes(GroupId))
  return {
    text: `${Direction === 'egress' ? 'On the way back: ' : ''}${REASONS[code] ?? code}`,
    component: groups.join(', ') || component?.Id,
    rules: [
      ...ofGroups.map((rule) => `${rule.SecurityGroupRuleId}: ${ruleText(rule)}`),
      ...(AclRule ? [`entry ${AclRule.RuleNumber} denies`] : []),
      ...(RouteTableRoute?.DestinationCidr ? [`route ${RouteTableRoute.DestinationCidr}`] : []),
    ],
  }
}
