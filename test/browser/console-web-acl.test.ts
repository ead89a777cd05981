/** Web ACLs in the console: what a rule that counts would block is read from its samples before it blocks. */
import {
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { AssociateWebACLCommand, CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import {
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

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
  await protect()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const METRICS = { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true }

/** A user pool whose pages are filtered by a rule that counts. */
async function protect(): Promise<void> {
  const settings = { endpoint: server.api, region: 'us-east-1', credentials: ROOT }
  const [cognito, waf] = [new CognitoIdentityProviderClient(settings), new WAFV2Client(settings)]
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: 'people' }))
  await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId: UserPool!.Id!, Domain: 'people' }))
  const { Summary } = await waf.send(
    new CreateWebACLCommand({
      Name: 'shop',
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: { ...METRICS, MetricName: 'shop' },
      Rules: [
        {
          Name: 'probes',
          Priority: 0,
          Action: { Count: {} },
          Statement: {
            ByteMatchStatement: {
              FieldToMatch: { QueryString: {} },
              PositionalConstraint: 'CONTAINS',
              SearchString: Buffer.from('probe'),
              TextTransformations: [{ Priority: 0, Type: 'NONE' }],
            },
          },
          VisibilityConfig: { ...METRICS, MetricName: 'probes' },
        },
      ],
    }),
  )
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN!, ResourceArn: UserPool!.Arn! }))
}

test('a rule that counts shows what it would block, and blocks that after the switch', async () => {
  const { page, problems } = await signedIn(browser, ROOT_PERSON)
  const findings: string[] = []
  const dialog = page.getByRole('dialog')
  const login = (query: string) => fetch(`${new URL(server.console).origin}/_cognito/us-east-1/people/login?${query}`)
  for (let n = 0; n < 3; n++) await login(`probe=${n}`)
  const before = await login('probe=last')
  expect(before.headers.get('content-type')).toContain('html')

  await page.goto(server.console)
  await openPage(page, 'waf', 'shop')
  findings.push(...(await lookedAt(page, 'waf')))
  await page.getByRole('link', { name: 'shop' }).click()
  await page.getByText('the query string contains "probe"').waitFor()
  await page.getByText('userpool/').waitFor()
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Reload requests' }).click()
      await settled(page)
      return page.getByText('/login?probe=last').first().isVisible()
    })
    .toBe(true)
  findings.push(...(await lookedAt(page, 'web-acl')))

  await page.getByRole('radio').first().click({ force: true })
  await page.getByRole('button', { name: 'Block instead of counting' }).click()
  await dialog.getByText('it matched 4 requests. 4 of them passed, and would be blocked: from 1 address.').waitFor()
  findings.push(...(await lookedAt(page, 'web-acl-effect')))
  await dialog.getByRole('button', { name: 'Block', exact: true }).click()
  await page.getByText('probes blocks now.').waitFor()
  await expect.poll(async () => (await login('probe=again')).status).toBe(403)
  expect((await login('hello')).status).toBe(before.status)

  await openPage(page, 'waf', 'shop')
  await page.getByRole('tab', { name: 'IP sets' }).click()
  await page.getByRole('button', { name: 'Create IP set' }).click()
  await dialog.getByLabel('Name').fill('office')
  await dialog.getByRole('textbox', { name: 'Addresses' }).fill('198.51.100.0/24\n203.0.113.7/32')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByText('198.51.100.0/24, 203.0.113.7/32').waitFor()
  await page.getByRole('radio').first().click({ force: true })
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await dialog.getByRole('textbox', { name: 'Addresses' }).fill('198.51.100.0/24')
  await dialog.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('office was changed.').waitFor()
  await page.getByText('203.0.113.7/32').waitFor({ state: 'detached' })
  findings.push(...(await lookedAt(page, 'ip-sets')))
  expect(findings).toEqual([])
  expect(problems).toEqual([])
}, 600_000)
