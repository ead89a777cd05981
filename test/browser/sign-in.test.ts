/** People sign in with a real browser, at a real server. */
import {
  CreateLoginProfileCommand,
  CreateUserCommand,
  DeleteLoginProfileCommand,
  DeleteUserCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf } from '../../src/services/signin/browser.fixture.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import {
  PASSWORD,
  ROOT_EMAIL,
  signInAs,
  signInAsRoot,
  startInstallation,
  virtualAuthenticator,
  withPassword,
} from './sign-in.ts'

let server: Awaited<ReturnType<typeof startInstallation>>
let browser: Browser
let context: BrowserContext
let page: Page

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['iam:*MFA*', 'iam:ChangePassword'], Resource: '*' }],
})

async function addUser(UserName: string): Promise<void> {
  await server.iam.send(new CreateUserCommand({ UserName }))
  await server.iam.send(new CreateLoginProfileCommand({ UserName, Password: PASSWORD }))
  await server.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: POLICY }))
}

beforeAll(async () => {
  server = await startInstallation()
  browser = await openBrowser()
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

describe('The root user', () => {
  test('signs in with the e-mail address and the password of merlon init', async () => {
    await page.goto(`${server.origin}/signin`)
    await screenshot(page, 'sign-in-user')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByRole('link', { name: 'Sign in as root user' }).click()
    await screenshot(page, 'sign-in-root')
    expect(await accessibilityFindings(page)).toEqual([])
    await signInAsRoot(page, server)
    await heading('Security credentials')
    await page.getByText(`arn:aws:iam::${server.account}:root`).waitFor()
    await screenshot(page, 'security-root')
    expect(await accessibilityFindings(page)).toEqual([])
  })
})

test('merlon root-password replaces the password of the root user, and ends the sign-ins with the earlier one', async () => {
  await signInAsRoot(page, server)
  await heading('Security credentials')
  const words = ['root-password', '--data', server.data, '--email', ROOT_EMAIL, '--json']
  expect(JSON.parse(await withPassword(words, 'Another-Horse-8'))).toMatchObject({ account: server.account })
  await page.reload()
  await heading('Sign in as IAM user')
  await signInAsRoot(page, server)
  await page.getByRole('alert').getByText('Your authentication information is incorrect').waitFor()
  await signInAsRoot(page, server, 'Another-Horse-8')
  await heading('Security credentials')
})

describe('An IAM user', () => {
  test('adds an authenticator app, and needs its code from then on', async () => {
    await addUser('totp')
    await signInAs(page, server, 'totp', 'wrong')
    await page.getByRole('alert').getByText('Your authentication information is incorrect').waitFor()
    await screenshot(page, 'sign-in-wrong')
    expect(await accessibilityFindings(page)).toEqual([])
    await signInAs(page, server, 'totp')
    await heading('Security credentials')
    await page.getByLabel('Name of the authenticator app').fill('phone')
    await page.getByRole('button', { name: 'Add authenticator app' }).click()
    await heading('Set up an authenticator app')
    await screenshot(page, 'totp-set-up')
    expect(await accessibilityFindings(page)).toEqual([])
    const seed = await page.locator('code').innerText()
    await page.getByLabel('First code').fill(codeOf(seed, Date.now() - 30_000))
    await page.getByLabel('Next code').fill(codeOf(seed, Date.now()))
    await page.getByRole('button', { name: 'Enable' }).click()
    await page.getByRole('status').getByText('The authenticator app is your second factor.').waitFor()
    await screenshot(page, 'security-user')
    expect(await accessibilityFindings(page)).toEqual([])

    await context.clearCookies()
    await signInAs(page, server, 'totp')
    await heading('Multi-factor authentication')
    await screenshot(page, 'mfa-code')
    expect(await accessibilityFindings(page)).toEqual([])
    // Steps are of thirty seconds, and each code counts once: the next one is accepted early.
    await page.getByLabel('Code of your authenticator app').fill(codeOf(seed, Date.now() + 30_000))
    await page.getByRole('button', { name: 'Continue' }).click()
    await heading('Security credentials')
    await page.getByText('Used for this sign-in').waitFor()
  })

  test('adds a passkey, and needs it from then on', async () => {
    await addUser('key')
    await virtualAuthenticator(page)
    await signInAs(page, server, 'key')
    await heading('Security credentials')
    await page.getByLabel('Name of the passkey').fill('laptop')
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await page.getByRole('status').getByText('The passkey is your second factor.').waitFor()

    await page.getByRole('button', { name: 'Sign out', exact: true }).first().click()
    await heading('Sign in as IAM user')
    await signInAs(page, server, 'key')
    await heading('Multi-factor authentication')
    await screenshot(page, 'mfa-passkey')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Use passkey' }).click()
    await heading('Security credentials')
    await page.getByText('Used for this sign-in').waitFor()
  })

  test('a person who signs out in one tab is signed out in every tab', async () => {
    await addUser('tabs')
    await signInAs(page, server, 'tabs')
    await heading('Security credentials')
    const other = await context.newPage()
    await other.goto(`${server.origin}/signin/security`)
    await other.getByRole('heading', { name: 'Security credentials' }).waitFor()
    await page.getByRole('button', { name: 'Sign out', exact: true }).first().click()
    await heading('Sign in as IAM user')
    await other.reload()
    await other.getByRole('heading', { name: 'Sign in as IAM user' }).waitFor()
  })

  test('a person who is deleted is signed out at the next click', async () => {
    await addUser('gone')
    await signInAs(page, server, 'gone')
    await heading('Security credentials')
    await server.iam.send(new DeleteLoginProfileCommand({ UserName: 'gone' }))
    const { DeleteUserPolicyCommand } = await import('@aws-sdk/client-iam')
    await server.iam.send(new DeleteUserPolicyCommand({ UserName: 'gone', PolicyName: 'own' }))
    await server.iam.send(new DeleteUserCommand({ UserName: 'gone' }))
    await page.getByRole('link', { name: 'Switch role' }).click()
    await heading('Sign in as IAM user')
  })

  test('chooses a password of their own, and sees the page for switching roles', async () => {
    await server.iam.send(new CreateUserCommand({ UserName: 'new' }))
    const profile = { UserName: 'new', Password: PASSWORD, PasswordResetRequired: true }
    await server.iam.send(new CreateLoginProfileCommand(profile))
    await signInAs(page, server, 'new')
    await heading('Choose a new password')
    await screenshot(page, 'new-password')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByLabel('New password', { exact: true }).fill('Another-Horse-8')
    await page.getByLabel('New password, again').fill('Another-Horse-8')
    await page.getByRole('button', { name: 'Change password and sign in' }).click()
    await heading('Security credentials')
    await page.getByRole('link', { name: 'Switch role' }).click()
    await heading('Switch role')
    await screenshot(page, 'switch-role')
    expect(await accessibilityFindings(page)).toEqual([])
  })
})
