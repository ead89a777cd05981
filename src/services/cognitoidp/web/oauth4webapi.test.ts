/** `oauth4webapi`, unmodified, as the relying party of a pool: discovery, code with PKCE, ID token, userInfo, refresh, revocation. */
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CreateUserPoolDomainCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { Browser } from '../../signin/browser.fixture.ts'
import { PASSWORD, poolFixture } from '../user-pool.fixture.ts'

const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'

test('oauth4webapi completes the code flow, verifies the signature, and is refused what was revoked', async () => {
  const it = await poolFixture(
    {},
    {
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid', 'email'],
      CallbackURLs: [CALLBACK],
    },
  )
  const { idp, UserPoolId, app } = it
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const UserAttributes = [{ Name: 'email', Value: 'ana@corp.test' }]
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ana', UserAttributes, MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: PASSWORD, Permanent: true }))
  /** The network: every host is this cloud. */
  const customFetch = async (
    address: string,
    { method = 'GET', headers = {}, body }: oauth.CustomFetchOptions<string, unknown>,
  ) => {
    const { host, pathname, search } = new URL(address)
    const answer = await it.handle({
      method,
      path: pathname,
      query: search.slice(1),
      rawHeaders: Object.entries({ host, ...headers }).flat(),
      body: Buffer.from(body === undefined || body === null ? '' : String(body)),
      remoteAddress: '192.0.2.1',
      secure: true,
    })
    return new Response(answer.body as string, { status: answer.status, headers: answer.headers })
  }
  const network = { [oauth.customFetch]: customFetch }
  const issuer = new URL(`https://cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, network))
  const skew = Math.round((it.clock.now() - Date.now()) / 1000)
  const client: oauth.Client = { client_id: app.ClientId!, [oauth.clockSkew]: skew, [oauth.clockTolerance]: 5 }
  const authentication = oauth.ClientSecretBasic(app.ClientSecret!)

  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const address = new URL(server.authorization_endpoint!)
  for (const [name, value] of Object.entries({
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid email',
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }))
    address.searchParams.set(name, value)
  expect(address.host).toBe(HOST)
  const browser = new Browser(it, HOST)
  await browser.open(`${address.pathname}${address.search}`)
  await browser.open(browser.page.location!)
  await browser.submit('/login', { username: 'ana', password: PASSWORD })

  const back = oauth.validateAuthResponse(server, client, new URL(browser.page.location!), state)
  const exchanged = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    back,
    CALLBACK,
    verifier,
    network,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  await oauth.validateApplicationLevelSignature(server, exchanged, network)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)!
  const shown = await oauth.userInfoRequest(server, client, tokens.access_token, network)
  expect(await oauth.processUserInfoResponse(server, client, sub, shown)).toMatchObject({ email: 'ana@corp.test' })

  const refresh = () => oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token!, network)
  const renewed = await oauth.processRefreshTokenResponse(server, client, await refresh())
  expect(oauth.getValidatedIdTokenClaims(renewed)?.sub).toBe(sub)
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, tokens.refresh_token!, network),
  )
  await expect(refresh().then((answer) => oauth.processRefreshTokenResponse(server, client, answer))).rejects.toThrow(
    oauth.ResponseBodyError,
  )
})
