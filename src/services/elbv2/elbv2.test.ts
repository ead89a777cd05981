/** Load balancers, listeners, rules and target groups through the front door, with the SDK's client. */
import {
  ACMClient,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ImportCertificateCommand,
} from '@aws-sdk/client-acm'
import * as EC2 from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, type Keys } from '../../../test/cloud.ts'
import { loadBalancing, selfSignedCertificate } from './elbv2.fixture.ts'

const named = (name: string) => ({ name })
const BODY = { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404', MessageBody: 'no' } } as const

describe('A load balancer', () => {
  test('has the name, place and state that clients wait for', async () => {
    const it = await loadBalancing()
    const made = await it.balancer('shop')
    expect(made).toMatchObject({
      LoadBalancerName: 'shop',
      Scheme: 'internet-facing',
      State: { Code: 'active' },
      Type: 'application',
      VpcId: it.vpcId,
      IpAddressType: 'ipv4',
      SecurityGroups: [it.groups[0]!.GroupId],
    })
    expect(made.LoadBalancerArn).toMatch(
      new RegExp(`^arn:aws:elasticloadbalancing:us-east-1:${ACCOUNT}:loadbalancer/app/shop/[0-9a-f]{16}$`),
    )
    expect(made.DNSName).toMatch(/^shop-[0-9a-f]{10}\.us-east-1\.elb\.localhost$/)
    expect(made.AvailabilityZones?.map(({ SubnetId }) => SubnetId)).toEqual(it.subnets)
    const byName = await it.elb.send(new elb.DescribeLoadBalancersCommand({ Names: ['shop'] }))
    expect(byName.LoadBalancers?.[0]?.LoadBalancerArn).toBe(made.LoadBalancerArn)
    // The same request again answers with the same load balancer.
    expect((await it.balancer('shop')).LoadBalancerArn).toBe(made.LoadBalancerArn)
    const other = new elb.CreateLoadBalancerCommand({ Name: 'shop', Subnets: it.subnets, Scheme: 'internal' })
    await expect(it.elb.send(other)).rejects.toMatchObject(named('DuplicateLoadBalancerNameException'))
  })

  test('has an interface in each of its subnets, which it manages, which the internet reaches, and which goes with it', async () => {
    const it = await loadBalancing()
    const ec2 = it.client(EC2.EC2Client)
    const { Subnets } = await ec2.send(new EC2.DescribeSubnetsCommand({}))
    const third = Subnets!.find(({ SubnetId }) => !it.subnets.includes(SubnetId!))!.SubnetId!
    const made = await it.balancer('shop')
    const LoadBalancerArn = made.LoadBalancerArn!
    const interfaces = async () => {
      const { NetworkInterfaces } = await ec2.send(
        new EC2.DescribeNetworkInterfacesCommand({
          Filters: [{ Name: 'description', Values: [`ELB ${LoadBalancerArn.split(':loadbalancer/')[1]}`] }],
        }),
      )
      return NetworkInterfaces!
    }
    const first = await interfaces()
    expect(first.map(({ SubnetId }) => SubnetId).sort()).toEqual([...it.subnets].sort())
    expect(first[0]).toMatchObject({
      RequesterId: 'amazon-elb',
      RequesterManaged: true,
      Status: 'in-use',
      Attachment: { InstanceOwnerId: 'amazon-elb', Status: 'attached' },
      Association: { IpOwnerId: 'amazon' },
      Groups: [{ GroupId: it.groups[0]!.GroupId }],
    })
    const eni = first[0]!
    await expect(
      ec2.send(new EC2.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: eni.NetworkInterfaceId })),
    ).rejects.toThrow()
    await expect(ec2.send(new EC2.DeleteSubnetCommand({ SubnetId: eni.SubnetId }))).rejects.toMatchObject(
      named('DependencyViolation'),
    )

    const { GroupId } = await ec2.send(
      new EC2.CreateSecurityGroupCommand({ GroupName: 'web', Description: 'web', VpcId: it.vpcId }),
    )
    const reached = async () => {
      const { InternetGateways } = await ec2.send(new EC2.DescribeInternetGatewaysCommand({}))
      const { NetworkInsightsPath } = await ec2.send(
        new EC2.CreateNetworkInsightsPathCommand({
          Source: InternetGateways![0]!.InternetGatewayId,
          Destination: eni.NetworkInterfaceId,
          Protocol: 'tcp',
          DestinationPort: 443,
        }),
      )
      const { NetworkInsightsPathId } = NetworkInsightsPath!
      const { NetworkInsightsAnalysis } = await ec2.send(
        new EC2.StartNetworkInsightsAnalysisCommand({ NetworkInsightsPathId }),
      )
      const { NetworkInsightsAnalyses } = await ec2.send(
        new EC2.DescribeNetworkInsightsAnalysesCommand({
          NetworkInsightsAnalysisIds: [NetworkInsightsAnalysis!.NetworkInsightsAnalysisId!],
        }),
      )
      return NetworkInsightsAnalyses![0]!.NetworkPathFound
    }
    expect(await reached()).toBe(false)
    await ec2.send(
      new EC2.AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
      }),
    )
    await it.elb.send(new elb.SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups: [GroupId!] }))
    expect(await reached()).toBe(true)

    await it.elb.send(new elb.SetSubnetsCommand({ LoadBalancerArn, Subnets: [it.subnets[0]!, third] }))
    const moved = await interfaces()
    expect(moved.map(({ SubnetId }) => SubnetId).sort()).toEqual([it.subnets[0]!, third].sort())
    expect(moved.flatMap(({ Groups }) => Groups!.map((group) => group.GroupId))).toEqual([GroupId, GroupId])
    await it.elb.send(new elb.DeleteLoadBalancerCommand({ LoadBalancerArn }))
    expect(await interfaces()).toEqual([])
    await ec2.send(new EC2.DeleteSubnetCommand({ SubnetId: third }))
  })

  test('needs subnets of two Availability Zones of one VPC, and a name of AWS’s form', async () => {
    const it = await loadBalancing()
    const create = (input: Partial<elb.CreateLoadBalancerCommandInput>) =>
      it.elb.send(new elb.CreateLoadBalancerCommand({ Name: 'shop', Subnets: it.subnets, ...input }))
    await expect(create({ Subnets: it.subnets.slice(0, 1) })).rejects.toMatchObject(named('ValidationError'))
    await expect(create({ Subnets: [it.subnets[0]!, 'subnet-0123456789abcdef0'] })).rejects.toMatchObject({
      name: 'SubnetNotFoundException',
      message: "The subnet ID 'subnet-0123456789abcdef0' does not exist",
    })
    await expect(create({ SecurityGroups: ['sg-0123456789abcdef0'] })).rejects.toMatchObject(
      named('InvalidSecurityGroupException'),
    )
    await expect(create({ Name: 'a'.repeat(33) })).rejects.toMatchObject(named('ValidationError'))
    await expect(create({ Name: '-shop' })).rejects.toMatchObject(named('ValidationError'))
    await expect(create({ Name: 'internal-shop' })).rejects.toMatchObject(named('ValidationError'))
    await expect(create({ Type: 'network' })).rejects.toMatchObject(named('NotImplemented'))
    await create({ Name: 'a'.repeat(32) })
  })

  test('is protected from deletion by its attribute', async () => {
    const it = await loadBalancing()
    const { LoadBalancerArn } = await it.balancer('shop')
    const set = (Key: string, Value: string) =>
      it.elb.send(new elb.ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes: [{ Key, Value }] }))
    const remove = () => it.elb.send(new elb.DeleteLoadBalancerCommand({ LoadBalancerArn }))
    await set('deletion_protection.enabled', 'true')
    await expect(remove()).rejects.toMatchObject(named('OperationNotPermittedException'))
    await expect(set('no.such.attribute', 'x')).rejects.toMatchObject(named('ValidationError'))
    await expect(set('idle_timeout.timeout_seconds', '4001')).rejects.toMatchObject(named('ValidationError'))
    await expect(set('access_logs.s3.enabled', 'true')).rejects.toMatchObject(named('NotImplemented'))
    await set('deletion_protection.enabled', 'false')
    await remove()
    await remove()
    await expect(
      it.elb.send(new elb.DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn!] })),
    ).rejects.toMatchObject(named('LoadBalancerNotFoundException'))
  })

  test('is found by its own account alone, and a denial comes before what exists', async () => {
    const it = await loadBalancing()
    const { LoadBalancerArn } = await it.balancer('shop')
    const absent = LoadBalancerArn!.replace(/.{4}$/, '0000')
    const nobody = it.client(
      elb.ElasticLoadBalancingV2Client,
      await it.user('ann', allowing({ Action: 'elasticloadbalancing:Describe*', Resource: '*' })),
    )
    for (const arn of [LoadBalancerArn, absent]) {
      const command = new elb.SetSecurityGroupsCommand({ LoadBalancerArn: arn, SecurityGroups: ['sg-00000000'] })
      await expect(nobody.send(command)).rejects.toMatchObject(named('AccessDenied'))
    }
    await expect(
      it.elb.send(new elb.DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: absent })),
    ).rejects.toMatchObject(named('LoadBalancerNotFoundException'))
    const foreign = LoadBalancerArn!.replace(ACCOUNT, '444455556666')
    await expect(
      it.elb.send(new elb.DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: foreign })),
    ).rejects.toMatchObject(named('LoadBalancerNotFoundException'))
  })

  test('is created only with the scheme that a policy allows', async () => {
    const it = await loadBalancing()
    const keys: Keys = await it.user(
      'ann',
      allowing({
        Action: 'elasticloadbalancing:CreateLoadBalancer',
        Resource: 'arn:aws:elasticloadbalancing:*:*:loadbalancer/app/team-*/*',
        Condition: { StringEquals: { 'elasticloadbalancing:Scheme': 'internal' } },
      }),
    )
    const ann = it.client(elb.ElasticLoadBalancingV2Client, keys)
    const create = (Name: string, Scheme: elb.LoadBalancerSchemeEnum) =>
      ann.send(new elb.CreateLoadBalancerCommand({ Name, Subnets: it.subnets, Scheme }))
    await create('team-a', 'internal')
    await expect(create('team-b', 'internet-facing')).rejects.toMatchObject(named('AccessDenied'))
    await expect(create('other', 'internal')).rejects.toMatchObject(named('AccessDenied'))
  })
})

describe('A listener', () => {
  test('forwards to a group, keeps its port for itself and goes with its load balancer', async () => {
    const it = await loadBalancing()
    const { LoadBalancerArn } = await it.balancer('shop')
    const group = await it.group('web')
    const ListenerArn = await it.listener(LoadBalancerArn!, 8080, group)
    const { Listeners } = await it.elb.send(new elb.DescribeListenersCommand({ LoadBalancerArn }))
    expect(Listeners).toEqual([
      {
        ListenerArn,
        LoadBalancerArn,
        Port: 8080,
        Protocol: 'HTTP',
        DefaultActions: [
          {
            Type: 'forward',
            TargetGroupArn: group,
            ForwardConfig: {
              TargetGroups: [{ TargetGroupArn: group, Weight: 1 }],
              TargetGroupStickinessConfig: { Enabled: false },
            },
          },
        ],
      },
    ])
    await expect(it.listener(LoadBalancerArn!, 8080, group)).rejects.toMatchObject(named('DuplicateListenerException'))
    await expect(it.elb.send(new elb.DeleteTargetGroupCommand({ TargetGroupArn: group }))).rejects.toMatchObject(
      named('ResourceInUseException'),
    )
    const { TargetGroups } = await it.elb.send(new elb.DescribeTargetGroupsCommand({ LoadBalancerArn }))
    expect(TargetGroups?.[0]?.LoadBalancerArns).toEqual([LoadBalancerArn])
    await it.elb.send(new elb.DeleteLoadBalancerCommand({ LoadBalancerArn }))
    await expect(it.elb.send(new elb.DescribeListenersCommand({ ListenerArns: [ListenerArn] }))).rejects.toMatchObject(
      named('ListenerNotFoundException'),
    )
    await it.elb.send(new elb.DeleteTargetGroupCommand({ TargetGroupArn: group }))
  })

  test('shows in ACM which certificates it uses, and ACM keeps those', async () => {
    const it = await loadBalancing()
    const acm = it.client(ACMClient)
    const { CertificateArn } = await acm.send(
      new ImportCertificateCommand(await selfSignedCertificate(['shop.example'])),
    )
    const { LoadBalancerArn } = await it.balancer('shop')
    const create = (input: Partial<elb.CreateListenerCommandInput>) =>
      it.elb.send(
        new elb.CreateListenerCommand({
          LoadBalancerArn,
          Port: 443,
          Protocol: 'HTTPS',
          DefaultActions: [BODY],
          ...input,
        }),
      )
    const absent = CertificateArn!.replace(/.{4}$/, '0000')
    await expect(create({})).rejects.toMatchObject(named('ValidationError'))
    await expect(create({ Certificates: [{ CertificateArn: absent }] })).rejects.toMatchObject(
      named('CertificateNotFoundException'),
    )
    const secure = { Certificates: [{ CertificateArn: CertificateArn! }] }
    await expect(create({ ...secure, SslPolicy: 'none' })).rejects.toMatchObject(named('SSLPolicyNotFoundException'))
    const { Listeners } = await create(secure)
    expect(Listeners?.[0]).toMatchObject({ ...secure, SslPolicy: 'ELBSecurityPolicy-2016-08' })
    const inUse = async () =>
      (await acm.send(new DescribeCertificateCommand({ CertificateArn }))).Certificate?.InUseBy ?? []
    expect(await inUse()).toEqual([LoadBalancerArn])
    await expect(acm.send(new DeleteCertificateCommand({ CertificateArn }))).rejects.toMatchObject(
      named('ResourceInUseException'),
    )
    const { ListenerArn } = Listeners![0]!
    const second = await acm.send(new ImportCertificateCommand(await selfSignedCertificate(['api.example'])))
    const extra = { ListenerArn, Certificates: [{ CertificateArn: second.CertificateArn! }] }
    await it.elb.send(new elb.AddListenerCertificatesCommand(extra))
    const shown = await it.elb.send(new elb.DescribeListenerCertificatesCommand({ ListenerArn }))
    expect(shown.Certificates).toEqual([
      { CertificateArn, IsDefault: true },
      { CertificateArn: second.CertificateArn, IsDefault: false },
    ])
    await it.elb.send(new elb.RemoveListenerCertificatesCommand(extra))
    await expect(it.elb.send(new elb.RemoveListenerCertificatesCommand({ ...extra, ...secure }))).rejects.toMatchObject(
      named('OperationNotPermittedException'),
    )
    await it.elb.send(new elb.DeleteListenerCommand({ ListenerArn }))
    expect(await inUse()).toEqual([])
    await acm.send(new DeleteCertificateCommand({ CertificateArn }))
  })
})

describe('Rules', () => {
  test('are shown by priority with the default one last, and keep their priorities apart', async () => {
    const it = await loadBalancing()
    const { LoadBalancerArn } = await it.balancer('shop')
    const ListenerArn = await it.listener(LoadBalancerArn!, 80, await it.group('web'))
    const create = (Priority: number, Conditions: elb.RuleCondition[]) =>
      it.elb.send(new elb.CreateRuleCommand({ ListenerArn, Priority, Conditions, Actions: [BODY] }))
    const path = (Values: string[]): elb.RuleCondition[] => [{ Field: 'path-pattern', Values }]
    const { Rules: [second] = [] } = await create(20, path(['/b/*']))
    const { Rules: [first] = [] } = await create(10, [
      { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Team', Values: ['a*'] } },
      { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'v', Value: '1' }] } },
      { Field: 'source-ip', SourceIpConfig: { Values: ['192.0.2.0/24'] } },
    ])
    await expect(create(10, path(['/c']))).rejects.toMatchObject({
      name: 'PriorityInUseException',
      message: "Priority '10' is currently in use",
    })
    await expect(create(30, path(['/1', '/2', '/3', '/4', '/5', '/6']))).rejects.toMatchObject(named('ValidationError'))
    await expect(create(30, [{ Field: 'cookie', Values: ['x'] }])).rejects.toMatchObject(named('ValidationError'))
    await expect(create(30, [{ Field: 'source-ip', SourceIpConfig: { Values: ['x/24'] } }])).rejects.toMatchObject(
      named('ValidationError'),
    )
    const listed = async () => (await it.elb.send(new elb.DescribeRulesCommand({ ListenerArn }))).Rules!
    expect((await listed()).map(({ Priority }) => Priority)).toEqual(['10', '20', 'default'])
    await it.elb.send(
      new elb.SetRulePrioritiesCommand({
        RulePriorities: [
          { RuleArn: first!.RuleArn, Priority: 20 },
          { RuleArn: second!.RuleArn, Priority: 10 },
        ],
      }),
    )
    expect((await listed())[0]?.RuleArn).toBe(second!.RuleArn)
    const [, , last] = await listed()
    await expect(it.elb.send(new elb.DeleteRuleCommand({ RuleArn: last!.RuleArn }))).rejects.toMatchObject(
      named('OperationNotPermittedException'),
    )
    await it.elb.send(new elb.ModifyListenerCommand({ ListenerArn, DefaultActions: [BODY] }))
    expect((await listed())[2]?.Actions?.[0]?.Type).toBe('fixed-response')
  })

  test('forward, redirect or answer, and nothing that is not built', async () => {
    const it = await loadBalancing()
    const { LoadBalancerArn } = await it.balancer('shop')
    const ListenerArn = await it.listener(LoadBalancerArn!, 80, await it.group('web'))
    let priority = 0
    const create = (...Actions: elb.Action[]) =>
      it.elb.send(
        new elb.CreateRuleCommand({
          ListenerArn,
          Priority: ++priority,
          Conditions: [{ Field: 'host-header', Values: ['*.example.com'] }],
          Actions,
        }),
      )
    const redirect = (RedirectConfig: elb.RedirectActionConfig): elb.Action => ({ Type: 'redirect', RedirectConfig })
    const { Rules: [made] = [] } = await create(redirect({ Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' }))
    expect(made?.Actions?.[0]?.RedirectConfig).toEqual({
      Protocol: 'HTTPS',
      Port: '443',
      Host: '#{host}',
      Path: '/#{path}',
      Query: '#{query}',
      StatusCode: 'HTTP_301',
    })
    await expect(create(redirect({ StatusCode: 'HTTP_302' }))).rejects.toMatchObject(
      named('InvalidLoadBalancerActionException'),
    )
    await expect(create({ Type: 'authenticate-oidc' }, BODY)).rejects.toMatchObject(named('NotImplemented'))
    await expect(create(BODY, BODY)).rejects.toMatchObject(named('InvalidLoadBalancerActionException'))
    await expect(create({ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '302' } })).rejects.toMatchObject(
      named('ValidationError'),
    )
  })
})

describe('Targets', () => {
  test('are registered once, drain when they go, and are unused without a load balancer', async () => {
    const it = await loadBalancing()
    const TargetGroupArn = await it.group('web')
    const Targets = [{ Id: '127.0.0.1', Port: 8080 }]
    const states = async () =>
      (await it.elb.send(new elb.DescribeTargetHealthCommand({ TargetGroupArn }))).TargetHealthDescriptions?.map(
        ({ Target, TargetHealth }) => `${Target?.Id}:${Target?.Port} ${TargetHealth?.State}`,
      )
    await it.elb.send(new elb.RegisterTargetsCommand({ TargetGroupArn, Targets }))
    await it.elb.send(new elb.RegisterTargetsCommand({ TargetGroupArn, Targets }))
    expect(await states()).toEqual(['127.0.0.1:8080 unused'])
    await it.listener((await it.balancer('shop')).LoadBalancerArn!, 80, TargetGroupArn)
    expect(await states()).toEqual(['127.0.0.1:8080 initial'])
    await it.elb.send(new elb.DeregisterTargetsCommand({ TargetGroupArn, Targets }))
    expect(await states()).toEqual(['127.0.0.1:8080 draining'])
    it.clock.advance(300_000)
    expect(await states()).toEqual([])
    const register = (Id: string) => it.elb.send(new elb.RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }))
    await expect(register('203.0.113.7')).rejects.toMatchObject(named('ValidationError'))
    await expect(register('10.0.0.7')).rejects.toMatchObject(named('ValidationError'))
    await expect(register('shop.example')).rejects.toMatchObject(named('ValidationError'))
    const machines = await it.group('machines', { TargetType: 'instance' })
    await expect(
      it.elb.send(
        new elb.RegisterTargetsCommand({ TargetGroupArn: machines, Targets: [{ Id: 'i-0123456789abcdef0' }] }),
      ),
    ).rejects.toMatchObject(named('InvalidTargetException'))
  })

  test('have a health check with AWS’s defaults and bounds', async () => {
    const it = await loadBalancing()
    // As Terraform's provider sends it.
    const TargetGroupArn = await it.group('web', { ProtocolVersion: '' })
    const modify = async (input: Partial<elb.ModifyTargetGroupCommandInput>) =>
      (await it.elb.send(new elb.ModifyTargetGroupCommand({ TargetGroupArn, ...input }))).TargetGroups![0]!
    expect(await modify({ HealthCheckPath: '/health', Matcher: { HttpCode: '200-299,301' } })).toMatchObject({
      HealthCheckPath: '/health',
      HealthCheckPort: 'traffic-port',
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: '200-299,301' },
    })
    await expect(modify({ Matcher: { HttpCode: '500' } })).rejects.toMatchObject(named('ValidationError'))
    await expect(modify({ HealthCheckTimeoutSeconds: 30 })).rejects.toMatchObject(named('ValidationError'))
    await expect(modify({ HealthCheckPath: 'x' })).rejects.toMatchObject(named('ValidationError'))
  })
})

test('Tags of several resources are added, shown and removed with one request each', async () => {
  const it = await loadBalancing()
  const { LoadBalancerArn = '' } = await it.balancer('shop')
  const group = await it.group('web', { Tags: [{ Key: 'team', Value: 'a' }] })
  const listener = await it.listener(LoadBalancerArn, 80, group)
  const ResourceArns = [LoadBalancerArn, group, listener]
  await it.elb.send(new elb.AddTagsCommand({ ResourceArns, Tags: [{ Key: 'stage', Value: 'test' }] }))
  const tags = async () =>
    (await it.elb.send(new elb.DescribeTagsCommand({ ResourceArns }))).TagDescriptions!.map(({ Tags = [] }) =>
      Tags.map(({ Key, Value }) => `${Key}=${Value}`).join(),
    )
  expect(await tags()).toEqual(['stage=test', 'stage=test,team=a', 'stage=test'])
  await it.elb.send(new elb.RemoveTagsCommand({ ResourceArns, TagKeys: ['stage'] }))
  expect(await tags()).toEqual(['', 'team=a', ''])
  const ann = it.client(
    elb.ElasticLoadBalancingV2Client,
    await it.user('ann', allowing({ Action: 'elasticloadbalancing:AddTags', Resource: LoadBalancerArn })),
  )
  const more = [{ Key: 'x', Value: 'y' }]
  await ann.send(new elb.AddTagsCommand({ ResourceArns: [LoadBalancerArn], Tags: more }))
  await expect(ann.send(new elb.AddTagsCommand({ ResourceArns, Tags: more }))).rejects.toMatchObject(
    named('AccessDenied'),
  )
})

test('Limits and security policies are those of AWS', async () => {
  const it = await loadBalancing({ quotas: { 'elasticloadbalancing/ApplicationLoadBalancersPerRegion': 1 } })
  const { Limits } = await it.elb.send(new elb.DescribeAccountLimitsCommand({}))
  expect(Limits).toContainEqual({ Name: 'application-load-balancers', Max: '1' })
  await it.balancer('first')
  await expect(it.balancer('second')).rejects.toMatchObject(named('TooManyLoadBalancersException'))
  const { SslPolicies } = await it.elb.send(new elb.DescribeSSLPoliciesCommand({}))
  expect(SslPolicies?.map(({ Name }) => Name)).toContain('ELBSecurityPolicy-TLS13-1-2-2021-06')
})
