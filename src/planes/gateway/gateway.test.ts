/** The gateway on real sockets, configured through the API, with real targets behind it. */
import { get, request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ACMClient, ImportCertificateCommand } from '@aws-sdk/client-acm'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { AssociateWebACLCommand, CreateIPSetCommand, CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import { describe, expect, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../services/elbv2/elbv2.fixture.ts'
import { gatewayCloud, raw, target, WAIT } from './gateway.fixture.ts'

const fixed = (MessageBody: string, StatusCode = '200'): elb.Action => ({
  Type: 'fixed-response',
  FixedResponseConfig: { MessageBody, StatusCode, ContentType: 'text/plain' },
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Without the niceties of fetch: any header, any host. */
const ask = (
  port: number,
  path: string,
  { headers = {}, method = 'GET', body }: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })

describe('Forwarding', () => {
  test('reaches healthy targets by turns, with the headers of a load balancer', async () => {
    const it = await gatewayCloud()
    const [a, b] = [await target('a'), await target('b')]
    const { port } = await it.serving('shop', 80, [a.port, b.port])
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(port, '/x?y=1')))
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect([a.seen.length, b.seen.length]).toEqual([3, 3])
    const { status, body } = await ask(port, '/form', {
      method: 'POST',
      body: 'a=b',
      headers: {
        Host: 'shop.example',
        'X-Forwarded-For': '198.51.100.7',
        'x-amzn-waf-x': 'forged',
        'x-amzn-oidc-identity': 'forged',
        x_amzn_oidc_data: 'forged',
        x_forwarded_for: '203.0.113.9',
        Connection: 'x-drop',
        'x-drop': '1',
      },
    })
    expect([status, body.slice(1)]).toEqual([200, ' POST /form 3'])
    const seen = [...a.seen, ...b.seen].find(({ method }) => method === 'POST')!
    expect(seen.headers).toMatchObject({
      host: 'shop.example',
      'x-forwarded-for': '198.51.100.7, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
      'content-length': '3',
    })
    expect(seen.headers['x-amzn-trace-id']).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
    for (const name of ['x-amzn-waf-x', 'x-amzn-oidc-identity', 'x_amzn_oidc_data', 'x_forwarded_for'])
      expect(seen.headers).not.toHaveProperty(name)
    expect(seen.headers).not.toHaveProperty('x-drop')
  })

  test('streams bodies of both directions that are larger than memory should hold', async () => {
    const it = await gatewayCloud()
    const size = 20 * 1024 * 1024
    const big = await target('big', (_request, response, body) =>
      response.end(Buffer.alloc(size, body.length === size ? 'y' : 'n')),
    )
    const { port } = await it.serving('shop', 80, [big.port])
    const { body } = await ask(port, '/', { method: 'PUT', body: 'x'.repeat(size) })
    expect(body.length).toBe(size)
    expect(body[0]).toBe('y')
  })

  test('answers 503 without targets, 502 when a target breaks off and 504 when it is silent', async () => {
    const it = await gatewayCloud()
    const { port: empty } = await it.serving('empty', 80, [])
    expect((await ask(empty, '/')).status).toBe(503)
    const broken = await target('broken', (request, response) =>
      request.url === '/cut' ? request.socket.destroy() : request.url === '/' ? response.end() : undefined,
    )
    const { port, arn } = await it.serving('broken', 81, [broken.port])
    await it.elb.send(
      new elb.ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: arn,
        Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '1' }],
      }),
    )
    expect((await ask(port, '/cut', { method: 'POST', body: 'x' })).status).toBe(502)
    await vi.waitFor(async () => expect((await ask(port, '/silent')).status).toBe(504), WAIT)
  })

  test('leaves out a target that fails its checks, and shows why', async () => {
    const it = await gatewayCloud()
    let isWell = true
    const [good, bad] = [
      await target('good'),
      await target('bad', (_q, response) => response.writeHead(isWell ? 200 : 500).end('bad')),
    ]
    const { port, group } = await it.serving('shop', 80, [good.port, bad.port])
    isWell = false
    await vi.waitFor(async () => expect(await it.states(group)).toContain('unhealthy'), WAIT)
    const { TargetHealthDescriptions = [] } = await it.elb.send(
      new elb.DescribeTargetHealthCommand({ TargetGroupArn: group }),
    )
    expect(TargetHealthDescriptions.find(({ Target }) => Target?.Port === bad.port)?.TargetHealth).toEqual({
      State: 'unhealthy',
      Reason: 'Target.ResponseCodeMismatch',
      Description: 'Health checks failed with these codes: [500]',
    })
    const bodies = await Promise.all(Array.from({ length: 6 }, async () => (await ask(port, '/')).body))
    expect(new Set(bodies)).toEqual(new Set(['good GET / 0']))
  })

  test('keeps a client at its target by a cookie, where the group says so', async () => {
    const it = await gatewayCloud()
    const [a, b] = [await target('a'), await target('b')]
    const { port, group } = await it.serving('shop', 80, [a.port, b.port])
    await it.elb.send(
      new elb.ModifyTargetGroupAttributesCommand({
        TargetGroupArn: group,
        Attributes: [{ Key: 'stickiness.enabled', Value: 'true' }],
      }),
    )
    const first = await vi.waitFor(async () => {
      const answer = await ask(port, '/')
      expect(answer.headers['set-cookie']?.[0]).toMatch(/^AWSALB=/)
      return answer
    }, WAIT)
    const Cookie = String(first.headers['set-cookie']?.[0]).split(';')[0]!
    for (let n = 0; n < 5; n++) expect((await ask(port, '/', { headers: { Cookie } })).body).toBe(first.body)
  })

  test('tries another target when one refuses the connection', async () => {
    const it = await gatewayCloud()
    const [a, b] = [await target('a'), await target('b')]
    const { port } = await it.serving('shop', 80, [a.port, b.port])
    await b.stop()
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(port, '/')))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
  })

  test('passes a WebSocket through', async () => {
    const it = await gatewayCloud()
    const echo = await target('echo')
    echo.server.on('upgrade', (_request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
      )
      socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`))
      socket.on('error', () => undefined)
    })
    const { port } = await it.serving('shop', 80, [echo.port])
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connectTcp(port, '127.0.0.1', () =>
        socket.write(
          'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n',
        ),
      )
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('echo')) {
          socket.destroy()
          resolve(text)
        } else if (text.includes('\r\n\r\n')) socket.write('hello')
      })
    })
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer).toContain('echo hello')
  })
})

test('A target that refuses a WebSocket answers like any other, and what is behind the request reaches nothing', async () => {
  const it = await gatewayCloud()
  const a = await target('a')
  a.server.on('upgrade', (request, socket) => {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 4\r\n\r\nnone')
    a.seen.push({ method: 'GET', url: String(request.url), headers: request.headers, body: '' })
  })
  const { port } = await it.serving('shop', 80, [a.port])
  const upgrade =
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n\r\n'
  const answer = await raw(port, `${upgrade}GET /internal HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 426 [\s\S]*\r\nnone$/)
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(a.seen.map(({ url }) => url)).toEqual(['/chat'])
})

test('Upgrades to another protocol are ignored: the request is answered, with its body and its connection', async () => {
  const it = await gatewayCloud()
  const a = await target('a')
  const { port } = await it.serving('shop', 80, [a.port])
  const h2c = (method: string, more = '') =>
    `${method} /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n${more}`
  const answers = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(`${h2c('GET')}\r\n`))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('POST /x')) resolve(text)
      else if (text.includes('GET /x')) socket.write(h2c('POST', 'Content-Length: 3\r\n\r\nabc'))
    })
    socket.on('close', () => resolve(text)).setTimeout(10_000, () => socket.destroy())
  })
  expect(answers).not.toContain(' 101 ')
  expect(answers.match(/a (GET|POST) \/x \d/g)).toEqual(['a GET /x 0', 'a POST /x 3'])
  // Behind a request without an answer none is made.
  expect(await raw(port, `GET /x HTTP/1.1\r\nHost: a\r\n\r\n${h2c('GET')}\r\n`)).toBe('')
  for (const name of ['upgrade', 'http2-settings']) expect(a.seen[1]?.headers).not.toHaveProperty(name)
})

test('Behind proxies that are trusted the client is the address that the outermost of them saw; others say nothing', async () => {
  const seen = async (settings: Parameters<typeof gatewayCloud>[0]) => {
    const it = await gatewayCloud(settings)
    const { port, listener } = await it.serving('shop', 80, [])
    const waf = it.client(WAFV2Client)
    const visibility = { MetricName: 'm', SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false }
    const { Summary: set } = await waf.send(
      new CreateIPSetCommand({
        Name: 'bad',
        Scope: 'REGIONAL',
        IPAddressVersion: 'IPV4',
        Addresses: ['198.51.100.7/32'],
      }),
    )
    const { Summary } = await waf.send(
      new CreateWebACLCommand({
        Name: 'acl',
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: visibility,
        Rules: [
          {
            Name: 'bad',
            Priority: 1,
            Statement: { IPSetReferenceStatement: { ARN: set!.ARN } },
            Action: { Block: {} },
            VisibilityConfig: visibility,
          },
        ],
      }),
    )
    await it.elb.send(new elb.ModifyListenerCommand({ ListenerArn: listener, DefaultActions: [fixed('served')] }))
    await vi.waitFor(async () => expect((await ask(port, '/')).status).toBe(200), WAIT)
    const ResourceArn = listener.replace(':listener/', ':loadbalancer/').replace(/\/[0-9a-f]+$/, '')
    await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn }))
    const from = async (list: string) => (await ask(port, '/', { headers: { 'X-Forwarded-For': list } })).status
    return { from }
  }
  const trusting = await seen({ trusted: ['127.0.0.0/8'], hops: 2 })
  await vi.waitFor(async () => expect(await trusting.from('198.51.100.7, 10.0.0.1')).toBe(403), WAIT)
  expect(await trusting.from('198.51.100.7, 192.0.2.1, 10.0.0.1')).toBe(200)
  expect(await trusting.from('198.51.100.7')).toBe(200)
  const strict = await seen({ trusted: ['10.0.0.0/8'], hops: 1 })
  for (const list of ['198.51.100.7', '198.51.100.7, 198.51.100.7']) expect(await strict.from(list)).toBe(200)
})

describe('Rules', () => {
  test('are matched by priority on host, path, header, method, query and source', async () => {
    const it = await gatewayCloud()
    const { port, listener } = await it.serving('shop', 80, [])
    const rule = (Priority: number, Conditions: elb.RuleCondition[], action: elb.Action) =>
      it.elb.send(new elb.CreateRuleCommand({ ListenerArn: listener, Priority, Conditions, Actions: [action] }))
    await rule(
      1,
      [
        { Field: 'host-header', Values: ['*.example.com'] },
        { Field: 'path-pattern', Values: ['/a?/*'] },
      ],
      fixed('host'),
    )
    await rule(
      2,
      [{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Team', Values: ['red*'] } }],
      fixed('header'),
    )
    await rule(3, [{ Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['DELETE'] } }], fixed('method'))
    await rule(
      4,
      [{ Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'v', Value: '2*' }] } }],
      fixed('query'),
    )
    await rule(5, [{ Field: 'source-ip', SourceIpConfig: { Values: ['192.0.2.0/24'] } }], fixed('elsewhere'))
    await rule(6, [{ Field: 'path-pattern', Values: ['/old'] }], {
      Type: 'redirect',
      RedirectConfig: { Protocol: 'HTTPS', Port: '443', Path: '/new/#{path}', StatusCode: 'HTTP_301' },
    })
    await rule(7, [{ Field: 'source-ip', SourceIpConfig: { Values: ['127.0.0.0/8'] } }], fixed('source', '404'))
    await vi.waitFor(async () => expect((await ask(port, '/')).body).toBe('source'), WAIT)
    expect((await ask(port, '/a1/x', { headers: { Host: 'www.example.com:80' } })).body).toBe('host')
    expect((await ask(port, '/A1/x', { headers: { Host: 'www.example.com' } })).body).toBe('source')
    expect((await ask(port, '/', { headers: { 'x-team': 'RED-1' } })).body).toBe('header')
    expect((await ask(port, '/', { method: 'DELETE' })).body).toBe('method')
    expect((await ask(port, '/?a=1&v=23')).body).toBe('query')
    const moved = await ask(port, '/old?q=1', { headers: { Host: 'shop.example' } })
    expect([moved.status, moved.headers['location']]).toEqual([301, 'https://shop.example/new/old?q=1'])
    expect((await ask(port, '/')).status).toBe(404)
  })

  test('of load balancers that share a port are told apart by the host', async () => {
    const it = await gatewayCloud()
    const [a, b] = [await target('a'), await target('b')]
    const first = await it.serving('first', 80, [a.port])
    const second = await it.serving('second', 80, [b.port])
    const at = async (Host: string) => (await ask(first.port, '/', { headers: { Host } })).body.slice(0, 1)
    expect(await at(first.balancer.DNSName!)).toBe('a')
    expect(await at(`${second.balancer.DNSName!.toUpperCase()}:80`)).toBe('b')
    expect((await ask(first.port, '/')).status).toBe(421)
    await it.elb.send(new elb.DeleteLoadBalancerCommand({ LoadBalancerArn: second.arn }))
    await vi.waitFor(async () => expect((await ask(first.port, '/')).status).toBe(200), WAIT)
  })
})

describe('TLS', () => {
  async function secure() {
    const it = await gatewayCloud()
    const acm = it.client(ACMClient)
    const imported = async (name: string) =>
      (await acm.send(new ImportCertificateCommand(await selfSignedCertificate([name])))).CertificateArn!
    const [own, other] = [await imported('shop.example'), await imported('*.other.example')]
    const a = await target('a')
    const group = await it.groupOf('web', [a.port])
    const { LoadBalancerArn } = await it.balancer('shop')
    const { Listeners } = await it.elb.send(
      new elb.CreateListenerCommand({
        LoadBalancerArn,
        Port: 443,
        Protocol: 'HTTPS',
        SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06',
        Certificates: [{ CertificateArn: own }],
        DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
      }),
    )
    const { ListenerArn } = Listeners![0]!
    await it.elb.send(
      new elb.AddListenerCertificatesCommand({ ListenerArn, Certificates: [{ CertificateArn: other }] }),
    )
    const port = await it.portOf(443)
    await it.healthy(group, 1)
    return { ...it, port, a, ListenerArn }
  }
  const subjectAt = (port: number, servername: string | undefined) =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls(
        { port, host: '127.0.0.1', rejectUnauthorized: false, ...(servername && { servername }) },
        () => {
          resolve(String(socket.getPeerCertificate().subject.CN))
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })

  test('shows the certificate of the name that a client asks for', async () => {
    const { port } = await secure()
    await vi.waitFor(async () => expect(await subjectAt(port, 'www.other.example')).toBe('*.other.example'), WAIT)
    expect(await subjectAt(port, 'shop.example')).toBe('shop.example')
    expect(await subjectAt(port, undefined)).toBe('shop.example')
    expect(await subjectAt(port, 'a.b.other.example')).toBe('shop.example')
  })

  test('carries HTTP/2 and HTTP/1.1, and nothing older than its policy allows', async () => {
    const { port, a } = await secure()
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const streams = Array.from({ length: 20 }, (_, n) => {
      const stream = session.request({
        ':path': `/${n}`,
        ':authority': 'shop.example',
        cookie: ['a=1', 'b=2'] as never,
      })
      return new Promise<string>((resolve, reject) => {
        let text = ''
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        stream.on('end', () => resolve(text)).on('error', reject)
      })
    })
    expect(await Promise.all(streams)).toEqual(Array.from({ length: 20 }, (_, n) => `a GET /${n} 0`))
    session.close()
    expect(a.seen[0]?.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      cookie: 'a=1; b=2',
    })
    expect((await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).slice(0, 12)).toBe('HTTP/1.1 400')
    const old = new Promise((resolve, reject) => {
      connectTls(
        {
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1.1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
        () => resolve('connected'),
      ).on('error', reject)
    })
    await expect(old).rejects.toThrow()
  })

  test('keeps private keys out of the snapshot', async () => {
    const it = await secure()
    const feed = it.use({ name: 'snapshots' } as never) as {
      feedOf(plane: string): { next(after: number, wait: number): Promise<{ body: string }> }
    }
    const { body } = await feed.feedOf('gateway').next(-1, 0)
    expect(body).toContain('BEGIN CERTIFICATE')
    expect(body).not.toContain('PRIVATE KEY')
  })
})

describe('Requests that two parsers could read differently', () => {
  const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n'
  const corpus: Readonly<Record<string, string>> = {
    'both lengths': `${HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
    'both lengths, the other way round': `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n`,
    'two lengths': `${HEAD}Content-Length: 6\r\nContent-Length: 5\r\n\r\nabcdef`,
    'two equal lengths': `${HEAD}Content-Length: 6\r\nContent-Length: 6\r\n\r\nabcdef`,
    'a list of lengths': `${HEAD}Content-Length: 6, 6\r\n\r\nabcdef`,
    'a signed length': `${HEAD}Content-Length: +6\r\n\r\nabcdef`,
    'a bare line feed': 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
    'a bare line feed at the end': 'GET / HTTP/1.1\r\nHost: a\r\n\n',
    'a bare carriage return': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n',
    'NUL in a header': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
    'NUL in the target': 'GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n',
    'a space before the colon': `${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    'another encoding': `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'two encodings': `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    'chunked not last': `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    'a vertical tab': `${HEAD}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
    'a folded header': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
    'a line feed behind a chunk size': `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`,
    'a line feed behind a chunk': `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n`,
    'a chunk size in another notation': `${HEAD}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'another host in the target': 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'HTTP/0.9': 'GET /\r\n\r\n',
    'HTTP/2.0 in text': 'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
    'a fragment': 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
    'bytes above ASCII in the target': 'GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n',
    'a header without a colon': 'GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n',
    'headers above 16 KB': `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
    CONNECT: 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n',
    TRACE: 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
  }

  test('never reach a target', async () => {
    const it = await gatewayCloud()
    const a = await target('a')
    const { port } = await it.serving('shop', 80, [a.port])
    for (const [name, bytes] of Object.entries(corpus)) {
      const answer = await raw(port, bytes)
      expect([name, answer.slice(0, 12)]).toEqual([name, 'HTTP/1.1 400'])
      expect([name, answer.split('HTTP/1.1 ').length]).toEqual([name, 2])
    }
    expect(a.seen).toEqual([])
  })

  test('by HTTP/2 neither: what would be two lines of HTTP/1.1 is refused', async () => {
    const it = await gatewayCloud()
    const { CertificateArn } = await it
      .client(ACMClient)
      .send(new ImportCertificateCommand(await selfSignedCertificate(['a'])))
    const a = await target('a')
    const group = await it.groupOf('web', [a.port])
    const { LoadBalancerArn } = await it.balancer('shop')
    await it.elb.send(
      new elb.CreateListenerCommand({
        LoadBalancerArn,
        Port: 443,
        Protocol: 'HTTPS',
        Certificates: [{ CertificateArn: CertificateArn! }],
        DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
      }),
    )
    const port = await it.portOf(443)
    await it.healthy(group, 1)
    const status = (headers: Record<string, string>) =>
      new Promise<string>((resolve) => {
        const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
        session.on('error', () => resolve('closed'))
        try {
          const stream = session.request({ ':authority': 'a', ...headers })
          stream.on('response', (answer) => resolve(String(answer[':status'])))
          stream.on('error', () => resolve('reset'))
          stream.on('close', () => {
            session.destroy()
            resolve('closed')
          })
          stream.resume()
        } catch {
          session.destroy()
          resolve('not sent')
        }
      })
    for (const headers of [
      { ':path': '/a b' },
      { ':path': 'x' },
      { ':path': '/', host: 'b' },
      { ':path': '/', ':authority': 'a b' },
      { ':path': '/', ':method': 'GET / HTTP/1.1' },
      { ':path': '/', 'transfer-encoding': 'chunked' },
      { ':path': '/', te: 'gzip' },
    ])
      expect([headers, await status(headers)]).not.toEqual([headers, '200'])
    expect(a.seen).toEqual([])
  })
})

test('PROXY protocol is believed from configured addresses alone', async () => {
  const v2 = (address: readonly number[]) =>
    Buffer.concat([
      Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'),
      Buffer.from([...address, 127, 0, 0, 1, 0x30, 0x39, 0, 80]),
    ])
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const bytes = Buffer.concat([v2([198, 51, 100, 7]), Buffer.from(request)])
  const trusting = await gatewayCloud({ trusted: ['127.0.0.0/8'] })
  const a = await target('a')
  const { port } = await trusting.serving('shop', 80, [a.port])
  expect((await raw(port, bytes)).slice(0, 12)).toBe('HTTP/1.1 200')
  expect(a.seen[0]?.headers['x-forwarded-for']).toBe('198.51.100.7')
  expect((await raw(port, request)).slice(0, 12)).toBe('HTTP/1.1 200')
  expect(a.seen[1]?.headers['x-forwarded-for']).toBe('127.0.0.1')
  const other = await gatewayCloud()
  const b = await target('b')
  const { port: strict } = await other.serving('shop', 80, [b.port])
  expect((await raw(strict, bytes)).slice(0, 12)).toBe('HTTP/1.1 400')
  expect(b.seen).toEqual([])
})

test('A listener that is deleted stops, and the request in flight ends well', async () => {
  const it = await gatewayCloud()
  const slow = await target('slow', (request, response) =>
    request.headers['user-agent'] === 'ELB-HealthChecker/2.0'
      ? response.end()
      : setTimeout(() => response.end('late'), 500),
  )
  const { port, listener } = await it.serving('shop', 80, [slow.port])
  const pending = new Promise((resolve) => {
    get(`http://127.0.0.1:${port}/`, (response) => response.on('data', (chunk) => resolve(String(chunk))))
  })
  await vi.waitFor(() => expect(slow.seen.length).toBe(1), WAIT)
  await it.elb.send(new elb.DeleteListenerCommand({ ListenerArn: listener }))
  await vi.waitFor(() => expect(it.plane.ports.size).toBe(0), WAIT)
  expect(await pending).toBe('late')
})
