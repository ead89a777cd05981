/**
 * What every account has in every Region from the start: a default VPC with a subnet in each zone and a way to the
 * internet. It is written with the first operation that an account may do there.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
 */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { key } from '../../store/store.ts'
import { beforeFirst } from './define-operation.ts'
import { image } from './machine-resources.ts'
import { publicImages } from './machines.ts'
import {
  dhcpOptions,
  internetGateway,
  networkAcl,
  prefixList,
  routeTable,
  type SecurityRule,
  securityGroup,
  subnet,
  type VpcRow,
  vpc,
} from './resources.ts'
import { newId } from './words.ts'
import { zonesOf } from './zones.ts'

const DEFAULT_CIDR = '172.31.0.0/16'

beforeFirst(async (call) => {
  const marker = key('ec2', 'defaults', call.account, call.region)
  if (call.account === '' || (await call.unit.get(marker))) return
  call.unit.put(marker, { at: call.now })
  createDefaultOptions(call)
  createServiceLists(call)
  for (const each of publicImages(call.region)) image.create(call, each.ImageId, each)
  await createDefaultVpc(call)
})

/** The owner of the prefix lists of AWS's services. */
export const AWS = 'AWS'

/** The services that have gateway endpoints. Their addresses here are for documentation (RFC 5737): routes need some. */
const GATEWAY_SERVICES = { s3: '198.51.100.0/25', dynamodb: '198.51.100.128/25' } as const

function createServiceLists(call: Call): void {
  for (const [name, Cidr] of Object.entries(GATEWAY_SERVICES)) {
    const id = newId('pl')
    prefixList.create(
      call,
      id,
      {
        PrefixListId: id,
        PrefixListArn: `arn:${call.partition}:ec2:${call.region}:aws:prefix-list/${id}`,
        PrefixListName: `com.amazonaws.${call.region}.${name}`,
        AddressFamily: 'IPv4',
        OwnerId: AWS,
        State: 'create-complete',
      },
      { versions: [{ version: 1, entries: [{ Cidr }] }] },
    )
  }
}

/** The set that new VPCs get. */
function createDefaultOptions(call: Call): string {
  const id = newId('dopt')
  const domain = call.region === 'us-east-1' ? 'ec2.internal' : `${call.region}.compute.internal`
  dhcpOptions.create(call, id, {
    DhcpOptionsId: id,
    OwnerId: call.account,
    DhcpConfigurations: [
      { Key: 'domain-name', Values: [{ Value: domain }] },
      { Key: 'domain-name-servers', Values: [{ Value: 'AmazonProvidedDNS' }] },
    ],
  })
  call.unit.put(key('ec2', 'default-options', call.account, call.region), { id })
  return id
}

export async function defaultOptions(call: Call): Promise<string> {
  const known = await call.unit.get<{ readonly id: string }>(key('ec2', 'default-options', call.account, call.region))
  return known && (await dhcpOptions.get(call, known.id)) ? known.id : createDefaultOptions(call)
}

export interface NewVpc {
  readonly id: string
  readonly cidr: string
  readonly isDefault: boolean
  readonly tenancy: 'default' | 'dedicated' | 'host'
  readonly tags?: Tags
  readonly ipv6?: string | undefined
}

/** With what comes with each VPC: its main route table, default network ACL and default security group. */
export async function createVpcWithDefaults(call: Call, made: NewVpc): Promise<VpcRow> {
  const { id, cidr, isDefault, tenancy, tags, ipv6 } = made
  const row = vpc.create(
    call,
    id,
    {
      VpcId: id,
      OwnerId: call.account,
      State: 'available',
      CidrBlock: cidr,
      DhcpOptionsId: await defaultOptions(call),
      InstanceTenancy: tenancy,
      IsDefault: isDefault,
      CidrBlockAssociationSet: [
        { AssociationId: newId('vpc-cidr-assoc'), CidrBlock: cidr, CidrBlockState: { State: 'associated' } },
      ],
      Ipv6CidrBlockAssociationSet: ipv6 === undefined ? [] : [ipv6Association(call, ipv6)],
    },
    {
      attributes: {
        enableDnsSupport: true,
        enableDnsHostnames: isDefault,
        enableNetworkAddressUsageMetrics: false,
      },
    },
    tags,
  )
  createRouteTable(call, { id: newId('rtb'), vpc: row, isMain: true })
  createAcl(call, { id: newId('acl'), vpcId: id, isDefault: true, hasIpv6: ipv6 !== undefined })
  createDefaultGroup(call, id, ipv6 !== undefined)
  return row
}

export const ipv6Association = (call: Call, cidr: string) => ({
  AssociationId: newId('vpc-cidr-assoc'),
  Ipv6CidrBlock: cidr,
  Ipv6CidrBlockState: { State: 'associated' as const },
  NetworkBorderGroup: call.region,
  Ipv6Pool: 'Amazon',
  IpSource: 'amazon' as const,
  Ipv6AddressAttribute: 'public' as const,
})

export function createRouteTable(
  call: Call,
  {
    id,
    vpc: row,
    isMain,
    tags,
  }: { readonly id: string; readonly vpc: VpcRow; readonly isMain: boolean; readonly tags?: Tags },
) {
  const local = { GatewayId: 'local', Origin: 'CreateRouteTable' as const, State: 'active' as const }
  const blocks = (row.data.CidrBlockAssociationSet ?? []).map(({ CidrBlock }) => ({
    DestinationCidrBlock: CidrBlock,
    ...local,
  }))
  const blocks6 = (row.data.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => ({
    DestinationIpv6CidrBlock: Ipv6CidrBlock,
    ...local,
  }))
  return routeTable.create(
    call,
    id,
    {
      RouteTableId: id,
      VpcId: row.id,
      OwnerId: call.account,
      PropagatingVgws: [],
      Associations: isMain
        ? [
            {
              Main: true,
              RouteTableAssociationId: newId('rtbassoc'),
              RouteTableId: id,
              AssociationState: { State: 'associated' },
            },
          ]
        : [],
      Routes: [...blocks, ...blocks6],
    },
    undefined,
    tags,
  )
}

/** The rule that no other one matches. */
export const LAST_RULE = 32_767
export const LAST_RULE_6 = 32_768

/** Of a new network ACL, in one direction. */
export const aclEntries = ({
  egress: Egress,
  isDefault,
  hasIpv6,
}: {
  readonly egress: boolean
  readonly isDefault: boolean
  readonly hasIpv6: boolean
}): readonly EC2.NetworkAclEntry[] => [
  ...(isDefault
    ? [{ RuleNumber: 100, Protocol: '-1', RuleAction: 'allow' as const, Egress, CidrBlock: '0.0.0.0/0' }]
    : []),
  ...(isDefault && hasIpv6
    ? [{ RuleNumber: 101, Protocol: '-1', RuleAction: 'allow' as const, Egress, Ipv6CidrBlock: '::/0' }]
    : []),
  { RuleNumber: LAST_RULE, Protocol: '-1', RuleAction: 'deny' as const, Egress, CidrBlock: '0.0.0.0/0' },
  ...(hasIpv6
    ? [{ RuleNumber: LAST_RULE_6, Protocol: '-1', RuleAction: 'deny' as const, Egress, Ipv6CidrBlock: '::/0' }]
    : []),
]

export function createAcl(
  call: Call,
  {
    id,
    vpcId,
    isDefault,
    hasIpv6,
    tags,
  }: {
    readonly id: string
    readonly vpcId: string
    readonly isDefault: boolean
    readonly hasIpv6: boolean
    readonly tags?: Tags
  },
) {
  const entries = [true, false].flatMap((egress) => aclEntries({ egress, isDefault, hasIpv6 }))
  return networkAcl.create(
    call,
    id,
    { NetworkAclId: id, VpcId: vpcId, OwnerId: call.account, IsDefault: isDefault, Entries: entries, Associations: [] },
    undefined,
    tags,
  )
}

/** All traffic out. */
export const egressRules = (hasIpv6: boolean): readonly SecurityRule[] => [
  { id: newId('sgr'), egress: true, protocol: '-1', from: -1, to: -1, cidr: '0.0.0.0/0' },
  ...(hasIpv6 ? [{ id: newId('sgr'), egress: true, protocol: '-1', from: -1, to: -1, cidr6: '::/0' }] : []),
]

function createDefaultGroup(call: Call, vpcId: string, hasIpv6: boolean): void {
  const id = newId('sg')
  const self: SecurityRule = {
    id: newId('sgr'),
    egress: false,
    protocol: '-1',
    from: -1,
    to: -1,
    group: { id, owner: call.account },
  }
  securityGroup.create(
    call,
    id,
    {
      GroupId: id,
      GroupName: 'default',
      Description: 'default VPC security group',
      VpcId: vpcId,
      OwnerId: call.account,
      SecurityGroupArn: securityGroup.arn(call, id),
    },
    { rules: [self, ...egressRules(hasIpv6)] },
  )
}

export async function createDefaultVpc(call: Call): Promise<VpcRow> {
  const row = await createVpcWithDefaults(call, {
    id: newId('vpc'),
    cidr: DEFAULT_CIDR,
    isDefault: true,
    tenancy: 'default',
  })
  const gateway = newId('igw')
  internetGateway.create(call, gateway, {
    InternetGatewayId: gateway,
    OwnerId: call.account,
    Attachments: [{ State: 'available' as never, VpcId: row.id }],
  })
  for (const table of await routeTable.all(call)) {
    if (table.data.VpcId !== row.id) continue
    routeTable.put(call, {
      ...table,
      data: {
        ...table.data,
        Routes: [
          ...(table.data.Routes ?? []),
          { DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway, Origin: 'CreateRoute', State: 'active' },
        ],
      },
    })
  }
  for (const [index, zone] of zonesOf(call.region).entries()) {
    await createSubnetRow(call, {
      id: newId('subnet'),
      vpcId: row.id,
      cidr: `172.31.${index * 16}.0/20`,
      zone,
      isDefault: true,
    })
  }
  return row
}

export interface NewSubnet {
  readonly id: string
  readonly vpcId: string
  readonly cidr: string
  readonly zone: { readonly name: string; readonly id: string }
  readonly isDefault: boolean
  readonly tags?: Tags
  readonly ipv6?: string | undefined
}

/** Associated with the network ACL that its VPC began with. */
export async function createSubnetRow(call: Call, made: NewSubnet) {
  const { id, vpcId, cidr, zone, isDefault, tags, ipv6 } = made
  const row = subnet.create(
    call,
    id,
    {
      SubnetId: id,
      SubnetArn: subnet.arn(call, id),
      VpcId: vpcId,
      OwnerId: call.account,
      State: 'available',
      CidrBlock: cidr,
      AvailabilityZone: zone.name,
      AvailabilityZoneId: zone.id,
      DefaultForAz: isDefault,
      MapPublicIpOnLaunch: isDefault,
      MapCustomerOwnedIpOnLaunch: false,
      AssignIpv6AddressOnCreation: false,
      EnableDns64: false,
      Ipv6Native: false,
      PrivateDnsNameOptionsOnLaunch: {
        HostnameType: 'ip-name',
        EnableResourceNameDnsARecord: false,
        EnableResourceNameDnsAAAARecord: false,
      },
      Ipv6CidrBlockAssociationSet:
        ipv6 === undefined
          ? []
          : [
              {
                AssociationId: newId('subnet-cidr-assoc'),
                Ipv6CidrBlock: ipv6,
                Ipv6CidrBlockState: { State: 'associated' },
                Ipv6AddressAttribute: 'public',
                IpSource: 'amazon',
              },
            ],
    },
    undefined,
    tags,
  )
  for (const acl of await networkAcl.all(call)) {
    if (acl.data.VpcId !== vpcId || !acl.data.IsDefault) continue
    const association = { NetworkAclAssociationId: newId('aclassoc'), NetworkAclId: acl.id, SubnetId: id }
    networkAcl.put(call, {
      ...acl,
      data: { ...acl.data, Associations: [...(acl.data.Associations ?? []), association] },
    })
  }
  return row
}
