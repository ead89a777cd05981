/** People of an OpenLDAP directory sign in with a browser, and are out within a minute once they are deleted there. */
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
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { allowing } from '../cloud.ts'
import { BASE, SERVICE_PASSWORD, type Slapd, slapd } from '../federation/slapd.ts'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { openBrowser } from './browser.ts'
import { settled } from './console.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

let directory: Slapd
let server: SignInServer
let browser: Browser
let page: Page

beforeAll(async () => {
  const port = await freePort()
  directory = await slapd(port)
  const ca = join(temporaryFolder(), 'ca.pem')
  writeFileSync(ca, directory.ca)
  server = await startInstallation({
    MERLON_DIRECTORY_SERVERS: 'corp.test=ldaps://ldap.corp.test',
    MERLON_FEDERATION_HOSTS: `ldap.corp.test=127.0.0.1:${port}`,
    MERLON_DIRECTORY_CA: ca,
  })
  const AssumeRolePolicyDocument = allowing({ Principal: { Service: 'ds.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await server.iam.send(new CreateRoleCommand({ RoleName: 'Staff', AssumeRolePolicyDocument }))
  const { credentials, api: endpoint } = server
  const ds = new DirectoryServiceClient({ region: 'us-east-1', endpoint, credentials })
  const { DirectoryId } = await ds.send(
    new ConnectDirectoryCommand({
      Name: 'corp.test',
      Size: 'Small',
      Password: SERVICE_PASSWORD,
      ConnectSettings: { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'], CustomerUserName: 'svc' },
    }),
  )
  await ds.send(new CreateAliasCommand({ DirectoryId, Alias: 'corp' }))
  // A group of a group of the person.
  const Tags = [{ Key: 'merlon:role/Staff', Value: 'everyone' }]
  await ds.send(new AddTagsToResourceCommand({ ResourceId: DirectoryId, Tags }))
  const isActive = async () => {
    const { DirectoryDescriptions } = await ds.send(new DescribeDirectoriesCommand({ DirectoryIds: [DirectoryId!] }))
    expect(DirectoryDescriptions![0]!.Stage).toBe('Active')
  }
  await vi.waitFor(isActive, { timeout: 60_000, interval: 200 })
  browser = await openBrowser()
  page = await browser.newPage()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await directory?.remove()
})

async function signIn(name: string, password: string): Promise<void> {
  await page.goto(`${server.origin}/signin/directory/corp`)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

test('a nested group gives a role; a wrong password does not, and a deleted person is out within a minute', async () => {
  for (const [name, password] of [
    ['ann', 'wrong'],
    ['nobody', 'Ann-Passw0rd'],
    ['ann*', 'Ann-Passw0rd'],
  ] as const) {
    await signIn(name, password)
    await page.getByRole('alert').getByText('The user name or the password is incorrect.').waitFor()
  }
  await signIn('ann', 'Ann-Passw0rd')
  await page.waitForURL('**/console/**')
  await settled(page)
  const session = () =>
    page.evaluate(
      async () =>
        (await fetch('/console/session')).json() as Promise<{ signedIn: boolean; principal: { arn: string } }>,
    )
  expect((await session()).principal.arn).toBe(`arn:aws:sts::${server.account}:assumed-role/Staff/ann`)

  directory.modify(`dn: uid=ann,ou=people,${BASE}\nchangetype: delete\n`)
  await expect.poll(async () => (await session()).signedIn, { timeout: 80_000, interval: 500 }).toBe(false)
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in as IAM user', level: 1 }).waitFor()
})
