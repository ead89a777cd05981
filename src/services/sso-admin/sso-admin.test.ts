/** Permission sets, their provisioning, applications and issuers: the ordinary case, limits, refusals, and who administers. */
import { CreatePolicyCommand, GetRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam'
import * as sso from '@aws-sdk/client-sso-admin'
import { describe, expect, test } from 'vitest'
import { allowing, cloud } from '../../../test/cloud.ts'
import { identityCenter } from '../sso/sso.fixture.ts'

const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: Error) => error.name,
  )
const READ_ONLY = 'arn:aws:iam::aws:policy/ReadOnlyAccess'

describe('A permission set', () => {
  test('of every kind of policy becomes a role; changes reach it when it is provisioned', async () => {
    const it = await identityCenter()
    const account = await it.member('workload')
    const ana = await it.person('ana')
    const PermissionSetArn = await it.permissionSet('Mixed', { Action: 'iam:ListUsers', Resource: '*' })
    const at = { InstanceArn: it.instanceArn, PermissionSetArn }
    const reference = { Name: 'team', Path: '/people/' }
    await it.sso.send(new sso.AttachManagedPolicyToPermissionSetCommand({ ...at, ManagedPolicyArn: READ_ONLY }))
    const attach = new sso.AttachCustomerManagedPolicyReferenceToPermissionSetCommand({
      ...at,
      CustomerManagedPolicyReference: reference,
    })
    await it.sso.send(attach)
    expect(await nameOf(it.sso.send(attach))).toBe('ConflictException')
    await it.sso.send(
      new sso.PutPermissionsBoundaryToPermissionSetCommand({
        ...at,
        PermissionsBoundary: { ManagedPolicyArn: READ_ONLY },
      }),
    )
    expect(
      await nameOf(
        it.sso.send(
          new sso.AttachManagedPolicyToPermissionSetCommand({
            ...at,
            ManagedPolicyArn: 'arn:aws:iam::aws:policy/NoSuch',
          }),
        ),
      ),
    ).toBe('ResourceNotFoundException')
    expect(
      await nameOf(
        it.sso.send(new sso.PutInlinePolicyToPermissionSetCommand({ ...at, InlinePolicy: '{"Version":1}' })),
      ),
    ).toBe('ValidationException')

    // The account has no such policy yet: the request says so, and nothing was made.
    const failed = await it.assign(PermissionSetArn, account, 'USER', ana)
    expect(failed.ended).toMatchObject({
      Status: 'FAILED',
      FailureReason: expect.stringContaining(`arn:aws:iam::${account}:policy/people/team`),
    })
    const inside = it.client(IAMClient, await it.enter(account))
    expect((await inside.send(new ListRolesCommand({ PathPrefix: '/aws-reserved/' }))).Roles).toEqual([])
    await inside.send(
      new CreatePolicyCommand({
        PolicyName: 'team',
        Path: '/people/',
        PolicyDocument: allowing({ Action: 'kms:List*', Resource: '*' }),
      }),
    )
    expect((await it.assign(PermissionSetArn, account, 'USER', ana)).ended.Status).toBe('SUCCEEDED')
    const { Roles } = await inside.send(new ListRolesCommand({ PathPrefix: '/aws-reserved/' }))
    const { RoleName } = Roles![0]!
    const role = async () => (await inside.send(new GetRoleCommand({ RoleName }))).Role!
    expect(await role()).toMatchObject({
      Description: 'Mixed of tests',
      PermissionsBoundary: { PermissionsBoundaryArn: READ_ONLY },
    })

    const accounts = async (ProvisioningStatus: sso.ProvisioningStatus) =>
      (await it.sso.send(new sso.ListAccountsForProvisionedPermissionSetCommand({ ...at, ProvisioningStatus })))
        .AccountIds
    expect(await accounts('LATEST_PERMISSION_SET_PROVISIONED')).toEqual([account])
    await it.sso.send(new sso.UpdatePermissionSetCommand({ ...at, Description: 'changed', SessionDuration: 'PT12H' }))
    expect(await accounts('LATEST_PERMISSION_SET_NOT_PROVISIONED')).toEqual([account])
    expect((await role()).Description).toBe('Mixed of tests')
    const { PermissionSetProvisioningStatus: begun } = await it.sso.send(
      new sso.ProvisionPermissionSetCommand({ ...at, TargetType: 'ALL_PROVISIONED_ACCOUNTS' }),
    )
    await it.jobs.runDue()
    const { PermissionSetProvisioningStatus: ended } = await it.sso.send(
      new sso.DescribePermissionSetProvisioningStatusCommand({
        InstanceArn: it.instanceArn,
        ProvisionPermissionSetRequestId: begun!.RequestId!,
      }),
    )
    expect(ended!.Status).toBe('SUCCEEDED')
    expect([await accounts('LATEST_PERMISSION_SET_PROVISIONED'), (await role()).Description]).toEqual([
      [account],
      'changed',
    ])

    expect(await nameOf(it.sso.send(new sso.DeletePermissionSetCommand(at)))).toBe('ConflictException')
    expect((await it.unassign(PermissionSetArn, account, 'USER', ana)).Status).toBe('SUCCEEDED')
    expect(await nameOf(it.sso.send(new sso.DeletePermissionSetCommand(at)))).toBe('done')
    expect(await nameOf(it.sso.send(new sso.DescribePermissionSetCommand(at)))).toBe('ResourceNotFoundException')
  })

  test('has a name of its own, a session of one to twelve hours, and tags', async () => {
    const it = await identityCenter()
    const create = (Name: string, more: object = {}) =>
      it.sso.send(new sso.CreatePermissionSetCommand({ InstanceArn: it.instanceArn, Name, ...more }))

    const { PermissionSet } = await create('Admin', { Tags: [{ Key: 'team', Value: 'a' }] })
    expect(PermissionSet).toMatchObject({ Name: 'Admin', SessionDuration: 'PT1H' })
    expect(await nameOf(create('ADMIN'))).toBe('ConflictException')
    for (const [SessionDuration, answer] of [
      ['PT59M', 'ValidationException'],
      ['PT1H', 'done'],
      ['PT12H', 'done'],
      ['PT12H1S', 'ValidationException'],
      ['P1D', 'ValidationException'],
    ] as const)
      expect([SessionDuration, await nameOf(create(`d${SessionDuration}`, { SessionDuration }))]).toEqual([
        SessionDuration,
        answer,
      ])
    const ResourceArn = PermissionSet!.PermissionSetArn!
    const tags = async () =>
      (await it.sso.send(new sso.ListTagsForResourceCommand({ InstanceArn: it.instanceArn, ResourceArn }))).Tags
    expect(await tags()).toEqual([{ Key: 'team', Value: 'a' }])
    await it.sso.send(new sso.TagResourceCommand({ ResourceArn, Tags: [{ Key: 'cost', Value: 'b' }] }))
    await it.sso.send(new sso.UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }))
    expect(await tags()).toEqual([{ Key: 'cost', Value: 'b' }])

    // A tag decides, and what is missing sounds like what is forbidden.
    const limited = it.client(
      sso.SSOAdminClient,
      await it.user('limited', [
        { Action: 'sso:*', Resource: `${it.instanceArn}` },
        { Action: 'sso:*', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/cost': 'b' } } },
      ]),
    )
    const other = (await create('Other')).PermissionSet!.PermissionSetArn!
    const describeBy = (PermissionSetArn: string) =>
      nameOf(limited.send(new sso.DescribePermissionSetCommand({ InstanceArn: it.instanceArn, PermissionSetArn })))
    expect(await describeBy(ResourceArn)).toBe('done')
    expect(await describeBy(other)).toBe('AccessDeniedException')
    expect(await describeBy(`${other.slice(0, -4)}0000`)).toBe('AccessDeniedException')
  })
})

describe('An instance', () => {
  test('of an account has applications only; other accounts do not see it', async () => {
    const it = await cloud()
    const mine = it.client(sso.SSOAdminClient)
    const { InstanceArn } = await mine.send(new sso.CreateInstanceCommand({ Name: 'own' }))
    expect(await nameOf(mine.send(new sso.CreateInstanceCommand({})))).toBe('ConflictException')
    expect((await mine.send(new sso.ListInstancesCommand({}))).Instances).toMatchObject([{ InstanceArn, Name: 'own' }])
    expect(await nameOf(mine.send(new sso.CreatePermissionSetCommand({ InstanceArn: InstanceArn!, Name: 'x' })))).toBe(
      'ValidationException',
    )
    const theirs = it.client(sso.SSOAdminClient, await it.account())
    const describe = new sso.DescribeInstanceCommand({ InstanceArn: InstanceArn! })
    expect(await nameOf(theirs.send(describe))).toBe('ResourceNotFoundException')
    expect((await theirs.send(new sso.ListInstancesCommand({}))).Instances).toEqual([])
    expect(await nameOf(it.client(sso.SSOAdminClient, it.root, 'eu-west-1').send(describe))).toBe(
      'ResourceNotFoundException',
    )
    expect(
      await nameOf(mine.send(new sso.AddRegionCommand({ InstanceArn: InstanceArn!, RegionName: 'eu-west-1' }))),
    ).toBe('NotImplemented')
    expect(await nameOf(mine.send(new sso.DeleteInstanceCommand({ InstanceArn: InstanceArn! })))).toBe('done')
    expect(await nameOf(mine.send(describe))).toBe('ResourceNotFoundException')
  })

  test('is administered by the delegated administrator, but for the management account', async () => {
    const it = await identityCenter()
    const account = await it.member('security')
    const ana = await it.person('ana')
    const PermissionSetArn = await it.permissionSet('X', { Action: 'iam:ListUsers', Resource: '*' })
    const { EnableAWSServiceAccessCommand, RegisterDelegatedAdministratorCommand } = await import(
      '@aws-sdk/client-organizations'
    )
    const inside = it.client(sso.SSOAdminClient, await it.enter(account))
    const list = new sso.ListPermissionSetsCommand({ InstanceArn: it.instanceArn })
    expect(await nameOf(inside.send(list))).toBe('AccessDeniedException')
    const ServicePrincipal = 'sso.amazonaws.com'
    await it.org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal }))
    await it.org.send(new RegisterDelegatedAdministratorCommand({ AccountId: account, ServicePrincipal }))
    expect((await inside.send(list)).PermissionSets).toEqual([PermissionSetArn])
    const assign = (TargetId: string) =>
      nameOf(
        inside.send(
          new sso.CreateAccountAssignmentCommand({
            InstanceArn: it.instanceArn,
            PermissionSetArn,
            TargetId,
            TargetType: 'AWS_ACCOUNT',
            PrincipalType: 'USER',
            PrincipalId: ana,
          }),
        ),
      )
    expect([await assign(account), await assign('111122223333')]).toEqual(['done', 'AccessDeniedException'])
  })
})

test('An application is created once for a client token, assigned, and has scopes, grants and a policy of its actors', async () => {
  const it = await identityCenter()
  const ana = await it.person('ana')
  const staff = await it.group('staff', ana)
  const input = {
    InstanceArn: it.instanceArn,
    ApplicationProviderArn: 'arn:aws:sso::aws:applicationProvider/custom',
    Name: 'app',
    ClientToken: 'once',
  }
  const { ApplicationArn } = await it.sso.send(new sso.CreateApplicationCommand(input))
  expect((await it.sso.send(new sso.CreateApplicationCommand(input))).ApplicationArn).toBe(ApplicationArn)
  expect(await nameOf(it.sso.send(new sso.CreateApplicationCommand({ ...input, Name: 'other' })))).toBe(
    'ConflictException',
  )
  const at = { ApplicationArn: ApplicationArn! }
  const assignment = { ...at, PrincipalType: 'GROUP' as const, PrincipalId: staff }
  await it.sso.send(new sso.CreateApplicationAssignmentCommand(assignment))
  expect(await nameOf(it.sso.send(new sso.CreateApplicationAssignmentCommand(assignment)))).toBe('ConflictException')
  const { ApplicationAssignments } = await it.sso.send(
    new sso.ListApplicationAssignmentsForPrincipalCommand({
      InstanceArn: it.instanceArn,
      PrincipalId: ana,
      PrincipalType: 'USER',
    }),
  )
  expect(ApplicationAssignments).toEqual([{ ApplicationArn, PrincipalId: staff, PrincipalType: 'GROUP' }])

  const ActorPolicy = JSON.parse(allowing({ Principal: { AWS: '111122223333' }, Action: 'sso-oauth:*', Resource: '*' }))
  await it.sso.send(
    new sso.PutApplicationAuthenticationMethodCommand({
      ...at,
      AuthenticationMethodType: 'IAM',
      AuthenticationMethod: { Iam: { ActorPolicy } },
    }),
  )
  const method = await it.sso.send(
    new sso.GetApplicationAuthenticationMethodCommand({ ...at, AuthenticationMethodType: 'IAM' }),
  )
  expect(method.AuthenticationMethod).toEqual({ Iam: { ActorPolicy } })
  const GrantType = 'authorization_code' as const
  const Grant = { AuthorizationCode: { RedirectUris: ['https://app.corp.test/cb'] } }
  await it.sso.send(new sso.PutApplicationGrantCommand({ ...at, GrantType, Grant }))
  expect((await it.sso.send(new sso.GetApplicationGrantCommand({ ...at, GrantType }))).Grant).toEqual(Grant)
  await it.sso.send(new sso.PutApplicationAccessScopeCommand({ ...at, Scope: 'sso:account:access' }))
  expect((await it.sso.send(new sso.ListApplicationAccessScopesCommand(at))).Scopes).toEqual([
    { Scope: 'sso:account:access' },
  ])
  await it.sso.send(new sso.DeleteApplicationCommand(at))
  for (const command of [
    new sso.DescribeApplicationCommand(at),
    new sso.GetApplicationGrantCommand({ ...at, GrantType }),
    new sso.DeleteApplicationCommand(at),
    // biome-ignore lint/suspicious/noExplicitAny: commands of every operation.
  ] as any[])
    expect(await nameOf(it.sso.send(command))).toBe('ResourceNotFoundException')
})
