/** Every change binds from the next call on: what is granted, bounded, taken away, renamed and deleted. */
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  ListAttachedUserPoliciesCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys } from '../../../test/cloud.ts'

const arn = (path: string) => `arn:aws:iam::${ACCOUNT}:${path}`
const listing = allowing({ Action: 'iam:ListUsers', Resource: '*' })
const everything = allowing({ Action: '*', Resource: '*' })
const denying = (Action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action, Resource: '*' }] })

async function account() {
  const it = await cloud()
  const root = it.client(IAMClient)
  const user = async (UserName: string, policy?: string): Promise<Keys> => {
    await root.send(new CreateUserCommand({ UserName }))
    if (policy) await it.permit(UserName, policy)
    const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  }
  /** What `ListUsers` says to someone. */
  const lists = (keys: Keys) =>
    it
      .client(IAMClient, keys)
      .send(new ListUsersCommand({}))
      .then(
        () => 'allowed',
        (error: Error) => error.message.replace(/^.*iam:ListUsers on resource: \S+ /, ''),
      )
  return { ...it, root, user, lists }
}

const IMPLICIT = 'because no identity-based policy allows the iam:ListUsers action'

describe('What is granted and taken away', () => {
  test('an inline policy', async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann')

    expect(await lists(ann)).toBe(IMPLICIT)
    await root.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'p', PolicyDocument: listing }))
    expect(await lists(ann)).toBe('allowed')
    await root.send(new DeleteUserPolicyCommand({ UserName: 'ann', PolicyName: 'p' }))
    expect(await lists(ann)).toBe(IMPLICIT)
  })

  test('a managed policy, whose default version counts', async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann')
    const PolicyArn = arn('policy/people/look')
    await root.send(new CreatePolicyCommand({ PolicyName: 'look', Path: '/people/', PolicyDocument: listing }))

    await root.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn }))
    expect(await lists(ann)).toBe('allowed')

    const PolicyDocument = denying('iam:ListUsers')
    await root.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }))
    expect(await lists(ann)).toBe('allowed')
    await root.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
    expect(await lists(ann)).toBe(`with an explicit deny in an identity-based policy: ${PolicyArn}`)

    await root.send(new DetachUserPolicyCommand({ UserName: 'ann', PolicyArn }))
    expect(await lists(ann)).toBe(IMPLICIT)
  })

  test("a policy of AWS's own", async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann')

    await root.send(
      new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' }),
    )

    expect(await lists(ann)).toBe('allowed')
  })

  test('membership of a group, and what the group may', async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann')
    await root.send(new CreateGroupCommand({ GroupName: 'auditors' }))
    await root.send(new AddUserToGroupCommand({ GroupName: 'auditors', UserName: 'ann' }))

    expect(await lists(ann)).toBe(IMPLICIT)
    await root.send(new PutGroupPolicyCommand({ GroupName: 'auditors', PolicyName: 'p', PolicyDocument: listing }))
    expect(await lists(ann)).toBe('allowed')
    await root.send(new RemoveUserFromGroupCommand({ GroupName: 'auditors', UserName: 'ann' }))
    expect(await lists(ann)).toBe(IMPLICIT)
  })

  test('a boundary narrows what policies grant, and grants nothing', async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann', everything)
    const bound = { UserName: 'ann', PermissionsBoundary: arn('policy/bound') }
    await root.send(
      new CreatePolicyCommand({
        PolicyName: 'bound',
        PolicyDocument: allowing({ Action: 's3:*', Resource: '*' }),
      }),
    )

    await root.send(new PutUserPermissionsBoundaryCommand(bound))
    expect(await lists(ann)).toBe('because no permissions boundary allows the iam:ListUsers action')
    await root.send(
      new CreatePolicyVersionCommand({ PolicyArn: arn('policy/bound'), PolicyDocument: listing, SetAsDefault: true }),
    )
    expect(await lists(ann)).toBe('allowed')
    await root.send(new DeleteUserPolicyCommand({ UserName: 'ann', PolicyName: 'permitted' }))
    expect(await lists(ann)).toBe(IMPLICIT)
    await root.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'ann' }))
    expect(await lists(ann)).toBe(IMPLICIT)
  })

  test('a key that is deactivated, active again, and deleted', async () => {
    const { root, user, lists } = await account()
    const ann = await user('ann', everything)
    const key = { UserName: 'ann', AccessKeyId: ann.accessKeyId }
    const invalid = 'The security token included in the request is invalid.'

    await root.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }))
    expect(await lists(ann)).toBe(invalid)
    await root.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }))
    expect(await lists(ann)).toBe('allowed')
    await root.send(new DeleteAccessKeyCommand(key))
    expect(await lists(ann)).toBe(invalid)
  })

  test('a user may be renamed: keys and policies stay, the name in the trail is the new one', async () => {
    const { root, user, lists, client } = await account()
    const ann = await user('ann', everything)

    await root.send(new UpdateUserCommand({ UserName: 'ann', NewUserName: 'Anna', NewPath: '/staff/' }))

    expect(await lists(ann)).toBe('allowed')
    expect((await client(STSClient, ann).send(new GetCallerIdentityCommand({}))).Arn).toBe(arn('user/staff/Anna'))
  })
})

describe('Conditions that IAM itself sets', () => {
  const attach = (client: IAMClient, PolicyArn: string) =>
    client.send(new AttachUserPolicyCommand({ UserName: 'target', PolicyArn }))

  test('iam:PolicyARN decides which policy may be attached', async () => {
    const { client, user } = await account()
    await user('target')
    const Condition = { ArnEquals: { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/ReadOnlyAccess' } }
    const ann = client(
      IAMClient,
      await user('ann', allowing({ Action: 'iam:AttachUserPolicy', Resource: '*', Condition })),
    )

    await attach(ann, 'arn:aws:iam::aws:policy/ReadOnlyAccess')

    await expect(attach(ann, 'arn:aws:iam::aws:policy/AdministratorAccess')).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test('iam:PermissionsBoundary decides whom one may create', async () => {
    const { client, user, root } = await account()
    await root.send(new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: listing }))
    const Condition = { StringEquals: { 'iam:PermissionsBoundary': arn('policy/bound') } }
    const ann = client(IAMClient, await user('ann', allowing({ Action: 'iam:CreateUser', Resource: '*', Condition })))

    await ann.send(new CreateUserCommand({ UserName: 'bounded', PermissionsBoundary: arn('policy/bound') }))

    await expect(ann.send(new CreateUserCommand({ UserName: 'free' }))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('tags of the request and of the resource decide per key', async () => {
    const { client, user, root } = await account()
    const policy = allowing(
      {
        // Tags on creation need the permission to tag, too.
        Action: ['iam:CreateUser', 'iam:TagUser'],
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:RequestTag/team': 'blue' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'size'] },
        },
      },
      {
        Action: ['iam:GetUser', 'iam:UntagUser', 'iam:TagUser'],
        Resource: '*',
        Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
      },
    )
    const keys = await user('ann', policy)
    const ann = client(IAMClient, keys)
    const create = (UserName: string, tags: Readonly<Record<string, string>>) =>
      ann.send(new CreateUserCommand({ UserName, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }))
    await root.send(new TagUserCommand({ UserName: 'ann', Tags: [{ Key: 'Team', Value: 'blue' }] }))

    await create('b1', { team: 'blue', size: 'xl' })
    for (const [name, tags] of [
      ['r', { team: 'red' }],
      ['n', {}],
      ['o', { team: 'blue', other: 'x' }],
    ] as const) {
      await expect(create(name, tags)).rejects.toMatchObject({ name: 'AccessDenied' })
    }
    expect((await ann.send(new GetUserCommand({ UserName: 'b1' }))).User?.Tags).toHaveLength(2)

    await root.send(new UntagUserCommand({ UserName: 'ann', TagKeys: ['TEAM'] }))
    await expect(ann.send(new GetUserCommand({ UserName: 'b1' }))).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})

describe('A trust policy', () => {
  const trusting = (principal: string) => allowing({ Principal: { AWS: principal }, Action: 'sts:AssumeRole' })
  const assume = (client: STSClient) =>
    client.send(new AssumeRoleCommand({ RoleArn: arn('role/r'), RoleSessionName: 'session' }))
  const trustOf = async (root: IAMClient) =>
    JSON.parse(
      decodeURIComponent((await root.send(new GetRoleCommand({ RoleName: 'r' }))).Role!.AssumeRolePolicyDocument!),
    ).Statement[0].Principal.AWS

  test('does not trust a later user with the name of the user it named, and shows the ID of the first one', async () => {
    const { root, user, client } = await account()
    const ann = await user('ann')
    const { User } = await root.send(new GetUserCommand({ UserName: 'ann' }))
    await root.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusting(arn('user/ann')) }))
    expect((await assume(client(STSClient, ann))).AssumedRoleUser?.Arn).toBe(
      `arn:aws:sts::${ACCOUNT}:assumed-role/r/session`,
    )

    await root.send(new DeleteAccessKeyCommand({ UserName: 'ann', AccessKeyId: ann.accessKeyId }))
    await root.send(new DeleteUserCommand({ UserName: 'ann' }))
    const namesake = await user('ann')

    await expect(assume(client(STSClient, namesake))).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(await trustOf(root)).toBe(User!.UserId)
  })

  test('follows the user it named to a new name', async () => {
    const { root, user, client } = await account()
    const ann = await user('ann')
    await root.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusting(arn('user/ann')) }))

    await root.send(new UpdateUserCommand({ UserName: 'ann', NewUserName: 'anna' }))

    expect((await assume(client(STSClient, ann))).Credentials).toBeDefined()
    expect(await trustOf(root)).toBe(arn('user/anna'))
  })

  test('of one account that trusts another needs both sides', async () => {
    const { root, client, account: another } = await account()
    const stranger = await another('444455556666')
    const abroad = client(IAMClient, stranger)
    await abroad.send(new CreateUserCommand({ UserName: 'eve' }))
    const { AccessKey } = await abroad.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
    const eve = client(STSClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })
    await root.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusting('444455556666') }))

    await expect(assume(eve)).rejects.toMatchObject({ name: 'AccessDenied' })
    const PolicyDocument = allowing({ Action: 'sts:AssumeRole', Resource: arn('role/r') })
    await abroad.send(new PutUserPolicyCommand({ UserName: 'eve', PolicyName: 'p', PolicyDocument }))
    expect((await assume(eve)).Credentials).toBeDefined()
  })
})

describe('Several callers at once', () => {
  test('one of many makes the user', async () => {
    const { root } = await account()

    const all = await Promise.allSettled(
      Array.from({ length: 10 }, () => root.send(new CreateUserCommand({ UserName: 'ann' }))),
    )

    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const codes = all.flatMap((each) => (each.status === 'rejected' ? [each.reason.name] : []))
    expect(new Set(codes)).toEqual(new Set(['EntityAlreadyExistsException']))
  })

  test('no attachment is lost', async () => {
    const { root, user } = await account()
    await user('ann')
    const names = ['ReadOnlyAccess', 'SecurityAudit', 'IAMReadOnlyAccess', 'AdministratorAccess', 'PowerUserAccess']
    const arns = names.map((name) => `arn:aws:iam::aws:policy/${name}`)

    await Promise.all(arns.map((PolicyArn) => root.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn }))))

    const { AttachedPolicies } = await root.send(new ListAttachedUserPoliciesCommand({ UserName: 'ann' }))
    expect(AttachedPolicies?.map(({ PolicyArn }) => PolicyArn).sort()).toEqual(arns.sort())
  })
})

describe('Lists', () => {
  test('come in pages, in order, whatever is made meanwhile', async () => {
    const { root } = await account()
    for (const name of ['c', 'A', 'e', 'b', 'd']) await root.send(new CreateUserCommand({ UserName: name }))

    const first = await root.send(new ListUsersCommand({ MaxItems: 2 }))
    await root.send(new CreateUserCommand({ UserName: 'aa' }))
    const second = await root.send(new ListUsersCommand({ MaxItems: 2, Marker: first.Marker }))
    const third = await root.send(new ListUsersCommand({ MaxItems: 2, Marker: second.Marker }))

    const names = [first, second, third].map(({ Users }) => Users!.map(({ UserName }) => UserName))
    expect(names).toEqual([['A', 'b'], ['c', 'd'], ['e']])
    expect([first.IsTruncated, second.IsTruncated, third.IsTruncated, third.Marker]).toEqual([
      true,
      true,
      false,
      undefined,
    ])
  })

  test('keep their markers to themselves: not for another query, another list or another caller', async () => {
    const { root, user, client } = await account()
    const ann = client(IAMClient, await user('ann', everything))
    for (const name of ['a', 'b', 'c']) await root.send(new CreateUserCommand({ UserName: name }))
    const { Marker } = await root.send(new ListUsersCommand({ MaxItems: 1 }))

    for (const asked of [
      root.send(new ListUsersCommand({ Marker, PathPrefix: '/x/' })),
      root.send(new ListAttachedUserPoliciesCommand({ Marker, UserName: 'ann' })),
      ann.send(new ListUsersCommand({ Marker })),
    ]) {
      await expect(asked).rejects.toMatchObject({ name: 'ValidationError', message: `Invalid Marker: ${Marker}` })
    }
  })
})

test('a key records when it was last used, and where', async () => {
  const { root, user, client, flush } = await account()
  const ann = await user('ann')
  const used = () => root.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: ann.accessKeyId }))

  expect(await used()).toMatchObject({ UserName: 'ann', AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } })
  await client(STSClient, ann, 'eu-west-1').send(new GetCallerIdentityCommand({}))
  await flush()

  const { AccessKeyLastUsed } = await used()
  expect(AccessKeyLastUsed).toMatchObject({ ServiceName: 'sts', Region: 'eu-west-1', LastUsedDate: expect.any(Date) })
})
