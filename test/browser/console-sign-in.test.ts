/** From the sign-in page into the console and out of it, with the credentials that the session hands out. */
import { CreateLoginProfileCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, screenshot } from './browser.ts'
import { settled } from './console.ts'
import { PASSWORD, type SignInServer, startInstallation } from './sign-in.ts'

let server: SignInServer
let browser: Browser

beforeAll(async () => {
  server = await startInstallation()
  browser = await openBrowser()
  await server.iam.send(new CreateUserCommand({ UserName: 'ann' }))
  await server.iam.send(
    new CreateLoginProfileCommand({ UserName: 'ann', Password: PASSWORD, PasswordResetRequired: false }),
  )
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['iam:ListUsers', 'iam:GetUser'], Resource: '*' }],
  })
  await server.iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'look', PolicyDocument }))
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('a user signs in, sees what the user may see, is denied what not, and signs out', async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } })
  const page = await context.newPage()
  await page.goto(`${server.origin}/console/#/iam/users`)
  await page.getByLabel('Account ID or alias').fill(server.account)
  await page.getByLabel('User name').fill('ann')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'ann', exact: true }).waitFor()
  await screenshot(page, 'signed-in-users')
  await page.getByRole('navigation').getByRole('link', { name: 'Roles', exact: true }).click()
  await page.getByText('is not authorized to perform: iam:ListRoles').first().waitFor()
  await settled(page)

  await page.getByRole('button', { name: 'Signed in as ann' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in as IAM user' }).waitFor()
  await page.goto(`${server.origin}/console/`)
  await page.getByRole('heading', { name: 'Sign in as IAM user' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/signin')
  await context.close()
})
