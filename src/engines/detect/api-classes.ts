/**
 * What an API call is good for in an attack: its tactic, and how sensitive it is. Reviewed by hand; the tactics follow the
 * examples that GuardDuty's documentation gives for each AnomalousBehavior type, then MITRE ATT&CK's Cloud matrix for IaaS.
 * Sources: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
 *          https://attack.mitre.org/matrices/enterprise/cloud/iaas/
 */

export const TACTICS = [
  'InitialAccess',
  'Discovery',
  'CredentialAccess',
  'Persistence',
  'PrivilegeEscalation',
  'DefenseEvasion',
  'Exfiltration',
  'Impact',
] as const
export type Tactic = (typeof TACTICS)[number]

/**
 * 1: deployments call it every day; an anomaly only when everything else is unusual, too. 2: administrators call it at times.
 * 3: hardly ever called in good faith by a principal that has not called it before.
 */
export type Sensitivity = 1 | 2 | 3

export interface ApiClass {
  readonly tactic: Tactic
  readonly sensitivity: Sensitivity
}

const CLASSES: Readonly<Record<Tactic, Readonly<Partial<Record<Sensitivity, string>>>>> = {
  InitialAccess: {
    1: `signin:ConsoleLogin`,
    2: `sts:AssumeRoleWithSAML sts:AssumeRoleWithWebIdentity sts:GetSessionToken ecr:GetAuthorizationToken
      codeartifact:GetAuthorizationToken rolesanywhere:CreateSession`,
    3: `signin:GetSigninToken`,
  },
  Discovery: {
    1: `iam:ListUsers iam:ListRoles iam:ListAccessKeys iam:ListGroups iam:ListPolicies iam:GetAccountSummary
      iam:GetAccountPasswordPolicy iam:ListMFADevices iam:ListVirtualMFADevices iam:ListSSHPublicKeys
      iam:ListSigningCertificates iam:SimulatePrincipalPolicy cloudtrail:LookupEvents cloudtrail:DescribeTrails
      guardduty:ListDetectors guardduty:GetDetector secretsmanager:ListSecrets ssm:DescribeParameters
      organizations:ListAccounts organizations:DescribeOrganization s3:ListBuckets ec2:DescribeInstances ec2:DescribeSnapshots
      ec2:DescribeSecurityGroups rds:DescribeDBInstances rds:DescribeDBSnapshots lambda:ListFunctions kms:ListKeys
      ses:GetSendQuota ses:ListIdentities ses:GetAccount bedrock:ListFoundationModels
      bedrock:GetFoundationModelAvailability sts:GetCallerIdentity ssm:DescribeInstanceInformation
      servicequotas:ListServiceQuotas ec2:DescribeInstanceAttribute`,
    2: `iam:GetAccountAuthorizationDetails iam:GenerateCredentialReport iam:GetCredentialReport`,
  },
  CredentialAccess: {
    2: `secretsmanager:GetSecretValue ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath ssm:GetParameterHistory
      ecr-public:GetAuthorizationToken redshift:GetClusterCredentials rds:GenerateDbAuthToken
      lightsail:DownloadDefaultKeyPair codestar-connections:GetConnectionToken sso:GetRoleCredentials
      acm:ExportCertificate cognito-identity:GetCredentialsForIdentity`,
    3: `ec2:GetPasswordData secretsmanager:BatchGetSecretValue`,
  },
  Persistence: {
    1: `iam:CreateRole iam:CreateServiceLinkedRole iam:CreateInstanceProfile lambda:CreateFunction
      lambda:UpdateFunctionConfiguration lambda:UpdateFunctionCode lambda:PublishLayerVersion
      lambda:CreateEventSourceMapping events:PutRule events:PutTargets ec2:CreateImage ec2:AuthorizeSecurityGroupIngress
      ec2:AuthorizeSecurityGroupEgress ec2:CreateSecurityGroup ec2:CreateNetworkAclEntry ec2:CreateRoute
      ssm:CreateAssociation lambda:AddPermission sns:AddPermission sqs:AddPermission ecr:SetRepositoryPolicy
      secretsmanager:PutResourcePolicy kms:PutKeyPolicy kms:CreateGrant`,
    2: `iam:CreateUser ec2:ImportKeyPair ec2:CreateKeyPair ec2:ModifyInstanceAttribute iam:UpdateAssumeRolePolicy
      ec2:ReplaceIamInstanceProfileAssociation lambda:CreateFunctionUrlConfig lambda:UpdateFunctionUrlConfig
      lightsail:CreateKeyPair organizations:InviteAccountToOrganization cognito-idp:AdminCreateUser
      identitystore:CreateUser apigateway:CreateApiKey appsync:CreateApiKey ssm:RegisterManagedInstance
      iam:CreateOpenIDConnectProvider iam:CreateSAMLProvider`,
    3: `iam:CreateAccessKey iam:CreateLoginProfile iam:UploadSSHPublicKey iam:UploadSigningCertificate
      iam:CreateServiceSpecificCredential iam:UpdateSAMLProvider iam:AddClientIDToOpenIDConnectProvider
      iam:UpdateAccessKey iam:CreateVirtualMFADevice iam:EnableMFADevice rolesanywhere:CreateTrustAnchor
      rolesanywhere:EnableTrustAnchor rolesanywhere:UpdateTrustAnchor rolesanywhere:CreateProfile
      sts:GetFederationToken`,
  },
  PrivilegeEscalation: {
    1: `iam:AttachRolePolicy iam:PutRolePolicy iam:CreatePolicy iam:AddRoleToInstanceProfile sts:AssumeRole`,
    2: `iam:AttachUserPolicy iam:AttachGroupPolicy iam:PutUserPolicy iam:PutGroupPolicy iam:AddUserToGroup
      iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:DeleteRolePermissionsBoundary
      iam:DeleteUserPermissionsBoundary iam:PutRolePermissionsBoundary iam:PutUserPermissionsBoundary
      ec2:AssociateIamInstanceProfile ssm:SendCommand ssm:StartSession ssm:ResumeSession ssm:StartAutomationExecution
      ecs:ExecuteCommand glue:CreateDevEndpoint glue:UpdateDevEndpoint sagemaker:CreatePresignedNotebookInstanceUrl
      cloudshell:CreateSession sso:AttachManagedPolicyToPermissionSet sso:CreateAccountAssignment
      sso:PutInlinePolicyToPermissionSet codebuild:StartBuild datapipeline:PutPipelineDefinition`,
    3: `iam:UpdateLoginProfile ec2-instance-connect:SendSSHPublicKey
      ec2-instance-connect:SendSerialConsoleSSHPublicKey ec2-instance-connect:OpenTunnel
      ec2:EnableSerialConsoleAccess iam:DeactivateMFADevice`,
  },
  DefenseEvasion: {
    1: `logs:DeleteLogGroup logs:DeleteLogStream logs:PutRetentionPolicy cloudwatch:DeleteAlarms events:DeleteRule
      events:DisableRule s3:PutBucketLifecycle s3:PutBucketLifecycleConfiguration ec2:RevokeSecurityGroupIngress
      ec2:DeleteNetworkAcl events:RemoveTargets ssm:UpdateDocumentPermission`,
    2: `cloudwatch:DisableAlarmActions cloudtrail:UpdateTrail cloudtrail:PutInsightSelectors config:DeleteConfigRule
      wafv2:DeleteWebACL wafv2:DisassociateWebACL waf:DeleteWebACL waf-regional:DeleteWebACL
      guardduty:CreateFilter guardduty:CreateIPSet guardduty:UpdateFilter guardduty:UpdateIPSet
      securityhub:BatchDisableStandards securityhub:UpdateStandardsControl inspector2:CreateFilter
      macie2:CreateFindingsFilter access-analyzer:DeleteAnalyzer kms:DisableKey ec2:ModifyInstanceMetadataOptions
      iam:DeleteAccountPasswordPolicy route53resolver:DisassociateResolverQueryLogConfig
      network-firewall:DeleteFirewall s3:PutBucketVersioning backup:DeleteBackupVault`,
    3: `ec2:DeleteFlowLogs route53resolver:DeleteResolverQueryLogConfig organizations:LeaveOrganization
      organizations:RemoveAccountFromOrganization organizations:DetachPolicy organizations:DeletePolicy
      organizations:DisablePolicyType
      cloudtrail:StopLogging cloudtrail:DeleteTrail cloudtrail:PutEventSelectors cloudtrail:DeleteEventDataStore
      config:StopConfigurationRecorder config:DeleteConfigurationRecorder config:DeleteDeliveryChannel
      guardduty:DeleteDetector guardduty:UpdateDetector guardduty:DisassociateFromMasterAccount
      guardduty:DisassociateFromAdministratorAccount guardduty:StopMonitoringMembers guardduty:DeleteMembers
      guardduty:DisassociateMembers guardduty:DeletePublishingDestination securityhub:DisableSecurityHub
      securityhub:DisassociateFromAdministratorAccount macie2:DisableMacie inspector2:Disable
      wafv2:DeleteLoggingConfiguration ec2:DisableEbsEncryptionByDefault access-analyzer:DeleteArchiveRule
      shield:DeleteSubscription detective:DeleteGraph`,
  },
  Exfiltration: {
    1: `ec2:CreateSnapshot ec2:CreateSnapshots ec2:CopySnapshot rds:CreateDBSnapshot rds:CopyDBSnapshot
      dynamodb:ExportTableToPointInTime rds:StartExportTask s3:PutBucketNotification`,
    2: `rds:RestoreDBInstanceFromDBSnapshot rds:RestoreDBClusterFromSnapshot s3:PutBucketReplication
      ec2:CreateInstanceExportTask ec2:ExportImage ec2:CreateStoreImageTask datasync:CreateTask
      ec2:CreateTrafficMirrorSession ec2:CreateTrafficMirrorTarget rds:CreateDBInstanceReadReplica
      ec2:ModifySnapshotAttribute ec2:ModifyImageAttribute rds:ModifyDBSnapshotAttribute
      rds:ModifyDBClusterSnapshotAttribute logs:PutDestinationPolicy logs:PutSubscriptionFilter
      ram:CreateResourceShare ram:AssociateResourceShare`,
    3: `transfer:CreateUser`,
  },
  Impact: {
    1: `ec2:RunInstances ec2:TerminateInstances ec2:StopInstances ec2:DeleteSecurityGroup rds:DeleteDBInstance
      s3:DeleteBucket s3:PutBucketPolicy iam:DeleteUser iam:UpdateUser iam:DeleteRole dynamodb:DeleteTable
      lambda:DeleteFunction ecs:CreateCluster ec2:RequestSpotInstances
      autoscaling:CreateAutoScalingGroup secretsmanager:DeleteSecret kms:ScheduleKeyDeletion ec2:DeleteSnapshot
      ec2:DeleteVolume rds:DeleteDBSnapshot s3:PutEncryptionConfiguration s3:PutBucketEncryption bedrock:InvokeModel
      bedrock:InvokeModelWithResponseStream bedrock:Converse bedrock:ConverseStream`,
    2: `rds:DeleteDBCluster rds:DeleteGlobalCluster backup:DeleteRecoveryPoint kms:DeleteImportedKeyMaterial
      ses:UpdateAccountSendingEnabled ses:VerifyEmailIdentity ses:VerifyDomainIdentity ses:CreateEmailIdentity
      servicequotas:RequestServiceQuotaIncrease support:CreateCase ec2:PurchaseReservedInstancesOffering
      ec2:PurchaseHostReservation route53domains:TransferDomain lightsail:CreateInstances
      amplify:CreateApp sagemaker:CreateNotebookInstance ec2:DisableImageBlockPublicAccess
      dynamodb:UpdateContinuousBackups`,
    3: `bedrock:PutFoundationModelEntitlement bedrock:PutUseCaseForModelAccess bedrock:CreateFoundationModelAgreement
      bedrock:DeleteModelInvocationLoggingConfiguration organizations:CloseAccount account:CloseAccount
      ses:PutAccountDetails`,
  },
}

const TABLE: ReadonlyMap<string, ApiClass> = new Map(
  TACTICS.flatMap((tactic) =>
    ([1, 2, 3] as const).flatMap((sensitivity) =>
      (CLASSES[tactic][sensitivity] ?? '')
        .split(/\s+/)
        .filter(Boolean)
        .map((api) => [api, { tactic, sensitivity }] as const),
    ),
  ),
)

/** Undefined: of no interest by itself. */
export const classOf = (service: string, action: string): ApiClass | undefined => TABLE.get(`${service}:${action}`)

/** All `service:Action` of the table, for its test and the documentation. */
export const classifiedApis = (): readonly string[] => [...TABLE.keys()]

/** S3 data events, for the S3 types. */
const OBJECT_CALLS: Readonly<Record<string, Tactic>> = {
  ListObjects: 'Discovery',
  ListObjectsV2: 'Discovery',
  ListObjectVersions: 'Discovery',
  GetObjectAcl: 'Discovery',
  HeadObject: 'Discovery',
  GetObject: 'Exfiltration',
  CopyObject: 'Exfiltration',
  SelectObjectContent: 'Exfiltration',
  PutObject: 'Impact',
  DeleteObject: 'Impact',
  DeleteObjects: 'Impact',
  PutObjectAcl: 'Impact',
}

export const objectTactic = (action: string): Tactic | undefined =>
  Object.hasOwn(OBJECT_CALLS, action) ? OBJECT_CALLS[action] : undefined
