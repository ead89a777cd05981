/** Elastic Load Balancing: application load balancers, which gateways serve. */
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as limits from './limits.ts'
import * as listenerCertificates from './listener-certificates.ts'
import * as listeners from './listeners.ts'
import * as loadBalancers from './load-balancers.ts'
import { elb as words } from './resources.ts'
import * as rules from './rules.ts'
import * as sslPolicies from './ssl-policies.ts'
import * as tagging from './tagging.ts'
import * as targetGroups from './target-groups.ts'
import * as targets from './targets.ts'

/** Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html */
const conditionKeys: ConditionKeyTable = {
  'elasticloadbalancing:CreateAction': ({ call }) => (call.operation === 'AddTags' ? undefined : call.operation),
  'elasticloadbalancing:ListenerProtocol': ({ input }) => input.Protocol,
  'elasticloadbalancing:Scheme': ({ input, call }) =>
    input.Scheme ?? (call.operation === 'CreateLoadBalancer' ? 'internet-facing' : undefined),
  'elasticloadbalancing:SecurityGroup': ({ input }) => input.SecurityGroups,
  'elasticloadbalancing:SecurityPolicy': ({ input }) => input.SslPolicy,
  'elasticloadbalancing:Subnet': ({ input }) =>
    input.Subnets ?? input.SubnetMappings?.map(({ SubnetId }: { readonly SubnetId: string }) => SubnetId),
}

export const elbv2 = words.service({
  operations: operationsOf(
    loadBalancers,
    listeners,
    listenerCertificates,
    rules,
    targetGroups,
    targets,
    tagging,
    sslPolicies,
    limits,
  ),
  conditionKeys,
})
