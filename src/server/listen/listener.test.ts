/** What the socket lets unauthenticated clients do: on both sides of every limit, with deliberately hostile clients. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { services } from '../compose/services.ts'
import { admissionDefaults } from './admission.ts'
import { type Handler, type Listener, type ListenOptions, listen } from './listener.ts'

const uploads = services.flatMap(({ traits }) => traits?.uploads ?? [])

const KIB = 1024
const MIB = 1024 * KIB

const open: Listener[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((each) => each.close()))
})

const echo: Handler = async ({ body }) => ({ status: 200, headers: { 'x-length': String(body.length) }, body })

async function listening(handler: Handler = echo, options: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen(handler, { host: '127.0.0.1', port: 0, uploads, ...options })
  open.push(listener)
  return listener
}

/** A connection, and what came over it so far. */
function client({ port }: Listener) {
  const socket = connect({ host: '127.0.0.1', port })
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  // Being cut off is what many of these wait for.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  closed.catch(() => undefined)
  return {
    socket,
    send: (data: string | Buffer) => void socket.write(data),
    text: () => text,
    closed: () => closed,
    /** What has come when there is so much of it. */
    until: async (found: RegExp): Promise<string> => {
      while (!found.test(text))
        await Promise.race([once(socket, 'data'), closed.then(() => Promise.reject(new Error(text)))])
      return text
    },
  }
}

const head = (length: number | undefined, more = ''): string =>
  `POST / HTTP/1.1\r\nHost: x\r\n${length === undefined ? '' : `Content-Length: ${length}\r\n`}${more}\r\n`

async function becomes(value: () => unknown, expected: unknown): Promise<void> {
  for (let i = 0; i < 500 && value() !== expected; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(value()).toEqual(expected)
}

/** A handler whose answers wait until they are let go. */
function waiting() {
  const letGo: (() => void)[] = []
  const handler: Handler = (request) => new Promise((resolve) => letGo.push(() => void echo(request).then(resolve)))
  return { handler, begun: () => letGo.length, letGo: () => void letGo.splice(0).map((each) => each()) }
}

describe('A body', () => {
  test('may be as long as the limit and not a byte longer', async () => {
    const listener = await listening(echo, { bodyBytesMax: 100 * KIB })
    const fits = await fetch(listener.url, { method: 'POST', body: Buffer.alloc(100 * KIB) })
    const tooLong = await fetch(listener.url, { method: 'POST', body: Buffer.alloc(100 * KIB + 1) })

    expect([fits.status, (await fits.arrayBuffer()).byteLength]).toEqual([200, 100 * KIB])
    expect(tooLong.status).toBe(413)
  })

  test('that says nothing of its length is cut at the limit', async () => {
    const listener = await listening(echo, { bodyBytesMax: 1_000 })
    const it = client(listener)
    it.send(`${head(undefined, 'Transfer-Encoding: chunked\r\n')}400\r\n${'x'.repeat(1_024)}\r\n`)

    expect(await it.until(/\r\n\r\n.+/)).toMatch(/^HTTP\/1.1 413 .*RequestEntityTooLargeException/s)
    await it.closed()
  })

  test('in pieces of one byte arrives as it was, and leaves nothing behind', async () => {
    const listener = await listening()
    const it = client(listener)
    const bytes = Array.from({ length: 50_000 }, (_, i) => 97 + (i % 26))
    const chunked = bytes.map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')
    it.send(`${head(undefined, 'Transfer-Encoding: chunked\r\n')}${chunked}0\r\n\r\n`)

    expect(
      (await it.until(/x-length: 50000\r\n.*\r\n\r\n[a-z]{50000}$/s)).endsWith(String.fromCharCode(...bytes)),
    ).toBe(true)
    await becomes(() => listener.load().bodyBytes, 0)
  })

  test('of an object may be an upload, in the protocol of S3 when it is too long even for that', async () => {
    const signature =
      'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'
    const listener = await listening(async ({ body }) => ({ status: 200, headers: {}, body: String(body.length) }), {
      bodyBytesMax: KIB,
    })
    const headers = { authorization: signature }
    const upload = await fetch(listener.url, { method: 'PUT', body: Buffer.alloc(MIB), headers })
    const it = client(listener)
    it.send(`PUT /b/k HTTP/1.1\r\nHost: x\r\nAuthorization: ${signature}\r\nContent-Length: 70167212\r\n\r\n`)

    expect(await upload.text()).toBe(String(MIB))
    expect(await it.until(/<\/Error>/)).toMatch(/^HTTP\/1.1 400 .*<Code>EntityTooLarge<\/Code>/s)
  })

  test('whose sender expects 100-continue gets it', async () => {
    const it = client(await listening())
    it.send(head(5, 'Expect: 100-continue\r\n'))
    expect(await it.until(/100 Continue\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    it.send('hello')

    expect(await it.until(/hello$/)).toContain('HTTP/1.1 200 OK')
  })
})

describe('A slow client', () => {
  const pace = { graceMs: 100, sweepMs: 20 }

  test('with a head gets an error and is disconnected', async () => {
    const listener = await listening(echo, { headersMsMax: 200 })
    const it = client(listener)
    it.send('POST / HTTP/1.1\r\nHost:')
    await it.closed()

    expect(it.text()).toMatch(/^HTTP\/1.1 408 /)
  })

  test('with the first byte of a head is cut off as well', async () => {
    const it = client(await listening(echo, { headersMsMax: 200 }))
    await it.closed()

    expect(it.text()).not.toContain('200')
  })

  test('with a body gets an error and is disconnected, and holds nothing any more', async () => {
    const listener = await listening(echo, { pace })
    const it = client(listener)
    it.send(head(MIB))
    it.send('only so much')
    await it.closed()

    expect(it.text()).toMatch(/^HTTP\/1.1 408 .*RequestTimeout/s)
    await becomes(() => listener.load().requests, 0)
    expect(listener.load()).toMatchObject({ bodyBytes: 0, refused: { slow_body: 1 } })
  })

  test('by a trickle that would never be done is cut off, whether or not it says how long it is', async () => {
    const listener = await listening(echo, { pace })
    const [announced, chunked] = [client(listener), client(listener)]
    announced.send(head(5 * MIB))
    chunked.send(head(undefined, 'Transfer-Encoding: chunked\r\n'))
    const trickle = setInterval(() => {
      announced.socket.write('x')
      chunked.socket.write('1\r\nx\r\n')
    }, 10)
    await Promise.all([announced.closed(), chunked.closed()])
    clearInterval(trickle)

    expect(listener.load().refused.slow_body).toBe(2)
  })

  test('and yet in time is answered', async () => {
    const listener = await listening(echo, { pace })
    const it = client(listener)
    it.send(head(10))
    for (const letter of 'abcdefghij') {
      it.send(letter)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }

    expect(await it.until(/abcdefghij$/)).toContain('HTTP/1.1 200 OK')
  })

  test('at reading an answer is cut off, and holds nothing any more', async () => {
    const large: Handler = async () => ({ status: 200, headers: {}, body: Buffer.alloc(32 * MIB) })
    const listener = await listening(large, { patience: { stalledMs: 300, ms: 60_000 } })
    const it = client(listener)
    it.socket.pause()
    it.send(head(0))
    await becomes(() => listener.load().answerBytes > 0, true)
    expect(listener.load().requests).toBe(1)

    await becomes(() => listener.load().answerBytes, 0)
    await becomes(() => listener.load().requests, 0)
    expect(listener.load().refused.slow_reader).toBe(1)
  })

  test('at reading, byte by byte, has an end', async () => {
    const large: Handler = async () => ({ status: 200, headers: {}, body: Buffer.alloc(32 * MIB) })
    const listener = await listening(large, { patience: { stalledMs: 60_000, ms: 300 } })
    const it = client(listener)
    it.socket.pause()
    it.send(head(0))

    await becomes(() => listener.load().refused.slow_reader, 1)
    await becomes(() => listener.load().requests, 0)
    expect(listener.load().answerBytes).toBe(0)
  })

  test('at reading goes first when responses take too much memory, and clients that read get everything', async () => {
    const large: Handler = async () => ({ status: 200, headers: {}, body: Buffer.alloc(16 * MIB) })
    const listener = await listening(large, { admission: { ...admissionDefaults, answerBytesMax: 40 * MIB } })
    for (let i = 0; i < 6; i++) {
      const it = client(listener)
      it.socket.pause()
      it.send(head(0))
      await becomes(() => listener.load().requests + listener.load().refused.slow_reader, i + 1)
    }
    await becomes(() => listener.load().refused.slow_reader > 0, true)
    const reader = await fetch(listener.url)

    expect((await reader.arrayBuffer()).byteLength).toBe(16 * MIB)
    expect(listener.load().answerBytes).toBeLessThanOrEqual(40 * MIB)
  })
})

describe('When as many requests are in progress as allowed', () => {
  const full = { ...admissionDefaults, requestsMax: 2 }

  /** Two requests in progress. */
  async function busy(options: Partial<ListenOptions> = {}) {
    const work = waiting()
    const refused: string[] = []
    const listener = await listening((request) => (request.method === 'GET' ? echo(request) : work.handler(request)), {
      admission: full,
      onRefused: (why) => void refused.push(why),
      ...options,
    })
    const two = [client(listener), client(listener)]
    for (const each of two) each.send(head(2) + 'ok')
    await becomes(work.begun, 2)
    return { ...work, listener, two, refused }
  }

  const scope = (service: string) =>
    `Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0\r\n`

  test.each([
    ['kms', `${scope('kms')}X-Amz-Target: TrentService.Encrypt\r\n`, /"__type":"ServiceUnavailableException"/],
    ['iam', `${scope('iam')}Content-Type: application/x-www-form-urlencoded\r\n`, /<Code>ServiceUnavailable<\/Code>/],
    ['ec2', `${scope('ec2')}Content-Type: application/x-www-form-urlencoded\r\n`, /<Errors><Error><Code>Unavailable</],
    ['s3', scope('s3'), /<Error><Code>ServiceUnavailable<\/Code>/],
    ['lambda', scope('lambda'), /x-amzn-errortype: ServiceUnavailableException/i],
    ['nobody', '', /"message"/],
  ])('the next is refused at once, as %s would', async (_service, headers, code) => {
    const { listener, refused } = await busy()
    const it = client(listener)
    it.send(head(2, headers) + 'no')

    const answer = await it.until(code)
    expect(answer).toMatch(/^HTTP\/1.1 503 /)
    expect(answer).toMatch(/x-amz-retry-after: \d{3,4}\r\n/)
    expect(answer).toMatch(/retry-after: [12]\r\n/)
    expect(refused).toEqual(['requests'])
  })

  test('the connection of a refused one can be used again, and then is answered', async () => {
    const { listener, letGo, two } = await busy()
    const it = client(listener)
    it.send(head(2) + 'no')
    await it.until(/503 .*\r\n\r\n.+/s)
    letGo()
    await Promise.all(two.map((each) => each.until(/ok$/)))
    it.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')

    await it.until(/HTTP\/1.1 200 OK/)
    expect(listener.load()).toMatchObject({ refused: { requests: 1 } })
    await becomes(() => listener.load().requests, 0)
  })

  test('the body of a refused one is not read, and its connection is closed', async () => {
    const { listener } = await busy()
    const it = client(listener)
    it.send(head(MIB))
    await it.closed()

    expect(it.text()).toMatch(/^HTTP\/1.1 503 .*connection: close/is)
    // Of the two in progress.
    expect(listener.load().bodyBytes).toBe(4)
  })

  test('a client that sends Expect is refused before it sends', async () => {
    const { listener } = await busy()
    const it = client(listener)
    it.send(head(MIB, 'Expect: 100-continue\r\n'))
    await it.closed()

    expect(it.text()).toMatch(/^HTTP\/1.1 503 /)
  })

  test('a thousand more behind one in progress do not wait in line', async () => {
    const { listener, two } = await busy()
    two[0]!.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000))

    await two[0]!.closed()
    await becomes(() => listener.load().requests, 2)
  })

  test('bodies that have not come hold no place', async () => {
    const listener = await listening(echo, { admission: full })
    for (let i = 0; i < 10; i++) client(listener).send(`${head(100)}x`)
    await becomes(() => listener.load().requests, 10)

    expect((await fetch(listener.url, { method: 'POST', body: 'x' })).status).toBe(200)
  })

  test('requests about the server itself are answered', async () => {
    const { listener } = await busy({ isVital: ({ url }) => url === '/health' })

    expect((await fetch(`${listener.url}/health`)).status).toBe(200)
    expect((await fetch(`${listener.url}/other`)).status).toBe(503)
  })
})

describe('When bodies take all the room there is', () => {
  test('the one too many is refused, and those that end make room', async () => {
    const listener = await listening(echo, { admission: { ...admissionDefaults, bodyBytesMax: MIB } })
    const half = Array.from({ length: 8 }, () => client(listener))
    for (const each of half) {
      each.send(head(300 * KIB))
      each.send(Buffer.alloc(200 * KIB))
    }
    await becomes(() => listener.load().refused.bodies > 0, true)
    await becomes(() => half.filter((each) => each.text().startsWith('HTTP/1.1 503 ')).length >= 3, true)
    expect(listener.load().bodyBytes).toBeLessThanOrEqual(MIB)

    for (const each of half) each.socket.destroy()
    await becomes(() => listener.load().bodyBytes, 0)
    expect((await fetch(listener.url, { method: 'POST', body: Buffer.alloc(MIB) })).status).toBe(200)
  })

  test('slow bodies are cut off for a quick one', async () => {
    const listener = await listening(echo, { admission: { ...admissionDefaults, bodyBytesMax: MIB } })
    const slow = Array.from({ length: 4 }, () => client(listener))
    for (const each of slow) {
      each.send(head(300 * KIB))
      each.send(Buffer.alloc(250 * KIB))
    }
    await becomes(() => listener.load().bodyBytes, 1_000 * KIB)
    await new Promise((resolve) => setTimeout(resolve, 1_100))

    expect((await fetch(listener.url, { method: 'POST', body: Buffer.alloc(200 * KIB) })).status).toBe(200)
    expect(slow.filter((each) => each.text().startsWith('HTTP/1.1 503 '))).toHaveLength(1)
  })

  test('what is only announced takes none', async () => {
    const listener = await listening(echo, { admission: { ...admissionDefaults, bodyBytesMax: MIB } })
    for (let i = 0; i < 20; i++) client(listener).send(head(5 * MIB))
    await becomes(() => listener.load().requests, 20)

    expect((await fetch(listener.url, { method: 'POST', body: Buffer.alloc(MIB) })).status).toBe(200)
  })
})

describe('When there are as many connections as may be', () => {
  test('those that do nothing make room for new ones', async () => {
    const listener = await listening(echo, { connectionsMax: 3 })
    const idle = Array.from({ length: 3 }, () => client(listener))
    for (const each of idle) {
      each.send(head(2) + 'hi')
      await each.until(/hi$/)
    }
    const dropped = client(listener)
    await dropped.closed()
    await Promise.all(idle.map((each) => each.closed()))

    expect((await fetch(listener.url)).status).toBe(200)
    expect(listener.load().refused.connections).toBe(1)
  })

  test('those whose heads or bodies do not come end for new ones, and those in progress keep theirs', async () => {
    const work = waiting()
    const handler: Handler = (request) => (request.method === 'GET' ? echo(request) : work.handler(request))
    const listener = await listening(handler, { connectionsMax: 40 })
    const busy = client(listener)
    busy.send(head(2) + 'ok')
    await becomes(work.begun, 1)
    const slow = Array.from({ length: 200 }, () => client(listener))
    for (const [i, each] of slow.entries()) each.send(i % 2 ? 'POST / HTTP/1.1\r\nHost:' : `${head(100)}x`)
    await becomes(() => listener.load().refused.connections > 100, true)

    for (let i = 0; i < 5; i++)
      expect((await fetch(listener.url, { headers: { connection: 'close' } })).status).toBe(200)
    work.letGo()
    expect(await busy.until(/ok$/)).toContain('200 OK')
  })

  test('the reserve answers requests about the server itself, and refuses all else', async () => {
    const work = waiting()
    const handler: Handler = (request) => (request.method === 'GET' ? echo(request) : work.handler(request))
    const listener = await listening(handler, { connectionsMax: 2, isVital: ({ url }) => url === '/health' })
    for (let i = 0; i < 2; i++) client(listener).send(head(2) + 'ok')
    await becomes(work.begun, 2)

    expect((await fetch(`${listener.url}/health`)).status).toBe(200)
    expect((await fetch(`${listener.url}/other`)).status).toBe(503)
    work.letGo()
  })

  test('those in progress keep theirs', async () => {
    const work = waiting()
    const listener = await listening(work.handler, { connectionsMax: 2 })
    const two = [client(listener), client(listener)]
    for (const each of two) each.send(head(2) + 'ok')
    await becomes(work.begun, 2)
    await client(listener).closed()
    work.letGo()

    for (const each of two) expect(await each.until(/ok$/)).toContain('200 OK')
  })
})

test('a client that hangs up before it is answered leaves nothing behind', async () => {
  const work = waiting()
  const listener = await listening(async (request: HttpRequest): Promise<HttpResponse> => {
    await work.handler(request)
    return { status: 200, headers: {}, body: Buffer.alloc(8 * MIB) }
  })
  const gone = Array.from({ length: 5 }, () => client(listener))
  for (const each of gone) each.send(head(2) + 'ok')
  await becomes(work.begun, 5)
  for (const each of gone) each.socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  work.letGo()

  await becomes(() => listener.load().requests, 0)
  expect(listener.load()).toMatchObject({ bodyBytes: 0, answerBytes: 0 })
})
