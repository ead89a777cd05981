/** An account with an identity pool, roles that trust it, and an OpenID Connect provider whose keys are real. */
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  type CreateIdentityPoolInput,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  SetIdentityPoolRolesCommand,
  type SetIdentityPoolRolesInput,
} from '@aws-sdk/client-cognito-identity'
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { ACCOUNT, allowing, cloud, type Keys } from '../../../test/cloud.ts'
import { provide } from '../../kernel/ports/port.ts'
import { type IdTokenClaims, userPools } from '../../kernel/ports/user-pools.ts'
import type { Quotas } from '../../kernel/service/quota.ts'
import { services } from '../../server/compose/services.ts'

export const PROVIDER = 'login.example.com'
export const PROVIDER_ARN = `arn:aws:iam::${ACCOUNT}:oidc-provider/${PROVIDER}`
export const USER_POOL = 'cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E'
export const CLIENT = '1example23456789'
export const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`

const EVERYTHING = { Action: '*', Resource: '*' }

/** ID tokens of the user pool are JSON here: user pools have tests of their own. */
export const idToken = (claims: Partial<IdTokenClaims> & { readonly sub: string; readonly outcome?: string }) =>
  JSON.stringify({ aud: CLIENT, token_use: 'id', ...claims })

const imitatedPools = provide(userPools, {
  verifyIdToken: async (_reader, { issuer, token, checkSignOut }) => {
    if (issuer !== USER_POOL) return { outcome: 'unknown-issuer' }
    const { outcome = 'verified', ...claims } = JSON.parse(token) as IdTokenClaims & { outcome?: string }
    if (outcome === 'revoked') return checkSignOut ? { outcome } : { outcome: 'verified', claims }
    return outcome === 'verified' ? { outcome, claims } : { outcome: outcome as 'expired' }
  },
})

export async function identityPool(
  settings: Partial<CreateIdentityPoolInput> = {},
  roles: Partial<SetIdentityPoolRolesInput> = {},
  quotas: Quotas = {},
) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const outbound = {
    get: async (url: string) => {
      const { pathname, searchParams, host } = new URL(url)
      if (pathname === '/.well-known/openid-configuration')
        return { status: 200, body: JSON.stringify({ issuer: `https://${host}`, jwks_uri: `https://${host}/jwks` }) }
      if (pathname === '/jwks')
        return {
          status: 200,
          body: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' }] }),
        }
      const token = searchParams.get('access_token')
      if (token !== 'ann-token') return { status: 400, body: '{}' }
      if (pathname.endsWith('/app')) return { status: 200, body: '{"id":"1234"}' }
      if (pathname.endsWith('/me')) return { status: 200, body: '{"id":"fb-ann"}' }
      return { status: 200, body: '{"aud":"amzn1.app","user_id":"amzn1.ann"}' }
    },
  }
  const it = await cloud({
    outbound,
    quotas,
    services: services.map((service) =>
      service.api.id === 'cognito-idp' ? { ...service, open: () => ({ provides: [imitatedPools] }) } : service,
    ),
  })
  const iam = it.client(IAMClient)
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: `https://${PROVIDER}`, ClientIDList: ['app'] }))
  const admin = it.client(CognitoIdentityClient)
  const { IdentityPoolId } = await admin.send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: 'app',
      AllowUnauthenticatedIdentities: true,
      AllowClassicFlow: true,
      OpenIdConnectProviderARNs: [PROVIDER_ARN],
      CognitoIdentityProviders: [{ ProviderName: USER_POOL, ClientId: CLIENT, ServerSideTokenCheck: true }],
      DeveloperProviderName: 'login.my.app',
      ...settings,
    }),
  )
  /** A role that the pool's identities may take. */
  const role = async (RoleName: string, amr: string, ...statements: readonly object[]) => {
    const trust = {
      Principal: { Federated: 'cognito-identity.amazonaws.com' },
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
      Condition: {
        StringEquals: { 'cognito-identity.amazonaws.com:aud': IdentityPoolId },
        'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': amr },
      },
    }
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: allowing(trust) }))
    const PolicyDocument = allowing(...(statements.length > 0 ? statements : [EVERYTHING]))
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }))
  }
  await role('member', 'authenticated')
  await role('guest', 'unauthenticated')
  await admin.send(
    new SetIdentityPoolRolesCommand({
      IdentityPoolId,
      Roles: { authenticated: roleArn('member'), unauthenticated: roleArn('guest') },
      ...roles,
    }),
  )
  /** A token of the OpenID Connect provider. */
  const token = (sub: string, claims: JWTPayload = {}) => {
    const now = Math.floor(it.clock.now() / 1000)
    return new SignJWT({ iss: `https://${PROVIDER}`, sub, aud: 'app', iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey)
  }
  // No credentials are needed, and none are sent.
  const anyone = it.client(CognitoIdentityClient)
  const getId = async (Logins?: Readonly<Record<string, string>>) =>
    (await anyone.send(new GetIdCommand({ IdentityPoolId, ...(Logins && { Logins }) }))).IdentityId!
  const credentials = async (
    IdentityId: string,
    Logins?: Readonly<Record<string, string>>,
    CustomRoleArn?: string,
  ): Promise<Keys> => {
    const { Credentials } = await anyone.send(
      new GetCredentialsForIdentityCommand({
        IdentityId,
        ...(Logins && { Logins }),
        ...(CustomRoleArn !== undefined && { CustomRoleArn }),
      }),
    )
    const { AccessKeyId, SecretKey, SessionToken } = Credentials!
    return { accessKeyId: AccessKeyId!, secretAccessKey: SecretKey!, sessionToken: SessionToken! }
  }
  return { ...it, iam, admin, anyone, poolId: IdentityPoolId!, role, token, getId, credentials }
}
