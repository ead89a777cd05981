/** Flow logs: flows that planes report become records at the interfaces of their ends, delivered to buckets and log groups. */
import { gunzipSync } from 'node:zlib'
import * as Logs from '@aws-sdk/client-cloudwatch-logs'
import * as EC2 from '@aws-sdk/client-ec2'
import * as gd from '@aws-sdk/client-guardduty'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { expect, test, vi } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import type { ObservedFlow } from '../../kernel/planes/observed-flows.ts'
import { takeFlows } from './flow-records.ts'

const PLACE = { account: ACCOUNT, region: 'us-east-1' }
const ROLE = `arn:aws:iam::${ACCOUNT}:role/flows`
const trustOf = (Service: string) => allowing({ Principal: { Service }, Action: 'sts:AssumeRole' })

/** A machine with an interface, and flows as a gateway reports them. */
async function world() {
  const it = await cloud()
  // Clients sign with the time they were made for.
  const send = <C extends EC2.EC2Client>(command: Parameters<C['send']>[0]) => it.client(EC2.EC2Client).send(command)
  const ec2 = it.client(EC2.EC2Client)
  const { Subnets = [] } = await ec2.send(new EC2.DescribeSubnetsCommand({}))
  const { SubnetId = '', VpcId = '' } = Subnets[0]!
  const { NetworkInterface } = await ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId }))
  const { NetworkInterfaceId: eni = '', PrivateIpAddress: address = '' } = NetworkInterface!
  const report = (flows: readonly Partial<ObservedFlow>[], more: object = {}) =>
    it.store.run((unit) => {
      const now = it.clock.now()
      const all = flows.map((parts) => ({
        source: '192.0.2.9',
        sourcePort: 40_000,
        destination: address,
        destinationPort: 80,
        protocol: 6,
        bytes: 500,
        start: now - 1_000,
        end: now,
        ...parts,
      }))
      return takeFlows(unit, { records: [{ kind: 'flows', ...PLACE, flows: all, ...more }], node: 'gateway-1', now })
    })
  const status = async () => {
    const { FlowLogs } = await it.client(EC2.EC2Client).send(new EC2.DescribeFlowLogsCommand({}))
    return FlowLogs!.map((each) => [each.DeliverLogsStatus, each.DeliverLogsErrorMessage])
  }
  return { ...it, ec2, send, SubnetId, VpcId, eni, address, report, status }
}

test('A flow log of a VPC is delivered to a bucket whose policy lets the service in, in the format that it has', async () => {
  const it = await world()
  const s3 = () => it.client(S3Client)
  await s3().send(new CreateBucketCommand({ Bucket: 'flows' }))
  await it.ec2.send(
    new EC2.CreateFlowLogsCommand({
      ResourceType: 'VPC',
      ResourceIds: [it.VpcId],
      TrafficType: 'ALL',
      LogDestinationType: 's3',
      LogDestination: 'arn:aws:s3:::flows/network/',
      MaxAggregationInterval: 60,
      LogFormat:
        '${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${packets} ${bytes} ${flow-direction} ${action} ${version}',
    }),
  )
  const objects = async () => (await s3().send(new ListObjectsV2Command({ Bucket: 'flows' }))).Contents ?? []

  await it.report([{ bytes: 500 }])
  await it.report([
    { bytes: 200 },
    { source: it.address, sourcePort: 80, destination: '192.0.2.9', destinationPort: 40_000, bytes: 9_000 },
    { destination: '10.99.0.1' },
  ])
  await it.report([{ destination: 'no address' }])
  await it.pass(1_000)
  await it.pass(61_000)
  expect(await it.status()).toEqual([['FAILED', 'Access error']])
  await s3().send(
    new PutBucketPolicyCommand({
      Bucket: 'flows',
      Policy: allowing({
        Principal: { Service: 'delivery.logs.amazonaws.com' },
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::flows/network/AWSLogs/${ACCOUNT}/*`,
        Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
      }),
    }),
  )
  await it.pass(5 * 60_000)

  expect(await it.status()).toEqual([['SUCCESS', undefined]])
  const [object, ...others] = await objects()
  expect(others).toEqual([])
  expect(object!.Key).toMatch(
    /^network\/AWSLogs\/111122223333\/vpcflowlogs\/us-east-1\/\d{4}\/\d\d\/\d\d\/111122223333_vpcflowlogs_us-east-1_fl-[0-9a-f]{17}_\d{8}T\d{4}Z_[0-9a-f]{8}\.log\.gz$/,
  )
  const { Body } = await s3().send(new GetObjectCommand({ Bucket: 'flows', Key: object!.Key! }))
  expect(gunzipSync(await Body!.transformToByteArray()).toString()).toBe(
    [
      'interface-id srcaddr dstaddr srcport dstport packets bytes flow-direction action version',
      `${it.eni} 192.0.2.9 ${it.address} 40000 80 - 700 ingress ACCEPT 5`,
      `${it.eni} ${it.address} 192.0.2.9 80 40000 - 9000 egress ACCEPT 5`,
      '',
    ].join('\n'),
  )
})

test('A flow log of an interface is delivered to a log group as its role, a stream for each interface', async () => {
  const it = await world()
  const iam = it.client(IAMClient)
  const logs = () => it.client(Logs.CloudWatchLogsClient)
  await logs().send(new Logs.CreateLogGroupCommand({ logGroupName: 'flows' }))
  await iam.send(
    new CreateRoleCommand({ RoleName: 'flows', AssumeRolePolicyDocument: trustOf('lambda.amazonaws.com') }),
  )
  const create = (ec2: EC2.EC2Client, TrafficType: EC2.TrafficType = 'ACCEPT') =>
    ec2.send(
      new EC2.CreateFlowLogsCommand({
        ResourceType: 'NetworkInterface',
        ResourceIds: [it.eni],
        TrafficType,
        LogGroupName: 'flows',
        DeliverLogsPermissionArn: ROLE,
        MaxAggregationInterval: 60,
      }),
    )
  const ann = it.client(EC2.EC2Client, await it.user('ann', allowing({ Action: 'ec2:*', Resource: '*' })))
  await expect(create(ann)).rejects.toThrow('iam:PassRole')
  await create(it.ec2)
  await create(it.ec2, 'REJECT')

  await it.report([{}])
  await it.pass(1_000)
  await it.pass(61_000)
  expect(await it.status()).toContainEqual(['FAILED', 'Access error'])
  await it.client(IAMClient).send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: 'flows',
      PolicyDocument: trustOf('vpc-flow-logs.amazonaws.com'),
    }),
  )
  await it.pass(5 * 60_000)
  expect(await it.status()).toContainEqual(['FAILED', 'Access error'])
  const PolicyDocument = allowing({
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:flows:*`,
  })
  await it.client(IAMClient).send(new PutRolePolicyCommand({ RoleName: 'flows', PolicyName: 'write', PolicyDocument }))
  await it.pass(5 * 60_000)

  expect(await it.status()).toEqual([
    ['SUCCESS', undefined],
    ['SUCCESS', undefined],
  ])
  const { events } = await logs().send(new Logs.FilterLogEventsCommand({ logGroupName: 'flows' }))
  expect(events).toMatchObject([{ logStreamName: `${it.eni}-accept` }])
  expect(events![0]!.message).toMatch(
    new RegExp(`^2 ${ACCOUNT} ${it.eni} 192.0.2.9 ${it.address} 40000 80 6 - 500 \\d{10} \\d{10} ACCEPT OK$`),
  )

  const { FlowLogs } = await it.client(EC2.EC2Client).send(new EC2.DescribeFlowLogsCommand({}))
  const FlowLogIds = FlowLogs!.map(({ FlowLogId }) => FlowLogId!)
  await it.report([{}])
  await it.pass(1_000)
  await it.client(EC2.EC2Client).send(new EC2.DeleteFlowLogsCommand({ FlowLogIds }))
  await it.pass(1_000)
  expect(await it.store.reader.range('ec2/flow-')).toEqual([])
})

test('A machine that scans ports is found in flows, with its instance', async () => {
  const it = await world()
  const guardduty = it.client(gd.GuardDutyClient)
  const DetectorId = (await guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))).DetectorId!
  const { Images } = await it.ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const { Instances = [] } = await it.ec2.send(
    new EC2.RunInstancesCommand({ ImageId: Images![0]!.ImageId!, MinCount: 1, MaxCount: 1, SubnetId: it.SubnetId }),
  )
  const [{ InstanceId, PrivateIpAddress: source } = {}] = Instances
  it.start()
  const probes = Array.from({ length: 60 }, (_, port) => ({
    source: source!,
    destination: '198.51.100.7',
    destinationPort: port + 1,
    packets: 1,
    bytes: 40,
  }))

  await it.report(probes)
  await it.report(probes, { account: 'no account' })
  await it.pass(1_000)

  const finding = await vi.waitFor(
    async () => {
      const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
      const { Findings } = await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))
      const seen = Findings!.find(({ Type }) => Type === 'Recon:EC2/Portscan')
      if (!seen) throw new Error('not found yet')
      return seen
    },
    { timeout: 15_000, interval: 100 },
  )
  expect(finding.Resource?.InstanceDetails?.InstanceId).toBe(InstanceId)
  expect(await it.store.reader.range('guardduty/network-events/')).toEqual([])
  const { Resources } = await guardduty.send(new gd.ListCoverageCommand({ DetectorId }))
  expect(Resources!.find(({ ResourceId }) => ResourceId === 'FLOW_LOGS')?.CoverageStatus).toBe('HEALTHY')
})
