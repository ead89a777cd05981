/** What cannot be deleted, detached or taken apart while something depends on it, with the texts of EC2. */
import * as EC2 from '@aws-sdk/client-ec2'
import { expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'

const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    ({ name, message }: Error) => `${name}: ${message}`,
  )

test('What something else depends on stays, until that is gone', async () => {
  const it = await cloud()
  const ec2 = it.client(EC2.EC2Client)
  const CidrBlock = '10.0.0.0/16'
  const { Vpc } = await ec2.send(new EC2.CreateVpcCommand({ CidrBlock }))
  const VpcId = Vpc!.VpcId!
  const { Subnet } = await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24' }))
  const SubnetId = Subnet!.SubnetId!
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }]
  const [table] = (await ec2.send(new EC2.DescribeRouteTablesCommand({ Filters }))).RouteTables!
  const [acl] = (await ec2.send(new EC2.DescribeNetworkAclsCommand({ Filters }))).NetworkAcls!
  const { Images } = await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const { Instances } = await ec2.send(
    new EC2.RunInstancesCommand({
      ImageId: Images![0]!.ImageId!,
      MinCount: 1,
      MaxCount: 1,
      SubnetId,
      DisableApiTermination: true,
    }),
  )
  const [instance] = Instances!
  const InstanceId = instance!.InstanceId!
  const [eni] = instance!.NetworkInterfaces!
  const NetworkInterfaceId = eni!.NetworkInterfaceId!
  const { PrefixList } = await ec2.send(
    new EC2.CreateManagedPrefixListCommand({
      PrefixListName: 'offices',
      AddressFamily: 'IPv4',
      MaxEntries: 2,
      Entries: [{ Cidr: '192.0.2.0/24' }],
    }),
  )
  const { GroupId } = await ec2.send(
    new EC2.CreateSecurityGroupCommand({ GroupName: 'web', Description: 'web', VpcId }),
  )
  await ec2.send(
    new EC2.AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [
        {
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          PrefixListIds: [{ PrefixListId: PrefixList!.PrefixListId! }],
        },
      ],
    }),
  )
  const gateway = (await ec2.send(new EC2.CreateVpnGatewayCommand({ Type: 'ipsec.1' }))).VpnGateway!.VpnGatewayId!
  await ec2.send(new EC2.AttachVpnGatewayCommand({ VpnGatewayId: gateway, VpcId }))
  const path = await ec2.send(
    new EC2.CreateNetworkInsightsPathCommand({
      Source: InstanceId,
      Destination: NetworkInterfaceId,
      Protocol: 'tcp',
    }),
  )
  const NetworkInsightsPathId = path.NetworkInsightsPath!.NetworkInsightsPathId!
  await ec2.send(new EC2.StartNetworkInsightsAnalysisCommand({ NetworkInsightsPathId }))
  const AttachmentId = eni!.Attachment!.AttachmentId!
  const main = table!.Associations![0]!.RouteTableAssociationId!
  const primary = Vpc!.CidrBlockAssociationSet![0]!.AssociationId!

  const cases: readonly (readonly [object, string])[] = [
    [
      new EC2.DeleteNetworkInterfaceCommand({ NetworkInterfaceId }),
      `InvalidParameterValue: Network interface '${NetworkInterfaceId}' is currently in use.`,
    ],
    [
      new EC2.DetachNetworkInterfaceCommand({ AttachmentId }),
      'OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.',
    ],
    [
      new EC2.TerminateInstancesCommand({ InstanceIds: [InstanceId] }),
      `OperationNotPermitted: The instance '${InstanceId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    ],
    [
      new EC2.DeleteSubnetCommand({ SubnetId }),
      `DependencyViolation: The subnet '${SubnetId}' has dependencies and cannot be deleted.`,
    ],
    [
      new EC2.DeleteRouteTableCommand({ RouteTableId: table!.RouteTableId! }),
      `DependencyViolation: The routeTable '${table!.RouteTableId}' has dependencies and cannot be deleted.`,
    ],
    [
      new EC2.DisassociateRouteTableCommand({ AssociationId: main }),
      `InvalidParameterValue: cannot disassociate the main route table association ${main}`,
    ],
    [
      new EC2.DeleteRouteCommand({ RouteTableId: table!.RouteTableId!, DestinationCidrBlock: CidrBlock }),
      `InvalidParameterValue: cannot remove local route ${CidrBlock} in route table ${table!.RouteTableId}`,
    ],
    [
      new EC2.DeleteNetworkAclCommand({ NetworkAclId: acl!.NetworkAclId! }),
      `InvalidParameterValue: cannot delete default network ACL ${acl!.NetworkAclId}`,
    ],
    [
      new EC2.DisassociateVpcCidrBlockCommand({ AssociationId: primary }),
      `OperationNotPermitted: The vpc CIDR block with association ID ${primary} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`,
    ],
    [
      new EC2.DeleteManagedPrefixListCommand({ PrefixListId: PrefixList!.PrefixListId! }),
      `DependencyViolation: The prefix list '${PrefixList!.PrefixListId}' is in use.`,
    ],
    [
      new EC2.DeleteVpnGatewayCommand({ VpnGatewayId: gateway }),
      'IncorrectState: The vpnGateway has VPC attachments. Please detach all VPCs before deleting.',
    ],
    [
      new EC2.DeleteNetworkInsightsPathCommand({ NetworkInsightsPathId }),
      `AnalysisExistsForNetworkInsightsPath: The path ${NetworkInsightsPathId} has analyses. Delete them first.`,
    ],
    [
      new EC2.DeleteVpcCommand({ VpcId }),
      `DependencyViolation: The vpc '${VpcId}' has dependencies and cannot be deleted.`,
    ],
  ]
  const answers: string[] = []
  for (const [command] of cases) answers.push(await refusal(ec2.send(command as EC2.DeleteVpcCommand)))
  expect(answers).toEqual(cases.map(([, text]) => text))

  await ec2.send(new EC2.ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value: false } }))
  await ec2.send(new EC2.TerminateInstancesCommand({ InstanceIds: [InstanceId] }))
  await ec2.send(new EC2.DetachVpnGatewayCommand({ VpnGatewayId: gateway, VpcId }))
  await ec2.send(new EC2.DeleteSecurityGroupCommand({ GroupId }))
  await ec2.send(new EC2.DeleteManagedPrefixListCommand({ PrefixListId: PrefixList!.PrefixListId! }))
  await it.pass(120_000)
  const later = it.client(EC2.EC2Client)
  await later.send(new EC2.DeleteSubnetCommand({ SubnetId }))
  await later.send(new EC2.DeleteVpnGatewayCommand({ VpnGatewayId: gateway }))
  await later.send(new EC2.DeleteVpcCommand({ VpcId }))
})
