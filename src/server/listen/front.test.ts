/** The two listeners of a server: what each answers, and what it does not. */
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { services } from '../compose/services.ts'
import { Origins } from '../web/origins.ts'
import { type Front, type FrontOptions, openFront } from './front.ts'
import type { Handler } from './listener.ts'

const answer =
  (text: string): Handler =>
  async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: text })

const fronts: Front[] = []
afterEach(async () => {
  await Promise.all(fronts.splice(0).map((front) => front.close()))
})

const warnings: string[] = []
async function front(options: Partial<FrontOptions> = {}): Promise<Front & { readonly origins: Origins }> {
  const origins = options.origins ?? new Origins({})
  const opened = await openFront(answer('api'), answer('pages'), {
    host: '127.0.0.1',
    port: 0,
    web: { port: 0 },
    origins,
    corsOrigins: [],
    admission: undefined,
    onRefused: () => undefined,
    uploads: services.flatMap(({ traits }) => traits?.uploads ?? []),
    logger: { log: (_level, message) => void warnings.push(message) },
    ...options,
  })
  fronts.push(opened)
  return { ...opened, origins }
}
const textOf = async (url: string, init?: RequestInit) => (await fetch(url, init)).text()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('A server', () => {
  test('answers the API and pages on origins of their own', async () => {
    const { api, web, origins } = await front()

    expect(web!.port).not.toBe(api.port)
    expect([await textOf(api.url), await textOf(web!.url)]).toEqual(['api', 'pages'])
    expect(origins.web()).toBe(web!.url)
  })

  test('has its pages on the port after the API, where none is named', async () => {
    const port = await freePort()
    const { web } = await front({ port, web: { port: undefined } })

    expect(web === undefined || web.port === port + 1).toBe(true)
  })

  test('has no pages when it is to have none', async () => {
    const { web, origins, api } = await front({ web: undefined })

    expect([web, origins.web(), await textOf(api.url)]).toEqual([undefined, undefined, 'api'])
  })

  test('answers the API also when the port after its own is in use, and says so', async () => {
    const first = await front()
    const taken = first.api.port
    warnings.length = 0
    const second = await front({ port: taken - 1, web: { port: undefined } }).catch(() => undefined)
    // Another program may have taken the port before it.
    if (second === undefined) return

    expect([second.web, await textOf(second.api.url)]).toEqual([undefined, 'api'])
    expect(warnings).toEqual([expect.stringContaining('their port is in use')])
  })

  test('does not start when the port that was named for its pages is in use, and leaves nothing open', async () => {
    const { api } = await front()
    const port = await freePort()

    await expect(front({ port, web: { port: api.port } })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow()
  })

  test('lets its own pages read the API', async () => {
    const { api, web } = await front()
    const read = await fetch(api.url, { headers: { origin: web!.url } })
    const other = await fetch(api.url, { headers: { origin: 'https://evil.example' } })

    expect(read.headers.get('access-control-allow-origin')).toBe(web!.url)
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('takes no upload on the origin of pages', async () => {
    const { api, web } = await front()
    const upload = {
      method: 'PUT',
      body: Buffer.alloc(7 * 1024 * 1024),
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request' },
    }
    const refused = await fetch(web!.url, upload).then(
      ({ status }) => status,
      () => 413,
    )

    expect([(await fetch(api.url, upload)).status, refused]).toEqual([200, 413])
  })
})
