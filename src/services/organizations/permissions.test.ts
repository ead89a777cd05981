/** Permissions in an organization: operations are authorized on what they name, and members on what is delegated to them. */
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreatePolicyCommand,
  DeletePolicyCommand,
  DescribeOrganizationalUnitCommand,
  DescribePolicyCommand,
  DetachPolicyCommand,
  DisablePolicyTypeCommand,
  EnablePolicyTypeCommand,
  ListAccountsCommand,
  ListPoliciesCommand,
  MoveAccountCommand,
  OrganizationsClient,
  type PolicyType,
  PutResourcePolicyCommand,
  RemoveAccountFromOrganizationCommand,
  TagResourceCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { denying, organization } from './organization.fixture.ts'

const SCP = { 'organizations:PolicyType': 'SERVICE_CONTROL_POLICY' }
const BACKUP = JSON.stringify({ plans: { p: { regions: { '@@assign': ['eu-central-1'] } } } })

const newPolicy = (Type: PolicyType, Content = denying('s3:*'), tags: Readonly<Record<string, string>> = {}) =>
  new CreatePolicyCommand({
    Name: `of-${Type}`,
    Description: '',
    Type,
    Content,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  })

/** The denial that a caller without the permission receives. */
const denied = (action: string, resource: string) => ({
  name: 'AccessDeniedException',
  message: expect.stringContaining(`perform: organizations:${action} on resource: ${resource}`),
})

describe('A user of the management account', () => {
  test('makes policies of the type it is permitted, and of no other', async () => {
    const { user, client, id } = await organization()
    const statement = { Action: 'organizations:CreatePolicy', Resource: '*', Condition: { StringEquals: SCP } }
    const org = client(OrganizationsClient, await user('ann', [statement]))

    expect((await org.send(newPolicy('SERVICE_CONTROL_POLICY'))).Policy).toBeDefined()
    await expect(org.send(newPolicy('BACKUP_POLICY', BACKUP))).rejects.toMatchObject(
      denied('CreatePolicy', `arn:aws:organizations::${ACCOUNT}:policy/${id}/backup_policy/p-`),
    )
  })

  test('makes policies below the path of a type, whatever their ids', async () => {
    const { user, client } = await organization()
    const statement = {
      Action: 'organizations:CreatePolicy',
      Resource: `arn:aws:organizations::${ACCOUNT}:policy/o-*/service_control_policy/p-*`,
    }
    const org = client(OrganizationsClient, await user('ann', [statement]))

    expect((await org.send(newPolicy('SERVICE_CONTROL_POLICY'))).Policy).toBeDefined()
    await expect(org.send(newPolicy('BACKUP_POLICY', BACKUP))).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('changes, reads and deletes the policies it is permitted by tag', async () => {
    const { org, user, client } = await organization()
    const mine = (await org.send(newPolicy('SERVICE_CONTROL_POLICY', denying('s3:*'), { team: 'blue' }))).Policy!
    const other = (await org.send(newPolicy('TAG_POLICY', '{"tags":{}}'))).Policy!
    const statement = {
      Action: ['organizations:DescribePolicy', 'organizations:UpdatePolicy', 'organizations:DeletePolicy'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
    }
    const limited = client(OrganizationsClient, await user('ann', [statement]))
    const commands = (PolicyId: string) => [
      new DescribePolicyCommand({ PolicyId }),
      new UpdatePolicyCommand({ PolicyId, Description: 'new' }) as unknown as DescribePolicyCommand,
      new DeletePolicyCommand({ PolicyId }) as unknown as DescribePolicyCommand,
    ]

    for (const command of commands(other.PolicySummary!.Id!)) {
      await expect(limited.send(command)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
    for (const command of commands(mine.PolicySummary!.Id!)) expect(await limited.send(command)).toBeDefined()
  })

  test('attaches a policy only where it is permitted on the policy and on the target', async () => {
    const { unit, scp, user, client, id } = await organization()
    const [a, b] = [await unit('a'), await unit('b')]
    const policy = await scp('p', denying('s3:*'))
    const arnOf = (ou: string) => `arn:aws:organizations::${ACCOUNT}:ou/${id}/${ou}`
    const Action = 'organizations:AttachPolicy'
    const onBoth = client(OrganizationsClient, await user('both', [{ Action, Resource: [policy.Arn, arnOf(a)] }]))
    const onTarget = client(OrganizationsClient, await user('target', [{ Action, Resource: arnOf(a) }]))

    await expect(onTarget.send(new AttachPolicyCommand({ PolicyId: policy.Id!, TargetId: a }))).rejects.toMatchObject(
      denied('AttachPolicy', policy.Arn!),
    )
    await expect(onBoth.send(new AttachPolicyCommand({ PolicyId: policy.Id!, TargetId: b }))).rejects.toMatchObject(
      denied('AttachPolicy', arnOf(b)),
    )
    await onBoth.send(new AttachPolicyCommand({ PolicyId: policy.Id!, TargetId: a }))
  })

  test('moves an account only with permission on it, on where it is, and on where it goes', async () => {
    const { unit, member, user, client, id, root, org } = await organization()
    const [account, ou] = [await member('blue'), await unit('a')]
    const arn = (rest: string) => `arn:aws:organizations::${ACCOUNT}:${rest}`
    const needed = [arn(`account/${id}/${account}`), arn(`root/${id}/${root}`), arn(`ou/${id}/${ou}`)]
    const move = new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId: ou })

    for (const missing of needed) {
      const Resource = needed.filter((each) => each !== missing)
      const name = `without-${needed.indexOf(missing)}`
      const limited = client(OrganizationsClient, await user(name, [{ Action: 'organizations:MoveAccount', Resource }]))
      await expect(limited.send(move)).rejects.toMatchObject(denied('MoveAccount', missing))
    }
    await org.send(move)
  })

  test('gives tags to what it makes only with permission to tag it', async () => {
    const { user, client, root, id } = await organization()
    const Tags = [{ Key: 'team', Value: 'blue' }]
    const make = { Action: ['organizations:CreateOrganizationalUnit', 'organizations:CreateAccount'], Resource: '*' }
    const tag = {
      Action: 'organizations:TagResource',
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
    }
    const maker = client(OrganizationsClient, await user('maker', [make]))
    const tagger = client(OrganizationsClient, await user('tagger', [make, tag]))

    await maker.send(new CreateOrganizationalUnitCommand({ Name: 'plain', ParentId: root }))
    await expect(
      maker.send(new CreateOrganizationalUnitCommand({ Name: 'a', ParentId: root, Tags })),
    ).rejects.toMatchObject(denied('TagResource', `arn:aws:organizations::${ACCOUNT}:`))
    await expect(
      maker.send(new CreateAccountCommand({ AccountName: 'a', Email: 'a@example.com', Tags })),
    ).rejects.toMatchObject(denied('TagResource', `arn:aws:organizations::${ACCOUNT}:account/${id}/`))
    await tagger.send(new CreateOrganizationalUnitCommand({ Name: 'a', ParentId: root, Tags }))
    await expect(
      tagger.send(
        new CreateOrganizationalUnitCommand({ Name: 'b', ParentId: root, Tags: [{ Key: 'team', Value: 'red' }] }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('lists, enables and disables by type of policy', async () => {
    const { user, client, root } = await organization()
    const statement = {
      Action: ['organizations:ListPolicies', 'organizations:EnablePolicyType', 'organizations:DisablePolicyType'],
      Resource: '*',
      Condition: { StringEquals: { 'organizations:PolicyType': 'TAG_POLICY' } },
    }
    const limited = client(OrganizationsClient, await user('ann', [statement]))

    expect((await limited.send(new ListPoliciesCommand({ Filter: 'TAG_POLICY' }))).Policies).toEqual([])
    await limited.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'TAG_POLICY' }))
    await limited.send(new DisablePolicyTypeCommand({ RootId: root, PolicyType: 'TAG_POLICY' }))
    for (const command of [
      new ListPoliciesCommand({ Filter: 'SERVICE_CONTROL_POLICY' }),
      new DisablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }),
    ]) {
      await expect(limited.send(command as ListPoliciesCommand)).rejects.toMatchObject({
        name: 'AccessDeniedException',
      })
    }
  })

  test('does not learn whether a unit exists that it may not describe', async () => {
    const { unit, user, client, id } = await organization()
    const [a, b] = [await unit('a'), await unit('b')]
    const Resource = `arn:aws:organizations::${ACCOUNT}:ou/${id}/${a}`
    const keys = await user('ann', [{ Action: 'organizations:DescribeOrganizationalUnit', Resource }])
    const describes = (OrganizationalUnitId: string) =>
      client(OrganizationsClient, keys).send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId }))

    expect((await describes(a)).OrganizationalUnit?.Name).toBe('a')
    const gone = b.replace(/.{8}$/, '00000000')
    for (const ou of [b, gone]) {
      await expect(describes(ou)).rejects.toMatchObject(denied('DescribeOrganizationalUnit', `arn:`))
    }
  })
})

describe('A member', () => {
  /** A member that may do all its own policies can say, and what is delegated to it. */
  async function delegated(...statements: readonly object[]) {
    const world = await organization()
    const ops = await world.member('ops')
    const Principal = { AWS: `arn:aws:iam::${ops}:root` }
    const Content = allowing(...statements.map((statement) => ({ Principal, ...statement })))
    await world.org.send(new PutResourcePolicyCommand({ Content }))
    return { ...world, ops, member_: world.client(OrganizationsClient, await world.enter(ops)) }
  }

  test('works on the types of policies that are delegated to it, from making to deleting', async () => {
    const { member_, unit, org } = await delegated({
      Action: [
        'organizations:CreatePolicy',
        'organizations:DescribePolicy',
        'organizations:UpdatePolicy',
        'organizations:AttachPolicy',
        'organizations:DetachPolicy',
        'organizations:DeletePolicy',
      ],
      Resource: '*',
      Condition: { StringEquals: SCP },
    })
    const ou = await unit('a')
    const backup = (await org.send(newPolicy('BACKUP_POLICY', BACKUP))).Policy!.PolicySummary!

    const { Id: PolicyId } = (await member_.send(newPolicy('SERVICE_CONTROL_POLICY'))).Policy!.PolicySummary!
    await member_.send(new UpdatePolicyCommand({ PolicyId: PolicyId!, Description: 'changed' }))
    await member_.send(new AttachPolicyCommand({ PolicyId: PolicyId!, TargetId: ou }))
    await member_.send(new DetachPolicyCommand({ PolicyId: PolicyId!, TargetId: ou }))
    await member_.send(new DeletePolicyCommand({ PolicyId: PolicyId! }))

    await expect(member_.send(newPolicy('TAG_POLICY', '{"tags":{}}'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await expect(member_.send(new DescribePolicyCommand({ PolicyId: backup.Id! }))).rejects.toMatchObject(
      denied('DescribePolicy', backup.Arn!),
    )
  })

  test('attaches where the delegation policy names policy and target, and nowhere else', async () => {
    const world = await organization()
    const { org, unit, member, scp, client, enter, id } = world
    const [a, b, ops] = [await unit('a'), await unit('b'), await member('ops')]
    const [one, two] = [await scp('one', denying('s3:*')), await scp('two', denying('s3:*'))]
    const Content = allowing({
      Principal: { AWS: ops },
      Action: 'organizations:AttachPolicy',
      Resource: [one.Arn, `arn:aws:organizations::${ACCOUNT}:ou/${id}/${a}`],
    })
    await org.send(new PutResourcePolicyCommand({ Content }))
    const inside = client(OrganizationsClient, await enter(ops))
    const attach = (PolicyId: string, TargetId: string) => inside.send(new AttachPolicyCommand({ PolicyId, TargetId }))

    await expect(attach(two.Id!, a)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await expect(attach(one.Id!, b)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await attach(one.Id!, a)
  })

  test('needs its own policies beside the delegation', async () => {
    const { user, enter, ops, client, member_ } = await delegated({
      Action: 'organizations:ListAccounts',
      Resource: '*',
    })
    const nobody = client(OrganizationsClient, await user('ann', [{ Action: 's3:*', Resource: '*' }], await enter(ops)))

    expect((await member_.send(new ListAccountsCommand({}))).Accounts).toHaveLength(2)
    await expect(nobody.send(new ListAccountsCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('because no identity-based policy allows the organizations:ListAccounts action'),
    })
  })

  test('gets no more than can be delegated, whatever a wildcard seems to say', async () => {
    const { member_, member } = await delegated({ Action: 'organizations:*', Resource: '*' })
    const other = await member('other')

    for (const command of [
      new CreateAccountCommand({ AccountName: 'x', Email: 'x@example.com' }),
      new RemoveAccountFromOrganizationCommand({ AccountId: other }),
    ]) {
      await expect(member_.send(command as CreateAccountCommand)).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: "You don't have permissions to access this resource.",
      })
    }
  })

  test('loses what was delegated with the delegation, and is stopped by a Deny in it', async () => {
    const { member_, org, ops } = await delegated({ Action: 'organizations:ListAccounts', Resource: '*' })
    await member_.send(new ListAccountsCommand({}))

    const Statement = [
      { Effect: 'Allow', Principal: { AWS: ops }, Action: 'organizations:List*', Resource: '*' },
      { Effect: 'Deny', Principal: { AWS: ops }, Action: 'organizations:ListAccounts', Resource: '*' },
    ]
    await org.send(new PutResourcePolicyCommand({ Content: JSON.stringify({ Version: '2012-10-17', Statement }) }))

    await expect(member_.send(new ListAccountsCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    })
  })

  test('tags what the delegation lets it tag', async () => {
    const { member_, scp, root } = await delegated({
      Action: 'organizations:TagResource',
      Resource: `arn:aws:organizations::${ACCOUNT}:policy/*/service_control_policy/*`,
    })
    const policy = await scp('p', denying('s3:*'))
    const tag = (ResourceId: string) =>
      member_.send(new TagResourceCommand({ ResourceId, Tags: [{ Key: 'a', Value: 'b' }] }))

    await tag(policy.Id!)
    await expect(tag(root)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})
