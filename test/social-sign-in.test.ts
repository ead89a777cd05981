/** Social sign-in through its pages: each provider's button, what a rule and a role decide, and answers that open nothing. */
import { generateKeyPairSync } from 'node:crypto'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ConnectorId, connectors } from '../src/engines/oidc/connectors.ts'
import type { FederationRequest } from '../src/kernel/ports/federation-http.ts'
import { provide } from '../src/kernel/ports/port.ts'
import { socialSignIn } from '../src/kernel/ports/social-sign-in.ts'
import { PEOPLE, type SocialIdp, socialIdp } from '../src/planes/social-idp/social-idp.ts'
import { parseSocialSettings, socialSignInPort } from '../src/server/compose/social-sign-in.ts'
import { Browser, type Cloud, eventsOf } from '../src/services/signin/browser.fixture.ts'
import { ACCOUNT, allowing, cloud } from './cloud.ts'

const ALL = Object.keys(connectors) as readonly ConnectorId[]
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`
const apple = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let idp: SocialIdp
let opened: Cloud
let browser: Browser
beforeAll(async () => {
  const applePublicKey = apple.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const people = [...PEOPLE, { subject: '1003', name: 'Cid Example', email: 'cid@example.com' }]
  idp = await socialIdp({ port: 0, applePublicKey, people })
})
afterAll(() => idp.close())

const send = async ({ method, url, headers, form }: FederationRequest) => {
  const body = form && new URLSearchParams(form)
  const response = await fetch(url, { method, headers: { ...headers }, ...(body && { body }) })
  return { status: response.status, body: await response.text() }
}

/** Ann is known everywhere, Bob nowhere. */
function settings(rules: readonly object[]) {
  const client = { clientId: 'client', clientSecret: 'secret' }
  const appleClient = { clientId: 'client', teamId: 'TEAM', keyId: 'KEY', privateKeyFile: 'key' }
  const providers = Object.fromEntries(ALL.map((id) => [id, id === 'apple' ? appleClient : client]))
  const key = apple.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return parseSocialSettings(JSON.stringify({ endpoint: idp.url, providers, rules }), () => key)
}

const subjectAt = (provider: ConnectorId) => (provider === 'amazon' ? 'amzn1.account.1001' : '1001')
const rules = [
  ...ALL.map((provider) => ({ provider, subject: subjectAt(provider), role: role('staff') })),
  { provider: 'google', email: 'ann@example.com', role: role('admin') },
  { provider: 'linkedin', email: 'cid@example.com', role: role('untrusting') },
]

beforeEach(async () => {
  opened = await cloud({ provides: [provide(socialSignIn, socialSignInPort(settings(rules), { send }))] })
  browser = new Browser(opened)
  const trust = (Condition: object) =>
    allowing({ Principal: { Service: 'signin.amazonaws.com' }, Action: 'sts:AssumeRole', Condition })
  const iam = opened.client(IAMClient)
  await iam.send(new CreateRoleCommand({ RoleName: 'staff', AssumeRolePolicyDocument: trust({}) }))
  const google = { ArnLike: { 'aws:SourceArn': `arn:aws:signin:*:${ACCOUNT}:social/google` } }
  await iam.send(new CreateRoleCommand({ RoleName: 'admin', AssumeRolePolicyDocument: trust(google) }))
  const other = { ArnLike: { 'aws:SourceArn': `arn:aws:signin:*:${ACCOUNT}:social/apple` } }
  await iam.send(new CreateRoleCommand({ RoleName: 'untrusting', AssumeRolePolicyDocument: trust(other) }))
})

/** From the button to the provider's answer: the path of ours with its query, as the browser is sent there. */
async function answerOf(id: ConnectorId, person = '1001', by = browser): Promise<string> {
  await by.open('/signin?redirect=%2Fconsole%2F%23%2Fkms')
  const [, href = ''] = new RegExp(`href="(/signin/social/${id}\\?[^"]*)"`).exec(by.page.text) ?? []
  const { location = '' } = await by.open(href.replaceAll('&amp;', '&'))
  const page = await (await fetch(location)).text()
  const [, choice = ''] = new RegExp(`href="(\\?[^"]*person=${person}[^"]*)"`).exec(page) ?? []
  const chosen = await fetch(new URL(choice.replaceAll('&amp;', '&'), location), { redirect: 'manual' })
  const back = chosen.headers.get('location')
  if (back) return back.slice(new URL(back).origin.length)
  const text = await chosen.text()
  const fields = [...text.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!])
  const [, action = ''] = /action="([^"]*)"/.exec(text) ?? []
  // The cookie is not sent with a form of another site.
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: idp.url, cookie: '' }
  const form = new URLSearchParams(fields as [string, string][]).toString()
  const { location: next = '' } = await by.request('POST', new URL(action).pathname, form, headers)
  return next
}

describe.each(ALL)('The button of %s', (id) => {
  test('leads to the role of a rule, and a person without one into none', async () => {
    expect(await browser.open(await answerOf(id, '1002'))).toMatchObject({ status: 403 })
    expect(browser.problem).toContain(`subject ${id === 'amazon' ? 'amzn1.account.1002' : '1002'}`)
    expect((await browser.session()).signedIn).toBe(false)

    let answer = await browser.open(await answerOf(id))
    if (id === 'google') {
      expect(browser.page.text).toContain('Select a role')
      answer = await browser.submit('/signin/social-role', { role: role('staff') })
    }
    expect(answer).toMatchObject({ status: 303, location: '/console/#/kms' })
    const name = ['google', 'apple', 'linkedin'].includes(id) ? 'ann@example.com' : `${id}-${subjectAt(id)}`
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/staff/${name}`
    const { keys } = await browser.credentials()
    expect((await opened.client(STSClient, keys).send(new GetCallerIdentityCommand({}))).Arn).toBe(session)
    expect(await eventsOf(opened, ACCOUNT, 'ConsoleLogin')).toMatchObject([
      {
        userIdentity: { type: 'AssumedRole', arn: session },
        responseElements: { ConsoleLogin: 'Success' },
        additionalEventData: { merlonIdentityProvider: { provider: id, subject: subjectAt(id) } },
      },
    ])
  })

  test('refuses an answer of another browser, of another button, changed, late, denied, or used before', async () => {
    const other = id === 'facebook' ? 'x' : 'facebook'
    const answer = await answerOf(id)
    const stranger = new Browser(opened)
    await stranger.open('/signin')

    expect((await stranger.open(answer)).status).toBe(400)
    expect((await browser.open(answer.replace(`/${id}/`, `/${other}/`))).status).toBe(400)
    expect(
      (await browser.open(answer.replace(/state=(.)/, (_, first) => `state=${first === 'A' ? 'B' : 'A'}`))).status,
    ).toBe(400)
    expect((await browser.open(answer.replace(/state=[^&]*/, ''))).status).toBe(400)
    const denied = await browser.open(answer.replace(/code=[^&]*/, 'error=access_denied'))
    expect([denied.status, browser.problem]).toEqual([403, `${connectors[id].label} did not confirm the sign-in.`])
    await browser.open(answer)
    expect((await browser.open(answer)).status).toBe(403)
    const late = await answerOf(id)
    opened.clock.advance(11 * 60_000)
    expect((await browser.open(late)).status).toBe(403)
  })
})

test('a code of another browser opens nothing in this one (login CSRF)', async () => {
  const attacker = new Browser(opened)
  const theirs = new URL(await answerOf('google', '1001', attacker), 'http://merlon.test').searchParams.get('code')!
  const own = await answerOf('google', '1002')

  expect((await browser.open(own.replace(/code=[^&]*/, `code=${encodeURIComponent(theirs)}`))).status).toBe(403)
  expect((await browser.session()).signedIn).toBe(false)
})

test('an answer that names another issuer opens nothing (mix-up)', async () => {
  const answer = await answerOf('google')
  expect((await browser.open(`${answer}&iss=${encodeURIComponent('https://evil.example')}`)).status).toBe(403)
})

test('a role must trust the sign-in with that provider, and a choice must be of the offered roles', async () => {
  await browser.open(await answerOf('linkedin', '1003'))
  expect(browser.problem).toContain(`The role ${role('untrusting')} does not trust this sign-in.`)

  await browser.open(await answerOf('google'))
  const offered = browser.page
  expect((await browser.submit('/signin/social-role', { role: role('untrusting') })).status).toBe(400)
  browser.page = offered
  await browser.submit('/signin/social-role', { role: role('admin') })
  expect((await browser.session()).principal.arn).toContain('assumed-role/admin/ann@example.com')
})

test('without settings there are no buttons and no addresses; a way to another server leads to the console', async () => {
  const closed = new Browser(await cloud())
  expect((await closed.open('/signin')).text).not.toContain('/signin/social')
  expect((await closed.open('/signin/social/google')).status).toBe(404)
  expect((await closed.open('/signin/social/google/callback?code=x&state=y')).status).toBe(404)
  expect((await browser.open('/signin/social/myspace')).status).toBe(404)

  const { location = '' } = await browser.open('/signin/social/facebook?redirect=https://evil.test/')
  const state = new URL(location).searchParams.get('state')!
  expect(Buffer.from(state.split('.')[2]!, 'base64url').toString()).toBe('/console/')
  expect(state.length).toBeLessThanOrEqual(500)
})
