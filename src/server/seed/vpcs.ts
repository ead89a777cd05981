/** Seeds of EC2: VPCs with subnets and security groups, named by their tag `Name`. Default VPCs are left alone. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Api } from '../../kernel/service/api.ts'
import { type Account, compact, inTurn, pagesOf, type Step, seedPart, seedTags, tagsOf } from './part.ts'
import type { SeedRule, SeedSecurityGroup, SeedTags, SeedVpc } from './seed-format.ts'

const ec2: Api<typeof EC2> = { id: 'ec2' }
const ALL = '-1'
const RULE = { protocol: true, port: true, cidr: true, group: true } as const

const tagged = (ResourceType: EC2.ResourceType, name: string, tags: SeedTags | undefined) => [
  { ResourceType, Tags: tagsOf({ Name: name, ...tags }) },
]

export const vpcs = seedPart({
  kind: 'vpcs',
  labels: ['name'],
  members: {
    name: true,
    id: true,
    cidr: true,
    tags: true,
    subnets: { name: true, cidr: true, zone: true, tags: true },
    securityGroups: { name: true, description: true, ingress: RULE, egress: RULE, tags: true },
  },
  add: async (account, vpc, step) => {
    const { call } = account
    const what = `VPC '${vpc.name}'`
    let VpcId = ''
    await step(['cidr'], what, async () => {
      const TagSpecifications = tagged('vpc', vpc.name, vpc.tags)
      const { Vpc } = await call(ec2, 'CreateVpc', { CidrBlock: vpc.cidr, TagSpecifications }, vpc.id)
      VpcId = Vpc!.VpcId!
    })
    for (const [n, { name, cidr, zone, tags }] of (vpc.subnets ?? []).entries())
      await step(['subnets', n], `subnet '${name}' of ${what}`, () =>
        call(ec2, 'CreateSubnet', {
          VpcId,
          CidrBlock: cidr,
          AvailabilityZone: zone ?? `${account.region}a`,
          TagSpecifications: tagged('subnet', name, tags),
        }),
      )
    const ids = new Map<string, string>()
    for (const [n, { name, description = name, tags }] of (vpc.securityGroups ?? []).entries())
      await step(['securityGroups', n], `security group '${name}' of ${what}`, async () => {
        const { GroupId = '' } = await call(ec2, 'CreateSecurityGroup', {
          VpcId,
          GroupName: name,
          Description: description,
          ...(tags && { TagSpecifications: [{ ResourceType: 'security-group' as const, Tags: tagsOf(tags) }] }),
        })
        ids.set(name, GroupId)
      })
    // A rule may name a group that comes later.
    for (const [n, group] of (vpc.securityGroups ?? []).entries())
      await addRules(account, group, ids, (path, detail, work) =>
        step(['securityGroups', n, ...path], `${detail} of security group '${group.name}' of ${what}`, work),
      )
  },
  export: async ({ call }) => {
    const all = await pagesOf(async (NextToken) => {
      const page = await call(ec2, 'DescribeVpcs', { NextToken })
      return { items: page.Vpcs, next: page.NextToken }
    })
    return inTurn(
      all.filter(({ IsDefault }) => !IsDefault),
      async ({ VpcId = '', CidrBlock = '', Tags }) => {
        const Filters = [{ Name: 'vpc-id', Values: [VpcId] }]
        const subnets = await pagesOf(async (NextToken) => {
          const page = await call(ec2, 'DescribeSubnets', { Filters, NextToken })
          return { items: page.Subnets, next: page.NextToken }
        })
        const groups = await pagesOf(async (NextToken) => {
          const page = await call(ec2, 'DescribeSecurityGroups', { Filters, NextToken })
          return { items: page.SecurityGroups, next: page.NextToken }
        })
        const names = new Map(groups.map(({ GroupId = '', GroupName = '' }) => [GroupId, GroupName]))
        const vpc: SeedVpc = {
          id: VpcId,
          cidr: CidrBlock,
          ...named(VpcId, Tags),
          ...compact({
            subnets: subnets.toSorted(byCidr).map((subnet) => ({
              ...named(subnet.SubnetId ?? '', subnet.Tags),
              cidr: subnet.CidrBlock ?? '',
              zone: subnet.AvailabilityZone ?? '',
            })),
            securityGroups: groups
              .filter(({ GroupName }) => GroupName !== 'default')
              .toSorted((a, b) => (a.GroupName! < b.GroupName! ? -1 : 1))
              .map((group) => shownGroup(group, names)),
          }),
        }
        return vpc
      },
    )
  },
})

async function addRules(
  { call }: Account,
  { name, ingress = [], egress }: SeedSecurityGroup,
  ids: ReadonlyMap<string, string>,
  step: Step,
): Promise<void> {
  const GroupId = ids.get(name)!
  for (const [n, rule] of ingress.entries())
    await step(['ingress', n], 'a rule', () =>
      call(ec2, 'AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [permissionOf(rule, ids)] }),
    )
  if (egress === undefined) return
  await step(['egress'], 'the rule that EC2 makes', () =>
    call(ec2, 'RevokeSecurityGroupEgress', {
      GroupId,
      IpPermissions: [{ IpProtocol: ALL, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    }),
  )
  for (const [n, rule] of egress.entries())
    await step(['egress', n], 'a rule', () =>
      call(ec2, 'AuthorizeSecurityGroupEgress', { GroupId, IpPermissions: [permissionOf(rule, ids)] }),
    )
}

function permissionOf({ protocol = ALL, port, cidr, group }: SeedRule, ids: ReadonlyMap<string, string>) {
  const [from, to = from] = String(port ?? '')
    .split('-')
    .map(Number)
  const GroupId = group === undefined ? undefined : ids.get(group)
  if (group !== undefined && GroupId === undefined) throw new Error(`The VPC has no security group '${group}'.`)
  if (group === undefined && cidr === undefined) throw new Error('A rule has a cidr, or the name of a group.')
  return {
    IpProtocol: protocol,
    ...(port !== undefined && { FromPort: from!, ToPort: to! }),
    ...(GroupId !== undefined
      ? { UserIdGroupPairs: [{ GroupId }] }
      : cidr!.includes(':')
        ? { Ipv6Ranges: [{ CidrIpv6: cidr! }] }
        : { IpRanges: [{ CidrIp: cidr! }] }),
  }
}

const byCidr = (a: EC2.Subnet, b: EC2.Subnet): number => ((a.CidrBlock ?? '') < (b.CidrBlock ?? '') ? -1 : 1)

function named(id: string, tags: readonly EC2.Tag[] | undefined): { readonly name: string; readonly tags?: SeedTags } {
  const { Name = id, ...more } = seedTags(tags) ?? {}
  return { name: Name, ...compact({ tags: more }) }
}

function shownGroup(group: EC2.SecurityGroup, names: ReadonlyMap<string, string>): SeedSecurityGroup {
  const rules = (permissions: readonly EC2.IpPermission[] = []) => permissions.flatMap((each) => rulesOf(each, names))
  const egress = rules(group.IpPermissionsEgress)
  const isAsMade = egress.length === 1 && egress[0]!.cidr === '0.0.0.0/0' && egress[0]!.protocol === undefined
  return {
    name: group.GroupName ?? '',
    ...compact({ description: group.Description, ingress: rules(group.IpPermissions), tags: seedTags(group.Tags) }),
    ...(!isAsMade && { egress }),
  }
}

function rulesOf(permission: EC2.IpPermission, names: ReadonlyMap<string, string>): readonly SeedRule[] {
  const { IpProtocol = ALL, FromPort: from, ToPort: to } = permission
  const base = compact({
    protocol: IpProtocol === ALL ? undefined : IpProtocol,
    port: from === undefined || IpProtocol === ALL ? undefined : from === to ? from : `${from}-${to}`,
  })
  return [
    ...(permission.IpRanges ?? []).map(({ CidrIp = '' }) => ({ ...base, cidr: CidrIp })),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 = '' }) => ({ ...base, cidr: CidrIpv6 })),
    ...(permission.UserIdGroupPairs ?? []).map(({ GroupId = '' }) => ({
      ...base,
      group: names.get(GroupId) ?? GroupId,
    })),
  ]
}
