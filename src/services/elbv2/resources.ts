/** Elastic Load Balancing's resource types: application load balancers, their listeners and rules, and target groups. */
import { randomBytes } from 'node:crypto'
import type * as ELB from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Scope } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { Strict } from '../../wire/typed.ts'

export const elb = defineService<typeof ELB>('elbv2', 'elasticloadbalancing')

/** Codes that the model does not list. */
export const invalid = (message: string): Fault => new Fault('ValidationError', message, { status: 400 })
export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })
export const badMarker = (): Fault => invalid('The marker is not one of this list.')

/** As AWS's IDs look: 16 hexadecimal digits. */
export const newId = (): string => randomBytes(8).toString('hex')
const ID = '[0-9a-f]{16}'
const NAME = '[A-Za-z0-9-]{1,32}'

export type Attributes = Readonly<Record<string, string>>
export type Action = Strict<ELB.Action>
export type Condition = Strict<ELB.RuleCondition>

export interface LoadBalancerRow extends Row {
  readonly account: string
  readonly region: string
  readonly name: string
  readonly id: string
  readonly createdAt: number
  readonly scheme: 'internet-facing' | 'internal'
  readonly dnsName: string
  readonly vpcId: string
  readonly ipAddressType: ELB.IpAddressType
  readonly subnets: readonly { readonly id: string; readonly zone: string }[]
  readonly securityGroups: readonly string[]
  /** Those that differ from their defaults. */
  readonly attributes: Attributes
}

export interface ListenerRow extends Row {
  readonly account: string
  readonly region: string
  readonly loadBalancerName: string
  readonly loadBalancerId: string
  readonly id: string
  readonly createdAt: number
  readonly protocol: 'HTTP' | 'HTTPS'
  readonly port: number
  readonly sslPolicy?: string
  /** ARNs; the default certificate first. */
  readonly certificates: readonly string[]
  readonly actions: readonly Action[]
  /** The rule that is shown last and cannot be deleted; its actions are those of the listener. */
  readonly defaultRuleId: string
  readonly attributes: Attributes
}

export interface RuleRow extends Row {
  readonly account: string
  readonly region: string
  readonly loadBalancerName: string
  readonly loadBalancerId: string
  readonly listenerId: string
  readonly id: string
  /** undefined: the default rule. */
  readonly priority?: number
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
}

export interface HealthCheck {
  readonly isEnabled: boolean
  readonly protocol: 'HTTP' | 'HTTPS'
  /** `traffic-port`, or a number. */
  readonly port: string
  readonly path: string
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly healthyCount: number
  readonly unhealthyCount: number
  /** `200`, `200,202`, `200-299` */
  readonly codes: string
}

export interface TargetRow {
  /** An address, or the ID of an instance. */
  readonly id: string
  readonly port: number
  readonly zone?: string
  readonly registeredAt: number
  /** Present while it drains. */
  readonly deregisteredAt?: number
}

export interface TargetGroupRow extends Row {
  readonly account: string
  readonly region: string
  readonly name: string
  readonly id: string
  readonly targetType: 'instance' | 'ip'
  readonly protocol: 'HTTP' | 'HTTPS'
  readonly protocolVersion: 'HTTP1' | 'HTTP2' | 'GRPC'
  readonly port: number
  readonly vpcId: string
  readonly ipAddressType: 'ipv4' | 'ipv6'
  readonly healthCheck: HealthCheck
  readonly attributes: Attributes
  readonly targets: readonly TargetRow[]
}

const tags = {
  action: 'elasticloadbalancing:AddTags',
  member: 'Tags',
  problems: {
    duplicate: () => elb.fail('DuplicateTagKeysException', 'The same tag key is specified more than once.'),
    reserved: () => invalid("Tag keys that begin with 'aws:' are reserved."),
    'too-many': () => elb.fail('TooManyTagsException', `A resource can have at most ${TAGS_MAX} tags.`),
  },
} as const

export const loadBalancer = elb.resource({
  kind: 'load-balancer', // begins the keys of the rows: never change it
  type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  arn: 'arn:${Partition}:elasticloadbalancing:${Region}:${Account}:loadbalancer/app/${LoadBalancerName}/${LoadBalancerId}',
  patterns: { LoadBalancerName: NAME, LoadBalancerId: ID },
  storedPer: 'region',
  idOf: (row: LoadBalancerRow) => ({ LoadBalancerName: row.name, LoadBalancerId: row.id }),
  tags,
  faults: {
    notFound: (arn) => elb.fail('LoadBalancerNotFoundException', `Load balancer '${arn}' not found`),
    invalidReference: (text) => invalid(`'${text}' is not a valid load balancer ARN`),
  },
})

export const listener = elb.resource({
  kind: 'listener', // begins the keys of the rows: never change it
  type: 'AWS::ElasticLoadBalancingV2::Listener',
  arn: 'arn:${Partition}:elasticloadbalancing:${Region}:${Account}:listener/app/${LoadBalancerName}/${LoadBalancerId}/${ListenerId}',
  patterns: { LoadBalancerName: NAME, LoadBalancerId: ID, ListenerId: ID },
  storedPer: 'region',
  idOf: (row: ListenerRow) => ({
    LoadBalancerName: row.loadBalancerName,
    LoadBalancerId: row.loadBalancerId,
    ListenerId: row.id,
  }),
  tags,
  faults: {
    notFound: (arn) => elb.fail('ListenerNotFoundException', `Listener '${arn}' not found`),
    invalidReference: (text) => invalid(`'${text}' is not a valid listener ARN`),
  },
})

export const rule = elb.resource({
  kind: 'rule', // begins the keys of the rows: never change it
  type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
  arn: 'arn:${Partition}:elasticloadbalancing:${Region}:${Account}:listener-rule/app/${LoadBalancerName}/${LoadBalancerId}/${ListenerId}/${ListenerRuleId}',
  patterns: { LoadBalancerName: NAME, LoadBalancerId: ID, ListenerId: ID, ListenerRuleId: ID },
  storedPer: 'region',
  idOf: (row: RuleRow) => ({
    LoadBalancerName: row.loadBalancerName,
    LoadBalancerId: row.loadBalancerId,
    ListenerId: row.listenerId,
    ListenerRuleId: row.id,
  }),
  tags,
  faults: {
    notFound: (arn) => elb.fail('RuleNotFoundException', `Rule '${arn}' not found`),
    invalidReference: (text) => invalid(`'${text}' is not a valid listener rule ARN`),
  },
})

export const targetGroup = elb.resource({
  kind: 'target-group', // begins the keys of the rows: never change it
  type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
  arn: 'arn:${Partition}:elasticloadbalancing:${Region}:${Account}:targetgroup/${TargetGroupName}/${TargetGroupId}',
  patterns: { TargetGroupName: NAME, TargetGroupId: ID },
  storedPer: 'region',
  idOf: (row: TargetGroupRow) => ({ TargetGroupName: row.name, TargetGroupId: row.id }),
  tags,
  faults: {
    notFound: (arn) => elb.fail('TargetGroupNotFoundException', `Target group '${arn}' not found`),
    invalidReference: (text) => invalid(`'${text}' is not a valid target group ARN`),
  },
})

type Place = Pick<Scope, 'account' | 'region'>

/** The prefix of everything of one kind below a load balancer, or below a listener of it. */
export const below = (kind: 'listener' | 'rule', { account, region }: Place, ...ids: readonly string[]): Key =>
  under('elasticloadbalancing', kind, account, region, ...ids)

/** The prefix of load balancers or target groups of one name: at most one row. */
export const withName = (kind: 'load-balancer' | 'target-group', { account, region }: Place, name: string): Key =>
  under('elasticloadbalancing', kind, account, region, name)
