/** A request with tags for each operation of EC2 that takes them, for `tag-on-create.test.ts`. */
import * as ec2 from '@aws-sdk/client-ec2'

const VpcId = 'vpc-12345678'
const SubnetId = 'subnet-12345678'

/** Operation → the type of what it makes, in tag specifications, and what the request needs besides. */
const requests: Readonly<Record<string, readonly [type: string, input: object]>> = {
  AllocateAddress: ['elastic-ip', {}],
  AuthorizeSecurityGroupEgress: ['security-group-rule', { GroupId: 'sg-12345678', IpPermissions: [] }],
  AuthorizeSecurityGroupIngress: ['security-group-rule', { GroupId: 'sg-12345678', IpPermissions: [] }],
  CreateCustomerGateway: ['customer-gateway', { Type: 'ipsec.1', BgpAsn: 65_000, IpAddress: '198.51.100.7' }],
  CreateDhcpOptions: ['dhcp-options', { DhcpConfigurations: [{ Key: 'domain-name', Values: ['corp.test'] }] }],
  CreateEgressOnlyInternetGateway: ['egress-only-internet-gateway', { VpcId }],
  CreateFlowLogs: [
    'vpc-flow-log',
    { ResourceIds: [VpcId], ResourceType: 'VPC', TrafficType: 'ALL', LogDestination: 'arn:aws:s3:::logs' },
  ],
  CreateInstanceConnectEndpoint: ['instance-connect-endpoint', { SubnetId }],
  CreateInternetGateway: ['internet-gateway', {}],
  CreateKeyPair: ['key-pair', { KeyName: 'x' }],
  CreateManagedPrefixList: ['prefix-list', { PrefixListName: 'x', MaxEntries: 1, AddressFamily: 'IPv4' }],
  CreateNatGateway: ['natgateway', { SubnetId, ConnectivityType: 'private' }],
  CreateNetworkAcl: ['network-acl', { VpcId }],
  CreateNetworkInsightsAccessScope: ['network-insights-access-scope', { MatchPaths: [] }],
  CreateNetworkInsightsPath: ['network-insights-path', { Source: 'igw-12345678', Protocol: 'tcp' }],
  CreateNetworkInterface: ['network-interface', { SubnetId }],
  CreateRouteTable: ['route-table', { VpcId }],
  CreateSecurityGroup: ['security-group', { Description: 'x', GroupName: 'x', VpcId }],
  CreateSnapshot: ['snapshot', { VolumeId: 'vol-12345678' }],
  CreateSubnet: ['subnet', { VpcId, CidrBlock: '10.9.0.0/24' }],
  CreateVolume: ['volume', { AvailabilityZone: 'us-east-1a', Size: 1 }],
  CreateVpc: ['vpc', { CidrBlock: '10.9.0.0/16' }],
  CreateVpcBlockPublicAccessExclusion: [
    'vpc-block-public-access-exclusion',
    { VpcId, InternetGatewayExclusionMode: 'allow-egress' },
  ],
  CreateVpcEndpoint: ['vpc-endpoint', { VpcId, ServiceName: 'com.amazonaws.us-east-1.s3' }],
  CreateVpcPeeringConnection: ['vpc-peering-connection', { VpcId, PeerVpcId: 'vpc-87654321' }],
  CreateVpnGateway: ['vpn-gateway', { Type: 'ipsec.1' }],
  ImportKeyPair: ['key-pair', { KeyName: 'x', PublicKeyMaterial: Buffer.from('ssh-ed25519 AAAA') }],
  RegisterImage: ['image', { Name: 'xxx' }],
  RunInstances: ['instance', { MinCount: 1, MaxCount: 1, ImageId: 'ami-12345678', SubnetId }],
  StartNetworkInsightsAccessScopeAnalysis: [
    'network-insights-access-scope-analysis',
    { NetworkInsightsAccessScopeId: 'nis-12345678' },
  ],
  StartNetworkInsightsAnalysis: ['network-insights-analysis', { NetworkInsightsPathId: 'nip-12345678' }],
}

/** Operation → its request, to be sent by a client of EC2. */
export const taggedRequests: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries(requests).map(([name, [ResourceType, input]]) => {
    // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every command of the client may be named.
    const Command = ec2[`${name}Command` as keyof typeof ec2] as unknown as new (input: object) => object
    const TagSpecifications = [{ ResourceType, Tags: [{ Key: 'team', Value: 'a' }] }]
    return [name, new Command({ ...input, TagSpecifications })]
  }),
)
