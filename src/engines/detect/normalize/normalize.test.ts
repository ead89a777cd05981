/** Records of AWS as events. */
import { expect, test } from 'vitest'
import { record, roleIdentity } from '../detect.fixture.ts'
import { userAgentFamily } from '../user-agent.ts'
import { cloudTrailRecords, normalizeCloudTrail } from './cloudtrail.ts'
import { normalizeDns } from './dns.ts'
import { DEFAULT_FLOW_COLUMNS, flowHeader, normalizeFlow } from './flow.ts'

const DEFAULTS = { account: '', region: 'eu-west-1' }

test('A call of a role session has its role, and a name without the version of its API', () => {
  const event = normalizeCloudTrail(record('lambda:CreateFunction20150331', { identity: roleIdentity('deploy', 'ci') }))

  expect(event).toMatchObject({
    source: 'cloudtrail',
    service: 'lambda',
    action: 'CreateFunction',
    principal: { type: 'AssumedRole', userName: 'deploy', issuer: { arn: 'arn:aws:iam::111122223333:role/deploy' } },
  })
  expect(normalizeCloudTrail(record('lambda:UpdateFunctionCode20150331v2'))?.action).toBe('UpdateFunctionCode')
  expect(normalizeCloudTrail(record('waf:Get2020'))?.action).toBe('Get2020')
})

test('Data events of S3 and sign-ins are sources of their own', () => {
  expect(normalizeCloudTrail(record('s3:GetObject', { more: { eventCategory: 'Data' } }))?.source).toBe('s3')
  expect(normalizeCloudTrail(record('s3:PutBucketPolicy'))?.source).toBe('cloudtrail')
  expect(normalizeCloudTrail(record('signin:ConsoleLogin'))?.source).toBe('sign-in')
})

test('Files have records in an object, in an array, or are one', () => {
  const one = record('iam:ListUsers')

  expect(cloudTrailRecords({ Records: [one, one] })).toHaveLength(2)
  expect(cloudTrailRecords([one])).toHaveLength(1)
  expect(cloudTrailRecords(one)).toEqual([one])
})

test('A flow log of version 2 has 14 fields in a fixed order', () => {
  const line = '2 111122223333 eni-1 10.0.0.5 203.0.113.9 40000 22 6 20 4249 1418530010 1418530070 ACCEPT OK'

  expect(normalizeFlow(line, DEFAULT_FLOW_COLUMNS, DEFAULTS)).toMatchObject({
    account: '111122223333',
    sourceAddress: '10.0.0.5',
    destinationPort: 22,
    packets: 20,
    accepted: true,
    time: 1_418_530_070_000,
  })
  expect(
    normalizeFlow('2 111122223333 eni-1 - - - - - - - 1431280876 1431280934 - NODATA', DEFAULT_FLOW_COLUMNS, DEFAULTS),
  ).toBeUndefined()
})

test('A header gives any order of the fields of versions 3 to 5, and the packet’s own addresses win', () => {
  const columns = flowHeader(
    'pkt-srcaddr srcaddr dstaddr pkt-dstaddr dstport srcport protocol start end action tcp-flags flow-direction instance-id region new-field',
  )!
  const line =
    '203.0.113.9 10.0.0.1 10.0.0.5 10.0.0.5 443 40000 6 1700000000 1700000060 REJECT 2 ingress i-1 us-west-2 x'

  expect(normalizeFlow(line, columns, DEFAULTS)).toMatchObject({
    sourceAddress: '203.0.113.9',
    destinationPort: 443,
    accepted: false,
    tcpFlags: 2,
    direction: 'ingress',
    instanceId: 'i-1',
    region: 'us-west-2',
  })
  expect(flowHeader('2 111122223333 eni-1 10.0.0.5')).toBeUndefined()
})

test('A resolver query has its instance and its answers', () => {
  const event = normalizeDns({
    version: '1.100000',
    account_id: '111122223333',
    region: 'us-east-1',
    vpc_id: 'vpc-1',
    query_timestamp: '2026-03-02T09:00:00Z',
    query_name: 'Example.COM.',
    query_type: 'A',
    rcode: 'NOERROR',
    answers: [{ Rdata: '93.184.216.34', Type: 'A', Class: 'IN' }],
    srcaddr: '10.0.0.5',
    srcport: '12345',
    transport: 'UDP',
    srcids: { instance: 'i-1' },
  })

  expect(event).toMatchObject({
    name: 'example.com',
    instanceId: 'i-1',
    answers: [{ type: 'A', data: '93.184.216.34' }],
  })
})

test.each([
  ['APN/1.0 HashiCorp/1.0 Terraform/1.5.0 (+https://www.terraform.io) aws-sdk-go/1.44', 'terraform'],
  ['[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12]', 'console'],
  ['aws-cli/2.15.0 Python/3.11.6 Linux/6.1', 'aws-cli'],
  ['[Boto3/1.26.165 Python/3.10.6 Linux]', 'boto3'],
  ['aws-sdk-go/1.41.4 (go1.18.3; linux; amd64)', 'aws-sdk-go'],
  ['mytool/3.0 aws-sdk-go/1.41.4', 'mytool'],
  ['scanner_6a7ec681-49a5-4403-99a2-d3c1229e8e01', 'scanner'],
  ['rds.amazonaws.com', 'service'],
  ['', 'none'],
])('The family of user agent %s is %s', (userAgent, family) => {
  expect(userAgentFamily(userAgent)).toBe(family)
})
