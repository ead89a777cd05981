/** What a control policy would change for a member account: its calls are read through the role of the management account. */
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeCreateAccountStatusCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { keysOf } from '../cloud.ts'
import { openBrowser, screenshot } from './browser.ts'
import { ACCOUNT, type ConsoleServer, type Person, ROOT, settled, signedIn, startConsole } from './console.ts'

let server: ConsoleServer
let browser: Browser

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('shows which calls of a member account would be denied', async () => {
  const settings = { endpoint: server.api, region: 'us-east-1' }
  const asRoot = { ...settings, credentials: ROOT }
  const organizations = new OrganizationsClient(asRoot)
  const iam = new IAMClient(asRoot)
  await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
  const [root] = (await organizations.send(new ListRootsCommand({}))).Roots!
  const Type = 'SERVICE_CONTROL_POLICY'
  await organizations.send(new EnablePolicyTypeCommand({ RootId: root!.Id!, PolicyType: Type })).catch(() => undefined)
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({ AccountName: 'Workload', Email: 'workload@corp.test' }),
  )
  const member = await vi.waitFor(
    async () => {
      const status = await organizations.send(
        new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: CreateAccountStatus!.Id! }),
      )
      expect(status.CreateAccountStatus!.State).toBe('SUCCEEDED')
      return status.CreateAccountStatus!.AccountId!
    },
    { timeout: 60_000, interval: 200 },
  )
  const document = (Action: string) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action, Resource: '*' }] })
  const { Policy } = await organizations.send(
    new CreatePolicyCommand({ Name: 'Limits', Description: 'Limits', Type, Content: document('kms:CreateKey') }),
  )
  const PolicyId = Policy!.PolicySummary!.Id!
  await organizations.send(new AttachPolicyCommand({ PolicyId, TargetId: member }))

  await iam.send(new CreateUserCommand({ UserName: 'boss' }))
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachUserPolicyCommand({ UserName: 'boss', PolicyArn }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'boss' }))
  const keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  const RoleArn = `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`
  const assumed = await new STSClient({ ...settings, credentials: keys }).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'boss' }),
  )
  await new IAMClient({ ...settings, credentials: keysOf(assumed) }).send(new ListUsersCommand({}))

  const boss: Person = { ...keys, arn: `arn:aws:iam::${ACCOUNT}:user/boss` }
  const { page, context, problems } = await signedIn(browser, boss)
  await page.goto(`${server.console}#/organization/${PolicyId}`)
  await page.getByLabel('Policy document').fill(document('iam:ListUsers'))
  await page.getByRole('button', { name: 'What would change?' }).click()
  await page.getByText('Service control policies do not bind the management account').waitFor()
  await page.getByRole('button', { name: /Whose calls/ }).click()
  await page.getByRole('option', { name: `Workload (${member})` }).click()

  await page.getByText(/^\d+ calls: 1 would be denied, 0 would be allowed/).waitFor()
  const row = page.getByRole('row', { name: /iam:ListUsers/ })
  expect(await row.innerText()).toContain('Denied')
  await settled(page)
  await screenshot(page, 'what-if-member')
  expect(problems).toEqual([])
  await context.close()
})
