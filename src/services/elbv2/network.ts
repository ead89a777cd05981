/** Where a load balancer is placed: its subnets and security groups, checked. */
import type { Call } from '../../kernel/gate/call.ts'
import { network } from '../../kernel/ports/network.ts'
import { elb, invalid, type LoadBalancerRow, notImplemented } from './resources.ts'

interface SubnetsInput {
  readonly Subnets?: readonly string[] | undefined
  readonly SubnetMappings?:
    | readonly {
        readonly SubnetId?: string | undefined
        readonly AllocationId?: string | undefined
        readonly PrivateIPv4Address?: string | undefined
        readonly IPv6Address?: string | undefined
      }[]
    | undefined
}

export interface PlacedSubnets {
  readonly vpcId: string
  readonly subnets: LoadBalancerRow['subnets']
}

/** Throws for subnets that are missing, in several VPCs, or two in one Availability Zone. */
export async function placedSubnets(call: Call, { Subnets, SubnetMappings }: SubnetsInput): Promise<PlacedSubnets> {
  if (Subnets?.length && SubnetMappings?.length) throw invalid('You must specify either subnets or subnet mappings.')
  if (SubnetMappings?.some((each) => each.AllocationId ?? each.PrivateIPv4Address ?? each.IPv6Address))
    throw elb.fail(
      'InvalidConfigurationRequestException',
      'Addresses of subnet mappings are not supported for load balancers with type application',
    )
  const ids = [...new Set(Subnets?.length ? Subnets : (SubnetMappings ?? []).map(({ SubnetId = '' }) => SubnetId))]
  if (ids.length === 0) throw invalid('At least two subnets in two different Availability Zones must be specified')
  const found = []
  for (const id of ids) {
    const subnet = await call.use(network).subnet(call.unit, call, id)
    if (!subnet) throw elb.fail('SubnetNotFoundException', `The subnet ID '${id}' does not exist`)
    found.push(subnet)
  }
  const [{ vpcId }] = found as [(typeof found)[0]]
  if (found.some((subnet) => subnet.vpcId !== vpcId))
    throw elb.fail('InvalidConfigurationRequestException', 'All subnets must belong to the same VPC')
  const zones = new Set(found.map(({ zone }) => zone))
  if (zones.size < found.length)
    throw elb.fail(
      'InvalidConfigurationRequestException',
      'A load balancer cannot be attached to multiple subnets in the same Availability Zone',
    )
  if (zones.size < 2) throw invalid('At least two subnets in two different Availability Zones must be specified')
  return { vpcId, subnets: found.map(({ id, zone }) => ({ id, zone })) }
}

/** Without any, the default group of the VPC. */
export async function checkedGroups(
  call: Call,
  vpcId: string,
  ids: readonly string[] | undefined,
): Promise<readonly string[]> {
  const port = call.use(network)
  if (!ids?.length) {
    const own = await port.defaultSecurityGroup(call.unit, call, vpcId)
    return own === undefined ? [] : [own]
  }
  for (const id of new Set(ids)) {
    const group = await port.securityGroup(call.unit, call, id)
    if (!group) throw elb.fail('InvalidSecurityGroupException', `The security group '${id}' does not exist`)
    if (group.vpcId !== vpcId)
      throw elb.fail(
        'InvalidConfigurationRequestException',
        'One or more security groups are invalid: they belong to another VPC',
      )
  }
  return [...new Set(ids)]
}

export function checkedAddressType(type: string | undefined): LoadBalancerRow['ipAddressType'] {
  if (type === undefined || type === 'ipv4') return 'ipv4'
  throw notImplemented(`the address type '${type}' of load balancers`)
}
