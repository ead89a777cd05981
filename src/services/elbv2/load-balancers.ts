/** Application load balancers: created, described, placed and deleted. */
import type { Call } from '../../kernel/gate/call.ts'
import { certificates } from '../../kernel/ports/certificates.ts'
import { network } from '../../kernel/ports/network.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { changedAttributes, loadBalancerAttributes, shownAttributes } from './attributes.ts'
import { checkedAddressType, checkedGroups, placedSubnets } from './network.ts'
import {
  badMarker,
  below,
  elb,
  invalid,
  type ListenerRow,
  type LoadBalancerRow,
  listener,
  loadBalancer,
  newId,
  notImplemented,
  withName,
} from './resources.ts'

export const PAGE_MAX = 400

/** Source: https://docs.aws.amazon.com/general/latest/gr/elb.html */
const HOSTED_ZONES: Readonly<Record<string, string>> = {
  'us-east-1': 'Z35SXDOTRQ7X7K',
  'us-east-2': 'Z3AADJGX6KTTL2',
  'us-west-1': 'Z368ELLRRE2KJ0',
  'us-west-2': 'Z1H1FL5HABSF5',
  'ap-northeast-1': 'Z14GRHDCWA56QT',
  'ap-southeast-1': 'Z1LMS91P8CMLE5',
  'ap-southeast-2': 'Z1GM3OXH4ZPM65',
  'ca-central-1': 'ZQSVJUPU6J1EY',
  'eu-central-1': 'Z215JYRZR1TBD5',
  'eu-west-1': 'Z32O12XQLNTSW2',
  'eu-west-2': 'ZHURV8PSTC4K8',
  'eu-west-3': 'Z3Q77PNBQS71R4',
}

/** Names of `localhost` lead to the loopback interface on every machine (RFC 6761 §6.3): the gateway of one machine is there. */
function dnsNameOf(call: Call, name: string, scheme: LoadBalancerRow['scheme']): string {
  const { hostname } = new URL(call.origin)
  const isOwn = /^(localhost|[\d.]+|\[.*\])$/.test(hostname)
  const domain = isOwn ? 'elb.localhost' : `elb.${hostname}`
  return `${scheme === 'internal' ? 'internal-' : ''}${name}-${newId().slice(0, 10)}.${call.region}.${domain}`.toLowerCase()
}

export const shownLoadBalancer = (call: Call, row: LoadBalancerRow) => ({
  LoadBalancerArn: loadBalancer.arnOf(call, row),
  DNSName: row.dnsName,
  CanonicalHostedZoneId: HOSTED_ZONES[row.region] ?? 'Z35SXDOTRQ7X7K',
  CreatedTime: new Date(row.createdAt),
  LoadBalancerName: row.name,
  Scheme: row.scheme,
  VpcId: row.vpcId,
  State: { Code: 'active' as const },
  Type: 'application' as const,
  AvailabilityZones: row.subnets.map(({ id, zone }) => ({ ZoneName: zone, SubnetId: id, LoadBalancerAddresses: [] })),
  SecurityGroups: [...row.securityGroups],
  IpAddressType: row.ipAddressType,
})

function checkName(name: string): void {
  if (name.length > 32) throw invalid(`The load balancer name '${name}' cannot be longer than '32' characters`)
  if (!/^[A-Za-z0-9-]+$/.test(name))
    throw invalid(
      `The load balancer name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`,
    )
  if (/^-|-$/.test(name)) throw invalid(`The load balancer name '${name}' cannot begin or end with a hyphen(-)`)
  if (name.startsWith('internal-')) throw invalid(`The load balancer name '${name}' cannot begin with 'internal-'`)
}

export const createLoadBalancer = elb
  .operation('CreateLoadBalancer')
  .on(
    loadBalancer.created((input) => {
      checkName(input.Name ?? '')
      return { LoadBalancerName: input.Name ?? '', LoadBalancerId: newId() }
    }),
  )
  .run(async (call, input, { id, tags, create }) => {
    if (input.Type !== undefined && input.Type !== 'application')
      throw notImplemented(`load balancers of type '${input.Type}'`)
    if (input.CustomerOwnedIpv4Pool !== undefined || input.IpamPools !== undefined)
      throw notImplemented('address pools of load balancers')
    const scheme = input.Scheme ?? 'internet-facing'
    const ipAddressType = checkedAddressType(input.IpAddressType)
    const { vpcId, subnets } = await placedSubnets(call, input)
    const securityGroups = await checkedGroups(call, vpcId, input.SecurityGroups)
    const [known] = await call.unit.range<LoadBalancerRow>(withName('load-balancer', call, input.Name!))
    if (known) {
      const row = known.document
      const isSame =
        row.scheme === scheme &&
        sameSet(row.securityGroups, securityGroups) &&
        sameSet(
          row.subnets.map(({ id: each }) => each),
          subnets.map(({ id: each }) => each),
        )
      if (isSame) return { LoadBalancers: [shownLoadBalancer(call, row)] }
      throw elb.fail(
        'DuplicateLoadBalancerNameException',
        `A load balancer with the same name '${input.Name}' exists, but with different settings`,
      )
    }
    const max = call.quotas['elasticloadbalancing/ApplicationLoadBalancersPerRegion']!
    if ((await loadBalancer.list(call.unit, call, { limit: max })).length >= max)
      throw elb.fail('TooManyLoadBalancersException', `The maximum number of load balancers, ${max}, has been reached`)
    const row = create({
      account: call.account,
      region: call.region,
      name: input.Name!,
      id: id.LoadBalancerId,
      createdAt: call.now,
      scheme,
      dnsName: dnsNameOf(call, input.Name!, scheme),
      vpcId,
      ipAddressType,
      subnets,
      securityGroups,
      attributes: {},
      tags,
    })
    await placeInterfaces(call, row)
    return { LoadBalancers: [shownLoadBalancer(call, row)] }
  })

/** As AWS describes them; gateways have addresses of their own, and these say where the load balancer is in its network. */
async function placeInterfaces(call: Call, row: LoadBalancerRow, subnets = row.subnets): Promise<void> {
  await call.use(network).placeInterfaces(call, {
    description: `ELB app/${row.name}/${row.id}`,
    requester: 'amazon-elb',
    subnets: subnets.map(({ id }) => id),
    groups: row.securityGroups,
    isPublic: row.scheme === 'internet-facing',
  })
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each) => b.includes(each))

export const describeLoadBalancers = elb
  .operation('DescribeLoadBalancers')
  .on(anything)
  .run(async (call, input) => {
    const { LoadBalancerArns: arns, Names: names, Marker, PageSize } = input
    if (arns?.length && names?.length)
      throw invalid('Load balancer names and load balancer ARNs cannot be specified at the same time')
    const rows = (await loadBalancer.list(call.unit, call)).map(({ document }) => document)
    const byArn = new Map(rows.map((row) => [loadBalancer.arnOf(call, row), row]))
    const absent = arns?.filter((arn) => !byArn.has(arn)) ?? []
    if (absent.length > 0)
      throw elb.fail('LoadBalancerNotFoundException', `Load balancers '[${absent.join(', ')}]' not found`)
    const missing = names?.filter((name) => !rows.some((row) => row.name === name)) ?? []
    if (missing.length > 0)
      throw elb.fail('LoadBalancerNotFoundException', `Load balancers '[${missing.join(', ')}]' not found`)
    const wanted = rows.filter(
      (row) =>
        (!arns?.length || arns.includes(loadBalancer.arnOf(call, row))) && (!names?.length || names.includes(row.name)),
    )
    const { items, next } = await pageOf(call, wanted, (row) => `${row.name} ${row.id}`, {
      token: Marker,
      size: PageSize ?? PAGE_MAX,
      query: { arns, names },
      bad: badMarker,
    })
    return {
      LoadBalancers: items.map((row) => shownLoadBalancer(call, row)),
      ...(next !== undefined && { NextMarker: next }),
    }
  })

/** Idempotent, as AWS documents it; its listeners and their rules go with it. */
export const deleteLoadBalancer = elb
  .operation('DeleteLoadBalancer')
  .on(loadBalancer.optional('LoadBalancerArn'))
  .run(async (call, _input, found) => {
    if (!found) return {}
    const { row, arn, remove } = found
    if (row.attributes['deletion_protection.enabled'] === 'true')
      throw elb.fail(
        'OperationNotPermittedException',
        `Load balancer '${arn}' cannot be deleted because deletion protection is enabled`,
      )
    for (const { document } of await call.unit.range<ListenerRow>(below('listener', call, row.name, row.id)))
      await removeListener(call, document)
    await placeInterfaces(call, row, [])
    remove()
    return {}
  })

/** With its rules; its certificates are no longer in use by the load balancer, unless another listener has them. */
export async function removeListener(call: Call, row: ListenerRow): Promise<void> {
  const ids = [row.loadBalancerName, row.loadBalancerId, row.id]
  for (const { key } of await call.unit.range(below('rule', call, ...ids))) call.unit.delete(key)
  call.unit.delete(listener.key(call, listener.spec.idOf!(row)))
  await certificatesChanged(call, row, row.certificates, [])
}

/** Keeps `InUseBy` of ACM's certificates: they name the load balancer. */
export async function certificatesChanged(
  call: Call,
  row: ListenerRow,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const owner = { LoadBalancerName: row.loadBalancerName, LoadBalancerId: row.loadBalancerId }
  const usedBy = loadBalancer.arn(call, owner)
  const rows = await call.unit.range<ListenerRow>(below('listener', call, row.loadBalancerName, row.loadBalancerId))
  const others = rows.filter(({ document }) => document.id !== row.id).flatMap(({ document }) => document.certificates)
  const port = call.use(certificates)
  for (const arn of before.filter((each) => !after.includes(each) && !others.includes(each)))
    await port.setUse(call.unit, arn, usedBy, false)
  for (const arn of after) await port.setUse(call.unit, arn, usedBy, true)
}

export const setSubnets = elb
  .operation('SetSubnets')
  .on(loadBalancer.named('LoadBalancerArn'))
  .run(async (call, input, { row, save }) => {
    const ipAddressType = checkedAddressType(input.IpAddressType ?? row.ipAddressType)
    const { vpcId, subnets } = await placedSubnets(call, input)
    if (vpcId !== row.vpcId)
      throw elb.fail('InvalidSubnetException', 'The subnets do not belong to the VPC of the load balancer')
    const saved = save({ ...row, subnets, ipAddressType })
    await placeInterfaces(call, saved)
    const { AvailabilityZones, IpAddressType } = shownLoadBalancer(call, saved)
    return { AvailabilityZones, IpAddressType }
  })

export const setSecurityGroups = elb
  .operation('SetSecurityGroups')
  .on(loadBalancer.named('LoadBalancerArn'))
  .run(async (call, input, { row, save }) => {
    const securityGroups = await checkedGroups(call, row.vpcId, input.SecurityGroups)
    await placeInterfaces(call, save({ ...row, securityGroups }))
    return { SecurityGroupIds: [...securityGroups] }
  })

export const setIpAddressType = elb
  .operation('SetIpAddressType')
  .on(loadBalancer.named('LoadBalancerArn'))
  .run((_call, input, { row, save }) => {
    const ipAddressType = checkedAddressType(input.IpAddressType)
    save({ ...row, ipAddressType })
    return { IpAddressType: ipAddressType }
  })

export const describeLoadBalancerAttributes = elb
  .operation('DescribeLoadBalancerAttributes')
  .on(anything)
  .run(async (call, input) => {
    const row = await ofOwnAccount(call, input.LoadBalancerArn ?? '')
    return { Attributes: shownAttributes(loadBalancerAttributes, row.attributes) }
  })

/** The operation is authorized on `*`: other accounts' load balancers are not found. */
export async function ofOwnAccount(call: Call, arn: string): Promise<LoadBalancerRow> {
  const { row, missing } = await loadBalancer.find(call, arn, {}, { ownAccount: true })
  if (!row) throw missing!()
  return row.row
}

export const modifyLoadBalancerAttributes = elb
  .operation('ModifyLoadBalancerAttributes')
  .on(loadBalancer.named('LoadBalancerArn'))
  .run((_call, input, { row, save }) => {
    const attributes = changedAttributes(loadBalancerAttributes, row.attributes, input.Attributes)
    save({ ...row, attributes })
    return { Attributes: shownAttributes(loadBalancerAttributes, attributes) }
  })

/** Merlon reserves no capacity: Terraform's provider reads it with each load balancer. */
export const describeCapacityReservation = elb
  .operation('DescribeCapacityReservation')
  .on(anything)
  .run(async (call, input) => {
    await ofOwnAccount(call, input.LoadBalancerArn ?? '')
    return { DecreaseRequestsRemaining: 2, CapacityReservationState: [] }
  })
