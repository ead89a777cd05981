/** Managed login of Cognito in a real browser: sign-up, confirmation, sign-in, second factor, recovery and sign-out. */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSpool } from '../../src/planes/mailer/spool.ts'
import { codeOf } from '../../src/services/signin/browser.fixture.ts'
import { installation, type Running, startAlone, temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { PASSWORD } from './sign-in.ts'

const NEW_PASSWORD = 'Correct-Horse-8'

let server: Running
let browser: Browser
let login: string
let app: string
let clientId: string
const spool = join(temporaryFolder(), 'mail')
const callbacks: URL[] = []
const appServer = createServer((request, response) => {
  if (request.url !== '/favicon.ico') callbacks.push(new URL(request.url!, app))
  response.setHeader('content-type', 'text/html').end('<h1>The app</h1>')
})

beforeAll(async () => {
  mkdirSync(spool)
  server = await startAlone([...installation(), '--mail', `file://${spool}`])
  appServer.listen(0, '127.0.0.1')
  await new Promise((resolve) => appServer.once('listening', resolve))
  app = `http://localhost:${(appServer.address() as AddressInfo).port}`
  const { signIn } = server as unknown as { readonly signIn: string }
  login = `http://localhost:${new URL(signIn).port}/_cognito/us-east-1/people`
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const idp = new CognitoIdentityProviderClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  })
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({ PoolName: 'people', AutoVerifiedAttributes: ['email'] }),
  )
  const UserPoolId = UserPool!.Id!
  await idp.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: 'ON',
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  )
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'Tickets',
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid', 'email'],
      CallbackURLs: [`${app}/callback`],
      LogoutURLs: [`${app}/out`],
    }),
  )
  clientId = UserPoolClient!.ClientId!
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  appServer.close()
  await server?.stop()
})

const authorize = () =>
  `${login}/oauth2/authorize?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${app}/callback`,
    response_type: 'code',
    scope: 'openid email',
    state: 'from the app',
  })}`

/** The code of the newest message, once there are as many. */
async function mailedCode(messages: number): Promise<string> {
  for (;;) {
    const all = await readSpool(spool)
    if (all.length >= messages) return /\b(\d{6})\b/.exec(all.at(-1)!.text)![1]!
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The page has its heading, breaks no rule of accessibility, and its picture is kept. */
async function shown(page: Page, heading: string, picture: string): Promise<void> {
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
  await screenshot(page, `cognito-${picture}`)
  expect(await accessibilityFindings(page)).toEqual([])
}

test('A person signs up, sets up a second factor, signs in at the app, resets the password and signs out', async () => {
  const context = await browser.newContext({ viewport: { width: 900, height: 760 } })
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) refused.push(message.text())
  })

  await page.goto(authorize())
  await shown(page, 'Sign in', 'sign-in')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await shown(page, 'Create an account', 'sign-up')
  await page.getByLabel('Username').fill('ana')
  await page.getByLabel('E-mail').fill('ana@corp.test')
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
  await shown(page, 'Confirm your account', 'confirm')
  await page.getByLabel('Code').fill(await mailedCode(1))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('Your account is confirmed.').waitFor()

  await page.getByLabel('Username').fill('ana')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await shown(page, 'Set up an authenticator app', 'totp-set-up')
  const seed = await page.locator('code').innerText()
  await page.getByLabel('Code').fill(codeOf(seed, Date.now()))
  await page.getByRole('button').first().click()
  await page.getByRole('heading', { name: 'The app' }).waitFor()
  expect(callbacks.at(-1)!.searchParams.get('state')).toBe('from the app')
  expect(callbacks.at(-1)!.searchParams.get('code')).toBeTruthy()

  // The session of the pool leads back to the app without a page.
  const before = callbacks.length
  await page.goto(authorize())
  await page.getByRole('heading', { name: 'The app' }).waitFor()
  expect(callbacks).toHaveLength(before + 1)

  await page.goto(`${login}/logout?${new URLSearchParams({ client_id: clientId, logout_uri: `${app}/out` })}`)
  expect(callbacks.at(-1)!.pathname).toBe('/out')
  await page.goto(authorize())
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await shown(page, 'Forgot your password?', 'forgot')
  await page.getByLabel('Username').fill('ana')
  await page.getByRole('button').first().click()
  await shown(page, 'Choose a new password', 'reset')
  await page.getByLabel('Code').fill(await mailedCode(2))
  await page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD)
  await page.getByLabel('New password again').fill(NEW_PASSWORD)
  await page.getByRole('button').first().click()
  await page.getByText('Your password is set.').waitFor()
  await page.getByLabel('Username').fill('ana')
  await page.getByLabel('Password').fill(NEW_PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await shown(page, 'Enter the code', 'mfa')
  // Each code counts once: the next one is accepted early.
  await page.getByLabel('Code').fill(codeOf(seed, Date.now() + 30_000))
  await page.getByRole('button').first().click()
  await page.getByRole('heading', { name: 'The app' }).waitFor()
  // Neither a broken policy nor a missing file.
  expect(refused).toEqual([])
  await context.close()
}, 180_000)
