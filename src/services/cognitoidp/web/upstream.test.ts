/** Signing in at an OpenID Connect provider, as a browser and the provider see it. The provider is a mock behind the port. */
import {
  CreateIdentityProviderCommand,
  CreateUserPoolDomainCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { type FederationRequest, federationHttp } from '../../../kernel/ports/federation-http.ts'
import { provide } from '../../../kernel/ports/port.ts'
import { Browser } from '../../signin/browser.fixture.ts'
import { poolFixture } from '../user-pool.fixture.ts'

const ISSUER = 'https://idp.corp.test'
const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'

test('A person of an OpenID Connect provider becomes a user, once, by the mapping; an answer to another browser is refused', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }
  const asked: FederationRequest[] = []
  let claims: Record<string, unknown> = {}
  let now = () => 0
  const send = async (request: FederationRequest) => {
    asked.push(request)
    if (request.url.endsWith('/.well-known/openid-configuration'))
      return {
        status: 200,
        body: JSON.stringify({
          issuer: ISSUER,
          authorization_endpoint: `${ISSUER}/authorize`,
          token_endpoint: `${ISSUER}/token`,
          jwks_uri: `${ISSUER}/jwks`,
        }),
      }
    if (request.url.endsWith('/jwks')) return { status: 200, body: JSON.stringify({ keys: [jwk] }) }
    const seconds = Math.floor(now() / 1000)
    const id_token = await new SignJWT({
      iss: ISSUER,
      aud: 'merlon',
      sub: 'person-1',
      iat: seconds,
      exp: seconds + 300,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(privateKey)
    return { status: 200, body: JSON.stringify({ id_token, access_token: 'x', token_type: 'Bearer' }) }
  }
  const it = await poolFixture({}, {}, { provides: [provide(federationHttp, { send })] })
  now = () => it.clock.now()
  const { idp, UserPoolId } = it
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await idp.send(
    new CreateIdentityProviderCommand({
      UserPoolId,
      ProviderName: 'corp',
      ProviderType: 'OIDC',
      ProviderDetails: {
        client_id: 'merlon',
        client_secret: 'secret',
        authorize_scopes: 'openid email',
        oidc_issuer: ISSUER,
        attributes_request_method: 'GET',
      },
      AttributeMapping: { email: 'mail', name: 'display' },
    }),
  )
  const app = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid', 'email', 'profile'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: ['COGNITO', 'corp'],
  })
  const query = new URLSearchParams({
    client_id: app.ClientId!,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid profile',
    state: 's',
  })
  const begin = async () => {
    const browser = new Browser(it, HOST)
    const page = await browser.open(`/login?${query}`)
    expect(page.text).toContain('Continue with corp')
    expect(page.headers['content-security-policy']).toContain(ISSUER)
    await browser.submit('/federate', { provider: 'corp' })
    const address = new URL(browser.page.location!)
    expect(`${address.origin}${address.pathname}`).toBe(`${ISSUER}/authorize`)
    claims = { nonce: address.searchParams.get('nonce'), mail: 'ana@corp.test', display: 'Ana', email_verified: true }
    return {
      browser,
      address,
      answer: `/oauth2/idpresponse?code=c&state=${encodeURIComponent(address.searchParams.get('state')!)}`,
    }
  }
  const first = await begin()
  expect(first.address.searchParams.get('redirect_uri')).toBe(`http://${HOST}/oauth2/idpresponse`)
  const stranger = await new Browser(it, HOST).open(first.answer)
  expect(stranger).toMatchObject({ status: 400, location: undefined })
  await first.browser.open(first.answer)
  const code = new URL(first.browser.page.location!).searchParams.get('code')!
  expect(first.browser.page.location).toMatch(/^https:\/\/app\.corp\.test\/callback\?/)
  const exchanged = await new Browser(it, HOST).request(
    'POST',
    '/oauth2/token',
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: app.ClientId!,
      code,
      redirect_uri: CALLBACK,
    }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  )
  const token = JSON.parse(exchanged.text).id_token as string
  expect(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())).toMatchObject({
    'cognito:username': 'corp_person-1',
    email: 'ana@corp.test',
    // The mapping does not say who verified it.
    email_verified: false,
    name: 'Ana',
    identities: [{ providerName: 'corp', userId: 'person-1', providerType: 'OIDC', primary: 'true' }],
  })
  const second = await begin()
  claims = { ...claims, display: 'Ana B.' }
  await second.browser.open(second.answer)
  const { Users } = await idp.send(new ListUsersCommand({ UserPoolId }))
  expect(Users).toHaveLength(1)
  expect(Users![0]).toMatchObject({
    UserStatus: 'EXTERNAL_PROVIDER',
    Attributes: expect.arrayContaining([{ Name: 'name', Value: 'Ana B.' }]),
  })

  const federated = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: ['corp'],
  })
  const other = new URLSearchParams({ ...Object.fromEntries(query), client_id: federated.ClientId!, scope: 'openid' })
  // The session of corp is one for this client, too; the pool's own users have no way in.
  expect((await first.browser.open(`/oauth2/authorize?${other}`)).location).toMatch(
    /^https:\/\/app\.corp\.test\/.*code=/,
  )
  const browser = new Browser(it, HOST)
  expect((await browser.open(`/login?${other}`)).text).not.toContain('type="password"')
  expect((await browser.open(`/forgotPassword?${other}`)).status).toBe(400)
  await browser.open(`/login?${query}`)
  const posted = await browser.submit('/login', { request: other.toString(), username: 'ana', password: 'x' })
  expect(posted.status).toBe(400)

  for (const wrong of [{ nonce: 'another' }, { aud: 'another' }, { iss: 'https://evil.test' }]) {
    const next = await begin()
    claims = { ...claims, ...wrong }
    expect((await next.browser.open(next.answer)).status).toBe(400)
  }
}, 60_000)
