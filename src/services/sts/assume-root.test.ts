/** Root users of member accounts, managed from the top: the callers, the operations and the duration. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DisableOrganizationsRootCredentialsManagementCommand,
  EnableOrganizationsRootCredentialsManagementCommand,
  EnableOrganizationsRootSessionsCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListOrganizationsFeaturesCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  DescribeCreateAccountStatusCommand,
  EnableAWSServiceAccessCommand,
  OrganizationsClient,
  RegisterDelegatedAdministratorCommand,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, AssumeRootCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, keysOf } from '../../../test/cloud.ts'

const AUDIT = 'arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials'
const UNLOCK = 'arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy'

/** An organization with a member, and an administrator in its management account. */
async function organization() {
  const it = await cloud()
  const org = it.client(OrganizationsClient)
  await org.send(new CreateOrganizationCommand({}))
  const asked = await org.send(new CreateAccountCommand({ AccountName: 'blue', Email: 'blue@example.com' }))
  const CreateAccountRequestId = asked.CreateAccountStatus!.Id!
  const told = await org.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId }))
  const member = told.CreateAccountStatus!.AccountId!
  const iam = it.client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'admin' }))
  await it.permit('admin', allowing({ Action: '*', Resource: '*' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'admin' }))
  const admin: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  const assume = (task = AUDIT, TargetPrincipal = member, by = admin, more: { DurationSeconds?: number } = {}) =>
    it.client(STSClient, by).send(new AssumeRootCommand({ TargetPrincipal, TaskPolicyArn: { arn: task }, ...more }))
  const enable = async () => {
    await org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: 'iam.amazonaws.com' }))
    await iam.send(new EnableOrganizationsRootCredentialsManagementCommand({}))
  }
  return { ...it, org, iam, member, admin, assume, enable }
}

describe('The features for root users', () => {
  test('are switched by the management account, once it trusts IAM, and listed', async () => {
    const it = await organization()
    await expect(it.iam.send(new EnableOrganizationsRootSessionsCommand({}))).rejects.toMatchObject({
      name: 'ServiceAccessNotEnabledException',
    })
    await it.enable()
    await it.iam.send(new EnableOrganizationsRootSessionsCommand({}))
    expect((await it.iam.send(new ListOrganizationsFeaturesCommand({}))).EnabledFeatures).toEqual([
      'RootCredentialsManagement',
      'RootSessions',
    ])

    const { EnabledFeatures } = await it.iam.send(new DisableOrganizationsRootCredentialsManagementCommand({}))

    expect(EnabledFeatures).toEqual(['RootSessions'])
  })

  test.each([
    ['an account in no organisation', 'OrganizationNotFoundException'],
    ['a member', 'AccountNotManagementOrDelegatedAdministratorException'],
  ])('are not for %s', async (who, name) => {
    const it = await organization()
    await it.enable()
    const RoleArn = `arn:aws:iam::${it.member}:role/OrganizationAccountAccessRole`
    const keys = who.includes('no organisation')
      ? await it.account()
      : keysOf(await it.client(STSClient, it.admin).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'visit' })))

    await expect(it.client(IAMClient, keys).send(new ListOrganizationsFeaturesCommand({}))).rejects.toMatchObject({
      name,
    })
  })
})

describe('AssumeRoot', () => {
  test('opens one task of a member for a quarter of an hour, recorded as its root user', async () => {
    const it = await organization()
    await it.enable()

    const answer = await it.assume()

    const root = keysOf(answer)
    expect((await it.client(STSClient, root).send(new GetCallerIdentityCommand({}))).Arn).toBe(
      `arn:aws:iam::${it.member}:root`,
    )
    expect(Math.round((answer.Credentials!.Expiration!.getTime() - it.clock.now()) / 60_000)).toBe(15)
    expect((await it.client(IAMClient, root).send(new ListAccessKeysCommand({}))).AccessKeyMetadata).toEqual([])
    await expect(it.client(IAMClient, root).send(new ListUsersCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    const [told] = await it.store.log({
      account: it.member,
      limit: 1,
      region: 'us-east-1',
      attribute: ['EventName', 'ListAccessKeys'],
    })
    expect(JSON.parse(told!.body).userIdentity).toEqual({
      type: 'Root',
      principalId: it.member,
      arn: `arn:aws:iam::${it.member}:root`,
      accountId: it.member,
      accessKeyId: root.accessKeyId,
      sessionContext: {
        attributes: { creationDate: expect.any(String), mfaAuthenticated: 'false', assumedRoot: 'true' },
      },
    })
  })

  test('is for delegated administrators of IAM as well', async () => {
    const it = await organization()
    await it.enable()
    const second = await it.org.send(new CreateAccountCommand({ AccountName: 'green', Email: 'green@example.com' }))
    const { CreateAccountStatus } = await it.org.send(
      new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: second.CreateAccountStatus!.Id! }),
    )
    const green = CreateAccountStatus!.AccountId!
    const RoleArn = `arn:aws:iam::${green}:role/OrganizationAccountAccessRole`
    const inside = keysOf(
      await it.client(STSClient, it.admin).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'visit' })),
    )
    await expect(it.assume(AUDIT, it.member, inside)).rejects.toMatchObject({ name: 'AccessDenied' })

    await it.org.send(
      new RegisterDelegatedAdministratorCommand({ AccountId: green, ServicePrincipal: 'iam.amazonaws.com' }),
    )

    expect((await it.assume(AUDIT, it.member, inside)).Credentials).toBeDefined()
  })

  test.each([
    ['the feature of the task is off', UNLOCK, undefined, 'AccessDenied'],
    ['the task is none', 'arn:aws:iam::aws:policy/AdministratorAccess', undefined, 'ValidationError'],
    ['the account is of no organisation', AUDIT, '444455556666', 'AccessDenied'],
    ['the account is the management account', AUDIT, ACCOUNT, 'AccessDenied'],
    ['the principal is none', AUDIT, 'arn:aws:iam::444455556666:user/a', 'ValidationError'],
  ])('is refused when %s', async (_, task, target, name) => {
    const it = await organization()
    await it.enable()
    await it.account()

    await expect(it.assume(task, target)).rejects.toMatchObject({ name })
  })

  test('is refused to whose own policies do not allow it, and limits the task that they allow', async () => {
    const it = await organization()
    await it.enable()
    const Condition = { StringEquals: { 'sts:TaskPolicyArn': UNLOCK } }
    await it.permit('admin', allowing({ Action: 'sts:AssumeRoot', Resource: '*', Condition }))

    await expect(it.assume()).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('lasts no longer than requested', async () => {
    const it = await organization()
    await it.enable()
    const root = keysOf(await it.assume(AUDIT, it.member, it.admin, { DurationSeconds: 60 }))
    it.clock.advance(61_000)

    await expect(it.client(STSClient, root).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'ExpiredToken',
    })
  })
})
