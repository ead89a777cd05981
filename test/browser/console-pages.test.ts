/** Each page of the console: it opens under its own security policy without an error, and axe-core finds nothing. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutGroupPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateAliasCommand, CreateGrantCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreatePolicyCommand as CreateControlCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, screenshot } from './browser.ts'
import {
  ACCOUNT,
  type ConsoleServer,
  lookedAt,
  openPage,
  ROOT,
  ROOT_PERSON,
  settled,
  signedIn,
  startConsole,
} from './console.ts'

let server: ConsoleServer
let browser: Browser
const found = { key: '', denial: '', control: '' }

const document = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const POLICY = `arn:aws:iam::${ACCOUNT}:policy/KeysButFew`

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
  await fill()
})

afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** Something of everything, as an account in use has it. */
async function fill(): Promise<void> {
  const settings = { endpoint: server.api, region: 'us-east-1' }
  const asRoot = { ...settings, credentials: ROOT }
  const [iam, kms, secrets, organizations] = [
    new IAMClient(asRoot),
    new KMSClient(asRoot),
    new SecretsManagerClient(asRoot),
    new OrganizationsClient(asRoot),
  ] as const
  await iam.send(new CreateUserCommand({ UserName: 'ann', Tags: [{ Key: 'team', Value: 'blue' }] }))
  await iam.send(new CreateGroupCommand({ GroupName: 'developers' }))
  await iam.send(new AddUserToGroupCommand({ GroupName: 'developers', UserName: 'ann' }))
  await iam.send(
    new PutGroupPolicyCommand({
      GroupName: 'developers',
      PolicyName: 'read',
      PolicyDocument: document({
        Effect: 'Allow',
        Action: ['iam:Get*', 'iam:List*'],
        Resource: '*',
        Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
      }),
    }),
  )
  await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'KeysButFew',
      PolicyDocument: document(
        { Sid: 'Keys', Effect: 'Allow', Action: 'kms:*', Resource: '*' },
        { Sid: 'NoKeys', Effect: 'Deny', Action: 'kms:CreateKey', Resource: '*' },
      ),
    }),
  )
  await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: POLICY }))
  const trust = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' }
  await iam.send(new CreateRoleCommand({ RoleName: 'Auditor', AssumeRolePolicyDocument: document(trust) }))

  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'orders' }))
  found.key = KeyMetadata!.KeyId!
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/orders', TargetKeyId: found.key }))
  await kms.send(
    new CreateGrantCommand({
      KeyId: found.key,
      GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/ann`,
      Operations: ['Decrypt'],
    }),
  )
  await secrets.send(new CreateSecretCommand({ Name: 'prod/db', SecretString: '{"password":"first"}' }))
  await secrets.send(new PutSecretValueCommand({ SecretId: 'prod/db', SecretString: '{"password":"second"}' }))

  await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
  const [root] = (await organizations.send(new ListRootsCommand({}))).Roots!
  const PolicyType = 'SERVICE_CONTROL_POLICY'
  await organizations.send(new EnablePolicyTypeCommand({ RootId: root!.Id!, PolicyType })).catch(() => undefined)
  await organizations.send(new CreateOrganizationalUnitCommand({ ParentId: root!.Id!, Name: 'Workloads' }))
  const control = await organizations.send(
    new CreateControlCommand({
      Name: 'NoLeave',
      Description: 'Accounts stay',
      Type: PolicyType,
      Content: document({ Effect: 'Deny', Action: 'organizations:LeaveOrganization', Resource: '*' }),
    }),
  )
  found.control = control.Policy!.PolicySummary!.Id!

  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  await new KMSClient({ ...settings, credentials: ann }).send(new CreateKeyCommand({})).catch(() => undefined)
  const { Events } = await new CloudTrailClient(asRoot).send(
    new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: 'ann' }] }),
  )
  found.denial = Events!.find(({ EventName }) => EventName === 'CreateKey')!.EventId!
}

const PAGES: readonly (readonly [address: () => string, shows: string | RegExp])[] = [
  [() => '', 'What needs attention'],
  [() => 'iam/users', 'ann'],
  [() => 'iam/users/ann', 'KeysButFew'],
  [() => 'iam/groups', 'developers'],
  [() => 'iam/groups/developers', 'read'],
  [() => 'iam/roles', 'Auditor'],
  [() => 'iam/roles/Auditor', 'Act as this role'],
  [() => 'iam/policies', 'KeysButFew'],
  [() => `iam/policies/${encodeURIComponent(POLICY)}`, /No findings|Suggestion|arning/],
  [() => 'iam/who-can?action=kms:Decrypt&resource=*', 'Keys in KeysButFew'],
  [() => `iam/what-can?principal=arn:aws:iam::${ACCOUNT}:user/ann`, 'iam:Get*'],
  [() => 'organization', 'Workloads'],
  [() => `organization/${found.control}`, 'organizations:LeaveOrganization'],
  [() => 'kms', 'orders'],
  [() => `kms/${found.key}`, 'kms:*'],
  [() => 'secrets', 'prod/db'],
  [() => 'secrets/prod%2Fdb', 'AWSPREVIOUS'],
  [() => 'audit', 'Export'],
  [() => `audit/${found.denial}`, 'This layer decided'],
  [() => 'audit/proof', '1,234 records in 2 chains'],
  [() => 'services', 'AWS Key Management Service'],
  [() => 'services/iam', 'ListUsers'],
  [() => 'services/iam/ListUsers', 'ann'],
  [() => `services/iam/ListUsers/${encodeURIComponent(`arn:aws:iam::${ACCOUNT}:user/ann`)}`, 'GetUser'],
  [() => 'services/kms/call/Encrypt', 'Call Encrypt'],
  [() => 'nowhere', 'There is no such page'],
]

test('each page opens without an error, and is accessible in both themes', async () => {
  const { page, context, problems } = await signedIn(browser, ROOT_PERSON)
  await page.goto(server.console)
  const found: string[] = []
  for (const [address, shows] of PAGES) {
    const name = address() || 'home'
    await openPage(page, address(), shows)
    found.push(...(await lookedAt(page, name)), ...problems.splice(0).map((problem) => `${name}: ${problem}`))
  }
  expect(found).toEqual([])
  await context.close()
}, 900_000)

test('a narrow window shows the page before the navigation, which opens on demand', async () => {
  const { page, context } = await signedIn(browser, ROOT_PERSON, { viewport: { width: 420, height: 900 } })
  await page.goto(`${server.console}#/iam/users`)
  await settled(page)
  expect(await page.getByRole('link', { name: 'Groups', exact: true }).isVisible()).toBe(false)
  await page.getByRole('button', { name: 'Navigation' }).click()
  expect(await page.getByRole('link', { name: 'Groups', exact: true }).isVisible()).toBe(true)
  await screenshot(page, 'narrow')
  await context.close()
})

test('the first page loads at most 250 KB, the models of the services it calls among them', async () => {
  const { page, context } = await signedIn(browser, ROOT_PERSON)
  await page.goto(server.console)
  await settled(page)
  const sizes = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/console/assets/'))
      .map((entry) => [(entry as PerformanceResourceTiming).encodedBodySize, entry.name.split('/').at(-1)!] as const)
      .sort(([a], [b]) => b - a),
  )
  const total = sizes.reduce((sum, [size]) => sum + size, 0)
  expect(total, sizes.map(([size, name]) => `${size} ${name}`).join('\n')).toBeLessThanOrEqual(250 * 1024)
  expect(total).toBeGreaterThan(50_000)
  await context.close()
})

test('nothing is loaded from another origin than the console and the API', async () => {
  const { page, context } = await signedIn(browser, ROOT_PERSON)
  const origins = new Set<string>()
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) origins.add(new URL(request.url()).origin)
  })
  await page.goto(server.console)
  await settled(page)
  expect(origins).toEqual(new Set([new URL(server.console).origin, new URL(server.api).origin]))
  await context.close()
})

test('without a session the sign-in page comes first, with the way back', async () => {
  const context = await browser.newContext()
  await context.route('**/console/session', (route) => route.fulfill({ json: { signedIn: false } }))
  await context.route('**/signin?*', (route) => route.fulfill({ body: 'Sign in' }))
  const page = await context.newPage()
  await page.goto(`${server.console}#/iam/users`)
  await page.waitForURL('**/signin?*')
  expect(new URL(page.url()).searchParams.get('redirect')).toBe('/console/#/iam/users')
  await context.close()
})
