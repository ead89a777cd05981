/** A running server with two machines that have a role, as a lab of them: `merlon net lab --data`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as EC2 from '@aws-sdk/client-ec2'
import * as gd from '@aws-sdk/client-guardduty'
import * as IAM from '@aws-sdk/client-iam'
import { vi } from 'vitest'
import { merlonAlone, startAlone, temporaryFolder } from '../process.ts'

const ANYWHERE = '0.0.0.0/0'
export const ROLE = 'shop'

const allowing = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })

export async function servedLab() {
  const folder = temporaryFolder()
  const data = join(folder, 'data')
  const server = await startAlone(['--data', data, '--no-console'])
  const [account] = server.accounts
  const { accessKeyId, secretAccessKey } = account!
  const at = { endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } }
  const [ec2, iam, guardduty] = [new EC2.EC2Client(at), new IAM.IAMClient(at), new gd.GuardDutyClient(at)]
  const { DetectorId } = await guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))

  const AssumeRolePolicyDocument = allowing({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new IAM.CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument }))
  const PolicyDocument = allowing({
    Action: 's3:ListAllMyBuckets',
    Resource: '*',
    Condition: { NumericEquals: { 'ec2:RoleDelivery': '2.0' }, StringLike: { 'aws:Ec2InstanceSourceVpc': 'vpc-*' } },
  })
  await iam.send(new IAM.PutRolePolicyCommand({ RoleName: ROLE, PolicyName: 'list', PolicyDocument }))
  const InstanceProfileName = 'shop-machines'
  await iam.send(new IAM.CreateInstanceProfileCommand({ InstanceProfileName }))
  await iam.send(new IAM.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: ROLE }))

  const { Images } = await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const run = (more: Partial<EC2.RunInstancesCommandInput>) =>
    ec2.send(new EC2.RunInstancesCommand({ ImageId: Images![0]!.ImageId!, MinCount: 1, MaxCount: 1, ...more }))
  const machine = async (Name: string, more: Partial<EC2.RunInstancesCommandInput> = {}) => {
    const TagSpecifications = [{ ResourceType: 'instance' as const, Tags: [{ Key: 'Name', Value: Name }] }]
    return (await run({ TagSpecifications, IamInstanceProfile: { Name: InstanceProfileName }, ...more })).Instances![0]!
  }
  const UserData = Buffer.from('#!/bin/sh\necho started\n').toString('base64')
  const web = await machine('web', { UserData })
  const db = await machine('db')
  const [{ GroupId = '' } = {}] = web.SecurityGroups!
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: ANYWHERE }] }]
  await ec2.send(new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))

  const described = [
    new EC2.DescribeSubnetsCommand({}),
    new EC2.DescribeNetworkInterfacesCommand({}),
    new EC2.DescribeSecurityGroupsCommand({}),
    new EC2.DescribeNetworkAclsCommand({}),
    new EC2.DescribeRouteTablesCommand({}),
    new EC2.DescribeInternetGatewaysCommand({}),
    new EC2.DescribeInstancesCommand({}),
  ]
  mkdirSync(join(folder, 'network'))
  const files: string[] = []
  for (const [index, command] of described.entries()) {
    const path = join(folder, 'network', `${index}.json`)
    writeFileSync(path, JSON.stringify(await ec2.send(command as EC2.DescribeSubnetsCommand)))
    files.push('--files', path)
  }
  const { NetworkInterfaces } = await ec2.send(new EC2.DescribeNetworkInterfacesCommand({}))
  const addresses = new Map(
    NetworkInterfaces!.map(({ Attachment, Association }) => [Attachment?.InstanceId, Association?.PublicIp]),
  )
  return {
    server,
    data,
    account: account!.accountId,
    ec2,
    iam,
    web,
    db,
    publicAddress: ({ InstanceId }: EC2.Instance): string => addresses.get(InstanceId!)!,
    /** Runs a shell script at an end of the lab. */
    at: (end: string, script: string) =>
      merlonAlone(['net', 'lab', ...files, '--data', data, '--at', end, '--', 'sh', '-c', script]),
    /** The finding of a type, once there is one: within a minute. */
    found: (type: string) =>
      vi.waitFor(
        async () => {
          const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
          const { Findings } = await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))
          const finding = Findings!.find(({ Type }) => Type === type)
          if (!finding) throw new Error(`no ${type} among ${Findings!.map(({ Type }) => Type)}`)
          return finding
        },
        { timeout: 60_000, interval: 200 },
      ),
  }
}
