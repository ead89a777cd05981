/** Pools, clients, users, groups and lists, as an administrator sees them. */
import {
  AddUserPoolClientSecretCommand,
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
  AdminListUserAuthEventsCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  DeleteGroupCommand,
  DeleteUserPoolClientSecretCommand,
  DeleteUserPoolCommand,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  InitiateAuthCommand,
  ListTagsForResourceCommand,
  ListUsersCommand,
  ListUsersInGroupCommand,
  SetRiskConfigurationCommand,
  TagResourceCommand,
  UpdateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { under } from '../../store/store.ts'
import { PASSWORD, poolFixture, signInBySrp } from './user-pool.fixture.ts'

test('A pool has AWS’s defaults, keeps what cannot change, is tagged, and leaves nothing behind', async () => {
  const it = await poolFixture({
    UsernameAttributes: ['email'],
    UserPoolTags: { team: 'blue' },
    DeletionProtection: 'ACTIVE',
  })
  const { idp, UserPoolId, pool } = it
  expect(UserPoolId).toMatch(/^us-east-1_[A-Za-z0-9]{9}$/)
  expect(pool).toMatchObject({
    Arn: `arn:aws:cognito-idp:us-east-1:${ACCOUNT}:userpool/${UserPoolId}`,
    MfaConfiguration: 'OFF',
    UserPoolTier: 'ESSENTIALS',
    Policies: { PasswordPolicy: { MinimumLength: 8, RequireSymbols: true, TemporaryPasswordValidityDays: 7 } },
    UserPoolTags: { team: 'blue' },
  })
  await idp.send(new UpdateUserPoolCommand({ UserPoolId, DeletionProtection: 'ACTIVE', PoolName: 'renamed' }))
  const { UserPool } = await idp.send(new DescribeUserPoolCommand({ UserPoolId }))
  expect(UserPool).toMatchObject({ Name: 'renamed', UsernameAttributes: ['email'], UserPoolTags: { team: 'blue' } })
  await idp.send(new TagResourceCommand({ ResourceArn: pool.Arn, Tags: { stage: 'test' } }))
  expect((await idp.send(new ListTagsForResourceCommand({ ResourceArn: pool.Arn }))).Tags).toEqual({
    team: 'blue',
    stage: 'test',
  })
  for (const [more, message] of [
    [
      { AliasAttributes: ['email'], UsernameAttributes: ['email'] },
      'Only one of the aliasAttributes or usernameAttributes',
    ],
    [{ Schema: [{ Name: 'x', Required: true }] }, 'Required custom attributes are not supported'],
  ] as const)
    await expect(idp.send(new CreateUserPoolCommand({ PoolName: 'p', ...(more as object) }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(message),
    })

  const created = await idp.send(
    new AdminCreateUserCommand({ UserPoolId, Username: 'Ana@corp.test', MessageAction: 'SUPPRESS' }),
  )
  expect(created.User!.Username).toMatch(/^[0-9a-f-]{36}$/)
  await expect(idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ana' }))).rejects.toMatchObject({
    message: 'Username should be an email.',
  })
  await expect(idp.send(new DeleteUserPoolCommand({ UserPoolId }))).rejects.toMatchObject({
    message: expect.stringContaining('deletion protection'),
  })
  await idp.send(new UpdateUserPoolCommand({ UserPoolId }))
  await idp.send(new DeleteUserPoolCommand({ UserPoolId }))
  for (let turn = 0; turn < 20; turn++) await it.pass(1)
  for (const part of ['user', 'user-name', 'user-by', 'alias', 'client', 'client-at', 'pool-at'])
    expect(await it.store.reader.range(under('cognito-idp', part))).toEqual([])
})

test('Users are found by each attribute, in pages, and groups show in tokens by their precedence', async () => {
  const it = await poolFixture({ UsernameConfiguration: { CaseSensitive: false }, AliasAttributes: ['email'] })
  const { idp, UserPoolId } = it
  for (const [Username, given] of [
    ['Ana', 'Ana'],
    ['bea', 'Beatrice'],
    ['bert', 'Bert'],
  ] as const)
    await idp.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username,
        MessageAction: 'SUPPRESS',
        UserAttributes: [
          { Name: 'email', Value: `${Username}@corp.test` },
          { Name: 'email_verified', Value: 'true' },
          { Name: 'given_name', Value: given },
        ],
      }),
    )
  const find = async (Filter: string) =>
    (await idp.send(new ListUsersCommand({ UserPoolId, Filter }))).Users!.map(({ Username }) => Username)
  expect(await find('username = "ANA"')).toEqual(['Ana'])
  expect(await find('username ^= "be"')).toEqual(['bea', 'bert'])
  expect(await find('email = "bea@corp.test"')).toEqual(['bea'])
  expect(await find('given_name ^= "B"')).toHaveLength(2)
  expect(await find('cognito:user_status = "FORCE_CHANGE_PASSWORD"')).toHaveLength(3)
  await idp.send(new AdminDisableUserCommand({ UserPoolId, Username: 'bert' }))
  expect(await find('status = "Disabled"')).toEqual(['bert'])
  expect(await find('status = "Enabled"')).toHaveLength(2)
  const { sub } = Object.fromEntries(
    (await idp.send(new AdminGetUserCommand({ UserPoolId, Username: 'ana@corp.test' }))).UserAttributes!.map(
      ({ Name, Value }) => [Name, Value],
    ),
  )
  expect(await find(`sub = "${sub}"`)).toEqual(['Ana'])
  for (const Filter of ['custom:x = "1"', 'username', 'username > "a"', 'username = "a" OR username = "b"'])
    await expect(find(Filter)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  const first = await idp.send(new ListUsersCommand({ UserPoolId, Limit: 2, AttributesToGet: ['email'] }))
  const second = await idp.send(
    new ListUsersCommand({ UserPoolId, Limit: 2, AttributesToGet: ['email'], PaginationToken: first.PaginationToken }),
  )
  expect([...first.Users!, ...second.Users!].map(({ Attributes }) => Attributes!.length)).toEqual([1, 1, 1])

  await expect(
    idp.send(
      new AdminUpdateUserAttributesCommand({
        UserPoolId,
        Username: 'bea',
        UserAttributes: [
          { Name: 'email', Value: 'ANA@corp.test' },
          { Name: 'email_verified', Value: 'true' },
        ],
      }),
    ),
  ).rejects.toMatchObject({ name: 'AliasExistsException', message: 'An account with the email already exists.' })
  await expect(idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ANA' }))).rejects.toMatchObject({
    name: 'UsernameExistsException',
  })

  const groups = [
    ['staff', 20],
    ['admins', 10],
  ] as const
  for (const [GroupName, Precedence] of groups) {
    await idp.send(
      new CreateGroupCommand({
        UserPoolId,
        GroupName,
        Precedence,
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/${GroupName}`,
      }),
    )
    await idp.send(new AdminAddUserToGroupCommand({ UserPoolId, GroupName, Username: 'ana' }))
  }
  await expect(idp.send(new CreateGroupCommand({ UserPoolId, GroupName: 'staff' }))).rejects.toMatchObject({
    name: 'GroupExistsException',
  })
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: PASSWORD, Permanent: true }))
  const { AuthenticationResult } = await signInBySrp(it, { username: 'ana@corp.test' })
  expect(JSON.parse(Buffer.from(AuthenticationResult!.IdToken!.split('.')[1]!, 'base64url').toString())).toMatchObject({
    'cognito:groups': ['admins', 'staff'],
    'cognito:preferred_role': `arn:aws:iam::${ACCOUNT}:role/admins`,
    'cognito:roles': expect.arrayContaining([`arn:aws:iam::${ACCOUNT}:role/staff`]),
  })
  expect((await idp.send(new ListUsersInGroupCommand({ UserPoolId, GroupName: 'staff' }))).Users).toHaveLength(1)
  await idp.send(new DeleteGroupCommand({ UserPoolId, GroupName: 'staff' }))
  expect(
    (await idp.send(new AdminListGroupsForUserCommand({ UserPoolId, Username: 'ana' }))).Groups!.map(
      ({ GroupName }) => GroupName,
    ),
  ).toEqual(['admins'])
})

test('A client has two secrets at most, and either is right while it is there', async () => {
  const it = await poolFixture({}, { GenerateSecret: true })
  const { idp, UserPoolId, ClientId } = it
  const { ClientSecretDescriptor: second } = await idp.send(
    new AddUserPoolClientSecretCommand({ UserPoolId, ClientId }),
  )
  await expect(idp.send(new AddUserPoolClientSecretCommand({ UserPoolId, ClientId }))).rejects.toMatchObject({
    name: 'LimitExceededException',
  })
  const { UserPoolClient } = await idp.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId }))
  expect(UserPoolClient!.ClientSecret).toBe(second!.ClientSecretValue)
  await idp.send(
    new DeleteUserPoolClientSecretCommand({ UserPoolId, ClientId, ClientSecretId: second!.ClientSecretId }),
  )
  for (const [more, name] of [
    [{ CallbackURLs: ['http://app.corp.test'] }, 'InvalidParameterException'],
    [{ CallbackURLs: ['javascript://x'] }, 'InvalidParameterException'],
    [{ AllowedOAuthScopes: ['unknown/scope'] }, 'ScopeDoesNotExistException'],
    [{ AllowedOAuthFlows: ['client_credentials'], AllowedOAuthFlowsUserPoolClient: true }, 'InvalidOAuthFlowException'],
    [{ AccessTokenValidity: 1, TokenValidityUnits: { AccessToken: 'minutes' } }, 'InvalidParameterException'],
    [{ WriteAttributes: ['email_verified'] }, 'InvalidParameterException'],
  ] as const)
    await expect(it.newClient(more as object)).rejects.toMatchObject({ name })
})

test('An account sees its own pools alone, and policies decide on a pool', async () => {
  const it = await poolFixture()
  const { UserPoolId } = it
  const stranger = it.client(CognitoIdentityProviderClient, await it.account())
  await expect(stranger.send(new DescribeUserPoolCommand({ UserPoolId }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  const ann = it.client(
    CognitoIdentityProviderClient,
    await it.user(
      'ann',
      allowing({
        Action: 'cognito-idp:AdminGetUser',
        Resource: `arn:aws:cognito-idp:us-east-1:${ACCOUNT}:userpool/${UserPoolId}`,
      }),
    ),
  )
  await expect(ann.send(new AdminGetUserCommand({ UserPoolId, Username: 'nobody' }))).rejects.toMatchObject({
    name: 'UserNotFoundException',
  })
  await expect(ann.send(new AdminCreateUserCommand({ UserPoolId, Username: 'x' }))).rejects.toThrow(
    'cognito-idp:AdminCreateUser',
  )
  await expect(ann.send(new DescribeUserPoolCommand({ UserPoolId: 'us-east-1_Missing12' }))).rejects.toThrow(
    'not authorized',
  )
  const bob = it.client(
    CognitoIdentityProviderClient,
    await it.user('bob', allowing({ Action: 'cognito-idp:CreateUserPool', Resource: '*' })),
  )
  await expect(bob.send(new CreateUserPoolCommand({ PoolName: 'p', UserPoolTags: { team: 'blue' } }))).rejects.toThrow(
    'cognito-idp:TagResource',
  )
})

test('Threat protection blocks addresses, and lists the sign-ins', async () => {
  const it = await poolFixture({ UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } })
  const { idp, UserPoolId, ClientId } = it
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ana', MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: PASSWORD, Permanent: true }))
  const signIn = () =>
    idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ana', PASSWORD },
      }),
    )
  await signIn()
  const { AuthEvents } = await idp.send(new AdminListUserAuthEventsCommand({ UserPoolId, Username: 'ana' }))
  expect(AuthEvents).toMatchObject([
    { EventType: 'SignIn', EventResponse: 'Pass', EventContextData: { IpAddress: '127.0.0.1' } },
  ])
  const block = (range: string) =>
    idp.send(
      new SetRiskConfigurationCommand({ UserPoolId, RiskExceptionConfiguration: { BlockedIPRangeList: [range] } }),
    )
  await expect(block('127.0.0.1')).rejects.toMatchObject({ name: 'InvalidParameterException' })
  await block('127.0.0.0/8')
  await expect(signIn()).rejects.toMatchObject({ message: 'Unable to login because of security reasons.' })
  await block('10.0.0.0/8')
  await signIn()
})

test('A domain belongs to one pool', async () => {
  const it = await poolFixture()
  const { idp, UserPoolId } = it
  const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'other' }))
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await expect(
    idp.send(new CreateUserPoolDomainCommand({ UserPoolId: UserPool!.Id, Domain: 'people' })),
  ).rejects.toMatchObject({
    message: 'Domain already associated with another user pool.',
  })
  await expect(
    idp.send(new CreateUserPoolDomainCommand({ UserPoolId: UserPool!.Id, Domain: 'my-aws-login' })),
  ).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  await expect(idp.send(new DeleteUserPoolCommand({ UserPoolId }))).rejects.toMatchObject({
    message: expect.stringContaining('domain'),
  })
})
