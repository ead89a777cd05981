/** Rules on API calls: for each, a call that is found, and its neighbor that is not. */
import { describe, expect, test } from 'vitest'
import { exposureOf } from '../../../policy/exposure.ts'
import { apiCall, type Call, DAY, dataEvent, findingsOf, MINUTE, roleIdentity, typesOf } from '../detect.fixture.ts'
import { compileList } from '../lists.ts'
import type { DetectorConfiguration, ThreatListKind } from '../types.ts'

/** Learning: no anomalies, so that each rule is alone. */
const configuration: DetectorConfiguration = { publicAccess: exposureOf }
const found = (name: string, call: Call = {}) => typesOf([apiCall(name, call)], configuration)
const foundOnData = (action: string, call: Call, more: DetectorConfiguration = {}) =>
  typesOf([dataEvent(action, call)], { ...configuration, ...more })

const ADVANCED = (...fields: object[]) => ({ advancedEventSelectors: [{ fieldSelectors: fields }] })
const MANAGEMENT = { field: 'eventCategory', equals: ['Management'] }
const STRONG = {
  minimumPasswordLength: 14,
  requireSymbols: true,
  requireNumbers: true,
  requireUppercaseCharacters: true,
  requireLowercaseCharacters: true,
  passwordReusePrevention: 24,
}
const bucketPolicy = (condition?: object) => ({
  bucketName: 'shop',
  bucketPolicy: {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shop/*', ...condition },
    ],
  },
})
const ENDPOINT = { Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } } }
const blockPublicAccess = (isOn: boolean) => ({
  bucketName: 'shop',
  PublicAccessBlockConfiguration: {
    BlockPublicAcls: isOn,
    IgnorePublicAcls: isOn,
    BlockPublicPolicy: isOn,
    RestrictPublicBuckets: isOn,
  },
})

const TRAIL = 'Stealth:IAMUser/CloudTrailLoggingDisabled'
const ANONYMOUS = 'Policy:S3/BucketAnonymousAccessGranted'
const BLOCK = 'Policy:S3/BucketBlockPublicAccessDisabled'

describe('A call is found', () => {
  test.each<readonly [type: string, name: string, call: Call]>([
    [TRAIL, 'cloudtrail:StopLogging', {}],
    [TRAIL, 'cloudtrail:DeleteTrail', {}],
    [TRAIL, 'cloudtrail:PutEventSelectors', { request: { eventSelectors: [{ includeManagementEvents: false }] } }],
    [TRAIL, 'cloudtrail:PutEventSelectors', { request: { eventSelectors: [{ readWriteType: 'ReadOnly' }] } }],
    [TRAIL, 'cloudtrail:PutEventSelectors', { request: ADVANCED({ field: 'eventCategory', equals: ['Data'] }) }],
    [TRAIL, 'cloudtrail:UpdateTrail', { request: { isMultiRegionTrail: false } }],
    ['Stealth:IAMUser/PasswordPolicyChange', 'iam:DeleteAccountPasswordPolicy', {}],
    [
      'Stealth:IAMUser/PasswordPolicyChange',
      'iam:UpdateAccountPasswordPolicy',
      { request: { ...STRONG, requireSymbols: false } },
    ],
    [ANONYMOUS, 's3:PutBucketPolicy', { request: bucketPolicy() }],
    [ANONYMOUS, 's3:PutBucketAcl', { request: { bucketName: 'shop', 'x-amz-acl': 'public-read' } }],
    [
      'Policy:S3/BucketPublicAccessGranted',
      's3:PutBucketAcl',
      { request: { bucketName: 'shop', 'x-amz-acl': ['authenticated-read'] } },
    ],
    [BLOCK, 's3:DeleteBucketPublicAccessBlock', { request: { bucketName: 'shop' } }],
    [BLOCK, 's3:PutBucketPublicAccessBlock', { request: blockPublicAccess(false) }],
    ['Policy:S3/AccountBlockPublicAccessDisabled', 's3:DeleteAccountPublicAccessBlock', {}],
    [
      'Stealth:S3/ServerAccessLoggingDisabled',
      's3:PutBucketLogging',
      { request: { bucketName: 'shop', BucketLoggingStatus: {} } },
    ],
    ['PenTest:IAMUser/KaliLinux', 'iam:ListUsers', { userAgent: 'aws-cli/2.1 Linux/5.10.0-kali7-amd64' }],
    ['PenTest:IAMUser/ParrotLinux', 'iam:ListUsers', { userAgent: 'Boto3/1.2 Linux/5.10.0-6parrot1-amd64 parrot' }],
    [
      'Policy:IAMUser/RootCredentialUsage',
      'ec2:DescribeVpcs',
      {
        identity: {
          type: 'Root',
          principalId: '111122223333',
          arn: 'arn:aws:iam::111122223333:root',
          accountId: '111122223333',
        },
      },
    ],
  ])('%s: %s', (type, name, call) => {
    expect(found(name, call)).toEqual([type])
  })

  test.each<readonly [name: string, call: Call]>([
    ['cloudtrail:StopLogging', { error: 'TrailNotFoundException' }],
    [
      'cloudtrail:PutEventSelectors',
      { request: { eventSelectors: [{ includeManagementEvents: true, readWriteType: 'All' }] } },
    ],
    ['cloudtrail:PutEventSelectors', { request: ADVANCED(MANAGEMENT) }],
    ['cloudtrail:UpdateTrail', { request: { isMultiRegionTrail: true } }],
    ['iam:UpdateAccountPasswordPolicy', { request: STRONG }],
    ['s3:PutBucketPolicy', { request: bucketPolicy(ENDPOINT) }],
    ['s3:PutBucketPolicy', { request: bucketPolicy(), error: 'AccessDenied' }],
    ['s3:PutBucketAcl', { request: { bucketName: 'shop', 'x-amz-acl': 'private' } }],
    ['s3:PutBucketPublicAccessBlock', { request: blockPublicAccess(true) }],
    [
      's3:PutBucketLogging',
      { request: { bucketName: 'shop', BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'logs' } } } },
    ],
    ['iam:ListUsers', { userAgent: 'aws-cli/2.1 Linux/6.1 kalimba' }],
  ])('%s is not found: %j', (name, call) => {
    expect(found(name, call)).toEqual([])
  })
})

test('A lifecycle rule that empties the bucket of a trail is found, on another bucket it is not', () => {
  const lifecycle = (bucketName: string) =>
    apiCall('s3:PutBucketLifecycle', {
      request: { bucketName, LifecycleConfiguration: { Rule: { Expiration: { Days: 1 } } } },
    })
  const trail = apiCall('cloudtrail:CreateTrail', { request: { name: 't', s3BucketName: 'logs' } })

  expect(typesOf([trail, lifecycle('logs')], configuration)).toEqual([TRAIL])
  expect(typesOf([trail, lifecycle('shop')], configuration)).toEqual([])
})

describe('Sign-ins of a user', () => {
  const signIn = (address: string, at: number) =>
    apiCall('signin:ConsoleLogin', { address, at, response: { ConsoleLogin: 'Success' } })
  const geography = (address: string) =>
    address.startsWith('198.')
      ? { country: 'IE', latitude: 53.3, longitude: -6.3 }
      : address.startsWith('203.')
        ? { country: 'JP', latitude: 35.7, longitude: 139.7 }
        : { country: 'GB', latitude: 51.5, longitude: -0.1 }
  const places = (first: string, second: string, minutes: number) =>
    typesOf([signIn(first, 0), signIn(second, minutes * MINUTE)], { geography })

  test('from two places that no airliner connects in the time are found', () => {
    expect(places('198.51.100.7', '203.0.113.9', 120)).toEqual(['UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B'])
  })

  test('from places within a day of travel, or near each other, are not', () => {
    expect(places('198.51.100.7', '203.0.113.9', 20 * 60)).toEqual([])
    expect(places('198.51.100.7', '192.0.2.1', 5)).toEqual([])
  })
})

describe('Credentials of an instance', () => {
  const use = (address: string, call: Call = {}) =>
    apiCall('s3:ListBuckets', { identity: roleIdentity('web', 'i-0123456789abcdef0'), address, ...call })
  const instances = [
    { instanceId: 'i-0123456789abcdef0', account: '111122223333', addresses: ['198.51.100.7'] },
    { instanceId: 'i-0fedcba9876543210', account: '111122223333', addresses: ['198.51.100.8'] },
  ]
  const OUTSIDE = 'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS'

  test('used from its own address are not found, from another one they are, at high severity', () => {
    expect(typesOf([use('198.51.100.7')], { instances })).toEqual([])
    expect(findingsOf([use('203.0.113.9')], { instances })).toMatchObject([{ type: OUTSIDE, severity: 8 }])
  })

  test('used from another instance are found as inside', () => {
    expect(typesOf([use('198.51.100.8')], { instances })).toEqual([OUTSIDE.replace('OutsideAWS', 'InsideAWS')])
  })

  test('used through a VPC endpoint are not found: its address is private', () => {
    expect(typesOf([use('10.0.0.9', { more: { vpcEndpointId: 'vpce-1' } })], { instances })).toEqual([])
  })

  test('used by the unusual client of a user, from its address, are found; by a common client they are not', () => {
    const both = (userAgent: string) =>
      typesOf([apiCall('iam:GetUser', { userAgent }), use('198.51.100.7', { userAgent })])

    expect(both('odd-tool/1.0')).toEqual([OUTSIDE])
    expect(both('aws-cli/2.15.0')).toEqual([])
  })

  test('of an unknown instance are found when both network and client are new', () => {
    const agent = use('198.51.100.7', { userAgent: 'aws-sdk-go/1.41' })

    expect(typesOf([agent, use('203.0.113.9', { userAgent: 'aws-cli/2.1' })])).toEqual([OUTSIDE])
    expect(typesOf([agent, use('203.0.113.9', { userAgent: 'aws-sdk-go/1.42' })])).toEqual([])
    expect(typesOf([agent, use('198.51.100.9', { userAgent: 'aws-cli/2.1' })])).toEqual([])
  })
})

describe('A caller on a threat list', () => {
  const list = compileList({ name: 'feed.txt', sha256: 'ab'.repeat(32), entries: ['203.0.113.0/24'] })
  const on = (kind: ThreatListKind): DetectorConfiguration => ({ threatLists: [{ kind, list }] })
  const call = { address: '203.0.113.9', request: { bucketName: 'shop' } }

  test.each<readonly [name: string, kind: ThreatListKind, type: string]>([
    ['iam:ListUsers', 'malicious', 'Recon:IAMUser/MaliciousIPCaller'],
    ['iam:ListUsers', 'custom', 'Recon:IAMUser/MaliciousIPCaller.Custom'],
    ['iam:CreateUser', 'custom', 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom'],
    ['iam:CreateUser', 'tor', 'UnauthorizedAccess:IAMUser/TorIPCaller'],
  ])('%s, list %s: %s', (name, kind, type) => {
    expect(typesOf([apiCall(name, call)], on(kind))).toEqual([type])
  })

  test.each<readonly [action: string, kind: ThreatListKind, type: string]>([
    ['ListObjects', 'custom', 'Discovery:S3/MaliciousIPCaller.Custom'],
    ['GetObject', 'malicious', 'Exfiltration:S3/MaliciousIPCaller'],
    ['PutObject', 'malicious', 'Impact:S3/MaliciousIPCaller'],
    ['GetObject', 'tor', 'UnauthorizedAccess:S3/TorIPCaller'],
  ])('on S3 data: %s, list %s: %s', (action, kind, type) => {
    expect(foundOnData(action, call, on(kind))).toEqual([type])
  })

  test('is evidence with the list and the entry; a trusted address is not found', () => {
    const [finding] = findingsOf([apiCall('iam:ListUsers', call)], on('custom'))

    expect(finding!.evidence).toEqual([
      { listName: 'feed.txt', listSha256: 'ab'.repeat(32), threatNames: ['203.0.113.0/24'] },
    ])
    expect(typesOf([apiCall('iam:ListUsers', call)], { ...on('custom'), trustedLists: [list] })).toEqual([])
    expect(typesOf([apiCall('iam:ListUsers')], on('custom'))).toEqual([])
  })
})

test('A rule or a type that is switched off finds nothing', () => {
  const stop = apiCall('cloudtrail:StopLogging', { at: DAY })

  expect(typesOf([stop], { disabledRules: ['cloudtrail-logging-disabled'] })).toEqual([])
  expect(typesOf([stop], { disabledRules: [TRAIL] })).toEqual([])
})

test('Hostile text of an event stays text of bounded length', () => {
  const hostile = `{resource}\u001b[31m${'x'.repeat(5_000)}`
  const [finding] = findingsOf([apiCall('cloudtrail:StopLogging', { user: hostile })])

  expect(finding!.description).not.toContain('\u001b')
  expect(finding!.description.length).toBeLessThanOrEqual(512)
})
