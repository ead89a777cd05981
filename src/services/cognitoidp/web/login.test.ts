/** Managed login: the pages as a browser without scripts meets them, and the OAuth endpoints as apps call them. */
import { createHash, randomBytes } from 'node:crypto'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CreateResourceServerCommand,
  CreateUserPoolDomainCommand,
  GetUserCommand,
  SetUICustomizationCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, test } from 'vitest'
import { Browser, codeOf } from '../../signin/browser.fixture.ts'
import { PASSWORD, poolFixture } from '../user-pool.fixture.ts'

const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

async function hosted() {
  const it = await poolFixture(
    {},
    {
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code', 'implicit'],
      AllowedOAuthScopes: ['openid', 'email', 'profile'],
      CallbackURLs: [CALLBACK],
      LogoutURLs: ['https://app.corp.test/out'],
    },
  )
  const { idp, UserPoolId, ClientId } = it
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const browser = new Browser(it, HOST)
  const verifier = randomBytes(32).toString('base64url')
  const query = (more: Record<string, string> = {}) =>
    new URLSearchParams({
      client_id: ClientId,
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid email unknown',
      state: 'a state & more',
      nonce: 'n-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    }).toString()
  const post = (path: string, fields: Record<string, string>, authorization?: string) =>
    new Browser(it, HOST).request('POST', path, new URLSearchParams(fields).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization && { authorization }),
    })
  const exchange = (code: string, more: Record<string, string> = {}) =>
    post('/oauth2/token', {
      grant_type: 'authorization_code',
      client_id: ClientId,
      code,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
      ...more,
    })
  const user = async (Username: string) => {
    await idp.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username,
        MessageAction: 'SUPPRESS',
        UserAttributes: [
          { Name: 'email', Value: `${Username}@corp.test` },
          { Name: 'email_verified', Value: 'true' },
        ],
      }),
    )
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
  }
  return { ...it, browser, query, exchange, post, user }
}

const codeIn = (location: string | undefined): string => new URL(location!).searchParams.get('code')!

describe('Managed login', () => {
  test('leads from the app through the pages and back with a code, which is good once, for its client and verifier', async () => {
    const it = await hosted()
    const { browser, query } = it
    await it.user('ana')
    expect(await browser.open(`/oauth2/authorize?${query()}`)).toMatchObject({
      status: 303,
      location: expect.stringMatching(/^\/login\?/),
    })
    const page = await browser.open(browser.page.location!)
    expect(page.headers['content-security-policy']).toContain("form-action 'self' https://app.corp.test")
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    await browser.submit('/login', { username: 'ana', password: 'Wr0ng-Password!' })
    expect(browser.page.status).toBe(401)
    expect(browser.page.text).toContain('Incorrect username or password.')
    await browser.submit('/login', { username: 'nobody', password: PASSWORD })
    expect(browser.page.text).toContain('Incorrect username or password.')
    await browser.submit('/login', { username: 'ana', password: PASSWORD })
    const { location } = browser.page
    expect(location).toMatch(/^https:\/\/app\.corp\.test\/callback\?code=/)
    expect(new URL(location!).searchParams.get('state')).toBe('a state & more')

    const code = codeIn(location)
    expect(JSON.parse((await it.exchange(code, { code_verifier: 'x'.repeat(43) })).text)).toEqual({
      error: 'invalid_grant',
    })
    expect(JSON.parse((await it.exchange(code, { redirect_uri: 'https://app.corp.test/other' })).text)).toEqual({
      error: 'invalid_grant',
    })
    const answer = JSON.parse((await it.exchange(code)).text)
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 3600, refresh_token: expect.any(String) })
    expect(claimsOf(answer.id_token)).toMatchObject({ nonce: 'n-1', email: 'ana@corp.test', 'cognito:username': 'ana' })
    expect(claimsOf(answer.access_token)).toMatchObject({ scope: 'openid email' })
    expect(JSON.parse((await it.exchange(code)).text)).toEqual({ error: 'invalid_grant' })

    // A token of these scopes opens userInfo, and not the API of users.
    const info = await new Browser(it, HOST).request('GET', '/oauth2/userInfo', '', {
      authorization: `Bearer ${answer.access_token}`,
    })
    expect(JSON.parse(info.text)).toEqual({
      sub: expect.any(String),
      email: 'ana@corp.test',
      email_verified: 'true',
      username: 'ana',
    })
    await expect(it.idp.send(new GetUserCommand({ AccessToken: answer.access_token }))).rejects.toMatchObject({
      message: 'Access Token does not have required scopes',
    })

    // The browser is signed in: another request needs no form, prompt=login does, and signing out ends it.
    expect((await browser.open(`/oauth2/authorize?${query()}`)).location).toMatch(/callback\?code=/)
    expect((await browser.open(`/oauth2/authorize?${query({ prompt: 'login' })}`)).location).toMatch(/^\/login/)
    const refreshed = await it.post('/oauth2/token', {
      grant_type: 'refresh_token',
      client_id: it.ClientId,
      refresh_token: answer.refresh_token,
    })
    expect(JSON.parse(refreshed.text)).toMatchObject({ access_token: expect.any(String) })
    expect((await it.post('/oauth2/revoke', { client_id: it.ClientId, token: answer.refresh_token })).status).toBe(200)
    const late = await it.post('/oauth2/token', {
      grant_type: 'refresh_token',
      client_id: it.ClientId,
      refresh_token: answer.refresh_token,
    })
    expect(JSON.parse(late.text)).toEqual({ error: 'invalid_grant' })
    expect((await browser.open(`/logout?client_id=${it.ClientId}&logout_uri=https://app.corp.test/out`)).location).toBe(
      'https://app.corp.test/out',
    )
    expect((await browser.open(`/oauth2/authorize?${query({ prompt: 'none' })}`)).location).toContain(
      'error=login_required',
    )
  })

  test('signs people up, confirms them, and lets them recover', async () => {
    const it = await hosted()
    const { browser, query } = it
    await browser.open(`/signup?${query()}`)
    const fields = { username: 'bea', 'attribute.email': 'bea@corp.test', password: PASSWORD }
    await browser.submit('/signup', { ...fields, again: 'another' })
    expect(browser.page.text).toContain('The two passwords differ.')
    await browser.submit('/signup', { ...fields, again: PASSWORD })
    expect(browser.page.text).toContain('A code was sent to b***@c***.')
    await browser.submit('/confirmUser', { code: '000000' })
    expect(browser.page.text).toContain('Invalid verification code provided')
    await browser.submit('/confirmUser', { code: await it.codeFor('bea@corp.test') })
    expect(browser.page.text).toContain('Your account is confirmed.')

    await browser.open(`/forgotPassword?${query()}`)
    await browser.submit('/forgotPassword', { username: 'bea' })
    const known = browser.page.text
    const code = await it.codeFor('bea@corp.test')
    await browser.submit('/confirmForgotPassword', { code, password: 'N3w-Secret-Pw!', again: 'N3w-Secret-Pw!' })
    expect(browser.page.text).toContain('Your password is set.')
    await browser.submit('/login', { username: 'bea', password: 'N3w-Secret-Pw!' })
    expect(browser.page.location).toMatch(/callback\?code=/)

    await browser.open(`/forgotPassword?${query()}`)
    await browser.submit('/forgotPassword', { username: 'nobody' })
    const plain = (text: string) => text.replace(/value="[^"]*"/g, '').replace(/\S\*\*\*@\S\*\*\*/, '')
    expect(plain(browser.page.text)).toBe(plain(known))
  })

  test('sets up an authenticator app where the pool requires one, and prompts for its code', async () => {
    const it = await hosted()
    const { browser, query, idp, UserPoolId } = it
    await idp.send(
      new SetUserPoolMfaConfigCommand({
        UserPoolId,
        MfaConfiguration: 'ON',
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    )
    await it.user('ana')
    await browser.open(`/login?${query()}`)
    await browser.submit('/login', { username: 'ana', password: PASSWORD })
    const [, seed = ''] = /<code>([A-Z2-7]+)<\/code>/.exec(browser.page.text) ?? []
    expect(browser.page.text).toContain('data:image/png;base64,')
    await browser.submit('/challenge', { code: codeOf(seed, it.clock.now()) })
    expect(browser.page.location).toMatch(/callback\?code=/)
    await it.pass(60_000)
    const other = new Browser(it, HOST)
    await other.open(`/login?${query()}`)
    await other.submit('/login', { username: 'ana', password: PASSWORD })
    await other.submit('/challenge', { code: '000000' })
    expect(other.page.status).toBe(401)
    await other.submit('/challenge', { code: codeOf(seed, it.clock.now()) })
    expect(other.page.location).toMatch(/callback\?code=/)
  })

  test('never leads to an address that is not registered, and shows no forged form', async () => {
    const it = await hosted()
    const { browser, query } = it
    for (const more of [
      { redirect_uri: 'https://evil.test/' },
      { client_id: 'nobody' },
      { redirect_uri: `${CALLBACK}/more` },
    ]) {
      const page = await browser.open(`/oauth2/authorize?${query(more)}`)
      expect(page).toMatchObject({ status: 400, location: undefined })
    }
    expect((await browser.open(`/oauth2/authorize?${query({ response_type: 'id_token' })}`)).location).toContain(
      'error=unsupported_response_type',
    )
    expect((await browser.open(`/oauth2/authorize?${query({ code_challenge_method: 'plain' })}`)).location).toContain(
      'error=invalid_request',
    )
    expect((await browser.open(`/oauth2/authorize?${query({ scope: 'admin' })}`)).location).toContain(
      'error=invalid_scope',
    )
    await browser.open(`/login?${query({ state: '"><script>alert(1)</script>' })}`)
    expect(browser.page.text).not.toContain('<script>alert')
    const forged = await new Browser(it, HOST).request(
      'POST',
      '/login',
      new URLSearchParams({ request: query(), username: 'ana' }).toString(),
      {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.test',
      },
    )
    expect(forged.status).toBe(403)
    expect((await new Browser(it, 'other.auth.us-east-1.amazoncognito.com').open(`/login?${query()}`)).status).toBe(404)
    // Where no DNS leads to the domain: below the origin of the pages.
    const below = new Browser(it)
    expect((await below.open(`/_cognito/us-east-1/people/login?${query()}`)).text).toContain(
      'action="/_cognito/us-east-1/people/login"',
    )
  })

  test('wears what the customer set, in known classes alone', async () => {
    const it = await hosted()
    const { idp, UserPoolId } = it
    const set = (CSS: string) => idp.send(new SetUICustomizationCommand({ UserPoolId, CSS }))
    await set('.submitButton-customizable { background-color: #0a7d33; }')
    expect((await it.browser.open('/style.css')).text).toContain(
      '.submitButton-customizable { background-color: #0a7d33; }',
    )
    for (const css of [
      'body { color: red }',
      '.label-customizable { background: url(https://evil.test) }',
      '.label-customizable { color: red } } html { color: red',
    ])
      await expect(set(css)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  })
})

describe('Machines', () => {
  test('get tokens of the scopes of a resource server by their secret, and nothing else', async () => {
    const it = await hosted()
    const { idp, UserPoolId } = it
    await idp.send(
      new CreateResourceServerCommand({
        UserPoolId,
        Identifier: 'https://api.corp.test',
        Name: 'api',
        Scopes: [
          { ScopeName: 'read', ScopeDescription: 'read' },
          { ScopeName: 'write', ScopeDescription: 'write' },
        ],
      }),
    )
    const machine = await it.newClient({
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: ['https://api.corp.test/read'],
    })
    const basic = `Basic ${Buffer.from(`${machine.ClientId}:${machine.ClientSecret}`).toString('base64')}`
    const ask = async (fields: Record<string, string>, authorization?: string) =>
      JSON.parse((await it.post('/oauth2/token', { grant_type: 'client_credentials', ...fields }, authorization)).text)
    const { access_token, ...rest } = await ask({ scope: 'https://api.corp.test/read' }, basic)
    expect(rest).toEqual({ expires_in: 3600, token_type: 'Bearer' })
    expect(claimsOf(access_token)).toMatchObject({
      sub: machine.ClientId,
      scope: 'https://api.corp.test/read',
      token_use: 'access',
    })
    expect(await ask({ client_id: machine.ClientId!, client_secret: machine.ClientSecret! })).toMatchObject({
      access_token: expect.any(String),
    })
    expect(await ask({ scope: 'https://api.corp.test/write' }, basic)).toEqual({ error: 'invalid_scope' })
    expect(await ask({ client_id: machine.ClientId!, client_secret: 'wrong' })).toEqual({ error: 'invalid_client' })
    expect(await ask({ client_id: machine.ClientId! })).toEqual({ error: 'invalid_client' })
    expect(await ask({ client_id: it.ClientId })).toEqual({ error: 'unauthorized_client' })
    expect(JSON.parse((await it.post('/oauth2/token', { grant_type: 'password' }, basic)).text)).toEqual({
      error: 'unsupported_grant_type',
    })
  })
})

describe('Public documents', () => {
  test('is the keys and the configuration of a pool, under one issuer', async () => {
    const it = await hosted()
    const browser = new Browser(it)
    const read = async (path: string) => JSON.parse((await browser.open(path)).text)
    const { keys } = await read(`/${it.UserPoolId}/.well-known/jwks.json`)
    expect(keys).toHaveLength(2)
    expect(keys[0]).toEqual({
      alg: 'RS256',
      e: 'AQAB',
      kid: expect.any(String),
      kty: 'RSA',
      n: expect.any(String),
      use: 'sig',
    })
    expect(await read(`/${it.UserPoolId}/.well-known/openid-configuration`)).toMatchObject({
      issuer: `https://cognito-idp.us-east-1.amazonaws.com/${it.UserPoolId}`,
      jwks_uri: `https://cognito-idp.us-east-1.amazonaws.com/${it.UserPoolId}/.well-known/jwks.json`,
      authorization_endpoint: `https://${HOST}/oauth2/authorize`,
    })
    expect((await browser.open('/us-east-1_Missing12/.well-known/jwks.json')).status).toBe(404)
    // A bucket of this name is still S3's.
    expect((await browser.open('/my-bucket/.well-known/jwks.json')).text).toContain('<Code>AccessDenied</Code>')
  })
})
