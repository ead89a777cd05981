/** People of a real Active Directory domain sign in with a browser, and see why when they may not. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AddTagsToResourceCommand,
  ConnectDirectoryCommand,
  CreateAliasCommand,
  DescribeDirectoriesCommand,
  DirectoryServiceClient,
} from '@aws-sdk/client-directory-service'
import { CreateRoleCommand } from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { allowing } from '../cloud.ts'
import { ADMIN_PASSWORD, addPeople, type Domain, disable, PASSWORD, samba } from '../federation/samba.ts'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { settled } from './console.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

let domain: Domain
let server: SignInServer
let browser: Browser
let context: BrowserContext
let page: Page

beforeAll(async () => {
  const port = await freePort()
  domain = await samba(port)
  await addPeople(domain)
  const ca = join(temporaryFolder(), 'ca.pem')
  writeFileSync(ca, domain.ca)
  server = await startInstallation({
    MERLON_DIRECTORY_SERVERS: 'corp.test=ldaps://dc1.corp.test',
    MERLON_FEDERATION_HOSTS: `dc1.corp.test=127.0.0.1:${port}`,
    MERLON_DIRECTORY_CA: ca,
  })
  browser = await openBrowser()
  const AssumeRolePolicyDocument = allowing({ Principal: { Service: 'ds.amazonaws.com' }, Action: 'sts:AssumeRole' })
  for (const RoleName of ['Staff', 'Engineer'])
    await server.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
  const { credentials, api: endpoint } = server
  const ds = new DirectoryServiceClient({ region: 'us-east-1', endpoint, credentials })
  const { DirectoryId } = await ds.send(
    new ConnectDirectoryCommand({
      Name: 'corp.test',
      Size: 'Small',
      Password: ADMIN_PASSWORD,
      ConnectSettings: {
        VpcId: 'vpc-12345678',
        SubnetIds: ['subnet-12345678'],
        CustomerDnsIps: ['10.0.0.1'],
        CustomerUserName: 'administrator',
      },
    }),
  )
  await ds.send(new CreateAliasCommand({ DirectoryId, Alias: 'corp' }))
  const Tags = [
    { Key: 'merlon:role/Staff', Value: 'Company' },
    { Key: 'merlon:role/Engineer', Value: 'Engineers' },
  ]
  await ds.send(new AddTagsToResourceCommand({ ResourceId: DirectoryId, Tags }))
  const isActive = async () => {
    const { DirectoryDescriptions } = await ds.send(new DescribeDirectoriesCommand({ DirectoryIds: [DirectoryId!] }))
    expect(DirectoryDescriptions![0]!.Stage).toBe('Active')
  }
  await vi.waitFor(isActive, { timeout: 60_000, interval: 200 })
}, 600_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await domain?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

async function signIn(name: string, password = PASSWORD): Promise<void> {
  await page.goto(`${server.origin}/signin/directory/corp`)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe('A page says what the domain says of', () => {
  test.each([
    ['a wrong password', 'ann', 'The user name or the password is incorrect.', 'wrong'],
    ['an unknown person', 'nobody', 'The user name or the password is incorrect.', PASSWORD],
    ['a disabled person', 'disabled', 'Your account is disabled.', PASSWORD],
    ['an account that has expired', 'expired', 'Your account has expired.', PASSWORD],
    ['a password that must be changed', 'changing', 'Your password must be changed before you can sign in.', PASSWORD],
  ])('%s', async (_what, name, message, password) => {
    await signIn(name, password)

    await page.getByRole('alert').getByText(message).waitFor()
    await screenshot(page, `directory-${name}`)
    expect(await accessibilityFindings(page)).toEqual([])
  })

  test('an account that wrong passwords have locked', async () => {
    for (let attempt = 0; attempt < 4; attempt++) await signIn('locked', 'wrong')
    await page.getByRole('alert').waitFor()
    await signIn('locked')

    await page.getByRole('alert').getByText('Your account is locked after too many failed attempts.').waitFor()
  })
})

test('a person of nested groups selects a role; disabled in the domain, the person is out within a minute', async () => {
  await signIn('ann@corp.test')
  await page.getByRole('heading', { name: 'Select a role', level: 1 }).waitFor()
  await screenshot(page, 'directory-roles')
  expect(await accessibilityFindings(page)).toEqual([])
  await page.getByLabel('Staff').check()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await settled(page)
  const session = () =>
    page.evaluate(
      async () =>
        (await fetch('/console/session')).json() as Promise<{ signedIn: boolean; principal: { arn: string } }>,
    )
  expect((await session()).principal.arn).toBe(`arn:aws:sts::${server.account}:assumed-role/Staff/ann`)

  await disable(domain, 'ann')
  const disabledAt = Date.now()
  await expect.poll(async () => (await session()).signedIn, { timeout: 120_000, interval: 500 }).toBe(false)
  // The rule is a minute; a busy machine has some more time for the last call.
  expect(Date.now() - disabledAt).toBeLessThan(80_000)
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in as IAM user', level: 1 }).waitFor()
})
