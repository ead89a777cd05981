/** The buttons of the social providers, pressed in a browser, against `merlon dev social-idp`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateRoleCommand } from '@aws-sdk/client-iam'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConnectorId, connectors } from '../../src/engines/oidc/connectors.ts'
import { ACCOUNT, allowing } from '../cloud.ts'
import { merlonScript, temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

const ALL = Object.keys(connectors) as readonly ConnectorId[]
const subjectAt = (provider: ConnectorId) => (provider === 'amazon' ? 'amzn1.account.1001' : '1001')

let idp: ChildProcess
let server: SignInServer
let browser: Browser

beforeAll(async () => {
  const folder = temporaryFolder()
  const [privateKeyFile, publicKeyFile] = [join(folder, 'apple.p8'), join(folder, 'apple.pub')]
  execFileSync('openssl', [
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-out',
    privateKeyFile,
  ])
  execFileSync('openssl', ['pkey', '-in', privateKeyFile, '-pubout', '-out', publicKeyFile])
  const words = ['dev', 'social-idp', '--port', '0', '--client-secret', 'hush', '--apple-public-key', publicKeyFile]
  idp = spawn(process.execPath, [merlonScript, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [first] = (await once(createInterface({ input: idp.stdout! }), 'line')) as [string]
  const { origin: endpoint, host } = new URL(first)

  const client = { clientId: 'client', clientSecret: 'hush' }
  const apple = { clientId: 'client', teamId: 'TEAM123456', keyId: 'KEY1234567', privateKeyFile: 'apple.p8' }
  const providers = Object.fromEntries(ALL.map((id) => [id, id === 'apple' ? apple : client]))
  const role = `arn:aws:iam::${ACCOUNT}:role/Staff`
  const rules = ALL.map((provider) => ({ provider, subject: subjectAt(provider), role }))
  const file = join(folder, 'social.json')
  writeFileSync(file, JSON.stringify({ endpoint, providers, rules }))
  server = await startInstallation({ MERLON_SOCIAL_SIGN_IN: file, MERLON_FEDERATION_HOSTS: `127.0.0.1=${host}` })
  const AssumeRolePolicyDocument = allowing({
    Principal: { Service: 'signin.amazonaws.com' },
    Action: 'sts:AssumeRole',
    Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:signin:*:${ACCOUNT}:social/*` } },
  })
  await server.iam.send(new CreateRoleCommand({ RoleName: 'Staff', AssumeRolePolicyDocument }))
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  idp?.kill()
})

test.each(ALL)('%s: a person with a rule comes to the console, another one to a page that says why not', async (id) => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 } })
  const page = await context.newPage()
  const { label } = connectors[id]
  const press = async (person: string) => {
    await page.goto(`${server.origin}/signin?redirect=/signin/security`)
    await page.getByRole('link', { name: `Sign in with ${label}`, exact: true }).click()
    await page.getByRole('link', { name: person }).click()
    // Apple's page posts its answer.
    if (id === 'apple') await page.getByRole('button', { name: 'Continue' }).click()
  }

  await press('Bob Example')
  await page.getByRole('alert').getByText('No role is assigned to you.').waitFor()
  if (id === 'google') {
    await screenshot(page, 'social-no-role')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.goto(`${server.origin}/signin`)
    await screenshot(page, 'sign-in-social')
    expect(await accessibilityFindings(page)).toEqual([])
  }
  await press('Ann Example')
  await page.getByText(`arn:aws:sts::${ACCOUNT}:assumed-role/Staff/`).first().waitFor()
  const session = await (await context.request.get(`${server.origin}/console/session`)).json()
  const name = ['google', 'apple', 'linkedin'].includes(id) ? 'ann@example.com' : `${id}-${subjectAt(id)}`
  expect(session.principal.arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/Staff/${name}`)
  await context.close()
})
