/** Sample findings: one of each type, with details that are made up. */

import { createHash } from 'node:crypto'
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import { guardduty, invalidParameter } from './faults.ts'
import { findingArn } from './finding-shape.ts'
import { FINDING_TYPES, type FindingType } from './finding-types.ts'
import { recordFinding } from './findings-out.ts'
import { type DetectorRow, ofDetector } from './resources.ts'

const BY_TYPE = new Map(FINDING_TYPES.map((each) => [each.type, each]))

export const createSampleFindings = guardduty
  .operation('CreateSampleFindings')
  .on(ofDetector)
  .run(async (call, input, detector) => {
    const types = input.FindingTypes?.length ? input.FindingTypes : FINDING_TYPES.map(({ type }) => type)
    for (const type of new Set(types)) {
      const known = BY_TYPE.get(type)
      if (!known) throw invalidParameter('findingTypes')
      await recordFinding(call, detector, sampleOf(detector, known, call.now), { eventIds: [] })
    }
    return {}
  })

/** The same sample again is counted at the finding that there is. */
function sampleOf(detector: DetectorRow, known: FindingType, now: number) {
  const { type, severity, resource, feature } = known
  const id = createHash('sha256').update(`sample ${detector.id} ${type}`).digest('hex').slice(0, 32)
  const at = new Date(now).toISOString()
  const of = (before: GuardDuty.Finding | undefined): GuardDuty.Finding => ({
    SchemaVersion: '2.0',
    AccountId: detector.account,
    Region: detector.region,
    Partition: detector.partition,
    Id: id,
    Arn: findingArn(detector, id),
    Type: type,
    Severity: severity,
    Title: `[SAMPLE] ${titleOf(type)}`,
    Description: `A sample of the finding type ${type}. Its details are made up.`,
    CreatedAt: before?.CreatedAt ?? at,
    UpdatedAt: at,
    Resource: { ResourceType: resource, ...RESOURCES[resource]?.(detector) },
    Service: {
      ServiceName: 'guardduty',
      DetectorId: detector.id,
      FeatureName: feature,
      ResourceRole: 'TARGET',
      Archived: before?.Service?.Archived ?? false,
      Count: (before?.Service?.Count ?? 0) + 1,
      EventFirstSeen: before?.Service?.EventFirstSeen ?? at,
      EventLastSeen: at,
      AdditionalInfo: { Type: 'default', Value: JSON.stringify({ sample: true }) },
      ...(resource === 'AttackSequence'
        ? { Detection: { Sequence: sequenceOf(id, type, severity, now) } }
        : { Action: actionOf(type, feature) }),
    },
  })
  return { id, of }
}

/** `Recon:EC2/PortProbeUnprotectedPort` is `Recon EC2 port probe unprotected port.` */
function titleOf(type: string): string {
  const [purpose = '', resource = '', family = ''] = type.split(/[:/]/)
  const words = family.replaceAll(/[.!]/g, ' ').replaceAll(/([a-z])([A-Z])/g, '$1 $2')
  return `${purpose} on ${resource}: ${words}.`
}

/** Addresses and names that RFC 5737 and RFC 2606 reserve for examples. */
const REMOTE: GuardDuty.RemoteIpDetails = {
  IpAddressV4: '198.51.100.0',
  Country: { CountryCode: 'XX', CountryName: 'GeneratedFindingCountryName' },
  City: { CityName: 'GeneratedFindingCityName' },
  GeoLocation: { Lat: 0, Lon: 0 },
  Organization: {
    Asn: '64496',
    AsnOrg: 'GeneratedFindingASNOrg',
    Isp: 'GeneratedFindingISP',
    Org: 'GeneratedFindingORG',
  },
}

const ACCESS_KEY: GuardDuty.AccessKeyDetails = {
  AccessKeyId: 'GeneratedFindingAccessKeyId',
  PrincipalId: 'GeneratedFindingPrincipalId',
  UserName: 'GeneratedFindingUserName',
  UserType: 'IAMUser',
}

const INSTANCE: GuardDuty.InstanceDetails = {
  InstanceId: 'i-99999999',
  InstanceType: 'm3.xlarge',
  InstanceState: 'running',
  ImageId: 'ami-99999999',
  ImageDescription: 'GeneratedFindingInstanceImageDescription',
  AvailabilityZone: 'GeneratedFindingInstanceAvailabilityZone',
  NetworkInterfaces: [
    {
      NetworkInterfaceId: 'eni-abcdef00',
      PrivateDnsName: 'GeneratedFindingPrivateDnsName',
      PrivateIpAddress: '192.0.2.1',
      PublicIp: '198.51.100.1',
      SubnetId: 'GeneratedFindingSubnetId',
      VpcId: 'GeneratedFindingVPCId',
      SecurityGroups: [{ GroupId: 'GeneratedFindingSecurityId', GroupName: 'GeneratedFindingSecurityGroupName' }],
    },
  ],
  Tags: [{ Key: 'GeneratedFindingInstanceTag1', Value: 'GeneratedFindingInstanceValue1' }],
}

const BUCKET: GuardDuty.S3BucketDetail = {
  Arn: 'arn:aws:s3:::bucketName',
  Name: 'bucketName',
  Type: 'Destination',
  Owner: { Id: 'CanonicalId of Owner' },
  PublicAccess: { EffectivePermission: 'NOT_PUBLIC' },
  Tags: [{ Key: 'foo', Value: 'bar' }],
}

const arn = ({ partition, region, account }: DetectorRow, service: string, name: string): string =>
  `arn:${partition}:${service}:${region}:${account}:${name}`

const RESOURCES: Readonly<Record<string, (detector: DetectorRow) => GuardDuty.Resource>> = {
  AccessKey: () => ({ AccessKeyDetails: ACCESS_KEY }),
  Instance: () => ({ InstanceDetails: INSTANCE }),
  S3Bucket: () => ({ AccessKeyDetails: ACCESS_KEY, S3BucketDetails: [BUCKET] }),
  S3Object: () => ({ S3BucketDetails: [{ ...BUCKET, S3ObjectDetails: [{ Key: 'GeneratedFindingObjectKey' }] }] }),
  EKSCluster: (detector) => ({
    EksClusterDetails: {
      Name: 'GeneratedFindingEKSClusterName',
      Arn: arn(detector, 'eks', 'cluster/GeneratedFindingEKSClusterName'),
      VpcId: 'GeneratedFindingEKSClusterVpcId',
      Status: 'ACTIVE',
    },
    KubernetesDetails: { KubernetesUserDetails: { Username: 'GeneratedFindingUserName', Uid: 'GeneratedFindingUID' } },
  }),
  ECSCluster: (detector) => ({
    EcsClusterDetails: {
      Name: 'GeneratedFindingECSClusterName',
      Arn: arn(detector, 'ecs', 'cluster/GeneratedFindingECSClusterName'),
      Status: 'ACTIVE',
    },
  }),
  Container: () => ({ ContainerDetails: { Name: 'GeneratedFindingContainerName', Image: 'GeneratedFindingImage' } }),
  Lambda: (detector) => ({
    LambdaDetails: {
      FunctionName: 'GeneratedFindingLambdaFunctionName',
      FunctionArn: arn(detector, 'lambda', 'function:GeneratedFindingLambdaFunctionName'),
      FunctionVersion: '$LATEST',
    },
  }),
  RDSDBInstance: (detector) => ({
    RdsDbInstanceDetails: {
      DbInstanceIdentifier: 'GeneratedFindingDBInstanceId',
      DbInstanceArn: arn(detector, 'rds', 'db:GeneratedFindingDBInstanceId'),
      Engine: 'Aurora MySQL',
    },
    RdsDbUserDetails: { User: 'GeneratedFindingUserName', Database: 'GeneratedFindingDatabaseName' },
  }),
  S3RecoveryPoint: (detector) => ({
    RecoveryPointDetails: {
      RecoveryPointArn: arn(detector, 'backup', 'recovery-point:GeneratedFindingRecoveryPoint'),
      BackupVaultName: 'GeneratedFindingBackupVault',
    },
  }),
}

function actionOf(type: string, feature: string): GuardDuty.Action {
  switch (feature) {
    case 'FlowLogs':
    case 'LambdaNetworkLogs':
    case 'RuntimeMonitoring':
      return type.includes('PortProbe') ? probe : connection
    case 'DNSLogs':
      return {
        ActionType: 'DNS_REQUEST',
        DnsRequestAction: { Domain: 'generatedfinding.example', Protocol: 'UDP', Blocked: false },
      }
    case 'EKSAuditLogs':
      return {
        ActionType: 'KUBERNETES_API_CALL',
        KubernetesApiCallAction: {
          RequestUri: '/api/v1/generatedfinding',
          Verb: 'list',
          UserAgent: 'GeneratedFindingUserAgent',
          RemoteIpDetails: REMOTE,
          StatusCode: 200,
        },
      }
    case 'RDSLoginEvents':
      return { ActionType: 'RDS_LOGIN_ATTEMPT', RdsLoginAttemptAction: { RemoteIpDetails: REMOTE } }
    default:
      return {
        ActionType: 'AWS_API_CALL',
        AwsApiCallAction: {
          Api: 'GeneratedFindingAPIName',
          ServiceName: 'GeneratedFindingAPIServiceName',
          CallerType: 'Remote IP',
          RemoteIpDetails: REMOTE,
          AffectedResources: {},
        },
      }
  }
}

const port = { Port: 32794, PortName: 'Unknown' }

const connection: GuardDuty.Action = {
  ActionType: 'NETWORK_CONNECTION',
  NetworkConnectionAction: {
    Blocked: false,
    ConnectionDirection: 'INBOUND',
    Protocol: 'TCP',
    LocalPortDetails: { Port: 22, PortName: 'SSH' },
    LocalIpDetails: { IpAddressV4: '192.0.2.1' },
    RemoteIpDetails: REMOTE,
    RemotePortDetails: port,
  },
}

const probe: GuardDuty.Action = {
  ActionType: 'PORT_PROBE',
  PortProbeAction: {
    Blocked: false,
    PortProbeDetails: [
      {
        LocalPortDetails: { Port: 22, PortName: 'SSH' },
        LocalIpDetails: { IpAddressV4: '192.0.2.1' },
        RemoteIpDetails: REMOTE,
      },
    ],
  },
}

/** Times are texts: see `shownFinding`. */
function sequenceOf(uid: string, type: string, severity: number, now: number): GuardDuty.Sequence {
  const at = new Date(now).toISOString() as unknown as Date
  return {
    Uid: uid,
    Description: `A sample of the attack sequence ${type}. Its signals are made up.`,
    Actors: [
      {
        Id: 'GeneratedFindingActor',
        User: { Name: 'GeneratedFindingUserName', Uid: 'GeneratedFindingUID', Type: 'IAMUser' },
      },
    ],
    Resources: [],
    Endpoints: [{ Id: 'GeneratedFindingEndpoint', Ip: '198.51.100.0' }],
    Signals: [
      {
        Uid: `${uid}-1`,
        Type: 'FINDING',
        Name: 'Discovery:IAMUser/AnomalousBehavior',
        CreatedAt: at,
        UpdatedAt: at,
        FirstSeenAt: at,
        LastSeenAt: at,
        Severity: severity,
        Count: 1,
      },
    ],
    SequenceIndicators: [{ Key: 'ATTACK_TACTIC', Values: ['Discovery'] }],
  }
}
