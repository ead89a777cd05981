/** What gateways know: load balancers with what they need to serve, filter and forward requests. */
import type { Call } from '../../kernel/gate/call.ts'
import {
  GATEWAY,
  GATEWAY_VERSION,
  type GatewayContent,
  type GatewaySecrets,
  type PublishedAction,
  type PublishedCondition,
  type PublishedListener,
  type PublishedLoadBalancer,
  type PublishedTarget,
  type PublishedTargetGroup,
} from '../../kernel/planes/gateway-content.ts'
import { isInScope, scopeName } from '../../kernel/planes/plane-scope.ts'
import { planeSecrets, recipientsOf } from '../../kernel/planes/sealed-secrets.ts'
import type { SnapshotSource } from '../../kernel/planes/snapshot.ts'
import { CERTIFICATE_DOCUMENTS, certificates } from '../../kernel/ports/certificates.ts'
import { MACHINE_DOCUMENTS, network } from '../../kernel/ports/network.ts'
import { MissingPortError, type Use } from '../../kernel/ports/port.ts'
import { WEB_ACL_DOCUMENTS, webAcls } from '../../kernel/ports/web-acls.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import {
  attribute,
  listenerAttributes,
  loadBalancerAttributes,
  shownAttributes,
  targetGroupAttributes,
} from './attributes.ts'
import {
  type Action,
  type Condition,
  type ListenerRow,
  type LoadBalancerRow,
  listener,
  loadBalancer,
  type RuleRow,
  type TargetGroupRow,
  targetGroup,
} from './resources.ts'
import { sslPolicyNamed } from './ssl-policies.ts'

const PARTITION = 'aws'
const inKind = (kind: string) => under('elasticloadbalancing', kind)

export const gatewaySnapshot: SnapshotSource<GatewayContent> = {
  plane: GATEWAY,
  version: GATEWAY_VERSION,
  from: [
    ...['load-balancer', 'listener', 'rule', 'target-group'].map(inKind),
    ...WEB_ACL_DOCUMENTS,
    CERTIFICATE_DOCUMENTS,
    MACHINE_DOCUMENTS,
    recipientsOf(GATEWAY),
  ],
  isScoped: true,
  compute: async (reader, use, scope) => {
    const all = async <R extends object>(kind: string): Promise<readonly R[]> =>
      (await reader.range<R>(inKind(kind))).map(({ document }) => document)
    const balancers = (await all<LoadBalancerRow>('load-balancer')).filter((row) =>
      isInScope(scope, loadBalancer.arnOf(scopeOf(row), row)),
    )
    const ofBalancers = (row: ListenerRow | RuleRow) => balancers.some((balancer) => isOf(row, balancer))
    const listeners = (await all<ListenerRow>('listener')).filter(ofBalancers)
    const rules = (await all<RuleRow>('rule')).filter(ofBalancers)
    const used = new Set(rules.flatMap(({ actions }) => actions.flatMap(groupsOf)))
    const groups = (await all<TargetGroupRow>('target-group')).filter(
      (row) => scope === undefined || used.has(targetGroup.arnOf(scopeOf(row), row)),
    )
    const certified = await certificatesOf(reader, use, [...new Set(listeners.flatMap((row) => row.certificates))])
    const secrets: GatewaySecrets = {
      privateKeys: Object.fromEntries(certified.map(({ arn, privateKey }) => [arn, privateKey])),
      // The key makes tokens: gateways of another scope have another one.
      tokenKey: use(planeSecrets).derive(
        GATEWAY,
        scope ? `web ACL tokens 1 of ${scopeName(scope)}` : 'web ACL tokens 1',
      ),
    }
    const published: PublishedLoadBalancer[] = []
    for (const row of balancers) {
      const own = listeners.filter((each) => isOf(each, row))
      if (own.length > 0) published.push(await publishedBalancer(reader, use, row, own, rules))
    }
    const targetGroups: PublishedTargetGroup[] = []
    for (const row of groups) targetGroups.push(await publishedGroup(reader, use, row))
    return {
      loadBalancers: published,
      targetGroups,
      certificates: Object.fromEntries(certified.map(({ arn, chain }) => [arn, chain])),
      secrets: await use(planeSecrets).seal(reader, GATEWAY, secrets, scope),
    }
  },
}

const groupsOf = ({ ForwardConfig }: Action): readonly string[] =>
  (ForwardConfig?.TargetGroups ?? []).flatMap(({ TargetGroupArn }) => TargetGroupArn ?? [])

const isOf = (row: ListenerRow | RuleRow, balancer: LoadBalancerRow): boolean =>
  row.account === balancer.account &&
  row.region === balancer.region &&
  row.loadBalancerName === balancer.name &&
  row.loadBalancerId === balancer.id

async function certificatesOf(reader: Reader, use: Use, arns: readonly string[]) {
  const found = []
  for (const arn of arns) {
    const read = await use(certificates).read(reader, arn)
    if (read) found.push({ arn, chain: read.chain, privateKey: read.privateKey })
  }
  return found
}

const scopeOf = ({ account, region }: Pick<Call, 'account' | 'region'>) => ({ partition: PARTITION, account, region })

async function publishedBalancer(
  reader: Reader,
  use: Use,
  row: LoadBalancerRow,
  listeners: readonly ListenerRow[],
  rules: readonly RuleRow[],
): Promise<PublishedLoadBalancer> {
  const arn = loadBalancer.arnOf(scopeOf(row), row)
  const webAcl = await webAclOf(reader, use, arn)
  return {
    arn,
    account: row.account,
    dnsName: row.dnsName,
    attributes: Object.fromEntries(
      shownAttributes(loadBalancerAttributes, row.attributes).map(({ Key, Value }) => [Key, Value]),
    ),
    listeners: listeners.map((each) =>
      publishedListener(
        each,
        rules.filter((rule) => isOf(rule, row) && rule.listenerId === each.id),
      ),
    ),
    ...(webAcl && { webAcl }),
  }
}

/** A server without wafv2 filters nothing; any other failure keeps the snapshot from being made. */
async function webAclOf(reader: Reader, use: Use, arn: string) {
  try {
    return await use(webAcls).publishedFor(reader, arn)
  } catch (error) {
    if (error instanceof MissingPortError) return undefined
    throw error
  }
}

function publishedListener(row: ListenerRow, rules: readonly RuleRow[]): PublishedListener {
  const policy = row.sslPolicy === undefined ? undefined : sslPolicyNamed(row.sslPolicy)
  const last = Number.POSITIVE_INFINITY
  return {
    arn: listener.arnOf(scopeOf(row), row),
    port: row.port,
    protocol: row.protocol,
    certificates: row.certificates,
    ...(policy && { tls: { protocols: policy.protocols, ciphers: policy.ciphers } }),
    rules: [...rules]
      .sort((a, b) => (a.priority ?? last) - (b.priority ?? last))
      .map(({ conditions, actions }) => ({
        conditions: conditions.map(publishedCondition),
        action: publishedAction(actions[0]!),
      })),
    attributes: Object.fromEntries(
      shownAttributes(listenerAttributes(row.protocol), row.attributes).map(({ Key, Value }) => [Key, Value]),
    ),
  }
}

function publishedCondition(condition: Condition): PublishedCondition {
  const { Field, Values = [] } = condition
  switch (Field) {
    case 'http-header': {
      const { HttpHeaderName: name = '', Values: values = [] } = condition.HttpHeaderConfig ?? {}
      return { field: 'http-header', name, values }
    }
    case 'http-request-method':
      return { field: Field, values: condition.HttpRequestMethodConfig?.Values ?? [] }
    case 'source-ip':
      return { field: Field, values: condition.SourceIpConfig?.Values ?? [] }
    case 'query-string': {
      const pairs = condition.QueryStringConfig?.Values ?? []
      return {
        field: Field,
        values: pairs.map(({ Key, Value = '' }) => ({ ...(Key !== undefined && { key: Key }), value: Value })),
      }
    }
    default:
      return { field: Field as 'host-header' | 'path-pattern', values: Values }
  }
}

function publishedAction({ Type, ForwardConfig, RedirectConfig, FixedResponseConfig }: Action): PublishedAction {
  if (Type === 'redirect') {
    const { StatusCode, Protocol = '', Host = '', Port = '', Path = '', Query = '' } = RedirectConfig!
    const status = StatusCode === 'HTTP_301' ? 301 : 302
    return { type: 'redirect', status, protocol: Protocol, host: Host, port: Port, path: Path, query: Query }
  }
  if (Type === 'fixed-response') {
    const { StatusCode, ContentType, MessageBody } = FixedResponseConfig!
    return {
      type: 'fixed-response',
      status: Number(StatusCode),
      ...(ContentType !== undefined && { contentType: ContentType }),
      ...(MessageBody !== undefined && { body: MessageBody }),
    }
  }
  const { TargetGroups = [], TargetGroupStickinessConfig: sticky } = ForwardConfig!
  return {
    type: 'forward',
    groups: TargetGroups.map(({ TargetGroupArn = '', Weight = 1 }) => ({ arn: TargetGroupArn, weight: Weight })),
    ...(sticky?.Enabled && { stickySeconds: sticky.DurationSeconds ?? 3_600 }),
  }
}

async function publishedGroup(reader: Reader, use: Use, row: TargetGroupRow): Promise<PublishedTargetGroup> {
  const { healthCheck } = row
  const value = (name: string) => attribute(targetGroupAttributes, row.attributes, name)
  const targets: PublishedTarget[] = []
  for (const target of row.targets) {
    const machine = row.targetType === 'instance' ? await use(network).machine(reader, row, target.id) : undefined
    const address = row.targetType === 'instance' ? machine?.isRunning && machine.address : target.id
    if (!address) continue
    const isDraining = target.deregisteredAt !== undefined
    targets.push({ name: `${target.id}:${target.port}`, address, port: target.port, isDraining })
  }
  return {
    arn: targetGroup.arnOf(scopeOf(row), row),
    protocol: row.protocol,
    healthCheck: {
      protocol: healthCheck.protocol,
      ...(healthCheck.port !== 'traffic-port' && { port: Number(healthCheck.port) }),
      path: healthCheck.path,
      intervalSeconds: healthCheck.intervalSeconds,
      timeoutSeconds: healthCheck.timeoutSeconds,
      healthyCount: healthCheck.healthyCount,
      unhealthyCount: healthCheck.unhealthyCount,
      codes: healthCheck.codes,
    },
    algorithm: value('load_balancing.algorithm.type'),
    ...(value('stickiness.enabled') === 'true' && {
      stickySeconds: Number(value('stickiness.lb_cookie.duration_seconds')),
    }),
    targets,
  }
}
