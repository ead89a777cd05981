/** Random policies and requests in a small world where they meet often, for two engines to decide. */
import fc from 'fast-check'

export const ACCOUNT = '111122223333'
export const OTHER = '444455556666'

export interface Case {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly resourceAccount: string
  readonly context: Readonly<Record<string, string | readonly string[]>>
  readonly identity: readonly Document[]
  readonly boundary: Document | undefined
  readonly session: Document | undefined
  readonly resourcePolicy: Document | undefined
  /** Levels from the root down. */
  readonly scps: readonly Document[]
  readonly rcps: readonly Document[]
  /** Of rewritten cases: root may do no more than these give. */
  readonly rootIsLimited?: Document
}

export interface Document {
  readonly Version?: string
  readonly Statement: readonly object[]
}

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const oneOrMore = <T>(of: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: of }, { weight: 1, arbitrary: fc.uniqueArray(of, { minLength: 1, maxLength: 3 }) })
const maybe = <T>(of: fc.Arbitrary<T>, freq = 2) => fc.option(of, { nil: undefined, freq })

const USER = `arn:aws:iam::${ACCOUNT}:user/ann`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/app/s1`
const ROOT = `arn:aws:iam::${ACCOUNT}:root`

/** Real actions on resources of the kind they have: the peer checks that. */
const REQUESTS: readonly (readonly [action: string, resource: (account: string) => string])[] = [
  ['s3:GetObject', () => 'arn:aws:s3:::data/ann/report.csv'],
  ['s3:GetObject', () => 'arn:aws:s3:::data/bob/a:b'],
  ['s3:PutObject', () => 'arn:aws:s3:::logs/2026/11/x'],
  ['s3:ListBucket', () => 'arn:aws:s3:::data'],
  ['sqs:SendMessage', (account) => `arn:aws:sqs:us-east-1:${account}:jobs`],
  ['dynamodb:GetItem', (account) => `arn:aws:dynamodb:eu-west-1:${account}:table/people`],
  ['iam:GetUser', (account) => `arn:aws:iam::${account}:user/ann`],
  ['sns:Publish', (account) => `arn:aws:sns:us-east-1:${account}:news`],
  ['lambda:InvokeFunction', (account) => `arn:aws:lambda:us-east-1:${account}:function:f`],
  ['ec2:DescribeInstances', () => '*'],
]

const action = pick(
  '*',
  's3:*',
  's3:Get*',
  'S3:getobject',
  's3:GetObject',
  's3:?etObject',
  'sqs:SendMessage',
  'sqs:*',
  'dynamodb:Get*',
  'iam:*',
  'sns:Publish',
  'lambda:*',
  'ec2:Describe*',
  's3:PutObject',
  's3:List*',
)
const resource = pick(
  '*',
  'arn:aws:s3:::data/*',
  'arn:aws:s3:::data',
  'arn:aws:s3:::data/${aws:username}/*',
  "arn:aws:s3:::data/${aws:PrincipalTag/team, 'ann'}/*",
  'arn:aws:s3:::*/report.csv',
  'arn:aws:s3:::l?gs/*',
  'arn:aws:s3:::data/b*b/a:b',
  'arn:aws:sqs:*:*:jobs',
  `arn:aws:sqs:us-east-1:${ACCOUNT}:*`,
  'arn:aws:dynamodb:*:*:table/p*',
  `arn:aws:iam::${ACCOUNT}:user/*`,
  'arn:aws:sns:us-east-1:*:news',
  'arn:aws:lambda:*:*:function:*',
  'arn:*:s3:::data/*',
)

type Said = readonly [operator: string, key: string, value: string | readonly string[]]
const string = pick(
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringNotLike',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringEqualsIfExists',
  'StringNotEqualsIfExists',
  'StringLikeIfExists',
)
const said: fc.Arbitrary<Said> = fc.oneof(
  fc.tuple(
    string,
    pick('aws:PrincipalTag/team', 'aws:RequestedRegion', 'AWS:username', 'aws:UserAgent'),
    oneOrMore(pick('blue', 'Blue', 'b*', 'red', 'us-east-1', 'ann', '${aws:username}', '*')),
  ),
  fc.tuple(
    pick('Bool', 'BoolIfExists'),
    pick('aws:SecureTransport', 'aws:MultiFactorAuthPresent'),
    pick('true', 'false'),
  ),
  fc.tuple(
    pick('Null'),
    pick('aws:PrincipalTag/team', 'aws:MultiFactorAuthAge', 'aws:SourceIp', 'aws:CalledVia'),
    pick('true', 'false'),
  ),
  fc.tuple(
    pick('NumericLessThan', 'NumericGreaterThanEquals', 'NumericEquals', 'NumericNotEquals', 'NumericLessThanIfExists'),
    pick('aws:MultiFactorAuthAge'),
    oneOrMore(pick('10', '300', '3600')),
  ),
  fc.tuple(
    pick('IpAddress', 'NotIpAddress', 'IpAddressIfExists', 'NotIpAddressIfExists'),
    pick('aws:SourceIp'),
    oneOrMore(pick('203.0.113.0/24', '203.0.113.7', '2001:db8::/32', '198.51.100.0/25')),
  ),
  fc.tuple(
    pick('DateGreaterThan', 'DateLessThan', 'DateLessThanEquals'),
    pick('aws:CurrentTime'),
    pick('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
  ),
  fc.tuple(
    pick('ArnLike', 'ArnEquals', 'ArnNotLike', 'ArnLikeIfExists'),
    pick('aws:PrincipalArn'),
    oneOrMore(pick(`arn:aws:iam::${ACCOUNT}:user/*`, 'arn:aws:iam::*:role/app', `arn:aws:iam::${ACCOUNT}:*`)),
  ),
  fc.tuple(
    pick(
      'ForAnyValue:StringEquals',
      'ForAllValues:StringEquals',
      'ForAnyValue:StringLike',
      'ForAllValues:StringNotLike',
      'ForAnyValue:StringNotEquals',
    ),
    pick('aws:CalledVia', 'aws:PrincipalOrgPaths'),
    oneOrMore(pick('athena.amazonaws.com', 'cloudformation.amazonaws.com', 'o-a/r-b/*', '*')),
  ),
)
const condition = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(said, { minLength: 1, maxLength: 2 }) },
  )
  .map((all: readonly Said[]) => {
    const block: Record<string, Record<string, unknown>> = {}
    for (const [operator, key, value] of all) block[operator] = { ...block[operator], [key]: value }
    return all.length > 0 ? { Condition: block } : {}
  })

const principals = fc.oneof(
  pick<unknown>(
    '*',
    { AWS: '*' },
    { AWS: ACCOUNT },
    { AWS: ROOT },
    { AWS: USER },
    { AWS: ROLE },
    { AWS: SESSION },
    { AWS: OTHER },
    { Service: 'lambda.amazonaws.com' },
  ),
  fc.uniqueArray(pick(USER, ROLE, SESSION, OTHER, ROOT), { minLength: 1, maxLength: 2 }).map((AWS) => ({ AWS })),
)

const negatable = (name: string, of: fc.Arbitrary<unknown>) =>
  fc
    .tuple(
      pick(name, name, name, name, `Not${name}`),
      fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, { weight: 3, arbitrary: of }),
    )
    .map(([key, value]) => ({ [key]: value }))

function statement(kind: 'identity' | 'resource' | 'scp' | 'rcp'): fc.Arbitrary<object> {
  const effect = kind === 'rcp' ? pick('Deny') : pick('Allow', 'Allow', 'Allow', 'Allow', 'Deny')
  // AWS: resource control policies name their actions; the peer refuses `*` and NotAction there.
  const actions =
    kind === 'rcp'
      ? oneOrMore(action.filter((name) => name !== '*')).map((Action) => ({ Action }))
      : negatable('Action', oneOrMore(action))
  const principal =
    kind === 'resource'
      ? principals.map((Principal) => ({ Principal }))
      : kind === 'rcp'
        ? fc.constant({ Principal: '*' })
        : fc.constant({})
  return fc
    .tuple(effect, actions, negatable('Resource', oneOrMore(resource)), principal, condition)
    .map(([Effect, ...rest]) => Object.assign({ Effect }, ...rest))
}

const document = (kind: Parameters<typeof statement>[0]): fc.Arbitrary<Document> =>
  fc.array(statement(kind), { minLength: 1, maxLength: 3 }).map((Statement) => ({ Version: '2012-10-17', Statement }))

const FULL: Document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const scp = fc.oneof(
  {
    weight: 2,
    arbitrary: document('scp').map(({ Statement }) => ({ ...FULL, Statement: [...FULL.Statement, ...Statement] })),
  },
  { weight: 1, arbitrary: document('scp') },
)

const context = fc.record(
  {
    'aws:PrincipalTag/team': pick('blue', 'Blue', 'red'),
    'aws:RequestedRegion': pick('us-east-1', 'eu-west-1'),
    'aws:UserAgent': pick('aws-cli', 'b*'),
    'aws:SecureTransport': pick('true', 'false'),
    'aws:MultiFactorAuthPresent': pick('true', 'false'),
    'aws:MultiFactorAuthAge': pick('5', '300', '7200'),
    'aws:SourceIp': pick('203.0.113.7', '198.51.100.200', '2001:db8::1'),
    'aws:CurrentTime': pick('2026-06-01T00:00:00Z'),
    'aws:CalledVia': fc.uniqueArray(pick('athena.amazonaws.com', 'cloudformation.amazonaws.com', 'kms.amazonaws.com'), {
      minLength: 1,
      maxLength: 2,
    }),
    'aws:PrincipalOrgPaths': pick(['o-a/r-b/ou-c/']),
  },
  { requiredKeys: [] },
)

/** The keys that follow from the principal. */
function known(principal: string): Record<string, string> {
  if (principal === USER) return { 'aws:username': 'ann', 'aws:PrincipalArn': USER }
  return { 'aws:PrincipalArn': principal === SESSION ? ROLE : principal }
}

export const cases: fc.Arbitrary<Case> = fc
  .record({
    principal: pick(USER, USER, SESSION, ROOT),
    asked: pick(...REQUESTS),
    owner: pick(ACCOUNT, ACCOUNT, OTHER),
    told: context,
    identity: fc.array(document('identity'), { maxLength: 3 }),
    boundary: maybe(document('identity'), 3),
    session: maybe(document('identity'), 3),
    resourcePolicy: maybe(document('resource'), 1),
    scps: fc.oneof(fc.constant([]), fc.array(scp, { minLength: 1, maxLength: 3 })),
    rcps: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(document('rcp'), { minLength: 1, maxLength: 2 }) },
    ),
  })
  .map(({ principal, asked: [action, resource], owner, told, session, boundary, ...rest }) => ({
    ...rest,
    principal,
    action,
    resource: resource(owner),
    // What has no resource is the caller's own.
    resourceAccount: action === 'ec2:DescribeInstances' ? ACCOUNT : owner,
    context: { ...told, ...known(principal) },
    boundary: principal === ROOT ? undefined : boundary,
    session: principal === SESSION ? session : undefined,
  }))

/** The same cases every time. */
export const sample = (count: number, seed = 20261124): readonly Case[] => fc.sample(cases, { numRuns: count, seed })
