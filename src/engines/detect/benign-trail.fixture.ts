/**
 * Weeks of an organization at work in two accounts, in which nothing is wrong: people at consoles and terminals, deployments from
 * ever new addresses, autoscaling, functions, an auditor, a backup, a newcomer, a journey. Generated: a seed gives the same trail.
 */
import { apiCall, type Call, DAY, dataEvent, MINUTE, roleIdentity, userIdentity } from './detect.fixture.ts'
import type { ApiEvent } from './types.ts'

export const PRODUCTION = '111122223333'
export const DEVELOPMENT = '444455556666'
const HOUR = 60 * MINUTE

/** Mulberry32, by Tommy Ettinger (public domain): small, and the same everywhere. */
function randomOf(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  return { next, below, of: <T>(list: readonly T[]): T => list[below(list.length)]! }
}
type Random = ReturnType<typeof randomOf>

/** A call that someone makes: its name, and what it is made with. */
type Step = readonly [name: string, request?: object]
type Emit = (at: number, name: string, call: Call) => void

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0 Safari/537.36'
const CLI = 'aws-cli/2.15.40 Python/3.11.8 Linux/6.5 exe/x86_64 prompt/off'
const TERRAFORM = 'APN/1.0 HashiCorp/1.0 Terraform/1.8.2 terraform-provider-aws/5.47.0 aws-sdk-go-v2/1.26.1'
const SDK = 'aws-sdk-nodejs/2.1600.0 linux/v20.12.0'
const BOTO = 'Boto3/1.34.90 md/Botocore#1.34.90 ua/2.0 os/linux lang/python#3.12'

const TEAMS = ['shop', 'billing', 'search', 'data'] as const
type Team = (typeof TEAMS)[number]

interface Person {
  readonly name: string
  readonly team: Team
  readonly isAdministrator: boolean
  readonly home: string
  /** The first day at work. */
  readonly from: number
  /** Days elsewhere, and where. */
  readonly journey?: { readonly days: readonly number[]; readonly address: string }
}

const person = (name: string, team: Team, home: string, more: Partial<Person> = {}): Person => ({
  name,
  team,
  isAdministrator: false,
  home,
  from: 0,
  ...more,
})

const PEOPLE: readonly Person[] = [
  person('ana', 'shop', '84.17.40.2', { isAdministrator: true }),
  person('ben', 'shop', '84.20.11.9'),
  person('cem', 'billing', '91.64.8.77', { isAdministrator: true }),
  person('dia', 'billing', '91.12.200.4'),
  person('eli', 'search', '93.184.2.5'),
  person('fay', 'search', '84.17.99.30', { journey: { days: [22, 23, 24], address: '177.20.4.8' } }),
  person('gus', 'data', '79.140.3.3'),
  person('hal', 'data', '79.199.30.12', { from: 26 }),
]
const OFFICE = '198.51.100.20'

const reads = (team: Team): readonly Step[] => [
  ['ec2:DescribeInstances'],
  ['ec2:DescribeSecurityGroups'],
  ['ec2:DescribeVolumes'],
  ['s3:ListBuckets'],
  ['s3:GetBucketLocation', { bucketName: `${team}-assets` }],
  ['logs:DescribeLogGroups'],
  ['logs:FilterLogEvents', { logGroupName: `/aws/lambda/${team}-api` }],
  ['cloudwatch:GetMetricData'],
  ['cloudwatch:DescribeAlarms'],
  ['lambda:ListFunctions20150331'],
  ['lambda:GetFunction20150331v2', { functionName: `${team}-api` }],
  ['rds:DescribeDBInstances'],
  ['iam:ListRoles'],
  ['iam:GetRole', { roleName: `${team}-api` }],
  ['sts:GetCallerIdentity'],
  ['ecs:DescribeServices'],
  ['dynamodb:DescribeTable', { tableName: `${team}-items` }],
  ['secretsmanager:DescribeSecret', { secretId: `${team}/database` }],
  ['ssm:DescribeParameters'],
]
const work = (team: Team): readonly Step[] => [
  ['ec2:StartInstances', { instancesSet: { items: [{ instanceId: 'i-0aaaaaaaaaaaaaaa1' }] } }],
  ['ec2:StopInstances', { instancesSet: { items: [{ instanceId: 'i-0aaaaaaaaaaaaaaa1' }] } }],
  ['lambda:UpdateFunctionConfiguration20150331v2', { functionName: `${team}-api`, timeout: 30 }],
  ['secretsmanager:GetSecretValue', { secretId: `${team}/database` }],
  ['ssm:GetParameter', { name: `/${team}/url` }],
  ['cloudwatch:PutMetricAlarm', { alarmName: `${team}-errors` }],
  ['ecs:UpdateService', { service: `${team}-api` }],
  ['ssm:StartSession', { target: 'i-0aaaaaaaaaaaaaaa1' }],
]
const administration = (team: Team): readonly Step[] => [
  ['iam:CreateRole', { roleName: `${team}-job`, assumeRolePolicyDocument: trust('lambda.amazonaws.com') }],
  ['iam:AttachRolePolicy', { roleName: `${team}-job`, policyArn: 'arn:aws:iam::aws:policy/AmazonSQSFullAccess' }],
  ['iam:PutRolePolicy', { roleName: `${team}-job`, policyName: 'queue', policyDocument: statement('sqs:*') }],
  ['ec2:AuthorizeSecurityGroupIngress', { groupId: 'sg-1', cidrIp: '10.0.0.0/8', fromPort: 443, toPort: 443 }],
  ['ec2:CreateSecurityGroup', { groupName: `${team}-job` }],
  ['secretsmanager:CreateSecret', { name: `${team}/key` }],
  ['kms:CreateKey'],
  ['s3:CreateBucket', { bucketName: `${team}-exports` }],
]

const statement = (Action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] })
const trust = (Service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
  })

const isWeekend = (day: number): boolean => day % 7 >= 5

function atWork(emit: Emit, random: Random, each: Person, day: number): void {
  if (day < each.from || isWeekend(day)) return
  const { team } = each
  const account = random.next() < 0.6 ? DEVELOPMENT : PRODUCTION
  const isAway = each.journey?.days.includes(day) ?? false
  const address = isAway ? each.journey!.address : random.next() < 0.5 ? OFFICE : each.home
  const role = `AWSReservedSSO_${each.isAdministrator ? 'Administrator' : 'Developer'}_0123456789abcdef`
  const identity = roleIdentity(role, `${each.name}@example.com`, account)
  const call = { account, address, identity }
  let at = day * DAY + random.below(2 * HOUR)
  const step = ([name, request]: Step, userAgent: string): void => {
    at += 1_000 + random.below(6 * MINUTE)
    emit(at, name, { ...call, userAgent, ...(request && { request }) })
  }
  emit(at, 'signin:ConsoleLogin', {
    ...call,
    userAgent: BROWSER,
    response: { ConsoleLogin: 'Success' },
    more: { eventType: 'AwsConsoleSignIn', additionalEventData: { MFAUsed: 'No' } },
  })
  const count = 40 + random.below(60)
  for (let i = 0; i < count; i++) {
    const chance = random.next()
    if (chance < 0.75) step(random.of(reads(team)), BROWSER)
    else if (chance < 0.9) step(random.of(reads(team)), CLI)
    else if (chance < 0.985 || !each.isAdministrator) step(random.of(work(team)), random.of([CLI, BROWSER]))
    else step(random.of(administration(team)), random.of([CLI, TERRAFORM]))
  }
}

/** A runner of a hosting service: a new address each time, often in a network that was never seen. */
function deployment(emit: Emit, random: Random, team: Team, account: string, start: number): void {
  const address = `20.${random.below(200)}.${random.below(250)}.${1 + random.below(250)}`
  const identity = roleIdentity(`${team}-deploy`, 'GitHubActions', account)
  const call = { account, address, userAgent: TERRAFORM, identity }
  const web = { type: 'WebIdentityUser', principalId: `oidc:repo:example/${team}`, userName: `repo:example/${team}` }
  emit(start, 'sts:AssumeRoleWithWebIdentity', {
    ...call,
    identity: web,
    userAgent: 'aws-sdk-nodejs/3 configure-aws-credentials-for-github-actions',
    request: { roleArn: `arn:aws:iam::${account}:role/${team}-deploy` },
  })
  const name = `${team}-api`
  const steps: readonly Step[] = [
    ['sts:GetCallerIdentity'],
    ['iam:GetRole', { roleName: name }],
    ['iam:ListRolePolicies', { roleName: name }],
    ['iam:PutRolePolicy', { roleName: name, policyName: 'table', policyDocument: statement('dynamodb:GetItem') }],
    ['lambda:GetFunction20150331v2', { functionName: name }],
    ['lambda:UpdateFunctionCode20150331v2', { functionName: name }],
    ['lambda:UpdateFunctionConfiguration20150331v2', { functionName: name, layers: ['arn:aws:lambda:layer:logs:3'] }],
    ['lambda:PublishVersion20150331', { functionName: name }],
    ['lambda:AddPermission20150331v2', { functionName: name, principal: 'apigateway.amazonaws.com' }],
    ['logs:DescribeLogGroups'],
    ['s3:GetBucketPolicy', { bucketName: `${team}-assets` }],
    ['s3:PutBucketPolicy', { bucketName: `${team}-assets`, bucketPolicy: JSON.parse(ofEndpoint(team)) }],
    ['s3:PutBucketPublicAccessBlock', blocked(`${team}-assets`)],
    ['dynamodb:DescribeTable', { tableName: `${team}-items` }],
    ['ec2:DescribeSecurityGroups'],
    ['ec2:DescribeVpcs'],
    ['events:PutRule', { name: `${team}-nightly` }],
    ['events:PutTargets', { rule: `${team}-nightly` }],
    ['cloudwatch:PutMetricAlarm', { alarmName: `${team}-errors` }],
  ]
  steps.forEach(([action, request], i) => {
    emit(start + (i + 1) * (500 + random.below(2_000)), action, { ...call, ...(request && { request }) })
  })
}

const ofEndpoint = (team: Team): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${team}-assets/*`,
        Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } },
      },
    ],
  })

const blocked = (bucketName: string) => ({
  bucketName,
  PublicAccessBlockConfiguration: {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  },
})

/** A machine that autoscaling starts, works for some hours with its own role, and is terminated. */
function machine(emit: Emit, random: Random, team: Team, start: number): void {
  const account = PRODUCTION
  const instanceId = `i-0${random
    .below(2 ** 30)
    .toString(16)
    .padStart(8, '0')}`
  const service = { account, address: 'autoscaling.amazonaws.com', userAgent: 'autoscaling.amazonaws.com' }
  const identity = { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' }
  emit(start, 'ec2:RunInstances', { ...service, identity, request: { instanceType: 'm5.large' } })
  const own = {
    account,
    // Behind one of the NAT gateways.
    address: random.of(['203.0.113.10', '203.0.113.11']),
    userAgent: SDK,
    identity: roleIdentity(`${team}-node`, instanceId, account),
  }
  emit(start + MINUTE, 'ssm:GetParametersByPath', { ...own, request: { path: `/${team}` } })
  emit(start + 2 * MINUTE, 'secretsmanager:GetSecretValue', { ...own, request: { secretId: `${team}/database` } })
  const hours = 2 + random.below(6)
  for (let i = 0; i < hours * 2; i++) {
    const at = start + 3 * MINUTE + random.below(hours * HOUR)
    if (i % 2 === 0) emit(at, 'kms:Decrypt', own)
    else emit(at, 'data:PutObject', { ...own, request: { bucketName: `${team}-assets`, key: `o-${i}` } })
  }
  emit(start + hours * HOUR, 'ec2:TerminateInstances', { ...service, identity })
}

/** Reads through everything once a week. */
function audit(emit: Emit, random: Random, account: string, start: number): void {
  const call = {
    account,
    address: '52.20.30.40',
    userAgent: BOTO,
    identity: roleIdentity('auditor', 'weekly', account),
  }
  const names = [
    'iam:GetAccountAuthorizationDetails',
    'iam:GenerateCredentialReport',
    'iam:GetCredentialReport',
    'iam:ListUsers',
    'iam:ListRoles',
    'iam:ListPolicies',
    'iam:GetAccountSummary',
    'iam:GetAccountPasswordPolicy',
    'cloudtrail:DescribeTrails',
    'cloudtrail:GetTrailStatus',
    'ec2:DescribeInstances',
    'ec2:DescribeSnapshots',
    'ec2:DescribeSecurityGroups',
    'rds:DescribeDBInstances',
    'lambda:ListFunctions20150331',
    's3:ListBuckets',
    'kms:ListKeys',
    'secretsmanager:ListSecrets',
    'guardduty:ListDetectors',
  ]
  names.forEach((name, i) => {
    emit(start + i * (2_000 + random.below(4_000)), name, call)
  })
  for (const team of TEAMS)
    for (const api of ['s3:GetBucketPolicy', 's3:GetBucketAcl', 's3:GetBucketLogging', 's3:GetBucketEncryption'])
      emit(start + 5 * MINUTE + random.below(MINUTE), api, { ...call, request: { bucketName: `${team}-assets` } })
}

function nightly(emit: Emit, account: string, start: number): void {
  const call = { account, address: '198.51.100.44', userAgent: BOTO, identity: userIdentity('backup', account) }
  for (let i = 0; i < 12; i++) {
    emit(start + i * MINUTE, 'ec2:CreateSnapshot', { ...call, request: { volumeId: `vol-${i}` } })
    emit(start + HOUR + i * MINUTE, 'ec2:DeleteSnapshot', { ...call, request: { snapshotId: `snap-${i}` } })
  }
  emit(start + 2 * HOUR, 'rds:CreateDBSnapshot', { ...call, request: { dBSnapshotIdentifier: 'nightly' } })
}

/** Functions run around the clock, more by day. */
function functions(emit: Emit, random: Random, team: Team, account: string, day: number): void {
  const identity = roleIdentity(`${team}-api`, `${team}-api`, account)
  const call = { account, address: `34.240.${random.below(8)}.${1 + random.below(250)}`, userAgent: SDK, identity }
  for (let i = 0; i < 80; i++) {
    const at = day * DAY + Math.floor(((random.next() + random.next()) / 2) * DAY)
    const chance = random.next()
    if (chance < 0.5) emit(at, 'kms:Decrypt', call)
    else if (chance < 0.7)
      emit(at, 'secretsmanager:GetSecretValue', { ...call, request: { secretId: `${team}/database` } })
    else emit(at, 'data:GetObject', { ...call, request: { bucketName: `${team}-assets`, key: `o-${i}` } })
  }
}

/** What AWS itself does for the accounts. */
function services(emit: Emit, random: Random, account: string, day: number): void {
  const of = (service: string) => ({
    account,
    address: service,
    userAgent: service,
    identity: { type: 'AWSService', invokedBy: service },
  })
  for (let i = 0; i < 60; i++) {
    const at = day * DAY + random.below(DAY)
    emit(at, random.of(['ec2:DescribeInstances', 'iam:ListRoles', 's3:ListBuckets']), of('config.amazonaws.com'))
    emit(at + 1, 's3:GetBucketAcl', { ...of('cloudtrail.amazonaws.com'), request: { bucketName: 'trail' } })
  }
}

/**
 * Events in the order of their times, about 2,000 a day; the first is on a Monday.
 *
 * @example
 * benignTrail({ days: 50, seed: 1 }) // about 100,000 events
 */
export function benignTrail({ days, seed }: { readonly days: number; readonly seed: number }): readonly ApiEvent[] {
  const random = randomOf(seed)
  const events: ApiEvent[] = []
  const emit: Emit = (at, name, call) => {
    const [service, action] = name.split(':')
    events.push(service === 'data' ? dataEvent(action!, { ...call, at }) : apiCall(name, { ...call, at }))
  }
  for (let day = 0; day < days; day++) {
    for (const each of PEOPLE) atWork(emit, random, each, day)
    for (const account of [PRODUCTION, DEVELOPMENT]) {
      const runs = isWeekend(day) ? 0 : account === PRODUCTION ? 1 : 3
      for (const team of TEAMS) {
        for (let i = 0; i < runs; i++) deployment(emit, random, team, account, day * DAY + random.below(9 * HOUR))
        functions(emit, random, team, account, day)
      }
      services(emit, random, account, day)
      nightly(emit, account, day * DAY + 17 * HOUR)
      if (day % 7 === 2) audit(emit, random, account, day * DAY + 14 * HOUR + random.below(HOUR))
    }
    for (let i = 0; i < 20; i++) machine(emit, random, random.of(TEAMS), day * DAY + random.below(DAY))
  }
  return events.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1))
}
