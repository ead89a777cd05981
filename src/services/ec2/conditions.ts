/** EC2's condition keys: each resource supplies its own; what only requests say is here. */

import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { ConditionKeyTable, KeySource } from '../../kernel/resource/condition-keys.ts'

/** Of the first resource of an operation; the others supply theirs when they are authorized on. */
const ofTarget =
  (name: string) =>
  ({ row }: KeySource): string | undefined =>
    row?.conditions?.[name]

const SUPPLIED = [
  'ec2:AccepterVpc',
  'ec2:AllocationId',
  'ec2:AssociatePublicIpAddress',
  'ec2:AvailabilityZone',
  'ec2:AvailabilityZoneId',
  'ec2:DhcpOptionsID',
  'ec2:Domain',
  'ec2:EbsOptimized',
  'ec2:Encrypted',
  'ec2:ImageID',
  'ec2:ImageType',
  'ec2:InstanceID',
  'ec2:InstanceMarketType',
  'ec2:InstanceProfile',
  'ec2:InstanceType',
  'ec2:InternetGatewayID',
  'ec2:KeyPairName',
  'ec2:KeyPairType',
  'ec2:KmsKeyId',
  'ec2:MetadataHttpEndpoint',
  'ec2:MetadataHttpPutResponseHopLimit',
  'ec2:MetadataHttpTokens',
  'ec2:NetworkAclID',
  'ec2:NetworkInterfaceID',
  'ec2:Owner',
  'ec2:ParentSnapshot',
  'ec2:ParentVolume',
  'ec2:Public',
  'ec2:PublicIpAddress',
  'ec2:RequesterVpc',
  'ec2:RootDeviceType',
  'ec2:RouteTableID',
  'ec2:SecurityGroupID',
  'ec2:SnapshotID',
  'ec2:SnapshotTime',
  'ec2:Subnet',
  'ec2:SubnetID',
  'ec2:Tenancy',
  'ec2:VolumeID',
  'ec2:VolumeIops',
  'ec2:VolumeSize',
  'ec2:VolumeThroughput',
  'ec2:VolumeType',
  'ec2:Vpc',
  'ec2:VpcID',
  'ec2:VpcPeeringConnectionID',
  'ec2:VpceServiceName',
  'ec2:VpceServiceOwner',
  'ec2:VpceServiceRegion',
] as const

export const conditionKeys: ConditionKeyTable = {
  ...Object.fromEntries(SUPPLIED.map((name) => [name, ofTarget(name)])),
  'ec2:Region': ({ call }) => call.region,
  /** The attribute that a request to modify one names. */
  'ec2:Attribute': ({ input }) => input.Attribute,
  /** The new values of attributes: only where a request sets them, and there `op` supplies them. */
  'ec2:Attribute/${AttributeName}': () => undefined,
  /** With tags on creation alone, where `op` supplies it. */
  'ec2:CreateAction': () => undefined,
}

const absent = (reason: string, names: string): AbsentKeys =>
  Object.fromEntries(names.split(/\s+/).map((name) => [`ec2:${name}`, reason]))

export const absentKeys: AbsentKeys = {
  ...absent(
    'transit gateways are not built',
    `transitGatewayAttachmentId transitGatewayId transitGatewayConnectPeerId transitGatewayMeteringPolicyId
     transitGatewayMulticastDomainId transitGatewayPolicyTableId transitGatewayRouteTableAnnouncementId
     transitGatewayRouteTableId`,
  ),
  ...absent(
    'VPN connections are not built',
    `AuthenticationType DPDTimeoutSeconds GatewayType IKEVersions InsideTunnelCidr InsideTunnelIpv6Cidr Phase1DHGroup
     Phase1EncryptionAlgorithms Phase1IntegrityAlgorithms Phase1LifetimeSeconds Phase2DHGroup Phase2EncryptionAlgorithms
     Phase2IntegrityAlgorithms Phase2LifetimeSeconds RekeyFuzzPercentage RekeyMarginTimeSeconds ReplayWindowSizePackets
     RoutingType`,
  ),
  ...absent(
    'Client VPN endpoints are not built',
    'ClientRootCertificateChainArn CloudwatchLogGroupArn CloudwatchLogStreamArn DirectoryArn SamlProviderArn ServerCertificateArn',
  ),
  ...absent(
    'capacity reservations, dedicated hosts and reserved instances are not built',
    `AutoPlacement CapacityReservationFleet CommitmentDuration CreateDate DestinationCapacityReservationId EndDate EndDateType
     EphemeralStorage HostRecovery InstanceCount InstanceMatchCriteria InstancePlatform InterruptibleCapacityReservationId
     InterruptionType IsInterruptible Quantity ReservedInstancesOfferingType SourceCapacityReservationId TargetInstanceCount`,
  ),
  ...absent('placement groups are not built', 'PlacementGroup PlacementGroupName PlacementGroupStrategy'),
  ...absent('endpoint services are not built', 'VpceServicePrivateDnsName VpceSupportedRegion'),
  ...absent(
    'endpoints lead to services of their own Region, without preferences for private names',
    'VpceMultiRegion VpcePrivateDnsPreference VpcePrivateDnsSpecifiedDomains',
  ),
  ...absent('IPAM is not built', 'IpamPrefixListResolverTargetId Ipv4IpamPoolId Ipv6IpamPoolId'),
  ...absent(
    'snapshots are not shared, locked or copied here',
    `Add/group Add/userId Remove/group Remove/userId Location OutpostArn SnapshotCoolOffPeriod SnapshotLockDuration
     SourceAvailabilityZone SourceOutpostArn`,
  ),
  ...absent('launch templates are not built', 'IsLaunchTemplateResource LaunchTemplate'),
  ...absent('interface permissions are not built', 'AuthorizedService AuthorizedUser Permission'),
  ...absent(
    'instances are records without hardware',
    `BootModeOverride CpuOptionsAmdSevSnp ElasticGpuType InstanceAutoRecovery InstanceBandwidthWeighting InstanceMetadataTags
     ManagedResourceOperator NewInstanceProfile ProductCode VolumeInitializationRate`,
  ),
}
