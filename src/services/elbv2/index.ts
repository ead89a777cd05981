/** Elastic Load Balancing: application load balancers, which gateways serve. */
import { GATEWAY } from '../../kernel/planes/gateway-content.ts'
import type { WebAclResourceType } from '../../kernel/ports/web-acl-resources.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { gatewayMessages } from './gateway-messages.ts'
import { gatewaySnapshot } from './gateway-snapshot.ts'
import * as limits from './limits.ts'
import * as listenerCertificates from './listener-certificates.ts'
import * as listeners from './listeners.ts'
import * as loadBalancers from './load-balancers.ts'
import { type LoadBalancerRow, loadBalancer, elb as words } from './resources.ts'
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

/** Web ACLs protect load balancers. */
const webAclResources: readonly WebAclResourceType[] = [
  {
    resourceType: 'APPLICATION_LOAD_BALANCER',
    type: loadBalancer.spec.type,
    arn: /^arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:loadbalancer\/app\/[\w-]+\/[0-9a-f]{16}$/,
    httpSourceName: 'ALB',
    actions: { associate: 'elasticloadbalancing:SetWebACL', disassociate: 'elasticloadbalancing:SetWebACL' },
    find: (reader, arn) => {
      const scope = parseArn(arn)
      const [, , LoadBalancerName = '', LoadBalancerId = ''] = scope?.resource.split('/') ?? []
      const id = { LoadBalancerName, LoadBalancerId }
      return scope ? reader.get<LoadBalancerRow>(loadBalancer.key(scope, id)) : Promise.resolve(undefined)
    },
  },
]

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
  webAclResources,
  snapshots: [gatewaySnapshot],
  planeExchanges: { [GATEWAY]: gatewayMessages },
})
