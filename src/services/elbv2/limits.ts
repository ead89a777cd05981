/** The quotas of an account, as the API returns them. */
import { anything } from '../../kernel/resource/target.ts'
import { elb } from './resources.ts'

const LIMITS = {
  'application-load-balancers': 'ApplicationLoadBalancersPerRegion',
  'listeners-per-application-load-balancer': 'ListenersPerLoadBalancer',
  'rules-per-application-load-balancer': 'RulesPerListener',
  'certificates-per-application-load-balancer': 'CertificatesPerLoadBalancer',
  'target-groups': 'TargetGroupsPerRegion',
  'targets-per-application-load-balancer': 'TargetsPerTargetGroup',
} as const

export const describeAccountLimits = elb
  .operation('DescribeAccountLimits')
  .on(anything)
  .run((call) => ({
    Limits: Object.entries(LIMITS).map(([Name, quota]) => ({
      Name,
      Max: String(call.quotas[`elasticloadbalancing/${quota}`]),
    })),
  }))
