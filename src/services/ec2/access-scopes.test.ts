/** Access scopes: a statement of what must not be reachable, and each path that is. */
import * as EC2 from '@aws-sdk/client-ec2'
import { expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'

test('What the internet must not reach is found as soon as it does, with the path, and not before', async () => {
  const it = await cloud()
  const ec2 = it.client(EC2.EC2Client)
  const ImageId = (await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))).Images![0]!.ImageId!
  const { Instances } = await ec2.send(new EC2.RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1 }))
  const [{ NetworkInterfaces, SecurityGroups } = {}] = Instances!
  const NetworkInterfaceId = NetworkInterfaces![0]!.NetworkInterfaceId!
  const created = await ec2.send(
    new EC2.CreateNetworkInsightsAccessScopeCommand({
      MatchPaths: [
        {
          Source: { ResourceStatement: { ResourceTypes: ['AWS::EC2::InternetGateway'] } },
          Destination: { ResourceStatement: { Resources: [NetworkInterfaceId] } },
        },
      ],
    }),
  )
  const { NetworkInsightsAccessScopeId } = created.NetworkInsightsAccessScope!
  const findings = async () => {
    const started = await ec2.send(
      new EC2.StartNetworkInsightsAccessScopeAnalysisCommand({
        NetworkInsightsAccessScopeId: NetworkInsightsAccessScopeId!,
      }),
    )
    const { NetworkInsightsAccessScopeAnalysisId } = started.NetworkInsightsAccessScopeAnalysis!
    const answer = await ec2.send(
      new EC2.GetNetworkInsightsAccessScopeAnalysisFindingsCommand({
        NetworkInsightsAccessScopeAnalysisId: NetworkInsightsAccessScopeAnalysisId!,
      }),
    )
    return answer.AnalysisFindings ?? []
  }

  expect(await findings()).toEqual([])
  const GroupId = SecurityGroups![0]!.GroupId!
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
  await ec2.send(new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
  const [found] = await findings()
  const components = found!.FindingComponents!.map(({ Component }) => Component!.Id)
  expect(components).toEqual(expect.arrayContaining([GroupId, NetworkInterfaceId]))
  expect(components).toContainEqual(expect.stringMatching(/^igw-/))
  await ec2.send(new EC2.RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
  expect(await findings()).toEqual([])
})
