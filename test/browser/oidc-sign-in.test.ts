/** The button of an OpenID Connect provider that the operator registered by its issuer: a real one, `oidc-provider`. */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { CreateRoleCommand } from '@aws-sdk/client-iam'
import { Provider } from 'oidc-provider'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../cloud.ts'
import { temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { type SignInServer, startInstallation } from './sign-in.ts'

const STAFF = `arn:aws:iam::${ACCOUNT}:role/Staff`

let listener: RequestListener
let idp: Server
let issuer: string
let server: SignInServer
let browser: Browser
let context: BrowserContext
let page: Page

/** With a signing key of its own. */
function provider(): RequestListener {
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'merlon',
        client_secret: 'hush',
        redirect_uris: [`${server.origin}/signin/social/corp/callback`],
        application_type: 'native',
      },
    ],
    jwks: { keys: [{ ...signing, kid: randomUUID(), alg: 'RS256', use: 'sig' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@corp.test`, email_verified: id !== 'bob', name: id }),
    }),
  }).callback()
}

beforeAll(async () => {
  idp = createServer((request, response) => listener(request, response)).listen(0, '127.0.0.1')
  await once(idp, 'listening')
  const { port } = idp.address() as AddressInfo
  issuer = `http://127.0.0.1:${port}`
  const corp = { issuer, label: 'Corp', clientId: 'merlon', clientSecret: 'hush' }
  const rules = ['ann', 'bob'].map((name) => ({ provider: 'corp', email: `${name}@corp.test`, role: STAFF }))
  const file = join(temporaryFolder(), 'social.json')
  writeFileSync(file, JSON.stringify({ providers: { corp }, rules }))
  const hosts = `127.0.0.1=127.0.0.1:${port}`
  server = await startInstallation({ MERLON_SOCIAL_SIGN_IN: file, MERLON_FEDERATION_HOSTS: hosts })
  const AssumeRolePolicyDocument = allowing({
    Principal: { Service: 'signin.amazonaws.com' },
    Action: 'sts:AssumeRole',
    Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:signin:*:${ACCOUNT}:social/corp` } },
  })
  await server.iam.send(new CreateRoleCommand({ RoleName: 'Staff', AssumeRolePolicyDocument }))
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  idp?.closeAllConnections()
  idp?.close()
})
beforeEach(async () => {
  listener = provider()
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

/** Through the pages of the provider, to its answer. */
async function confirm(person: string): Promise<void> {
  await page.goto(`${server.origin}/signin?redirect=/signin/security`)
  await page.getByRole('link', { name: 'Sign in with Corp', exact: true }).click()
  await page.getByPlaceholder('Enter any login').fill(person)
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button').click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

const signedInAs = (name: string) =>
  page.getByText(`arn:aws:sts::${ACCOUNT}:assumed-role/Staff/${name}`).first().waitFor()

test('a provider that cannot be reached is named, and tried again', async () => {
  listener = (_request, response) => response.writeHead(503).end()
  await page.goto(`${server.origin}/signin`)
  await screenshot(page, 'sign-in-oidc')
  expect(await accessibilityFindings(page)).toEqual([])
  await page.getByRole('link', { name: 'Sign in with Corp', exact: true }).click()
  await page.getByRole('alert').getByText('Corp cannot be reached. Try again in a moment.').waitFor()
  expect(await accessibilityFindings(page)).toEqual([])
  listener = provider()
  await expect
    .poll(
      async () => (await context.request.get(`${server.origin}/signin/social/corp`, { maxRedirects: 0 })).status(),
      {
        interval: 1_000,
      },
    )
    .toBe(303)
})

test('a person with a rule comes to the console as the role; an address that is not verified proves nothing', async () => {
  await confirm('ann')
  await signedInAs('ann@corp.test')
  await context.clearCookies()
  await confirm('bob')
  await page.getByRole('alert').getByText('No role is assigned to you.').waitFor()
})

test('new keys of the provider are used with the first token that they sign', async () => {
  await confirm('ann')
  await signedInAs('ann@corp.test')
  await context.clearCookies()
  listener = provider()
  await confirm('ann')
  await signedInAs('ann@corp.test')
})

test('an answer without the name of its provider, or with that of another one, opens nothing; nor does a used one', async () => {
  let answer = ''
  const real = listener
  listener = (request, response) => {
    const setHeader = response.setHeader.bind(response)
    response.setHeader = (name, value) => {
      const isAnswer = name.toLowerCase() === 'location' && String(value).startsWith(server.origin)
      if (isAnswer) answer = String(value)
      return setHeader(name, isAnswer ? '/kept' : value)
    }
    return real(request, response)
  }
  await confirm('ann')
  await page.waitForURL(`${issuer}/kept`)
  const refused = page.getByRole('alert').getByText('The sign-in with Corp could not be completed. Start it again.')
  const changed = (iss: string | undefined) => {
    const url = new URL(answer)
    url.searchParams.delete('iss')
    if (iss !== undefined) url.searchParams.set('iss', iss)
    return url.href
  }

  for (const url of [changed(undefined), changed('https://evil.test')]) {
    await page.goto(url)
    await refused.waitFor()
  }
  await page.goto(answer)
  await signedInAs('ann@corp.test')
  await context.clearCookies({ name: 'merlon-signin' })
  await page.goto(answer)
  await refused.waitFor()
})
