/** What IAM refuses: the code and the sentence AWS gives, and nothing changed. A row a refusal. */
import {
  AddRoleToInstanceProfileCommand,
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteGroupCommand,
  DeleteInstanceProfileCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetGroupCommand,
  GetInstanceProfileCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  TagUserCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'

const arn = (path: string) => `arn:aws:iam::${ACCOUNT}:${path}`
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const any = allowing({ Action: 's3:GetObject', Resource: '*' })
const trust = allowing({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })
/** A policy document of exactly so many characters without white space. */
const sized = (length: number) => {
  const empty = allowing({ Sid: '', Action: 's3:GetObject', Resource: '*' })
  return empty.replace('"Sid":""', `"Sid":"${'a'.repeat(length - empty.length)}"`)
}

/** One of everything, each in use. */
async function furnished(quotas?: Readonly<Record<string, number>>) {
  const it = await cloud(quotas ? { quotas } : {})
  const iam = it.client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'Ann' }))
  await iam.send(new CreateGroupCommand({ GroupName: 'Readers' }))
  await iam.send(new AddUserToGroupCommand({ GroupName: 'Readers', UserName: 'Ann' }))
  await iam.send(new CreatePolicyCommand({ PolicyName: 'Look', PolicyDocument: any }))
  await iam.send(new AttachUserPolicyCommand({ UserName: 'Ann', PolicyArn: arn('policy/Look') }))
  await iam.send(new PutUserPolicyCommand({ UserName: 'Ann', PolicyName: 'own', PolicyDocument: any }))
  await iam.send(new CreateRoleCommand({ RoleName: 'Worker', AssumeRolePolicyDocument: trust }))
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'Machine' }))
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'Machine', RoleName: 'Worker' }))
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ecs.amazonaws.com' }))
  return iam
}

/** The account as an auditor sees it; what is refused must leave it so. */
async function picture(iam: IAMClient) {
  const { $metadata: _a, ...details } = await iam.send(new GetAccountAuthorizationDetailsCommand({}))
  const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}))
  return { details, SummaryMap }
}

type Row = readonly [
  what: string,
  // biome-ignore lint/suspicious/noExplicitAny: a row holds a command of any kind.
  command: any,
  code: string,
  message: string | RegExp,
  quotas?: Readonly<Record<string, number>>,
]

const missing: readonly Row[] = [
  [
    'a user',
    new GetUserCommand({ UserName: 'eve' }),
    'NoSuchEntityException',
    'The user with name eve cannot be found.',
  ],
  [
    'a group',
    new GetGroupCommand({ GroupName: 'g' }),
    'NoSuchEntityException',
    'The group with name g cannot be found.',
  ],
  ['a role', new GetRoleCommand({ RoleName: 'r' }), 'NoSuchEntityException', 'The role with name r cannot be found.'],
  [
    'a policy',
    new GetPolicyCommand({ PolicyArn: arn('policy/p') }),
    'NoSuchEntityException',
    `Policy ${arn('policy/p')} was not found.`,
  ],
  [
    'a policy by another path',
    new GetPolicyCommand({ PolicyArn: arn('policy/x/Look') }),
    'NoSuchEntityException',
    `Policy ${arn('policy/x/Look')} was not found.`,
  ],
  [
    'a policy version',
    new GetPolicyVersionCommand({ PolicyArn: arn('policy/Look'), VersionId: 'v9' }),
    'NoSuchEntityException',
    /version v9 does not exist/,
  ],
  [
    'an instance profile',
    new GetInstanceProfileCommand({ InstanceProfileName: 'i' }),
    'NoSuchEntityException',
    'Instance Profile i cannot be found.',
  ],
  [
    'an inline policy',
    new GetUserPolicyCommand({ UserName: 'Ann', PolicyName: 'none' }),
    'NoSuchEntityException',
    'The user policy with name none cannot be found.',
  ],
  [
    'a policy to attach',
    new AttachUserPolicyCommand({ UserName: 'Ann', PolicyArn: arn('policy/none') }),
    'NoSuchEntityException',
    `Policy ${arn('policy/none')} does not exist or is not attachable.`,
  ],
  [
    'a policy of another account',
    new AttachUserPolicyCommand({ UserName: 'Ann', PolicyArn: 'arn:aws:iam::999988887777:policy/Look' }),
    'NoSuchEntityException',
    /does not exist or is not attachable/,
  ],
  [
    'a policy for services',
    new AttachUserPolicyCommand({
      UserName: 'Ann',
      PolicyArn: 'arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy',
    }),
    'NoSuchEntityException',
    /does not exist or is not attachable/,
  ],
  [
    'an attachment',
    new DetachUserPolicyCommand({ UserName: 'Ann', PolicyArn: ADMINISTRATOR }),
    'NoSuchEntityException',
    `Policy ${ADMINISTRATOR} was not found.`,
  ],
  [
    'a boundary',
    new PutUserPermissionsBoundaryCommand({ UserName: 'Ann', PermissionsBoundary: arn('policy/none') }),
    'NoSuchEntityException',
    /none/,
  ],
  [
    'a membership',
    new RemoveUserFromGroupCommand({ GroupName: 'Readers', UserName: 'eve' }),
    'NoSuchEntityException',
    'The user with name eve cannot be found.',
  ],
]

const taken: readonly Row[] = [
  [
    'a user',
    new CreateUserCommand({ UserName: 'ANN' }),
    'EntityAlreadyExistsException',
    'User with name ANN already exists.',
  ],
  [
    'a group',
    new CreateGroupCommand({ GroupName: 'readers' }),
    'EntityAlreadyExistsException',
    'Group with name readers already exists.',
  ],
  [
    'a role',
    new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust }),
    'EntityAlreadyExistsException',
    'Role with name worker already exists.',
  ],
  [
    'a role, whatever its path',
    new CreateRoleCommand({ RoleName: 'Worker', Path: '/x/', AssumeRolePolicyDocument: trust }),
    'EntityAlreadyExistsException',
    'Role with name Worker already exists.',
  ],
  [
    'a policy',
    new CreatePolicyCommand({ PolicyName: 'look', PolicyDocument: any }),
    'EntityAlreadyExistsException',
    'A policy called look already exists. Duplicate names are not allowed.',
  ],
  [
    'an instance profile',
    new CreateInstanceProfileCommand({ InstanceProfileName: 'machine' }),
    'EntityAlreadyExistsException',
    'Instance Profile machine already exists.',
  ],
  [
    'a service-linked role',
    new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ecs.amazonaws.com' }),
    'InvalidInputException',
    /AWSServiceRoleForECS has been taken/,
  ],
]

const inUse: readonly Row[] = [
  [
    'a user with policies',
    new DeleteUserCommand({ UserName: 'Ann' }),
    'DeleteConflictException',
    'Cannot delete entity, must detach all policies first.',
  ],
  [
    'a group with users',
    new DeleteGroupCommand({ GroupName: 'Readers' }),
    'DeleteConflictException',
    'Cannot delete entity, must remove users from group first.',
  ],
  [
    'an attached policy',
    new DeletePolicyCommand({ PolicyArn: arn('policy/Look') }),
    'DeleteConflictException',
    'Cannot delete a policy attached to entities.',
  ],
  [
    'the default version',
    new DeletePolicyVersionCommand({ PolicyArn: arn('policy/Look'), VersionId: 'v1' }),
    'DeleteConflictException',
    'Cannot delete the default version of a policy.',
  ],
  [
    'a role in an instance profile',
    new DeleteRoleCommand({ RoleName: 'Worker' }),
    'DeleteConflictException',
    'Cannot delete entity, must remove roles from instance profile first.',
  ],
  [
    'an instance profile with a role',
    new DeleteInstanceProfileCommand({ InstanceProfileName: 'Machine' }),
    'DeleteConflictException',
    'Cannot delete entity, must remove roles from instance profile first.',
  ],
]

const LINKED = 'AWSServiceRoleForECS'
const protectedOnes: readonly Row[] = [
  [
    "a service's role is not deleted",
    new DeleteRoleCommand({ RoleName: LINKED }),
    'UnmodifiableEntityException',
    /protected role/,
  ],
  [
    "a service's role keeps its trust",
    new UpdateAssumeRolePolicyCommand({ RoleName: LINKED, PolicyDocument: trust }),
    'UnmodifiableEntityException',
    /protected role/,
  ],
  [
    "a service's role takes no policy",
    new PutRolePolicyCommand({ RoleName: LINKED, PolicyName: 'p', PolicyDocument: any }),
    'UnmodifiableEntityException',
    /protected role/,
  ],
  [
    "a service's role keeps its session length",
    new UpdateRoleCommand({ RoleName: LINKED, MaxSessionDuration: 7200 }),
    'UnmodifiableEntityException',
    /protected role/,
  ],
  ["AWS's policies are not deleted", new DeletePolicyCommand({ PolicyArn: ADMINISTRATOR }), 'AccessDenied', /./],
  [
    "AWS's policies get no versions",
    new CreatePolicyVersionCommand({ PolicyArn: ADMINISTRATOR, PolicyDocument: any }),
    'AccessDenied',
    /./,
  ],
  [
    "AWS's policies keep their version",
    new SetDefaultPolicyVersionCommand({ PolicyArn: ADMINISTRATOR, VersionId: 'v1' }),
    'AccessDenied',
    /./,
  ],
]

const bad = (PolicyDocument: string) => new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument })
const malformed: readonly Row[] = [
  ['no JSON', bad('{'), 'MalformedPolicyDocumentException', /Syntax error/i],
  ['no statement', bad('{"Version":"2012-10-17"}'), 'MalformedPolicyDocumentException', /./],
  ['an unknown version', bad(any.replace('2012-10-17', '2020-01-01')), 'MalformedPolicyDocumentException', /./],
  ['an unknown effect', bad(any.replace('Allow', 'allow')), 'MalformedPolicyDocumentException', /./],
  ['no action', bad(allowing({ Resource: '*' })), 'MalformedPolicyDocumentException', /./],
  ['no resource', bad(allowing({ Action: 's3:Get*' })), 'MalformedPolicyDocumentException', /./],
  [
    'a resource that is no ARN',
    bad(allowing({ Action: 's3:*', Resource: 'bucket' })),
    'MalformedPolicyDocumentException',
    'Resource bucket must be in ARN format or "*".',
  ],
  [
    'an action without a service',
    bad(allowing({ Action: 'GetObject', Resource: '*' })),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a principal',
    bad(allowing({ Action: 's3:*', Resource: '*', Principal: '*' })),
    'MalformedPolicyDocumentException',
    'Policy document should not specify a principal.',
  ],
  [
    'a Sid twice',
    bad(allowing({ Sid: 'a', Action: 's3:*', Resource: '*' }, { Sid: 'a', Action: 's3:*', Resource: '*' })),
    'MalformedPolicyDocumentException',
    /unique/,
  ],
  [
    'an unknown operator',
    bad(allowing({ Action: 's3:*', Resource: '*', Condition: { StringIs: { 'aws:username': 'a' } } })),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a key twice',
    bad('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}'),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a trust policy with a resource',
    new CreateRoleCommand({
      RoleName: 'r',
      AssumeRolePolicyDocument: allowing({ Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }),
    }),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a trust policy without a principal',
    new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: allowing({ Action: 'sts:AssumeRole' }) }),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a trust policy that names no principal',
    new CreateRoleCommand({
      RoleName: 'r',
      AssumeRolePolicyDocument: allowing({ Principal: { AWS: arn('user/eve') }, Action: 'sts:AssumeRole' }),
    }),
    'MalformedPolicyDocumentException',
    `Invalid principal in policy: "AWS":"${arn('user/eve')}"`,
  ],
  [
    'an inline policy',
    new PutUserPolicyCommand({ UserName: 'Ann', PolicyName: 'own', PolicyDocument: 'x' }),
    'MalformedPolicyDocumentException',
    /./,
  ],
  [
    'a new trust policy',
    new UpdateAssumeRolePolicyCommand({ RoleName: 'Worker', PolicyDocument: 'x' }),
    'MalformedPolicyDocumentException',
    /./,
  ],
]

const invalid: readonly Row[] = [
  ['a name with a space', new CreateUserCommand({ UserName: 'a b' }), 'ValidationError', /userName/],
  ['an empty name', new CreateUserCommand({ UserName: '' }), 'ValidationError', /userName/],
  ['a name of 65 characters', new CreateUserCommand({ UserName: 'a'.repeat(65) }), 'ValidationError', /userName/],
  [
    'a path that does not begin with a slash',
    new CreateUserCommand({ UserName: 'a', Path: 'x/' }),
    'ValidationError',
    /path/,
  ],
  ['a page of none', new ListUsersCommand({ MaxItems: 0 }), 'ValidationError', /maxItems/],
  ['a page of 1001', new ListUsersCommand({ MaxItems: 1001 }), 'ValidationError', /maxItems/],
  ['an unknown marker', new ListUsersCommand({ Marker: 'made-up' }), 'ValidationError', 'Invalid Marker: made-up'],
  [
    'a session of eleven minutes',
    new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust, MaxSessionDuration: 660 }),
    'ValidationError',
    /maxSessionDuration/,
  ],
  ['an empty document', bad(''), 'ValidationError', /policyDocument/],
  [
    'a tag key twice',
    new TagUserCommand({
      UserName: 'Ann',
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'A', Value: '2' },
      ],
    }),
    'InvalidInputException',
    /Duplicate tag keys found/,
  ],
  [
    "AWS's own tag keys",
    new TagUserCommand({ UserName: 'Ann', Tags: [{ Key: 'aws:x', Value: '1' }] }),
    /./.source,
    /./,
  ],
  [
    'a reserved path',
    new CreateRoleCommand({ RoleName: 'r', Path: '/aws-service-role/x/', AssumeRolePolicyDocument: trust }),
    'InvalidInputException',
    /reserved/,
  ],
  [
    'a service without such roles',
    new CreateServiceLinkedRoleCommand({ AWSServiceName: 'nobody.amazonaws.com' }),
    'InvalidInputException',
    /nobody/,
  ],
  [
    'a new name that is taken',
    new UpdateUserCommand({ UserName: 'Ann', NewUserName: 'a b' }),
    'ValidationError',
    /newUserName/,
  ],
]

const beyond: readonly Row[] = [
  [
    'users',
    new CreateUserCommand({ UserName: 'u2' }),
    'LimitExceededException',
    'Cannot exceed quota for UsersPerAccount: 1',
    { 'iam/UsersPerAccount': 1 },
  ],
  [
    'groups',
    new CreateGroupCommand({ GroupName: 'g2' }),
    'LimitExceededException',
    'Cannot exceed quota for GroupsPerAccount: 1',
    { 'iam/GroupsPerAccount': 1 },
  ],
  [
    'roles',
    new CreateRoleCommand({ RoleName: 'r3', AssumeRolePolicyDocument: trust }),
    'LimitExceededException',
    'Cannot exceed quota for RolesPerAccount: 2',
    { 'iam/RolesPerAccount': 2 },
  ],
  [
    'policies',
    new CreatePolicyCommand({ PolicyName: 'p2', PolicyDocument: any }),
    'LimitExceededException',
    'Cannot exceed quota for PoliciesPerAccount: 1',
    { 'iam/PoliciesPerAccount': 1 },
  ],
  [
    'attached policies',
    new AttachUserPolicyCommand({ UserName: 'Ann', PolicyArn: ADMINISTRATOR }),
    'LimitExceededException',
    'Cannot exceed quota for PoliciesPerUser: 1',
    { 'iam/PoliciesPerUser': 1 },
  ],
  [
    'versions of a policy',
    new CreatePolicyVersionCommand({ PolicyArn: arn('policy/Look'), PolicyDocument: any }),
    'LimitExceededException',
    /A managed policy can have up to 1 versions/,
    { 'iam/VersionsPerPolicy': 1 },
  ],
  [
    'characters of a managed policy',
    bad(sized(6145)),
    'LimitExceededException',
    'Cannot exceed quota for PolicySize: 6144',
  ],
  [
    'characters of inline policies',
    new PutUserPolicyCommand({ UserName: 'Ann', PolicyName: 'two', PolicyDocument: sized(2048) }),
    'LimitExceededException',
    'Maximum policy size of 2048 bytes exceeded for user Ann',
  ],
  [
    'roles in an instance profile',
    new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'Machine', RoleName: LINKED }),
    'LimitExceededException',
    /InstanceSessionsPerInstanceProfile: 1/,
  ],
  [
    'access keys',
    new CreateAccessKeyCommand({ UserName: 'Ann' }),
    'LimitExceededException',
    'Cannot exceed quota for AccessKeysPerUser: 0',
    { 'iam/AccessKeysPerUser': 0 },
  ],
  [
    'tags',
    new TagUserCommand({ UserName: 'Ann', Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) }),
    /./.source,
    /./,
  ],
]

describe.each([
  ['What does not exist is reported as such', missing],
  ['A name is taken whatever its case', taken],
  ['What is in use is not deleted', inUse],
  ['What AWS owns is not changed', protectedOnes],
  ['A malformed policy is refused with its reason', malformed],
  ['Bad input is refused', invalid],
  ['Quotas hold', beyond],
])('%s', (_title, rows) => {
  test.each(rows)('%s', async (_what, command, code, message, quotas) => {
    const iam = await furnished(quotas)
    const before = await picture(iam)

    const refused: Error = await iam.send(command).then(
      () => expect.unreachable('it was allowed'),
      (error: Error) => error,
    )

    expect(refused.name).toMatch(code === '.' ? /Error|Exception/ : new RegExp(`^${code}$`))
    if (typeof message === 'string') expect(refused.message).toBe(message)
    else expect(refused.message).toMatch(message)
    expect(await picture(iam)).toEqual(before)
  })
})

describe('Both sides of a limit', () => {
  test('a managed policy may have 6,144 characters, and white space is free', async () => {
    const iam = await furnished()

    await iam.send(new CreatePolicyCommand({ PolicyName: 'full', PolicyDocument: sized(6144) }))
    await iam.send(
      new CreatePolicyCommand({ PolicyName: 'airy', PolicyDocument: sized(6144).replaceAll(',', ',\n      ') }),
    )

    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn('policy/airy') }))
    expect(Policy?.DefaultVersionId).toBe('v1')
  })

  test('a name may have 64 characters', async () => {
    const iam = await furnished()

    await iam.send(new CreateUserCommand({ UserName: 'a'.repeat(64) }))

    expect((await iam.send(new GetUserCommand({ UserName: 'A'.repeat(64) }))).User?.UserName).toBe('a'.repeat(64))
  })
})
