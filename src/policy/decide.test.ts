/** Which side must allow, by the principal that the resource policy names; and the sentence of a denial. */
import { describe, expect, test } from 'vitest'
import {
  type CompiledPolicy,
  Context,
  compilePolicy,
  compileSet,
  contextKeysOf,
  decide,
  denialMessage,
  explain,
  type Layers,
  type PolicyKind,
  type Principal,
  parsePolicy,
  type Request,
} from './index.ts'

const ACCOUNT = '111111111111'
const identified = { account: ACCOUNT, tags: {} }
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const USER = `arn:aws:iam::${ACCOUNT}:user/u`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`
const FEDERATED = `arn:aws:sts::${ACCOUNT}:federated-user/f`
const LAMBDA = 'lambda.amazonaws.com'

const who = {
  root: { kind: 'root', ...identified, arn: ROOT, userId: ACCOUNT },
  user: { kind: 'user', ...identified, arn: USER, userId: 'AIDAU', name: 'u' },
  session: {
    kind: 'role-session',
    ...identified,
    arn: SESSION,
    userId: 'AROAR:s',
    roleArn: ROLE,
    roleId: 'AROAR',
    roleName: 'r',
    sessionName: 's',
    serviceLinked: false,
  },
  federated: {
    kind: 'federated-user',
    ...identified,
    arn: FEDERATED,
    userId: `${ACCOUNT}:f`,
    name: 'f',
    issuerArn: USER,
    issuerId: 'AIDAU',
  },
  service: { kind: 'service', name: LAMBDA },
  anonymous: { kind: 'anonymous' },
} as const satisfies Record<string, Principal>

function policy(kind: PolicyKind, statement: object, arn?: string): CompiledPolicy {
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: '*', Resource: '*', ...statement },
  })
  return compilePolicy(parsePolicy(text, kind), { id: kind, kind, ...(arn && { arn }) })
}
const allow = (kind: PolicyKind) => policy(kind, {})
const deny = (kind: PolicyKind, arn?: string) => policy(kind, { Effect: 'Deny' }, arn)
const nothing = (kind: PolicyKind) => policy(kind, { Action: 'unused:*' })
const forPrincipal = (principal: unknown, effect = 'Allow') =>
  policy('resource', { Principal: principal, Effect: effect })

function ask(principal: Principal, change: Partial<Request> = {}): Request {
  return {
    principal,
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::b/k',
    resourceAccount: ACCOUNT,
    context: new Context(),
    ...change,
  }
}
const layers = (change: Partial<Layers>): Layers => ({ identity: [], resourceMode: 'optional', ...change })
const allows = (principal: Principal, change: Partial<Layers>, request: Partial<Request> = {}) =>
  decide(ask(principal, request), layers(change)).allowed

test('without any policy everyone but root is refused', () => {
  const allowed = Object.entries(who).filter(([, principal]) => allows(principal, {}))

  expect(allowed.map(([name]) => name)).toEqual(['root'])
})

describe('within the account, what a resource policy alone can do', () => {
  const narrow = { boundary: nothing('boundary'), session: [nothing('session')] }
  const cases: readonly [keyof typeof who, unknown, alone: boolean, despiteLimits: boolean][] = [
    // caller      named               alone  despite boundary and session policy
    ['user', '*', true, true],
    ['user', { AWS: USER }, true, true],
    ['user', { AWS: 'AIDAEXAMPLEEXAMPLE123' }, false, false],
    ['user', { AWS: ACCOUNT }, false, false],
    ['user', { AWS: ROOT }, false, false],
    ['user', { AWS: ROLE }, false, false],
    ['session', { AWS: SESSION }, true, true],
    ['session', { AWS: ROLE }, true, false],
    ['session', { AWS: ROOT }, false, false],
    ['session', { AWS: [SESSION, ROLE, ACCOUNT] }, true, true],
    ['session', { AWS: [ACCOUNT, ROLE] }, true, false],
    ['session', '*', true, true],
    ['federated', { AWS: FEDERATED }, true, true],
    ['federated', { AWS: USER }, false, false],
    ['federated', { AWS: ACCOUNT }, false, false],
    ['service', { Service: LAMBDA }, true, true],
    ['service', { Service: 'ec2.amazonaws.com' }, false, false],
    ['service', '*', true, true],
    ['service', { AWS: ACCOUNT }, false, false],
    ['anonymous', '*', true, true],
    ['anonymous', { AWS: '*' }, true, true],
    ['anonymous', { AWS: ACCOUNT }, false, false],
  ]
  test.each(cases)('%s, named as %j: %s alone, %s despite its limits', (name, principal, alone, despiteLimits) => {
    const resource = forPrincipal(principal)

    expect(allows(who[name], { resource })).toBe(alone)
    expect(allows(who[name], { resource, ...narrow })).toBe(despiteLimits)
  })

  test.each(Object.keys(who) as (keyof typeof who)[])('a Deny for everyone binds %s', (name) => {
    const resource = forPrincipal('*', 'Deny')

    expect(decide(ask(who[name]), layers({ identity: [allow('identity')], resource }))).toMatchObject({
      allowed: false,
      explicit: true,
      layer: 'resource',
    })
  })

  test('a Deny for the account binds all of it, root included', () => {
    const resource = forPrincipal({ AWS: ACCOUNT }, 'Deny')
    const bound = Object.values(who).filter((each) => decide(ask(each), layers({ resource })).explicit)

    expect(bound.map((each) => each.kind)).toEqual(['root', 'user', 'role-session', 'federated-user'])
  })
})

describe('between accounts both sides must allow', () => {
  const elsewhere = { resourceAccount: '222222222222' }
  test.each(['root', 'user', 'session', 'federated'] as const)('%s', (name) => {
    const identity = [allow('identity')]
    const resource = forPrincipal({ AWS: ACCOUNT })
    const session = name === 'federated' ? [allow('session')] : undefined

    expect(allows(who[name], { identity, resource, session }, elsewhere)).toBe(true)
    expect(allows(who[name], { identity }, elsewhere)).toBe(false)
    expect(allows(who[name], { resource }, elsewhere)).toBe(name === 'root')
  })

  test.each(['*', { AWS: SESSION }, { AWS: ROLE }, { AWS: ACCOUNT }])(
    'naming %j does not replace the identity policies',
    (named) => {
      expect(allows(who.session, { resource: forPrincipal(named) }, elsewhere)).toBe(false)
      expect(allows(who.session, { resource: forPrincipal(named), identity: [allow('identity')] }, elsewhere)).toBe(
        true,
      )
    },
  )

  test('the limits of the caller count even if it is named itself', () => {
    const identity = [allow('identity')]
    const resource = forPrincipal({ AWS: SESSION })

    expect(allows(who.session, { identity, resource }, elsewhere)).toBe(true)
    expect(allows(who.session, { identity, resource, boundary: nothing('boundary') }, elsewhere)).toBe(false)
    expect(allows(who.session, { identity, resource, session: [nothing('session')] }, elsewhere)).toBe(false)
  })
})

describe('where the resource policy is the root of authority', () => {
  const required = (resource?: CompiledPolicy) => ({
    identity: [allow('identity')],
    resourceMode: 'required' as const,
    ...(resource && { resource }),
  })
  test('identity policies alone do not suffice, not even for root', () => {
    expect(allows(who.user, required())).toBe(false)
    expect(allows(who.user, required(forPrincipal({ AWS: ROLE })))).toBe(false)
    expect(allows(who.root, required(forPrincipal({ AWS: ROLE })))).toBe(false)
  })
  test('naming the account leaves the choice to its identity policies', () => {
    const resource = forPrincipal({ AWS: ACCOUNT })

    expect(allows(who.user, required(resource))).toBe(true)
    expect(allows(who.user, { ...required(resource), identity: [] })).toBe(false)
  })
  test('a trust policy names the layer that refused', () => {
    const trust = compilePolicy(
      parsePolicy(
        '{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"222222222222"}}}',
        'trust',
      ),
      { id: 'trust', kind: 'trust' },
    )

    expect(decide(ask(who.user, { action: 'sts:AssumeRole' }), layers(required(trust)))).toMatchObject({
      layer: 'trust',
    })
  })
  test('an unsigned federated caller is known by its provider alone', () => {
    const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/idp.example.com`
    const resource = forPrincipal({ Federated: provider })
    const from = (issuer: string) => ({ context: new Context({ 'aws:FederatedProvider': issuer }) })

    expect(allows(who.anonymous, required(resource), from(provider))).toBe(true)
    expect(allows(who.anonymous, required(resource), from('other'))).toBe(false)
    expect(allows(who.anonymous, required(resource))).toBe(false)
  })
})

describe('limits', () => {
  const identity = [allow('identity')]
  test('every level of SCPs must allow, for root too; an empty level allows nothing', () => {
    const scp = [allow('scp')]

    expect(allows(who.user, { identity, scps: [scp, scp] })).toBe(true)
    expect(allows(who.user, { identity, scps: [scp, []] })).toBe(false)
    expect(allows(who.root, { scps: [scp, [nothing('scp')]] })).toBe(false)
  })
  test('neither SCPs nor RCPs bind a service-linked role', () => {
    const linked = { ...who.session, serviceLinked: true }
    const rcp = policy('rcp', { Effect: 'Deny', Principal: '*' })

    expect(allows(linked, { identity, scps: [[deny('scp')]], rcps: [[rcp]] })).toBe(true)
    expect(allows(who.session, { identity, rcps: [[rcp]] })).toBe(false)
  })
  test('an RCP binds other accounts and services; levels without one deny nothing', () => {
    const resource = forPrincipal('*')
    const rcp = policy('rcp', { Effect: 'Deny', Principal: '*' })

    expect(allows(who.anonymous, { resource, rcps: [[], []] })).toBe(true)
    expect(allows(who.anonymous, { resource, rcps: [[], [rcp]] })).toBe(false)
    expect(allows(who.service, { resource, rcps: [[rcp]] })).toBe(false)
  })
  test('one of several session policies must allow; none at all allows nothing', () => {
    expect(allows(who.session, { identity, session: [nothing('session'), allow('session')] })).toBe(true)
    expect(allows(who.session, { identity, session: [] })).toBe(false)
    expect(allows(who.federated, { identity, session: [], resource: forPrincipal({ AWS: FEDERATED }) })).toBe(true)
  })
  test('a federated user without session policies has the permissions of resource policies alone', () => {
    const issuedByRoot = { ...who.federated, issuerArn: `arn:aws:iam::${ACCOUNT}:root` } as Principal
    for (const principal of [who.federated, issuedByRoot]) {
      expect(allows(principal, { identity, session: [allow('session')] })).toBe(true)
      expect(allows(principal, { identity })).toBe(false)
      expect(allows(principal, { identity, resource: forPrincipal({ AWS: ACCOUNT }) })).toBe(false)
      expect(allows(principal, { identity, resource: forPrincipal({ AWS: FEDERATED }) })).toBe(true)
      expect(explain(ask(principal), layers({ identity })).layers).toContainEqual({
        layer: 'session',
        outcome: 'implicitDeny',
        statements: [],
      })
    }
  })
  test('an endpoint policy must allow', () => {
    const endpoint = (statement: object) => policy('endpoint', { Principal: '*', ...statement })

    expect(allows(who.user, { identity, endpoint: endpoint({}) })).toBe(true)
    expect(allows(who.user, { identity, endpoint: endpoint({ Action: 'kms:*' }) })).toBe(false)
  })
  test('a boundary binds users and roles, and not root', () => {
    expect(allows(who.user, { identity, boundary: nothing('boundary') })).toBe(false)
    expect(allows(who.root, { boundary: nothing('boundary') })).toBe(true)
  })
})

describe('NotPrincipal', () => {
  const but = (effect: string, ...AWS: string[]) => policy('resource', { Effect: effect, NotPrincipal: { AWS } })
  const identity = [allow('identity')]
  test('a Deny spares whom it lists in full: account, role and session', () => {
    expect(allows(who.user, { identity, resource: but('Deny', USER) })).toBe(false)
    expect(allows(who.user, { identity, resource: but('Deny', ROOT, USER) })).toBe(true)
    expect(allows(who.session, { identity, resource: but('Deny', ROOT, ROLE) })).toBe(false)
    expect(allows(who.session, { identity, resource: but('Deny', ROOT, ROLE, SESSION) })).toBe(true)
  })
  test('an Allow matches no principal with a listed value', () => {
    expect(allows(who.session, { resource: but('Allow', ROLE) })).toBe(false)
    expect(allows(who.session, { resource: but('Allow', ROOT) })).toBe(false)
    expect(allows(who.session, { resource: but('Allow', USER) })).toBe(true)
  })
})

test('GetCallerIdentity needs no permission', () => {
  const request = { action: 'STS:getcalleridentity' }

  expect(allows(who.user, { identity: [deny('identity')] }, request)).toBe(true)
  expect(allows(who.anonymous, {}, request)).toBe(false)
})

test('a failure of the engine is a denial that carries the error', () => {
  const context = new Context({
    'x:broken': () => {
      throw new Error('no answer')
    },
  })
  const identity = [policy('identity', { Condition: { StringEquals: { 'x:broken': 'a' } } }), allow('identity')]

  const denied = { allowed: false, error: new Error('no answer') }
  expect(decide(ask(who.user, { context }), layers({ identity: [identity[0]!] }))).toMatchObject(denied)
  expect(explain(ask(who.user, { context }), layers({ identity: [identity[0]!] }))).toMatchObject(denied)
})

test('a set compiled once decides as its list does', () => {
  const list = [nothing('identity'), allow('identity')]

  expect(allows(who.user, { identity: compileSet(list) })).toBe(true)
  expect(allows(who.user, { identity: compileSet([]) })).toBe(false)
})

describe('a denial says', () => {
  const ARN = `arn:aws:iam::${ACCOUNT}:policy/p`
  const start = `User: ${USER} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k`
  const identity = [allow('identity')]
  const cases: readonly [Partial<Layers>, string][] = [
    [{}, 'because no identity-based policy allows the s3:GetObject action'],
    [{ identity, boundary: nothing('boundary') }, 'because no permissions boundary allows the s3:GetObject action'],
    [{ identity, session: [] }, 'because no session policy allows the s3:GetObject action'],
    [{ identity, scps: [[]] }, 'because no service control policy allows the s3:GetObject action'],
    [{ identity, resourceMode: 'required' }, 'because no resource-based policy allows the s3:GetObject action'],
    [{ identity: [deny('identity')] }, 'with an explicit deny in an identity-based policy'],
    [{ identity: [deny('identity', ARN)] }, `with an explicit deny in an identity-based policy: ${ARN}`],
    [{ identity, boundary: deny('boundary', ARN) }, `with an explicit deny in a permissions boundary: ${ARN}`],
    [{ identity, session: [deny('session', ARN)] }, `with an explicit deny in a session policy: ${ARN}`],
    [{ identity, scps: [[deny('scp', ARN)]] }, `with an explicit deny in a service control policy: ${ARN}`],
    [{ identity, resource: forPrincipal('*', 'Deny') }, 'with an explicit deny in a resource-based policy'],
    [
      { identity, resource: policy('resource', { Principal: '*', Effect: 'Deny' }, ARN) },
      'with an explicit deny in a resource-based policy',
    ],
    [{ identity: [deny('identity')], scps: [[deny('scp')]] }, 'with an explicit deny in a service control policy'],
  ]
  test.each(cases)('%#: %j', (change, reason) => {
    const request = ask(who.user)

    expect(denialMessage(request, decide(request, layers(change)))).toBe(`${start} ${reason}`)
  })

  test('nothing of the reason to a caller outside the organization', () => {
    const request = ask(who.user)

    expect(denialMessage(request, decide(request, layers({})), { sameOrganization: false })).toBe(start)
  })

  test('no resource when there is none', () => {
    const request = ask(who.user, { resource: '*', action: 'iam:ListUsers' })

    expect(denialMessage(request, decide(request, layers({})))).toBe(
      `User: ${USER} is not authorized to perform: iam:ListUsers because no identity-based policy allows the iam:ListUsers action`,
    )
  })
})

describe('an explanation', () => {
  test('names every statement that matched, layer by layer', () => {
    const identity = [allow('identity'), policy('identity', { Sid: 'No', Effect: 'Deny', Action: 's3:*' })]

    const { statements, layers: told } = explain(ask(who.user), layers({ identity, boundary: nothing('boundary') }))

    expect(statements.map(({ sid, effect }) => [sid, effect])).toEqual([
      ['No', 'Deny'],
      [undefined, 'Allow'],
    ])
    expect(told.map(({ layer, outcome }) => [layer, outcome])).toEqual([
      ['identity', 'explicitDeny'],
      ['boundary', 'implicitDeny'],
    ])
  })

  test('names the keys that were missing, only of statements that otherwise match', () => {
    const identity = [
      policy('identity', {
        Condition: {
          StringEquals: { 'aws:PrincipalTag/Team': '${aws:username}' },
          Bool: { 'aws:SecureTransport': 'true' },
        },
      }),
      policy('identity', { Action: 'ec2:*', Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
    ]
    const context = new Context({ 'aws:securetransport': 'true' })

    expect(explain(ask(who.user, { context }), layers({ identity })).missing).toEqual([
      'aws:PrincipalTag/Team',
      'aws:username',
    ])
  })
})

test('a policy lists the keys it tests, as written, each once', () => {
  const asking = policy('identity', {
    Resource: ['arn:aws:s3:::b/${aws:username}', "arn:aws:s3:::b/${aws:PrincipalTag/team, 'x'}/${*}"],
    Condition: { StringLike: { 's3:Prefix': ['${AWS:UserName}/*'] }, Bool: { 'aws:SecureTransport': '${not:this}' } },
  })

  expect(contextKeysOf(asking)).toEqual(['s3:Prefix', 'AWS:UserName', 'aws:SecureTransport', 'aws:PrincipalTag/team'])
})

describe('a grant beside the resource policy', () => {
  const key = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/k`
  const ask = (principal: Principal, resourceAccount = ACCOUNT): Request => ({
    principal,
    action: 'kms:Decrypt',
    resource: key,
    resourceAccount,
    context: new Context(),
  })
  const grantTo = (grantee: string) =>
    policy('resource', { Principal: { AWS: grantee }, Action: 'kms:Decrypt' }).statements
  const required = { identity: [], resourceMode: 'required' } as const

  test('suffices for whom it names, without any policy, from any account', () => {
    const layers: Layers = { ...required, grants: grantTo(USER) }
    expect(decide(ask(who.user), layers)).toMatchObject({ allowed: true, layer: 'resource' })
    expect(decide(ask(who.user, '222222222222'), layers).allowed).toBe(true)
    expect(decide(ask(who.session), layers).allowed).toBe(false)
  })
  test('reaches only the actions it names', () => {
    const layers: Layers = { ...required, grants: grantTo(USER) }
    expect(decide({ ...ask(who.user), action: 'kms:Encrypt' }, layers).allowed).toBe(false)
  })
  test('to a role serves its sessions, within their session policies', () => {
    const layers: Layers = { ...required, grants: grantTo(ROLE) }
    expect(decide(ask(who.session), layers).allowed).toBe(true)
    expect(decide(ask(who.session), { ...layers, session: [] })).toMatchObject({ allowed: false, layer: 'session' })
  })
  test('stays within boundaries and SCPs, and yields to any explicit deny', () => {
    const layers: Layers = { ...required, grants: grantTo(USER) }
    const elsewhere = { Action: 's3:*' }
    expect(decide(ask(who.user), { ...layers, boundary: policy('boundary', elsewhere) })).toMatchObject({
      allowed: false,
      layer: 'boundary',
    })
    expect(decide(ask(who.user), { ...layers, scps: [[policy('scp', elsewhere)]] }).allowed).toBe(false)
    const denies = policy('resource', { Effect: 'Deny', Principal: '*' })
    expect(decide(ask(who.user), { ...layers, resource: denies })).toMatchObject({ allowed: false, explicit: true })
  })
  test('to an account lets the account decide which of its principals', () => {
    const layers: Layers = { ...required, grants: grantTo(ROOT) }
    expect(decide(ask(who.user), layers)).toMatchObject({ allowed: false, layer: 'identity' })
    expect(decide(ask(who.user), { ...layers, identity: [policy('identity', {})] }).allowed).toBe(true)
    expect(decide(ask(who.root), layers).allowed).toBe(true)
  })
})
