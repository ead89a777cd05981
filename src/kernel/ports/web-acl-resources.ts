/**
 * Resources of other services that a web ACL can protect. Each service declares its types as `Service.webAclResources`; the server
 * joins them to the port.
 *
 * @example
 * // services/elasticloadbalancing/index.ts
 * webAclResources: [{
 *   resourceType: 'APPLICATION_LOAD_BALANCER',
 *   type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
 *   arn: /^arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:loadbalancer\/app\//,
 *   httpSourceName: 'ALB',
 *   actions: { associate: 'elasticloadbalancing:SetWebAcl', disassociate: 'elasticloadbalancing:SetWebAcl' },
 *   find: (reader, arn) => loadBalancerByArn(reader, arn),
 * }]
 */
import type { ResourceType } from '@aws-sdk/client-wafv2'
import type { Tags } from '../resource/facts.ts'
import type { Reader } from '../state/reader.ts'
import { port, type Use } from './port.ts'

export interface WebAclResourceType {
  /** As `ListResourcesForWebACL` names it. */
  readonly resourceType: ResourceType
  /** CloudFormation's name, for the audit log. */
  readonly type: string
  /** What ARNs of the type look like. */
  readonly arn: RegExp
  /** As log records name it: `ALB`, `COGNITOIDP`. */
  readonly httpSourceName: string
  /** Actions that AWS requires on the resource, besides those of wafv2. */
  readonly actions?:
    | { readonly associate?: string; readonly disassociate?: string; readonly get?: string; readonly list?: string }
    | undefined
  /** The account that may protect it, where ARNs of the type name none. */
  owner?(use: Use, reader: Reader): Promise<string | undefined>
  /** undefined when there is no such resource. Tags are for policies. */
  find(reader: Reader, arn: string): Promise<{ readonly tags?: Tags | undefined } | undefined>
}

export interface WebAclResourcesPort {
  /** The type whose ARNs have this form; undefined for an ARN that no web ACL can protect. */
  typeOf(arn: string): WebAclResourceType | undefined
}

export const webAclResources = port<WebAclResourcesPort>('web-acl-resources')

/** Joins what services declare. */
export const joinedWebAclResources = (types: readonly WebAclResourceType[]): WebAclResourcesPort => ({
  typeOf: (arn) => types.find((type) => type.arn.test(arn)),
})
