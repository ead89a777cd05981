/** Trusted token issuers: a token of theirs becomes a context of a person, and a session of a role that policies see. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { ListAccountsCommand } from '@aws-sdk/client-sso'
import * as sso from '@aws-sdk/client-sso-admin'
import { CreateTokenWithIAMCommand, SSOOIDCClient } from '@aws-sdk/client-sso-oidc'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, keysOf } from '../../../test/cloud.ts'
import { identityCenter } from '../sso/sso.fixture.ts'

const ISSUER = 'https://issuer.corp.test'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: Error) => error.name,
  )

test('An assertion of a trusted issuer names a person; forged, late and foreign ones name none', async () => {
  const keys = await generateKeyPair('ES256')
  const forged = await generateKeyPair('ES256')
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }] })
  const it = await identityCenter({
    outbound: {
      get: async (url) => ({
        status: 200,
        body: url.endsWith('/keys') ? jwks : JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` }),
      }),
    },
  })
  const ana = await it.person('ana', { Emails: [{ Value: 'ana@corp.test', Primary: true }] })
  await it.person('bob', { Emails: [{ Value: 'bob@corp.test', Primary: true }] })
  const { ApplicationArn } = await it.sso.send(
    new sso.CreateApplicationCommand({
      InstanceArn: it.instanceArn,
      ApplicationProviderArn: 'arn:aws:sso::aws:applicationProvider/custom',
      Name: 'app',
    }),
  )
  const at = { ApplicationArn: ApplicationArn! }
  const { TrustedTokenIssuerArn } = await it.sso.send(
    new sso.CreateTrustedTokenIssuerCommand({
      InstanceArn: it.instanceArn,
      Name: 'issuer',
      TrustedTokenIssuerType: 'OIDC_JWT',
      TrustedTokenIssuerConfiguration: {
        OidcJwtConfiguration: {
          IssuerUrl: ISSUER,
          ClaimAttributePath: 'email',
          IdentityStoreAttributePath: 'emails.value',
          JwksRetrievalOption: 'OPEN_ID_DISCOVERY',
        },
      },
    }),
  )
  const assertion = (claims: object = {}, { key = keys.privateKey, kid = 'one' } = {}) => {
    const now = Math.floor(it.clock.now() / 1000)
    const all = { iss: ISSUER, aud: 'the-app', email: 'ana@corp.test', iat: now, exp: now + 300, ...claims }
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
  }
  const caller = it.client(SSOOIDCClient, it.admin)
  const exchange = (text: string, more: object = {}) =>
    caller.send(
      new CreateTokenWithIAMCommand({ clientId: ApplicationArn!, grantType: JWT_BEARER, assertion: text, ...more }),
    )

  // No principal calls for an application before its actor policy allows it.
  expect(await nameOf(exchange(await assertion()))).toBe('AccessDeniedException')
  const actors = {
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/admin` },
    Action: 'sso-oauth:CreateTokenWithIAM',
    Resource: '*',
  }
  await it.sso.send(
    new sso.PutApplicationAuthenticationMethodCommand({
      ...at,
      AuthenticationMethodType: 'IAM',
      AuthenticationMethod: { Iam: { ActorPolicy: JSON.parse(allowing(actors)) } },
    }),
  )
  expect(await nameOf(exchange(await assertion()))).toBe('UnauthorizedClientException')
  await it.sso.send(
    new sso.PutApplicationGrantCommand({
      ...at,
      GrantType: JWT_BEARER,
      Grant: {
        JwtBearer: {
          AuthorizedTokenIssuers: [{ TrustedTokenIssuerArn: TrustedTokenIssuerArn!, AuthorizedAudiences: ['the-app'] }],
        },
      },
    }),
  )
  expect(await nameOf(exchange(await assertion()))).toBe('AccessDeniedException')
  await it.sso.send(new sso.CreateApplicationAssignmentCommand({ ...at, PrincipalType: 'USER', PrincipalId: ana }))

  const now = Math.floor(it.clock.now() / 1000)
  for (const [name, text] of [
    ['another key', await assertion({}, { key: forged.privateKey })],
    ['an unknown key', await assertion({}, { kid: 'two' })],
    ['an expired one', await assertion({ iat: now - 4_000, exp: now - 3_000 })],
    ['another audience', await assertion({ aud: 'other' })],
    ['another issuer', await assertion({ iss: 'https://evil.test' })],
    ['nobody', await assertion({ email: 'nobody@corp.test' })],
    ['no claim', await assertion({ email: undefined })],
    ['no token', 'x.y.z'],
  ] as const)
    expect([name, await nameOf(exchange(text))]).toEqual([name, 'InvalidGrantException'])
  expect(await nameOf(exchange(await assertion({ email: 'bob@corp.test' })))).toBe('AccessDeniedException')
  expect(await nameOf(exchange(await assertion(), { scope: ['sso:account:access'] }))).toBe('InvalidScopeException')
  expect(await nameOf(exchange(await assertion(), { grantType: 'refresh_token' }))).toBe('NotImplemented')

  const token = await exchange(await assertion())
  expect(token).toMatchObject({ tokenType: 'Bearer', expiresIn: 3600, scope: ['sts:identity_context'] })
  // It is no token of the portal.
  expect(await nameOf(it.portal.send(new ListAccountsCommand({ accessToken: token.accessToken })))).toBe(
    'UnauthorizedException',
  )

  const iam = it.client(IAMClient, it.admin)
  const trusting = (Action: readonly string[]) =>
    allowing({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/admin` }, Action })
  for (const [RoleName, actions] of [
    ['with', ['sts:AssumeRole', 'sts:SetContext']],
    ['without', ['sts:AssumeRole']],
  ] as const) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting(actions) }))
    const PolicyDocument = allowing({
      Action: 'iam:ListUsers',
      Resource: '*',
      Condition: { StringEquals: { 'identitystore:UserId': ana } },
    })
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }))
  }
  const assume = (role: string, ContextAssertion = token.awsAdditionalDetails!.identityContext!) =>
    it.client(STSClient, it.admin).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        RoleSessionName: 'app',
        ProvidedContexts: [{ ProviderArn: 'arn:aws:iam::aws:contextProvider/IdentityCenter', ContextAssertion }],
      }),
    )
  expect(await nameOf(assume('without'))).toBe('AccessDenied')
  expect(await nameOf(assume('with', 'forged'))).toBe('ValidationError')
  const session = keysOf(await assume('with'))
  expect(await it.lists(session)).toBe('allowed')

  // Another password ends what was begun for the person.
  await it.setPassword(ana, 'Another-Horse-8')
  expect(await it.lists(session)).not.toBe('allowed')
  expect(await nameOf(assume('with'))).toBe('ValidationError')
})
