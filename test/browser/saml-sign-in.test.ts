/** People of a SAML identity provider come from its page to a role's console, without a key or a password of Merlon. */
import { CreateRoleCommand, CreateSAMLProviderCommand } from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Idp, responseOf, type Statement, samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { allowing } from '../cloud.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { settled } from './console.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

let server: SignInServer
let browser: Browser
let context: BrowserContext
let page: Page
let idp: Idp
let provider: string

beforeAll(async () => {
  server = await startInstallation()
  browser = await openBrowser()
  idp = samlIdp()
  const { SAMLProviderArn } = await server.iam.send(
    new CreateSAMLProviderCommand({ Name: 'corp', SAMLMetadataDocument: idp.metadata }),
  )
  provider = SAMLProviderArn!
  const AssumeRolePolicyDocument = allowing({
    Principal: { Federated: provider },
    Action: 'sts:AssumeRoleWithSAML',
    Condition: { StringEquals: { 'saml:iss': 'https://idp.corp.test/saml' } },
  })
  for (const RoleName of ['Auditor', 'Operator'])
    await server.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

const pair = (role: string) => `arn:aws:iam::${server.account}:role/${role},${provider}`

/** The identity provider's page, on an origin of its own, after its user has signed in there: it posts the response. */
async function comeFromIdp(xml: string, relayState?: string): Promise<void> {
  const field = (name: string, value: string) => `<input type="hidden" name="${name}" value="${value}">`
  const response = field('SAMLResponse', Buffer.from(xml).toString('base64'))
  const body = `<!doctype html><form method="post" action="${server.origin}/saml">${response}${relayState ? field('RelayState', relayState) : ''}<button>Continue</button></form>`
  await context.unroute('http://idp.corp.test/**')
  await context.route('http://idp.corp.test/**', (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto('http://idp.corp.test/sso')
  await page.getByRole('button', { name: 'Continue' }).click()
}

const signed = (statement: Partial<Statement>) => idp.sign(responseOf({ now: Date.now(), roles: [], ...statement }))

test('a response with two roles leads to the choice of one, and to its console; it opens no second session', async () => {
  const xml = signed({ roles: [pair('Auditor'), pair('Operator')] })
  await comeFromIdp(xml, '/console/#/iam/roles')
  await page.getByRole('heading', { name: 'Select a role', level: 1 }).waitFor()
  await screenshot(page, 'saml-roles')
  expect(await accessibilityFindings(page)).toEqual([])
  await page.getByLabel('Operator').check()
  await page.getByRole('button', { name: 'Sign in' }).click()

  await settled(page)
  await page.getByRole('button', { name: 'Signed in as' }).click()
  await page.getByText('assumed-role/Operator/ann').first().waitFor()
  await screenshot(page, 'saml-console')
  const session = await page.evaluate(async () => (await fetch('/console/session')).json())
  expect(session.principal.arn).toBe(`arn:aws:sts::${server.account}:assumed-role/Operator/ann`)

  await context.clearCookies()
  await comeFromIdp(xml)
  await page.getByRole('heading', { name: 'Sign-in was refused', level: 1 }).waitFor()
  await screenshot(page, 'saml-refused')
  expect(await accessibilityFindings(page)).toEqual([])
})

test('a response with one role leads to its console at once; a forged one to a page that says why', async () => {
  const xml = signed({ roles: [pair('Auditor')] })
  await comeFromIdp(xml.replace('>ann@corp.test<', '>root@corp.test<'))
  await page.getByRole('heading', { name: 'Sign-in was refused', level: 1 }).waitFor()

  // Another server is no place to go to.
  await comeFromIdp(xml, 'https://evil.test/')
  await settled(page)
  expect(new URL(page.url()).pathname).toBe('/console/')
  const session = await page.evaluate(async () => (await fetch('/console/session')).json())
  expect(session.principal.arn).toBe(`arn:aws:sts::${server.account}:assumed-role/Auditor/ann`)
})
