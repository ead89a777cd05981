/** `/inbox` of `--dev` in a browser: the root user reads the mail of the account. */
import {
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { type ConsoleServer, ROOT, startConsole } from './console.ts'
import { PASSWORD, ROOT_EMAIL } from './sign-in.ts'

let server: ConsoleServer
let browser: Browser

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
  const credential = { accessKeyId: ROOT.accessKeyId, secret: ROOT.secretAccessKey }
  await new Client({ credential, transport: overHttp(server.api) }).rest(
    'iam',
    'POST',
    '/_merlon/root-password',
    JSON.stringify({ email: ROOT_EMAIL, password: PASSWORD }),
  )
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('an empty inbox, the list of messages and a message are accessible in both themes', async () => {
  const { origin } = new URL(server.console)
  const page = await (await browser.newContext({ viewport: { width: 900, height: 700 } })).newPage()
  const findings: string[] = []
  const look = async (name: string) => {
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await screenshot(page, `${colorScheme}-${name}`)
      findings.push(...(await accessibilityFindings(page)).map((finding) => `${name}, ${colorScheme}: ${finding}`))
    }
  }
  await page.goto(`${origin}/signin/root?redirect=/inbox`)
  await page.getByLabel('Root user e-mail address').fill(ROOT_EMAIL)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No messages.').waitFor()
  await look('inbox-empty')

  const idp = new CognitoIdentityProviderClient({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
  const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'people' }))
  await idp.send(
    new AdminCreateUserCommand({
      UserPoolId: UserPool!.Id!,
      Username: 'ana',
      UserAttributes: [{ Name: 'email', Value: 'ana@corp.test' }],
      DesiredDeliveryMediums: ['EMAIL'],
    }),
  )
  const messages = page.getByRole('main').getByRole('listitem').filter({ hasText: 'ana@corp.test' })
  await expect
    .poll(async () => {
      await page.reload()
      return messages.count()
    })
    .toBe(1)
  await look('inbox')
  await messages.getByRole('link').click()
  await page.getByText('ana', { exact: false }).first().waitFor()
  await look('inbox-message')
  expect(findings).toEqual([])
})
