/** VPC endpoints: gateways in route tables, and interfaces in subnets. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import { nothing, op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid } from './faults.ts'
import { createInterface, groupsIn, removeInterface } from './interface-rows.ts'
import { networkInterface, prefixList, routeTable, securityGroup, subnet, vpc, vpcEndpoint } from './resources.ts'
import { zonesOf } from './zones.ts'

/** The services that Merlon is, and others that networks of AWS often have endpoints for. */
const SERVICES = [
  's3',
  'dynamodb',
  'access-analyzer',
  'acm-pca',
  'athena',
  'autoscaling',
  'backup',
  'batch',
  'cloudformation',
  'cloudtrail',
  'codebuild',
  'cognito-idp',
  'config',
  'ec2',
  'ecr.api',
  'ecr.dkr',
  'ecs',
  'ecs-agent',
  'ecs-telemetry',
  'eks',
  'elasticache',
  'elasticfilesystem',
  'elasticloadbalancing',
  'events',
  'execute-api',
  'firehose',
  'glue',
  'guardduty-data',
  'inspector2',
  'kinesis-streams',
  'kms',
  'lambda',
  'logs',
  'monitoring',
  'organizations',
  'rds',
  'rds-data',
  'redshift',
  'sagemaker.api',
  'sagemaker.runtime',
  'secretsmanager',
  'securityhub',
  'sns',
  'sqs',
  'ssm',
  'ssmmessages',
  'ec2messages',
  'states',
  'sts',
  'wafv2',
  'xray',
] as const
const WITH_GATEWAYS: readonly string[] = ['s3', 'dynamodb']

const fullName = (call: Call, service: string) => `com.amazonaws.${call.region}.${service}`

const typesOf = (service: string): readonly EC2.VpcEndpointType[] =>
  service === 's3' || service === 'dynamodb' ? ['Gateway', 'Interface'] : ['Interface']

function serviceIn(call: Call, name: string | undefined): string {
  const found = SERVICES.find((service) => fullName(call, service) === name)
  if (!found) throw fault('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`)
  return found
}

/** What an endpoint without a policy of its own allows. */
const EVERYTHING = JSON.stringify({
  Version: '2008-10-17',
  Statement: [{ Action: '*', Effect: 'Allow', Principal: '*', Resource: '*' }],
})

function policyOf(text: string | undefined): string {
  if (text === undefined || text === '') return EVERYTHING
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    document = undefined
  }
  if (typeof document !== 'object' || document === null || !('Statement' in document))
    throw fault('InvalidPolicyDocument', 'The policy is not a valid policy document.')
  return text
}

/** The list of the service's addresses, to which the gateway is the way. */
const listOf = async (call: Call, service: string | undefined): Promise<string | undefined> =>
  (await prefixList.all(call)).find(({ data }) => data.PrefixListName === service)?.id

async function changeRoutes(
  call: Call,
  ids: readonly string[],
  endpoint: string,
  list: string | undefined,
  adds: boolean,
): Promise<void> {
  for (const id of ids) {
    const table = await routeTable.require(call, id)
    const others = (table.data.Routes ?? []).filter(({ GatewayId }) => GatewayId !== endpoint)
    const Routes: EC2.Route[] = adds
      ? [...others, { DestinationPrefixListId: list, GatewayId: endpoint, Origin: 'CreateRoute', State: 'active' }]
      : others
    routeTable.put(call, { ...table, data: { ...table.data, Routes } })
  }
}

export const createVpcEndpoint = op(
  'CreateVpcEndpoint',
  [
    vpcEndpoint.created(),
    vpc.at('VpcId'),
    routeTable.each('RouteTableIds'),
    subnet.each('SubnetIds'),
    securityGroup.each('SecurityGroupIds'),
  ],
  async (call, input, [{ id, create }, home, tables, subnets, groups]) => {
    const service = serviceIn(call, input.ServiceName)
    const type = input.VpcEndpointType ?? 'Gateway'
    if (!typesOf(service).includes(type)) {
      throw fault(
        'InvalidParameter',
        `The VPC Endpoint Service '${input.ServiceName}' does not support the endpoint type ${type}.`,
      )
    }
    const rows = await vpcEndpoint.all(call)
    const twin = rows.find(
      ({ data }) => data.VpcId === home.id && data.ServiceName === input.ServiceName && data.VpcEndpointType === type,
    )
    if (type === 'Gateway' && twin && tables.some((table) => twin.data.RouteTableIds?.includes(table.id))) {
      throw fault(
        'RouteAlreadyExists',
        `route table ${tables[0]?.id} already has a route with destination-prefix-list-id ${await listOf(call, input.ServiceName)}`,
      )
    }
    const foreign = [...tables, ...subnets].find(({ data }) => data.VpcId !== home.id)
    if (foreign) throw invalid(`${foreign.id} does not belong to the VPC ${home.id}.`)
    const PrivateDnsEnabled = type === 'Interface' && (input.PrivateDnsEnabled ?? true)
    if (PrivateDnsEnabled && !(home.row.attributes.enableDnsSupport && home.row.attributes.enableDnsHostnames)) {
      throw fault(
        'InvalidParameter',
        `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${home.id}`,
      )
    }
    const chosen =
      type === 'Interface'
        ? await groupsIn(call, home.id, groups.length > 0 ? groups.map((group) => group.id) : undefined)
        : []
    const interfaces: string[] = []
    if (type === 'Interface') {
      for (const place of subnets) {
        const eni = await createInterface(call, {
          subnet: place.row,
          groups: chosen.map((group) => group.id),
          description: `VPC Endpoint Interface ${id}`,
          type: 'vpc_endpoint',
          requester: call.account,
        })
        interfaces.push(eni.id)
      }
    } else
      await changeRoutes(
        call,
        tables.map((table) => table.id),
        id,
        await listOf(call, input.ServiceName),
        true,
      )
    const row = create({
      VpcEndpointId: id,
      VpcEndpointType: type,
      VpcId: home.id,
      ServiceName: input.ServiceName,
      ServiceRegion: call.region,
      PolicyDocument: policyOf(input.PolicyDocument),
      RouteTableIds: tables.map((table) => table.id),
      SubnetIds: subnets.map((place) => place.id),
      Groups: chosen.map((group) => ({ GroupId: group.id, GroupName: group.data.GroupName })),
      NetworkInterfaceIds: interfaces,
      PrivateDnsEnabled,
      RequesterManaged: false,
      OwnerId: call.account,
      IpAddressType: input.IpAddressType ?? 'ipv4',
      DnsOptions: { DnsRecordIpType: input.DnsOptions?.DnsRecordIpType ?? 'ipv4' },
      DnsEntries:
        type === 'Interface'
          ? [{ DnsName: `${id}-${service}.${call.region}.vpce.amazonaws.com`, HostedZoneId: 'Z7HUB22UULQXV' }]
          : [],
    })
    return {
      VpcEndpoint: vpcEndpoint.show(row, call.now),
      ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
    }
  },
)

export const modifyVpcEndpoint = op(
  'ModifyVpcEndpoint',
  [
    vpcEndpoint.at('VpcEndpointId'),
    routeTable.by(({ AddRouteTableIds = [], RemoveRouteTableIds = [] }) => [
      ...AddRouteTableIds,
      ...RemoveRouteTableIds,
    ]),
    subnet.by(({ AddSubnetIds = [], RemoveSubnetIds = [] }) => [...AddSubnetIds, ...RemoveSubnetIds]),
    securityGroup.by(({ AddSecurityGroupIds = [], RemoveSecurityGroupIds = [] }) => [
      ...AddSecurityGroupIds,
      ...RemoveSecurityGroupIds,
    ]),
  ],
  async (call, input, [endpoint]) => {
    const { id, data } = endpoint
    const changed = (before: readonly string[] = [], add: readonly string[] = [], remove: readonly string[] = []) => [
      ...new Set([...before, ...add].filter((each) => !remove.includes(each))),
    ]
    const list = await listOf(call, data.ServiceName)
    await changeRoutes(call, input.RemoveRouteTableIds ?? [], id, list, false)
    await changeRoutes(call, input.AddRouteTableIds ?? [], id, list, true)
    const groupIds = changed(
      data.Groups?.map(({ GroupId }) => GroupId!),
      input.AddSecurityGroupIds,
      input.RemoveSecurityGroupIds,
    )
    const groups = data.VpcEndpointType === 'Interface' ? await groupsIn(call, data.VpcId!, groupIds) : []
    const Groups = groups.map((group) => ({ GroupId: group.id, GroupName: group.data.GroupName }))
    const enis = new Map<string, string>()
    for (const eniId of data.NetworkInterfaceIds ?? []) {
      const eni = await networkInterface.get(call, eniId)
      if (!eni) continue
      if (input.RemoveSubnetIds?.includes(eni.data.SubnetId!)) await removeInterface(call, eni)
      else {
        networkInterface.put(call, { ...eni, data: { ...eni.data, Groups } })
        enis.set(eni.data.SubnetId!, eni.id)
      }
    }
    for (const subnetId of input.AddSubnetIds ?? []) {
      if (enis.has(subnetId)) continue
      const eni = await createInterface(call, {
        subnet: await subnet.require(call, subnetId),
        groups: groupIds,
        description: `VPC Endpoint Interface ${id}`,
        type: 'vpc_endpoint',
        requester: call.account,
      })
      enis.set(subnetId, eni.id)
    }
    endpoint.set({
      RouteTableIds: changed(data.RouteTableIds, input.AddRouteTableIds, input.RemoveRouteTableIds),
      SubnetIds: changed(data.SubnetIds, input.AddSubnetIds, input.RemoveSubnetIds),
      Groups,
      NetworkInterfaceIds: [...enis.values()],
      ...(input.PolicyDocument !== undefined && { PolicyDocument: policyOf(input.PolicyDocument) }),
      ...(input.ResetPolicy && { PolicyDocument: EVERYTHING }),
      ...(input.PrivateDnsEnabled !== undefined && { PrivateDnsEnabled: input.PrivateDnsEnabled }),
    })
    return { Return: true }
  },
)

/** What is missing among several is reported item by item. */
export const deleteVpcEndpoints = op(
  'DeleteVpcEndpoints',
  [vpcEndpoint.eachThatExists('VpcEndpointIds')],
  async (call, input, [found]) => {
    for (const { id, data, remove } of found) {
      await changeRoutes(call, data.RouteTableIds ?? [], id, undefined, false)
      for (const eniId of data.NetworkInterfaceIds ?? []) {
        const eni = await networkInterface.get(call, eniId)
        if (eni) await removeInterface(call, eni)
      }
      remove()
    }
    const gone = new Set(found.map(({ id }) => id))
    return {
      Unsuccessful: input.VpcEndpointIds.filter((id) => !gone.has(id)).map((ResourceId) => ({
        ResourceId,
        Error: { Code: 'InvalidVpcEndpointId.NotFound', Message: vpcEndpoint.spec.absent(ResourceId) },
      })),
    }
  },
)

export const describeVpcEndpoints = describe('DescribeVpcEndpoints', vpcEndpoint, {
  ids: 'VpcEndpointIds',
  result: 'VpcEndpoints',
  filters: `ip-address-type service-name vpc-endpoint-id vpc-endpoint-state=State vpc-endpoint-type vpc-id`,
})

export const describeVpcEndpointServices = op('DescribeVpcEndpointServices', nothing, (call, input) => {
  const wanted = input.ServiceNames ?? []
  for (const name of wanted) serviceIn(call, name)
  const filters = input.Filters ?? []
  const holds = (shown: { readonly name: string; readonly type: string }) =>
    filters.every(({ Name, Values = [] }) => {
      if (Name === 'service-name') return Values.includes(shown.name)
      if (Name === 'service-type') return Values.includes(shown.type)
      if (Name === 'owner') return Values.includes('amazon')
      if (Name === 'service-region') return Values.includes(call.region)
      if (Name?.startsWith('tag')) return false
      throw invalid(`The filter '${Name}' is invalid`)
    })
  const details = SERVICES.flatMap((service) =>
    typesOf(service).map((type) => ({ service, type, name: fullName(call, service) })),
  ).filter((each) => (wanted.length === 0 || wanted.includes(each.name)) && holds(each))
  return {
    ServiceNames: [...new Set(details.map(({ name }) => name))],
    ServiceDetails: details.map(({ service, type, name }) => ({
      ServiceName: name,
      ServiceRegion: call.region,
      ServiceType: [{ ServiceType: type as EC2.ServiceType }],
      AvailabilityZones: zonesOf(call.region).map((zone) => zone.name),
      Owner: 'amazon',
      BaseEndpointDnsNames: [`${service}.${call.region}.vpce.amazonaws.com`],
      VpcEndpointPolicySupported: true,
      AcceptanceRequired: false,
      ManagesVpcEndpoints: false,
      Tags: [],
      ...(type === 'Interface' &&
        !WITH_GATEWAYS.includes(service) && { PrivateDnsName: `${service}.${call.region}.amazonaws.com` }),
    })),
  }
})
