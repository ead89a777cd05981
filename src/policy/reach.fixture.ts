/** Policies and requests at random, in a small world where they meet often. */
import fc from 'fast-check'
import { compileResource } from './arn-pattern.ts'
import { type CompiledPolicy, Context, compilePolicy, type PolicyKind, type Principal, readPolicy } from './index.ts'
import type { Extent } from './reach-extent.ts'

export const ACCOUNT = '111111111111'
export const USER_ARN = `arn:aws:iam::${ACCOUNT}:user/u`

export const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const some = <T>(of: fc.Arbitrary<T>) => fc.oneof(of, fc.array(of, { minLength: 1, maxLength: 3 }))

export const actions = pick('s3:GetObject', 's3:PutObject', 'kms:Decrypt', 'sts:GetCallerIdentity', 'new:Born')
export const resources = pick(
  '*',
  'arn:aws:s3:::b/u',
  'arn:aws:s3:::b/u/x',
  'arn:aws:s3:::b/*',
  'arn:aws:s3:::b/u*x',
  'arn:aws:s3:::bb/team',
  'arn:aws:sqs:eu-west-1:111111111111:q:x',
  'arn:aws:kms:eu-west-1:222222222222:key/k',
)

const action = pick('*', 's3:*', 'S3:get*', 's3:GetObject', 'kms:Decrypt', 'sts:*', '*:?e*', 'n?w:*')
const resource = pick(
  '*',
  'arn:*',
  'arn:aws:s3:::b/*',
  'arn:aws:s3:::b*/*u*',
  'arn:aws:s3:::b/u',
  'arn:aws:s3:::b/${aws:username}',
  'arn:aws:s3:::b/${aws:username}/*',
  "arn:aws:s3:::?/${aws:PrincipalTag/team, 'u'}",
  'arn:aws:s3:::b/${*}',
  'arn:aws:sqs:*:111111111111:*',
  'arn:aws:sqs:e*t-1:1*:q*x',
  'arn:aws:kms',
)
const operator = pick(
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringEqualsIfExists',
  'StringNotLikeIfExists',
  'ForAllValues:StringEquals',
  'ForAnyValue:StringLike',
  'ForAnyValue:StringNotEquals',
  'NumericLessThan',
  'Bool',
  'Null',
  'IpAddress',
  'NotIpAddress',
  'ArnLike',
  'Unheard',
)
const value = pick('u', 'U', '*', 'x*', '${aws:username}', '10', 'true', 'false', '10.0.0.0/8', USER_ARN)
export const key = pick('aws:username', 'AWS:SourceIp', 'aws:TagKeys', 'aws:PrincipalTag/team', 'x:n')
const condition = fc.dictionary(operator, fc.dictionary(key, some(value), { minKeys: 1, maxKeys: 2 }), { maxKeys: 2 })
const principals = fc.oneof(
  fc.constant('*'),
  fc.record({ AWS: some(pick(ACCOUNT, '222222222222', `arn:aws:iam::${ACCOUNT}:root`, USER_ARN)) }),
)

export const statement = (withPrincipal: boolean) => {
  const choose = (name: string, of: fc.Arbitrary<unknown>) =>
    fc.tuple(pick(name, name, name, `Not${name}`), of).map(([key, value]) => ({ [key]: value }))
  return fc
    .tuple(
      pick('Allow', 'Allow', 'Deny'),
      choose('Action', some(action)),
      choose('Resource', some(resource)),
      withPrincipal ? choose('Principal', principals) : fc.constant({}),
      fc.oneof(fc.constant({}), condition),
    )
    .map(([Effect, ...rest]) => ({ Effect, ...Object.assign({}, ...rest.slice(0, 3)), Condition: rest[3] }))
}

export const statements = (kind: PolicyKind) =>
  fc.array(statement(['resource', 'rcp', 'endpoint'].includes(kind)), { minLength: 1, maxLength: 3 })

export function compiled(kind: PolicyKind, statements: readonly object[], version = '2012-10-17'): CompiledPolicy {
  return compilePolicy(readPolicy(JSON.stringify({ Version: version, Statement: statements }), kind), {
    id: kind,
    kind,
  })
}

export const policy = (kind: PolicyKind) =>
  fc
    .tuple(statements(kind), pick('2012-10-17', '2012-10-17', '2008-10-17'))
    .map(([each, version]) => compiled(kind, each, version))

export const contexts = fc.dictionary(
  key,
  some(pick('u', 'x1', '*', '5', 'true', '10.1.2.3', 'not an address', USER_ARN)),
  { maxKeys: 4 },
)

export const USER: Principal = { kind: 'user', account: ACCOUNT, tags: {}, arn: USER_ARN, userId: 'AIDAU', name: 'u' }
export const principal = pick<Principal>(
  USER,
  { kind: 'root', account: ACCOUNT, tags: {}, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT },
  {
    kind: 'role-session',
    account: ACCOUNT,
    tags: {},
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`,
    userId: 'AROAR:s',
    roleArn: `arn:aws:iam::${ACCOUNT}:role/r`,
    roleId: 'AROAR',
    roleName: 'r',
    sessionName: 's',
    serviceLinked: false,
  },
)

const none = new Context()

/** By the engine's own patterns; a variable whose value is not known may be anything. */
export function holds({ within, except }: Extent, resource: string): boolean {
  const matches = (text: string) =>
    compileResource(text.replaceAll(/\$\{[a-z][^}]*\}/gi, '*'), '2012-10-17')(resource, none) === true
  return within.every(matches) && !except.some(matches)
}
