/** Target groups: where requests are forwarded to, and how the health of targets is checked. */
import type { Call } from '../../kernel/gate/call.ts'
import { network } from '../../kernel/ports/network.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { groupsIn, targetGroupOf } from './actions.ts'
import { changedAttributes, shownAttributes, targetGroupAttributes } from './attributes.ts'
import { PAGE_MAX } from './load-balancers.ts'
import {
  badMarker,
  elb,
  type HealthCheck,
  invalid,
  loadBalancer,
  newId,
  notImplemented,
  type RuleRow,
  type TargetGroupRow,
  targetGroup,
  withName,
} from './resources.ts'

/** Target group → ARNs of the load balancers that forward to it, of an account in a Region. */
export async function groupUses(
  reader: Pick<Reader, 'range'>,
  scope: Pick<Call, 'partition' | 'account' | 'region'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const uses = new Map<string, Set<string>>()
  // Default rules have the actions of their listeners.
  const rows = await reader.range<RuleRow>(under('elasticloadbalancing', 'rule', scope.account, scope.region))
  for (const { document } of rows) {
    const owner = { LoadBalancerName: document.loadBalancerName, LoadBalancerId: document.loadBalancerId }
    for (const arn of groupsIn(document.actions)) {
      const known = uses.get(arn) ?? new Set()
      uses.set(arn, known.add(loadBalancer.arn(scope, owner)))
    }
  }
  return new Map([...uses].map(([arn, owners]) => [arn, [...owners]]))
}

export const shownTargetGroup = (call: Call, row: TargetGroupRow, uses: ReadonlyMap<string, readonly string[]>) => {
  const arn = targetGroup.arnOf(call, row)
  const { healthCheck } = row
  return {
    TargetGroupArn: arn,
    TargetGroupName: row.name,
    Protocol: row.protocol,
    Port: row.port,
    VpcId: row.vpcId,
    HealthCheckProtocol: healthCheck.protocol,
    HealthCheckPort: healthCheck.port,
    HealthCheckEnabled: healthCheck.isEnabled,
    HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
    HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
    HealthyThresholdCount: healthCheck.healthyCount,
    UnhealthyThresholdCount: healthCheck.unhealthyCount,
    HealthCheckPath: healthCheck.path,
    Matcher: row.protocolVersion === 'GRPC' ? { GrpcCode: healthCheck.codes } : { HttpCode: healthCheck.codes },
    LoadBalancerArns: [...(uses.get(arn) ?? [])],
    TargetType: row.targetType,
    ProtocolVersion: row.protocolVersion,
    IpAddressType: row.ipAddressType,
  }
}

interface HealthInput {
  readonly HealthCheckProtocol?: string | undefined
  readonly HealthCheckPort?: string | undefined
  readonly HealthCheckEnabled?: boolean | undefined
  readonly HealthCheckPath?: string | undefined
  readonly HealthCheckIntervalSeconds?: number | undefined
  readonly HealthCheckTimeoutSeconds?: number | undefined
  readonly HealthyThresholdCount?: number | undefined
  readonly UnhealthyThresholdCount?: number | undefined
  readonly Matcher?: { readonly HttpCode?: string | undefined; readonly GrpcCode?: string | undefined } | undefined
}

const HEALTH_DEFAULTS: HealthCheck = {
  isEnabled: true,
  protocol: 'HTTP',
  port: 'traffic-port',
  path: '/',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyCount: 5,
  unhealthyCount: 2,
  codes: '200',
}

function checkedHealth(input: HealthInput, before: HealthCheck): HealthCheck {
  const protocol = input.HealthCheckProtocol ?? before.protocol
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') throw invalid(`Health check protocol '${protocol}' is not supported`)
  const check: HealthCheck = {
    isEnabled: input.HealthCheckEnabled ?? before.isEnabled,
    protocol,
    port: input.HealthCheckPort ?? before.port,
    path: input.HealthCheckPath ?? before.path,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? before.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? before.timeoutSeconds,
    healthyCount: input.HealthyThresholdCount ?? before.healthyCount,
    unhealthyCount: input.UnhealthyThresholdCount ?? before.unhealthyCount,
    codes: input.Matcher?.HttpCode ?? before.codes,
  }
  if (check.port !== 'traffic-port' && !(/^\d{1,5}$/.test(check.port) && isPort(Number(check.port))))
    throw invalid(`Health check port '${check.port}' must be 'traffic-port' or a number from 1 to 65535`)
  if (!/^\/[\x21-\x7e]*$/.test(check.path)) throw invalid(`Health check path '${check.path}' must start with '/'`)
  if (check.timeoutSeconds >= check.intervalSeconds)
    throw invalid('Health check interval must be greater than the timeout.')
  if (!check.isEnabled) throw invalid('Health checks cannot be disabled for targets of type instance or ip')
  if (!codeRanges(check.codes)) throw invalid(`Health check matcher HTTP code '${check.codes}' is not valid`)
  return check
}

const isPort = (port: number): boolean => port >= 1 && port <= 65_535

/** Codes from 200 to 499: `200`, `200,202`, `200-299`. */
function codeRanges(text: string): boolean {
  if (text.length > 100) return false
  return text.split(',').every((part) => {
    const [, from, to] = /^(\d{3})(?:-(\d{3}))?$/.exec(part) ?? []
    const [low, high] = [Number(from), Number(to ?? from)]
    return low >= 200 && high <= 499 && low <= high
  })
}

function checkName(name: string): void {
  if (name.length > 32) throw invalid(`Target group name '${name}' cannot be longer than '32' characters`)
  if (!/^[A-Za-z0-9-]+$/.test(name))
    throw invalid(
      `Target group name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`,
    )
  if (/^-|-$/.test(name)) throw invalid(`Target group name '${name}' cannot begin or end with a hyphen(-)`)
}

export const createTargetGroup = elb
  .operation('CreateTargetGroup')
  .on(
    targetGroup.created((input) => {
      checkName(input.Name ?? '')
      return { TargetGroupName: input.Name ?? '', TargetGroupId: newId() }
    }),
  )
  .run(async (call, input, { id, tags, create }) => {
    const targetType = input.TargetType ?? 'instance'
    if (targetType !== 'ip' && targetType !== 'instance') throw notImplemented(`targets of type '${targetType}'`)
    const { Protocol: protocol, Port: port, VpcId: vpcId } = input
    // Terraform's provider sends an empty text where none is configured.
    const version = input.ProtocolVersion || 'HTTP1'
    if (protocol === undefined) throw invalid('A protocol must be specified')
    if (protocol !== 'HTTP' && protocol !== 'HTTPS') throw notImplemented(`target groups with protocol '${protocol}'`)
    if (version !== 'HTTP1') throw notImplemented(`target groups with protocol version '${version}'`)
    if (input.IpAddressType === 'ipv6') throw notImplemented('target groups with IPv6 targets')
    if (port === undefined) throw invalid('A port must be specified')
    if (vpcId === undefined) throw invalid('A VPC ID must be specified')
    if (!(await call.use(network).vpc(call.unit, call, vpcId))) throw invalid(`The VPC ID '${vpcId}' is not found`)
    const healthCheck = checkedHealth(input, HEALTH_DEFAULTS)
    const settings = { targetType, protocol, protocolVersion: version, port, vpcId, healthCheck } as const
    const [known] = await call.unit.range<TargetGroupRow>(withName('target-group', call, input.Name!))
    if (known) {
      const row = known.document
      const same = Object.entries(settings).every(
        ([name, value]) => JSON.stringify(row[name as keyof TargetGroupRow]) === JSON.stringify(value),
      )
      if (same) return { TargetGroups: [shownTargetGroup(call, row, await groupUses(call.unit, call))] }
      throw elb.fail(
        'DuplicateTargetGroupNameException',
        `A target group with the same name '${input.Name}' exists, but with different settings`,
      )
    }
    const max = call.quotas['elasticloadbalancing/TargetGroupsPerRegion']!
    if ((await targetGroup.list(call.unit, call, { limit: max })).length >= max)
      throw elb.fail('TooManyTargetGroupsException', `The maximum number of target groups, ${max}, has been reached`)
    const row = create({
      account: call.account,
      region: call.region,
      name: input.Name!,
      id: id.TargetGroupId,
      ...settings,
      ipAddressType: 'ipv4',
      attributes: {},
      targets: [],
      tags,
    })
    return { TargetGroups: [shownTargetGroup(call, row, new Map())] }
  })

export const describeTargetGroups = elb
  .operation('DescribeTargetGroups')
  .on(anything)
  .run(async (call, input) => {
    const { TargetGroupArns: arns, Names: names, LoadBalancerArn, Marker, PageSize } = input
    if ([arns?.length, names?.length, LoadBalancerArn].filter(Boolean).length > 1)
      throw invalid('Specify only one of target group ARNs, target group names and a load balancer ARN')
    if (LoadBalancerArn !== undefined) {
      const { row, missing } = await loadBalancer.find(call, LoadBalancerArn, {}, { ownAccount: true })
      if (!row) throw missing!()
    }
    const uses = await groupUses(call.unit, call)
    const rows = (await targetGroup.list(call.unit, call)).map(({ document }) => document)
    const arnOf = (row: TargetGroupRow) => targetGroup.arnOf(call, row)
    const absent = [
      ...(arns ?? []).filter((arn) => !rows.some((row) => arnOf(row) === arn)),
      ...(names ?? []).filter((name) => !rows.some((row) => row.name === name)),
    ]
    if (absent.length > 0) throw elb.fail('TargetGroupNotFoundException', 'One or more target groups not found')
    const wanted = rows.filter(
      (row) =>
        (!arns?.length || arns.includes(arnOf(row))) &&
        (!names?.length || names.includes(row.name)) &&
        (LoadBalancerArn === undefined || uses.get(arnOf(row))?.includes(LoadBalancerArn)),
    )
    const { items, next } = await pageOf(call, wanted, ({ name }) => name, {
      token: Marker,
      size: PageSize ?? PAGE_MAX,
      query: { arns, names, LoadBalancerArn },
      bad: badMarker,
    })
    return {
      TargetGroups: items.map((row) => shownTargetGroup(call, row, uses)),
      ...(next !== undefined && { NextMarker: next }),
    }
  })

export const modifyTargetGroup = elb
  .operation('ModifyTargetGroup')
  .on(targetGroup.named('TargetGroupArn'))
  .run(async (call, input, { row, save }) => {
    const changed = save({ ...row, healthCheck: checkedHealth(input, row.healthCheck) })
    return { TargetGroups: [shownTargetGroup(call, changed, await groupUses(call.unit, call))] }
  })

/** Idempotent, as AWS documents it. */
export const deleteTargetGroup = elb
  .operation('DeleteTargetGroup')
  .on(targetGroup.optional('TargetGroupArn'))
  .run(async (call, _input, found) => {
    if (!found) return {}
    if ((await groupUses(call.unit, call)).has(found.arn))
      throw elb.fail(
        'ResourceInUseException',
        `Target group '${found.arn}' is currently in use by a listener or a rule`,
      )
    found.remove()
    return {}
  })

export const describeTargetGroupAttributes = elb
  .operation('DescribeTargetGroupAttributes')
  .on(anything)
  .run(async (call, input) => {
    const { attributes } = await targetGroupOf(call, input.TargetGroupArn ?? '')
    return { Attributes: shownAttributes(targetGroupAttributes, attributes) }
  })

export const modifyTargetGroupAttributes = elb
  .operation('ModifyTargetGroupAttributes')
  .on(targetGroup.named('TargetGroupArn'))
  .run((_call, input, { row, save }) => {
    const attributes = changedAttributes(targetGroupAttributes, row.attributes, input.Attributes)
    save({ ...row, attributes })
    return { Attributes: shownAttributes(targetGroupAttributes, attributes) }
  })
