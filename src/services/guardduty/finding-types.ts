/**
 * The finding types that GuardDuty documents, with the severity and the resource of each.
 * Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html
 */

export interface FindingType {
  readonly type: string
  /** 2 low, 5 medium, 8 high, 9 critical; of types whose severity varies, the usual one. */
  readonly severity: number
  /** `resource.resourceType` of findings. */
  readonly resource: string
  /** `service.featureName` of findings. */
  readonly feature: string
}

interface Family {
  readonly resource: string
  readonly feature: string
  readonly low?: string
  readonly medium?: string
  readonly high?: string
  readonly critical?: string
}

const FAMILIES: readonly Family[] = [
  {
    resource: 'AccessKey',
    feature: 'CloudTrail',
    low: `Discovery:IAMUser/AnomalousBehavior Policy:IAMUser/RootCredentialUsage Policy:IAMUser/ShortTermRootCredentialUsage
      Stealth:IAMUser/CloudTrailLoggingDisabled Stealth:IAMUser/PasswordPolicyChange`,
    medium: `CredentialAccess:IAMUser/AnomalousBehavior DefenseEvasion:IAMUser/AnomalousBehavior
      DefenseEvasion:IAMUser/BedrockLoggingDisabled InitialAccess:IAMUser/AnomalousBehavior PenTest:IAMUser/KaliLinux
      PenTest:IAMUser/ParrotLinux PenTest:IAMUser/PentooLinux Persistence:IAMUser/AnomalousBehavior
      PrivilegeEscalation:IAMUser/AnomalousBehavior Recon:IAMUser/MaliciousIPCaller Recon:IAMUser/MaliciousIPCaller.Custom
      Recon:IAMUser/TorIPCaller UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B UnauthorizedAccess:IAMUser/MaliciousIPCaller
      UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom UnauthorizedAccess:IAMUser/TorIPCaller`,
    high: `Exfiltration:IAMUser/AnomalousBehavior Impact:IAMUser/AnomalousBehavior
      UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS
      UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS
      UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS`,
  },
  {
    resource: 'S3Bucket',
    feature: 'CloudTrail',
    low: `Policy:S3/AccountBlockPublicAccessDisabled Policy:S3/BucketBlockPublicAccessDisabled
      Stealth:S3/ServerAccessLoggingDisabled`,
    high: 'Policy:S3/BucketAnonymousAccessGranted Policy:S3/BucketPublicAccessGranted',
  },
  {
    resource: 'S3Bucket',
    feature: 'S3DataEvents',
    low: 'Discovery:S3/AnomalousBehavior',
    medium: `Discovery:S3/TorIPCaller Impact:S3/AnomalousBehavior.Write PenTest:S3/KaliLinux PenTest:S3/ParrotLinux
      PenTest:S3/PentooLinux`,
    high: `Discovery:S3/MaliciousIPCaller Discovery:S3/MaliciousIPCaller.Custom Exfiltration:S3/AnomalousBehavior
      Exfiltration:S3/MaliciousIPCaller Impact:S3/AnomalousBehavior.Delete Impact:S3/AnomalousBehavior.Permission
      Impact:S3/MaliciousIPCaller UnauthorizedAccess:S3/MaliciousIPCaller.Custom UnauthorizedAccess:S3/TorIPCaller`,
  },
  {
    resource: 'S3Object',
    feature: 'MalwareProtectionForS3',
    high: 'Object:S3/MaliciousFile',
  },
  {
    resource: 'Instance',
    feature: 'FlowLogs',
    low: 'Impact:EC2/WinRMBruteForce UnauthorizedAccess:EC2/RDPBruteForce UnauthorizedAccess:EC2/SSHBruteForce',
    medium: `Backdoor:EC2/Spambot Behavior:EC2/NetworkPortUnusual Behavior:EC2/TrafficVolumeUnusual
      DefenseEvasion:EC2/UnusualDNSResolver DefenseEvasion:EC2/UnusualDoHActivity DefenseEvasion:EC2/UnusualDoTActivity
      Recon:EC2/Portscan Trojan:EC2/BlackholeTraffic Trojan:EC2/DropPoint UnauthorizedAccess:EC2/MaliciousIPCaller.Custom`,
    high: `Backdoor:EC2/C&CActivity.B Backdoor:EC2/DenialOfService.Dns Backdoor:EC2/DenialOfService.Tcp
      Backdoor:EC2/DenialOfService.Udp Backdoor:EC2/DenialOfService.UdpOnTcpPorts
      Backdoor:EC2/DenialOfService.UnusualProtocol CryptoCurrency:EC2/BitcoinTool.B Impact:EC2/PortSweep
      Recon:EC2/PortProbeEMRUnprotectedPort UnauthorizedAccess:EC2/TorClient UnauthorizedAccess:EC2/TorRelay`,
  },
  { resource: 'Instance', feature: 'FlowLogs', low: 'Recon:EC2/PortProbeUnprotectedPort' },
  {
    resource: 'Instance',
    feature: 'DNSLogs',
    low: 'Impact:EC2/SuspiciousDomainRequest.Reputation',
    medium: `Impact:EC2/AbusedDomainRequest.Reputation Impact:EC2/MaliciousDomainRequest.Custom
      Trojan:EC2/BlackholeTraffic!DNS Trojan:EC2/DropPoint!DNS`,
    high: `Backdoor:EC2/C&CActivity.B!DNS CryptoCurrency:EC2/BitcoinTool.B!DNS Impact:EC2/BitcoinDomainRequest.Reputation
      Impact:EC2/MaliciousDomainRequest.Reputation Trojan:EC2/DGADomainRequest.B Trojan:EC2/DGADomainRequest.C!DNS
      Trojan:EC2/DNSDataExfiltration Trojan:EC2/DriveBySourceTraffic!DNS Trojan:EC2/PhishingDomainRequest!DNS
      UnauthorizedAccess:EC2/MetadataDNSRebind`,
  },
  {
    resource: 'Instance',
    feature: 'EbsMalwareProtection',
    high: `Execution:EC2/MaliciousFile Execution:EC2/MaliciousFile!AMI Execution:EC2/MaliciousFile!Snapshot
      Execution:EC2/MaliciousFile!RecoveryPoint Execution:EC2/SuspiciousFile`,
  },
  { resource: 'S3RecoveryPoint', feature: 'EbsMalwareProtection', high: 'Execution:S3/MaliciousFile!RecoveryPoint' },
  {
    resource: 'Container',
    feature: 'EbsMalwareProtection',
    high: 'Execution:Container/MaliciousFile Execution:Container/SuspiciousFile',
  },
  {
    resource: 'ECSCluster',
    feature: 'EbsMalwareProtection',
    high: 'Execution:ECS/MaliciousFile Execution:ECS/SuspiciousFile',
  },
  {
    resource: 'EKSCluster',
    feature: 'EbsMalwareProtection',
    high: 'Execution:Kubernetes/MaliciousFile Execution:Kubernetes/SuspiciousFile',
  },
  {
    resource: 'EKSCluster',
    feature: 'EKSAuditLogs',
    low: `Discovery:Kubernetes/AnomalousBehavior.PermissionChecked Execution:Kubernetes/AnomalousBehavior.WorkloadDeployed
      PrivilegeEscalation:Kubernetes/AnomalousBehavior.RoleCreated`,
    medium: `CredentialAccess:Kubernetes/AnomalousBehavior.SecretsAccessed Discovery:Kubernetes/MaliciousIPCaller
      Discovery:Kubernetes/MaliciousIPCaller.Custom Discovery:Kubernetes/SuccessfulAnonymousAccess
      Discovery:Kubernetes/TorIPCaller Execution:Kubernetes/AnomalousBehavior.ExecInPod
      Execution:Kubernetes/ExecInKubeSystemPod Persistence:Kubernetes/ContainerWithSensitiveMount
      Persistence:Kubernetes/MaliciousIPCaller Persistence:Kubernetes/MaliciousIPCaller.Custom
      Persistence:Kubernetes/TorIPCaller Policy:Kubernetes/ExposedDashboard Policy:Kubernetes/KubeflowDashboardExposed
      PrivilegeEscalation:Kubernetes/AnomalousBehavior.RoleBindingCreated PrivilegeEscalation:Kubernetes/PrivilegedContainer`,
    high: `CredentialAccess:Kubernetes/MaliciousIPCaller CredentialAccess:Kubernetes/MaliciousIPCaller.Custom
      CredentialAccess:Kubernetes/SuccessfulAnonymousAccess CredentialAccess:Kubernetes/TorIPCaller
      DefenseEvasion:Kubernetes/MaliciousIPCaller DefenseEvasion:Kubernetes/MaliciousIPCaller.Custom
      DefenseEvasion:Kubernetes/SuccessfulAnonymousAccess DefenseEvasion:Kubernetes/TorIPCaller
      Impact:Kubernetes/MaliciousIPCaller Impact:Kubernetes/MaliciousIPCaller.Custom
      Impact:Kubernetes/SuccessfulAnonymousAccess Impact:Kubernetes/TorIPCaller
      Persistence:Kubernetes/AnomalousBehavior.WorkloadDeployed!ContainerWithSensitiveMount
      Persistence:Kubernetes/SuccessfulAnonymousAccess Policy:Kubernetes/AdminAccessToDefaultServiceAccount
      Policy:Kubernetes/AnonymousAccessGranted
      PrivilegeEscalation:Kubernetes/AnomalousBehavior.WorkloadDeployed!PrivilegedContainer`,
  },
  {
    resource: 'Lambda',
    feature: 'LambdaNetworkLogs',
    medium: 'Trojan:Lambda/BlackholeTraffic Trojan:Lambda/DropPoint UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom',
    high: `Backdoor:Lambda/C&CActivity.B CryptoCurrency:Lambda/BitcoinTool.B UnauthorizedAccess:Lambda/TorClient
      UnauthorizedAccess:Lambda/TorRelay`,
  },
  {
    resource: 'RDSDBInstance',
    feature: 'RDSLoginEvents',
    low: 'CredentialAccess:RDS/AnomalousBehavior.FailedLogin',
    medium: `CredentialAccess:RDS/MaliciousIPCaller.FailedLogin CredentialAccess:RDS/TorIPCaller.FailedLogin
      Discovery:RDS/MaliciousIPCaller Discovery:RDS/TorIPCaller`,
    high: `CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin
      CredentialAccess:RDS/MaliciousIPCaller.SuccessfulLogin CredentialAccess:RDS/TorIPCaller.SuccessfulLogin`,
  },
  {
    resource: 'Instance',
    feature: 'RuntimeMonitoring',
    low: `DefenseEvasion:Runtime/PtraceAntiDebugging Discovery:Runtime/SuspiciousCommand
      Execution:Runtime/SuspiciousShellCreated Impact:Runtime/SuspiciousDomainRequest.Reputation`,
    medium: `Execution:Runtime/NewBinaryExecuted Execution:Runtime/NewLibraryLoaded Execution:Runtime/SuspiciousTool
      Impact:Runtime/AbusedDomainRequest.Reputation Persistence:Runtime/SuspiciousCommand
      PrivilegeEscalation:Runtime/ContainerMountsHostDirectory PrivilegeEscalation:Runtime/DockerSocketAccessed
      PrivilegeEscalation:Runtime/ElevationToRoot PrivilegeEscalation:Runtime/SuspiciousCommand
      PrivilegeEscalation:Runtime/UserfaultfdUsage Trojan:Runtime/BlackholeTraffic Trojan:Runtime/BlackholeTraffic!DNS
      Trojan:Runtime/DropPoint Trojan:Runtime/DropPoint!DNS`,
    high: `Backdoor:Runtime/C&CActivity.B Backdoor:Runtime/C&CActivity.B!DNS CryptoCurrency:Runtime/BitcoinTool.B
      CryptoCurrency:Runtime/BitcoinTool.B!DNS DefenseEvasion:Runtime/FilelessExecution
      DefenseEvasion:Runtime/KernelModuleLoaded DefenseEvasion:Runtime/ProcessInjection.Proc
      DefenseEvasion:Runtime/ProcessInjection.Ptrace DefenseEvasion:Runtime/ProcessInjection.VirtualMemoryWrite
      DefenseEvasion:Runtime/SuspiciousCommand Execution:Runtime/MaliciousFileExecuted Execution:Runtime/ReverseShell
      Execution:Runtime/SuspiciousCommand Impact:Runtime/BitcoinDomainRequest.Reputation
      Impact:Runtime/CryptoMinerExecuted Impact:Runtime/MaliciousDomainRequest.Reputation
      PrivilegeEscalation:Runtime/CGroupsReleaseAgentModified PrivilegeEscalation:Runtime/RuncContainerEscape
      Trojan:Runtime/DGADomainRequest.C!DNS Trojan:Runtime/DriveBySourceTraffic!DNS
      Trojan:Runtime/PhishingDomainRequest!DNS UnauthorizedAccess:Runtime/MetadataDNSRebind
      UnauthorizedAccess:Runtime/TorClient UnauthorizedAccess:Runtime/TorRelay`,
  },
  {
    resource: 'AttackSequence',
    feature: 'Correlation',
    critical: `AttackSequence:EC2/CompromisedInstanceGroup AttackSequence:ECS/CompromisedCluster
      AttackSequence:EKS/CompromisedCluster AttackSequence:IAM/CompromisedCredentials AttackSequence:S3/CompromisedData`,
  },
]

const SEVERITIES = { low: 2, medium: 5, high: 8, critical: 9 } as const

export const FINDING_TYPES: readonly FindingType[] = FAMILIES.flatMap(({ resource, feature, ...bySeverity }) =>
  Object.entries(SEVERITIES).flatMap(([name, severity]) =>
    (bySeverity[name as keyof typeof SEVERITIES] ?? '')
      .split(/\s+/)
      .filter((type) => type !== '')
      .map((type) => ({ type, severity, resource, feature })),
  ),
)
