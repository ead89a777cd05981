/** The simulator: decisions, what decided them, what was missing, on both sides of an account's border. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { account, type Desk, desk } from '../desk.fixture.ts'
import { group, user } from '../resources.ts'
import {
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
  simulateCustomPolicy,
  simulatePrincipalPolicy,
} from './simulation.ts'

const document = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string, Resource = '*', more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more })
const deny = (Action: string, Resource = '*', more: object = {}) => ({ Effect: 'Deny', Action, Resource, ...more })

// Managed policies are another file's; here there are two.
vi.mock('../policies/policies.ts', () => ({
  findManagedPolicy: async (_reader: unknown, arn: string) => managed[arn],
}))
const managed: Readonly<Record<string, { arn: string; name: string; text: string }>> = Object.fromEntries(
  [
    ['arn:aws:iam::aws:policy/Read', document(allow('s3:Get*'))],
    [`arn:aws:iam::111122223333:policy/bound`, document(allow('s3:*'))],
  ].map(([arn = '', text = '']) => [arn, { arn, name: arn.split('/')[1]!, text }]),
)

interface Result {
  readonly EvalActionName: string
  readonly EvalResourceName: string
  readonly EvalDecision: string
  readonly MatchedStatements: readonly { SourcePolicyId: string; SourcePolicyType: string }[]
  readonly MissingContextValues: readonly string[]
  readonly PermissionsBoundaryDecisionDetail?: object
  readonly EvalDecisionDetails?: object
  readonly ResourceSpecificResults: readonly { EvalResourceName: string; EvalResourceDecision: string }[]
}

let it: Desk
beforeEach(async () => {
  it = await desk()
})
const custom = async (policies: readonly string[], ActionNames: readonly string[], more: object = {}) =>
  (
    await it.run<{ EvaluationResults: Result[] }>(simulateCustomPolicy, {
      PolicyInputList: policies,
      ActionNames,
      ...more,
    })
  ).EvaluationResults
const principal = async (ActionNames: readonly string[], more: object = {}) =>
  (
    await it.run<{ EvaluationResults: Result[] }>(simulatePrincipalPolicy, {
      PolicySourceArn: `arn:aws:iam::${account}:user/ana`,
      ActionNames,
      ...more,
    })
  ).EvaluationResults
const decisions = (results: readonly Result[]) => results.map((result) => result.EvalDecision)

describe('policies in the request', () => {
  test('allow, deny, or say nothing', async () => {
    const results = await custom(
      [document(allow('s3:*'), deny('s3:DeleteObject'))],
      ['s3:GetObject', 's3:DeleteObject', 'ec2:RunInstances'],
    )

    expect(decisions(results)).toEqual(['allowed', 'explicitDeny', 'implicitDeny'])
  })

  test('name the statement that decided, by its place in the text; a denying one alone', async () => {
    const text =
      '{"Version":"2012-10-17","Statement":[\n{"Effect":"Allow","Action":"*","Resource":"*"},\n{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'

    const [result] = await custom([document(allow('s3:*')), text], ['s3:GetObject'])

    expect(result?.MatchedStatements).toMatchObject([
      { SourcePolicyId: 'PolicyInputList.2', StartPosition: { Line: 3 }, EndPosition: { Line: 3 } },
    ])
  })

  test('are evaluated for each action on each resource, in that order', async () => {
    const ResourceArns = ['arn:aws:s3:::b/x', 'arn:aws:s3:::a/x']

    const results = await custom([document(allow('s3:*', 'arn:aws:s3:::a/*'))], ['s3:PutObject', 's3:GetObject'], {
      ResourceArns,
    })

    expect(results.map((each) => [each.EvalActionName, each.EvalResourceName, each.EvalDecision])).toEqual([
      ['s3:PutObject', 'arn:aws:s3:::b/x', 'implicitDeny'],
      ['s3:PutObject', 'arn:aws:s3:::a/x', 'allowed'],
      ['s3:GetObject', 'arn:aws:s3:::b/x', 'implicitDeny'],
      ['s3:GetObject', 'arn:aws:s3:::a/x', 'allowed'],
    ])
    expect(results[1]?.ResourceSpecificResults).toMatchObject([
      { EvalResourceName: 'arn:aws:s3:::a/x', EvalResourceDecision: 'allowed' },
    ])
  })

  test('report which context they lack, and use what the request has', async () => {
    const policy = document(allow('s3:*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }))
    const entry = { ContextKeyName: 'aws:SourceIp', ContextKeyValues: ['10.1.2.3'], ContextKeyType: 'ip' }

    const [without] = await custom([policy], ['s3:GetObject'])
    const [given] = await custom([policy], ['s3:GetObject'], { ContextEntries: [entry] })

    expect(without).toMatchObject({ EvalDecision: 'implicitDeny', MissingContextValues: ['aws:SourceIp'] })
    expect(given).toMatchObject({ EvalDecision: 'allowed', MissingContextValues: [] })
  })

  test('are bounded, and the boundary is answered for', async () => {
    const PermissionsBoundaryPolicyInputList = [document(allow('s3:*'))]

    const results = await custom([document(allow('*'))], ['s3:GetObject', 'ec2:RunInstances'], {
      PermissionsBoundaryPolicyInputList,
    })

    expect(results).toMatchObject([
      { EvalDecision: 'allowed', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: true } },
      { EvalDecision: 'implicitDeny', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } },
    ])
  })

  test('of two accounts must both allow', async () => {
    const caller = `arn:aws:iam::${account}:user/ana`
    const ask = (ResourcePolicy: string) =>
      custom([document(allow('s3:*'))], ['s3:GetObject'], {
        ResourcePolicy,
        CallerArn: caller,
        ResourceOwner: 'arn:aws:iam::999988887777:root',
        ResourceArns: ['arn:aws:s3:::theirs/x'],
      })
    const grant = (AWS: string) => document({ ...allow('s3:GetObject', 'arn:aws:s3:::theirs/*'), Principal: { AWS } })

    expect(await ask(grant(caller))).toMatchObject([
      { EvalDecision: 'allowed', EvalDecisionDetails: { 'IAM Policy': 'allowed', 'Resource Policy': 'allowed' } },
    ])
    expect(await ask(grant('arn:aws:iam::111122223333:user/bob'))).toMatchObject([
      {
        EvalDecision: 'implicitDeny',
        EvalDecisionDetails: { 'IAM Policy': 'allowed', 'Resource Policy': 'implicitDeny' },
      },
    ])
  })

  test.each([
    ['a policy that is none', { PolicyInputList: ['{'] }],
    ['an action without its service', { ActionNames: ['GetObject'] }],
    ['a resource that is no ARN', { ResourceArns: ['x'] }],
    ['a resource policy without a caller', { ResourcePolicy: document({ ...allow('*'), Principal: '*' }) }],
    ['a caller that is a role', { CallerArn: `arn:aws:iam::${account}:role/r` }],
    ['an owner that is no account', { ResourceOwner: 'me' }],
  ])('%s is refused', async (_what, change) => {
    const asked = it.run(simulateCustomPolicy, {
      PolicyInputList: [document(allow('*'))],
      ActionNames: ['s3:GetObject'],
      ...change,
    })

    await expect(asked).rejects.toMatchObject({ code: 'InvalidInputException' })
  })

  test('come in pages', async () => {
    const input = { PolicyInputList: [document(allow('*'))], ActionNames: ['a:A', 'b:B', 'c:C'], MaxItems: 2 }
    type Page = { EvaluationResults: Result[]; IsTruncated: boolean; Marker?: string }

    const first = await it.run<Page>(simulateCustomPolicy, input)
    const second = await it.run<Page>(simulateCustomPolicy, { ...input, Marker: first.Marker })

    expect([first, second].map((page) => page.EvaluationResults.map((each) => each.EvalActionName))).toEqual([
      ['a:A', 'b:B'],
      ['c:C'],
    ])
    expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false])
  })
})

describe("a user's policies", () => {
  beforeEach(async () => {
    const ana = await it.addUser('ana')
    await it.within(async (call) => {
      const denials = document(deny('s3:GetObject', 'arn:aws:s3:::secret/*'))
      group.put(call.unit, call, {
        name: 'devs',
        path: '/',
        id: 'AGPA',
        createdAt: 0,
        attached: [],
        inline: { denials },
      })
      user.put(call.unit, call, {
        ...ana,
        groups: ['devs'],
        tags: { team: 'sec' },
        attached: ['arn:aws:iam::aws:policy/Read'],
        inline: { self: document(allow('iam:ChangePassword', 'arn:aws:iam::*:user/${aws:username}')) },
        boundary: `arn:aws:iam::${account}:policy/bound`,
      })
    })
  })

  test('come from what is attached, inline, its groups, and its boundary', async () => {
    const open = await principal(['s3:GetObject', 's3:PutObject'], { ResourceArns: ['arn:aws:s3:::open/x'] })
    const secret = await principal(['s3:GetObject'], { ResourceArns: ['arn:aws:s3:::secret/x'] })
    const own = await principal(['iam:ChangePassword'], { ResourceArns: [`arn:aws:iam::${account}:user/ana`] })

    expect(open).toMatchObject([
      { EvalDecision: 'allowed', MatchedStatements: [{ SourcePolicyId: 'Read', SourcePolicyType: 'IAM Policy' }] },
      { EvalDecision: 'implicitDeny', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: true } },
    ])
    expect(secret).toMatchObject([
      {
        EvalDecision: 'explicitDeny',
        MatchedStatements: [{ SourcePolicyId: 'group_devs_denials', SourcePolicyType: 'IAM Policy' }],
      },
    ])
    expect(own).toMatchObject([
      { EvalDecision: 'implicitDeny', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } },
    ])
  })

  test('know the user: its name, and its tags', async () => {
    const more = {
      PermissionsBoundaryPolicyInputList: [document(allow('*'))],
      PolicyInputList: [
        document(allow('ec2:*', '*', { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'sec' } } })),
      ],
      ResourceArns: [`arn:aws:iam::${account}:user/ana`],
    }

    expect(decisions(await principal(['iam:ChangePassword', 'ec2:RunInstances'], more))).toEqual(['allowed', 'allowed'])
    const bob = { ...more, ResourceArns: [`arn:aws:iam::${account}:user/bob`] }
    expect(decisions(await principal(['iam:ChangePassword'], bob))).toEqual(['implicitDeny'])
  })

  test.each([
    ['nobody', `arn:aws:iam::${account}:user/nobody`, 'NoSuchEntityException'],
    ['a path that is not its own', `arn:aws:iam::${account}:user/other/ana`, 'NoSuchEntityException'],
    ['another account', 'arn:aws:iam::999988887777:user/ana', 'NoSuchEntityException'],
    ['root', `arn:aws:iam::${account}:root`, 'InvalidInputException'],
    ['another service', `arn:aws:s3:::user/ana`, 'InvalidInputException'],
  ])('of %s cannot be simulated', async (_who, PolicySourceArn, code) => {
    await expect(principal(['s3:GetObject'], { PolicySourceArn })).rejects.toMatchObject({ code })
  })

  test('of too much at once are refused, and say what to do', async () => {
    const names = Array.from({ length: 101 }, (_, n) => `s3:Get${n}`)
    const arns = names.map((name) => `arn:aws:s3:::b/${name}`)
    await expect(principal(names, { ResourceArns: arns })).rejects.toMatchObject({ code: 'InvalidInputException' })

    const large = document({ ...allow('*'), Action: Array.from({ length: 8_000 }, (_, n) => `ec2:*${n}`) })
    const PolicyInputList = [large, large, large]
    await expect(principal(names, { PolicyInputList })).rejects.toMatchObject({
      code: 'InvalidInputException',
      message: expect.stringContaining('Use MaxItems'),
    })
    expect(decisions(await principal(['s3:GetObject'], { PolicyInputList, MaxItems: 1 }))).toHaveLength(1)
  })

  test('name the context they use, once', async () => {
    const input = {
      PolicySourceArn: `arn:aws:iam::${account}:user/ana`,
      PolicyInputList: [
        document(allow('*', '*', { Condition: { Bool: { 'AWS:username': 'true', 'aws:SecureTransport': 'true' } } })),
      ],
    }

    const { ContextKeyNames: names } = await it.run<{ ContextKeyNames: string[] }>(
      getContextKeysForPrincipalPolicy,
      input,
    )
    expect(names.map((name) => name.toLowerCase())).toEqual(['aws:securetransport', 'aws:username'])
    expect(await it.run(getContextKeysForCustomPolicy, input)).toEqual({
      ContextKeyNames: ['aws:SecureTransport', 'AWS:username'],
    })
  })
})
