/** Laws that hold for every policy and every request: the engine beside the naive one, and what a change may do. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CompiledPolicy,
  Context,
  compilePolicy,
  compileSet,
  decide,
  explain,
  type Layers,
  type PolicyKind,
  type Principal,
  type Request,
  readPolicy,
} from './index.ts'
import { naive } from './naive.ts'

const RUNS = { numRuns: 3000 }
const EVERYTHING = compilePolicy(
  readPolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'session'),
  { id: 'everything', kind: 'session' },
)
/** `npm run test:million` makes more than there is time for at every change. */
const DECISIONS = Number(process.env['MERLON_DECISIONS'] ?? 20_000)
const ACCOUNT = '111111111111'
const OTHER = '222222222222'

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const some = <T>(of: fc.Arbitrary<T>) => fc.oneof(of, fc.array(of, { minLength: 1, maxLength: 3 }))
const role = `arn:aws:iam::${ACCOUNT}:role/r`
const session = `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`
const user = `arn:aws:iam::${ACCOUNT}:user/u`

const ACTIONS = ['s3:GetObject', 's3:PutObject', 'kms:Decrypt', 'sts:AssumeRole', 'sts:GetCallerIdentity'] as const
const RESOURCES = [
  '*',
  'arn:aws:s3:::b/u',
  'arn:aws:s3:::b/*',
  'arn:aws:sqs:eu-west-1:111111111111:q:x',
  'arn:aws:kms:eu-west-1:222222222222:key/k',
] as const
const resource = pick(
  '*',
  'arn:aws:s3:::b/*',
  'arn:aws:s3:::b/${aws:username}',
  "arn:aws:s3:::?/${aws:PrincipalTag/team, 'u'}",
  'arn:aws:s3:::b/${*}',
  'arn:aws:sqs:*:111111111111:*',
  'arn:aws:sqs:e*t-1:1*:q*x',
  'arn:aws:sqs:eu-*:q:x',
  'arn:aws:kms',
  'arn:aws:${aws:username}:::b/u',
)
const operator = pick(
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringNotLike',
  'StringEqualsIfExists',
  'StringNotLikeIfExists',
  'ForAllValues:StringEquals',
  'ForAnyValue:StringLike',
  'ForAnyValue:StringNotEquals',
  'ForAllValues:StringNotLike',
  'NumericLessThan',
  'NumericNotEquals',
  'Bool',
  'Null',
  'IpAddress',
  'NotIpAddress',
  'ArnLike',
  'ArnNotLike',
  'Unheard',
)
const value = pick(
  'u',
  'U',
  '*',
  'x*',
  '${aws:username}',
  '10',
  'true',
  'false',
  '10.0.0.0/8',
  user,
  'arn:aws:iam::*:user/*',
)
const key = pick('aws:username', 'AWS:SourceIp', 'aws:TagKeys', 'aws:PrincipalTag/team', 'x:n')
const condition = fc.dictionary(operator, fc.dictionary(key, some(value), { minKeys: 1, maxKeys: 2 }), { maxKeys: 2 })
const principals = fc.oneof(
  fc.constant('*'),
  fc.record({ AWS: some(pick(ACCOUNT, OTHER, `arn:aws:iam::${ACCOUNT}:root`, user, role, session, 'AROAR')) }),
  fc.record({ Service: pick('lambda.amazonaws.com', 'ec2.amazonaws.com') }),
)
const action = pick('*', 's3:*', 'S3:get*', 's3:GetObject', 'kms:Decrypt', 'sts:*', '*:?e*')

function statement(withPrincipal: boolean) {
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

type Document = { Version?: string; Statement: readonly object[] }
function document(kind: PolicyKind): fc.Arbitrary<Document> {
  const statements = fc.array(statement(['resource', 'rcp', 'endpoint'].includes(kind)), { minLength: 1, maxLength: 3 })
  return fc
    .tuple(pick('2012-10-17', '2012-10-17', '2008-10-17'), statements)
    .map(([Version, Statement]) => ({ Version, Statement }))
}

function compiled(kind: PolicyKind, document: Document): CompiledPolicy {
  return compilePolicy(readPolicy(JSON.stringify(document), kind), { id: kind, kind })
}
const policy = (kind: PolicyKind) => document(kind).map((each) => compiled(kind, each))
const policies = (kind: PolicyKind) => fc.array(policy(kind), { maxLength: 3 })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 1 })

const identified = { account: ACCOUNT, tags: {} }
const USER: Principal = { kind: 'user', ...identified, arn: user, userId: 'AIDAU', name: 'u' }
const principal = pick<Principal>(
  { kind: 'root', ...identified, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT },
  USER,
  {
    kind: 'role-session',
    ...identified,
    arn: session,
    userId: 'AROAR:s',
    roleArn: role,
    roleId: 'AROAR',
    roleName: 'r',
    sessionName: 's',
    serviceLinked: false,
  },
  {
    kind: 'role-session',
    ...identified,
    arn: session,
    userId: 'AROAR:s',
    roleArn: role,
    roleId: 'AROAR',
    roleName: 'r',
    sessionName: 's',
    serviceLinked: true,
  },
  {
    kind: 'federated-user',
    ...identified,
    arn: `arn:aws:sts::${ACCOUNT}:federated-user/f`,
    userId: 'f',
    name: 'f',
    issuerArn: user,
    issuerId: 'AIDAU',
  },
  { kind: 'service', name: 'lambda.amazonaws.com' },
  { kind: 'anonymous' },
)
const contextValues = fc.dictionary(key, some(pick('u', 'x1', '*', '5', 'true', '10.1.2.3', 'not an address', user)), {
  maxKeys: 4,
})
const request: fc.Arbitrary<Request> = fc.record({
  principal,
  action: pick(...ACTIONS),
  resource: pick(...RESOURCES),
  resourceAccount: pick(ACCOUNT, ACCOUNT, OTHER),
  context: contextValues.map((values) => new Context(values)),
})
const layers: fc.Arbitrary<Layers> = fc
  .record({
    identity: policies('identity'),
    boundary: maybe(policy('boundary')),
    session: maybe(policies('session')),
    resource: maybe(policy('resource')),
    resourceMode: pick('optional', 'optional', 'required'),
    grants: maybe(policy('resource').map(({ statements }) => statements)),
    scps: maybe(fc.array(policies('scp'), { maxLength: 2 })),
    rcps: maybe(fc.array(policies('rcp'), { maxLength: 2 })),
    endpoint: maybe(policy('endpoint')),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as Layers)

const allowed = (request: Request, layers: Layers) => decide(request, layers).allowed
const reverse = (policies: Layers['identity']) => [...(policies as readonly CompiledPolicy[])].reverse()

/** A layer of policies as it may occur with the others, one policy more. */
const LISTS = ['identity', 'session'] as const

describe('the engine', () => {
  test('decides as the naive one does', { timeout: 900_000 }, () => {
    fc.assert(
      fc.property(request, layers, (request, layers) => {
        const { allowed, explicit } = decide(request, layers)

        expect(allowed ? 'allowed' : explicit ? 'explicitDeny' : 'implicitDeny').toBe(naive(request, layers))
      }),
      { numRuns: DECISIONS },
    )
  })

  test('finds among many statements what a walk over all of them finds', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 6 })
    const many = fc.array(
      fc.record({
        Effect: pick('Allow', 'Allow', 'Allow', 'Deny'),
        Action: pick('s3:*', 's3:Get*'),
        Resource: some(letters),
      }),
      { minLength: 10, maxLength: 60 },
    )
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 6 })
    const arn = (path: string) => `arn:aws:s3:::${path}`
    fc.assert(
      fc.property(many, path, (statements, path) => {
        const Statement = statements.map((each) => ({ ...each, Resource: [each.Resource].flat().map(arn) }))
        const layers: Layers = { identity: [compiled('identity', { Statement })], resourceMode: 'optional' }
        const request = {
          principal: USER,
          action: 's3:GetObject',
          resource: arn(path),
          resourceAccount: ACCOUNT,
          context: new Context(),
        }
        const { allowed, explicit } = decide(request, layers)

        expect(allowed ? 'allowed' : explicit ? 'explicitDeny' : 'implicitDeny').toBe(naive(request, layers))
      }),
      RUNS,
    )
  })

  test('explains what it decides', () => {
    fc.assert(
      fc.property(request, layers, (request, layers) => {
        const decision = decide(request, layers)
        const explanation = explain(request, layers)

        expect(explanation).toMatchObject({
          allowed: decision.allowed,
          explicit: decision.explicit,
          layer: decision.layer,
        })
        const free = decision.allowed && request.action === 'sts:GetCallerIdentity'
        if (!free) expect(explanation.layers.some((each) => each.outcome === 'explicitDeny')).toBe(decision.explicit)
      }),
      RUNS,
    )
  })

  test('allows and denies within one account, so that the other laws are not empty', () => {
    const seen = new Map<string, number>()
    for (const [request_, layers_] of fc.sample(fc.tuple(request, layers), { numRuns: 2000, seed: 1 })) {
      const verdict = naive(request_, layers_)
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
    }

    for (const verdict of ['allowed', 'explicitDeny', 'implicitDeny']) expect(seen.get(verdict)).toBeGreaterThan(100)
  })
})

describe('of two worlds that differ in one policy', () => {
  const denyOnly = (kind: PolicyKind) =>
    document(kind).map(({ Statement, ...rest }) =>
      compiled(kind, { ...rest, Statement: Statement.map((each) => ({ ...each, Effect: 'Deny' })) }),
    )
  const allowOnly = (kind: PolicyKind) =>
    document(kind).map(({ Statement, ...rest }) =>
      compiled(kind, { ...rest, Statement: Statement.map((each) => ({ ...each, Effect: 'Allow' })) }),
    )

  test('a Deny more never allows', () => {
    fc.assert(
      fc.property(request, layers, denyOnly('identity'), pick(...LISTS), (request, layers, more, at) => {
        const list = layers[at] as readonly CompiledPolicy[] | undefined
        if (!list) return
        const after = { ...layers, [at]: [...list, more] }

        expect(allowed(request, after) && !allowed(request, layers)).toBe(false)
      }),
      RUNS,
    )
  })

  test('an Allow more never denies', () => {
    fc.assert(
      fc.property(request, layers, allowOnly('identity'), pick(...LISTS), (request, layers, more, at) => {
        const list = layers[at] as readonly CompiledPolicy[] | undefined
        if (!list) return
        const after = { ...layers, [at]: [...list, more] }

        expect(allowed(request, layers) && !allowed(request, after)).toBe(false)
      }),
      RUNS,
    )
  })

  test('a boundary, a session policy, an SCP or an endpoint policy never allows more', () => {
    const limits = fc.oneof(
      policy('boundary').map((boundary) => ({ boundary })),
      policies('session').map((session) => ({ session })),
      policies('scp').map((level) => ({ scps: [level] })),
      policy('endpoint').map((endpoint) => ({ endpoint })),
    )
    fc.assert(
      fc.property(request, layers, limits, (request, layers, limit) => {
        const [name] = Object.keys(limit)
        const others = Object.fromEntries(Object.entries(layers).filter(([key]) => key !== name)) as unknown as Layers
        // Without session policies a federated user is allowed nothing: the least limit is one that allows everything.
        const isUnlimited = name !== 'session' || request.principal.kind !== 'federated-user'
        const without = isUnlimited ? others : { ...others, session: [EVERYTHING] }

        expect(allowed(request, { ...without, ...limit }) && !allowed(request, without)).toBe(false)
      }),
      RUNS,
    )
  })

  test('order and repetition change nothing', () => {
    fc.assert(
      fc.property(request, layers, (request, layers) => {
        const again = { ...layers, identity: compileSet([...reverse(layers.identity), ...reverse(layers.identity)]) }

        expect(decide(request, again)).toMatchObject({ allowed: allowed(request, layers) })
      }),
      RUNS,
    )
  })

  test('the case of actions, operators and keys changes nothing', () => {
    const shout = (Statement: readonly object[]) =>
      Statement.map((each) => {
        const { Condition = {}, Action, NotAction, ...rest } = each as Record<string, object>
        const upper = (value: unknown) => value && JSON.parse(JSON.stringify(value).toUpperCase())
        const loud = Object.entries(Condition).map(([operator, keys]) => [
          operator.toUpperCase(),
          Object.fromEntries(Object.entries(keys).map(([key, values]) => [key.toUpperCase(), values])),
        ])
        return {
          ...rest,
          ...(Action ? { Action: upper(Action) } : { NotAction: upper(NotAction) }),
          Condition: Object.fromEntries(loud),
        }
      })
    fc.assert(
      fc.property(request, document('identity'), (request, quiet) => {
        const layersOf = (document: Document): Layers => ({
          identity: [compiled('identity', document)],
          resourceMode: 'optional',
        })
        const loud = { ...request, action: request.action.toUpperCase() }

        expect(allowed(loud, layersOf({ ...quiet, Statement: shout(quiet.Statement) }))).toBe(
          allowed(request, layersOf(quiet)),
        )
      }),
      RUNS,
    )
  })

  test('an unknown operator never allows, and always denies', () => {
    fc.assert(
      fc.property(
        request,
        document('identity'),
        fc.stringMatching(/^[A-Za-z:]{1,20}Unheard$/),
        (request, quiet, operator) => {
          const Statement = quiet.Statement.map((each) => ({
            ...each,
            Condition: { [operator]: { 'aws:username': 'u' } },
          }))
          const one: Layers = { identity: [compiled('identity', { ...quiet, Statement })], resourceMode: 'optional' }
          const free = request.action === 'sts:GetCallerIdentity' || request.principal.kind === 'root'

          if (!free) expect(allowed(request, one)).toBe(false)
        },
      ),
      RUNS,
    )
  })
})
