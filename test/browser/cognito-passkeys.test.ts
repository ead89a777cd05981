/** Passkeys of a user pool in Chromium: added and used at managed login, and as the factor that USER_AUTH chooses. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  GetUserCommand,
  InitiateAuthCommand,
  ListWebAuthnCredentialsCommand,
  RespondToAuthChallengeCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installation, type Running, startAlone } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { PASSWORD, virtualAuthenticator } from './sign-in.ts'

let server: Running
let browser: Browser
let idp: CognitoIdentityProviderClient
let login: string
let app: string
let ClientId: string
const callbacks: URL[] = []
const appServer = createServer((request, response) => {
  if (request.url !== '/favicon.ico') callbacks.push(new URL(request.url!, app))
  response.setHeader('content-type', 'text/html').end('<h1>The app</h1>')
})

beforeAll(async () => {
  server = await startAlone(installation())
  appServer.listen(0, '127.0.0.1')
  await new Promise((resolve) => appServer.once('listening', resolve))
  app = `http://localhost:${(appServer.address() as AddressInfo).port}`
  const { signIn } = server as unknown as { readonly signIn: string }
  login = `http://localhost:${new URL(signIn).port}/_cognito/us-east-1/people`
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  idp = new CognitoIdentityProviderClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  })
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({
      PoolName: 'people',
      Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } },
    }),
  )
  const UserPoolId = UserPool!.Id!
  const WebAuthnConfiguration = { RelyingPartyId: 'localhost', UserVerification: 'required' as const }
  await idp.send(new SetUserPoolMfaConfigCommand({ UserPoolId, WebAuthnConfiguration }))
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'Tickets',
      ExplicitAuthFlows: ['ALLOW_USER_AUTH'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid', 'email'],
      CallbackURLs: [`${app}/callback`],
      LogoutURLs: [`${app}/out`],
    }),
  )
  ClientId = UserPoolClient!.ClientId!
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ana', MessageAction: 'SUPPRESS' }))
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ana', Password: PASSWORD, Permanent: true }))
  browser = await openBrowser()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  appServer.close()
  await server?.stop()
})

const request = () =>
  new URLSearchParams({
    client_id: ClientId,
    redirect_uri: `${app}/callback`,
    response_type: 'code',
    scope: 'openid email',
  })

/** The page has its heading, breaks no rule of accessibility, and its picture is kept. */
async function shown(page: Page, heading: string, picture: string): Promise<void> {
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
  await screenshot(page, `cognito-${picture}`)
  expect(await accessibilityFindings(page)).toEqual([])
}

/** What the browser's authenticator answers to a challenge of the API, as a web app sends it. */
const answered = (page: Page, options: string): Promise<string> =>
  page.evaluate(async (json) => {
    const bytes = (text: string) =>
      Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))
    const text = (buffer: ArrayBuffer) =>
      btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, '-')
        .replace(/\//g, '_')
        .replace(/=+$/, '')
    const publicKey = JSON.parse(json)
    publicKey.challenge = bytes(publicKey.challenge)
    for (const each of publicKey.allowCredentials) each.id = bytes(each.id)
    // biome-ignore lint/suspicious/noExplicitAny: types of browsers are not those of this program.
    const made = (await (globalThis as any).navigator.credentials.get({ publicKey })) as any
    const { clientDataJSON, authenticatorData, signature } = made.response
    return JSON.stringify({
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      clientExtensionResults: {},
      response: {
        clientDataJSON: text(clientDataJSON),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
      },
    })
  }, options)

test('A person adds a passkey, signs in by it at the pages without a user name, and in an app by USER_AUTH', async () => {
  const page = await browser.newPage({ viewport: { width: 900, height: 760 } })
  const refused: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) refused.push(message.text())
  })
  await virtualAuthenticator(page)

  // Who is not signed in signs in first.
  await page.goto(`${login}/passkeys/add?${request()}`)
  await shown(page, 'Sign in', 'sign-in-or-passkey')
  await page.getByLabel('Username').fill('ana')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'The app' }).waitFor()

  await page.goto(`${login}/passkeys/add?${request()}`)
  await shown(page, 'Add a passkey', 'passkey-add')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('heading', { name: 'The app' }).waitFor()

  await page.goto(`${login}/logout?${new URLSearchParams({ client_id: ClientId, logout_uri: `${app}/out` })}`)
  await page.goto(`${login}/oauth2/authorize?${request()}`)
  await page.getByRole('link', { name: 'Sign in with a passkey' }).click()
  await shown(page, 'Sign in with a passkey', 'passkey-sign-in')
  const before = callbacks.length
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByRole('heading', { name: 'The app' }).waitFor()
  expect(callbacks.slice(before).at(-1)!.searchParams.get('code')).toBeTruthy()
  expect(refused).toEqual([])

  const USERNAME = 'ana'
  const first = await idp.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_AUTH',
      AuthParameters: { USERNAME, PREFERRED_CHALLENGE: 'WEB_AUTHN' },
    }),
  )
  expect(first.ChallengeName).toBe('WEB_AUTHN')
  const CREDENTIAL = await answered(page, first.ChallengeParameters!['CREDENTIAL_REQUEST_OPTIONS']!)
  const respond = (credential: string) =>
    idp.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: 'WEB_AUTHN',
        Session: first.Session,
        ChallengeResponses: { USERNAME, CREDENTIAL: credential },
      }),
    )
  const forged = JSON.parse(CREDENTIAL)
  forged.response.signature = Buffer.alloc(70, 1).toString('base64url')
  await expect(respond(JSON.stringify(forged))).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  const { AuthenticationResult } = await respond(CREDENTIAL)
  const AccessToken = AuthenticationResult!.AccessToken
  expect((await idp.send(new GetUserCommand({ AccessToken }))).Username).toBe('ana')
  const { Credentials } = await idp.send(new ListWebAuthnCredentialsCommand({ AccessToken }))
  expect(Credentials).toMatchObject([{ RelyingPartyId: 'localhost', AuthenticatorTransports: ['internal'] }])
  // A challenge is good once.
  await expect(respond(CREDENTIAL)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
}, 180_000)
