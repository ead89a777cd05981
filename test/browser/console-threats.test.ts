/** Threats in the console: detection is switched on, a finding is understood by its story, answered and suppressed. */
import {
  CreateDetectorCommand,
  CreateSampleFindingsCommand,
  GuardDutyClient,
  ListDetectorsCommand,
  ListFindingsCommand,
} from '@aws-sdk/client-guardduty'
import { IAMClient, UpdateAccountPasswordPolicyCommand } from '@aws-sdk/client-iam'
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
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('a finding shows the call that made it, is answered, and findings like another one are suppressed', async () => {
  const { page, problems } = await signedIn(browser, ROOT_PERSON)
  const findings: string[] = []
  const dialog = page.getByRole('dialog')
  const settings = { endpoint: server.api, region: 'us-east-1', credentials: ROOT }
  await page.goto(server.console)
  await openPage(page, 'threats', 'Nothing is watched')
  findings.push(...(await lookedAt(page, 'threats-off')))
  await page.getByRole('button', { name: 'Enable', exact: true }).click()
  await page.getByRole('heading', { name: 'Current findings' }).waitFor()

  const guardduty = new GuardDutyClient(settings)
  const [DetectorId] = (await guardduty.send(new ListDetectorsCommand({}))).DetectorIds!
  const FindingTypes = ['Recon:EC2/Portscan', 'Backdoor:EC2/C&CActivity.B', 'AttackSequence:S3/CompromisedData']
  await guardduty.send(new CreateSampleFindingsCommand({ DetectorId, FindingTypes }))
  await new IAMClient(settings).send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 6 }))
  const weakened = page.getByRole('row').filter({ hasText: 'PasswordPolicyChange' })
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Reload findings' }).click()
      await settled(page)
      return weakened.isVisible()
    })
    .toBe(true)
  // The most urgent first.
  expect(await page.getByRole('row').nth(1).innerText()).toContain('critical')
  findings.push(...(await lookedAt(page, 'threats')))

  await weakened.getByRole('link').click()
  await page.getByText('made the finding').waitFor()
  await settled(page)
  const made = page.getByRole('listitem').filter({ hasText: 'made the finding' })
  expect(await made.innerText()).toContain('UpdateAccountPasswordPolicy')
  findings.push(...(await lookedAt(page, 'threat')))
  await page.getByRole('button', { name: 'No', exact: true }).click()
  await page.getByText('This was reported as a threat').waitFor()

  await openPage(page, 'threats', 'Portscan')
  await page.getByRole('row').filter({ hasText: 'Portscan' }).getByRole('checkbox').click({ force: true })
  await page.getByRole('button', { name: 'Suppress', exact: true }).click()
  await dialog.getByLabel('Name of the filter').fill('scanner')
  await dialog.getByText('1 finding of the last 90 days match').waitFor()
  findings.push(...(await lookedAt(page, 'threats-suppress')))
  await dialog.getByRole('button', { name: 'Suppress', exact: true }).click()
  await page.getByText('New findings that match scanner are archived.').waitFor()
  await page.getByRole('row').filter({ hasText: 'Portscan' }).waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: 'Suppression' }).click()
  await page.getByRole('row').filter({ hasText: 'scanner' }).waitFor()
  expect(findings).toEqual([])
  expect(problems).toEqual([])
}, 600_000)

const IMAGE = '<img src=/hostile.png onerror="window.hostile=1">'

test('hostile texts of callers are shown as text: no element, no script, no request, and the policy holds', async () => {
  const { page, context, problems } = await signedIn(browser, ROOT_PERSON)
  const requested: string[] = []
  page.on('request', (request) => requested.push(request.url()))
  const settings = { endpoint: server.api, region: 'us-east-1', credentials: ROOT }
  const guardduty = new GuardDutyClient(settings)
  await guardduty.send(new CreateDetectorCommand({ Enable: true })).catch(() => undefined)
  const [DetectorId] = (await guardduty.send(new ListDetectorsCommand({}))).DetectorIds!
  // The user agent is the caller's own text.
  const iam = new IAMClient(settings)
  iam.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, { 'user-agent': IMAGE })
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  await iam.send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 7 }))
  // Names that this server refuses; logs of others may have them.
  await context.route('**/findings/get', async (route) => {
    const response = await route.fetch()
    const text = (await response.text()).replaceAll(/"(userName|name|title|description)":"[^"]*"/g, (_all, member) =>
      JSON.stringify({ [member]: IMAGE }).slice(1, -1),
    )
    await route.fulfill({ response, body: text })
  })
  await page.goto(server.console)
  const find = async () => {
    const { FindingIds = [] } = await guardduty.send(
      new ListFindingsCommand({
        DetectorId,
        FindingCriteria: { Criterion: { type: { Equals: ['Stealth:IAMUser/PasswordPolicyChange'] } } },
      }),
    )
    return FindingIds[0]
  }
  await expect.poll(find, { timeout: 30_000 }).toBeDefined()
  await openPage(page, 'threats', '<img src=/hostile.png')
  await openPage(page, `threats/${await find()}`, 'made the finding')
  expect(await page.locator('main').innerText()).toContain(IMAGE)
  // The story shows the first word of the user agent.
  await page.getByRole('listitem').filter({ hasText: 'made the finding' }).last().getByText('<img').waitFor()
  expect(await page.locator('img[src*="hostile"]').count()).toBe(0)
  expect(await page.evaluate(() => 'hostile' in window)).toBe(false)
  expect(requested.filter((url) => url.includes('hostile'))).toEqual([])
  expect(problems).toEqual([])
}, 120_000)
