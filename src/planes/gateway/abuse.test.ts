/** Floods and slow clients on real sockets: each costs its own connection, and the target sees next to nothing of them. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ACMClient, ImportCertificateCommand } from '@aws-sdk/client-acm'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { expect, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../services/elbv2/elbv2.fixture.ts'
import { gatewayCloud, raw, target, WAIT } from './gateway.fixture.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION] = [0, 1, 3, 4, 6, 8, 9]
const [END_STREAM, END_HEADERS] = [1, 4]

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const literal = (name: string, value: string) =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)])
const GET = Buffer.concat([
  literal(':method', 'GET'),
  literal(':scheme', 'https'),
  literal(':authority', 'a'),
  literal(':path', '/x'),
])
const POST = Buffer.concat([literal(':method', 'POST'), GET.subarray(literal(':method', 'GET').length)])

/** A load balancer with HTTP/2 over one slow target. */
async function secure() {
  const it = await gatewayCloud()
  const { CertificateArn } = await it
    .client(ACMClient)
    .send(new ImportCertificateCommand(await selfSignedCertificate(['a'])))
  const slow = await target('a', (request, response) =>
    request.headers['user-agent'] === 'ELB-HealthChecker/2.0' || request.url === '/quick'
      ? response.end('well')
      : undefined,
  )
  const group = await it.groupOf('web', [slow.port])
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
  const open = () =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
        socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]))
        resolve(socket)
      })
      socket.on('error', reject)
    })
  /** Others are served meanwhile. */
  const serves = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls(
        { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
        () => socket.write('GET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      )
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').slice(9, 12)))
      socket.on('error', reject)
    })
  return { ...it, slow, open, serves }
}

/** Whether the connection ended while these frames were sent, or soon after. */
function endsAfter(socket: Socket, frames: Iterable<Buffer>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy()
      resolve(false)
    }, 10_000)
    socket.on('error', () => undefined).resume()
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(true)
    })
    for (const each of frames) socket.write(each)
  })
}

function* continuations(count: number) {
  yield frame(HEADERS, END_STREAM, 1, GET)
  for (let n = 0; n < count; n++) yield frame(CONTINUATION, 0, 1, literal(`x-${n}`, 'a'.repeat(100)))
}
function* resets(count: number) {
  for (let n = 0; n < count; n++)
    yield Buffer.concat([
      frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, GET),
      frame(RST_STREAM, 0, 2 * n + 1, Buffer.from([0, 0, 0, 8])),
    ])
}
function* pings(count: number) {
  for (let n = 0; n < count; n++) yield frame(PING, 0, 0, Buffer.alloc(8))
  // A client that floods does not read.
}

test('A flood of CONTINUATION frames ends its connection before a request has begun (CVE-2024-27316)', async () => {
  const it = await secure()
  expect(await endsAfter(await it.open(), continuations(20_000))).toBe(true)
  expect(it.slow.seen).toEqual([])
  expect(await it.serves()).toBe('200')
})

test('A flood of resets ends its connection after some hundred requests (CVE-2023-44487)', async () => {
  const it = await secure()
  expect(await endsAfter(await it.open(), resets(20_000))).toBe(true)
  expect(it.slow.seen.length).toBeLessThan(400)
  expect(await it.serves()).toBe('200')
})

test('A flood of resets without an error, or that the gateway is made to send, ends its connection as well (CVE-2025-8671)', async () => {
  const it = await secure()
  function* opened(count: number, reset: (stream: number) => Buffer) {
    for (let n = 0; n < count; n++)
      yield Buffer.concat([frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, GET), reset(2 * n + 1)])
  }
  const noError = (stream: number) => frame(RST_STREAM, 0, stream, Buffer.alloc(4))
  expect(await endsAfter(await it.open(), opened(900, noError))).toBe(true)
  // An increment of zero is an error of the stream (RFC 9113 §6.9).
  const zero = (stream: number) => frame(WINDOW_UPDATE, 0, stream, Buffer.alloc(4))
  expect(await endsAfter(await it.open(), opened(900, zero))).toBe(true)
  expect(it.slow.seen.length).toBeLessThan(800)
  expect(await it.serves()).toBe('200')
})

test('Floods of settings and of empty frames end their connections; more headers than fit end their request', async () => {
  const it = await secure()
  function* settings(count: number) {
    for (let n = 0; n < count; n++) yield frame(SETTINGS, 0, 0)
  }
  function* empty(count: number) {
    yield frame(HEADERS, END_HEADERS, 1, POST)
    for (let n = 0; n < count; n++) yield frame(DATA, 0, 1)
  }
  expect(await endsAfter(await it.open(), settings(50_000))).toBe(true)
  expect(await endsAfter(await it.open(), empty(50_000))).toBe(true)
  // 64 KB of one header again and again: 200 bytes on the wire, once it is in the table.
  const known = Buffer.concat([GET, Buffer.from([0x40]), literal('x', 'a'.repeat(120)).subarray(1)])
  const bomb = Buffer.concat([known, Buffer.alloc(500, 0xbe)])
  const socket = await it.open()
  const answer = new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('close', () => resolve(Buffer.concat(chunks)))
    setTimeout(() => socket.destroy(), 1_000)
  })
  socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, bomb))
  await answer
  expect(it.slow.seen).toEqual([])
  expect(await it.serves()).toBe('200')
})

test('Pings are answered and hold nothing', async () => {
  const it = await secure()
  const socket = await it.open()
  void endsAfter(socket, pings(5_000))
  expect(await it.serves()).toBe('200')
  socket.destroy()
})

test('A client that stops sending its body, or reading, ends soon after the idle timeout; more than 200 headers get 400', async () => {
  const it = await gatewayCloud()
  const a = await target('a')
  const { port, arn } = await it.serving('shop', 80, [a.port])
  await it.elb.send(
    new elb.ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn: arn,
      Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '1' }],
    }),
  )
  const headers = Array.from({ length: 201 }, (_, n) => `x${n}: a\r\n`).join('')
  expect((await raw(port, `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`)).slice(9, 12)).toBe('400')
  const isClosed = () =>
    new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () =>
        socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(20_000)}`),
      )
      const timer = setTimeout(() => {
        socket.destroy()
        resolve(false)
      }, 9_000)
      socket.on('error', () => undefined).resume()
      socket.on('close', () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  await vi.waitFor(async () => expect(await isClosed()).toBe(true), WAIT)
  expect(a.seen.filter(({ body }) => body.length === 100_000)).toEqual([])
})

test('A client that pipelines ends its own connection', async () => {
  const it = await gatewayCloud()
  const silent = await target('a', (request, response) =>
    request.headers['user-agent'] === 'ELB-HealthChecker/2.0' ? response.end() : undefined,
  )
  const { port } = await it.serving('shop', 80, [silent.port])
  const socket = connectTcp(port, '127.0.0.1')
  const pipelined = Array.from({ length: 5_000 }, () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
  expect(await endsAfter(socket, [Buffer.concat(pipelined)])).toBe(true)
  expect(silent.seen.length).toBeLessThanOrEqual(32)
})
