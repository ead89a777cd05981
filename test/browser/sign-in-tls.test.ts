/** Second factors of the root user and of an IAM user, over TLS with the certificate of `--tls auto`. */
import { CreateLoginProfileCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf } from '../../src/services/signin/browser.fixture.ts'
import { allowing } from '../cloud.ts'
import { openBrowser } from './browser.ts'
import {
  PASSWORD,
  type SignInServer,
  signInAs,
  signInAsRoot,
  startInstallationWithTls,
  virtualAuthenticator,
} from './sign-in.ts'

let server: SignInServer
let browser: Browser
let context: BrowserContext
let page: Page

beforeAll(async () => {
  const started = await startInstallationWithTls()
  server = started
  browser = await openBrowser([started.trustedKey])
  for (const UserName of ['code', 'passkey']) {
    await server.iam.send(new CreateUserCommand({ UserName }))
    await server.iam.send(new CreateLoginProfileCommand({ UserName, Password: PASSWORD }))
    const PolicyDocument = allowing({ Action: 'iam:*MFA*', Resource: '*' })
    await server.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
  }
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()

/** With the second factor, and with a cookie that no other host and no plain HTTP can set or read. */
async function expectSignedIn(arn: string): Promise<void> {
  await heading('Security credentials')
  await page.getByText(arn).waitFor()
  await page.getByText('Used for this sign-in').waitFor()
  const cookies = await context.cookies()
  expect(cookies.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^__Host-/))
  for (const { name, secure, httpOnly, path, domain } of cookies) {
    expect(name).toMatch(/^__Host-/)
    expect({ secure, httpOnly, path, domain }).toEqual({ secure: true, httpOnly: true, path: '/', domain: 'localhost' })
  }
}

describe.each([
  ['The root user', async () => signInAsRoot(page, server), () => 'root'],
  ['An IAM user', async (name: string) => signInAs(page, server, name), (name: string) => `user/${name}`],
] as const)('%s', (_, signIn, resourceOf) => {
  const arnOf = (name: string) => `arn:aws:iam::${server.account}:${resourceOf(name)}`

  test('adds an authenticator app, signs in with its code, and removes it', async () => {
    await signIn('code')
    await heading('Security credentials')
    await page.getByLabel('Name of the authenticator app').fill('phone')
    await page.getByRole('button', { name: 'Add authenticator app' }).click()
    await heading('Set up an authenticator app')
    const seed = await page.locator('code').innerText()
    await page.getByLabel('First code').fill(codeOf(seed, Date.now() - 30_000))
    await page.getByLabel('Next code').fill(codeOf(seed, Date.now()))
    await page.getByRole('button', { name: 'Enable' }).click()
    await page.getByRole('status').getByText('The authenticator app is your second factor.').waitFor()

    await context.clearCookies()
    await signIn('code')
    await heading('Multi-factor authentication')
    await page.getByLabel('Code of your authenticator app').fill(codeOf(seed, Date.now() + 30_000))
    await page.getByRole('button', { name: 'Continue' }).click()
    await expectSignedIn(arnOf('code'))
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByLabel('Name of the authenticator app').waitFor()
  })

  test('adds a passkey, and signs in with it', async () => {
    await virtualAuthenticator(page)
    await signIn('passkey')
    await heading('Security credentials')
    await page.getByLabel('Name of the passkey').fill('laptop')
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await page.getByRole('status').getByText('The passkey is your second factor.').waitFor()

    await context.clearCookies()
    await signIn('passkey')
    await heading('Multi-factor authentication')
    let answer = ''
    page.on('request', (request) => {
      if (request.url().endsWith('/signin/passkey')) answer = request.postData() ?? ''
    })
    await page.getByRole('button', { name: 'Use passkey' }).click()
    await expectSignedIn(arnOf('passkey'))

    // The answer of that sign-in again, and an answer as another origin would get it.
    const first = new URLSearchParams(answer).get('response')!
    const ofOtherOrigin = (text: string) => {
      const { response, ...more } = JSON.parse(text)
      const data = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString())
      const changed = Buffer.from(JSON.stringify({ ...data, origin: 'https://evil.test' })).toString('base64url')
      return JSON.stringify({ ...more, response: { ...response, clientDataJSON: changed } })
    }
    for (const change of [() => first, ofOtherOrigin]) {
      await context.clearCookies()
      await signIn('passkey')
      await heading('Multi-factor authentication')
      await context.route('**/signin/passkey', async (route) => {
        const form = new URLSearchParams(route.request().postData() ?? '')
        form.set('response', change(form.get('response')!))
        await route.continue({ postData: form.toString() })
      })
      await page.getByRole('button', { name: 'Use passkey' }).click()
      await page.getByRole('alert').getByText('Your authentication information is incorrect').waitFor()
      await context.unroute('**/signin/passkey')
    }
  })
})

test('plain HTTP is not answered with a page', async () => {
  await expect(fetch(`${server.origin.replace('https', 'http')}/signin`)).rejects.toThrow()
})
