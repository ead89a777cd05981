/** A site with pages, a session and a bearer route, through the gate that every site shares. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'
import { openCloud } from '../../server/compose/cloud.ts'
import { openStore } from '../../store/sqlite.ts'
import { key } from '../../store/store.ts'
import { ephemeralUnsealed } from '../../vault/ephemeral.ts'
import { Fault } from '../../wire/fault.ts'
import type { HttpRequest } from '../../wire/http.ts'
import { webOrigin as webOriginPort } from '../ports/web-origin.ts'
import type { BearerScheme } from '../service/bearer.ts'
import { MovableClock } from '../state/clock.ts'
import { html } from './html.ts'
import { route, type SessionScheme, type WebSite } from './site.ts'
import { WebGate } from './web-gate.ts'

interface Claims {
  readonly user: string
  readonly generation: number
}
const bearerOf = (claims: Claims) => ({
  account: ACCOUNT,
  region: 'eu-west-1',
  identity: { type: 'PortalUser', principalId: `portal:${claims.user}`, userName: claims.user },
  claims,
})
const generationOf = key('test', 'generation')
const session: SessionScheme<Claims> = {
  cookie: 'portal',
  lifetimeMs: 60 * 60_000,
  bearer: bearerOf,
  isValid: async ({ generation }, reader) => ((await reader.get<{ n: number }>(generationOf))?.n ?? 0) === generation,
}
const token: BearerScheme<Claims> = {
  token: ({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'authorization') + 1],
  verify: (text) => {
    if (text !== 'Bearer good') throw new Fault('invalid_token', 'The token is not valid.', { status: 401 })
    return bearerOf({ user: 'robot', generation: 0 })
  },
}
const form = (csrf: string, name: string) =>
  html`<form method="post" action="/portal/login"><input name="csrf" value="${csrf}"><b>${name}</b></form>`

const portal: WebSite = {
  service: 'sso',
  base: '/portal',
  session,
  routes: [
    route({
      method: 'GET',
      path: '/login',
      event: 'GetLogin',
      authentication: 'anonymous',
      body: 'none',
      bodyBytesMax: 0,
      shown: [],
      run: (_call, { csrf, query }) => ({ page: form(csrf, query['name'] ?? '') }),
    }),
    route({
      method: 'POST',
      path: '/login',
      event: 'Login',
      authentication: 'anonymous',
      body: 'form',
      bodyBytesMax: 1_024,
      shown: ['user'],
      run: (call, { form: { user = '', password } }) => {
        call.recordIn(ACCOUNT)
        if (password !== 'secret') throw new Fault('AccessDenied', 'Wrong user name or password.')
        return { redirect: '/portal/me', session: { user, generation: 0 } satisfies Claims }
      },
    }),
    route<Claims>({
      method: 'GET',
      path: '/me',
      event: 'GetMe',
      authentication: 'session',
      body: 'none',
      bodyBytesMax: 0,
      shown: [],
      run: ({ claims }, { csrf }) => ({ json: { user: claims.user, csrf } }),
    }),
    route<Claims>({
      method: 'POST',
      path: '/logout',
      event: 'Logout',
      authentication: 'session',
      body: 'form',
      bodyBytesMax: 1_024,
      shown: [],
      run: ({ unit }) => {
        unit.put(generationOf, { n: 1 })
        return { redirect: '/portal/login', session: 'end' }
      },
    }),
    route<Claims>({
      method: 'GET',
      path: '/users/:id',
      event: 'GetUser',
      authentication: { bearer: token },
      body: 'none',
      bodyBytesMax: 0,
      shown: ['id'],
      run: ({ claims }, { path }) => ({ json: { by: claims.user, id: path['id'] } }),
    }),
    route({
      method: 'GET',
      path: '/style.css',
      event: 'GetStyle',
      authentication: 'document',
      body: 'none',
      bodyBytesMax: 0,
      shown: [],
      run: () => ({ file: 'body{}', contentType: 'text/css', cacheSeconds: 300 }),
    }),
  ],
}

let opened: Awaited<ReturnType<typeof cloud>>
beforeEach(async () => {
  opened = await cloud({ sites: [portal] })
})

type Sent = Partial<Pick<HttpRequest, 'body' | 'secure'>> & { readonly headers?: Readonly<Record<string, string>> }
const send = (method: string, target: string, { headers = {}, body, secure = false }: Sent = {}) => {
  const [path = '', query = ''] = target.split('?')
  const all = { host: 'merlon.test', ...headers }
  return opened.handle({
    method,
    path,
    query,
    rawHeaders: Object.entries(all).flat(),
    body: body ?? Buffer.alloc(0),
    remoteAddress: '192.0.2.1',
    secure,
  })
}
const post = (
  target: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) =>
  send('POST', target, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: Buffer.from(new URLSearchParams(fields).toString()),
  })
const cookieIn = (headers: Readonly<Record<string, string>>) => (headers['set-cookie'] ?? '').split(';')[0]!

/** A browser at the sign-in page. */
async function visiting() {
  const { headers, body } = await send('GET', '/portal/login')
  return { cookie: cookieIn(headers), csrf: /value="([\w-]+)"/.exec(String(body))![1]! }
}
async function signedIn() {
  const { cookie, csrf } = await visiting()
  const answer = await post('/portal/login', { csrf, user: 'ann', password: 'secret' }, { cookie })
  return { answer, cookie: cookieIn(answer.headers) }
}
const events = async () =>
  (await opened.store.log({ account: ACCOUNT, limit: 50 })).map(
    ({ body }) => JSON.parse(body) as Record<string, unknown>,
  )

describe('A session', () => {
  test('begins with a form and a password, and is ended for good by signing out', async () => {
    const { answer, cookie } = await signedIn()
    expect(answer).toMatchObject({ status: 303, headers: { location: '/portal/me' } })
    const me = await send('GET', '/portal/me', { headers: { cookie } })
    const { user, csrf } = JSON.parse(String(me.body)) as { user: string; csrf: string }
    expect(user).toBe('ann')

    const out = await post('/portal/logout', { csrf }, { cookie })
    expect(out.headers['set-cookie']).toMatch(/^portal=; .*Max-Age=0/)
    // A kept copy of the cookie is no longer valid.
    expect((await send('GET', '/portal/me', { headers: { cookie } })).status).toBe(401)
  })

  test('is not to be had with a cookie that is missing, changed, expired or of another kind', async () => {
    const { cookie } = await signedIn()
    const status = async (value: string) => (await send('GET', '/portal/me', { headers: { cookie: value } })).status

    expect(await status('')).toBe(401)
    expect(await status(`${cookie.slice(0, -2)}AA`)).toBe(401)
    expect(await status(cookie.replace('portal=', 'portal2='))).toBe(401)
    expect(await status((await visiting()).cookie)).toBe(401)
    expect(await status(cookie)).toBe(200)
    opened.clock.advance(session.lifetimeMs)
    expect(await status(cookie)).toBe(401)
  })

  test('is found in any of the first 64 cookies, whether they come in one header field or, as by HTTP/2, in several', async () => {
    const { cookie } = await signedIn()
    const others = (count: number) => Array.from({ length: count }, (_, i) => `c${i}=x`).join('; ')
    const status = async (Cookie: string, more: string) =>
      (await send('GET', '/portal/me', { headers: { Cookie, cookie: more } })).status

    expect(await status('c=x', cookie)).toBe(200)
    expect(await status(cookie, 'c=x')).toBe(200)
    expect(await status(others(63), cookie)).toBe(200)
    expect(await status(others(64), cookie)).toBe(401)
    expect(await status(others(40), `${others(24)}; ${cookie}`)).toBe(401)
  })

  test('has a cookie that other hosts cannot set, over TLS', async () => {
    const page = await send('GET', '/portal/login', { secure: true })
    expect(page.headers['set-cookie']).toMatch(
      /^__Host-portal-browser=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; .*; Secure$/,
    )
    expect(page.headers['strict-transport-security']).toBeDefined()
  })
})

describe('A form', () => {
  test.each([
    ['without a token', {}, {}],
    ['with the token of another browser', { csrf: 'other' }, {}],
    ['from another origin', {}, { origin: 'https://evil.test' }],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused', async (_how, fields, headers) => {
    const { cookie, csrf } = await visiting()
    const other = (await visiting()).csrf
    const sent = 'csrf' in fields ? { csrf: other } : Object.keys(headers).length > 0 ? { csrf } : {}
    const answer = await post('/portal/login', { ...sent, user: 'ann', password: 'secret' }, { cookie, ...headers })
    expect(answer.status).toBe(403)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('that is too long, of another type or not readable is refused before it is parsed', async () => {
    const { cookie, csrf } = await visiting()
    expect((await post('/portal/login', { csrf, user: 'x'.repeat(2_000) }, { cookie })).status).toBe(413)
    expect((await post('/portal/login', { csrf }, { cookie, 'content-type': 'text/plain' })).status).toBe(415)
    const bad = Buffer.from([0xff, 0xfe])
    const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie }
    expect((await send('POST', '/portal/login', { headers, body: bad })).status).toBe(400)
  })
})

describe('A page', () => {
  test('escapes what it shows, and has the headers that browsers need', async () => {
    const { headers, body } = await send('GET', '/portal/login?name=%3Cscript%3E%22')
    expect(String(body)).toContain('<b>&lt;script&gt;&quot;</b>')
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  test('is found by method and path', async () => {
    expect((await send('DELETE', '/portal/login')).status).toBe(405)
    expect((await send('HEAD', '/portal/login')).status).toBe(200)
    expect((await send('GET', '/portal/style.css')).headers['cache-control']).toBe('public, max-age=300')
    expect((await send('GET', '/portalx/login')).headers['content-type']).not.toContain('text/html')
  })
})

describe('A site', () => {
  const request = (path: string, headers: Readonly<Record<string, string>> = {}): HttpRequest => ({
    method: 'GET',
    path,
    query: '',
    rawHeaders: Object.entries({ host: 'merlon.test', ...headers }).flat(),
    body: Buffer.alloc(0),
    remoteAddress: '192.0.2.1',
    secure: false,
  })
  const addresses = route({
    method: 'GET',
    path: '/addresses',
    event: 'GetAddresses',
    authentication: 'anonymous',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: ({ origin, webOrigin, use }) => ({ json: { origin, webOrigin, port: use(webOriginPort).origin() } }),
  })
  const site = (base: string, listener?: 'web' | 'api'): WebSite => ({
    service: 'sso',
    base,
    ...(listener && { listener }),
    routes: [addresses],
  })
  const serving = async (more: Partial<Parameters<typeof openCloud>[0]> = {}) =>
    openCloud({
      store: await openStore({ file: ':memory:' }),
      unsealed: ephemeralUnsealed(),
      clock: new MovableClock(),
      sites: [site('/pages'), site('/endpoint', 'api')],
      ...more,
    })
  const shown = (answer: { body: string | Uint8Array } | undefined) => JSON.parse(String(answer!.body)) as object

  test('is answered on the origin of pages, or on the API where it says so, and only there', async () => {
    const { handle, handleWeb } = await serving()

    expect((await handleWeb(request('/pages/addresses')))?.status).toBe(200)
    expect((await handle(request('/endpoint/addresses'))).status).toBe(200)
    expect(await handleWeb(request('/endpoint/addresses'))).toBeUndefined()
    expect((await handle(request('/pages/addresses'))).status).not.toBe(200)
  })

  test('knows both origins, as configured or as the browser reached them', async () => {
    const plain = await serving({ webAddress: () => 'http://127.0.0.1:4567' })
    const proxied = await serving({ publicUrl: 'https://api.test', webUrl: 'https://console.test' })
    const reached = 'http://merlon.test'

    expect(shown(await plain.handleWeb(request('/pages/addresses')))).toEqual({
      origin: reached,
      webOrigin: reached,
      port: 'http://127.0.0.1:4567',
    })
    expect(shown(await plain.handle(request('/endpoint/addresses')))).toMatchObject({
      webOrigin: 'http://127.0.0.1:4567',
    })
    const configured = { origin: 'https://api.test', webOrigin: 'https://console.test', port: 'https://console.test' }
    expect(shown(await proxied.handleWeb(request('/pages/addresses')))).toEqual(configured)
    expect(shown(await proxied.handle(request('/endpoint/addresses')))).toEqual(configured)
  })

  test('answers no API call on the origin of pages', async () => {
    const { handleWeb } = await serving()
    const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/iam/aws4_request' }

    expect(await handleWeb(request('/', signed))).toBeUndefined()
  })
})

describe('A bearer route', () => {
  const authorization = 'Bearer good'

  test('answers in JSON, and takes no CSRF token', async () => {
    const answer = await send('GET', '/portal/users/a%2Fb', { headers: { authorization } })
    expect(JSON.parse(String(answer.body))).toEqual({ by: 'robot', id: 'a/b' })
    const refused = await send('GET', '/portal/users/1', { headers: { authorization: 'Bearer bad' } })
    expect(refused).toMatchObject({
      status: 401,
      body: '{"error":"invalid_token","message":"The token is not valid."}',
    })
  })
})

describe('The audit log', () => {
  test('has each request with its caller, and only the members that are shown', async () => {
    const { cookie, csrf } = await visiting()
    await post('/portal/login', { csrf, user: 'ann', password: 'wrong-secret' }, { cookie })
    await signedIn()
    await send('GET', '/portal/users/7', { headers: { authorization: 'Bearer good' } })

    const text = JSON.stringify(await events())
    expect(text).not.toContain('wrong-secret')
    expect(text).not.toContain(csrf)
    expect(await events()).toMatchObject([
      { eventName: 'GetUser', userIdentity: { type: 'PortalUser', userName: 'robot' }, requestParameters: { id: '7' } },
      { eventName: 'Login', eventSource: 'sso.amazonaws.com', requestParameters: { user: 'ann' } },
      { eventName: 'Login', errorCode: 'AccessDenied', requestParameters: { user: 'ann' } },
    ])
  })

  test('grows by a bounded part of the sign-ins that fail', async () => {
    const { cookie, csrf } = await visiting()
    for (let n = 0; n < 20; n++)
      await post('/portal/login', { csrf, user: `user-${n}-${'x'.repeat(200)}`, password: 'wrong' }, { cookie })

    expect(await events()).toMatchObject([{ eventName: 'Login', errorCode: 'AccessDenied' }])
    expect(JSON.stringify(await events()).length).toBeLessThan(3_000)
    expect(opened.answers.filter(({ operation }) => operation === 'Login')).toHaveLength(20)
  })

  test('does not grow by visitors who only look, nor by cookies and tokens that are forged', async () => {
    for (let n = 0; n < 5; n++) {
      await visiting()
      await send('GET', '/portal/style.css')
      await send('GET', '/portal/me', { headers: { cookie: 'portal=forged' } })
      await send('GET', '/portal/users/1', { headers: { authorization: 'Bearer bad' } })
    }
    expect(await events()).toEqual([])
  })
})

test('two routes of one path keep the server from starting', () => {
  const twice = { ...portal, routes: [...portal.routes, portal.routes[0]!] }
  const options = { ...opened, sites: [twice] } as unknown as ConstructorParameters<typeof WebGate>[0]
  expect(() => new WebGate(options)).toThrow('Two routes answer GET */portal/login.')
})
