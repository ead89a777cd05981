/** Access Analyzer through the front door: findings by page, and the three checks that a pipeline calls. */
import {
  AccessAnalyzerClient,
  CheckAccessNotGrantedCommand,
  CheckNoNewAccessCommand,
  CheckNoPublicAccessCommand,
  ValidatePolicyCommand,
  type ValidatePolicyFinding,
} from '@aws-sdk/client-accessanalyzer'
import {
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'

const IDENTITY = 'IDENTITY_POLICY' as const
const of = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string | string[], Resource: string | string[] = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
})
const analyzer = async () => (await cloud()).client(AccessAnalyzerClient)

describe('ValidatePolicy', () => {
  test('reports what is wrong, dangerous or said twice, with the place', async () => {
    const { findings } = await (await analyzer()).send(
      new ValidatePolicyCommand({
        policyType: IDENTITY,
        policyDocument: of(allow('iam:PassRole'), allow(['s3:Get*', 's3:GetObject', 's3:Gone'])),
      }),
    )

    expect(findings?.map(({ findingType, issueCode }) => `${findingType} ${issueCode}`)).toEqual([
      'SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE',
      'SUGGESTION REDUNDANT_ACTION',
      'ERROR INVALID_ACTION',
    ])
    expect(findings?.[2]?.locations?.[0]?.path).toEqual([
      { value: 'Statement' },
      { index: 1 },
      { value: 'Action' },
      { index: 2 },
    ])
  })

  test('pages through many findings, each once', async () => {
    const client = await analyzer()
    const names = Array.from({ length: 25 }, (_, n) => `s3:Nothing${n}`)
    const request = { policyType: IDENTITY, policyDocument: of(allow(names)), maxResults: 10 }
    const told: ValidatePolicyFinding[] = []
    let nextToken: string | undefined
    do {
      const page = await client.send(new ValidatePolicyCommand({ ...request, ...(nextToken && { nextToken }) }))
      told.push(...page.findings!)
      nextToken = page.nextToken
    } while (nextToken)

    expect(new Set(told.map(({ findingDetails }) => findingDetails)).size).toBe(25)
    await expect(client.send(new ValidatePolicyCommand({ ...request, nextToken: 'made up' }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  test('knows what kind of policy it looks at', async () => {
    const client = await analyzer()
    const trust = of({ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' })
    const ask = (more: object) =>
      client.send(new ValidatePolicyCommand({ policyType: 'RESOURCE_POLICY', policyDocument: trust, ...more }))

    expect((await ask({ validatePolicyResourceType: 'AWS::IAM::AssumeRolePolicyDocument' })).findings).toEqual([])
    expect((await ask({})).findings).toMatchObject([{ issueCode: 'MISSING_RESOURCE' }])
  })

  test('warns of a condition key that no request has, and names what a policy is on', async () => {
    const client = await analyzer()
    const Condition = { StringEquals: { 'aws:SourceVpce': 'vpce-11223344' } }
    const policyDocument = of({ ...allow('kms:Decrypt', '*', { Condition }), Principal: { AWS: '111122223333' } })
    const { findings } = await client.send(
      new ValidatePolicyCommand({
        policyType: 'RESOURCE_POLICY',
        validatePolicyResourceType: 'AWS::S3::Bucket',
        policyDocument,
      }),
    )
    expect(findings?.map(({ issueCode }) => issueCode)).toEqual(
      expect.arrayContaining(['CONDITION_KEY_NOT_SUPPLIED', 'UNSUPPORTED_ACTION_IN_POLICY']),
    )
  })

  test('refuses what is too complex', async () => {
    const policyDocument = of(allow(Array.from({ length: 8_000 }, (_, n) => `ec2:*${n}`)))
    const request = new ValidatePolicyCommand({ policyType: IDENTITY, policyDocument })
    await expect((await analyzer()).send(request)).rejects.toMatchObject({ name: 'ValidationException' })
  })

  test('is for callers with the permission', async () => {
    const it = await cloud()
    const iam = it.client(IAMClient)
    await iam.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const ann = it.client(AccessAnalyzerClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })
    const ask = () =>
      ann.send(new ValidatePolicyCommand({ policyType: IDENTITY, policyDocument: of(allow('s3:GetObject')) }))

    await expect(ask()).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await it.permit('ann', allowing({ Action: 'access-analyzer:ValidatePolicy', Resource: '*' }))
    expect((await ask()).findings).toEqual([])
  })
})

describe('CheckNoNewAccess', () => {
  const ask = async (before: string, after: string) =>
    (await analyzer()).send(
      new CheckNoNewAccessCommand({ policyType: IDENTITY, existingPolicyDocument: before, newPolicyDocument: after }),
    )
  const reads = of(allow('s3:GetObject', 'arn:aws:s3:::b/*'))

  test.each([
    ['the same', reads],
    ['less', of(allow('s3:GetObject', 'arn:aws:s3:::b/a'))],
    [
      'the same under a condition',
      of(allow('s3:GetObject', 'arn:aws:s3:::b/*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } })),
    ],
    ['a Deny more', of(allow('s3:GetObject', 'arn:aws:s3:::b/*'), { Effect: 'Deny', Action: '*', Resource: '*' })],
  ])('passes what grants %s', async (_, after) => {
    expect(await ask(reads, after)).toMatchObject({ result: 'PASS', reasons: [] })
  })

  test.each([
    ['another action', of(allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::b/*')), 's3:PutObject'],
    ['another resource', of(allow('s3:GetObject', ['arn:aws:s3:::b/*', 'arn:aws:s3:::c/*'])), 's3:GetObject'],
    ['an action no table knows', of(allow('s3:GetObject', 'arn:aws:s3:::b/*'), allow('future:Act')), 'future:Act'],
  ])('fails %s, and says through which statement', async (_, after, action) => {
    const { result, reasons } = await ask(reads, after)

    expect(result).toBe('FAIL')
    expect(reasons?.[0]).toMatchObject({
      description: expect.stringContaining(action),
      statementIndex: expect.any(Number),
    })
  })
})

describe('CheckAccessNotGranted', () => {
  const policyDocument = of(allow('s3:Get*', 'arn:aws:s3:::b/*'), {
    Effect: 'Deny',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::b/secret/*',
  })
  const ask = async (access: { actions?: string[]; resources?: string[] }[]) =>
    (await (await analyzer()).send(new CheckAccessNotGrantedCommand({ policyType: IDENTITY, policyDocument, access })))
      .result

  test.each([
    ['an action it has not', [{ actions: ['s3:PutObject'] }]],
    ['a resource it has not', [{ resources: ['arn:aws:s3:::c/*'] }]],
    ['what a Deny takes back', [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/secret/a'] }]],
    ['a family it has not', [{ actions: ['s3:Delete*', 'iam:*'] }]],
  ])('passes %s', async (_, access) => {
    expect(await ask(access)).toBe('PASS')
  })

  test.each([
    ['an action', [{ actions: ['s3:GetObject'] }]],
    ['a resource within a pattern', [{ resources: ['arn:aws:s3:::b/a'] }]],
    ['both', [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/*'] }]],
    ['one of several, in other letters', [{ actions: ['s3:PutObject', 'S3:getobject'] }]],
  ])('fails %s', async (_, access) => {
    expect(await ask(access)).toBe('FAIL')
  })

  test('refuses empty requests, and policies that are none', async () => {
    await expect(ask([{}])).rejects.toMatchObject({ name: 'InvalidParameterException' })
    const broken = new CheckAccessNotGrantedCommand({
      policyType: IDENTITY,
      policyDocument: '{',
      access: [{ actions: ['s3:*'] }],
    })
    await expect((await analyzer()).send(broken)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining('line 1'),
    })
  })
})

describe('CheckNoPublicAccess', () => {
  const ask = async (Principal: unknown, Condition?: object) => {
    const statement = { ...allow('s3:GetObject', 'arn:aws:s3:::b/*'), Principal, ...(Condition && { Condition }) }
    const command = new CheckNoPublicAccessCommand({ policyDocument: of(statement), resourceType: 'AWS::S3::Bucket' })
    return (await (await analyzer()).send(command)).result
  }

  test.each([
    ['an account', { AWS: '111122223333' }, undefined],
    ['all of one organization', '*', { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } }],
  ])('passes %s', async (_, principal, condition) => {
    expect(await ask(principal, condition)).toBe('PASS')
  })

  test.each([
    ['everybody', '*', undefined],
    ['all principals, the long way', { AWS: '*' }, undefined],
    ['all principals with any organization', '*', { StringLike: { 'aws:PrincipalOrgID': '*' } }],
    ['all but one organization', '*', { StringNotEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } }],
    ['all principals, if they use TLS', '*', { Bool: { 'aws:SecureTransport': 'true' } }],
  ])('fails %s', async (_, principal, condition) => {
    expect(await ask(principal, condition)).toBe('FAIL')
  })
})

test('Policies that are too complex to compare are refused', async () => {
  const entangled = (count: number, shift: number) =>
    of(
      ...Array.from({ length: count }, (_, i) => {
        const letter = (n: number) => String.fromCharCode(97 + ((i + n) % 26))
        return allow(`*:*${letter(shift)}*`, `arn:aws:s3:::*${letter(0)}*${letter(3)}*`)
      }),
    )
  const client = await analyzer()
  const existingPolicyDocument = entangled(14, 0)
  const newPolicyDocument = entangled(8, 5)
  await expect(
    client.send(new CheckNoNewAccessCommand({ policyType: IDENTITY, existingPolicyDocument, newPolicyDocument })),
  ).rejects.toMatchObject({ name: 'UnprocessableEntityException' })
})

describe('ValidatePolicy with the account of the caller', () => {
  const own = (resource: string) => `arn:aws:iam::${ACCOUNT}:${resource}`
  const session = (role: string) => `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/s`
  const ISSUER = 'idp.example.com/tenant'
  const trusting = (Federated: string, operator: string, aud: string | string[]) => ({
    Effect: 'Allow',
    Action: 'sts:AssumeRoleWithWebIdentity',
    Principal: { Federated },
    Condition: { [operator]: { [`${ISSUER}:aud`]: aud } },
  })

  async function furnished() {
    const test = await cloud()
    const iam = test.client(IAMClient)
    const trust = { AssumeRolePolicyDocument: allowing({ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } }) }
    await iam.send(new CreateRoleCommand({ RoleName: 'deploy', Path: '/ci/', ...trust }))
    await iam.send(new CreateUserCommand({ UserName: 'ann' }))
    await iam.send(new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: of(allow('s3:GetObject')) }))
    await iam.send(new CreateOpenIDConnectProviderCommand({ Url: `https://${ISSUER}`, ClientIDList: ['app', 'cli-1'] }))
    await test.account(OTHER_ACCOUNT)
    const found = async (type: 'identity' | 'resource' | 'trust', statement: object, keys = test.root) => {
      const { findings } = await test.client(AccessAnalyzerClient, keys).send(
        new ValidatePolicyCommand({
          policyType: type === 'identity' ? IDENTITY : 'RESOURCE_POLICY',
          policyDocument: of(statement),
          maxResults: 1000,
          ...(type === 'trust' && { validatePolicyResourceType: 'AWS::IAM::AssumeRolePolicyDocument' as const }),
        }),
      )
      const about = /_NOT_(FOUND|REGISTERED)$/
      return findings!
        .filter(({ issueCode }) => about.test(issueCode!))
        .map(({ findingType, issueCode, locations }) => {
          const last = locations![0]!.path!.at(-1)!
          return `${findingType} ${issueCode} ${'index' in last ? last.index : 'one'}`
        })
    }
    return { ...test, found }
  }

  test('names users, roles, sessions, providers and policies that do not exist, and none that do', async () => {
    const { found } = await furnished()
    const AWS = [
      own('role/ci/deploy'),
      own('role/deploy'),
      own('user/ann'),
      own('user/bob'),
      session('deploy'),
      session('gone'),
      own('root'),
      ACCOUNT,
    ]
    const missing = 'WARNING PRINCIPAL_NOT_FOUND'

    expect(await found('resource', { ...allow('s3:GetObject', 'arn:aws:s3:::b/*'), Principal: { AWS } })).toEqual([
      `${missing} 1`,
      `${missing} 3`,
      `${missing} 5`,
    ])
    const passed = allow('iam:PassRole', [
      own('role/ci/deploy'),
      own('role/gone'),
      own('role/*'),
      own('role/${aws:username}'),
    ])
    expect(await found('identity', passed)).toEqual(['WARNING ROLE_NOT_FOUND 1'])
    expect(await found('identity', allow('iam:CreateRole', own('role/gone')))).toEqual([])
    const bounded = (policy: string) =>
      allow('iam:CreateUser', '*', { Condition: { ArnEquals: { 'iam:PermissionsBoundary': own(policy) } } })
    expect(await found('identity', bounded('policy/bound'))).toEqual([])
    expect(await found('identity', bounded('policy/unbound'))).toEqual(['WARNING POLICY_NOT_FOUND one'])
    const guarded = {
      ...allow('*'),
      Effect: 'Deny',
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': own('role/gone') } },
    }
    expect(await found('identity', guarded)).toEqual(['WARNING PRINCIPAL_NOT_FOUND one'])
  })

  test('names audiences that are not registered with the provider, and providers that do not exist', async () => {
    const { found } = await furnished()
    const provider = own(`oidc-provider/${ISSUER}`)

    expect(await found('trust', trusting(provider, 'StringEquals', ['app', 'other']))).toEqual([
      'WARNING AUDIENCE_NOT_REGISTERED 1',
    ])
    expect(await found('trust', trusting(provider, 'StringLike', ['cli-*', 'web-*']))).toEqual([
      'WARNING AUDIENCE_NOT_REGISTERED 1',
    ])
    expect(await found('trust', trusting(provider, 'StringNotEquals', 'other'))).toEqual([])
    expect(await found('trust', trusting(own('oidc-provider/gone.example.com'), 'StringEquals', 'app'))).toEqual([
      'WARNING IDENTITY_PROVIDER_NOT_FOUND one',
    ])
  })

  test('says nothing about another account, nor to a caller that may not list what exists', async () => {
    const { found, user } = await furnished()
    const statement = (Principal: object) => ({ ...allow('s3:GetObject', 'arn:aws:s3:::b/*'), Principal })
    const validates = 'access-analyzer:ValidatePolicy'
    const blind = await user('blind', of(allow(validates)))
    const listing = await user('listing', of(allow([validates, 'iam:ListRoles', 'iam:ListOpenIDConnectProviders'])))
    const AWS = [own('role/gone'), own('user/gone')]
    const provider = own(`oidc-provider/${ISSUER}`)

    expect(await found('resource', statement({ AWS: `arn:aws:iam::${OTHER_ACCOUNT}:role/gone` }))).toEqual([])
    expect(await found('resource', statement({ AWS }), blind)).toEqual([])
    expect(await found('resource', statement({ AWS }), listing)).toEqual(['WARNING PRINCIPAL_NOT_FOUND 0'])
    expect(await found('trust', trusting(provider, 'StringEquals', 'other'), listing)).toEqual([])
  })

  test('looks up a bounded number of names', async () => {
    const { found } = await furnished()
    const AWS = Array.from({ length: 500 }, (_, n) => own(`role/gone-${n}`))

    expect(await found('resource', { ...allow('s3:GetObject', 'arn:aws:s3:::b/*'), Principal: { AWS } })).toHaveLength(
      200,
    )
  })
})
