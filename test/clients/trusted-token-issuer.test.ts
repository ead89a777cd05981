/** A token of a real OpenID provider (`oidc-provider`) becomes the context of a person, and a session that policies see. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import * as sso from '@aws-sdk/client-sso-admin'
import { CreateTokenWithIAMCommand, SSOOIDCClient } from '@aws-sdk/client-sso-oidc'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { identityCenter } from '../../src/services/sso/sso.fixture.ts'
import { ACCOUNT, allowing, keysOf } from '../cloud.ts'
import { temporaryFolder } from '../process.ts'
import { type OidcPeer, oidcPeer } from './oidc-peer.ts'

const HOST = 'login.corp.test'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const folder = temporaryFolder()
const file = (name: string) => join(folder, name)

let peer: OidcPeer
let cert: Buffer
beforeAll(async () => {
  execFileSync(
    'openssl',
    // biome-ignore format: arguments in pairs
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', file('key.pem'), '-out', file('cert.pem'),
      '-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`],
    { stdio: 'ignore' },
  )
  cert = readFileSync(file('cert.pem'))
  peer = await oidcPeer({ host: HOST, key: readFileSync(file('key.pem')), cert, clientId: 'the-app' })
})
afterAll(() => peer?.close())

/** The network of the server: the provider's name leads to this process. */
const get = (url: string): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const { pathname } = new URL(url)
    const options = {
      host: '127.0.0.1',
      port: peer.port,
      path: pathname,
      servername: HOST,
      ca: cert,
      headers: { host: HOST },
    }
    request(options, (answer) => {
      let body = ''
      answer.on('data', (chunk) => (body += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })

test('A person who signed in at the provider is that person in the session of a role', async () => {
  const it = await identityCenter({ outbound: { get } })
  const ana = await it.person('ana')
  const bob = await it.person('bob')
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
      Name: 'corp',
      TrustedTokenIssuerType: 'OIDC_JWT',
      TrustedTokenIssuerConfiguration: {
        OidcJwtConfiguration: {
          IssuerUrl: `https://${HOST}`,
          ClaimAttributePath: 'sub',
          IdentityStoreAttributePath: 'userName',
          JwksRetrievalOption: 'OPEN_ID_DISCOVERY',
        },
      },
    }),
  )
  const admin = `arn:aws:iam::${ACCOUNT}:user/admin`
  const actors = { Principal: { AWS: admin }, Action: 'sso-oauth:CreateTokenWithIAM', Resource: '*' }
  await it.sso.send(
    new sso.PutApplicationAuthenticationMethodCommand({
      ...at,
      AuthenticationMethodType: 'IAM',
      AuthenticationMethod: { Iam: { ActorPolicy: JSON.parse(allowing(actors)) } },
    }),
  )
  const allow = (...AuthorizedAudiences: string[]) =>
    it.sso.send(
      new sso.PutApplicationGrantCommand({
        ...at,
        GrantType: JWT_BEARER,
        Grant: { JwtBearer: { AuthorizedTokenIssuers: [{ TrustedTokenIssuerArn, AuthorizedAudiences }] } },
      }),
    )
  await allow('the-app')
  await it.sso.send(new sso.CreateApplicationAssignmentCommand({ ...at, PrincipalType: 'USER', PrincipalId: ana }))
  const exchange = (assertion: string) =>
    it
      .client(SSOOIDCClient, it.admin)
      .send(new CreateTokenWithIAMCommand({ clientId: ApplicationArn!, grantType: JWT_BEARER, assertion }))
  const refused = (assertion: string) =>
    exchange(assertion).then(
      () => 'accepted',
      ({ name }: Error) => name,
    )

  const token = await peer.signIn('ana')
  const [head, payload, signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url')
  expect(await refused(`${head}.${forged}.${signature}`)).toBe('InvalidGrantException')
  expect(await refused(await peer.signIn('bob'))).toBe('AccessDeniedException')
  await allow('another-app')
  expect(await refused(token)).toBe('InvalidGrantException')
  await allow('another-app', 'the-app')

  const { awsAdditionalDetails } = await exchange(token)

  const iam = it.client(IAMClient, it.admin)
  const trust = allowing({ Principal: { AWS: admin }, Action: ['sts:AssumeRole', 'sts:SetContext'] })
  await iam.send(new CreateRoleCommand({ RoleName: 'app', AssumeRolePolicyDocument: trust }))
  const lists = async (userId: string) => {
    const Condition = { StringEquals: { 'identitystore:UserId': userId } }
    const PolicyDocument = allowing({ Action: 'iam:ListUsers', Resource: '*', Condition })
    await iam.send(new PutRolePolicyCommand({ RoleName: 'app', PolicyName: 'own', PolicyDocument }))
    const assumed = await it.client(STSClient, it.admin).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
        RoleSessionName: 'app',
        ProvidedContexts: [
          {
            ProviderArn: 'arn:aws:iam::aws:contextProvider/IdentityCenter',
            ContextAssertion: awsAdditionalDetails!.identityContext!,
          },
        ],
      }),
    )
    return it.lists(keysOf(assumed))
  }
  expect(await lists(ana)).toBe('allowed')
  expect(await lists(bob)).not.toBe('allowed')
  it.clock.advance(2 * 3600_000)
  expect(await refused(token)).toBe('InvalidGrantException')
})
