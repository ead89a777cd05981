/** A person of a real OpenID provider (`oidc-provider`) becomes a user of a user pool, through the pages of both. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import {
  CreateIdentityProviderCommand,
  CreateUserPoolDomainCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FederationRequest, federationHttp } from '../../src/kernel/ports/federation-http.ts'
import { provide } from '../../src/kernel/ports/port.ts'
import { poolFixture } from '../../src/services/cognitoidp/user-pool.fixture.ts'
import { Browser } from '../../src/services/signin/browser.fixture.ts'
import { temporaryFolder } from '../process.ts'
import { type OidcPeer, oidcPeer } from './oidc-peer.ts'

const PEER = 'accounts.corp.test'
const HOST = 'people.auth.us-east-1.amazoncognito.com'
const CALLBACK = 'https://app.corp.test/callback'
const SECRET = 'a-secret-of-the-user-pool'
const folder = temporaryFolder()
const file = (name: string) => join(folder, name)

let peer: OidcPeer
let ca: Buffer
beforeAll(async () => {
  execFileSync(
    'openssl',
    // biome-ignore format: arguments in pairs
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', file('key.pem'), '-out', file('cert.pem'),
      '-subj', `/CN=${PEER}`, '-addext', `subjectAltName=DNS:${PEER}`],
    { stdio: 'ignore' },
  )
  ca = readFileSync(file('cert.pem'))
  const web = { redirect: `http://${HOST}/oauth2/idpresponse`, secret: SECRET }
  peer = await oidcPeer({ host: PEER, key: readFileSync(file('key.pem')), cert: ca, clientId: 'pool', web })
})
afterAll(() => peer?.close())

/** The network of the server: the provider's name leads to this process. */
const send = ({ method, url, headers, form }: FederationRequest) =>
  new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const { pathname, search } = new URL(url)
    const body = form && new URLSearchParams(form).toString()
    const sent = request(
      {
        host: '127.0.0.1',
        port: peer.port,
        method,
        path: `${pathname}${search}`,
        servername: PEER,
        ca,
        headers: {
          host: PEER,
          ...headers,
          ...(body !== undefined && {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(body),
          }),
        },
      },
      (answer) => {
        let text = ''
        answer.on('data', (chunk) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
      },
    )
    sent.on('error', reject).end(body)
  })

test('A person signs in at the provider by the button of the pool, and is a user with the mapped attributes', async () => {
  const it = await poolFixture({}, {}, { provides: [provide(federationHttp, { send })] })
  const { idp, UserPoolId } = it
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await idp.send(
    new CreateIdentityProviderCommand({
      UserPoolId,
      ProviderName: 'corp',
      ProviderType: 'OIDC',
      ProviderDetails: {
        client_id: 'pool',
        client_secret: SECRET,
        authorize_scopes: 'openid email',
        oidc_issuer: `https://${PEER}`,
        attributes_request_method: 'GET',
      },
      AttributeMapping: { email: 'email' },
    }),
  )
  const app = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid', 'email'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: ['corp'],
  })
  const browser = new Browser(it, HOST)
  const query = new URLSearchParams({ client_id: app.ClientId!, redirect_uri: CALLBACK, response_type: 'code' })
  const signIn = async () => {
    await browser.open(`/login?${query}`)
    await browser.submit('/federate', { provider: 'corp' })
    const answer = new URL(await peer.authorize(browser.page.location!, 'ana'))
    expect(`${answer.origin}${answer.pathname}`).toBe(`http://${HOST}/oauth2/idpresponse`)
    return `${answer.pathname}${answer.search}`
  }
  const answer = await signIn()
  // A code of the provider that is not its own is refused, in this browser, too.
  expect((await browser.open(answer.replace(/code=[^&]+/, 'code=another'))).status).toBe(400)
  await browser.open(await signIn())
  expect(browser.page.location).toMatch(/^https:\/\/app\.corp\.test\/callback\?code=/)
  const { Users } = await idp.send(new ListUsersCommand({ UserPoolId }))
  expect(Users).toMatchObject([{ Username: 'corp_ana', UserStatus: 'EXTERNAL_PROVIDER' }])
  expect(Users![0]!.Attributes).toContainEqual({ Name: 'email', Value: 'ana@corp.test' })
}, 60_000)
