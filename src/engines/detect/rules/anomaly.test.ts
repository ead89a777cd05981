/** Anomalies: what is unusual after learning, what is not, and what cannot be made usual. */
import { describe, expect, test } from 'vitest'
import { exposureOf } from '../../../policy/exposure.ts'
import {
  apiCall,
  type Call,
  DAY,
  dataEvent,
  findingsOf,
  MINUTE,
  roleIdentity,
  times,
  typesOf,
} from '../detect.fixture.ts'
import { compileList } from '../lists.ts'
import type { ApiEvent, NormalizedEvent } from '../types.ts'

const configuration = { publicAccess: exposureOf }
const ATTACKER: Call = { address: '203.0.113.66', userAgent: 'exploit/1.0' }
const later = (call: Call, ms = 0): Call => ({ ...call, at: 20 * DAY + ms })

/** Three weeks of a user's ordinary work, ten calls a day. */
const history = (user = 'ana'): readonly ApiEvent[] =>
  times(210, (i) => {
    const names = [
      'ec2:DescribeInstances',
      's3:ListBuckets',
      'iam:GetUser',
      'logs:DescribeLogGroups',
      'ec2:StartInstances',
    ]
    return apiCall(names[i % 5]!, { user, at: Math.floor(i / 10) * DAY + (i % 10) * 10 * MINUTE })
  })

describe('After learning', () => {
  test.each<readonly [name: string, type: string, request: object]>([
    ['iam:CreateAccessKey', 'Persistence:IAMUser/AnomalousBehavior', { userName: 'root2' }],
    ['iam:UpdateLoginProfile', 'PrivilegeEscalation:IAMUser/AnomalousBehavior', {}],
    ['ec2:GetPasswordData', 'CredentialAccess:IAMUser/AnomalousBehavior', {}],
    ['ec2:DeleteFlowLogs', 'DefenseEvasion:IAMUser/AnomalousBehavior', {}],
    [
      'ec2:ModifySnapshotAttribute',
      'Exfiltration:IAMUser/AnomalousBehavior',
      { createVolumePermission: { add: { items: [{ userId: '999988887777' }] } } },
    ],
    ['ec2:RunInstances', 'Impact:IAMUser/AnomalousBehavior', { instanceType: 'p4d.24xlarge' }],
    ['iam:GetAccountAuthorizationDetails', 'Discovery:IAMUser/AnomalousBehavior', {}],
    ['ecr:GetAuthorizationToken', 'InitialAccess:IAMUser/AnomalousBehavior', {}],
  ])('%s by another client from elsewhere: %s', (name, type, request) => {
    expect(typesOf([...history(), apiCall(name, later({ ...ATTACKER, request }))], configuration)).toEqual([type])
  })

  test('the finding shows what was expected and what was observed', () => {
    const [finding] = findingsOf([...history(), apiCall('iam:CreateAccessKey', later(ATTACKER))], configuration)
    const userAgent = finding!.unusual.find(({ dimension }) => dimension === 'userAgent')

    expect(userAgent).toMatchObject({ observed: 'exploit', expected: ['aws-cli'], scope: 'principal' })
    expect(finding!.unusual.map(({ dimension }) => dimension)).toEqual(
      ['action', 'service', 'tactic', 'network', 'userAgent'].filter((each) => each !== 'service'),
    )
  })

  test('ordinary calls are not found, even from elsewhere', () => {
    const calls = ['ec2:DescribeInstances', 's3:ListBuckets', 'iam:GetUser', 'ec2:StartInstances', 'ec2:CreateTags']

    expect(typesOf([...history(), ...calls.map((name) => apiCall(name, later(ATTACKER)))], configuration)).toEqual([])
  })

  test('a new deployment role in the account is not found', () => {
    const identity = roleIdentity('deploy', 'pipeline')
    const deployment = [
      'iam:CreateRole',
      'iam:AttachRolePolicy',
      'lambda:CreateFunction',
      'ec2:RunInstances',
      's3:PutBucketPolicy',
    ]

    expect(
      typesOf([...history(), ...deployment.map((name, i) => apiCall(name, later({ identity }, i)))], configuration),
    ).toEqual([])
  })
})

test('While an account is learned, nothing is found', () => {
  expect(
    typesOf([...history().slice(0, 100), apiCall('iam:CreateAccessKey', { ...ATTACKER, at: 13 * DAY })], configuration),
  ).toEqual([])
})

test('What AWS services do for a principal is not its behavior', () => {
  const identity = { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' }

  expect(typesOf([...history(), apiCall('ec2:RunInstances', later({ ...ATTACKER, identity }))], configuration)).toEqual(
    [],
  )
})

test('A client that reads the secrets that it created itself takes nothing from anyone', () => {
  const secrets = times(20, (i) => ({ secretId: `app/${i}` }))
  const created = secrets.map(({ secretId }, i) =>
    apiCall('secretsmanager:CreateSecret', later({ ...ATTACKER, request: { name: secretId } }, i)),
  )
  const read = secrets.map((request, i) =>
    apiCall('secretsmanager:GetSecretValue', later({ ...ATTACKER, request }, 100 + i)),
  )

  expect(typesOf([...history(), ...created, ...read], configuration)).toEqual([])
  expect(typesOf([...history(), ...read], configuration)).toEqual(['CredentialAccess:IAMUser/AnomalousBehavior'])
})

test('Trust in another account makes the change of a role worse than trust in a service', () => {
  const trust = (Principal: object) => ({
    roleName: 'app',
    policyDocument: JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] }),
  })
  const change = (Principal: object) => apiCall('iam:UpdateAssumeRolePolicy', later({ request: trust(Principal) }))

  expect(typesOf([...history(), change({ AWS: '999988887777' })], configuration)).toEqual([
    'Persistence:IAMUser/AnomalousBehavior',
  ])
  expect(typesOf([...history(), change({ Service: 'ec2.amazonaws.com' })], configuration)).toEqual([])
})

describe('Poisoned baselines', () => {
  const attack = (at: number) => apiCall('iam:CreateAccessKey', { ...ATTACKER, at })

  test('a slow ramp of harmless calls from elsewhere does not hide what follows', () => {
    const ramp = times(6 * 24, (i) => apiCall('ec2:DescribeInstances', { ...ATTACKER, at: 21 * DAY + i * 60 * MINUTE }))
    const findings = findingsOf([...history(), ...ramp, attack(27 * DAY)], configuration)

    expect(findings.map(({ unusual }) => unusual.map(({ dimension }) => dimension))).toEqual([
      ['action', 'tactic', 'network', 'userAgent'],
    ])
  })

  test('a month of it leaves the call and its tactic unusual', () => {
    const ramp = times(30 * 12, (i) =>
      apiCall('ec2:DescribeInstances', { ...ATTACKER, at: 21 * DAY + i * 120 * MINUTE }),
    )

    expect(typesOf([...history(), ...ramp, attack(52 * DAY)], configuration)).toEqual([
      'Persistence:IAMUser/AnomalousBehavior',
    ])
  })

  test('what was found does not become usual by being repeated', () => {
    const attacks = times(50, (i) => attack(21 * DAY + i * MINUTE))

    expect(findingsOf([...history(), ...attacks], configuration)).toHaveLength(50)
  })
})

test('A trusted address hides what is done from it, but not what is done to the detection', () => {
  const trustedLists = [compileList({ name: 'all', sha256: '', entries: ['0.0.0.0/0'] })]
  const types = (name: string) =>
    typesOf([...history(), apiCall(name, later(ATTACKER))], { ...configuration, trustedLists })

  expect(types('iam:CreateAccessKey')).toEqual([])
  expect(types('guardduty:UpdateIPSet')).toEqual(['DefenseEvasion:IAMUser/AnomalousBehavior'])
  expect(types('guardduty:DeleteDetector')).toEqual(['DefenseEvasion:IAMUser/AnomalousBehavior'])
})

describe('S3 objects', () => {
  const read = (user: string, call: Call) =>
    dataEvent('GetObject', { user, request: { bucketName: 'shop', key: 'a' }, ...call })
  const usual: readonly NormalizedEvent[] = times(300, (i) => read('app', { at: i * 100 * MINUTE }))

  test('read by another client from elsewhere in another Region are found', () => {
    const strange = read('app', { at: 21 * DAY, ...ATTACKER, region: 'sa-east-1' })

    expect(findingsOf([...usual, strange])).toMatchObject([
      {
        type: 'Exfiltration:S3/AnomalousBehavior',
        resource: { resourceType: 'S3Bucket', buckets: [{ name: 'shop' }] },
      },
    ])
    expect(typesOf([...usual, read('app', { at: 21 * DAY, region: 'sa-east-1' })])).toEqual([])
  })

  test('deleted are found as an impact', () => {
    const deletion = dataEvent('DeleteObject', {
      user: 'app',
      at: 21 * DAY,
      ...ATTACKER,
      request: { bucketName: 'shop' },
    })

    expect(typesOf([...usual, deletion])).toEqual(['Impact:S3/AnomalousBehavior.Delete'])
  })
})

test('Three tactics of one actor within a day are an attack sequence, with the findings as its signals', () => {
  const steps = ['iam:CreateAccessKey', 'ec2:GetPasswordData', 'ec2:DeleteFlowLogs'].map((name, i) =>
    apiCall(name, later(ATTACKER, i * MINUTE)),
  )
  const findings = findingsOf([...history(), ...steps], configuration)
  const sequence = findings.at(-1)!

  expect(sequence).toMatchObject({ type: 'AttackSequence:IAM/CompromisedCredentials', severity: 9 })
  expect(sequence.signals).toEqual(findings.slice(0, 3).map(({ id }) => id))
  expect(sequence.eventIds).toEqual(steps.map(({ id }) => id))
  expect(typesOf([...history(), ...steps.slice(0, 2)], configuration)).not.toContain(sequence.type)
})
