/** Tracked sessions of users, tokens of machines by the API, and terms by their client. */
import {
  AdminCreateUserCommand,
  AdminListUserSessionsCommand,
  AdminRevokeUserSessionCommand,
  AdminSetUserPasswordCommand,
  CreateResourceServerCommand,
  CreateTermsCommand,
  CreateUserPoolClientCommand,
  DescribeTermsByClientCommand,
  GetClientTokenCommand,
  GetUserCommand,
  GetUserPoolSessionConfigurationCommand,
  InitiateAuthCommand,
  ListUserSessionsCommand,
  RevokeUserSessionCommand,
  SetUserPoolSessionConfigurationCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { readJwt } from './jwt.ts'
import { PASSWORD, type PoolFixture, poolFixture } from './user-pool.fixture.ts'

const createAna = async ({ idp, UserPoolId }: PoolFixture) => {
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ana', MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: PASSWORD, Permanent: true }))
}

const signIn = async ({ idp, ClientId }: PoolFixture) => {
  const AuthParameters = { USERNAME: 'ana', PASSWORD }
  const answer = await idp.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }))
  return answer.AuthenticationResult!
}

const track = (it: PoolFixture, MaxPerUser: number, UserSessionTracking: 'ENABLED' | 'DISABLED' = 'ENABLED') =>
  it.idp.send(
    new SetUserPoolSessionConfigurationCommand({
      UserPoolId: it.UserPoolId,
      UserSessionTracking,
      TokenSession: { MaxPerUser },
    }),
  )

test('A user sees the sessions of a pool that tracks them, and ends one of them with its tokens', async () => {
  const it = await poolFixture()
  const { idp, UserPoolId } = it
  await createAna(it)
  const { AccessToken } = await signIn(it)
  await expect(idp.send(new ListUserSessionsCommand({ AccessToken }))).rejects.toMatchObject({
    name: 'OperationNotEnabledException',
  })
  expect(await idp.send(new GetUserPoolSessionConfigurationCommand({ UserPoolId }))).toMatchObject({
    UserSessionTracking: 'DISABLED',
    TokenSession: { MaxPerUser: 20 },
  })
  await track(it, 20)
  await it.pass(1_000)
  const second = await signIn(it)

  const { Sessions } = await idp.send(new ListUserSessionsCommand({ AccessToken }))
  expect(Sessions).toEqual([
    expect.objectContaining({
      SessionId: expect.stringMatching(/^tkn[0-9a-z]{25}$/),
      SessionType: 'TOKEN',
      ClientId: it.ClientId,
      CreateDate: expect.any(Date),
      DeviceType: 'AWS SDK, Linux',
      IsCurrentSession: false,
    }),
    expect.objectContaining({ IsCurrentSession: true }),
  ])
  const [other, current] = Sessions!.map(({ SessionId }) => SessionId!)
  await expect(idp.send(new RevokeUserSessionCommand({ AccessToken, SessionId: current }))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  await idp.send(new RevokeUserSessionCommand({ AccessToken, SessionId: other, RevokeAssociatedSessions: 'LINKED' }))
  await expect(idp.send(new GetUserCommand({ AccessToken: second.AccessToken }))).rejects.toThrow('revoked')
  await expect(idp.send(new RevokeUserSessionCommand({ AccessToken, SessionId: other }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })

  const listed = await idp.send(new AdminListUserSessionsCommand({ UserPoolId, Username: 'ana' }))
  expect(listed.Sessions).toMatchObject([{ SessionId: current, IsCurrentSession: false }])
  await idp.send(new AdminRevokeUserSessionCommand({ UserPoolId, Username: 'ana', SessionId: current }))
  await expect(idp.send(new GetUserCommand({ AccessToken }))).rejects.toThrow('revoked')
})

test('The next sign-in ends the least recently used session of a user who has as many as the pool allows', async () => {
  const it = await poolFixture()
  const { idp, ClientId } = it
  await createAna(it)
  for (const MaxPerUser of [0, 101])
    await expect(track(it, MaxPerUser)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  await track(it, 2)
  const first = await signIn(it)
  await it.pass(1_000)
  const second = await signIn(it)
  await it.pass(1_000)
  await idp.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: first.RefreshToken! },
    }),
  )
  await it.pass(1_000)
  const third = await signIn(it)

  const isAlive = ({ AccessToken }: { AccessToken?: string | undefined }) =>
    idp.send(new GetUserCommand({ AccessToken })).then(
      () => true,
      () => false,
    )
  expect(await Promise.all([first, second, third].map(isAlive))).toEqual([true, false, true])
})

test('A machine gets a token by the API, with its secret and for its scopes alone', async () => {
  const it = await poolFixture()
  const { idp, UserPoolId } = it
  const scopes = ['read', 'write', 'erase'].map((ScopeName) => ({ ScopeName, ScopeDescription: ScopeName }))
  await idp.send(new CreateResourceServerCommand({ UserPoolId, Identifier: 'api', Name: 'api', Scopes: scopes }))
  const machine = (flows: readonly string[]) =>
    idp.send(
      new CreateUserPoolClientCommand({
        UserPoolId,
        ClientName: 'machine',
        GenerateSecret: true,
        // The enumeration of the model does not list the flow yet.
        ExplicitAuthFlows: flows as never,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: ['api/read', 'api/write'],
      }),
    )
  await expect(machine(['ALLOW_CLIENT_TOKEN_AUTH', 'ALLOW_USER_AUTH'])).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  const { ClientId, ClientSecret: Secret } = (await machine(['ALLOW_CLIENT_TOKEN_AUTH'])).UserPoolClient!

  const all = await idp.send(new GetClientTokenCommand({ ClientId, Secret }))
  expect(all.ClientAuthenticationResult).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' })
  expect(readJwt(all.ClientAuthenticationResult!.AccessToken!)!.claims).toMatchObject({
    sub: ClientId,
    client_id: ClientId,
    token_use: 'access',
    scope: 'api/read api/write',
  })
  const one = await idp.send(new GetClientTokenCommand({ ClientId, Secret, Scopes: ['api/read'] }))
  expect(readJwt(one.ClientAuthenticationResult!.AccessToken!)!.claims).toMatchObject({ scope: 'api/read' })

  await expect(idp.send(new GetClientTokenCommand({ ClientId, Secret, Scopes: ['api/erase'] }))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  await expect(idp.send(new GetClientTokenCommand({ ClientId, Secret: `${Secret}x` }))).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })
  const user = (await machine(['ALLOW_USER_AUTH'])).UserPoolClient!
  await expect(
    idp.send(new GetClientTokenCommand({ ClientId: user.ClientId, Secret: user.ClientSecret })),
  ).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  const log = await it.store.log({ account: it.pool.Arn!.split(':')[4]!, limit: 1_000 })
  const text = log.map(({ body }) => body).join('\n')
  expect(text).toContain('GetClientToken')
  expect(text).not.toContain(Secret)
  expect(text).not.toContain(all.ClientAuthenticationResult!.AccessToken)
})

test('Terms are found by their client and name', async () => {
  const it = await poolFixture()
  const { idp, UserPoolId, ClientId } = it
  const named = { UserPoolId, ClientId, TermsName: 'terms-of-use' }
  await expect(idp.send(new DescribeTermsByClientCommand(named))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  const Links = { 'cognito:default': 'https://corp.test/terms' }
  const created = await idp.send(new CreateTermsCommand({ ...named, TermsSource: 'LINK', Enforcement: 'NONE', Links }))
  const { Terms } = await idp.send(new DescribeTermsByClientCommand(named))
  expect(Terms).toMatchObject({ TermsId: created.Terms!.TermsId, Links })
})
