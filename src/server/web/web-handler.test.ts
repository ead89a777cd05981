/** The origin of pages: the console's files, and what browsers need to be sent with them. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { ConsoleFiles } from './console-files.ts'
import { Origins } from './origins.ts'
import { webHandler } from './web-handler.ts'

function builtConsole(): URL {
  const directory = join(mkdtempSync(join(tmpdir(), 'merlon-test-')), 'console')
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Merlon</title>')
  writeFileSync(join(directory, 'assets/index-BkT1x0aQ.js'), 'plain')
  writeFileSync(join(directory, 'assets/index-BkT1x0aQ.js.br'), 'brotli')
  writeFileSync(join(directory, 'assets/index-BkT1x0aQ.js.gz'), 'gzip')
  writeFileSync(join(directory, '..', 'secret.txt'), 'secret')
  return pathToFileURL(`${directory}/`)
}

const origins = new Origins({})
origins.listening({ url: 'http://127.0.0.1:4566', port: 4566 }, { url: 'http://127.0.0.1:4567', port: 4567 })

function answering(
  files = builtConsole(),
  site: () => Promise<HttpResponse | undefined | 'sealed'> = async () => undefined,
) {
  const handler = webHandler({ files: ConsoleFiles.open(files), origins, version: '1.2.3', site })
  return (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') => {
    const request: HttpRequest = {
      method,
      path,
      query: '',
      rawHeaders: Object.entries({ host: 'localhost:4567', ...headers }).flat(),
      body: Buffer.alloc(0),
      remoteAddress: '127.0.0.1',
      secure: false,
    }
    return handler(request)
  }
}

describe('The console', () => {
  test.each(['/console/', '/console/iam/users', '/console/index.html'])(
    'has its page at %s, never cached',
    async (path) => {
      const answer = await answering()(path)

      expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
      expect(String(answer.body)).toContain('<title>Merlon</title>')
    },
  )

  test('has assets that are kept for a year, compressed for those that take it', async () => {
    const get = answering()
    const asset = '/console/assets/index-BkT1x0aQ.js'
    const sent = async (accept: string) => {
      const { headers, body } = await get(asset, accept === '' ? {} : { 'accept-encoding': accept })
      return [headers['content-encoding'], String(body)]
    }

    expect((await get(asset)).headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    })
    expect(await sent('')).toEqual([undefined, 'plain'])
    expect(await sent('gzip, deflate, br')).toEqual(['br', 'brotli'])
    expect(await sent('gzip, br;q=0')).toEqual(['gzip', 'gzip'])
  })

  test('may run its own scripts and call the API, and nothing else', async () => {
    const policy = (await answering()('/console/')).headers['content-security-policy']!.split('; ')

    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self' http://localhost:4566",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
      ]),
    )
  })

  test('learns where the API is, by the name that the browser used', async () => {
    const answer = await answering()('/console/config.json')

    expect(JSON.parse(String(answer.body))).toEqual({
      apiEndpoint: 'http://localhost:4566',
      region: 'us-east-1',
      version: '1.2.3',
    })
    const odd = await answering()('/console/config.json', { host: 'a b"; script-src *' })
    expect(JSON.parse(String(odd.body))).toMatchObject({ apiEndpoint: 'http://127.0.0.1:4566' })
    expect(odd.headers['content-security-policy']).not.toContain('script-src *')
  })

  test.each([
    '/console/../secret.txt',
    '/console/%2e%2e/secret.txt',
    '/console//secret.txt',
    '/console/assets/../../secret.txt',
    '/console/assets/index-BkT1x0aQ.js.br',
    '/console/missing.js',
    '/other',
  ])('serves nothing at %s', async (path) => {
    const answer = await answering()(path)

    expect(answer.status).toBe(404)
    expect(String(answer.body)).not.toContain('secret')
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  })

  test('is found from the root', async () => {
    expect(await answering()('/')).toMatchObject({ status: 302, headers: { location: '/console/' } })
    expect(await answering()('/console')).toMatchObject({ status: 302, headers: { location: '/console/' } })
  })

  test('that was not built is not there', async () => {
    expect((await answering(new URL('file:///no/such/console/'))('/console/')).status).toBe(404)
  })

  test('loads while the server is sealed, and its data does not', async () => {
    const get = answering(builtConsole(), async () => 'sealed')

    expect((await get('/console/')).status).toBe(200)
    expect((await get('/console/session')).status).toBe(503)
    expect((await get('/signin')).status).toBe(503)
  })
})

test('routes of services come first, and keep their own policy', async () => {
  const page = { status: 200, headers: { 'content-security-policy': "default-src 'none'" }, body: 'session' }
  const get = answering(builtConsole(), async () => page)

  expect(await get('/console/session')).toEqual(page)
})
