/** Trusted proxies, and peers that are not trusted. */
import { mkdtempSync, statSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../wire/http.ts'
import { type Handler, type Listener, type ListenOptions, listen } from './listener.ts'
import { OwnAuthority } from './own-authority.ts'
import { TrustedProxies } from './trusted-proxies.ts'

const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])
const headers = (...lists: readonly string[]) => ({ rawHeaders: lists.flatMap((list) => ['X-Forwarded-For', list]) })
const schemes = (...lists: readonly string[]) => ({ rawHeaders: lists.flatMap((list) => ['X-Forwarded-Proto', list]) })

describe('The client of a request', () => {
  test.each([
    ['is its peer, whatever a peer that is no proxy says', '203.0.113.9', ['1.2.3.4'], '203.0.113.9'],
    ['is who a proxy names', '10.1.1.1', ['198.51.100.4'], '198.51.100.4'],
    [
      'is not what a client wrote before the proxy added its address',
      '10.1.1.1',
      ['1.2.3.4, 198.51.100.4'],
      '198.51.100.4',
    ],
    ['is behind all proxies', '10.1.1.1', ['1.2.3.4, 198.51.100.4, 192.0.2.7', '10.2.2.2'], '198.51.100.4'],
    ['is the proxy itself where it names no client', '10.1.1.1', [], '10.1.1.1'],
    [
      'is the last proxy that is known where an address is none',
      '10.1.1.1',
      ['1.2.3.4, unknown, 10.2.2.2'],
      '10.2.2.2',
    ],
    ['may have a port', 'fd00::1', ['[2001:DB8::5]:4711'], '2001:db8::5'],
    ['may be an IPv4 address in IPv6', '10.1.1.1', ['::ffff:198.51.100.4'], '198.51.100.4'],
    ['may have a port in IPv4', '10.1.1.1', ['198.51.100.4:80'], '198.51.100.4'],
  ])('%s', (_what, peer, lists, expected) => {
    expect(proxies.clientOf(peer, headers(...lists))).toBe(expected)
  })

  test.each([
    ['10.1.1.1', ['https'], true],
    ['10.1.1.1', ['HTTPS, https'], true],
    ['10.1.1.1', ['https, http'], false],
    ['10.1.1.1', ['https', 'http'], false],
    ['10.1.1.1', ['http'], false],
    ['10.1.1.1', [], undefined],
    ['203.0.113.9', ['https'], undefined],
  ])('spoke TLS only if its proxies all say so: %s %j', (peer, lists, expected) => {
    expect(proxies.isSecure(peer, schemes(...lists))).toBe(expected)
  })

  test.each(['10.0.0.0/33', '10.0.0.0/', 'fd00::/129', 'example.com', '10.0.0.0/8/8', '10.0.0/8', ''])(
    '%j is no block of addresses',
    (block) => {
      expect(() => new TrustedProxies([block])).toThrow('is not an address or a CIDR block')
    },
  )
})

describe('A listener', () => {
  const open: Listener[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })
  const seen: HttpRequest[] = []
  const echo: Handler = async (request) => {
    seen.push(request)
    return { status: 200, headers: {}, body: 'hello' }
  }
  const listening = async (options: Partial<ListenOptions>) => {
    seen.length = 0
    const listener = await listen(echo, { host: '127.0.0.1', port: 0, ...options })
    open.push(listener)
    return listener
  }
  const trusted = new TrustedProxies(['127.0.0.0/8'])
  const HEAD = 'PROXY TCP4 198.51.100.4 10.0.0.1 4711 80\r\n'
  const REQUEST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody'

  /** Sends the parts one after the other; returns what comes back. */
  async function sent({ port }: Listener, ...parts: readonly string[]): Promise<string> {
    const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true })
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    for (const part of parts) {
      socket.write(part)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await closed
    return text
  }

  test('believes headers of a trusted proxy, and of no other peer', async () => {
    const spoofed = { 'x-forwarded-for': '198.51.100.4', 'x-forwarded-proto': 'https' }
    const [behind, direct, elsewhere] = [
      await listening({ proxies: trusted }),
      await listening({}),
      await listening({ proxies: new TrustedProxies(['10.0.0.0/8']) }),
    ]
    for (const { url } of [behind, direct, elsewhere]) await fetch(url, { headers: spoofed })

    expect(seen.map(({ remoteAddress, secure }) => [remoteAddress, secure])).toEqual([
      ['198.51.100.4', true],
      ['127.0.0.1', false],
      ['127.0.0.1', false],
    ])
    // What was signed is still there.
    expect(seen[1]!.rawHeaders).toContain('198.51.100.4')
  })

  test.each([
    ['in one piece with the request', [HEAD + REQUEST]],
    ['before the request', [HEAD, REQUEST]],
    ['in pieces', [HEAD.slice(0, 3), HEAD.slice(3, 20), HEAD.slice(20) + REQUEST.slice(0, 10), REQUEST.slice(10)]],
  ])('reads the PROXY protocol of a trusted proxy %s', async (_how, parts) => {
    const listener = await listening({ proxies: trusted })

    expect(await sent(listener, ...parts)).toContain('hello')
    expect(seen).toMatchObject([{ remoteAddress: '198.51.100.4', secure: false }])
    expect(seen[0]!.body.toString()).toBe('body')
  })

  test('answers a trusted proxy that sends no head', async () => {
    const listener = await listening({ proxies: trusted })

    expect(await sent(listener, REQUEST)).toContain('hello')
    expect(seen).toMatchObject([{ remoteAddress: '127.0.0.1' }])
  })

  test('does not let the client that a head names say where it comes from', async () => {
    const listener = await listening({ proxies: trusted })
    await sent(listener, HEAD + REQUEST.replace('Host', 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nHost'))

    expect(seen).toMatchObject([{ remoteAddress: '198.51.100.4', secure: false }])
  })

  test('refuses a head of any other peer, and one that is wrong', async () => {
    const [behind, direct] = [await listening({ proxies: trusted }), await listening({})]

    expect(await sent(direct, HEAD + REQUEST)).toMatch(/^HTTP\/1.1 400 /)
    expect(await sent(behind, HEAD + HEAD + REQUEST)).toMatch(/^HTTP\/1.1 400 /)
    expect(await sent(behind, HEAD.replace('TCP4', 'TCP5') + REQUEST)).toBe('')
    expect(seen).toEqual([])
  })

  test('reads it before the handshake, too', async () => {
    const tls = new OwnAuthority(mkdtempSync(join(tmpdir(), 'merlon-test-')), ['localhost'], { log: () => undefined })
    const listener = await listening({ proxies: trusted, tls })
    const socket = connectTcp({ host: '127.0.0.1', port: listener.port })
    socket.write(HEAD)
    const secured = connectTls({ socket, ca: tls.authorityPem, servername: 'localhost' })
    let text = ''
    secured.on('data', (chunk) => (text += chunk))
    secured.write(REQUEST)
    await new Promise((resolve) => secured.once('close', resolve))

    expect(text).toContain('hello')
    expect(seen).toMatchObject([{ remoteAddress: '198.51.100.4', secure: true, tls: { version: 'TLSv1.3' } }])
  })
})

test('A private socket serves clients that a head names, under their addresses, and closes connections without one', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'merlon-')), 'api.sock')
  const listener = await listen(async ({ remoteAddress }) => ({ status: 200, headers: {}, body: remoteAddress }), {
    host: '',
    port: 0,
    path,
  })
  const answer = async (head: string) => {
    const socket = connectTcp(path)
    socket.end(`${head}GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    let received = ''
    for await (const bytes of socket) received += bytes
    return received
  }

  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await answer('PROXY TCP4 198.18.0.7 192.0.2.1 40000 443\r\n')).toMatch(/\r\n\r\n198\.18\.0\.7$/)
  expect(await answer('')).toBe('')
  expect(await answer('PROXY UNKNOWN\r\n')).toBe('')
  await listener.close()
})
