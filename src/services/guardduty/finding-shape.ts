/** A finding in GuardDuty's shape: made of what the engine detected, and as the API and exported files show it. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type { DetectedFinding, FindingAction, FindingResource, RemoteAddress } from '../../engines/detect/types.ts'
import type { DetectorRow } from './resources.ts'

/** Of texts that come out of logs, so that no request makes findings large. */
const TEXT_MAX = 1_000

const text = (value: string): string => (value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value)

export const findingArn = (
  { partition, region, account, id }: Pick<DetectorRow, 'partition' | 'region' | 'account' | 'id'>,
  finding: string,
): string => `arn:${partition}:guardduty:${region}:${account}:detector/${id}/finding/${finding}`

/** The first sighting, or another one of a finding that there is: the newer details win, and the count grows. */
export function findingOf(
  detector: DetectorRow,
  detected: DetectedFinding,
  before: GuardDuty.Finding | undefined,
  now: number,
): GuardDuty.Finding {
  const first = before?.Service?.EventFirstSeen ?? new Date(detected.firstSeen).toISOString()
  return {
    SchemaVersion: '2.0',
    AccountId: detector.account,
    Region: detector.region,
    Partition: detector.partition,
    Id: detected.id,
    Arn: findingArn(detector, detected.id),
    Type: detected.type,
    Severity: Math.max(detected.severity, before?.Severity ?? 0),
    Title: text(detected.title),
    Description: text(detected.description),
    CreatedAt: before?.CreatedAt ?? new Date(now).toISOString(),
    UpdatedAt: new Date(now).toISOString(),
    Resource: resourceOf(detected.resource),
    Service: {
      ServiceName: 'guardduty',
      DetectorId: detector.id,
      FeatureName: detected.feature,
      ResourceRole: detected.resourceRole,
      Archived: before?.Service?.Archived ?? false,
      Count: (before?.Service?.Count ?? 0) + detected.count,
      EventFirstSeen: first,
      EventLastSeen: new Date(detected.lastSeen).toISOString(),
      Action: actionOf(detected.action),
      AdditionalInfo: { Type: 'default', Value: JSON.stringify(additionalInfoOf(detected)) },
      ...(before?.Service?.UserFeedback !== undefined && { UserFeedback: before.Service.UserFeedback }),
      ...(detected.evidence.length > 0 && {
        Evidence: {
          ThreatIntelligenceDetails: detected.evidence.map(({ listName, listSha256, threatNames }) => ({
            ThreatListName: listName,
            ThreatFileSha256: listSha256,
            ThreatNames: [...threatNames],
          })),
        },
      }),
      ...detectionOf(detected),
    },
  }
}

/** As GuardDuty's own, where expected and observed values have names; the events are ours to add. */
function additionalInfoOf({ additionalInfo, unusual, eventIds, signals }: DetectedFinding): object {
  return {
    ...additionalInfo,
    ...(unusual.length > 0 && {
      unusualBehavior: unusual.map(({ dimension, observed, expected, scope, surpriseBits }) => ({
        dimension,
        observed: text(observed),
        expected: expected.map(text),
        scope,
        surpriseBits,
      })),
    }),
    ...(signals.length > 0 && { signals }),
    eventIds: eventIds.slice(-10),
  }
}

function detectionOf({ unusual }: DetectedFinding): Pick<GuardDuty.Service, 'Detection'> | undefined {
  if (unusual.length === 0) return undefined
  const behavior: Record<string, Record<string, GuardDuty.AnomalyObject>> = {}
  const profiles: Record<string, Record<string, GuardDuty.AnomalyObject[]>> = {}
  for (const { scope, dimension, observed, expected } of unusual) {
    behavior[scope] ??= {}
    behavior[scope][dimension] = {
      ProfileType: 'FREQUENCY',
      ProfileSubtype: expected.length === 0 ? 'UNSEEN' : 'RARE',
      Observations: { Text: [text(observed)] },
    }
    profiles[scope] ??= {}
    profiles[scope][dimension] = expected.map((value) => ({
      ProfileType: 'FREQUENCY',
      ProfileSubtype: 'FREQUENT',
      Observations: { Text: [text(value)] },
    }))
  }
  return { Detection: { Anomaly: { Profiles: profiles, Unusual: { Behavior: behavior } } } }
}

function resourceOf(resource: FindingResource): GuardDuty.Resource {
  switch (resource.resourceType) {
    case 'AccessKey':
      return { ResourceType: 'AccessKey', AccessKeyDetails: accessKeyOf(resource) }
    case 'S3Bucket':
      return {
        ResourceType: 'S3Bucket',
        ...(resource.accessKey && { AccessKeyDetails: accessKeyOf(resource.accessKey) }),
        S3BucketDetails: resource.buckets.map(({ name, arn, publicAccess }) => ({
          Name: name,
          Arn: arn,
          Type: 'Destination',
          ...(publicAccess && { PublicAccess: { EffectivePermission: publicAccess } }),
        })),
      }
    case 'Instance':
      return {
        ResourceType: 'Instance',
        InstanceDetails: {
          InstanceId: resource.instanceId,
          NetworkInterfaces: [
            {
              NetworkInterfaceId: resource.interfaceId,
              VpcId: resource.vpcId,
              PrivateIpAddress: resource.privateAddress,
              ...(resource.publicAddress !== undefined && { PublicIp: resource.publicAddress }),
            },
          ],
        },
      }
  }
}

const accessKeyOf = ({
  accessKeyId,
  principalId,
  userName,
  userType,
}: Pick<
  Extract<FindingResource, { resourceType: 'AccessKey' }>,
  'accessKeyId' | 'principalId' | 'userName' | 'userType'
>) => ({
  AccessKeyId: accessKeyId,
  PrincipalId: text(principalId),
  UserName: text(userName),
  UserType: userType,
})

function actionOf(action: FindingAction): GuardDuty.Action {
  switch (action.actionType) {
    case 'AWS_API_CALL':
      return {
        ActionType: 'AWS_API_CALL',
        AwsApiCallAction: {
          Api: action.api,
          ServiceName: action.serviceName,
          CallerType: action.callerType,
          UserAgent: text(action.userAgent),
          ...(action.errorCode !== '' && { ErrorCode: text(action.errorCode) }),
          ...(action.remote && { RemoteIpDetails: remoteOf(action.remote) }),
          ...(action.domain !== undefined && { DomainDetails: { Domain: action.domain } }),
          ...(action.remoteAccount !== undefined && {
            RemoteAccountDetails: { AccountId: action.remoteAccount, Affiliated: false },
          }),
          AffectedResources: { ...action.affectedResources },
        },
      }
    case 'NETWORK_CONNECTION':
      return {
        ActionType: 'NETWORK_CONNECTION',
        NetworkConnectionAction: {
          Blocked: action.blocked,
          ConnectionDirection: action.direction,
          Protocol: action.protocol,
          LocalPortDetails: portOf(action.localPort),
          LocalIpDetails: addressOf(action.localAddress),
          LocalNetworkInterface: action.interfaceId,
          RemoteIpDetails: remoteOf(action.remote),
          RemotePortDetails: portOf(action.remote.port ?? 0),
        },
      }
    case 'DNS_REQUEST':
      return {
        ActionType: 'DNS_REQUEST',
        DnsRequestAction: {
          Domain: action.domain,
          DomainWithSuffix: action.domainWithSuffix,
          Protocol: action.protocol,
          Blocked: action.blocked,
        },
      }
    case 'PORT_PROBE':
      return {
        ActionType: 'PORT_PROBE',
        PortProbeAction: {
          Blocked: action.blocked,
          PortProbeDetails: action.probes.map(({ localAddress, localPort, remote }) => ({
            LocalPortDetails: portOf(localPort),
            LocalIpDetails: addressOf(localAddress),
            RemoteIpDetails: remoteOf(remote),
          })),
        },
      }
  }
}

/** Names of the ports that findings are about most. */
const PORT_NAMES: Readonly<Record<number, string>> = {
  22: 'SSH',
  25: 'SMTP',
  53: 'DNS',
  80: 'HTTP',
  443: 'HTTPS',
  3389: 'RDP',
  5985: 'WinRM',
}

const portOf = (port: number) => ({ Port: port, PortName: PORT_NAMES[port] ?? 'Unknown' })

const addressOf = (address: string) => (address.includes(':') ? { IpAddressV6: address } : { IpAddressV4: address })

const remoteOf = ({ address, country, asn, organization }: RemoteAddress): GuardDuty.RemoteIpDetails => ({
  ...addressOf(address),
  ...(country !== undefined && { Country: { CountryCode: country, CountryName: country } }),
  ...((asn !== undefined || organization !== undefined) && {
    Organization: {
      ...(asn !== undefined && { Asn: String(asn) }),
      ...(organization !== undefined && { AsnOrg: organization, Isp: organization, Org: organization }),
    },
  }),
})

/** What the finding is about, as people name it. */
export function resourceNameOf({ Resource: resource, AccountId }: GuardDuty.Finding): string {
  return (
    resource?.S3BucketDetails?.[0]?.Name ??
    resource?.InstanceDetails?.InstanceId ??
    resource?.AccessKeyDetails?.UserName ??
    resource?.EksClusterDetails?.Name ??
    resource?.EcsClusterDetails?.Name ??
    resource?.LambdaDetails?.FunctionName ??
    resource?.RdsDbInstanceDetails?.DbInstanceIdentifier ??
    AccountId!
  )
}

/** As stored, with the times of attack sequences as the API's codec wants them. */
export function shownFinding(finding: GuardDuty.Finding): GuardDuty.Finding {
  const sequence = finding.Service?.Detection?.Sequence
  if (!sequence) return finding
  const date = (value: unknown): Date => new Date(value as string)
  const Signals = sequence.Signals?.map((signal) => ({
    ...signal,
    CreatedAt: date(signal.CreatedAt),
    UpdatedAt: date(signal.UpdatedAt),
    FirstSeenAt: date(signal.FirstSeenAt),
    LastSeenAt: date(signal.LastSeenAt),
  }))
  const Sequence = { ...sequence, Signals }
  return { ...finding, Service: { ...finding.Service, Detection: { ...finding.Service?.Detection, Sequence } } }
}

/** Members whose JSON name is not their name with a small first letter. */
const JSON_NAMES: Readonly<Record<string, string>> = { SourceIps: 'sourceIPs' }
/** Maps, whose keys are data. */
const MAPS = new Set(['AffectedResources', 'Profiles', 'Behavior'])

/** As in exported files and events. */
export function findingJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(findingJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      JSON_NAMES[name] ?? name.charAt(0).toLowerCase() + name.slice(1),
      MAPS.has(name) ? mapJson(member) : findingJson(member),
    ]),
  )
}

function mapJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(findingJson)
  if (typeof value !== 'object' || value === null) return value
  const isDetail = 'ProfileType' in value
  return isDetail
    ? findingJson(value)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapJson(member)]))
}
