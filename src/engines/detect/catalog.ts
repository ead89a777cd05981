/**
 * Every finding type that the engine makes: severity, role and texts, as GuardDuty documents them.
 * Sources: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html, …-types-s3.html, …-types-ec2.html,
 * …/guardduty-attack-sequence-finding-types.html
 *
 * Titles and descriptions have `{actor}`, `{resource}`, `{remote}`, `{api}` and `{detail}`.
 */
import type { DetectionFeature, FindingAction, FindingResource } from './types.ts'

export interface FindingTypeFacts {
  /** 1–3.9 low, 4–6.9 medium, 7–8.9 high, 9–10 critical. */
  readonly severity: number
  readonly resourceType: FindingResource['resourceType']
  readonly actionType: FindingAction['actionType']
  readonly resourceRole: 'TARGET' | 'ACTOR'
  readonly feature: DetectionFeature
  readonly title: string
  readonly description: string
}

const LOW = 2
const MEDIUM = 5
const HIGH = 8
const CRITICAL = 9

type Texts = readonly [severity: number, title: string, description: string]

const type = (
  facts: Pick<FindingTypeFacts, 'resourceType' | 'actionType' | 'resourceRole' | 'feature'>,
  rows: Readonly<Record<string, Texts>>,
): Record<string, FindingTypeFacts> =>
  Object.fromEntries(
    Object.entries(rows).map(([name, [severity, title, description]]) => [
      name,
      { ...facts, severity, title, description },
    ]),
  )

const identity = {
  resourceType: 'AccessKey',
  actionType: 'AWS_API_CALL',
  resourceRole: 'TARGET',
  feature: 'CloudTrail',
} as const
const bucket = {
  resourceType: 'S3Bucket',
  actionType: 'AWS_API_CALL',
  resourceRole: 'TARGET',
  feature: 'CloudTrail',
} as const
const objects = { ...bucket, feature: 'S3DataEvents' } as const
const attacked = {
  resourceType: 'Instance',
  actionType: 'NETWORK_CONNECTION',
  resourceRole: 'TARGET',
  feature: 'FlowLogs',
} as const
const attacking = { ...attacked, resourceRole: 'ACTOR' } as const
const resolving = { ...attacking, actionType: 'DNS_REQUEST', feature: 'DNSLogs' } as const

const anomaly = (severity: number, what: string): Texts => [
  severity,
  `Unusual API calls for ${what} by {actor}.`,
  `{actor} called {api} from {remote}. The call {detail}.`,
]

export const FINDING_TYPES: Readonly<Record<string, FindingTypeFacts>> = {
  ...type(identity, {
    'CredentialAccess:IAMUser/AnomalousBehavior': anomaly(MEDIUM, 'access to credentials'),
    'DefenseEvasion:IAMUser/AnomalousBehavior': anomaly(MEDIUM, 'the evasion of defenses'),
    'Discovery:IAMUser/AnomalousBehavior': anomaly(LOW, 'the discovery of resources'),
    'Exfiltration:IAMUser/AnomalousBehavior': anomaly(HIGH, 'the collection of data'),
    'Impact:IAMUser/AnomalousBehavior': anomaly(HIGH, 'tampering with data or operations'),
    'InitialAccess:IAMUser/AnomalousBehavior': anomaly(MEDIUM, 'initial access'),
    'Persistence:IAMUser/AnomalousBehavior': anomaly(MEDIUM, 'keeping access'),
    'PrivilegeEscalation:IAMUser/AnomalousBehavior': anomaly(MEDIUM, 'higher permissions'),
    'PenTest:IAMUser/KaliLinux': [
      MEDIUM,
      '{api} was called from a Kali Linux computer.',
      '{actor} called {api} from {remote} with a client that runs on Kali Linux.',
    ],
    'PenTest:IAMUser/ParrotLinux': [
      MEDIUM,
      '{api} was called from a Parrot Security Linux computer.',
      '{actor} called {api} from {remote} with a client that runs on Parrot Security Linux.',
    ],
    'PenTest:IAMUser/PentooLinux': [
      MEDIUM,
      '{api} was called from a Pentoo Linux computer.',
      '{actor} called {api} from {remote} with a client that runs on Pentoo Linux.',
    ],
    'Policy:IAMUser/RootCredentialUsage': [
      LOW,
      '{api} was called with root credentials.',
      'The root user of the account called {api} from {remote}.',
    ],
    'Recon:IAMUser/MaliciousIPCaller': [
      MEDIUM,
      'Discovery API {api} was called from a malicious address.',
      '{actor} called {api} from {remote}, which is on a threat list.',
    ],
    'Recon:IAMUser/MaliciousIPCaller.Custom': [
      MEDIUM,
      'Discovery API {api} was called from an address of a custom threat list.',
      '{actor} called {api} from {remote}, which is on a custom threat list.',
    ],
    'Recon:IAMUser/TorIPCaller': [
      MEDIUM,
      'Discovery API {api} was called from a Tor exit node.',
      '{actor} called {api} from {remote}, which is a Tor exit node.',
    ],
    'Stealth:IAMUser/CloudTrailLoggingDisabled': [
      LOW,
      'CloudTrail logging was disabled.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'Stealth:IAMUser/PasswordPolicyChange': [
      LOW,
      'The password policy of the account was weakened.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B': [
      MEDIUM,
      '{actor} signed in from several places at the same time.',
      '{actor} signed in from {remote}. {detail}.',
    ],
    'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS': [
      HIGH,
      'Credentials of an instance were used from another account or instance.',
      'Credentials issued to {detail} were used from {remote} to call {api}.',
    ],
    'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS': [
      HIGH,
      'Credentials of an instance were used from an external address.',
      'Credentials issued to {detail} were used from {remote} to call {api}.',
    ],
    'UnauthorizedAccess:IAMUser/MaliciousIPCaller': [
      MEDIUM,
      '{api} was called from a malicious address.',
      '{actor} called {api} from {remote}, which is on a threat list.',
    ],
    'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom': [
      MEDIUM,
      '{api} was called from an address of a custom threat list.',
      '{actor} called {api} from {remote}, which is on a custom threat list.',
    ],
    'UnauthorizedAccess:IAMUser/TorIPCaller': [
      MEDIUM,
      '{api} was called from a Tor exit node.',
      '{actor} called {api} from {remote}, which is a Tor exit node.',
    ],
    'AttackSequence:IAM/CompromisedCredentials': [
      CRITICAL,
      'Credentials of {actor} may be compromised.',
      'Calls of {actor} within 24 hours follow the course of an attack: {detail}.',
    ],
  }),
  ...type(bucket, {
    'PenTest:S3/KaliLinux': [
      MEDIUM,
      'S3 API {api} was called from a Kali Linux computer.',
      '{actor} called {api} on {resource} from {remote} with a client that runs on Kali Linux.',
    ],
    'PenTest:S3/ParrotLinux': [
      MEDIUM,
      'S3 API {api} was called from a Parrot Security Linux computer.',
      '{actor} called {api} on {resource} from {remote} with a client that runs on Parrot Security Linux.',
    ],
    'PenTest:S3/PentooLinux': [
      MEDIUM,
      'S3 API {api} was called from a Pentoo Linux computer.',
      '{actor} called {api} on {resource} from {remote} with a client that runs on Pentoo Linux.',
    ],
    'Policy:S3/AccountBlockPublicAccessDisabled': [
      LOW,
      'Block Public Access was disabled for the account.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'Policy:S3/BucketAnonymousAccessGranted': [
      HIGH,
      'Bucket {resource} was opened to everyone.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'Policy:S3/BucketBlockPublicAccessDisabled': [
      LOW,
      'Block Public Access was disabled for bucket {resource}.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'Policy:S3/BucketPublicAccessGranted': [
      HIGH,
      'Bucket {resource} was opened to all AWS users.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'Stealth:S3/ServerAccessLoggingDisabled': [
      LOW,
      'Server access logging was disabled for bucket {resource}.',
      '{actor} called {api} from {remote}. The call {detail}.',
    ],
    'AttackSequence:S3/CompromisedData': [
      CRITICAL,
      'Data in {resource} may be compromised.',
      'Calls of {actor} within 24 hours follow the course of an attack on S3 data: {detail}.',
    ],
  }),
  ...type(objects, {
    'Discovery:S3/AnomalousBehavior': anomaly(LOW, 'the discovery of S3 objects'),
    'Exfiltration:S3/AnomalousBehavior': anomaly(HIGH, 'reading S3 objects'),
    'Impact:S3/AnomalousBehavior.Delete': anomaly(HIGH, 'deleting S3 data'),
    'Impact:S3/AnomalousBehavior.Permission': anomaly(HIGH, 'changing permissions of S3 data'),
    'Impact:S3/AnomalousBehavior.Write': anomaly(MEDIUM, 'writing S3 data'),
    'Discovery:S3/MaliciousIPCaller': [
      HIGH,
      'S3 discovery API {api} was called from a malicious address.',
      '{actor} called {api} on {resource} from {remote}, which is on a threat list.',
    ],
    'Discovery:S3/MaliciousIPCaller.Custom': [
      HIGH,
      'S3 discovery API {api} was called from an address of a custom threat list.',
      '{actor} called {api} on {resource} from {remote}, which is on a custom threat list.',
    ],
    'Discovery:S3/TorIPCaller': [
      MEDIUM,
      'S3 discovery API {api} was called from a Tor exit node.',
      '{actor} called {api} on {resource} from {remote}, which is a Tor exit node.',
    ],
    'Exfiltration:S3/MaliciousIPCaller': [
      HIGH,
      'S3 objects were read from a malicious address.',
      '{actor} called {api} on {resource} from {remote}, which is on a threat list.',
    ],
    'Impact:S3/MaliciousIPCaller': [
      HIGH,
      'S3 data was changed from a malicious address.',
      '{actor} called {api} on {resource} from {remote}, which is on a threat list.',
    ],
    'UnauthorizedAccess:S3/MaliciousIPCaller.Custom': [
      HIGH,
      'S3 API {api} was called from an address of a custom threat list.',
      '{actor} called {api} on {resource} from {remote}, which is on a custom threat list.',
    ],
    'UnauthorizedAccess:S3/TorIPCaller': [
      HIGH,
      'S3 API {api} was called from a Tor exit node.',
      '{actor} called {api} on {resource} from {remote}, which is a Tor exit node.',
    ],
  }),
  ...type(attacked, {
    'Recon:EC2/PortProbeUnprotectedPort': [
      LOW,
      'A port of {resource} that is open to the world is being probed.',
      '{remote}, which is on a threat list, reaches {detail} of {resource}.',
    ],
    'UnauthorizedAccess:EC2/SSHBruteForce': [
      LOW,
      'SSH brute force against {resource}.',
      '{remote} makes SSH connections to {resource} that look like guessing passwords: {detail}.',
    ],
    'UnauthorizedAccess:EC2/RDPBruteForce': [
      LOW,
      'RDP brute force against {resource}.',
      '{remote} makes RDP connections to {resource} that look like guessing passwords: {detail}.',
    ],
    'Impact:EC2/WinRMBruteForce': [
      LOW,
      'WinRM brute force against {resource}.',
      '{remote} makes WinRM connections to {resource} that look like guessing passwords: {detail}.',
    ],
    'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom': [
      MEDIUM,
      '{resource} communicates with an address of a custom threat list.',
      '{resource} exchanges packets with {remote}, which is on a custom threat list.',
    ],
  }),
  ...type(attacking, {
    'Recon:EC2/Portscan': [MEDIUM, '{resource} scans ports of a remote host.', '{resource} scans {remote}: {detail}.'],
    'Impact:EC2/PortSweep': [HIGH, '{resource} probes a port on many hosts.', '{resource} sweeps a port: {detail}.'],
    'Backdoor:EC2/Spambot': [
      MEDIUM,
      '{resource} may send spam.',
      '{resource} connects to many mail servers: {detail}.',
    ],
    'Backdoor:EC2/C&CActivity.B': [
      HIGH,
      '{resource} communicates with a command and control server.',
      '{resource} exchanges packets with {remote}, a known command and control server.',
    ],
    'Backdoor:EC2/DenialOfService.Tcp': [
      HIGH,
      '{resource} may take part in a denial of service attack by TCP.',
      '{resource} sends a large volume of TCP traffic to {remote}: {detail}.',
    ],
    'Backdoor:EC2/DenialOfService.Udp': [
      HIGH,
      '{resource} may take part in a denial of service attack by UDP.',
      '{resource} sends a large volume of UDP traffic to {remote}: {detail}.',
    ],
    'Backdoor:EC2/DenialOfService.Dns': [
      HIGH,
      '{resource} may take part in a denial of service attack by DNS.',
      '{resource} sends a large volume of DNS traffic to {remote}: {detail}.',
    ],
    'Backdoor:EC2/DenialOfService.UdpOnTcpPorts': [
      HIGH,
      '{resource} may take part in a denial of service attack by UDP on TCP ports.',
      '{resource} sends a large volume of UDP traffic to a TCP port of {remote}: {detail}.',
    ],
    'Backdoor:EC2/DenialOfService.UnusualProtocol': [
      HIGH,
      '{resource} may take part in a denial of service attack by an unusual protocol.',
      '{resource} sends a large volume of an unusual protocol to {remote}: {detail}.',
    ],
    'Behavior:EC2/NetworkPortUnusual': [
      MEDIUM,
      '{resource} communicates on an unusual port.',
      '{resource} connects to {remote}: {detail}.',
    ],
    'Behavior:EC2/TrafficVolumeUnusual': [
      MEDIUM,
      '{resource} sends an unusual volume of traffic.',
      '{resource} sends to {remote}: {detail}.',
    ],
    'CryptoCurrency:EC2/BitcoinTool.B': [
      HIGH,
      '{resource} communicates with a mining pool.',
      '{resource} exchanges packets with {remote}: {detail}.',
    ],
    'Trojan:EC2/BlackholeTraffic': [
      MEDIUM,
      '{resource} communicates with a known black hole.',
      '{resource} sends packets to {remote}, a known black hole.',
    ],
    'Trojan:EC2/DropPoint': [
      MEDIUM,
      '{resource} communicates with a known drop point.',
      '{resource} exchanges packets with {remote}, where stolen data is known to be collected.',
    ],
    'UnauthorizedAccess:EC2/TorClient': [
      HIGH,
      '{resource} connects to Tor.',
      '{resource} connects to {remote}, a Tor guard or authority node.',
    ],
    'UnauthorizedAccess:EC2/TorRelay': [
      HIGH,
      '{resource} acts as a Tor relay.',
      '{remote}, a Tor node, connects to {resource}.',
    ],
    'DefenseEvasion:EC2/UnusualDNSResolver': [
      MEDIUM,
      '{resource} uses an unusual DNS resolver.',
      '{resource} sends DNS queries to {remote} instead of the resolver of its VPC.',
    ],
    'DefenseEvasion:EC2/UnusualDoTActivity': [
      MEDIUM,
      '{resource} uses DNS over TLS.',
      '{resource} sends DNS over TLS to {remote}.',
    ],
  }),
  ...type(resolving, {
    'Backdoor:EC2/C&CActivity.B!DNS': [
      HIGH,
      '{resource} looks up a command and control domain.',
      '{resource} looks up {detail}, a known command and control domain.',
    ],
    'CryptoCurrency:EC2/BitcoinTool.B!DNS': [
      HIGH,
      '{resource} looks up a mining domain.',
      '{resource} looks up {detail}, a domain of cryptocurrency mining.',
    ],
    'Impact:EC2/MaliciousDomainRequest.Custom': [
      MEDIUM,
      '{resource} looks up a domain of a custom threat list.',
      '{resource} looks up {detail}, which is on a custom threat list.',
    ],
    'Impact:EC2/MaliciousDomainRequest.Reputation': [
      HIGH,
      '{resource} looks up a malicious domain.',
      '{resource} looks up {detail}, which is on a threat list.',
    ],
    'Trojan:EC2/BlackholeTraffic!DNS': [
      MEDIUM,
      '{resource} looks up a black hole domain.',
      '{resource} looks up {detail}, which leads to a black hole.',
    ],
    'Trojan:EC2/DropPoint!DNS': [
      MEDIUM,
      '{resource} looks up a drop point domain.',
      '{resource} looks up {detail}, where stolen data is known to be collected.',
    ],
    'Trojan:EC2/PhishingDomainRequest!DNS': [
      HIGH,
      '{resource} looks up a phishing domain.',
      '{resource} looks up {detail}, a domain of phishing.',
    ],
    'Trojan:EC2/DGADomainRequest.B': [
      HIGH,
      '{resource} looks up generated domains.',
      '{resource} looks up domains that look generated: {detail}.',
    ],
    'Trojan:EC2/DGADomainRequest.C!DNS': [
      HIGH,
      '{resource} looks up generated domains.',
      '{resource} looks up domains that look generated, and some exist: {detail}.',
    ],
    'Trojan:EC2/DNSDataExfiltration': [
      HIGH,
      '{resource} sends data through DNS queries.',
      '{resource} sends data in the names of DNS queries: {detail}.',
    ],
    'UnauthorizedAccess:EC2/MetadataDNSRebind': [
      HIGH,
      '{resource} looks up a domain that leads to the instance metadata service.',
      '{resource} looks up {detail}, which resolves to the address of the instance metadata service.',
    ],
  }),
}
