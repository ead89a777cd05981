/**
 * Attacks on the accounts of the benign trail, after a month: each with the finding types that it gives, and no others. The
 * techniques are those of MITRE ATT&CK's Cloud matrix, as public detonation suites go through them.
 * Source: https://attack.mitre.org/matrices/enterprise/cloud/iaas/
 */
import { DEVELOPMENT, PRODUCTION } from './benign-trail.fixture.ts'
import { apiCall, type Call, DAY, dataEvent, MINUTE, roleIdentity, times, userIdentity } from './detect.fixture.ts'
import type { ApiEvent } from './types.ts'

export interface Story {
  readonly name: string
  readonly events: readonly ApiEvent[]
  readonly types: readonly string[]
}

/** A Thursday, ten o'clock. */
const START_DAY = 31
const START_MS = START_DAY * DAY + 60 * MINUTE

const STRANGER = { address: '185.220.4.9', userAgent: 'aws-cli/2.15.40 Python/3.11.8 Linux/6.5', account: PRODUCTION }
/** The key of the backup, from elsewhere. */
const STOLEN_KEY: Call = { ...STRANGER, identity: userIdentity('backup', PRODUCTION) }
/** The session of a deployment, taken out of its runner. */
const STOLEN_SESSION: Call = {
  ...STRANGER,
  userAgent: 'python-requests/2.31.0',
  identity: roleIdentity('shop-deploy', 'GitHubActions', PRODUCTION),
}
const STOLEN_NODE: Call = { ...STRANGER, identity: roleIdentity('shop-node', 'i-0123456789abcdef0', PRODUCTION) }

type Step = readonly [name: string, request?: object, more?: Call]

const eventsOf = (caller: Call, steps: readonly Step[]): readonly ApiEvent[] =>
  steps.map(([name, request = {}, more], i) => {
    const [service, action] = name.split(':')
    const call: Call = { ...caller, at: START_MS + i * 20_000, request, ...more }
    return service === 'data' ? dataEvent(action!, call) : apiCall(name, call)
  })

const story = (name: string, caller: Call, steps: readonly Step[], types: readonly string[]): Story => ({
  name,
  events: eventsOf(caller, steps),
  types: [...types].sort(),
})

const anomalous = (...tactics: string[]): string[] => tactics.map((tactic) => `${tactic}:IAMUser/AnomalousBehavior`)
const ALL = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
const TRUST_ELSEWHERE = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::999988887777:root' }, Action: 'sts:AssumeRole' }],
})
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const TRAIL = 'Stealth:IAMUser/CloudTrailLoggingDisabled'
const SEQUENCE = 'AttackSequence:IAM/CompromisedCredentials'

export const STORIES: readonly Story[] = [
  story(
    'the trail is stopped',
    STOLEN_KEY,
    [['cloudtrail:StopLogging', { name: 'main' }]],
    [TRAIL, ...anomalous('DefenseEvasion')],
  ),
  story(
    'the trail is deleted',
    STOLEN_KEY,
    [['cloudtrail:DeleteTrail', { name: 'main' }]],
    [TRAIL, ...anomalous('DefenseEvasion')],
  ),
  story(
    'the trail is configured to leave events out',
    STOLEN_KEY,
    [['cloudtrail:PutEventSelectors', { eventSelectors: [{ readWriteType: 'ReadOnly' }] }]],
    [TRAIL, ...anomalous('DefenseEvasion')],
  ),
  story(
    'the bucket of the trail forgets after a day',
    STOLEN_SESSION,
    [
      [
        's3:PutBucketLifecycle',
        { bucketName: 'trail', LifecycleConfiguration: { Rule: { Expiration: { Days: 1 }, Status: 'Enabled' } } },
      ],
    ],
    [TRAIL],
  ),
  story('flow logs are deleted', STOLEN_KEY, [['ec2:DeleteFlowLogs']], anomalous('DefenseEvasion')),
  story('the organization is left', STOLEN_KEY, [['organizations:LeaveOrganization']], anomalous('DefenseEvasion')),
  story(
    'passwords are read',
    STOLEN_KEY,
    times(5, (i) => ['ec2:GetPasswordData', { instanceId: `i-${i}` }] as const),
    anomalous('CredentialAccess'),
  ),
  story(
    'secrets are read one after the other',
    STOLEN_SESSION,
    times(20, (i) => ['secretsmanager:GetSecretValue', { secretId: `other/${i}` }] as const),
    anomalous('CredentialAccess'),
  ),
  story(
    'parameters are read in bulk',
    STOLEN_SESSION,
    times(
      6,
      (i) => ['ssm:GetParameters', { names: times(10, (j) => `/other/${i}/${j}`), withDecryption: true }] as const,
    ),
    anomalous('CredentialAccess'),
  ),
  story(
    'a user is made, with a key and every permission',
    STOLEN_KEY,
    [
      ['iam:CreateUser', { userName: 'support' }],
      ['iam:AttachUserPolicy', { userName: 'support', policyArn: ADMINISTRATOR }],
      ['iam:CreateAccessKey', { userName: 'support' }],
    ],
    [...anomalous('Persistence', 'PrivilegeEscalation')],
  ),
  story(
    'a password is given to a user',
    STOLEN_KEY,
    [['iam:CreateLoginProfile', { userName: 'backup' }]],
    anomalous('Persistence'),
  ),
  story(
    'a password is changed',
    STOLEN_KEY,
    [['iam:UpdateLoginProfile', { userName: 'ana' }]],
    anomalous('PrivilegeEscalation'),
  ),
  story(
    'a role trusts another account',
    STOLEN_SESSION,
    [['iam:UpdateAssumeRolePolicy', { roleName: 'shop-api', policyDocument: TRUST_ELSEWHERE }]],
    anomalous('Persistence'),
  ),
  story(
    'a function may be called by another account',
    STOLEN_SESSION,
    [['lambda:AddPermission20150331v2', { functionName: 'shop-api', principal: '999988887777' }]],
    anomalous('Persistence'),
  ),
  story(
    'a role gets every permission',
    STOLEN_KEY,
    [['iam:PutRolePolicy', { roleName: 'shop-api', policyName: 'x', policyDocument: ALL }]],
    anomalous('PrivilegeEscalation'),
  ),
  story(
    'a snapshot is shared',
    STOLEN_KEY,
    [['ec2:ModifySnapshotAttribute', { createVolumePermission: { add: { items: [{ userId: '999988887777' }] } } }]],
    anomalous('Exfiltration'),
  ),
  story(
    'an image is shared',
    STOLEN_SESSION,
    [['ec2:ModifyImageAttribute', { launchPermission: { add: { items: [{ group: 'all' }] } } }]],
    anomalous('Exfiltration'),
  ),
  story(
    'a database snapshot is shared',
    STOLEN_KEY,
    [['rds:ModifyDBSnapshotAttribute', { attributeName: 'restore', valuesToAdd: ['all'] }]],
    anomalous('Exfiltration'),
  ),
  story(
    'remote shells are opened to the world',
    STOLEN_KEY,
    [
      [
        'ec2:AuthorizeSecurityGroupIngress',
        {
          ipPermissions: {
            items: [{ fromPort: 22, toPort: 22, ipProtocol: 'tcp', ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }],
          },
        },
      ],
    ],
    anomalous('Persistence'),
  ),
  story(
    'user data is replaced',
    STOLEN_SESSION,
    [
      ['ec2:StopInstances'],
      ['ec2:ModifyInstanceAttribute', { userData: '<sensitiveDataRemoved>' }],
      ['ec2:StartInstances'],
    ],
    anomalous('Persistence'),
  ),
  story(
    'commands are sent to instances',
    STOLEN_SESSION,
    [['ssm:SendCommand', { documentName: 'AWS-RunShellScript' }]],
    anomalous('PrivilegeEscalation'),
  ),
  story(
    'large instances are launched',
    STOLEN_KEY,
    [['ec2:RunInstances', { instanceType: 'p4d.24xlarge' }]],
    anomalous('Impact'),
  ),
  story(
    'a bucket is opened to everyone',
    STOLEN_SESSION,
    [
      ['s3:DeleteBucketPublicAccessBlock', { bucketName: 'shop-assets' }],
      [
        's3:PutBucketPolicy',
        {
          bucketName: 'shop-assets',
          bucketPolicy: { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' }] },
        },
      ],
    ],
    ['Policy:S3/BucketAnonymousAccessGranted', 'Policy:S3/BucketBlockPublicAccessDisabled'],
  ),
  story(
    'objects are read and deleted from elsewhere',
    { ...STOLEN_KEY, region: 'ap-southeast-1' },
    [
      ['data:GetObject', { bucketName: 'shop-assets', key: 'a' }],
      ['data:DeleteObject', { bucketName: 'shop-assets', key: 'a' }],
    ],
    ['Exfiltration:S3/AnomalousBehavior', 'Impact:S3/AnomalousBehavior.Delete'],
  ),
  story(
    'credentials of an instance are used elsewhere',
    STOLEN_NODE,
    [
      ['kms:Decrypt', {}, { address: '203.0.113.10', userAgent: 'aws-sdk-nodejs/2.1600.0 linux/v20.12.0' }],
      ['sts:GetCallerIdentity'],
      ['ec2:DescribeInstances'],
    ],
    [...anomalous('Discovery'), 'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS'],
  ),
  story(
    'a tool for penetration tests is used',
    { ...STOLEN_KEY, userAgent: 'aws-cli/2.15 Python/3.11 Linux/6.6-kali' },
    [['sts:GetCallerIdentity']],
    [...anomalous('Discovery'), 'PenTest:IAMUser/KaliLinux'],
  ),
  story(
    'the root user signs in without a second factor',
    {
      ...STRANGER,
      identity: {
        type: 'Root',
        principalId: PRODUCTION,
        accountId: PRODUCTION,
        arn: `arn:aws:iam::${PRODUCTION}:root`,
      },
    },
    [
      [
        'signin:ConsoleLogin',
        {},
        {
          response: { ConsoleLogin: 'Success' },
          more: { eventType: 'AwsConsoleSignIn', additionalEventData: { MFAUsed: 'No' } },
        },
      ],
    ],
    [...anomalous('InitialAccess'), 'Policy:IAMUser/RootCredentialUsage'],
  ),
  story(
    'the account is taken over',
    STOLEN_KEY,
    [
      ['sts:GetCallerIdentity'],
      ['iam:GetAccountAuthorizationDetails'],
      ['iam:CreateUser', { userName: 'support' }],
      ['iam:AttachUserPolicy', { userName: 'support', policyArn: ADMINISTRATOR }],
      ['iam:CreateAccessKey', { userName: 'support' }],
      ['ec2:GetPasswordData', { instanceId: 'i-1' }],
      ['cloudtrail:StopLogging', { name: 'main' }],
    ],
    [
      ...anomalous('CredentialAccess', 'DefenseEvasion', 'Discovery', 'Persistence', 'PrivilegeEscalation'),
      TRAIL,
      SEQUENCE,
    ],
  ),
]

/** What the same callers do at work, at the time of the attacks. */
export const ORDINARY: readonly ApiEvent[] = [
  ...eventsOf({ ...STOLEN_KEY, address: '198.51.100.44', userAgent: 'Boto3/1.34.90 md/Botocore#1.34.90' }, [
    ['ec2:CreateSnapshot'],
    ['ec2:DeleteSnapshot'],
  ]),
  ...eventsOf(
    {
      account: DEVELOPMENT,
      address: '198.51.100.20',
      userAgent: STRANGER.userAgent,
      identity: roleIdentity('AWSReservedSSO_Administrator_0123456789abcdef', 'ana@example.com', DEVELOPMENT),
    },
    [
      ['iam:CreateRole', { roleName: 'shop-new' }],
      ['secretsmanager:GetSecretValue', { secretId: 'shop/database' }],
    ],
  ),
]
