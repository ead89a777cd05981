/** The social providers of a user pool, from the button to the user, at an imitation of each that checks its client. */
import { generateKeyPairSync } from 'node:crypto'
import {
  CreateIdentityProviderCommand,
  CreateUserPoolDomainCommand,
  type IdentityProviderTypeType,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConnectorId, connectorAt, connectors } from '../src/engines/oidc/connectors.ts'
import { type FederationRequest, federationHttp } from '../src/kernel/ports/federation-http.ts'
import { provide } from '../src/kernel/ports/port.ts'
import { type SocialIdp, socialIdp } from '../src/planes/social-idp/social-idp.ts'
import { poolFixture } from '../src/services/cognitoidp/user-pool.fixture.ts'
import { Browser } from '../src/services/signin/browser.fixture.ts'

const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'
const apple = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const privateKey = apple.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

let idp: SocialIdp
beforeAll(async () => {
  const applePublicKey = apple.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  idp = await socialIdp({ port: 0, applePublicKey, hasRealIssuers: true })
})
afterAll(() => idp.close())

/** An address of the real provider, at the imitation. */
function imitated(address: string): string {
  const [path, query] = address.split('?')
  for (const id of Object.keys(connectors) as ConnectorId[]) {
    const [real, there] = [connectors[id], connectorAt(connectors[id], idp.url)]
    const pairs = [
      [real.authorizationEndpoint, there.authorizationEndpoint],
      [real.tokenEndpoint, there.tokenEndpoint],
      [real.oidc?.jwksUri, there.oidc?.jwksUri],
      [real.profileEndpoint, there.profileEndpoint],
    ]
    for (const [from, to] of pairs)
      if (path === from?.split('?')[0]) return `${to}${query === undefined ? '' : `?${query}`}`
  }
  throw new Error(`No provider is at ${address}.`)
}

const send = async ({ method, url, headers, form }: FederationRequest) => {
  const body = form && new URLSearchParams(form)
  const response = await fetch(imitated(url), { method, headers: { ...headers }, ...(body && { body }) })
  return { status: response.status, body: await response.text() }
}

const secret = { client_id: 'client', client_secret: 'secret' }
const key = { client_id: 'client', team_id: 'TEAM', key_id: 'KEY' }
const CASES: readonly (readonly [IdentityProviderTypeType, Record<string, string>, string])[] = [
  ['Google', { ...secret, authorize_scopes: 'openid email profile' }, 'Google_1001'],
  ['Facebook', { ...secret, authorize_scopes: 'email' }, 'Facebook_1001'],
  ['LoginWithAmazon', { ...secret, authorize_scopes: 'profile' }, 'LoginWithAmazon_amzn1.account.1001'],
  ['SignInWithApple', { ...key, private_key: privateKey, authorize_scopes: 'openid email' }, 'SignInWithApple_1001'],
  [
    'SignInWithApple',
    { ...key, private_key: privateKey.replace(/-----[^-]+-----|\n/g, ''), authorize_scopes: 'email' },
    'SignInWithApple_1001',
  ],
]

test.each(CASES)('A person of %s becomes a user of the pool', async (type, ProviderDetails, username) => {
  const it = await poolFixture({}, {}, { provides: [provide(federationHttp, { send })] })
  const { UserPoolId } = it
  await it.idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await it.idp.send(
    new CreateIdentityProviderCommand({
      UserPoolId,
      ProviderName: type,
      ProviderType: type,
      ProviderDetails,
      AttributeMapping: { email: 'email' },
    }),
  )
  const app = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: [type],
  })
  const query = new URLSearchParams({ client_id: app.ClientId!, redirect_uri: CALLBACK, response_type: 'code' })
  const browser = new Browser(it, HOST)
  const answered = async (by: Browser) => {
    await browser.open(`/login?${query}`)
    expect(browser.page.text).toContain(`Continue with ${type}`)
    await browser.submit('/federate', { provider: type })
    const address = imitated(browser.page.location!)
    const page = await (await fetch(address)).text()
    const [, choice = ''] = /href="(\?[^"]*person=1001[^"]*)"/.exec(page) ?? []
    const chosen = await fetch(new URL(choice.replaceAll('&amp;', '&'), address), { redirect: 'manual' })
    const back = chosen.headers.get('location')
    if (back) return by.open(back.slice(new URL(back).origin.length))
    const text = await chosen.text()
    const fields = [...text.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!])
    const [, action = ''] = /action="([^"]*)"/.exec(text) ?? []
    // The cookie is not sent with a form of another site.
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: idp.url, cookie: '' }
    const form = new URLSearchParams(fields as [string, string][]).toString()
    const { location = '' } = await by.request('POST', new URL(action).pathname, form, headers)
    return by.open(location)
  }
  expect((await answered(new Browser(it, HOST))).status).toBe(400)

  expect((await answered(browser)).location).toMatch(/^https:\/\/app\.corp\.test\/callback\?code=/)

  const { Users } = await it.idp.send(new ListUsersCommand({ UserPoolId }))
  expect(Users).toMatchObject([{ Username: username, UserStatus: 'EXTERNAL_PROVIDER' }])
  expect(Users![0]!.Attributes).toContainEqual({ Name: 'email', Value: 'ann@example.com' })
})
