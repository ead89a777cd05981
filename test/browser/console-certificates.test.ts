/** Certificates in the console: one is requested, the page says what is wrong with its record, and it is issued. */
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import { certifiedAuthorities } from './certificate-authority.ts'
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
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('a certificate says which record it wants and what was found, until it is issued', async () => {
  const { page, problems } = await signedIn(browser, ROOT_PERSON)
  const findings: string[] = []
  const dialog = page.getByRole('dialog')
  const route53 = new Route53Client({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
  const { HostedZone } = await route53.send(
    new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'console' }),
  )
  const put = (Name: string, Value: string) =>
    route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: HostedZone!.Id!,
        ChangeBatch: {
          Changes: [
            {
              Action: 'UPSERT',
              ResourceRecordSet: { Name, Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value }] },
            },
          ],
        },
      }),
    )

  await page.goto(server.console)
  await openPage(page, 'certificates', 'There are no certificates.')
  await page.getByRole('button', { name: 'Request certificate', exact: true }).click()
  await dialog.getByRole('textbox', { name: 'Domain' }).fill('shop.corp.test')
  await dialog.getByRole('button', { name: 'Request', exact: true }).click()
  await page.getByText('Create this CNAME record').waitFor()
  const shown = await page.locator('main').innerText()
  const [name] = /_[0-9a-f]+\.shop\.corp\.test\./.exec(shown)!
  const [value] = /_[0-9a-f]+\.[\w.-]*acm-validations[\w.-]*/.exec(shown)!

  await put(name, 'elsewhere.corp.test.')
  const found = page.getByText(/CNAME elsewhere\.corp\.test; expected/)
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Check again' }).click()
      await settled(page)
      return found.isVisible()
    })
    .toBe(true)
  findings.push(...(await lookedAt(page, 'certificate-wrong-record')))

  await put(name, value)
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Check again' }).click()
      await settled(page)
      return page.getByText('It is in force.').isVisible()
    })
    .toBe(true)
  findings.push(...(await lookedAt(page, 'certificate-issued')))
  await openPage(page, 'certificates', 'shop.corp.test')
  findings.push(...(await lookedAt(page, 'certificates')))

  await openPage(page, 'certificates/authorities', 'There is no private authority.')
  const subordinate = await certifiedAuthorities(server.api, ROOT)
  await page.reload()
  await page.getByText('Corp Root').waitFor()
  // The subordinate is below the root that certified it.
  const below = page.locator('.tree .tree', { hasText: subordinate })
  expect(await below.innerText()).toContain('Active')
  await settled(page)
  findings.push(...(await lookedAt(page, 'authorities')))
  expect(findings).toEqual([])
  expect(problems).toEqual([])
}, 600_000)
