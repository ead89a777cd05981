/** Terraform: networks, DNS, certificates, web ACLs and load balancers. MERLON_TEST_SKIP_TERRAFORM=1 leaves it out where there is no Terraform. */
import { ACMClient, SearchCertificatesCommand } from '@aws-sdk/client-acm'
import {
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2'
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { ListHealthChecksCommand, ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53'
import {
  ListIPSetsCommand,
  ListLoggingConfigurationsCommand,
  ListRuleGroupsCommand,
  ListWebACLsCommand,
  WAFV2Client,
} from '@aws-sdk/client-wafv2'
import { describe, expect, test } from 'vitest'
import { at, skipped, workspace } from './terraform-workspace.ts'

describe.skipIf(skipped)('terraform', () => {
  test('web ACLs with rules of every kind, what they protect, and their logs', async () => {
    const space = await workspace('12-wafv2')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const waf = new WAFV2Client(at(space, space.account))
    const Scope = 'REGIONAL'
    expect((await waf.send(new ListWebACLsCommand({ Scope }))).WebACLs).toEqual([])
    expect((await waf.send(new ListRuleGroupsCommand({ Scope }))).RuleGroups).toEqual([])
    expect((await waf.send(new ListIPSetsCommand({ Scope }))).IPSets).toEqual([])
    expect((await waf.send(new ListLoggingConfigurationsCommand({ Scope }))).LoggingConfigurations).toEqual([])
  })

  test('a load balancer with a web ACL, whose health check, rule and attributes change', async () => {
    const space = await workspace('13-load-balancer')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const { dns_name } = JSON.parse(await space.terraform('output', '-json'))
    expect(dns_name.value).toMatch(/^shop-[0-9a-f]{10}\.us-east-1\.elb\.localhost$/)
    await space.destroy()

    const elb = new ElasticLoadBalancingV2Client(at(space, space.account))
    expect((await elb.send(new DescribeLoadBalancersCommand({}))).LoadBalancers).toEqual([])
    expect((await elb.send(new DescribeTargetGroupsCommand({}))).TargetGroups).toEqual([])
  })

  test('certificates: zone, record and validation with for_each and a wildcard, a private authority', async () => {
    const space = await workspace('07-acm')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    await space.destroy()

    const acm = new ACMClient(at(space, space.account))
    const { Results } = await acm.send(new SearchCertificatesCommand({}))
    expect(Results).toEqual([])
    const { HostedZones } = await new Route53Client(at(space, space.account)).send(new ListHostedZonesCommand({}))
    expect(HostedZones).toEqual([])
  })

  test('health checks, record sets that they choose, and a private zone of two VPCs', async () => {
    const space = await workspace('15-route53')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const route53 = new Route53Client(at(space, space.account))
    expect((await route53.send(new ListHealthChecksCommand({}))).HealthChecks).toHaveLength(3)
    await space.destroy()

    expect((await route53.send(new ListHealthChecksCommand({}))).HealthChecks).toEqual([])
    expect((await route53.send(new ListHostedZonesCommand({}))).HostedZones).toEqual([])
    // The provider waits for half a minute after each change of a zone.
  }, 900_000)

  test('a VPC of three zones with NAT, endpoints, ACLs, groups by reference and flow logs', async () => {
    const space = await workspace('06-network')

    for (const rev of [1, 2]) {
      await space.apply(rev)
      expect(await space.plan(rev)).toBe('')
    }
    const ec2 = new EC2Client(at(space, space.account))
    const own = async () => (await ec2.send(new DescribeVpcsCommand({}))).Vpcs!.filter(({ IsDefault }) => !IsDefault)
    expect(await own()).toMatchObject([{ CidrBlock: '10.20.0.0/16' }])
    await space.destroy()

    expect(await own()).toEqual([])
    expect((await ec2.send(new DescribeAddressesCommand({}))).Addresses).toEqual([])
    expect((await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces).toEqual([])
  })
})
