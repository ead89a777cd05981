/** EC2: an account's own network, what it refuses, who may change it, and what is reachable in it. */
import * as EC2 from '@aws-sdk/client-ec2'
import { DecodeAuthorizationMessageCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { cloud, type Keys, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { denying, organization } from '../organizations/organization.fixture.ts'

type Client = EC2.EC2Client
const ANYWHERE = '0.0.0.0/0'
const HOUR_MS = 3_600_000

/** The error of a refused call: code and sentence. */
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    ({ name, message }: Error) => `${name}: ${message}`,
  )

const vpcIn = async (ec2: Client, CidrBlock = '10.0.0.0/16') =>
  (await ec2.send(new EC2.CreateVpcCommand({ CidrBlock }))).Vpc!.VpcId!

/** A VPC with a public subnet. */
async function network() {
  const it = await cloud()
  const ec2 = it.client(EC2.EC2Client)
  const VpcId = await vpcIn(ec2)
  const subnet = async (CidrBlock: string, AvailabilityZone = 'us-east-1a') =>
    (await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone }))).Subnet!.SubnetId!
  const SubnetId = await subnet('10.0.1.0/24')
  const InternetGatewayId = (await ec2.send(new EC2.CreateInternetGatewayCommand({}))).InternetGateway!
    .InternetGatewayId!
  await ec2.send(new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }))
  const RouteTableId = (await ec2.send(new EC2.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
  await ec2.send(
    new EC2.CreateRouteCommand({ RouteTableId, DestinationCidrBlock: ANYWHERE, GatewayId: InternetGatewayId }),
  )
  const { AssociationId } = await ec2.send(new EC2.AssociateRouteTableCommand({ RouteTableId, SubnetId }))
  const group = async (GroupName: string) =>
    (await ec2.send(new EC2.CreateSecurityGroupCommand({ GroupName, Description: GroupName, VpcId }))).GroupId!
  return { ...it, ec2, VpcId, SubnetId, subnet, InternetGatewayId, RouteTableId, AssociationId, group }
}

describe('An account', () => {
  test('begins with a default VPC in each Region: subnets, a way out, a main table, a group and an ACL', async () => {
    const it = await cloud()
    const ec2 = it.client(EC2.EC2Client)

    const { Vpcs } = await ec2.send(new EC2.DescribeVpcsCommand({}))
    expect(Vpcs).toMatchObject([{ IsDefault: true, CidrBlock: '172.31.0.0/16', State: 'available' }])
    const Filters = [{ Name: 'vpc-id', Values: [Vpcs![0]!.VpcId!] }]
    const { Subnets } = await ec2.send(new EC2.DescribeSubnetsCommand({ Filters }))
    expect(Subnets!.map(({ AvailabilityZoneId }) => AvailabilityZoneId).sort()).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `use1-az${n}`),
    )
    expect(Subnets).toContainEqual(
      expect.objectContaining({ CidrBlock: '172.31.0.0/20', MapPublicIpOnLaunch: true, AvailableIpAddressCount: 4091 }),
    )
    const { RouteTables } = await ec2.send(
      new EC2.DescribeRouteTablesCommand({ Filters: [...Filters, { Name: 'association.main', Values: ['true'] }] }),
    )
    expect(RouteTables![0]!.Routes).toMatchObject([
      { GatewayId: 'local' },
      { DestinationCidrBlock: ANYWHERE, State: 'active' },
    ])
    const { NetworkAcls } = await ec2.send(new EC2.DescribeNetworkAclsCommand({ Filters }))
    expect(NetworkAcls![0]!.Entries!.map(({ RuleNumber }) => RuleNumber)).toEqual([100, 32_767, 100, 32_767])
    expect(NetworkAcls![0]!.Associations).toHaveLength(6)

    const elsewhere = it.client(EC2.EC2Client, it.root, 'eu-west-1')
    const { Vpcs: others } = await elsewhere.send(new EC2.DescribeVpcsCommand({}))
    expect(others).toHaveLength(1)
    expect(others![0]!.VpcId).not.toBe(Vpcs![0]!.VpcId)
    expect((await ec2.send(new EC2.DescribeVpcsCommand({}))).Vpcs).toEqual(Vpcs)
  })
})

describe('Deletion out of order', () => {
  test('is refused with AWS’s error, for each thing that something depends on', async () => {
    const it = await network()
    const { ec2, VpcId, SubnetId, InternetGatewayId, RouteTableId } = it
    const [web, db] = [await it.group('web'), await it.group('db')]
    await ec2.send(
      new EC2.AuthorizeSecurityGroupIngressCommand({
        GroupId: db,
        IpPermissions: [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId: web }] }],
      }),
    )
    const { AllocationId, PublicIp } = await ec2.send(new EC2.AllocateAddressCommand({ Domain: 'vpc' }))
    const { NatGateway } = await ec2.send(new EC2.CreateNatGatewayCommand({ SubnetId, AllocationId: AllocationId! }))
    const NatGatewayId = NatGateway!.NatGatewayId!
    const acl = (await ec2.send(new EC2.CreateNetworkAclCommand({ VpcId }))).NetworkAcl!.NetworkAclId!
    const Filters = [{ Name: 'association.subnet-id', Values: [SubnetId] }]
    const before = (await ec2.send(new EC2.DescribeNetworkAclsCommand({ Filters }))).NetworkAcls![0]!
    const AssociationId = before.Associations!.find((each) => each.SubnetId === SubnetId)!.NetworkAclAssociationId!
    await ec2.send(new EC2.ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId: acl }))
    const group = (
      await ec2.send(
        new EC2.DescribeSecurityGroupsCommand({
          Filters: [
            { Name: 'vpc-id', Values: [VpcId] },
            { Name: 'group-name', Values: ['default'] },
          ],
        }),
      )
    ).SecurityGroups![0]!.GroupId!
    const { DhcpOptions } = await ec2.send(
      new EC2.CreateDhcpOptionsCommand({ DhcpConfigurations: [{ Key: 'domain-name', Values: ['example.com'] }] }),
    )
    const DhcpOptionsId = DhcpOptions!.DhcpOptionsId!
    await ec2.send(new EC2.AssociateDhcpOptionsCommand({ VpcId, DhcpOptionsId }))

    const depended = (thing: string, id: string) =>
      `DependencyViolation: The ${thing} '${id}' has dependencies and cannot be deleted.`
    const cases: readonly (readonly [object, string])[] = [
      [new EC2.DeleteVpcCommand({ VpcId }), depended('vpc', VpcId)],
      [new EC2.DeleteSubnetCommand({ SubnetId }), depended('subnet', SubnetId)],
      [new EC2.DeleteInternetGatewayCommand({ InternetGatewayId }), depended('internetGateway', InternetGatewayId)],
      [
        new EC2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }),
        `DependencyViolation: Network ${VpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
      ],
      [new EC2.DeleteRouteTableCommand({ RouteTableId }), depended('routeTable', RouteTableId)],
      [new EC2.DeleteNetworkAclCommand({ NetworkAclId: acl }), depended('networkAcl', acl)],
      [new EC2.DeleteDhcpOptionsCommand({ DhcpOptionsId }), depended('dhcpOptions', DhcpOptionsId)],
      [
        new EC2.DeleteSecurityGroupCommand({ GroupId: web }),
        `DependencyViolation: resource ${web} has a dependent object`,
      ],
      [
        new EC2.DeleteSecurityGroupCommand({ GroupId: group }),
        `CannotDelete: the specified group: "${group}" name: "default" cannot be deleted by a user`,
      ],
      [
        new EC2.ReleaseAddressCommand({ AllocationId: AllocationId! }),
        `InvalidIPAddress.InUse: Address ${PublicIp} is in use.`,
      ],
      [
        new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId }),
        `Resource.AlreadyAssociated: resource ${InternetGatewayId} is already attached to network ${VpcId}`,
      ],
    ]
    for (const [command, expected] of cases)
      expect(await refusal(ec2.send(command as EC2.DeleteVpcCommand))).toBe(expected)

    await ec2.send(new EC2.DeleteNatGatewayCommand({ NatGatewayId }))
    await ec2.send(new EC2.ReleaseAddressCommand({ AllocationId: AllocationId! }))
    await ec2.send(new EC2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }))
    const { RouteTables } = await ec2.send(new EC2.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }))
    expect(RouteTables![0]!.Routes).toContainEqual(
      expect.objectContaining({ GatewayId: InternetGatewayId, State: 'blackhole' }),
    )
    await ec2.send(new EC2.DeleteInternetGatewayCommand({ InternetGatewayId }))
    await ec2.send(new EC2.DeleteSubnetCommand({ SubnetId }))
    await ec2.send(new EC2.DeleteRouteTableCommand({ RouteTableId }))
    await ec2.send(new EC2.DeleteNetworkAclCommand({ NetworkAclId: acl }))
    await ec2.send(new EC2.DeleteSecurityGroupCommand({ GroupId: db }))
    await ec2.send(new EC2.DeleteSecurityGroupCommand({ GroupId: web }))
    await ec2.send(new EC2.DeleteVpcCommand({ VpcId }))
    expect(await refusal(ec2.send(new EC2.DescribeVpcsCommand({ VpcIds: [VpcId] })))).toBe(
      `InvalidVpcID.NotFound: The vpc ID '${VpcId}' does not exist`,
    )
  })
})

describe('Input', () => {
  test('that is wrong is refused by EC2’s codes', async () => {
    const { ec2, VpcId, group } = await network()
    const GroupId = await group('web')
    const rule = (more: EC2.IpPermission) =>
      new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [more] })
    const web = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: ANYWHERE }] }
    await ec2.send(rule(web))
    const cases: readonly (readonly [object, string])[] = [
      [new EC2.CreateVpcCommand({ CidrBlock: '10.0.0.0/8' }), 'InvalidVpc.Range'],
      [new EC2.CreateVpcCommand({ CidrBlock: 'ten' }), 'InvalidParameterValue'],
      [new EC2.CreateVpcCommand({}), 'MissingParameter'],
      [new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.128/25' }), 'InvalidSubnet.Conflict'],
      [new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.9.0.0/24' }), 'InvalidSubnet.Range'],
      [
        new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.2.0/24', AvailabilityZone: 'eu-west-1a' }),
        'InvalidParameterValue',
      ],
      [new EC2.CreateSubnetCommand({ VpcId: 'vpc-x', CidrBlock: '10.0.2.0/24' }), 'InvalidVpcID.Malformed'],
      [new EC2.DescribeVpcsCommand({ Filters: [{ Name: 'colour', Values: ['red'] }] }), 'InvalidParameterValue'],
      [new EC2.DescribeVpcsCommand({ NextToken: 'mine', MaxResults: 5 }), 'InvalidNextToken'],
      [rule(web), 'InvalidPermission.Duplicate'],
      [rule({ ...web, IpProtocol: 'smoke' }), 'InvalidParameterValue'],
      [rule({ ...web, FromPort: 90, ToPort: 80 }), 'InvalidParameterValue'],
      [
        rule({ ...web, IpRanges: [], UserIdGroupPairs: [{ GroupId: 'sg-0123456789abcdef0' }] }),
        'InvalidGroup.NotFound',
      ],
      [new EC2.CreateTagsCommand({ Resources: ['nothing'], Tags: [{ Key: 'a', Value: 'b' }] }), 'InvalidID'],
      [
        new EC2.CreateTagsCommand({ Resources: [VpcId], Tags: [{ Key: 'aws:a', Value: 'b' }] }),
        'InvalidParameterValue',
      ],
      [new EC2.CreateTransitGatewayCommand({}), 'NotImplemented'],
      [
        new EC2.RunInstancesCommand({ ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1 }),
        'InvalidAMIID.NotFound',
      ],
    ]
    const told: string[] = []
    for (const [command] of cases) told.push((await refusal(ec2.send(command as EC2.CreateVpcCommand))).split(':')[0]!)

    expect(told).toEqual(cases.map(([, code]) => code))
  })

  test('with a client token makes one thing, and another request by the same token none', async () => {
    const { ec2, SubnetId } = await network()
    const create = (SubnetIdOf: string, ClientToken: string) =>
      ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId: SubnetIdOf, ClientToken }))

    const [one, two] = [await create(SubnetId, 'a'), await create(SubnetId, 'a')]
    expect(two.NetworkInterface).toEqual(one.NetworkInterface)
    const again = ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId, ClientToken: 'a', Description: 'other' }))
    expect(await refusal(again)).toMatch(/^IdempotentParameterMismatch/)
    expect((await ec2.send(new EC2.DescribeNetworkInterfacesCommand({}))).NetworkInterfaces).toHaveLength(1)
  })

  test('by filters and pages shows each thing once', async () => {
    const { ec2, subnet } = await network()
    for (const third of [2, 3, 4, 5, 6, 7]) await subnet(`10.0.${third}.0/24`)
    const seen: string[] = []
    let NextToken: string | undefined
    do {
      const answer = await ec2.send(
        new EC2.DescribeSubnetsCommand({
          MaxResults: 5,
          NextToken,
          Filters: [{ Name: 'cidr-block', Values: ['10.0.?.0/*'] }],
        }),
      )
      seen.push(...answer.Subnets!.map(({ CidrBlock }) => CidrBlock!))
      NextToken = answer.NextToken
    } while (NextToken !== undefined)

    expect(seen.sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map((third) => `10.0.${third}.0/24`))
  })
})

describe('Permission', () => {
  test('is needed on each resource: a denial on the VPC stops the gateway, and its message decodes', async () => {
    const it = await network()
    const keys = await it.user(
      'ann',
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: ['ec2:*', 'sts:DecodeAuthorizationMessage'], Resource: '*' },
          { Effect: 'Deny', Action: 'ec2:AttachInternetGateway', Resource: 'arn:aws:ec2:*:*:vpc/*' },
          {
            Effect: 'Deny',
            Action: 'ec2:CreateTags',
            Resource: '*',
            Condition: { StringEquals: { 'ec2:CreateAction': 'CreateVpc' } },
          },
        ],
      }),
    )
    const ann = it.client(EC2.EC2Client, keys)
    const InternetGatewayId = (await ann.send(new EC2.CreateInternetGatewayCommand({}))).InternetGateway!
      .InternetGatewayId!
    const VpcId = await vpcIn(ann, '10.5.0.0/16')

    const dry = (more: object) =>
      refusal(ann.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.5.0.0/24', DryRun: true, ...more })))
    expect(await dry({})).toBe('DryRunOperation: Request would have succeeded, but DryRun flag is set.')
    const denied = await refusal(
      ann.send(new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId, DryRun: true })),
    )
    expect(denied).toMatch(/^UnauthorizedOperation: You are not authorized to perform this operation\./)
    const EncodedMessage = /failure message: (\S+)$/.exec(denied)![1]!
    const { DecodedMessage } = await it
      .client(STSClient, keys)
      .send(new DecodeAuthorizationMessageCommand({ EncodedMessage }))
    expect(JSON.parse(DecodedMessage!)).toMatchObject({
      allowed: false,
      explicitDeny: true,
      context: { action: 'ec2:AttachInternetGateway' },
    })

    const TagSpecifications = [{ ResourceType: 'vpc' as const, Tags: [{ Key: 'team', Value: 'a' }] }]
    expect(await refusal(ann.send(new EC2.CreateVpcCommand({ CidrBlock: '10.6.0.0/16', TagSpecifications })))).toMatch(
      /ec2:CreateTags/,
    )
    await ann.send(new EC2.CreateTagsCommand({ Resources: [VpcId], Tags: [{ Key: 'team', Value: 'a' }] }))
    const missing = refusal(
      ann.send(new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId: 'vpc-0123456789abcdef0' })),
    )
    expect(await missing).toMatch(/^UnauthorizedOperation/)
  })

  test('by a control policy binds an administrator of a member account', async () => {
    const it = await organization()
    const account = await it.member('network')
    const { Id } = await it.scp('no-gateways', denying('ec2:AttachInternetGateway'))
    const admin = it.client(EC2.EC2Client, await it.enter(account))
    const InternetGatewayId = (await admin.send(new EC2.CreateInternetGatewayCommand({}))).InternetGateway!
      .InternetGatewayId!
    const VpcId = await vpcIn(admin)
    await it.attach(Id!, account)

    const attach = new EC2.AttachInternetGatewayCommand({ InternetGatewayId, VpcId })
    expect(await refusal(admin.send(attach))).toMatch(/^UnauthorizedOperation.*service control policy/)
  })
})

describe('Instances', () => {
  test('are records with states, addresses and metadata options', async () => {
    const it = await network()
    const { ec2, SubnetId, group } = it
    const Filters = [{ Name: 'name', Values: ['al2023-ami-*-x86_64'] }]
    const ImageId = (await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'], Filters }))).Images![0]!
      .ImageId!
    const GroupId = await group('web')
    const { Instances } = await ec2.send(
      new EC2.RunInstancesCommand({
        ImageId,
        MinCount: 1,
        MaxCount: 1,
        SubnetId,
        SecurityGroupIds: [GroupId],
        InstanceType: 't3.micro',
      }),
    )
    const InstanceId = Instances![0]!.InstanceId!
    const now = async () =>
      (await ec2.send(new EC2.DescribeInstancesCommand({ InstanceIds: [InstanceId] }))).Reservations?.[0]
        ?.Instances?.[0]

    expect(await now()).toMatchObject({
      State: { Name: 'pending' },
      PrivateIpAddress: '10.0.1.4',
      MetadataOptions: { HttpTokens: 'required' },
    })
    await it.pass(2_000)
    expect(await now()).toMatchObject({ State: { Name: 'running', Code: 16 } })
    expect(await refusal(ec2.send(new EC2.DeleteSecurityGroupCommand({ GroupId })))).toMatch(/^DependencyViolation/)
    const { Output } = await ec2.send(new EC2.GetConsoleOutputCommand({ InstanceId }))
    expect(Buffer.from(Output!, 'base64').toString()).toMatch(/no machine runs behind it/)
    await ec2.send(new EC2.TerminateInstancesCommand({ InstanceIds: [InstanceId] }))
    await it.pass(2_000)
    expect(await now()).toMatchObject({ State: { Name: 'terminated' }, SecurityGroups: [] })
    await it.pass(HOUR_MS)
    // Clients sign with the time they were made for.
    const later = it.client(EC2.EC2Client)
    expect(await refusal(later.send(new EC2.DescribeInstancesCommand({ InstanceIds: [InstanceId] })))).toMatch(
      /^InvalidInstanceID.NotFound/,
    )
  })
})

describe('Key pairs', () => {
  test('have names of any characters but controls, slashes and colons', async () => {
    const it = await cloud()
    const ec2 = it.client(EC2.EC2Client)
    for (const KeyName of ['ops copper', '*', '{p}']) {
      const { KeyMaterial } = await ec2.send(new EC2.CreateKeyPairCommand({ KeyName, KeyType: 'ed25519' }))
      expect(KeyMaterial).toContain('PRIVATE KEY')
      const { KeyPairs } = await ec2.send(new EC2.DescribeKeyPairsCommand({ KeyNames: [KeyName] }))
      expect(KeyPairs).toMatchObject([{ KeyName, KeyType: 'ed25519' }])
    }
    expect(await refusal(ec2.send(new EC2.CreateKeyPairCommand({ KeyName: 'a/b' })))).toMatch(
      /^InvalidParameterValue: /,
    )
  })
})

describe('Peering', () => {
  test('takes both accounts, and ends for both', async () => {
    const it = await network()
    const other: Keys = await it.account()
    const peer = it.client(EC2.EC2Client, other)
    const PeerVpcId = await vpcIn(peer, '10.9.0.0/16')
    const { VpcPeeringConnection } = await it.ec2.send(
      new EC2.CreateVpcPeeringConnectionCommand({ VpcId: it.VpcId, PeerVpcId, PeerOwnerId: OTHER_ACCOUNT }),
    )
    const VpcPeeringConnectionId = VpcPeeringConnection!.VpcPeeringConnectionId!
    const accept = new EC2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId })
    const status = async (client: Client) =>
      (await client.send(new EC2.DescribeVpcPeeringConnectionsCommand({}))).VpcPeeringConnections!.map(
        ({ Status }) => Status!.Code,
      )

    expect(await refusal(it.ec2.send(accept))).toMatch(/^OperationNotPermitted/)
    await peer.send(accept)
    expect([await status(it.ec2), await status(peer)]).toEqual([['active'], ['active']])
    const route = new EC2.CreateRouteCommand({
      RouteTableId: it.RouteTableId,
      DestinationCidrBlock: '10.9.0.0/16',
      VpcPeeringConnectionId,
    })
    await it.ec2.send(route)
    await peer.send(new EC2.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }))
    const { RouteTables } = await it.ec2.send(new EC2.DescribeRouteTablesCommand({ RouteTableIds: [it.RouteTableId] }))
    expect(RouteTables![0]!.Routes).toContainEqual(
      expect.objectContaining({ VpcPeeringConnectionId, State: 'blackhole' }),
    )
    const guess = await it.ec2.send(
      new EC2.CreateVpcPeeringConnectionCommand({
        VpcId: it.VpcId,
        PeerVpcId: 'vpc-0123456789abcdef0',
        PeerOwnerId: OTHER_ACCOUNT,
      }),
    )
    expect(guess.VpcPeeringConnection!.Status!.Code).toMatch(/initiating-request|failed/)
  })
})

describe('A prefix list in a rule', () => {
  test('counts as many rules as it may have entries', async () => {
    const { ec2, group } = await network()
    const list = async (PrefixListName: string, MaxEntries: number) =>
      (
        await ec2.send(
          new EC2.CreateManagedPrefixListCommand({ PrefixListName, MaxEntries, AddressFamily: 'IPv4', Entries: [] }),
        )
      ).PrefixList!.PrefixListId!
    const GroupId = await group('lists')
    const allow = (PrefixListId: string) => {
      const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, PrefixListIds: [{ PrefixListId }] }]
      return refusal(ec2.send(new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions })))
    }
    expect(await allow(await list('large', 61))).toMatch(/^RulesPerSecurityGroupLimitExceeded/)
    expect(await allow(await list('fits', 60))).toBe('done')
    expect(await allow(await list('one', 1))).toMatch(/^RulesPerSecurityGroupLimitExceeded/)
  })
})

describe('Network Insights', () => {
  test('says what keeps the internet from a database, and shows the way once nothing does', async () => {
    const it = await cloud()
    const ec2 = it.client(EC2.EC2Client)
    const ImageId = (await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))).Images![0]!.ImageId!
    const { Instances } = await ec2.send(new EC2.RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1 }))
    const Source = (await ec2.send(new EC2.DescribeInternetGatewaysCommand({}))).InternetGateways![0]!
      .InternetGatewayId!
    const path = new EC2.CreateNetworkInsightsPathCommand({
      Source,
      Destination: Instances![0]!.InstanceId!,
      Protocol: 'tcp',
      DestinationPort: 5432,
    })
    const { NetworkInsightsPathId } = (await ec2.send(path)).NetworkInsightsPath!
    const analysis = async () => {
      const started = await ec2.send(
        new EC2.StartNetworkInsightsAnalysisCommand({ NetworkInsightsPathId: NetworkInsightsPathId! }),
      )
      const ids = [started.NetworkInsightsAnalysis!.NetworkInsightsAnalysisId!]
      return (await ec2.send(new EC2.DescribeNetworkInsightsAnalysesCommand({ NetworkInsightsAnalysisIds: ids })))
        .NetworkInsightsAnalyses![0]!
    }
    const GroupId = Instances![0]!.SecurityGroups![0]!.GroupId!

    expect(await analysis()).toMatchObject({
      Status: 'succeeded',
      NetworkPathFound: false,
      Explanations: [{ ExplanationCode: 'ENI_SG_RULES_MISMATCH', SecurityGroups: [{ Id: GroupId }] }],
    })
    const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp: ANYWHERE }] }]
    await ec2.send(new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
    const found = await analysis()
    expect(found.NetworkPathFound).toBe(true)
    expect(found.ForwardPathComponents!.map(({ Component }) => Component!.Id)).toEqual(
      expect.arrayContaining([Source, GroupId]),
    )
    expect(found.ReturnPathComponents!.map(({ Component }) => Component!.Id)).toContain(Source)
    // The rule that lets it in, and the route by which the answer leaves.
    expect(found.ForwardPathComponents!.find(({ Component }) => Component!.Id === GroupId)?.SecurityGroupRule).toEqual({
      SecurityGroupId: GroupId,
      Direction: 'ingress',
      Protocol: 'tcp',
      Cidr: ANYWHERE,
      PortRange: { From: 5432, To: 5432 },
    })
    const routes = found.ReturnPathComponents!.flatMap(({ RouteTableRoute }) => RouteTableRoute ?? [])
    expect(routes).toEqual([{ DestinationCidr: ANYWHERE, GatewayId: Source }])
  })

  test('analyzes IPv6, and the way to a gateway endpoint', async () => {
    const it = await network()
    const { ec2, VpcId, RouteTableId } = it
    await ec2.send(new EC2.AssociateVpcCidrBlockCommand({ VpcId, AmazonProvidedIpv6CidrBlock: true }))
    const { Vpcs } = await ec2.send(new EC2.DescribeVpcsCommand({ VpcIds: [VpcId] }))
    const block = Vpcs![0]!.Ipv6CidrBlockAssociationSet![0]!.Ipv6CidrBlock!
    const Ipv6CidrBlock = block.replace('/56', '/64')
    const SubnetId = (await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.9.0/24', Ipv6CidrBlock })))
      .Subnet!.SubnetId!
    const gateway = await ec2.send(new EC2.CreateEgressOnlyInternetGatewayCommand({ VpcId }))
    const { EgressOnlyInternetGatewayId } = gateway.EgressOnlyInternetGateway!
    const own = (await ec2.send(new EC2.CreateRouteTableCommand({ VpcId }))).RouteTable!.RouteTableId!
    const DestinationIpv6CidrBlock = '::/0'
    await ec2.send(
      new EC2.CreateRouteCommand({ RouteTableId: own, DestinationIpv6CidrBlock, EgressOnlyInternetGatewayId }),
    )
    await ec2.send(new EC2.AssociateRouteTableCommand({ RouteTableId: own, SubnetId }))
    const eni = await ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId, Ipv6AddressCount: 1 }))
    const Source = eni.NetworkInterface!.NetworkInterfaceId!
    const ServiceName = 'com.amazonaws.us-east-1.s3'
    const endpoint = await ec2.send(
      new EC2.CreateVpcEndpointCommand({ VpcId, ServiceName, RouteTableIds: [own, RouteTableId] }),
    )
    const { VpcEndpointId } = endpoint.VpcEndpoint!
    const analysis = async (from: string, Destination: string) => {
      const Protocol = 'tcp' as const
      const path = new EC2.CreateNetworkInsightsPathCommand({
        Source: from,
        Destination,
        Protocol,
        DestinationPort: 443,
      })
      const { NetworkInsightsPathId } = (await ec2.send(path)).NetworkInsightsPath!
      await ec2.send(new EC2.StartNetworkInsightsAnalysisCommand({ NetworkInsightsPathId: NetworkInsightsPathId! }))
      const shown = await ec2.send(
        new EC2.DescribeNetworkInsightsAnalysesCommand({ NetworkInsightsPathId: NetworkInsightsPathId! }),
      )
      return shown.NetworkInsightsAnalyses![0]!
    }

    // What was there before the block, and had not been changed, lets IPv6 out.
    const filter = { Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }
    const { NetworkAcls } = await ec2.send(new EC2.DescribeNetworkAclsCommand(filter))
    expect(NetworkAcls![0]!.Entries!.map(({ RuleNumber }) => RuleNumber).sort()).toEqual(
      [100, 100, 101, 101, 32_767, 32_767, 32_768, 32_768].sort(),
    )
    const { SecurityGroups } = await ec2.send(new EC2.DescribeSecurityGroupsCommand(filter))
    expect(SecurityGroups![0]!.IpPermissionsEgress).toMatchObject([{ Ipv6Ranges: [{ CidrIpv6: '::/0' }] }])

    const out = await analysis(Source, it.InternetGatewayId)
    expect(out.NetworkPathFound).toBe(true)
    expect(out.ForwardPathComponents!.map(({ Component }) => Component!.Id)).toContain(EgressOnlyInternetGatewayId)
    expect(out.ForwardPathComponents![0]!.OutboundHeader!.SourceAddresses![0]).toMatch(/:.*\/128$/)
    const inwards = await analysis(it.InternetGatewayId, Source)
    expect(inwards.NetworkPathFound).toBe(false)
    const service = await analysis(Source, VpcEndpointId!)
    expect(service.NetworkPathFound).toBe(true)
    expect(service.ForwardPathComponents!.at(-1)!.Component!.Id).toBe(VpcEndpointId)
  })
})
