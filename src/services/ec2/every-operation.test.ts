/**
 * What holds for every operation of EC2 that has a dry run: it is answered by what the caller may do, changes nothing, and shows no
 * caller what exists: neither one without permission nor another account.
 */
import * as EC2 from '@aws-sdk/client-ec2'
import { DecodeAuthorizationMessageCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { services as rows } from '../../wire/services.ts'
import type { Member, Shape } from '../../wire/shape.ts'
import { loadService } from '../../wire/wire.ts'
import { ec2 as service } from './index.ts'

type Input = Record<string, unknown>
type Client = InstanceType<typeof EC2.EC2Client>

const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    ({ name, message }: Error) => `${name}: ${message}`,
  )

/** Values of members that are required and no IDs, where any value would not do. */
const VALUES: Readonly<Record<string, unknown>> = {
  AddressFamily: 'IPv4',
  CidrBlock: '10.77.0.0/16',
  Count: 1,
  DhcpConfigurations: [{ Key: 'domain-name', Values: ['example.com'] }],
  InstanceTenancy: 'default',
  InternetGatewayBlockMode: 'off',
  InternetGatewayExclusionMode: 'allow-egress',
  MaxCount: 1,
  MinCount: 1,
  Name: 'own',
  Protocol: 'tcp',
  PublicKeyMaterial: new Uint8Array(
    Buffer.from('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'),
  ),
  ResourceType: 'VPC',
  Tags: [{ Key: 'team', Value: 'a' }],
  RuleAction: 'allow',
  ServiceName: 'com.amazonaws.us-east-1.s3',
  Type: 'ipsec.1',
  Value: 'x',
}

/** Of operations with the member. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  DescribeAddressesAttribute: 'domain-name',
  DescribeInstanceAttribute: 'instanceType',
  ModifyInstanceAttribute: 'instanceType',
  DescribeVpcAttribute: 'enableDnsSupport',
}

function sample({ name, shape }: Member): unknown {
  if (name in VALUES) return VALUES[name]
  return sampleOf(shape)
}

function sampleOf(shape: Shape): unknown {
  switch (shape.kind) {
    case 'list':
      return [sampleOf(shape.value.shape)]
    case 'struct':
      return Object.fromEntries(
        shape.members.filter(({ required }) => required).map((member) => [member.name, sample(member)]),
      )
    case 'timestamp':
      return new Date(0)
    case 'boolean':
      return true
    case 'number':
      return 1
    default:
      return 'x'
  }
}

/** An account with something of most types: IDs by the member that names them. */
async function inventory(ec2: Client) {
  const { Vpc } = await ec2.send(new EC2.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))
  const VpcId = Vpc!.VpcId!
  const SubnetId = (await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24' }))).Subnet!.SubnetId!
  const InternetGatewayId = (await ec2.send(new EC2.CreateInternetGatewayCommand({}))).InternetGateway!
    .InternetGatewayId!
  const EgressOnlyInternetGatewayId = (await ec2.send(new EC2.CreateEgressOnlyInternetGatewayCommand({ VpcId })))
    .EgressOnlyInternetGateway!.EgressOnlyInternetGatewayId!
  await ec2.send(new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  const RouteTableId = (await ec2.send(new EC2.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
  const { AssociationId } = await ec2.send(new EC2.AssociateRouteTableCommand({ RouteTableId, SubnetId }))
  const NetworkAclId = (await ec2.send(new EC2.CreateNetworkAclCommand({ VpcId }))).NetworkAcl!.NetworkAclId!
  const GroupId = (await ec2.send(new EC2.CreateSecurityGroupCommand({ GroupName: 'web', Description: 'web', VpcId })))
    .GroupId!
  const NetworkInterfaceId = (await ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId }))).NetworkInterface!
    .NetworkInterfaceId!
  const { AllocationId } = await ec2.send(new EC2.AllocateAddressCommand({ Domain: 'vpc' }))
  const PrefixListId = (
    await ec2.send(
      new EC2.CreateManagedPrefixListCommand({ PrefixListName: 'own', AddressFamily: 'IPv4', MaxEntries: 2 }),
    )
  ).PrefixList!.PrefixListId!
  const imageId = (await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))).Images![0]!.ImageId!
  const { Instances } = await ec2.send(
    new EC2.RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1, SubnetId }),
  )
  const InstanceId = Instances![0]!.InstanceId!
  const { ImageId } = await ec2.send(new EC2.RegisterImageCommand({ Name: 'own-image' }))
  const path = await ec2.send(
    new EC2.CreateNetworkInsightsPathCommand({ Source: InstanceId, Destination: NetworkInterfaceId, Protocol: 'tcp' }),
  )
  const NetworkInsightsPathId = path.NetworkInsightsPath!.NetworkInsightsPathId!
  const volume = await ec2.send(new EC2.CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }))
  const VolumeId = volume.VolumeId!
  const SnapshotId = (await ec2.send(new EC2.CreateSnapshotCommand({ VolumeId }))).SnapshotId!
  const PeerVpcId = (await ec2.send(new EC2.CreateVpcCommand({ CidrBlock: '10.1.0.0/16' }))).Vpc!.VpcId!
  const VpcPeeringConnectionId = (await ec2.send(new EC2.CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId })))
    .VpcPeeringConnection!.VpcPeeringConnectionId!
  const VpcEndpointId = (
    await ec2.send(new EC2.CreateVpcEndpointCommand({ VpcId, ServiceName: 'com.amazonaws.us-east-1.s3' }))
  ).VpcEndpoint!.VpcEndpointId!
  const DhcpOptionsId = (
    await ec2.send(
      new EC2.CreateDhcpOptionsCommand({ DhcpConfigurations: [{ Key: 'domain-name', Values: ['example.com'] }] }),
    )
  ).DhcpOptions!.DhcpOptionsId!
  const VpnGatewayId = (await ec2.send(new EC2.CreateVpnGatewayCommand({ Type: 'ipsec.1' }))).VpnGateway!.VpnGatewayId!
  const CustomerGatewayId = (
    await ec2.send(new EC2.CreateCustomerGatewayCommand({ Type: 'ipsec.1', IpAddress: '203.0.113.9', BgpAsn: 65_000 }))
  ).CustomerGateway!.CustomerGatewayId!
  const NatGatewayId = (await ec2.send(new EC2.CreateNatGatewayCommand({ SubnetId, ConnectivityType: 'private' })))
    .NatGateway!.NatGatewayId!
  const { NetworkInsightsAnalysis } = await ec2.send(
    new EC2.StartNetworkInsightsAnalysisCommand({ NetworkInsightsPathId }),
  )
  const scope = await ec2.send(
    new EC2.CreateNetworkInsightsAccessScopeCommand({
      MatchPaths: [{ Source: { ResourceStatement: { ResourceTypes: ['AWS::EC2::InternetGateway'] } } }],
    }),
  )
  const NetworkInsightsAccessScopeId = scope.NetworkInsightsAccessScope!.NetworkInsightsAccessScopeId!
  const { NetworkInsightsAccessScopeAnalysis } = await ec2.send(
    new EC2.StartNetworkInsightsAccessScopeAnalysisCommand({ NetworkInsightsAccessScopeId }),
  )
  const exclusion = await ec2.send(
    new EC2.CreateVpcBlockPublicAccessExclusionCommand({ VpcId, InternetGatewayExclusionMode: 'allow-egress' }),
  )
  const { InstanceConnectEndpoint } = await ec2.send(new EC2.CreateInstanceConnectEndpointCommand({ SubnetId }))
  const logs = await ec2.send(
    new EC2.CreateFlowLogsCommand({
      ResourceIds: [VpcId],
      ResourceType: 'VPC',
      TrafficType: 'ALL',
      LogDestinationType: 's3',
      LogDestination: 'arn:aws:s3:::flows',
    }),
  )
  return {
    ...{ VpcId, SubnetId, InternetGatewayId, EgressOnlyInternetGatewayId, RouteTableId, AssociationId, NetworkAclId },
    ...{
      GroupId,
      NetworkInterfaceId,
      AllocationId,
      PrefixListId,
      ImageId,
      InstanceId,
      NetworkInsightsPathId,
      VolumeId,
    },
    ...{ SnapshotId, VpcPeeringConnectionId, VpcEndpointId, DhcpOptionsId, VpnGatewayId, CustomerGatewayId },
    ...{ NatGatewayId, NetworkInsightsAccessScopeId, ResourceId: VpcId, Resource: VpcId, GatewayId: InternetGatewayId },
    NetworkInsightsAnalysisId: NetworkInsightsAnalysis!.NetworkInsightsAnalysisId,
    NetworkInsightsAccessScopeAnalysisId: NetworkInsightsAccessScopeAnalysis!.NetworkInsightsAccessScopeAnalysisId,
    ExclusionId: exclusion.VpcBlockPublicAccessExclusion!.ExclusionId,
    InstanceConnectEndpointId: InstanceConnectEndpoint!.InstanceConnectEndpointId,
    FlowLogId: logs.FlowLogIds![0],
  } as Readonly<Record<string, string>>
}

let it: Awaited<ReturnType<typeof cloud>>
let ids: Awaited<ReturnType<typeof inventory>>
let cases: readonly { readonly name: string; readonly input: Input }[]
let owner: Client
let none: Client
let stranger: Client

const send = (client: Client, { name, input }: { readonly name: string; readonly input: Input }) => {
  const Command = (EC2 as unknown as Record<string, new (input: Input) => EC2.DescribeVpcsCommand>)[`${name}Command`]!
  return refusal(client.send(new Command(input)))
}

/** Another ID for each of the account's. */
const absent = (text: string): string => Object.values(ids).reduce((all, id) => all.replaceAll(id, unknown(id)), text)
const unknown = (id: string): string => id.replace(/[0-9a-f]{17}$/, (digits) => digits.split('').reverse().join(''))
/** IDs are texts, or lists of texts. */
const asAbsent = (input: Input): Input =>
  Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      typeof value === 'string'
        ? absent(value)
        : Array.isArray(value)
          ? value.map((each) => (typeof each === 'string' ? absent(each) : each))
          : value,
    ]),
  )
const namesSomething = ({ input }: (typeof cases)[number]) => JSON.stringify(input) !== JSON.stringify(asAbsent(input))

beforeAll(async () => {
  it = await cloud()
  owner = it.client(EC2.EC2Client)
  none = it.client(EC2.EC2Client, await it.user('none'))
  stranger = it.client(EC2.EC2Client, await it.account())
  ids = await inventory(owner)
  const model = await loadService(rows.find(({ id }) => id === 'ec2')!)
  cases = service.operations.flatMap(({ name }) => {
    const { members } = model.operations.get(name)!.input
    if (!members.some((member) => member.name === 'DryRun')) return []
    const given = members.flatMap((member) => {
      // The member names several types of gateways.
      const isOfVpn = name.endsWith('VgwRoutePropagation') && member.name === 'GatewayId'
      const id = isOfVpn ? ids['VpnGatewayId'] : (ids[member.name] ?? ids[member.name.replace(/s$/, '')])
      if (id !== undefined) return [[member.name, member.shape.kind === 'list' ? [id] : id] as const]
      if (member.name === 'Attribute') return [['Attribute', ATTRIBUTES[name] ?? 'description'] as const]
      return member.required || (name === 'CreateTags' && member.name === 'Tags')
        ? [[member.name, sample(member)] as const]
        : []
    })
    return [{ name, input: { ...Object.fromEntries(given), DryRun: true } }]
  })
})

describe('Every operation', () => {
  test('says what a dry run would be, changes nothing, and is denied with a message that decodes', async () => {
    const before = await it.store.reader.range('ec2/')
    const decoder = it.client(STSClient)
    const wrong: string[] = []
    for (const each of cases) {
      const allowed = await send(owner, each)
      if (!allowed.startsWith('DryRunOperation: ')) wrong.push(`${each.name}: ${allowed}`)
      const denied = await send(none, each)
      const EncodedMessage = /^UnauthorizedOperation: .*failure message: (\S+)$/.exec(denied)?.[1]
      if (EncodedMessage === undefined) {
        wrong.push(`${each.name}, denied: ${denied}`)
        continue
      }
      const { DecodedMessage } = await decoder.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }))
      const { allowed: isAllowed, context } = JSON.parse(DecodedMessage!)
      if (isAllowed || !context.action.startsWith('ec2:')) wrong.push(`${each.name}: ${DecodedMessage}`)
    }
    expect(wrong).toEqual([])
    expect(cases.length).toBeGreaterThan(170)
    expect(await it.store.reader.range('ec2/')).toEqual(before)
  })

  test('denies what is missing as what exists, to a caller without permission', async () => {
    const wrong: string[] = []
    for (const each of cases) {
      const [there, missing] = [await send(none, each), await send(none, { ...each, input: asAbsent(each.input) })]
      const [one, other] = [there, missing].map((text) => absent(text).replace(/failure message: .*/, ''))
      if (one !== other) wrong.push(`${each.name}: ${there} / ${missing}`)
    }
    expect(wrong).toEqual([])
  })

  test('shows another account nothing of what exists, with or without a dry run', async () => {
    const wrong: string[] = []
    for (const each of cases.filter(namesSomething))
      for (const DryRun of [true, false]) {
        const input = { ...each.input, DryRun }
        const there = await send(stranger, { ...each, input })
        const missing = await send(stranger, { ...each, input: asAbsent(input) })
        if (absent(there) !== missing) wrong.push(`${each.name}: ${there} / ${missing}`)
      }
    expect(wrong).toEqual([])
  })
})
