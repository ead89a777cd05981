/** What in a request makes a call worse than its API. */
import { expect, test } from 'vitest'
import { exposureOf } from '../../policy/exposure.ts'
import { classifiedApis, classOf } from './api-classes.ts'
import { apiCall } from './detect.fixture.ts'
import { assess } from './sensitive.ts'

const indicatorOf = (name: string, request: object, more: object = {}) => {
  const event = apiCall(name, { request, more })
  return assess(event, classOf(event.service, event.action)!, exposureOf).indicator
}

const OTHER = '999988887777'
const EVERYTHING = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const trust = (Principal: unknown) =>
  JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] })
const port = (fromPort: number, cidrIp = '0.0.0.0/0') => ({
  ipPermissions: { items: [{ ipProtocol: 'tcp', fromPort, toPort: fromPort, ipRanges: { items: [{ cidrIp }] } }] },
})

test.each<readonly [name: string, request: object, text: string]>([
  ['iam:AttachUserPolicy', { policyArn: ADMINISTRATOR }, 'attaches AdministratorAccess'],
  ['iam:PutUserPolicy', { policyDocument: EVERYTHING }, 'grants all actions'],
  [
    'iam:CreateRole',
    { assumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${OTHER}:root` }) },
    `trusts account ${OTHER}`,
  ],
  ['iam:UpdateAssumeRolePolicy', { policyDocument: trust('*') }, 'trusts every AWS account'],
  ['sts:GetFederationToken', { policy: EVERYTHING }, 'all permissions'],
  ['sts:GetFederationToken', { policyArns: [{ arn: ADMINISTRATOR }] }, 'all permissions'],
  [
    'ec2:ModifySnapshotAttribute',
    { createVolumePermission: { add: { items: [{ userId: OTHER }] } } },
    `shares with ${OTHER}`,
  ],
  ['ec2:ModifyImageAttribute', { launchPermission: { add: { items: [{ group: 'all' }] } } }, 'shares with all'],
  ['rds:ModifyDBSnapshotAttribute', { attributeName: 'restore', valuesToAdd: [OTHER] }, `shares with ${OTHER}`],
  ['lambda:AddPermission', { principal: '*' }, 'permits everyone'],
  ['lambda:AddPermission', { principal: `arn:aws:iam::${OTHER}:root` }, `permits account ${OTHER}`],
  ['ec2:AuthorizeSecurityGroupIngress', port(22), 'opens port 22'],
  [
    'ec2:AuthorizeSecurityGroupIngress',
    { cidrIp: '0.0.0.0/0', fromPort: 3389, toPort: 3389, ipProtocol: 'tcp' },
    'opens port 3389',
  ],
  ['ec2:RunInstances', { instanceType: 'p4d.24xlarge' }, 'p4d.24xlarge'],
  ['ec2:ModifyInstanceAttribute', { userData: '<sensitiveDataRemoved>' }, 'user data'],
  ['s3:PutBucketLifecycle', { LifecycleConfiguration: { Rule: { Expiration: { Days: 1 } } } }, 'after a day'],
])('%s %j: %s', (name, request, text) => {
  expect(indicatorOf(name, request)).toContain(text)
})

test.each<readonly [name: string, request: object]>([
  ['iam:AttachUserPolicy', { policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }],
  ['iam:CreateRole', { assumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) }],
  ['iam:CreateRole', { assumeRolePolicyDocument: trust({ AWS: 'arn:aws:iam::111122223333:root' }) }],
  ['sts:GetFederationToken', { policy: '{}' }],
  ['ec2:ModifySnapshotAttribute', { createVolumePermission: { remove: { items: [{ userId: OTHER }] } } }],
  ['ec2:ModifySnapshotAttribute', { createVolumePermission: { add: { items: [{ userId: '111122223333' }] } } }],
  ['lambda:AddPermission', { principal: 'events.amazonaws.com' }],
  ['ec2:AuthorizeSecurityGroupIngress', port(443)],
  ['ec2:AuthorizeSecurityGroupIngress', port(22, '10.0.0.0/8')],
  ['ec2:RunInstances', { instanceType: 't3.micro' }],
  ['ec2:ModifyInstanceAttribute', { disableApiTermination: { value: true } }],
  ['s3:PutBucketLifecycle', { LifecycleConfiguration: { Rule: { Expiration: { Days: 90 } } } }],
])('%s %j is no worse than its API', (name, request) => {
  expect(indicatorOf(name, request)).toBeUndefined()
})

test('Every API of the table is written as service:Action, once', () => {
  const apis = classifiedApis()

  expect(apis.filter((api) => !/^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$/.test(api))).toEqual([])
  expect(apis.length).toBeGreaterThan(200)
})
