/**
 * Tasks on the first pages of the console, behind their tabs and dialogs, and all of it by keyboard. axe-core looks at each
 * tab and dialog.
 */
import { readFileSync } from 'node:fs'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetRoleCommand,
  IAMClient,
  ListGroupsForUserCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  EncryptCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  AttachPolicyCommand,
  CreatePolicyCommand as CreateControlCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { allowing } from '../cloud.ts'
import { openBrowser } from './browser.ts'
import {
  ACCOUNT,
  type ConsoleServer,
  lookedAt,
  openPage,
  type Person,
  ROOT,
  ROOT_PERSON,
  settled,
  signedIn,
  startConsole,
} from './console.ts'

let server: ConsoleServer
let browser: Browser
let context: BrowserContext
let page: Page
let ann: Person
let key: string
let doomed: string

const settings = () => ({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
const iam = () => new IAMClient(settings())
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const tab = (name: string) => page.getByRole('tab', { name, exact: true })
const panel = () => page.getByRole('tabpanel')

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
  const [kms, secrets, organizations] = [
    new KMSClient(settings()),
    new SecretsManagerClient(settings()),
    new OrganizationsClient(settings()),
  ] as const
  await iam().send(new CreateUserCommand({ UserName: 'ann' }))
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam().send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn }))
  const { AccessKey } = await iam().send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const arn = `arn:aws:iam::${ACCOUNT}:user/ann`
  ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey!, arn }
  const trust = allowing({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' })
  await iam().send(new CreateRoleCommand({ RoleName: 'Auditor', AssumeRolePolicyDocument: trust }))

  key = (await kms.send(new CreateKeyCommand({ Description: 'orders' }))).KeyMetadata!.KeyId!
  doomed = (await kms.send(new CreateKeyCommand({ Description: 'old' }))).KeyMetadata!.KeyId!
  await kms.send(
    new CreateGrantCommand({ KeyId: key, GranteePrincipal: arn, Operations: ['Decrypt'], Name: 'reports' }),
  )
  await kms.send(new EncryptCommand({ KeyId: key, Plaintext: Buffer.from('x') }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: doomed, PendingWindowInDays: 7 }))
  await secrets.send(new CreateSecretCommand({ Name: 'prod/db', SecretString: '{"password":"first"}' }))
  await secrets.send(new PutSecretValueCommand({ SecretId: 'prod/db', SecretString: '{"password":"second"}' }))

  await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
  const root = (await organizations.send(new ListRootsCommand({}))).Roots![0]!.Id!
  const PolicyType = 'SERVICE_CONTROL_POLICY'
  await organizations.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType })).catch(() => undefined)
  await organizations.send(new CreateOrganizationalUnitCommand({ ParentId: root, Name: 'Workloads' }))
  const Content = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Deny', Action: 'organizations:LeaveOrganization', Resource: '*' },
  })
  const { Policy } = await organizations.send(
    new CreateControlCommand({ Name: 'NoLeave', Description: 'Accounts stay', Type: PolicyType, Content }),
  )
  await organizations.send(new AttachPolicyCommand({ PolicyId: Policy!.PolicySummary!.Id!, TargetId: root }))
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function open(person: Person = ROOT_PERSON): Promise<void> {
  const opened = await signedIn(browser, person)
  context = opened.context
  page = opened.page
  await page.goto(server.console)
  await settled(page)
}
beforeEach(async ({ task }) => {
  await open(task.name.includes('Ann') ? ann : ROOT_PERSON)
})
afterEach(() => context.close())

test('home shows a key that is about to be deleted, and that the root user has no second factor', async () => {
  await page.locator('main', { hasText: `The KMS key ${doomed} is deleted on` }).waitFor()
  await page.locator('main', { hasText: 'The root user has no MFA device.' }).waitFor()
})

test('the grants, the rotation and the use of a key', async () => {
  const found: string[] = []
  await openPage(page, `kms/${key}`, 'orders')
  await tab('Grants').click()
  await panel()
    .getByRole('row', { name: /user\/ann.*Decrypt.*reports/ })
    .waitFor()
  found.push(...(await lookedAt(page, 'kms-grants')))

  await tab('Rotation').click()
  await panel().getByText('The key has its first material.').waitFor()
  await panel().getByLabel('Rotate this key').click()
  await panel().getByText('365 days').waitFor()
  await button('Rotate now').click()
  await panel()
    .getByRole('row', { name: /On demand/ })
    .waitFor()
  found.push(...(await lookedAt(page, 'kms-rotation')))

  await tab('Use').click()
  await panel()
    .getByText(/Last used .*: Encrypt/)
    .waitFor()
  found.push(...(await lookedAt(page, 'kms-use')))
  await tab('Tags').click()
  found.push(...(await lookedAt(page, 'kms-tags')))

  await tab('Grants').click()
  await panel()
    .getByRole('row', { name: /reports/ })
    .getByRole('radio')
    .click()
  await button('Revoke').click()
  await dialog().getByText('can no longer Decrypt through it.').waitFor()
  found.push(...(await lookedAt(page, 'kms-revoke')))
  await dialog().getByRole('button', { name: 'Revoke' }).click()
  await panel()
    .getByRole('row', { name: /reports/ })
    .waitFor({ state: 'detached' })
  expect(found).toEqual([])
})

test('a secret is revealed for a reason, which is recorded, and hidden again; its versions are on a time line', async () => {
  const found: string[] = []
  await openPage(page, 'secrets/prod%2Fdb', 'AWSPREVIOUS')
  const line = await page.locator('ol.time-line > li').allInnerTexts()
  expect(line.map((text) => /AWS\w+/.exec(text)?.[0])).toEqual(['AWSCURRENT', 'AWSPREVIOUS'])

  await button('Reveal value').click()
  await dialog().getByLabel('Reason').fill('why?')
  expect(await dialog().getByRole('button', { name: 'Reveal' }).isEnabled()).toBe(false)
  await dialog().getByLabel('Reason').fill('incident 4711')
  found.push(...(await lookedAt(page, 'secret-reason')))
  await dialog().getByRole('button', { name: 'Reveal' }).click()
  await dialog().getByText('second').waitFor()
  found.push(...(await lookedAt(page, 'secret-value')))
  await dialog().getByRole('button', { name: 'Hide' }).click()
  await dialog().waitFor({ state: 'detached' })
  expect(await page.content()).not.toContain('"second"')

  const lookup = new LookupEventsCommand({
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'GetSecretValue' }],
  })
  const { Events = [] } = await new CloudTrailClient(settings()).send(lookup)
  expect(Events.map(({ CloudTrailEvent }) => CloudTrailEvent).join()).toContain('incident 4711')
  await tab('Access').click()
  await panel().getByRole('link', { name: 'GetSecretValue' }).first().waitFor()
  found.push(...(await lookedAt(page, 'secret-access')))
  expect(found).toEqual([])
})

test('a unit of the organization shows the controls that it inherits', async () => {
  await openPage(page, 'organization', 'Workloads')
  await page.getByRole('button', { name: 'Workloads' }).click()
  await page.getByRole('row', { name: /NoLeave.*Inherited from Root.*Accounts stay/ }).waitFor()
  expect(await lookedAt(page, 'organization-inherited')).toEqual([])
  await page.getByRole('button', { name: 'Root', exact: true }).click()
  await page.getByRole('row', { name: /NoLeave.*Attached here/ }).waitFor()
})

test('the event history is filtered, shown on a time line and downloaded', async () => {
  await openPage(page, 'audit?by=EventName&value=Encrypt', 'Export')
  const names = () => page.getByRole('row').getByRole('link').allInnerTexts()
  expect(new Set(await names())).toEqual(new Set(['Encrypt']))
  await page.getByLabel('Value').fill('CreateKey')
  await button('Find').click()
  await expect.poll(async () => [...new Set(await names())]).toEqual(['CreateKey'])
  await page.getByLabel('Calls over time').first().waitFor()

  const download = page.waitForEvent('download')
  await button('Export').click()
  await page.getByRole('menuitem', { name: 'CSV' }).click()
  const csv = readFileSync((await (await download).path())!, 'utf8')
  expect(csv.split('\n').filter((row) => row.includes('CreateKey'))).toHaveLength(2)
  await page.getByTestId('denied').click()
  await page.getByText('No event matches.').waitFor()
  expect(await lookedAt(page, 'audit-filtered')).toEqual([])
})

test('a group and a role are created, changed and deleted', async () => {
  const found: string[] = []
  await openPage(page, 'iam/groups', 'Groups')
  await button('Create group').click()
  await dialog().getByLabel('Name').fill('operators')
  found.push(...(await lookedAt(page, 'group-create')))
  await dialog().getByRole('button', { name: 'Create group' }).click()
  await page.getByRole('heading', { name: 'operators', level: 1 }).waitFor()
  await tab('Members').click()
  found.push(...(await lookedAt(page, 'group-members')))
  await panel().getByRole('button', { name: /^Add/ }).click()
  await dialog().getByRole('button', { name: /User/ }).click()
  await page.getByRole('option', { name: 'ann' }).click()
  await dialog().getByRole('button', { name: 'Add' }).click()
  await panel().getByRole('row', { name: /ann/ }).waitFor()
  const { Groups } = await iam().send(new ListGroupsForUserCommand({ UserName: 'ann' }))
  expect(Groups!.map(({ GroupName }) => GroupName)).toEqual(['operators'])

  await openPage(page, 'iam/roles', 'Auditor')
  await button('Create role').click()
  await dialog().getByLabel('Name').fill('Deployer')
  found.push(...(await lookedAt(page, 'role-create')))
  await dialog().getByRole('button', { name: 'Create role' }).click()
  await page.getByRole('heading', { name: 'Deployer', level: 1 }).waitFor()
  const { Role } = await iam().send(new GetRoleCommand({ RoleName: 'Deployer' }))
  expect(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).toContain(`arn:aws:iam::${ACCOUNT}:root`)
  for (const each of await page.getByRole('tab').all()) {
    await each.click()
    await settled(page)
    found.push(...(await lookedAt(page, `role-${await each.innerText()}`)))
  }
  await openPage(page, 'iam/roles', 'Deployer')
  await page
    .getByRole('row', { name: /Deployer/ })
    .getByRole('radio')
    .click()
  await button('Delete').click()
  await dialog().getByRole('textbox').fill('Deployer')
  await dialog().getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('row', { name: /Deployer/ }).waitFor({ state: 'detached' })
  const { Roles } = await iam().send(new ListRolesCommand({}))
  expect(Roles!.some(({ RoleName }) => RoleName === 'Deployer')).toBe(false)
  expect(found).toEqual([])
})

test('Ann switches to a role and back, and to another Region', async () => {
  await button('Signed in as ann, account 111122223333').click()
  await page.getByRole('menuitem', { name: 'Switch role…' }).click()
  await dialog().getByLabel('Role').fill('Nobody')
  await dialog().getByRole('button', { name: 'Switch role' }).click()
  await dialog().getByText('not authorized to perform: sts:AssumeRole').waitFor()
  await dialog().getByLabel('Role').fill('Auditor')
  expect(await lookedAt(page, 'switch-role-dialog')).toEqual([])
  await dialog().getByRole('button', { name: 'Switch role' }).click()
  await dialog().waitFor({ state: 'detached' })
  await page.locator('main', { hasText: `assumed-role/Auditor/` }).waitFor()
  await page.getByRole('button', { name: /^Signed in as/ }).click()
  await page.getByRole('menuitem', { name: 'Back to your own access' }).click()
  await page.locator('main', { hasText: `arn:aws:iam::${ACCOUNT}:user/ann` }).waitFor()

  await openPage(page, 'kms', 'orders')
  await button('Region us-east-1').click()
  await page.getByRole('menuitem', { name: 'eu-west-1' }).click()
  await settled(page)
  await page.locator('main', { hasText: 'orders' }).waitFor({ state: 'detached' })
})

describe('By keyboard', () => {
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document
      return (activeElement?.getAttribute('aria-label') || activeElement?.textContent || '').trim()
    })
  /** Each thing that Tab reaches before it must show that it has the focus. */
  async function tabTo(name: string): Promise<void> {
    for (let step = 0; step < 120; step++) {
      await page.keyboard.press('Tab')
      if ((await focused()) === name) return
    }
    throw new Error(`Tab does not lead to ${name}; it ended at ${await focused()}`)
  }

  test('a person skips to the page, creates a user, and leaves a dialog by Escape', async () => {
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the page')
    const skip = page.getByText('Skip to the page')
    expect((await skip.boundingBox())!.y).toBeGreaterThanOrEqual(0)
    await tabTo('Users')
    const outline = await page.evaluate(() => {
      const all = [document.activeElement!, ...[':before', ':after'].map((pseudo) => pseudo)]
      return all.some((each) => {
        const style =
          typeof each === 'string' ? getComputedStyle(document.activeElement!, each) : getComputedStyle(each as Element)
        return (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none'
      })
    })
    expect(outline).toBe(true)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor()
    await settled(page)

    await tabTo('Create user')
    await page.keyboard.press('Enter')
    await dialog().waitFor()
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(await focused()).toBe('Create user')

    await page.keyboard.press('Enter')
    await dialog().waitFor()
    await dialog().locator('input:focus').waitFor()
    await page.keyboard.type('bob')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'bob', level: 1 }).waitFor()
  })
})
