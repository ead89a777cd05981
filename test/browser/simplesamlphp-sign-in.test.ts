/** People of SimpleSAMLphp: from its page to a role's console, and with the response that it posts to `aws sts`. */
import { CreateRoleCommand, CreateSAMLProviderCommand } from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { cleanEnvironment, run } from '../clients/command.ts'
import { allowing } from '../cloud.ts'
import { type SimpleSaml, simpleSaml } from '../federation/simplesamlphp.ts'
import { freePort } from '../rotation/databases.ts'
import { openBrowser } from './browser.ts'
import { settled } from './console.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

const ENTITY = 'urn:amazon:webservices'
const AWS = 'https://aws.amazon.com/SAML/Attributes/'

let server: SignInServer
let idp: SimpleSaml
let browser: Browser
let context: BrowserContext
let page: Page
let provider: string
/** As the server names itself, since `aws sts` compares the recipient of a response with it. */
let acs: string
const roleArn = (name: string) => `arn:aws:iam::${server.account}:role/${name}`

beforeAll(async () => {
  server = await startInstallation()
  acs = `${server.origin.replace('localhost', '127.0.0.1')}/saml`
  provider = `arn:aws:iam::${server.account}:saml-provider/corp`
  idp = await simpleSaml({
    port: await freePort(),
    attributes: {
      uid: ['ann'],
      [`${AWS}RoleSessionName`]: ['ann@corp.test'],
      [`${AWS}Role`]: ['Auditor', 'Operator'].map((name) => `${roleArn(name)},${provider}`),
    },
    encryptTo: samlIdp().certificatePem,
    serviceProviders: { [ENTITY]: acs },
  })
  const SAMLMetadataDocument = await idp.metadata()
  await server.iam.send(new CreateSAMLProviderCommand({ Name: 'corp', SAMLMetadataDocument }))
  const AssumeRolePolicyDocument = allowing({
    Principal: { Federated: provider },
    Action: 'sts:AssumeRoleWithSAML',
    Condition: { StringEquals: { 'saml:iss': 'http://idp.corp.test' } },
  })
  for (const RoleName of ['Auditor', 'Operator'])
    await server.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await idp?.stop()
  await server?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

/** Signs in at the provider, whose page then posts the response. Returns it. */
async function signInThere(): Promise<string> {
  const posted = page.waitForRequest((request) => request.method() === 'POST' && request.url() === acs)
  await page.goto(idp.address(ENTITY))
  await page.locator('[name=username]').fill('ann')
  await page.locator('[name=password]').fill('annpass')
  await page.keyboard.press('Enter')
  return new URLSearchParams((await posted).postData() ?? '').get('SAMLResponse')!
}

async function assume(response: string, role: string) {
  const environment = { ...cleanEnvironment(), AWS_ENDPOINT_URL: server.api, AWS_DEFAULT_REGION: 'us-east-1' }
  const words = ['--role-arn', roleArn(role), '--principal-arn', provider, '--saml-assertion', response]
  return run('aws', ['sts', 'assume-role-with-saml', ...words], environment)
}

test('a response with two roles leads to the choice of one, to its console, and nowhere else', async () => {
  const response = await signInThere()
  await page.getByRole('heading', { name: 'Select a role', level: 1 }).waitFor()
  await page.getByLabel('Operator').check()
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.waitForURL('**/console/**')
  await settled(page)
  await page.getByRole('button', { name: 'Signed in as' }).click()
  await page.getByText('assumed-role/Operator/ann@corp.test').first().waitFor()
  expect((await assume(response, 'Auditor')).stderr).toContain('(InvalidIdentityToken)')
})

test('a captured response is good for aws sts assume-role-with-saml, once, and then for no console', async () => {
  await context.route(acs, (route) => route.fulfill({ body: 'captured' }))
  const response = await signInThere()
  await page.getByText('captured').waitFor()
  await context.unroute(acs)

  const { stdout, stderr } = await assume(response, 'Auditor')
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({
    Subject: 'ann',
    Issuer: 'http://idp.corp.test',
    AssumedRoleUser: { Arn: `arn:aws:sts::${server.account}:assumed-role/Auditor/ann@corp.test` },
  })
  expect((await assume(response, 'Auditor')).stderr).toContain('(InvalidIdentityToken)')
  // By itself the provider would send a new one.
  const field = `<input type="hidden" name="SAMLResponse" value="${response}">`
  const body = `<!doctype html><form method="post" action="${acs}">${field}<button>Continue</button></form>`
  await context.route('http://idp.corp.test/**', (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto('http://idp.corp.test/again')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'Sign-in was refused', level: 1 }).waitFor()
})
