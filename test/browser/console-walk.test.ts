/**
 * A person who has never seen Merlon creates a user and a policy, fixes what the check of the policy finds, and finds out why
 * the user was denied, without the command line. Clicks are counted.
 */
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, screenshot } from './browser.ts'
import { settled } from './console.ts'
import { type SignInServer, signInAsRoot, startInstallation } from './sign-in.ts'

let server: SignInServer
let browser: Browser

beforeAll(async () => {
  server = await startInstallation()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** Of a person who knows the way. */
const CLICKS_MAX = 26

test('a user, a policy and the reason of a denial, without the command line', async () => {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } })
  // The button of the sign-in page is the first click.
  let clicks = 1
  await signInAsRoot(page, server)
  await page.getByRole('heading', { name: 'Security credentials', level: 1 }).waitFor()
  const click = async (target: Locator) => {
    await target.click()
    clicks++
  }
  const navigate = (name: string) => click(page.getByRole('navigation').getByRole('link', { name, exact: true }))
  const button = (name: string, within: Page | Locator = page) => within.getByRole('button', { name, exact: true })
  const dialog = page.getByRole('dialog')
  await page.goto(`${server.origin}/console/`)
  await settled(page)

  // A user with an access key.
  await navigate('Users')
  await click(button('Create user'))
  await dialog.getByLabel('Name').fill('ann')
  await click(button('Create user', dialog))
  await page.getByRole('heading', { name: 'ann', level: 1 }).waitFor()
  await click(page.getByRole('tab', { name: 'Sign-in and keys' }))
  await click(button('Create access key'))
  await click(button('Create', dialog))
  await dialog.getByText('AKIA').waitFor()
  const shown = await dialog.innerText()
  const accessKeyId = /AKIA\w{16}/.exec(shown)![0]
  const secretAccessKey = /[A-Za-z0-9/+]{40}/.exec(shown)![0]
  await click(button('I have kept it', dialog))

  // A policy with a finding, which is fixed.
  await navigate('Policies')
  await click(button('Create policy'))
  await dialog.getByLabel('Name').fill('Secrets')
  const editor = dialog.getByLabel('Policy document')
  const document = (operator: string) => {
    const Condition = { [operator]: { 'aws:PrincipalTag/team': 'blue-*' } }
    const Statement = [{ Effect: 'Allow', Action: 'secretsmanager:ListSecrets', Resource: '*', Condition }]
    return JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2)
  }
  // Saved like this it would allow nothing, and no error would say so.
  await editor.fill(document('StringEquals'))
  await dialog.getByText('Warning', { exact: true }).waitFor()
  await screenshot(page, 'walk-finding')
  await click(dialog.getByRole('link', { name: /Go to line/ }).first())
  await editor.fill(document('StringLike'))
  await dialog.getByText('No findings').waitFor()
  await click(button('Create policy', dialog))

  // It is attached to the user.
  await page.getByRole('heading', { name: 'Secrets', level: 1 }).waitFor()
  await click(page.getByRole('tab', { name: 'Attached to' }))
  await click(button('Attach', page.getByRole('tabpanel')))
  await click(dialog.getByRole('button', { name: /User, group or role/ }))
  await click(page.getByRole('option', { name: 'ann' }))
  await click(button('Attach', dialog))
  await page.getByRole('tabpanel').getByRole('link', { name: 'ann' }).waitFor()

  // The user's program is denied.
  const credentials = { accessKeyId, secretAccessKey }
  const asAnn = new SecretsManagerClient({ endpoint: server.api, region: 'us-east-1', credentials })
  await expect(asAnn.send(new CreateSecretCommand({ Name: 'db', SecretString: 'x' }))).rejects.toThrow('not authorized')

  // Why?
  await navigate('Home')
  await settled(page)
  await click(page.getByRole('link', { name: 'CreateSecret' }))
  await page.getByText('This layer decided').waitFor()
  const reason = await page.locator('main').innerText()
  expect(reason).toContain('because no statement of the identity policies of ann allows it')
  await screenshot(page, 'walk-denial')
  expect(clicks).toBeLessThanOrEqual(CLICKS_MAX)
})
