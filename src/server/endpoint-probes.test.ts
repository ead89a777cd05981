/** Probes of health checks at real endpoints on this machine. */
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProbedEndpoint } from '../kernel/ports/endpoint-probes.ts'
import { selfSigned } from '../services/acm/acm.fixture.ts'
import { endpointProbesPort, SEARCHED_BYTES } from './endpoint-probes.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}
const serving = (answer: RequestListener) => listening(createServer(answer))

const inside = endpointProbesPort({
  networks: '127.0.0.0/8, 10.1.0.0/16',
  resolve: async (host) => (host === 'app.test' ? ['127.0.0.1'] : ['10.2.0.1']),
})
const probe = (port: number, more: Partial<ProbedEndpoint> = {}) =>
  inside.probe({
    ...{ protocol: 'HTTP', address: '127.0.0.1', host: undefined, path: '/', search: undefined },
    ...{ port, sendsServerName: true, reference: 'a1', ...more },
  })

describe('An endpoint', () => {
  test.each([
    [200, true, 'Success: HTTP Status Code 200, OK.'],
    [302, true, 'Success: HTTP Status Code 302, Found.'],
    [399, true, 'Success: HTTP Status Code 399, Unknown.'],
    [404, false, 'Failure: HTTP Status Code 404, Not Found.'],
    [503, false, 'Failure: HTTP Status Code 503, Service Unavailable.'],
  ])('that answers %s', async (code, isGood, status) => {
    const port = await serving((_request, response) => {
      response.writeHead(code, 'a text of the endpoint', { location: 'http://127.0.0.1:1/' }).end()
    })
    expect(await probe(port)).toEqual({ isGood, status })
  })

  test('gets the host and path of the health check', async () => {
    let head: unknown
    const port = await serving(({ url, headers }, response) => {
      head = [url, headers.host, headers['user-agent']]
      response.end()
    })
    await probe(port, { address: undefined, host: 'app.test', path: '/up?a=b' })
    expect(head).toEqual(['/up?a=b', `app.test:${port}`, 'Amazon-Route53-Health-Check-Service (ref a1)'])
  })

  test('is searched for a text in the first 5,120 bytes, however much it sends', async () => {
    const found = 'x'.repeat(SEARCHED_BYTES - 4)
    const port = await serving(({ url }, response) => {
      if (url === '/endless') {
        const more = () => {
          while (response.write(found));
        }
        response.on('drain', more)
        more()
      } else response.end(url === '/in' ? `${found}well` : `x${found}well`)
    })
    expect(await probe(port, { search: 'well', path: '/in' })).toMatchObject({ isGood: true })
    for (const path of ['/out', '/endless'])
      expect(await probe(port, { search: 'well', path })).toEqual({
        isGood: false,
        status: 'Failure: The search string is not in the first 5120 bytes of the body.',
      })
  })

  test('may have any certificate, and gets the server name', async () => {
    const { Certificate: cert, PrivateKey: key } = await selfSigned(['app.test'])
    const names: unknown[] = []
    const server = createTlsServer({ cert, key }, (request, response) => {
      names.push((request.socket as unknown as { readonly servername: unknown }).servername)
      response.end()
    })
    const port = await listening(server)
    for (const sendsServerName of [true, false])
      expect(await probe(port, { protocol: 'HTTPS', host: 'app.test', sendsServerName })).toMatchObject({
        isGood: true,
      })
    expect(names).toEqual(['app.test', false])
  })

  test('is well by TCP when it takes the connection', async () => {
    const server = createTcpServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(),
    )
    const port = await listening(server)
    expect(await probe(port, { protocol: 'TCP' })).toMatchObject({ isGood: true })
    await new Promise((resolve) => server.close(resolve))
    const refused = { isGood: false, status: 'Failure: The connection was refused.' }
    expect(await probe(port, { protocol: 'TCP' })).toEqual(refused)
    expect(await probe(port)).toEqual(refused)
  })

  test('that sends no response, or none of HTTP, has failed', async () => {
    const silent = await listening(createTcpServer((socket) => closers.push(() => socket.destroy())))
    const rude = await listening(
      createTcpServer((socket) =>
        socket
          .on('error', () => undefined)
          .resume()
          .end('hello\r\n\r\n'),
      ),
    )
    const [first, second] = await Promise.all([probe(silent), probe(rude)])
    expect(first).toEqual({ isGood: false, status: 'Failure: There was no response within 2 seconds.' })
    expect(second.isGood).toBe(false)
  })
})

describe('An address', () => {
  test('inside is reached only in the networks of the operator, and those of metadata never', () => {
    const anywhere = endpointProbesPort({ networks: '0.0.0.0/0,::/0' })
    for (const address of ['127.0.0.1', '10.1.2.3', '8.8.8.8', '2600::1']) expect(inside.isAllowed(address)).toBe(true)
    for (const address of ['10.2.0.1', '192.168.0.1', '::1', 'fd00::1', '::ffff:10.2.0.1', '64:ff9b::a02:1', 'x'])
      expect(inside.isAllowed(address)).toBe(false)
    for (const address of ['169.254.169.254', 'fd00:ec2::254', '::ffff:169.254.169.254'])
      expect(anywhere.isAllowed(address)).toBe(false)
    for (const networks of ['10.0.0.0', '10.0.0.0/33', 'corp.test/8'])
      expect(() => endpointProbesPort({ networks })).toThrow(/MERLON_HEALTH_CHECK_NETWORKS/)
  })

  test('that a host name leads to is not reached inside either', async () => {
    expect(await probe(80, { address: undefined, host: 'inside.test' })).toEqual({
      isGood: false,
      status: 'Failure: The address is not one that health checks may reach.',
    })
  })
})
